-- name: snapshot(request_id)^
-- Where a request stands.
select
    request_id, reference, submitted_at, confidential, sequence, state, category, department, district, urgency,
    policy_version, triage_reason, assignee, binding, review_required, escalation_level, urge_count, urged_at,
    return_count, rework_count, assigned_at, accepted_at, contacted_at, resolved_at, closed_at, accept_due_at,
    contact_due_at, return_until, due_at, result, reply, resolved_by, solved, satisfied, outcome, updated_at,
    quick_logged, service_level, due_from, urge_every_seconds, told_at, paused_at, paused_seconds, question, question_count, answer_due_at, hold_asked_by,
    hold_reason, hold_review_on, extension_asked_by, extension_reason, extension_days, extended_at,
    call_wanted_at, call_count, parent, parent_state, followers, co_handlers, co_departments
from snapshots
where request_id = :request_id;

-- name: snapshot_by_reference(reference)^
-- Where the request with that public number stands.
select
    request_id, reference, submitted_at, confidential, sequence, state, category, department, district, urgency,
    policy_version, triage_reason, assignee, binding, review_required, escalation_level, urge_count, urged_at,
    return_count, rework_count, assigned_at, accepted_at, contacted_at, resolved_at, closed_at, accept_due_at,
    contact_due_at, return_until, due_at, result, reply, resolved_by, solved, satisfied, outcome, updated_at,
    quick_logged, service_level, due_from, urge_every_seconds, told_at, paused_at, paused_seconds, question, question_count, answer_due_at, hold_asked_by,
    hold_reason, hold_review_on, extension_asked_by, extension_reason, extension_days, extended_at,
    call_wanted_at, call_count, parent, parent_state, followers, co_handlers, co_departments
from snapshots
where reference = :reference;

-- name: followers(parent)
-- Where the requests stand that were merged into the one with that public number.
select
    request_id, reference, submitted_at, confidential, sequence, state, category, department, district, urgency,
    policy_version, triage_reason, assignee, binding, review_required, escalation_level, urge_count, urged_at,
    return_count, rework_count, assigned_at, accepted_at, contacted_at, resolved_at, closed_at, accept_due_at,
    contact_due_at, return_until, due_at, result, reply, resolved_by, solved, satisfied, outcome, updated_at,
    quick_logged, service_level, due_from, urge_every_seconds, told_at, paused_at, paused_seconds, question, question_count, answer_due_at, hold_asked_by,
    hold_reason, hold_review_on, extension_asked_by, extension_reason, extension_days, extended_at,
    call_wanted_at, call_count, parent, parent_state, followers, co_handlers, co_departments
from snapshots
where parent = :parent and state = 'merged'
order by submitted_at, request_id;

-- name: listed_of_city(states, before_at, before_id, confidential, own, category, district, assignee, escalated, overdue, running, now, most)
-- A page of all requests, the latest first. Each state is a walk along its own index, so that a rare one is found as
-- quickly as a common one.
with page as (
    select found.request_id, found.submitted_at
    from unnest(:states::text[]) as wanted (wanted_state)
    cross join lateral (
        select request_id, submitted_at
        from snapshots
        where state = wanted_state
            and (submitted_at, request_id) < (:before_at, :before_id)
            and (:confidential or not confidential or department = any (:own::text[]) or co_departments && :own::text[])
            and (:category::text is null or category = :category)
            and (:district::text is null or district = :district)
            and (:assignee::text is null or assignee = :assignee)
            and (:escalated::boolean is null or (escalation_level > 0) = :escalated)
            and (:overdue::boolean is null or (state = any (:running::text[]) and coalesce(due_at, accept_due_at) < :now) is true = :overdue)
        order by submitted_at desc, request_id desc
        limit :most
    ) as found
    order by submitted_at desc, request_id desc
    limit :most
)
select
    snapshots.request_id, snapshots.reference, snapshots.submitted_at, snapshots.confidential, snapshots.sequence,
    snapshots.state, snapshots.category, snapshots.department, snapshots.district, snapshots.urgency,
    snapshots.policy_version, snapshots.triage_reason, snapshots.assignee, snapshots.binding,
    snapshots.review_required, snapshots.escalation_level, snapshots.urge_count, snapshots.urged_at,
    snapshots.return_count, snapshots.rework_count, snapshots.assigned_at, snapshots.accepted_at,
    snapshots.contacted_at, snapshots.resolved_at, snapshots.closed_at, snapshots.accept_due_at,
    snapshots.contact_due_at, snapshots.return_until, snapshots.due_at, snapshots.result, snapshots.reply,
    snapshots.resolved_by, snapshots.solved, snapshots.satisfied, snapshots.outcome, snapshots.updated_at,
    snapshots.quick_logged, snapshots.service_level, snapshots.due_from, snapshots.urge_every_seconds, snapshots.told_at, snapshots.paused_at, snapshots.paused_seconds,
    snapshots.question, snapshots.question_count, snapshots.answer_due_at, snapshots.hold_asked_by,
    snapshots.hold_reason, snapshots.hold_review_on, snapshots.extension_asked_by, snapshots.extension_reason,
    snapshots.extension_days, snapshots.extended_at, snapshots.call_wanted_at, snapshots.call_count,
    snapshots.parent, snapshots.parent_state, snapshots.followers, snapshots.co_handlers,
    snapshots.co_departments,
    title_sealed, description_sealed
