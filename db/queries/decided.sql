-- name: decided(before, states, told_by, most)
-- Requests whose right place is known, the latest submitted first, with their texts still sealed and the lines of the timeline
-- that say where they belong; never confidential, erased, merged or quick-logged ones.
select
    requests.id, title_sealed, description_sealed, phone_index, snapshots.category,
    (
        select jsonb_agg(
            jsonb_build_object('at', at, 'action', action, 'state', events.state, 'facts', facts) order by sequence
        )
        from events
        where events.request_id = requests.id and action = any (:told_by::text[])
    ) as steps
from requests
join snapshots on snapshots.request_id = requests.id
where requests.id < :before
    and (snapshots.state = any (:states::text[]) or snapshots.state = 'assigned' and snapshots.binding)
    and snapshots.category is not null
    and not snapshots.quick_logged
    and not requests.confidential
    and requests.erased_at is null
order by requests.id desc
limit :most;

-- name: number(states)$
-- How many those are.
select count(*)
from requests
join snapshots on snapshots.request_id = requests.id
where (snapshots.state = any (:states::text[]) or snapshots.state = 'assigned' and snapshots.binding)
    and snapshots.category is not null
    and not snapshots.quick_logged
    and not requests.confidential
    and requests.erased_at is null;

-- name: spoken(since_at, corrections)
-- What each classifier did with the requests submitted since then: decided alone, of these corrected, left to a person.
select
    first.facts ->> 'decided_by' as decided_by,
    count(*) filter (where first.action = 'auto_assign') as decided,
    count(*) filter (
        where first.action = 'auto_assign' and exists (
            select from events as later
            where later.request_id = first.request_id and later.sequence > first.sequence
                and later.action = any (:corrections::text[])
        )
    ) as corrected,
    count(*) filter (where first.action = 'to_triage') as left_to_a_person
from snapshots
join events as first on first.request_id = snapshots.request_id
where snapshots.submitted_at >= :since_at
    and first.action in ('auto_assign', 'to_triage')
    and first.facts ? 'decided_by'
group by 1;
