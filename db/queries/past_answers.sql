-- name: asked(request_id)^
-- The text and category of one request.
select requests.id as request_id, title_sealed, description_sealed, coalesce(category, given_category) as category
from requests
join snapshots on snapshots.request_id = requests.id
where requests.id = :request_id;

-- name: answered(request_id, category, since_at, everything, confidential, own, most)
-- The latest requests of a category that the citizen has had an answer to, and that the person may see; the answer sealed.
select
    snapshots.request_id, snapshots.reference, snapshots.submitted_at, resolved_at, category, department, result, solved,
    satisfied, reply, title_sealed, description_sealed, body_sealed
from snapshots
join requests on requests.id = snapshots.request_id
join texts on texts.id = reply
where category = :category
    and snapshots.submitted_at >= :since_at
    and state in ('resolved', 'closed')
    and resolved_at is not null
    and snapshots.request_id <> :request_id
    and (:everything or department = any (:own::text[]) or co_departments && :own::text[])
    and (:confidential or not snapshots.confidential or department = any (:own::text[]) or co_departments && :own::text[])
order by snapshots.submitted_at desc
limit :most;
