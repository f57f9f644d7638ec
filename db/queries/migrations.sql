-- name: try_lock(key)$
-- Whether no other program migrates this database; held until the session ends. Not a wait inside PostgreSQL: an index that
-- the other one makes while everybody works waits for all statements, and that would be one of them.
select pg_try_advisory_lock(:key);

-- name: has_versions()$
-- Whether a migration has ever been applied here.
select to_regclass('schema_migrations') is not null;

-- name: make_versions()$
-- Where the migrations that have been applied are noted.
create table if not exists schema_migrations (version varchar primary key);

-- name: applied_versions()
-- The versions that have been applied, in order.
select version from schema_migrations order by version;

-- name: oldest_program()$
-- The oldest program that can work with this database, by the newest migration that it brings.
select version from compatible_from;

-- name: limit(lock, statement)!
-- For how many milliseconds the rest of this transaction may wait for a lock, and a statement of it may run.
select set_config('lock_timeout', :lock, true), set_config('statement_timeout', :statement, true);

-- name: half_made_indexes()
-- Indexes whose making was cut off, and what removes each of them while everybody works.
select relname as name, format('drop index concurrently %I', relname) as removal
from pg_index join pg_class on pg_class.oid = indexrelid
where not indisvalid and relnamespace = current_schema()::regnamespace;

-- name: note(version)!
-- A migration has been applied.
insert into schema_migrations (version) values (:version);
