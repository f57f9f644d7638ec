-- name: unsent(request_id, notice_id, at, grace)
-- What is still to be sent for a request, or one notice of whichever request, in the order it was owed, with all that its text needs.
-- A minute early is no disturbance, and clocks differ: what quiet hours hold back is due a minute before their end.
select n.id, n.request_id, n.kind, n.recipient, n.language, n.facts, n.state, n.attempts,
       n.not_before, n.not_before > greatest(now() + interval '1 minute', :at::timestamptz) as held,
       case when n.state = 'sending' then a.started_at + :grace::interval - now() end as unclear_for,
       r.reference, r.confidential, r.contact_sealed, r.token_sealed, s.policy_version,
       staff.id as staff_id, staff.phone_sealed as staff_phone_sealed
from notices n
join requests r on r.id = n.request_id
left join snapshots s on s.request_id = n.request_id
left join attempts a on a.notice_id = n.id and a.number = n.attempts
left join staff on staff.id = case when n.recipient like 'staff:%' then substr(n.recipient, 7)::uuid end
where n.request_id = coalesce(:request_id::uuid, (select request_id from notices where id = :notice_id::uuid))
  and n.id = coalesce(:notice_id::uuid, n.id)
  and n.state in ('owed', 'sending')
order by n.sequence < 0, n.sequence, n.id;

-- name: claim(notice_id, state, attempts, attempt_id, provider)$
-- Takes a notice that still stands as it was seen and writes the attempt; gives the attempt's number, or nothing when somebody else was first.
with seen as (
    select id from notices where id = :notice_id and state = :state and attempts = :attempts for update skip locked
), taken as (
    update notices set state = 'sending', attempts = notices.attempts + 1 from seen where notices.id = seen.id
    returning notices.id, notices.attempts
)
insert into attempts (id, notice_id, number, provider, started_at)
select :attempt_id, id, taken.attempts, :provider, now() from taken
returning number;

-- name: finish(attempt_id, outcome, state, reason)!
-- Records what the provider answered, unless a receipt of this attempt has said more already.
with finished as (
    update attempts set outcome = :outcome, finished_at = now()
    where id = :attempt_id and outcome is null
    returning notice_id, number
)
update notices n
set state = :state, last_error = :reason, sent_at = case when :state = 'sent' then now() else n.sent_at end,
    facts = case when :state = 'owed' then n.facts else n.facts - 'code_sealed' end
from finished f
where n.id = f.notice_id and n.attempts = f.number and n.state = 'sending';

-- name: leave_unclear(attempt_id, reason)!
-- The provider may have the message or not: the attempt keeps no outcome, and its receipt is waited for.
with ended as (
    update attempts set finished_at = now() where id = :attempt_id and outcome is null returning notice_id, number
)
update notices n set last_error = :reason from ended e where n.id = e.notice_id and n.attempts = e.number and n.state = 'sending';

-- name: give_up(ids, states, reasons)!
-- Ends notices that cannot be sent at all, unless somebody has them in hand.
update notices n set state = g.state, last_error = g.reason, facts = n.facts - 'code_sealed'
from unnest(:ids::uuid[], :states::text[], :reasons::text[]) as g (id, state, reason)
where n.id = g.id and n.state in ('owed', 'sending');

-- name: record_receipt(attempt_id, receipt, within)$
-- What the gateway reports of an attempt, in any order and any number of times; gives whether it said more than was known, or
-- nothing where there is no such attempt of so short a time ago.
-- A final report stays. Whoever reports anything has the message, so a notice that was to be tried again is not.
with known as (
    select id from attempts where id = :attempt_id and started_at > now() - :within::interval
), reported as (
    update attempts set receipt = :receipt, receipt_at = now(), outcome = 'accepted', finished_at = coalesce(finished_at, now())
    where id = (select id from known)
      and (receipt is null
           or receipt = 'buffered' and :receipt <> 'buffered'
           or receipt = 'accepted' and :receipt in ('delivered', 'failed', 'rejected'))
    returning notice_id, number
), told as (
    update notices n
    set state = case when :receipt = 'delivered' then 'delivered' when :receipt in ('failed', 'rejected') then 'failed' else 'sent' end,
        last_error = case when :receipt in ('failed', 'rejected') then 'delivery_' || :receipt end,
        sent_at = coalesce(n.sent_at, now()),
        facts = n.facts - 'code_sealed'
    from reported r
    where n.id = r.notice_id
      and (:receipt = 'delivered' and n.state in ('owed', 'sending', 'sent', 'failed')
           or :receipt in ('buffered', 'accepted') and n.state in ('owed', 'sending')
           or :receipt in ('failed', 'rejected') and n.state in ('sending', 'sent') and n.attempts = r.number)
)
select exists (select 1 from reported) from known;

-- name: overlooked(quiet, most)
-- Requests with notices that nobody has touched for a while, oldest touch first; the more often one was tried in vain the longer the while, up to an hour.
select n.request_id
from notices n
left join attempts a on a.notice_id = n.id and a.number = n.attempts
where n.state in ('owed', 'sending')
  and (n.not_before is null or n.not_before < now() - :quiet::interval)
  and coalesce(a.started_at, n.created_at)
      < now() - least(:quiet::interval * 2 ^ least(n.attempts, 10), greatest(:quiet::interval, interval '1 hour'))
group by n.request_id
order by min(coalesce(a.started_at, n.created_at))
limit :most;

-- name: owe_code(id, request_id, sequence, language, facts, created_at)!
-- A one-time code is owed to the citizen by no event: its sequence is negative.
insert into notices (id, request_id, sequence, kind, recipient, channel, language, facts, urgent, state, created_at)
values (:id, :request_id, :sequence, 'one_time_code', 'citizen', 'sms', :language, :facts, true, 'owed', :created_at);
