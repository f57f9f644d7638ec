-- name: counts(grouping, from_at, to_at, now)
-- What the three rates and the three failures are made of, for the requests submitted in a period (PROCESS.md section 5).
-- A request counts at most once in each figure, by how it stands now.
with judged as (
    select
        case :grouping when 'department' then department when 'category' then category when 'district' then district end as part,
        assigned_at is not null as assigned,
        -- In time or late once there was a contact; without one the deadline decides, or the end that came before it.
        contacted_at <= contact_due_at or (contacted_at is not null and contact_due_at is null) as contacted_in_time,
        contacted_at is null and coalesce(contact_due_at >= coalesce(closed_at, :now), true) as contact_pending,
        solved is not null as answered,
        solved = 'yes' as solved,
        satisfied >= 3 as satisfied,
        outcome = 'no_reply' as no_reply,
        contacted_at is null and contact_due_at < coalesce(closed_at, :now) as no_response,
        contacted_at > contact_due_at
            or (contacted_at is not null and due_at < coalesce(resolved_at, closed_at, :now)) as slow_response,
        return_count > 0 or rework_count > 0
            or result = 'not_solved' or solved = 'no' or outcome = 'not_solved_final'
            or exists (
                select from events where events.request_id = snapshots.request_id and events.action = 'reassign'
            ) as wrong_response
    from snapshots
    where submitted_at >= :from_at and submitted_at < :to_at
)
select
    part,
    count(*) as submitted,
    count(*) filter (where assigned) as assigned,
    count(*) filter (where assigned and contacted_in_time) as contacted_in_time,
    count(*) filter (where assigned and contact_pending) as contact_pending,
    count(*) filter (where answered) as answered,
    count(*) filter (where answered and solved) as solved,
    count(*) filter (where answered and satisfied) as satisfied,
    count(*) filter (where no_reply) as no_reply,
    count(*) filter (where assigned and no_response) as no_response,
    count(*) filter (where assigned and slow_response) as slow_response,
    count(*) filter (where assigned and wrong_response) as wrong_response
from judged
group by part
order by part nulls last;
