"""How fast the whole system is on one machine, how long people wait, and what one request costs: measured from outside."""
