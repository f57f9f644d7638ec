-- name: record(request_id, snapshot, events, notices, quiet_until, act, now)^
-- Appends events, moves the snapshot on, and resolves the owed notices to recipients; whatever stands already is left as it is,
-- and an event that stands has had its notices.
-- For each notice the people of the best choice get it: 1 the person meant, 2 those of the part meant, 3 the others of the
-- department, 4 the supervisors; 9 is nobody, kept as a row without an address so that counts add up.
with current as (
    insert into snapshots (
        {snapshot}
    )
    select
        {snapshot}
    from jsonb_populate_record(null::snapshots, :snapshot)
    on conflict (request_id) do update set (
        {snapshot}
    ) = (
        {excluded.snapshot}
    )
    where snapshots.sequence < excluded.sequence
),
appended as (
    insert into events (
        request_id, sequence, at, action, actor_kind, actor_id, state_before, state, public, text_id, facts
    )
    select :request_id, sequence, at, action, actor_kind, actor_id, state_before, state, public, text, facts
    from jsonb_to_recordset(:events) as event (
        sequence int, at timestamptz, action text, actor_kind text, actor_id text, state_before text, state text,
        public boolean, text uuid, facts jsonb
    )
    on conflict do nothing
    returning sequence
),
asked_for as (
    insert into acts (request_id, sequence, update_id, action, command, recorded_at)
    select :request_id, sequence, update_id, action, command, :now
    from jsonb_to_record(:act) as act (update_id text, action text, command text), appended
    where update_id is not null
    on conflict do nothing
),
owed as (
    select number, sequence, kind, part, department, assignee, urgent, facts
    from jsonb_to_recordset(:notices) as owed (
        number int, sequence int, kind text, part text, department text, assignee uuid, urgent boolean, facts jsonb
    )
),
candidates as (
    select number, 1 as choice, 'citizen' as recipient, language, phone_index is not null as reachable
    from owed join requests on requests.id = :request_id
    where part = 'citizen'
    union all
    select number, 1, 'staff:' || staff.id, language, phone_sealed is not null
    from owed join staff on staff.id = owed.assignee and active
    where part = 'assignee'
    union all
    select number, case when lead = (part = 'leads') then 2 else 3 end, 'staff:' || staff.id, language, phone_sealed is not null
    from owed
    join staff_departments on staff_departments.department = owed.department
    join staff on staff.id = staff_departments.staff_id and active and 'handler' = any (roles)
    where part in ('handlers', 'leads', 'assignee')
    union all
    select number, case when part = 'dispatchers' and 'dispatcher' = any (roles) or part = 'supervisors' then 2 else 4 end,
        'staff:' || staff.id, language, phone_sealed is not null
    from owed join staff on active and roles && array['dispatcher', 'supervisor']
    where part <> 'citizen' and ('supervisor' = any (roles) or part = 'dispatchers')
    union all
    -- Of a confidential request only those callers hear who may see it; where there are none, the supervisors.
    select number, 2, 'staff:' || staff.id, staff.language, staff.phone_sealed is not null
    from owed
    join requests on requests.id = :request_id
    join staff on active and 'caller' = any (roles) and (not confidential or roles && array['dispatcher', 'supervisor'])
    where part = 'callers'
    union all
    select number, 9, part, requests.language, false
    from owed join requests on requests.id = :request_id
),
chosen as (
    select number, recipient, language, reachable, choice = min(choice) over (partition by number) as best
    from candidates
),
written as (
    insert into notices (
        id, request_id, sequence, kind, recipient, channel, language, facts, urgent, not_before, state, created_at
    )
    select
        gen_random_uuid(), :request_id, sequence, kind, recipient, 'sms', language, facts, urgent,
        case when part = 'citizen' and not urgent then :quiet_until::timestamptz end,
        case when reachable then 'owed' else 'no_address' end,
        :now
    from owed join chosen using (number) join appended using (sequence)
    where best
    on conflict do nothing
    returning state, not_before
)
select
    (select count(*) from appended) as appended,
    (select count(*) from written where state = 'no_address') as unreachable,
    count(*) filter (where not_before is null or not_before <= :now) as owed,
    min(not_before) filter (where not_before > :now) as held_until
from (
    select state, not_before from notices where request_id = :request_id
    union all
    select state, not_before from written
) as notice
where state in ('owed', 'sending');

-- name: act(request_id, sequence)^
-- The act that made that event, with the moment of the event.
select update_id, acts.action, command, at
from acts join events using (request_id, sequence)
where request_id = :request_id and sequence = :sequence;

-- name: forget_acts(before)!
-- Removes acts that were recorded before that instant.
delete from acts where recorded_at < :before;

-- name: unsent(request_id, now)^
-- How many notices of the request are due and not sent, and until when the next one is held back.
select
    count(*) filter (where not_before is null or not_before <= :now) as owed,
    min(not_before) filter (where not_before > :now) as held_until
from notices
where request_id = :request_id and state in ('owed', 'sending');
