-- name: contested(request_id)^
-- What is contested about one request: its text, its category, and the two departments of the last return.
select
    requests.id as request_id, title_sealed, description_sealed, coalesce(category, given_category) as category,
    returned.facts ->> 'previous_department' as returned_by, returned.facts ->> 'proposed' as proposed
from requests
join snapshots on snapshots.request_id = requests.id
left join lateral (
    select facts
    from events
    where events.request_id = requests.id and action = 'return_request'
    order by sequence desc
    limit 1
) as returned on true
where requests.id = :request_id;

-- name: decided(request_id, since_at, everything, confidential, own, most)
-- The latest decisions of supervisors on other requests that the person may see: what was decided, on which text, category
-- and departments, by whom, and the text of the reason, still sealed.
select
    decided.request_id, snapshots.reference, decided.at, decided.facts ->> 'decision' as decision,
    decided.facts ->> 'department' as department, decided.facts ->> 'reason_code' as reason_code, category,
    returned.facts ->> 'previous_department' as returned_by, returned.facts ->> 'proposed' as proposed,
    title_sealed, description_sealed, decided.text_id, body_sealed, staff.name as decided_by
from events as decided
join snapshots on snapshots.request_id = decided.request_id
join requests on requests.id = decided.request_id
left join texts on texts.id = decided.text_id
left join staff on staff.id::text = decided.actor_id
left join lateral (
    select facts
    from events
    where events.request_id = decided.request_id and action = 'return_request' and events.sequence < decided.sequence
    order by sequence desc
    limit 1
) as returned on true
where decided.action = 'decide'
    and decided.at >= :since_at
    and decided.request_id <> :request_id
    and (:everything or department = any (:own::text[]) or co_departments && :own::text[])
    and (:confidential or not snapshots.confidential or department = any (:own::text[]) or co_departments && :own::text[])
order by decided.at desc
limit :most;
