"""The durable procedure of a request, and the contract by which others speak to it."""
