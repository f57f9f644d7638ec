-- name: plain(before, most)
-- Hashes without a key, of requests from before that moment; a keyed one is a byte longer.
select id, idempotency_body
from requests
where octet_length(idempotency_body) = 32 and submitted_at < :before
order by submitted_at
limit :most;

-- name: key(ids, befores, keyed)!
-- Puts the keyed hashes in their place; what was erased meanwhile is left alone.
update requests set idempotency_body = n.keyed
from unnest(:ids::uuid[], :befores::bytea[], :keyed::bytea[]) as n (id, before, keyed)
where requests.id = n.id and idempotency_body = n.before;
