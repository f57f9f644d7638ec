-- name: keep(request_id, code_hash, expires_at)!
-- Keeps a new code; the one before it stops working.
insert into one_time_codes (request_id, code_hash, expires_at, tries)
values (:request_id, :code_hash, :expires_at, 0)
on conflict (request_id) do update set code_hash = excluded.code_hash, expires_at = excluded.expires_at, tries = 0;

-- name: try_code(request_id, now, most, in_vain)$
-- Takes one try and gives what the code must hash to, unless it has expired or been tried too often. Where there is none to
-- try, another row is written, which nobody reads: the time that it takes does not tell whether a code is on its way.
with tried as (
    update one_time_codes set tries = tries + 1
    where request_id = :request_id and expires_at > :now and tries < :most
    returning code_hash
),
in_its_place as (
    insert into throttles (key, count, resets_at)
    select :in_vain, 0, :now
    where not exists (select from tried)
    on conflict (key) do update set resets_at = excluded.resets_at
)
select code_hash from tried;

-- name: spend(request_id, code_hash)!
-- Takes the code off: it works once.
delete from one_time_codes where request_id = :request_id and code_hash = :code_hash;
