-- migrate:up

-- A text whose action was refused is not deleted at once: a worker that was frozen while recording that very action may wake up
-- and record it, and then an event names the text.
alter table texts add column refused_at timestamptz;

-- migrate:down
alter table texts drop column refused_at;
