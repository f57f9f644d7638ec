-- migrate:up

-- What many people wrote about lately, as the last looks found it. A topic that is not found any more stays for as long as
-- the looks go back, so that it is known again and nobody is warned twice.
create table topics (
    id uuid primary key,
    words_sealed bytea not null, -- its name and places, in words of citizens, masked; empty once those were erased
    named_after uuid not null references requests (id) on delete cascade,
    first_found_at timestamptz not null,
    found_at timestamptz not null, -- by the latest look that found it
    authors int not null,
    lately int not null, -- authors who wrote in the last fifth of the period
    before int not null, -- authors who wrote before that
    times double precision, -- as many a day lately as before; null when there were none before
    probability double precision not null, -- of as many lately by chance
    spike boolean not null,
    warned_at timestamptz
);
create index topics_by_look on topics (found_at);

-- The requests behind a topic.
create table topic_requests (
    topic_id uuid not null references topics (id) on delete cascade,
    request_id uuid not null references requests (id) on delete cascade,
    primary key (topic_id, request_id)
);
create index topic_requests_by_request on topic_requests (request_id);

-- migrate:down
drop table topic_requests, topics;
