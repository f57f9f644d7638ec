-- name: read(request_id)^
-- Where a request stands, with its timeline, its pictures and its texts: all that its page is made of, at one go.
select
    {snapshot},
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
