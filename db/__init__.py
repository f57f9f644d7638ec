"""The only place with SQL: the schema and its migrations, named queries, and one typed function per query."""
