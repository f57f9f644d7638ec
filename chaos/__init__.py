"""The whole system under load while its parts are killed, stopped and cut off; at the end what people were told is compared with what exists."""
