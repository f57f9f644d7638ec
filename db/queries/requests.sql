-- name: submit(id, reference, submitted_at, channel, language, confidential, given_category, title_sealed, description_sealed, contact_sealed, phone_index, address_sealed, place_sealed, place_index, lat, long, datum, token_hash, token_sealed, idempotency_key, idempotency_body, submitted_by, payload, text_id, body_sealed, trace)$
-- Writes the request, its first snapshot and its first message, for a quick log also what was done; no row when the reference or the key is taken.
with request as (
    insert into requests (
        id, reference, submitted_at, channel, language, confidential, given_category,
        title_sealed, description_sealed, contact_sealed, phone_index, address_sealed, place_sealed, place_index, lat, long, datum,
        token_hash, token_sealed, idempotency_key, idempotency_body, submitted_by
    ) values (
        :id, :reference, :submitted_at, :channel, :language, :confidential, :given_category,
        :title_sealed, :description_sealed, :contact_sealed, :phone_index, :address_sealed, :place_sealed, :place_index, :lat, :long, :datum,
        :token_hash, :token_sealed, :idempotency_key, :idempotency_body, :submitted_by
    )
    on conflict do nothing
    returning id, reference, submitted_at, confidential
),
snapshot as (
    insert into snapshots (request_id, reference, submitted_at, confidential, updated_at)
    select id, reference, submitted_at, confidential, submitted_at from request
),
text as (
    insert into texts (id, request_id, body_sealed, created_at)
    select :text_id::uuid, id, :body_sealed::bytea, submitted_at from request where :body_sealed::bytea is not null
)
insert into inbox (request_id, kind, payload, received_at, trace)
select id, 'submitted', :payload, submitted_at, :trace from request
returning id;

-- name: submitted_before(idempotency_key)^
-- The request that came with that key.
select id, reference, submitted_at, token_sealed, idempotency_body
from requests
where idempotency_key = :idempotency_key;

-- name: by_reference(reference)^
-- The request with that public number, as it was sent.
select id, reference, submitted_at, channel, language, confidential, given_category,
    title_sealed, description_sealed, contact_sealed, phone_index, address_sealed, place_sealed, place, lat, long, datum,
    token_hash, token_sealed, submitted_by, erased_at,
    (select demanded_at from erasure_demands where request_id = requests.id) as erasure_demanded_at
from requests
where reference = :reference;

-- name: by_id(id)^
-- The request with that id, as it was sent.
select id, reference, submitted_at, channel, language, confidential, given_category,
    title_sealed, description_sealed, contact_sealed, phone_index, address_sealed, place_sealed, place, lat, long, datum,
    token_hash, token_sealed, submitted_by, erased_at,
    (select demanded_at from erasure_demands where request_id = requests.id) as erasure_demanded_at
from requests
where id = :id;

-- name: replace_token(id, token_hash, token_sealed)!
-- The citizen has proved who they are in another way: the old link stops working.
update requests set token_hash = :token_hash, token_sealed = :token_sealed where id = :id;

-- name: add_message(request_id, kind, payload, received_at, text_id, body_sealed, trace)$
-- Queues what a citizen sent after the request itself, with its text; no row when the request is unknown or erased, or
-- the id of the text is taken: what can be said once is said under an id of its own.
-- The lock makes the numbers of one request's messages grow in the order in which they become visible.
with request as (
    select id from requests where id = :request_id and erased_at is null for no key update
),
text as (
    insert into texts (id, request_id, body_sealed, created_at)
    select :text_id, id, :body_sealed, :received_at from request where :body_sealed::bytea is not null
    on conflict do nothing
    returning id
)
insert into inbox (request_id, kind, payload, received_at, trace)
select id, :kind, :payload, :received_at, :trace
from request
where :body_sealed::bytea is null or exists (select 1 from text)
returning id;
