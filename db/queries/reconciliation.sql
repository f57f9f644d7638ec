-- name: unfinished()$
-- How much the system has still to do by itself: messages not delivered, requests nobody has looked at, notices due.
select
    (select count(*) from inbox where delivered_at is null)
    + (select count(*) from snapshots where state = 'received')
    + (select count(*) from notices where state in ('owed', 'sending') and (not_before is null or not_before <= now()));

-- name: unfinished_messages()$
-- How many messages wait to be delivered.
select count(*) from inbox where delivered_at is null;

-- name: missing(references)
-- Those of the references that have no request, no snapshot or no message to the run.
select reference
from unnest(:references::text[]) as confirmed (reference)
where not exists (
    select
    from requests
    join snapshots on snapshots.request_id = requests.id
    join inbox on inbox.request_id = requests.id and inbox.kind = 'submitted'
    where requests.reference = confirmed.reference
);

-- name: stored(references)
-- Those of the references that stand in the database, with the state and the outcome of each.
select reference, state, outcome from snapshots where reference = any (:references::text[]);

-- name: happened(references)
-- How often each thing happened to these requests, told apart by what a reader would ask: to whom, why, to which level, what came too late.
select
    action, actor_kind,
    case action
        when 'auto_assign' then facts ->> 'department'
        when 'assign' then facts ->> 'department'
        when 'to_triage' then facts ->> 'reason'
        when 'escalate' then facts ->> 'level'
        when 'not_applied' then facts ->> 'action'
        when 'rate' then facts ->> 'solved'
        when 'resolve' then state
    end as detail,
    count(*) as times, count(distinct request_id) as requests
from events
where request_id in (select request_id from snapshots where reference = any (:references::text[]))
group by action, actor_kind, detail
order by action, actor_kind, detail;

-- name: undelivered(references)$
-- How many messages of these requests wait to be delivered to their workflows.
select count(*)
from inbox join snapshots using (request_id)
where reference = any (:references::text[]) and delivered_at is null;

-- name: broken_timelines(references)
-- Requests whose events do not run from 1 without a gap to the number of the snapshot, or whose last event tells another state.
select reference
from snapshots left join events using (request_id)
where reference = any (:references::text[])
group by request_id
having count(events.sequence) <> snapshots.sequence or coalesce(max(events.sequence), 0) <> snapshots.sequence
    or (array_agg(events.state order by events.sequence desc))[1] is distinct from snapshots.state
order by reference;

-- name: notices(references)
-- The notices of these requests by what became of them.
select notices.state, count(*) as number
from notices join snapshots using (request_id)
where reference = any (:references::text[])
group by notices.state
order by notices.state;

-- name: sent_more_than_once(references)$
-- How many notices of these requests went out twice, by the attempts that a provider accepted or may have accepted.
select count(*)
from (
    select notice_id
    from attempts
    join notices on notices.id = attempts.notice_id
    join snapshots using (request_id)
    where reference = any (:references::text[]) and (attempts.outcome = 'accepted' or attempts.outcome is null)
    group by notice_id
    having count(*) > 1
) as twice;

-- name: kept_messages(references)$
-- How many messages of these requests the console provider has kept.
select count(*)
from outbox
join notices on notices.id = outbox.notice_id
join snapshots using (request_id)
where reference = any (:references::text[]);