from page
join snapshots on snapshots.request_id = page.request_id
join requests on requests.id = page.request_id
order by snapshots.submitted_at desc, snapshots.request_id desc;

-- name: listed_of_departments(departments, states, before_at, before_id, confidential, own, category, district, assignee, escalated, overdue, running, now, most)
-- A page of the requests of some departments, the latest first: a walk for each department and state, and those in which
-- the departments help.
with page as (
    select found.request_id, found.submitted_at
    from unnest(:departments::text[]) as place (wanted_department)
    cross join unnest(:states::text[]) as wanted (wanted_state)
    cross join lateral (
        select request_id, submitted_at
        from snapshots
        where department = wanted_department
            and state = wanted_state
            and (submitted_at, request_id) < (:before_at, :before_id)
            and (:confidential or not confidential or department = any (:own::text[]) or co_departments && :own::text[])
            and (:category::text is null or category = :category)
            and (:district::text is null or district = :district)
            and (:assignee::text is null or assignee = :assignee)
            and (:escalated::boolean is null or (escalation_level > 0) = :escalated)
            and (:overdue::boolean is null or (state = any (:running::text[]) and coalesce(due_at, accept_due_at) < :now) is true = :overdue)
        order by submitted_at desc, request_id desc
        limit :most
    ) as found
    union
    select request_id, submitted_at
    from snapshots
    where co_departments && :departments::text[]
        and co_departments <> '{}'
        and state = any (:states::text[])
        and (submitted_at, request_id) < (:before_at, :before_id)
        and (:confidential or not confidential or department = any (:own::text[]) or co_departments && :own::text[])
        and (:category::text is null or category = :category)
        and (:district::text is null or district = :district)
        and (:assignee::text is null or assignee = :assignee)
        and (:escalated::boolean is null or (escalation_level > 0) = :escalated)
        and (:overdue::boolean is null or (state = any (:running::text[]) and coalesce(due_at, accept_due_at) < :now) is true = :overdue)
    order by submitted_at desc, request_id desc
    limit :most
)
select
    snapshots.request_id, snapshots.reference, snapshots.submitted_at, snapshots.confidential, snapshots.sequence,
    snapshots.state, snapshots.category, snapshots.department, snapshots.district, snapshots.urgency,
    snapshots.policy_version, snapshots.triage_reason, snapshots.assignee, snapshots.binding,
    snapshots.review_required, snapshots.escalation_level, snapshots.urge_count, snapshots.urged_at,
    snapshots.return_count, snapshots.rework_count, snapshots.assigned_at, snapshots.accepted_at,
    snapshots.contacted_at, snapshots.resolved_at, snapshots.closed_at, snapshots.accept_due_at,
    snapshots.contact_due_at, snapshots.return_until, snapshots.due_at, snapshots.result, snapshots.reply,
    snapshots.resolved_by, snapshots.solved, snapshots.satisfied, snapshots.outcome, snapshots.updated_at,
    snapshots.quick_logged, snapshots.service_level, snapshots.due_from, snapshots.urge_every_seconds, snapshots.told_at, snapshots.paused_at, snapshots.paused_seconds,
    snapshots.question, snapshots.question_count, snapshots.answer_due_at, snapshots.hold_asked_by,
    snapshots.hold_reason, snapshots.hold_review_on, snapshots.extension_asked_by, snapshots.extension_reason,
    snapshots.extension_days, snapshots.extended_at, snapshots.call_wanted_at, snapshots.call_count,
    snapshots.parent, snapshots.parent_state, snapshots.followers, snapshots.co_handlers,
    snapshots.co_departments,
    title_sealed, description_sealed
