-- name: open_requests(states, running, now)
-- The open requests by state, department and escalation level, and how many of them are overdue: one walk along those that are open.
select state, coalesce(department, 'none') as department, escalation_level as level, count(*) as requests,
    count(*) filter (where state = any (:running::text[]) and coalesce(due_at, accept_due_at) < :now) as overdue
from snapshots
where state = any (:states::text[])
group by state, department, escalation_level;

-- name: unsent_notices(now)
-- The notices that are not sent, by state, and since when the oldest of them could have been; quiet hours hold back until not_before.
select state, count(*) as notices,
    min(greatest(created_at, not_before)) filter (where coalesce(not_before, created_at) <= :now) as due_since
from notices
where state in ('owed', 'sending')
group by state;

-- name: failed_notices(since)$
-- How many notices nobody will send any more unless a person sees to it, of those that came into being since then.
select count(*) from notices where state = 'failed' and created_at > :since;

-- name: versions()^
-- What is in force: the schema's latest migration, the policy, and the model of the classifier.
select
    (select max(version) from schema_migrations) as schema,
    (select version from policies where active) as policy,
    (select version from classifier_activations order by id desc limit 1) as model;
