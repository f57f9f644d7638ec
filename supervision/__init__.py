"""How the whole system runs on one machine: embedded PostgreSQL and Temporal, the worker and the API, started and stopped together."""
