-- name: wake()!
-- Tells the relays that a message waits.
select pg_notify('inbox', '');

-- name: claim(lease, most)
-- Leases the first undelivered message of each request, unless it waits for its time or another relay has it.
-- The first is found by its number, and not by there being none before it: that would become a join over the whole queue.
with head as (
    select id
    from inbox
    where delivered_at is null
        and not_before <= now()
        and (leased_until is null or leased_until <= now())
        and id = (
            select min(earlier.id) from inbox as earlier
            where earlier.request_id = inbox.request_id and earlier.delivered_at is null
        )
    order by id
    limit :most
    for update skip locked
)
update inbox
set leased_until = now() + :lease::interval, attempts = attempts + 1
from head, requests
where inbox.id = head.id and requests.id = inbox.request_id
returning inbox.id, request_id, reference, kind, payload, received_at, attempts, trace;

-- name: settle(ids, outcomes)!
-- Takes messages off the queue: delivered, or refused because the run had ended.
update inbox
set delivered_at = now(), outcome = settled.outcome, leased_until = null
from unnest(:ids::bigint[], :outcomes::text[]) as settled (id, outcome)
where inbox.id = settled.id and delivered_at is null;

-- name: put_off(ids, attempts, delays, errors)!
-- Gives leases back, to be tried again after the delay; a lease that another relay has taken meanwhile stays with it.
update inbox
set not_before = now() + failed.delay, leased_until = null, last_error = failed.error
from unnest(:ids::bigint[], :attempts::int[], :delays::interval[], :errors::text[]) as failed (id, attempt, delay, error)
where inbox.id = failed.id and inbox.attempts = failed.attempt and delivered_at is null;

-- name: backlog()^
-- How many messages wait, and since when the oldest.
select count(*) as waiting, min(received_at) as oldest_at from inbox where delivered_at is null;
