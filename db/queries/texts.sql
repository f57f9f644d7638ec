-- name: keep(id, request_id, body_sealed, created_at)!
-- Keeps a free text under its id; none for a request whose personal data was erased.
insert into texts (id, request_id, body_sealed, created_at)
select :id, requests.id, :body_sealed, :created_at from requests where requests.id = :request_id and erased_at is null
on conflict do nothing;

-- name: take_up_again(id, body_sealed, created_at)!
-- A text under that id that was refused counts as new, with what was written now; one that an event names stays as it is.
update texts set body_sealed = :body_sealed, created_at = :created_at, refused_at = null
where id = :id and refused_at is not null
    and not exists (select from events where events.request_id = texts.request_id and text_id = texts.id);

-- name: refuse(ids, at)!
-- Notes that the action was refused that these texts were written for.
update texts set refused_at = :at where id = any(:ids::uuid[]);

-- name: forget_refused(before)!
-- Removes the texts that were refused before that instant and that nothing names; those that something names are refused no more.
-- They are few: each is looked for in all that is known of its request.
with judged as (
    select
        texts.id,
        exists (
            select from events
            where events.request_id = texts.request_id and (text_id = texts.id or facts::text like '%' || texts.id || '%')
        )
        or exists (
            select from acts where acts.request_id = texts.request_id and command like '%' || texts.id || '%'
        )
        or exists (
            select from snapshots
            where snapshots.request_id = texts.request_id and to_jsonb(snapshots)::text like '%' || texts.id || '%'
        ) as is_named
    from texts
    where refused_at < :before
    for update skip locked
),
taken_back as (
    update texts set refused_at = null from judged where texts.id = judged.id and is_named
)
delete from texts using judged where texts.id = judged.id and not is_named;

-- name: read_many(ids)
-- The texts with these ids.
select id, body_sealed from texts where id = any(:ids);
