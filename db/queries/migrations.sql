-- name: lock(key)!
-- Waits until no other program migrates this database; held until the session ends.
select pg_advisory_lock(:key);

-- name: has_versions()$
-- Whether a migration has ever been applied here.
select to_regclass('schema_migrations') is not null;

-- name: applied_versions()
-- The versions that have been applied, in order.
select version from schema_migrations order by version;
