-- name: keep(id, request_id, body_sealed, created_at)!
-- Keeps a free text under its id; none for a request whose personal data was erased.
insert into texts (id, request_id, body_sealed, created_at)
select :id, requests.id, :body_sealed, :created_at from requests where requests.id = :request_id and erased_at is null
on conflict do nothing;

-- name: drop(id)!
-- Removes a text whose action was refused: nothing names it.
delete from texts where id = :id;

-- name: read_many(ids)
-- The texts with these ids.
select id, body_sealed from texts where id = any(:ids);
