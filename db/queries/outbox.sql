-- name: keep(notice_id, recipient_sealed, text_sealed, parts)!
-- Keeps one message; the same notice is kept once.
insert into outbox (notice_id, recipient_sealed, text_sealed, parts, sent_at)
values (:notice_id, :recipient_sealed, :text_sealed, :parts, now())
on conflict (notice_id) do nothing;

-- name: keep_and_finish(provider, notice_ids, attempt_ids, recipients_sealed, texts_sealed, parts)!
-- Claims the notices, keeps their messages and finishes them, all in one; those that somebody else has are left alone.
with wanted as (
    select * from unnest(:notice_ids::uuid[], :attempt_ids::uuid[], :recipients_sealed::bytea[], :texts_sealed::bytea[], :parts::int[])
        as w (notice_id, attempt_id, recipient_sealed, text_sealed, parts)
), due as (
    -- In the order of ids, so that two who want the same notices never wait for each other.
    select n.id from notices n
    where n.id = any (:notice_ids::uuid[]) and n.state = 'owed'
    order by n.id
    for update
), taken as (
    update notices n
    set state = 'sent', attempts = n.attempts + 1, sent_at = now(), last_error = null, facts = n.facts - 'code_sealed'
    from due where n.id = due.id
    returning n.id, n.attempts
), tried as (
    insert into attempts (id, notice_id, number, provider, started_at, finished_at, outcome)
    select w.attempt_id, t.id, t.attempts, :provider, now(), now(), 'accepted'
    from taken t join wanted w on w.notice_id = t.id
)
insert into outbox (notice_id, recipient_sealed, text_sealed, parts, sent_at)
select t.id, w.recipient_sealed, w.text_sealed, w.parts, now()
from taken t join wanted w on w.notice_id = t.id
on conflict (notice_id) do nothing;

-- name: latest(reference, after, confidential, most)
-- The newest messages, newest first; of one request, or since an instant, where asked.
select o.notice_id, o.recipient_sealed, o.text_sealed, o.parts, o.sent_at, r.reference, n.kind, n.recipient, staff.name as staff_name
from outbox o
join notices n on n.id = o.notice_id
left join requests r on r.id = n.request_id
left join staff on staff.id = case when n.recipient like 'staff:%' then substr(n.recipient, 7)::uuid end
where (:reference::text is null or r.reference = :reference)
  and (:after::timestamptz is null or o.sent_at > :after)
  and (:confidential or r.confidential is not true)
order by o.sent_at desc, n.sequence desc, o.notice_id desc
limit :most;
