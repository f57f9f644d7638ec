-- migrate:up

-- The oldest program that can work with this database, by the newest migration that it brings. A migration that takes away what
-- an earlier program needs sets it anew; all others leave it alone, so that programs of before and after work side by side.
create table compatible_from (
    version text not null,
    only_row boolean primary key default true check (only_row)
);
insert into compatible_from (version) values ('20261122000021');

-- migrate:down
drop table compatible_from;
