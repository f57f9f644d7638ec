-- name: cases(category, department, since, most)
-- The latest requests of a category that were answered since then and not done again, of one department or with null of all;
-- with the moments in which a pause of theirs began or ended, in turn.
select
    assigned_at,
    resolved_at,
    array(
        select at
        from events
        where events.request_id = snapshots.request_id
            and (events.state in ('awaiting_citizen', 'on_hold')) <> coalesce(state_before in ('awaiting_citizen', 'on_hold'), false)
        order by sequence
    ) as pauses
from snapshots
where category = :category
    and (:department::text is null or department = :department)
    and resolved_at >= :since
    and rework_count = 0
    and assigned_at is not null
order by resolved_at desc
limit :most;
