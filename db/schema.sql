-- The database as it stands after all migrations: what to read. A test proves that the two are the same.

-- What a citizen sent, as it was sent. Columns that end in _sealed hold AES-GCM ciphertext (key id inside); personal data
-- stands nowhere else.
create table requests (
    id uuid primary key,
    reference text not null unique,
    submitted_at timestamptz not null,
    channel text not null,
    language text not null,
    confidential boolean not null default false,
    given_category text,
    title_sealed bytea,
    description_sealed bytea,
    contact_sealed bytea,
    phone_index bytea, -- keyed hash of the phone number, for looking up by phone
    address_sealed bytea,
    place text,
    lat double precision,
    long double precision,
    token_hash bytea not null, -- SHA-256 of the citizen's token
    token_sealed bytea not null, -- the token itself, for the links in later notices
    idempotency_key bytea unique, -- SHA-256 of the Idempotency-Key header
    idempotency_body bytea, -- SHA-256 of the body that came with it
    submitted_by uuid, -- the member of staff who submitted on the citizen's behalf
    erased_at timestamptz
);
create index requests_by_phone on requests (phone_index) where phone_index is not null;

-- Free texts (replies, notes, supplements, reasons): events and workflow payloads name them by id.
create table texts (
    id uuid primary key,
    request_id uuid not null references requests (id) on delete cascade,
    body_sealed bytea not null,
    created_at timestamptz not null
);
create index texts_by_request on texts (request_id);

-- All that a citizen or a gateway sends, to be delivered to the workflow in order per request.
create table inbox (
    id bigint generated always as identity primary key, -- grows with each message of a request
    request_id uuid not null references requests (id) on delete cascade,
    kind text not null, -- submitted, supplemented, urged, withdrawn, rated, reopened
    payload jsonb not null, -- codes, numbers and text ids only
    received_at timestamptz not null,
    -- What follows is by the database's clock, the one that all relays share.
    not_before timestamptz not null default now(), -- after a failure it waits until then
    leased_until timestamptz, -- a relay has it; when the lease runs out another takes it
    attempts int not null default 0, -- leases so far
    last_error text, -- the class of the last failure
    delivered_at timestamptz,
    outcome text -- delivered, or refused: the run had ended
);
-- The whole queue in order, and the first message of one request.
create index inbox_undelivered on inbox (id) where delivered_at is null;
create index inbox_undelivered_by_request on inbox (request_id, id) where delivered_at is null;

-- The timeline. Appended, never edited; the key makes recording idempotent.
create table events (
    request_id uuid not null references requests (id) on delete cascade,
    sequence int not null,
    at timestamptz not null,
    action text not null,
    actor_kind text not null, -- citizen, staff, admin, system
    actor_id text not null,
    state_before text,
    state text not null,
    public boolean not null, -- shown to the citizen
    text_id uuid,
    facts jsonb not null,
    primary key (request_id, sequence)
);
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'events are appended, never changed';
end
$$;
create trigger events_never_change before update on events for each row execute function refuse_change();

-- The read model: each request after its latest event.
create table snapshots (
    request_id uuid primary key references requests (id) on delete cascade,
    reference text not null unique,
    submitted_at timestamptz not null,
    confidential boolean not null,
    sequence int not null default 0,
    state text not null default 'received',
    category text,
    department text,
    district text,
    urgency text not null default 'normal',
    policy_version text,
    triage_reason text,
    assignee text, -- id of the member of staff who accepted
    binding boolean not null default false,
    review_required boolean not null default false,
    escalation_level int not null default 0,
    urge_count int not null default 0,
    urged_at timestamptz,
    return_count int not null default 0,
    rework_count int not null default 0,
    assigned_at timestamptz,
    accepted_at timestamptz,
    contacted_at timestamptz,
    resolved_at timestamptz,
    closed_at timestamptz,
    accept_due_at timestamptz,
    contact_due_at timestamptz,
    return_until timestamptz,
    due_at timestamptz,
    result text,
    reply uuid, -- id of the text
    resolved_by text,
    solved text,
    satisfied int,
    outcome text,
    updated_at timestamptz
);
-- Lists walk these backwards, the latest first.
create index snapshots_by_department on snapshots (department, state, submitted_at, request_id);
create index snapshots_by_state on snapshots (state, submitted_at, request_id);
create index snapshots_by_submission on snapshots (submitted_at);

-- What the city owes to whom because of an event; one row a recipient and channel, sent once.
create table notices (
    id uuid primary key,
    request_id uuid not null references requests (id) on delete cascade,
    sequence int not null,
    kind text not null,
    recipient text not null, -- citizen, or staff:<id>
    channel text not null, -- sms
    language text not null,
    facts jsonb not null, -- codes, numbers and names of departments for the text
    urgent boolean not null,
    not_before timestamptz, -- quiet hours hold it back until then
    state text not null, -- owed, sending, sent, delivered, failed, no_address
    attempts int not null default 0,
    last_error text,
    created_at timestamptz not null,
    sent_at timestamptz,
    unique (request_id, sequence, kind, recipient, channel)
);
create index notices_unsent on notices (created_at) where state in ('owed', 'sending');

-- Each try to send a notice, written before the provider is called: its id goes to the gateway and comes back in the receipt.
create table attempts (
    id uuid primary key,
    notice_id uuid not null references notices (id) on delete cascade,
    number int not null,
    provider text not null,
    started_at timestamptz not null,
    finished_at timestamptz,
    outcome text, -- accepted, temporary, permanent; null while not known
    receipt text, -- buffered, delivered, failed, as the gateway reported
    receipt_at timestamptz,
    unique (notice_id, number)
);

-- The console provider: every message, kept where staff can see it.
create table outbox (
    notice_id uuid primary key references notices (id) on delete cascade,
    recipient_sealed bytea not null,
    text_sealed bytea not null,
    parts int not null,
    sent_at timestamptz not null
);
create index outbox_by_time on outbox (sent_at desc, notice_id);

create table attachments (
    id uuid primary key,
    request_id uuid not null references requests (id) on delete cascade,
    submitted_by text not null, -- citizen, or staff:<id>
    content_type text not null,
    image_sealed bytea not null,
    created_at timestamptz not null
);
create index attachments_by_request on attachments (request_id, created_at);

create table staff (
    id uuid primary key,
    username text not null unique,
    name text not null,
    password_hash text not null,
    roles text[] not null,
    phone_sealed bytea,
    language text not null,
    active boolean not null default true,
    demo boolean not null default false -- a demonstration account: works on loopback only
);

create table staff_departments (
    staff_id uuid not null references staff (id) on delete cascade,
    department text not null,
    lead boolean not null,
    primary key (staff_id, department)
);
create index staff_by_department on staff_departments (department);

create table sessions (
    token_hash bytea primary key,
    staff_id uuid not null references staff (id) on delete cascade,
    created_at timestamptz not null,
    expires_at timestamptz not null
);
create index sessions_by_staff on sessions (staff_id);

-- Counters that slow down guessing: log-ins by name and by address, one-time codes by number and by address.
create table throttles (
    key bytea primary key,
    count int not null,
    resets_at timestamptz not null
);

create table one_time_codes (
    request_id uuid primary key references requests (id) on delete cascade,
    code_hash bytea not null,
    expires_at timestamptz not null,
    tries int not null
);

-- City policies by content hash; a request keeps the version it was assigned under.
create table policies (
    version text primary key,
    city text not null,
    content jsonb not null,
    loaded_at timestamptz not null,
    active boolean not null
);
create unique index policies_one_active on policies (active) where active;
