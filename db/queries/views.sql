-- name: snapshot(request_id)^
-- Where a request stands.
select
    {snapshot}
from snapshots
where request_id = :request_id;

-- name: snapshot_by_reference(reference)^
-- Where the request with that public number stands.
select
    {snapshot}
from snapshots
where reference = :reference;

-- name: followers(parent)
-- Where the requests stand that were merged into the one with that public number.
select
    {snapshot}
from snapshots
where parent = :parent and state = 'merged'
order by submitted_at, request_id;

-- name: listed_of_city(states, before_at, before_id, confidential, own, category, district, assignee, escalated, overdue, running, now, most)
-- A page of all requests, the latest first. Each state is a walk along its own index, so that a rare one is found as
-- quickly as a common one.
with page as (
    select found.request_id, found.submitted_at
    from unnest(:states::text[]) as wanted (wanted_state)
    cross join lateral (
        select request_id, submitted_at
        from snapshots
        where state = wanted_state
            and (submitted_at, request_id) < (:before_at, :before_id)
            and (:confidential or not confidential or department = any (:own::text[]) or co_departments && :own::text[])
            and (:category::text is null or category = :category)
            and (:district::text is null or district = :district)
            and (:assignee::text is null or assignee = :assignee)
            and (:escalated::boolean is null or (escalation_level > 0) = :escalated)
            and (:overdue::boolean is null or (state = any (:running::text[]) and coalesce(due_at, accept_due_at) < :now) is true = :overdue)
        order by submitted_at desc, request_id desc
        limit :most
    ) as found
    order by submitted_at desc, request_id desc
    limit :most
)
select
    {snapshots.snapshot},
    title_sealed, description_sealed
from page
join snapshots on snapshots.request_id = page.request_id
join requests on requests.id = page.request_id
order by snapshots.submitted_at desc, snapshots.request_id desc;

-- name: listed_of_departments(departments, states, before_at, before_id, confidential, own, category, district, assignee, escalated, overdue, running, now, most)
-- A page of the requests of some departments, the latest first: a walk for each department and state, and those in which
-- the departments help.
with page as (
    select found.request_id, found.submitted_at
    from unnest(:departments::text[]) as place (wanted_department)
    cross join unnest(:states::text[]) as wanted (wanted_state)
    cross join lateral (
        select request_id, submitted_at
        from snapshots
        where department = wanted_department
            and state = wanted_state
            and (submitted_at, request_id) < (:before_at, :before_id)
            and (:confidential or not confidential or department = any (:own::text[]) or co_departments && :own::text[])
            and (:category::text is null or category = :category)
            and (:district::text is null or district = :district)
            and (:assignee::text is null or assignee = :assignee)
            and (:escalated::boolean is null or (escalation_level > 0) = :escalated)
            and (:overdue::boolean is null or (state = any (:running::text[]) and coalesce(due_at, accept_due_at) < :now) is true = :overdue)
        order by submitted_at desc, request_id desc
        limit :most
    ) as found
    union
    select request_id, submitted_at
    from snapshots
    where co_departments && :departments::text[]
        and co_departments <> '{}'
        and state = any (:states::text[])
        and (submitted_at, request_id) < (:before_at, :before_id)
        and (:confidential or not confidential or department = any (:own::text[]) or co_departments && :own::text[])
        and (:category::text is null or category = :category)
        and (:district::text is null or district = :district)
        and (:assignee::text is null or assignee = :assignee)
        and (:escalated::boolean is null or (escalation_level > 0) = :escalated)
        and (:overdue::boolean is null or (state = any (:running::text[]) and coalesce(due_at, accept_due_at) < :now) is true = :overdue)
    order by submitted_at desc, request_id desc
    limit :most
)
select
    {snapshots.snapshot},
    title_sealed, description_sealed
from page
join snapshots on snapshots.request_id = page.request_id
join requests on requests.id = page.request_id
order by snapshots.submitted_at desc, snapshots.request_id desc;

-- name: listed_by_reference(reference)^
-- The request with that public number, as a line of a list.
select
    {snapshots.snapshot},
    title_sealed, description_sealed
from requests
join snapshots on snapshots.request_id = requests.id
where snapshots.reference = :reference;

-- name: listed_by_phone(phone_indexes, confidential, own, most)
-- The latest requests that came with a phone number.
select
    {snapshots.snapshot},
    title_sealed, description_sealed
from requests
join snapshots on snapshots.request_id = requests.id
where phone_index = any (:phone_indexes::bytea[])
    and (:confidential or not snapshots.confidential or department = any (:own::text[]) or co_departments && :own::text[])
order by snapshots.submitted_at desc, snapshots.request_id desc
limit :most;
