-- name: messages(request_id)
-- What the citizen sent since the submission, in the order in which it is delivered.
select id, kind, payload ->> 'text' as text
from inbox
where request_id = :request_id and kind <> 'submitted'
order by id;

-- name: submission(request_id)^
-- The message that started the run, as the relay delivers it.
select inbox.id, request_id, reference, kind, payload, received_at, attempts
from inbox join requests on requests.id = request_id
where request_id = :request_id and kind = 'submitted'
order by inbox.id
limit 1;

-- name: done(request_id)
-- Which update made which event.
select update_id, sequence from acts where request_id = :request_id order by sequence;

-- name: merged_into(reference)
-- The requests that stand as merged into the one with that public number.
select reference from snapshots where parent = :reference and state = 'merged' order by submitted_at, request_id;

-- name: told(request_id)
-- The kinds of notices that the citizen was owed, by event.
select sequence, array_agg(kind order by kind) as kinds
from notices
where request_id = :request_id and recipient = 'citizen'
group by sequence;

-- name: put_back(request_id, after_id)!
-- Messages that were handed to a run that is lost, and that do not stand in the timeline, are delivered once more.
update inbox
set delivered_at = null, outcome = null, leased_until = null, not_before = now()
where request_id = :request_id and id > :after_id and kind <> 'submitted' and delivered_at is not null;

-- name: lasting(state, closed_after, after_at, after_id, most)
-- A page of the requests in that state that may need a run: nothing was erased, and no message is about to start one. What is
-- closed, or follows what is, can be reopened only for a while.
select
    snapshots.request_id, snapshots.reference, snapshots.submitted_at, snapshots.sequence, snapshots.state,
    snapshots.confidential, snapshots.resolved_at, snapshots.policy_version, snapshots.parent_state,
    parents.state as parent_stands, parents.resolved_at as parent_resolved_at, parents.policy_version as parent_policy_version
from snapshots
join requests on requests.id = snapshots.request_id
left join snapshots as parents on parents.reference = snapshots.parent
where snapshots.state = :state
    and (snapshots.submitted_at, snapshots.request_id) > (:after_at, :after_id)
    and erased_at is null
    and (
        snapshots.state not in ('closed', 'merged')
        or snapshots.state = 'closed' and snapshots.resolved_at > :closed_after
        or snapshots.state = 'merged' and (
            snapshots.parent_state not in ('closed', 'declined', 'transferred', 'merged', 'withdrawn')
            or parents.resolved_at > :closed_after
        )
    )
    and not exists (
        select from inbox
        where inbox.request_id = snapshots.request_id and kind = 'submitted' and delivered_at is null
    )
order by snapshots.submitted_at, snapshots.request_id
limit :most;

-- name: lasting_by_references(references)
-- The same of the requests with these public numbers, whatever their state.
select
    snapshots.request_id, snapshots.reference, snapshots.submitted_at, snapshots.sequence, snapshots.state,
    snapshots.confidential, snapshots.resolved_at, snapshots.policy_version, snapshots.parent_state,
    parents.state as parent_stands, parents.resolved_at as parent_resolved_at, parents.policy_version as parent_policy_version
from snapshots
join requests on requests.id = snapshots.request_id
left join snapshots as parents on parents.reference = snapshots.parent
where snapshots.reference = any (:references::text[]) and erased_at is null
order by snapshots.submitted_at, snapshots.request_id;

-- name: settled_since(references, quiet_before)
-- Those of the references that are in the database, and whether nothing has happened to them since that instant. What was
-- erased may have a run that waits for a reopening which was given up.
select snapshots.reference, erased_at is null and coalesce(updated_at, snapshots.submitted_at) < :quiet_before as is_settled
from snapshots
join requests on requests.id = request_id
where snapshots.reference = any (:references::text[]);
