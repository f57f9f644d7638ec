-- migrate:up

-- Which backups were restored into this database when. The runs that Temporal had before are not of the same instant: those that
-- may differ are ended before a worker does anything, and begin again where the database says that they stood.
create table restores (
    id uuid primary key, -- of the backup
    restored_at timestamptz not null,
    taken_at timestamptz not null, -- the instant of the database in the backup
    runs_copied_at timestamptz, -- the instant of Temporal's store, where it was restored as well; null: no run may go on
    runs_ended_at timestamptz -- null: a worker has to do it yet
);

-- migrate:down
drop table restores;
