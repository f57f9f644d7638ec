-- name: notices(request_id)
-- What was owed because of a request, the oldest first; the facts stay out, they are for the text only.
select n.id, n.sequence, n.kind, n.recipient, n.channel, n.state, n.not_before, n.created_at, n.sent_at, staff.name as staff_name
from notices n
left join staff on staff.id = case when n.recipient like 'staff:%' then substr(n.recipient, 7)::uuid end
where n.request_id = :request_id
order by n.created_at, n.sequence, n.id;

-- name: attempts(request_id)
-- Each try to send a notice of a request.
select a.notice_id, a.number, a.provider, a.started_at, a.finished_at, a.outcome, a.receipt, a.receipt_at
from attempts a
join notices n on n.id = a.notice_id
where n.request_id = :request_id
order by a.notice_id, a.number;
