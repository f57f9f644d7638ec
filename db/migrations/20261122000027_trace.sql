-- migrate:up

-- Under which trace the message came, where the interface is traced: the W3C traceparent, ids and nothing else.
alter table inbox add column trace text;

-- migrate:down
alter table inbox drop column trace;
