-- name: sealed_requests(after, most)
-- What citizens sent, in the order of ids.
select id, id as request_id, title_sealed, description_sealed, contact_sealed, address_sealed, token_sealed, place_sealed,
    null as place, phone_index, place_index
from requests
where id > :after
order by id
limit :most;

-- name: reseal_requests(ids, title_sealed, title_sealed_before, description_sealed, description_sealed_before, contact_sealed, contact_sealed_before, address_sealed, address_sealed_before, token_sealed, token_sealed_before, place_sealed, place_sealed_before, phone_index, phone_index_before, place_index, place_index_before)!
-- Puts the values sealed anew in the place of those that they were made from; what has changed meanwhile is left alone.
update requests
set title_sealed = n.title, description_sealed = n.description, contact_sealed = n.contact, address_sealed = n.address,
    token_sealed = n.token, place_sealed = n.place, phone_index = n.phone, place_index = n.place_name
from unnest(
    :ids::uuid[], :title_sealed::bytea[], :title_sealed_before::bytea[], :description_sealed::bytea[],
    :description_sealed_before::bytea[], :contact_sealed::bytea[], :contact_sealed_before::bytea[], :address_sealed::bytea[],
    :address_sealed_before::bytea[], :token_sealed::bytea[], :token_sealed_before::bytea[], :place_sealed::bytea[],
    :place_sealed_before::bytea[], :phone_index::bytea[], :phone_index_before::bytea[], :place_index::bytea[],
    :place_index_before::bytea[]
) as n (
    id, title, title_before, description, description_before, contact, contact_before, address, address_before, token,
    token_before, place, place_before, phone, phone_before, place_name, place_name_before
)
where requests.id = n.id
    and (
        title_sealed, description_sealed, contact_sealed, address_sealed, token_sealed, place_sealed, phone_index, place_index
    ) is not distinct from (
        n.title_before, n.description_before, n.contact_before, n.address_before, n.token_before, n.place_before,
        n.phone_before, n.place_name_before
    );

-- name: sealed_texts(after, most)
-- Free texts, in the order of ids.
select id, body_sealed from texts where id > :after order by id limit :most;

-- name: reseal_texts(ids, body_sealed, body_sealed_before)!
-- The same for free texts.
update texts set body_sealed = n.body
from unnest(:ids::uuid[], :body_sealed::bytea[], :body_sealed_before::bytea[]) as n (id, body, before)
where texts.id = n.id and body_sealed = n.before;

-- name: sealed_attachments(after, most)
-- Photos, in the order of ids.
select id, image_sealed from attachments where id > :after order by id limit :most;

-- name: reseal_attachments(ids, image_sealed, image_sealed_before)!
-- The same for photos.
update attachments set image_sealed = n.image
from unnest(:ids::uuid[], :image_sealed::bytea[], :image_sealed_before::bytea[]) as n (id, image, before)
where attachments.id = n.id and image_sealed = n.before;

-- name: sealed_outbox(after, most)
-- Messages of the console provider, in the order of ids.
select notice_id as id, recipient_sealed, text_sealed from outbox where notice_id > :after order by notice_id limit :most;

-- name: reseal_outbox(ids, recipient_sealed, recipient_sealed_before, text_sealed, text_sealed_before)!
-- The same for messages of the console provider.
update outbox set recipient_sealed = n.recipient, text_sealed = n.text
from unnest(
    :ids::uuid[], :recipient_sealed::bytea[], :recipient_sealed_before::bytea[], :text_sealed::bytea[], :text_sealed_before::bytea[]
) as n (id, recipient, recipient_before, text, text_before)
where notice_id = n.id and recipient_sealed = n.recipient_before and text_sealed = n.text_before;

-- name: sealed_staff(after, most)
-- Phone numbers of the staff, in the order of ids.
select id, phone_sealed from staff where id > :after order by id limit :most;

-- name: reseal_staff(ids, phone_sealed, phone_sealed_before)!
-- The same for phone numbers of the staff.
update staff set phone_sealed = n.phone
from unnest(:ids::uuid[], :phone_sealed::bytea[], :phone_sealed_before::bytea[]) as n (id, phone, before)
where staff.id = n.id and phone_sealed = n.before;

-- name: sealed_erasure_demands(after, most)
-- Reasons of admins for erasing, in the order of ids.
select request_id as id, reason_sealed from erasure_demands where request_id > :after order by request_id limit :most;

-- name: reseal_erasure_demands(ids, reason_sealed, reason_sealed_before)!
-- The same for reasons for erasing.
update erasure_demands set reason_sealed = n.reason
from unnest(:ids::uuid[], :reason_sealed::bytea[], :reason_sealed_before::bytea[]) as n (id, reason, before)
where request_id = n.id and reason_sealed = n.before;

-- name: sealed_classifier_activations(after, most)
-- Reasons for choosing a model, in the order of ids.
select id, activated_at, reason_sealed from classifier_activations where id > :after order by id limit :most;

-- name: reseal_classifier_activations(ids, reason_sealed, reason_sealed_before)!
-- The same for reasons for choosing a model.
update classifier_activations set reason_sealed = n.reason
from unnest(:ids::bigint[], :reason_sealed::bytea[], :reason_sealed_before::bytea[]) as n (id, reason, before)
where classifier_activations.id = n.id and reason_sealed = n.before;

-- name: sealed_topics(after, most)
-- Names and places of topics, in the order of ids.
select id, words_sealed from topics where id > :after order by id limit :most;

-- name: reseal_topics(ids, words_sealed, words_sealed_before)!
-- The same for topics.
update topics set words_sealed = n.words
from unnest(:ids::uuid[], :words_sealed::bytea[], :words_sealed_before::bytea[]) as n (id, words, before)
where topics.id = n.id and words_sealed = n.before;
