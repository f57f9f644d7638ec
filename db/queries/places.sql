-- name: clear(most)
-- Names of places that stand in clear: of before they were sealed, or from a program of before.
select id, place from requests where place is not null order by submitted_at limit :most;

-- name: seal(ids, befores, sealed, indexes)!
-- Puts the sealed names in their place; what has changed meanwhile is left for the next time.
update requests set place_sealed = n.sealed, place_index = n.index, place = null
from unnest(:ids::uuid[], :befores::text[], :sealed::bytea[], :indexes::bytea[]) as n (id, before, sealed, index)
where requests.id = n.id and place = n.before;
