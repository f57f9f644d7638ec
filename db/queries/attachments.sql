-- name: lock_request(request_id)$
-- Waits for others who add pictures to the same request; no row where its personal data was erased.
select id from requests where id = :request_id and erased_at is null for no key update;

-- name: keep(ids, request_id, submitted_by, content_types, images_sealed, created_at, at_most)!
-- Keeps pictures, all or none: none when the request would have more than it may have.
insert into attachments (id, request_id, submitted_by, content_type, image_sealed, created_at)
select id, :request_id, :submitted_by, content_type, image_sealed, :created_at
from unnest(:ids::uuid[], :content_types::text[], :images_sealed::bytea[]) as image (id, content_type, image_sealed)
where (select count(*) from attachments where request_id = :request_id) + cardinality(:ids::uuid[]) <= :at_most::int;

-- name: list_of(request_id)
-- Which pictures a request has, the oldest first.
select id, submitted_by, content_type, created_at from attachments where request_id = :request_id order by created_at, id;

-- name: read(request_id, id)^
-- One picture of a request.
select content_type, image_sealed from attachments where request_id = :request_id and id = :id;
