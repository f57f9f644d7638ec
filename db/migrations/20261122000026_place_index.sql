-- migrate:up transaction:false

-- Requests at a place of the same name, the latest first.
create index concurrently if not exists requests_by_sealed_place on requests (place_index, submitted_at) where place_index is not null;

-- migrate:down
drop index requests_by_sealed_place;
