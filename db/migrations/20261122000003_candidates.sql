-- migrate:up

-- Duplicates are looked for near a point, at a place of the same name, and among the latest of a category.
-- Each of these indexes takes about a second for a million requests; what is sent meanwhile waits for that long.
create index requests_by_point on requests using gist (point(long, lat)) where lat is not null and long is not null;
create index requests_by_place on requests (lower(place), submitted_at) where place is not null;
create index snapshots_by_category on snapshots (category, submitted_at, request_id);

-- Precedents are the decisions of supervisors. They are few, and are found without walking through all events.
create index events_that_decide on events (at, request_id) where action = 'decide';

-- migrate:down
drop index events_that_decide, snapshots_by_category, requests_by_place, requests_by_point;
