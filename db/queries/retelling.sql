-- name: number()$
-- How many requests there are.
select count(*) from requests;

-- name: page(after_id, most)
-- Requests in the order of their ids, with what no run knows: that one is not started yet, and that one was erased.
select
    id, reference, submitted_at, confidential, erased_at, demanded_by,
    exists (
        select from inbox where inbox.request_id = requests.id and kind = 'submitted' and delivered_at is null
    ) as is_waiting
from requests
left join erasure_demands on erasure_demands.request_id = requests.id
where :after_id::uuid is null or id > :after_id
order by id
limit :most;

-- name: by_references(references)
-- The requests with these public numbers, in the same form.
select
    id, reference, submitted_at, confidential, erased_at, demanded_by,
    exists (
        select from inbox where inbox.request_id = requests.id and kind = 'submitted' and delivered_at is null
    ) as is_waiting
from requests
left join erasure_demands on erasure_demands.request_id = requests.id
where reference = any (:references::text[])
order by id;

-- name: lock(request_id)$
-- Lets nobody else write to the request.
select id from requests where id = :request_id for update;

-- name: lock_snapshot(request_id)$
-- Lets no run record anything meanwhile.
select request_id from snapshots where request_id = :request_id for update;

-- name: forget_snapshot(request_id, sequence)!
-- Takes the row that was found away; it is told again at once.
delete from snapshots where request_id = :request_id and sequence = :sequence;

-- name: forget_events(request_id, sequences)!
-- Takes events away that are told again at once, or that never happened.
delete from events where request_id = :request_id and sequence = any (:sequences::int[]);
