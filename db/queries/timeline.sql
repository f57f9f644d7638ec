-- name: events(request_id)
-- The timeline of a request, the oldest line first.
select sequence, at, action, actor_kind, actor_id, state_before, state, public, text_id as text, facts
from events
where request_id = :request_id
order by sequence;
