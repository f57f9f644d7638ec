-- name: record(request_id, snapshot, events, notices, quiet_until, now)^
-- Appends events, moves the snapshot on, and resolves the owed notices to recipients; whatever stands already is left as it is.
-- For each notice the people of the best choice get it: 1 the person meant, 2 those of the part meant, 3 the others of the
-- department, 4 the supervisors; 9 is nobody, kept as a row without an address so that counts add up.
with current as (
    insert into snapshots (
        request_id, reference, submitted_at, confidential, sequence, state, category, department, district, urgency,
        policy_version, triage_reason, assignee, binding, review_required, escalation_level, urge_count, urged_at,
        return_count, rework_count, assigned_at, accepted_at, contacted_at, resolved_at, closed_at, accept_due_at,
        contact_due_at, return_until, due_at, result, reply, resolved_by, solved, satisfied, outcome, updated_at,
        quick_logged, service_level, due_from, urge_every_seconds, told_at, paused_at, paused_seconds, question, question_count, answer_due_at, hold_asked_by,
        hold_reason, hold_review_on, extension_asked_by, extension_reason, extension_days, extended_at,
        call_wanted_at, call_count, parent, parent_state, followers, co_handlers, co_departments
    )
    select
        request_id, reference, submitted_at, confidential, sequence, state, category, department, district, urgency,
        policy_version, triage_reason, assignee, binding, review_required, escalation_level, urge_count, urged_at,
        return_count, rework_count, assigned_at, accepted_at, contacted_at, resolved_at, closed_at, accept_due_at,
        contact_due_at, return_until, due_at, result, reply, resolved_by, solved, satisfied, outcome, updated_at,
        quick_logged, service_level, due_from, urge_every_seconds, told_at, paused_at, paused_seconds, question, question_count, answer_due_at, hold_asked_by,
        hold_reason, hold_review_on, extension_asked_by, extension_reason, extension_days, extended_at,
        call_wanted_at, call_count, parent, parent_state, followers, co_handlers, co_departments
    from jsonb_populate_record(null::snapshots, :snapshot)
    on conflict (request_id) do update set (
        confidential, sequence, state, category, department, district, urgency, policy_version, triage_reason,
        assignee, binding, review_required, escalation_level, urge_count, urged_at, return_count, rework_count,
        assigned_at, accepted_at, contacted_at, resolved_at, closed_at, accept_due_at, contact_due_at, return_until,
        due_at, result, reply, resolved_by, solved, satisfied, outcome, updated_at,
        quick_logged, service_level, due_from, urge_every_seconds, told_at, paused_at, paused_seconds, question, question_count, answer_due_at, hold_asked_by,
        hold_reason, hold_review_on, extension_asked_by, extension_reason, extension_days, extended_at,
        call_wanted_at, call_count, parent, parent_state, followers, co_handlers, co_departments
    ) = (
        excluded.confidential, excluded.sequence, excluded.state, excluded.category, excluded.department,
        excluded.district, excluded.urgency, excluded.policy_version, excluded.triage_reason, excluded.assignee,
        excluded.binding, excluded.review_required, excluded.escalation_level, excluded.urge_count, excluded.urged_at,
        excluded.return_count, excluded.rework_count, excluded.assigned_at, excluded.accepted_at,
        excluded.contacted_at, excluded.resolved_at, excluded.closed_at, excluded.accept_due_at,
        excluded.contact_due_at, excluded.return_until, excluded.due_at, excluded.result, excluded.reply,
        excluded.resolved_by, excluded.solved, excluded.satisfied, excluded.outcome, excluded.updated_at,
        excluded.quick_logged, excluded.service_level, excluded.due_from, excluded.urge_every_seconds, excluded.told_at, excluded.paused_at, excluded.paused_seconds, excluded.question,
        excluded.question_count, excluded.answer_due_at, excluded.hold_asked_by, excluded.hold_reason,
        excluded.hold_review_on, excluded.extension_asked_by, excluded.extension_reason, excluded.extension_days,
        excluded.extended_at, excluded.call_wanted_at, excluded.call_count, excluded.parent, excluded.parent_state,
        excluded.followers, excluded.co_handlers, excluded.co_departments
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
    from owed join chosen using (number)
    where best
    on conflict do nothing
    returning state, not_before
)
select
    (select count(*) from appended) as appended,
    count(*) filter (where not_before is null or not_before <= :now) as owed,
    min(not_before) filter (where not_before > :now) as held_until
from (
    select state, not_before from notices where request_id = :request_id
    union all
    select state, not_before from written
) as notice
where state in ('owed', 'sending');

-- name: unsent(request_id, now)^
-- How many notices of the request are due and not sent, and until when the next one is held back.
select
    count(*) filter (where not_before is null or not_before <= :now) as owed,
    min(not_before) filter (where not_before > :now) as held_until
from notices
where request_id = :request_id and state in ('owed', 'sending');
