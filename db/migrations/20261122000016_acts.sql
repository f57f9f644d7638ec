-- migrate:up

-- Actions of staff as they were asked for, by the number of the event that each made. The history of a run hears of an
-- action when it is recorded already; should that answer be lost, the run carries the action out again from here.
create table acts (
    request_id uuid not null references requests (id) on delete cascade,
    sequence int not null,
    update_id text not null,
    action text not null,
    command text not null, -- JSON: ids, codes and dates, no text of anybody
    recorded_at timestamptz not null,
    primary key (request_id, sequence)
);

create index acts_recorded_at on acts (recorded_at);

-- migrate:down
drop table acts;
