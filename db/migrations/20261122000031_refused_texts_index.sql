-- migrate:up transaction:false

-- Housekeeping looks for them every hour. They are few, so the index is small, and a text that is not refused never touches it.
create index concurrently if not exists texts_refused on texts (refused_at) where refused_at is not null;

-- migrate:down
drop index texts_refused;
