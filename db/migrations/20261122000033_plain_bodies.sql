-- migrate:up transaction:false

-- Housekeeping looks every hour for hashes that a release before kept without a key. New ones are keyed and never touch the index.
create index concurrently if not exists requests_with_plain_body on requests (submitted_at)
where octet_length(idempotency_body) = 32;

-- migrate:down
drop index requests_with_plain_body;
