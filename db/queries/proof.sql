-- name: standings()
-- Every request as it stands in the read model.
select {snapshot} from snapshots;

-- name: happenings()
-- Every event of every request, in order.
select snapshots.reference, events.sequence, events.at, events.action, events.actor_kind, events.actor_id,
    staff.username, events.state_before, events.state, events.public,
    coalesce(events.facts ->> 'department', snapshots.department) as department,
    events.facts ->> 'previous_department' as previous_department, events.facts ->> 'level' as level
from events
join snapshots using (request_id)
left join staff on events.actor_kind = 'staff' and staff.id::text = events.actor_id
order by snapshots.reference, events.sequence;

-- name: messages()
-- Every message of a citizen in the order in which they were taken in, and what became of it.
select snapshots.reference, inbox.kind, inbox.received_at, inbox.outcome, inbox.attempts,
    (inbox.payload ->> 'text')::uuid as text_id
from inbox join snapshots using (request_id)
order by inbox.id;

-- name: dues()
-- Every notice with how often it went out: accepted attempts, attempts of which nobody knows, copies that were kept, and the attempts.
select
    snapshots.reference, notices.sequence, notices.kind, notices.recipient, notices.state, notices.not_before,
    count(attempts.id) filter (where attempts.outcome = 'accepted') as accepted,
    count(attempts.id) filter (where attempts.outcome is null) as unclear,
    (select count(*) from outbox where outbox.notice_id = notices.id) as kept,
    coalesce(array_agg(attempts.id::text order by attempts.number) filter (where attempts.id is not null), '{}') as tries
from notices
join snapshots using (request_id)
left join attempts on attempts.notice_id = notices.id
group by notices.id, snapshots.reference
order by snapshots.reference, notices.sequence, notices.kind, notices.recipient;

-- name: wordless()
-- Events that name a text which there is not.
select snapshots.reference, events.sequence, events.action
from events join snapshots using (request_id)
where events.text_id is not null and not exists (select 1 from texts where texts.id = events.text_id)
order by snapshots.reference, events.sequence;

-- name: photos()
-- Every picture.
select attachments.id, snapshots.reference from attachments join snapshots using (request_id);

-- name: unheard()$
-- How many messages have been delivered of which no event tells yet.
select coalesce(sum(greatest(delivered - told, 0)), 0)
from (
    select
        (select count(*) from inbox where inbox.request_id = snapshots.request_id and inbox.outcome = 'delivered') as delivered,
        (
            select count(*) from events
            where events.request_id = snapshots.request_id and events.actor_kind = 'citizen'
        ) as told
    from snapshots
) as each_request;
