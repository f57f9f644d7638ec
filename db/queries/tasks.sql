-- name: waiting(task, everything, confidential, own, departments, category, district, after_at, after_id, most)
-- A page of what waits for somebody to do a thing that no deadline of the request itself is about, in the order in which it
-- should be done: who has waited longest for a call, and of the others what is due first.
with waiting as (
    select request_id, call_wanted_at as waits_at
    from snapshots
    where :task = 'call' and call_wanted_at is not null
    union all
    select request_id, coalesce(due_at, submitted_at)
    from snapshots
    where :task = 'extension' and state = 'in_progress' and extension_asked_by is not null
    union all
    select request_id, coalesce(due_at, submitted_at)
    from snapshots
    where :task = 'hold' and state = 'in_progress' and hold_asked_by is not null
    union all
    select
        request_id,
        (
            select min((part ->> 'due_at')::timestamptz)
            from jsonb_array_elements(co_handlers) as part
            where part ->> 'state' = 'asked' and (:everything or part ->> 'department' = any (:own::text[]))
        )
    from snapshots
    where :task = 'co_handling' and co_departments <> '{}' and (:everything or co_departments && :own::text[])
),
page as (
    select request_id, waits_at
    from waiting
    join snapshots using (request_id)
    where (waits_at, request_id) > (:after_at, :after_id)
        and (:everything or department = any (:own::text[]) or co_departments && :own::text[])
        and (:confidential or not confidential or department = any (:own::text[]) or co_departments && :own::text[])
        and (:departments::text[] is null or department = any (:departments::text[]))
        and (:category::text is null or category = :category)
        and (:district::text is null or district = :district)
    order by waits_at, request_id
    limit :most
)
select
    waits_at,
    {snapshots.snapshot},
    title_sealed, description_sealed
from page
join snapshots on snapshots.request_id = page.request_id
join requests on requests.id = page.request_id
order by waits_at, snapshots.request_id;
