-- name: wake()!
-- Tells the relays that a message waits.
select pg_notify('inbox', '');
