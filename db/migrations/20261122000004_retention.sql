-- migrate:up

-- Who has asked that the personal data of a request be erased before the time of keeping is over. Kept for good: it is
-- the proof that the demand was met.
create table erasure_demands (
    request_id uuid primary key references requests (id) on delete cascade,
    demanded_at timestamptz not null,
    demanded_by text not null, -- citizen, or admin
    reason_sealed bytea, -- what the admin gave as the reason
    carried_out_at timestamptz
);
create index erasure_demands_waiting on erasure_demands (demanded_at, request_id) where carried_out_at is null;

-- Retention walks along what still holds personal data, the oldest first, and never past what it has erased.
create index requests_not_erased on requests (submitted_at, id) where erased_at is null;

-- migrate:down
drop index requests_not_erased;
drop table erasure_demands;
