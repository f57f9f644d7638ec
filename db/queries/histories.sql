-- name: read(request_id)^
-- Where a request stands, with its timeline, its pictures and its texts: all that its page is made of, at one go.
select
    request_id, reference, submitted_at, confidential, sequence, state, category, department, district, urgency,
    policy_version, triage_reason, assignee, binding, review_required, escalation_level, urge_count, urged_at,
    return_count, rework_count, assigned_at, accepted_at, contacted_at, resolved_at, closed_at, accept_due_at,
    contact_due_at, return_until, due_at, result, reply, resolved_by, solved, satisfied, outcome, updated_at,
    quick_logged, service_level, due_from, urge_every_seconds, told_at, paused_at, paused_seconds, question, question_count, answer_due_at, hold_asked_by,
    hold_reason, hold_review_on, extension_asked_by, extension_reason, extension_days, extended_at,
    call_wanted_at, call_count, parent, parent_state, followers, co_handlers, co_departments,
    array(
        select row (sequence, at, action, actor_kind, actor_id, state_before, state, public, text_id, facts)
        from events where events.request_id = snapshots.request_id order by sequence
    ) as events,
    array(
        select row (id, submitted_by, content_type, created_at)
        from attachments where attachments.request_id = snapshots.request_id order by created_at, id
    ) as pictures,
    array(select row (id, body_sealed) from texts where texts.request_id = snapshots.request_id) as texts
from snapshots
where request_id = :request_id;
