-- name: record(ids, looked_at, who, kinds, refs, counts, address)!
-- Records looks at personal data; they get their places in the chain a moment later.
insert into looks (id, looked_at, who, kind, reference, count, address)
select id, :looked_at, :who, kind, reference, count, :address
from unnest(:ids::uuid[], :kinds::text[], :refs::text[], :counts::int[]) as look (id, kind, reference, count);

-- name: lock(key)$
-- Whether nobody else is chaining; held until the end of the transaction.
select pg_try_advisory_xact_lock(:key);

-- name: head()^
-- Where the chain ends.
select position, hash from looks where position is not null order by position desc limit 1;

-- name: not_chained(most)
-- Looks without a place in the chain, the oldest first.
select id, looked_at, who, kind, reference, count, address from looks where position is null order by id limit :most;

-- name: chain(ids, positions, hashes)!
-- Gives looks their places.
update looks
set position = link.position, hash = link.hash
from unnest(:ids::uuid[], :positions::bigint[], :hashes::bytea[]) as link (id, position, hash)
where looks.id = link.id;

-- name: links(after, most)
-- The chain, from the row after that place on.
select position, hash, id, looked_at, who, kind, reference, count, address
from looks
where position > :after
order by position
limit :most;

-- name: waiting()^
-- How many looks have no place in the chain yet, and since when the oldest of them waits.
select count(*) as number, min(looked_at) as since from looks where position is null;

-- name: shown(reference, who, most)
-- The latest looks at a request or of a person, the latest first, with the name of whoever it was.
select looks.id, looked_at, who, kind, reference, count, address, staff.name, staff.username
from looks
left join staff on 'staff:' || staff.id = who
where (:reference::text is null or reference = :reference) and (:who::text is null or who = :who)
order by looked_at desc, looks.id desc
limit :most;
