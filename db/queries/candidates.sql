-- name: compared(request_id)^
-- What one request is compared by; `found` are the categories that the first look found, the likeliest first, with their
-- confidence.
select
    requests.id as request_id, requests.submitted_at, title_sealed, description_sealed, address_sealed, place_sealed, place_index, place, lat, long,
    phone_index, coalesce(category, given_category) as category, state,
    (
        select facts ->> 'candidates'
        from events
        where events.request_id = requests.id and action = 'to_triage'
        order by sequence desc
        limit 1
    ) as found
from requests
join snapshots on snapshots.request_id = requests.id
where requests.id = :request_id;

-- name: preselected(request_id, states, since_at, categories, west, south, east, north, located, place, place_indexes, phone_index, everything, confidential, own, most)
-- The requests that may be the same matter as that one and that the person may see: near its point, at a place of the same
-- name, or by the same sender; else the latest of its categories of which nobody knows how near they are. In this order,
-- the latest of each first, as long as there is room.
with visible as not materialized (
    -- When it was submitted stands in both tables, because each has indexes with it.
    select
        id, category, state, snapshots.submitted_at, requests.submitted_at as sent_at, lat, long, place, place_index, phone_index,
        category = any (:categories::text[]) or category is null or cardinality(:categories::text[]) = 0 as fits
    from snapshots
    join requests on id = request_id
    where id <> :request_id
        and state = any (:states::text[])
        and snapshots.submitted_at >= :since_at
        and requests.submitted_at >= :since_at
        and (:everything or department = any (:own::text[]) or co_departments && :own::text[])
        and (:confidential or not snapshots.confidential or department = any (:own::text[]) or co_departments && :own::text[])
),
found as (
    (
        select id, 1 as way
        from visible
        where fits
            and lat is not null and long is not null
            and point(long, lat) <@ box(point(:west, :south), point(:east, :north))
        order by sent_at desc
        limit :most
    )
    union all
    (
        select id, 2
        from visible
        where fits and place_index is not null and place_index = any (:place_indexes::bytea[])
        order by sent_at desc
        limit :most
    )
    union all
    (
        select id, 2
        from visible
        where fits and place is not null and lower(place) = lower(:place::text)
        order by sent_at desc
        limit :most
    )
    union all
    (
        select id, 2
        from visible
        where phone_index is not null and phone_index = :phone_index
        order by sent_at desc
        limit :most
    )
    union all
    (
        select latest.id, 3
        from unnest(:categories::text[]) as wanted (wanted_category)
        cross join lateral (
            select id
            from visible
            where category = wanted_category and (not :located or lat is null or long is null)
            order by submitted_at desc
            limit :most
        ) as latest
    )
    union all
    (
        -- What nobody has found a category for is compared with its like; these wait for a person and are few.
        select id, 3
        from visible
        where cardinality(:categories::text[]) = 0 and category is null and state in ('received', 'triage')
        order by submitted_at desc
        limit :most
    )
),
chosen as (
    select id, min(way) as way
    from found
    group by id
)
select
    id as request_id, snapshots.reference, snapshots.submitted_at, state, coalesce(category, given_category) as category,
    department, snapshots.confidential, title_sealed, description_sealed, address_sealed, place_sealed, place_index, place, lat, long, phone_index
from chosen
join requests using (id)
join snapshots on request_id = id
order by way, snapshots.submitted_at desc
limit :most;
