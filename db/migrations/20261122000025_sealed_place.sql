-- migrate:up

-- The name of the place is what a citizen wrote, and may be anything: sealed as all the rest, and found by a keyed hash. What
-- stands in clear from before is sealed by the worker, in batches.
alter table requests
    add column place_sealed bytea,
    add column place_index bytea; -- keyed hash of the name as it is compared

-- migrate:down
alter table requests drop column place_sealed, drop column place_index;
