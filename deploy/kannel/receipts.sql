-- Where Kannel keeps, for each message under way, the address that its receipt goes to.
create table if not exists receipts (
    smsc text, ts text, destination text, source text, service text, url text, mask int, status int, boxc text
);
create index if not exists receipts_by_message on receipts (smsc, ts);
