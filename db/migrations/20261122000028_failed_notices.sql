-- migrate:up transaction:false

-- Notices that wait for a person are counted every few seconds by whoever watches. They are few, so the index is small.
create index concurrently if not exists notices_failed on notices (created_at) where state = 'failed';

-- migrate:down
drop index notices_failed;
