-- migrate:up

-- Which answers a person has released for everybody. Appended; a release that was taken back stays, with who did it when.
create table released_answers (
    request_id uuid not null references requests (id) on delete cascade,
    reply uuid not null, -- id of the text that was released; no other reply of the request is
    released_at timestamptz not null,
    released_by uuid not null,
    withdrawn_at timestamptz,
    withdrawn_by uuid, -- null: a newer reply was released in its place
    primary key (request_id, reply, released_at)
);
create unique index released_answers_in_force on released_answers (request_id) where withdrawn_at is null;
create index released_answers_by_time on released_answers (released_at) where withdrawn_at is null;

-- migrate:down
drop table released_answers;