from page
join snapshots on snapshots.request_id = page.request_id
join requests on requests.id = page.request_id
order by snapshots.submitted_at desc, snapshots.request_id desc;

-- name: listed_by_reference(reference)^
-- The request with that public number, as a line of a list.
select
    snapshots.request_id, snapshots.reference, snapshots.submitted_at, snapshots.confidential, snapshots.sequence,
    snapshots.state, snapshots.category, snapshots.department, snapshots.district, snapshots.urgency,
    snapshots.policy_version, snapshots.triage_reason, snapshots.assignee, snapshots.binding,
    snapshots.review_required, snapshots.escalation_level, snapshots.urge_count, snapshots.urged_at,
    snapshots.return_count, snapshots.rework_count, snapshots.assigned_at, snapshots.accepted_at,
    snapshots.contacted_at, snapshots.resolved_at, snapshots.closed_at, snapshots.accept_due_at,
    snapshots.contact_due_at, snapshots.return_until, snapshots.due_at, snapshots.result, snapshots.reply,
    snapshots.resolved_by, snapshots.solved, snapshots.satisfied, snapshots.outcome, snapshots.updated_at,
    snapshots.quick_logged, snapshots.service_level, snapshots.due_from, snapshots.urge_every_seconds, snapshots.told_at, snapshots.paused_at, snapshots.paused_seconds,
    snapshots.question, snapshots.question_count, snapshots.answer_due_at, snapshots.hold_asked_by,
    snapshots.hold_reason, snapshots.hold_review_on, snapshots.extension_asked_by, snapshots.extension_reason,
    snapshots.extension_days, snapshots.extended_at, snapshots.call_wanted_at, snapshots.call_count,
    snapshots.parent, snapshots.parent_state, snapshots.followers, snapshots.co_handlers,
    snapshots.co_departments,
    title_sealed, description_sealed
from requests
join snapshots on snapshots.request_id = requests.id
where snapshots.reference = :reference;

-- name: listed_by_phone(phone_index, confidential, own, most)
-- The latest requests that came with a phone number.
select
    snapshots.request_id, snapshots.reference, snapshots.submitted_at, snapshots.confidential, snapshots.sequence,
    snapshots.state, snapshots.category, snapshots.department, snapshots.district, snapshots.urgency,
    snapshots.policy_version, snapshots.triage_reason, snapshots.assignee, snapshots.binding,
    snapshots.review_required, snapshots.escalation_level, snapshots.urge_count, snapshots.urged_at,
    snapshots.return_count, snapshots.rework_count, snapshots.assigned_at, snapshots.accepted_at,
    snapshots.contacted_at, snapshots.resolved_at, snapshots.closed_at, snapshots.accept_due_at,
    snapshots.contact_due_at, snapshots.return_until, snapshots.due_at, snapshots.result, snapshots.reply,
    snapshots.resolved_by, snapshots.solved, snapshots.satisfied, snapshots.outcome, snapshots.updated_at,
    snapshots.quick_logged, snapshots.service_level, snapshots.due_from, snapshots.urge_every_seconds, snapshots.told_at, snapshots.paused_at, snapshots.paused_seconds,
    snapshots.question, snapshots.question_count, snapshots.answer_due_at, snapshots.hold_asked_by,
    snapshots.hold_reason, snapshots.hold_review_on, snapshots.extension_asked_by, snapshots.extension_reason,
    snapshots.extension_days, snapshots.extended_at, snapshots.call_wanted_at, snapshots.call_count,
    snapshots.parent, snapshots.parent_state, snapshots.followers, snapshots.co_handlers,
    snapshots.co_departments,
    title_sealed, description_sealed
from requests
join snapshots on snapshots.request_id = requests.id
where phone_index = :phone_index
    and (:confidential or not snapshots.confidential or department = any (:own::text[]) or co_departments && :own::text[])
order by snapshots.submitted_at desc, snapshots.request_id desc
limit :most;
