-- migrate:up

-- Who looked at which personal data; no personal data of citizens itself. Recorded before the data is shown, and chained
-- a moment later: the hash of each row covers what it says and the hash of the row before it.
create table looks (
    id uuid primary key,
    looked_at timestamptz not null,
    who text not null, -- staff:<id>, or machine:<account> for a command
    kind text not null, -- request, contact, photo, list, similar, messages, erasure, training
    reference text, -- of the one request, where it was one
    count int not null, -- how many requests or messages were shown
    address text not null, -- in the network, or the name of the machine of a command
    position bigint unique, -- in the chain, from 1; null until it is chained
    hash bytea
);
create index looks_not_chained on looks (id) where position is null;
create index looks_by_reference on looks (reference, looked_at) where reference is not null;
create index looks_by_who on looks (who, looked_at);
create function refuse_change_of_looks() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        -- All that may ever happen to a row: it gets its place in the chain, once.
        if old.position is null and new.position is not null and new.hash is not null
            and (new.id, new.looked_at, new.who, new.kind, new.reference, new.count, new.address)
                is not distinct from (old.id, old.looked_at, old.who, old.kind, old.reference, old.count, old.address)
        then
            return new;
        end if;
    end if;
    raise exception 'looks at personal data are recorded for good: no row is changed or deleted';
end
$$;
create trigger looks_never_change before update or delete on looks for each row execute function refuse_change_of_looks();
create trigger looks_are_never_emptied before truncate on looks for each statement execute function refuse_change_of_looks();

-- migrate:down
drop table looks;
drop function refuse_change_of_looks;
