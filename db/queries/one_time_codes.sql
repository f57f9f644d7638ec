-- name: keep(request_id, code_hash, expires_at)!
-- Keeps a new code; the one before it stops working.
insert into one_time_codes (request_id, code_hash, expires_at, tries)
values (:request_id, :code_hash, :expires_at, 0)
on conflict (request_id) do update set code_hash = excluded.code_hash, expires_at = excluded.expires_at, tries = 0;

-- name: try_code(request_id, now, most)$
-- Takes one try and gives what the code must hash to, unless it has expired or been tried too often.
update one_time_codes set tries = tries + 1
where request_id = :request_id and expires_at > :now and tries < :most
returning code_hash;

-- name: spend(request_id, code_hash)!
-- Takes the code off: it works once.
delete from one_time_codes where request_id = :request_id and code_hash = :code_hash;
