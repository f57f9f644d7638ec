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
    place text, -- in clear, from before it was sealed: the worker seals what it finds here
    lat double precision,
    long double precision,
    token_hash bytea not null, -- SHA-256 of the citizen's token
    token_sealed bytea not null, -- the token itself, for the links in later notices
    idempotency_key bytea unique, -- SHA-256 of the Idempotency-Key header
    idempotency_body bytea, -- keyed hash of the body that came with it; of releases before, 32 bytes of SHA-256
    submitted_by uuid, -- the member of staff who submitted on the citizen's behalf
    erased_at timestamptz,
    datum text, -- what the point was given in: wgs84 or gcj02; lat and long are WGS-84 whatever it was
    place_sealed bytea,
    place_index bytea -- keyed hash of the name as it is compared
);
create index requests_by_phone on requests (phone_index) where phone_index is not null;
-- Duplicates are looked for near a point, at a place of the same name, and among the latest of a category.
create index requests_by_point on requests using gist (point(long, lat)) where lat is not null and long is not null;
create index requests_by_place on requests (lower(place), submitted_at) where place is not null;
create index requests_by_sealed_place on requests (place_index, submitted_at) where place_index is not null;
-- Housekeeping keys what a release before hashed without a key.
create index requests_with_plain_body on requests (submitted_at) where octet_length(idempotency_body) = 32;
-- Retention walks along what still holds personal data, the oldest first, and never past what it has erased.
create index requests_not_erased on requests (submitted_at, id) where erased_at is null;

-- Free texts (replies, notes, supplements, reasons): events and workflow payloads name them by id.
create table texts (
    id uuid primary key,
    request_id uuid not null references requests (id) on delete cascade,
    body_sealed bytea not null,
    created_at timestamptz not null,
    refused_at timestamptz -- its action was refused: deleted after a day, unless an event names it all the same
);
create index texts_by_request on texts (request_id);
create index texts_refused on texts (refused_at) where refused_at is not null;

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
    outcome text, -- delivered, or refused: the run had ended
    trace text -- the W3C traceparent under which it came, where the interface is traced
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
-- The events by which a request is judged though its snapshot has moved on since.
create index events_that_judge on events (request_id, action, actor_kind, state, sequence)
    where action in ('contact_overdue', 'reassign', 'reopen', 'escalate');
-- Precedents are the decisions of supervisors. They are few, and are found without walking through all events.
create index events_that_decide on events (at, request_id) where action = 'decide';
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'events are appended, never changed';
end
$$;
create trigger events_never_change before update on events for each row execute function refuse_change();

-- Actions of staff as they were asked for, by the number of the event that each made. The history of a run hears of an
-- action when it is recorded already; should that answer be lost, the run carries the action out again from here.
create table acts (
    request_id uuid not null references requests (id) on delete cascade,
    sequence int not null,
    update_id text not null,
    action text not null,
    command text not null, -- JSON: ids, codes and dates, no text of anybody
    recorded_at timestamptz not null,
    primary key (request_id, sequence)
);

create index acts_recorded_at on acts (recorded_at);

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
    updated_at timestamptz,
    quick_logged boolean not null default false, -- settled on the spot, and counted apart
    service_level text, -- code of the promise under which it was assigned
    due_from timestamptz, -- the assignment that fixed the due date
    urge_every_seconds int not null default 86400, -- from one urging to the next
    told_at timestamptz, -- the city's latest event that the citizen could see
    paused_at timestamptz, -- since when the clocks stand still
    paused_seconds int not null default 0, -- of all pauses that are over, by the wall clock
    question uuid, -- id of the text that waits for the citizen's answer
    question_count int not null default 0,
    answer_due_at timestamptz,
    hold_asked_by text,
    hold_reason uuid, -- id of the text
    hold_review_on date,
    extension_asked_by text,
    extension_reason uuid, -- id of the text
    extension_days int,
    extended_at timestamptz,
    call_wanted_at timestamptz, -- since when a caller shall ask how it went
    call_count int not null default 0,
    parent text, -- reference of the request that it was merged into
    parent_state text, -- where that one stands
    followers int not null default 0, -- requests merged into this one
    co_handlers jsonb not null default '[]',
    co_departments text[] not null default '{}' -- departments that are at work as co-handlers
);
-- Lists walk these backwards, the latest first.
create index snapshots_by_department on snapshots (department, state, submitted_at, request_id);
create index snapshots_by_state on snapshots (state, submitted_at, request_id);
create index snapshots_by_submission on snapshots (submitted_at);
-- What was answered lately, for what the next ones can expect.
create index snapshots_by_resolution on snapshots (category, resolved_at) where resolved_at is not null;
-- The tasks of the callers, the longest waiting first; the requests of a parent; the requests where a department helps.
create index snapshots_to_call on snapshots (call_wanted_at) where call_wanted_at is not null;
create index snapshots_by_parent on snapshots (parent) where parent is not null;
create index snapshots_by_co_department on snapshots using gin (co_departments) where co_departments <> '{}';
create index snapshots_by_category on snapshots (category, submitted_at, request_id);

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
-- Those that wait for a person; counted by whoever watches.
create index notices_failed on notices (created_at) where state = 'failed';

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

-- Who has asked that the personal data of a request be erased before the time of keeping is over. Kept for good: it is
-- the proof that the demand was met.
create table erasure_demands (
    request_id uuid primary key references requests (id) on delete cascade,
    demanded_at timestamptz not null,
    demanded_by text not null, -- citizen, or admin
    reason_sealed bytea, -- what the admin gave as the reason
    carried_out_at timestamptz
);
create index erasure_demands_waiting on erasure_demands (demanded_at, request_id) where carried_out_at is null;

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

-- Which answers a person has released for everybody. Appended; a release that was taken back stays, with who did it when.
create table released_answers (
    request_id uuid not null references requests (id) on delete cascade,
    reply uuid not null, -- id of the text that was released; no other reply of the request is
    released_at timestamptz not null,
    released_by uuid not null,
    withdrawn_at timestamptz,
    withdrawn_by uuid, -- null: a newer reply was released in its place
    primary key (request_id, reply, released_at)
);
create unique index released_answers_in_force on released_answers (request_id) where withdrawn_at is null;
create index released_answers_by_time on released_answers (released_at) where withdrawn_at is null;

-- What many people wrote about lately, as the last looks found it. A topic that is not found any more stays for as long as
-- the looks go back, so that it is known again and nobody is warned twice.
create table topics (
    id uuid primary key,
    words_sealed bytea not null, -- its name and places, in words of citizens, masked; empty once those were erased
    named_after uuid not null references requests (id) on delete cascade,
    first_found_at timestamptz not null,
    found_at timestamptz not null, -- by the latest look that found it
    authors int not null,
    lately int not null, -- authors who wrote in the last fifth of the period
    before int not null, -- authors who wrote before that
    times double precision, -- as many a day lately as before; null when there were none before
    probability double precision not null, -- of as many lately by chance
    spike boolean not null,
    warned_at timestamptz
);
create index topics_by_look on topics (found_at);

-- The requests behind a topic.
create table topic_requests (
    topic_id uuid not null references topics (id) on delete cascade,
    request_id uuid not null references requests (id) on delete cascade,
    primary key (topic_id, request_id)
);
create index topic_requests_by_request on topic_requests (request_id);

-- City policies by content hash; a request keeps the version it was assigned under.
create table policies (
    version text primary key,
    city text not null,
    content jsonb not null,
    loaded_at timestamptz not null,
    active boolean not null
);
create unique index policies_one_active on policies (active) where active;

-- Trained models of the classifier, each under the name that its content gives it.
create table classifier_models (
    version text primary key,
    content bytea not null, -- the model file with its checksum
    facts jsonb not null, -- what it was trained on and how well it did, as codes and numbers
    stored_at timestamptz not null
);

-- How a new model did beside the one in force, on decisions that neither had seen; kept for good.
create table classifier_comparisons (
    id bigint generated always as identity primary key,
    run text not null unique, -- of the workflow: a comparison that is stored again is stored once
    compared_at timestamptz not null,
    outcome text not null, -- activated, refused, too_few, overtaken
    candidate text, -- version; a refused model itself is kept for some weeks only
    active text, -- version; null: the words of the policy decided
    figures jsonb not null -- counts, shares and codes: in total, by class, and why
);

-- Which model decided from when on. Appended, never edited: the latest row is in force.
create table classifier_activations (
    id bigint generated always as identity primary key,
    version text references classifier_models (version), -- null: the words of the policy decide
    activated_at timestamptz not null,
    activated_by text not null default 'command', -- command, or retraining
    because text not null default 'chosen', -- trained, loaded, chosen, back, no_worse
    account text, -- of the operating system, where a person gave the command
    reason_sealed bytea, -- what that person gave as the reason
    comparison bigint references classifier_comparisons (id)
);

-- What second opinions of a language model have cost on each day of the city's calendar, for all workers together.
create table second_opinion_days (
    day date primary key,
    asked int not null,
    tokens bigint not null -- as the model counted them, or the most it can have been where it did not say
);

-- The figures of section 5 of the process, true or false for each request as it stands at an instant. The numbers and the
-- lists behind them both read this, so that they say the same. `part` is what it belongs to by a grouping: a department, a
-- category, a district, or the first day of a day, week or month of the zone; null for the whole city or where none is known.
create function judged_requests(as_of timestamptz, grouping_by text, zone text) returns table (
    request_id uuid,
    submitted_at timestamptz,
    confidential boolean,
    department text,
    category text,
    district text,
    part text,
    assigned boolean,
    contacted_in_time boolean,
    contact_pending boolean, -- no contact yet, or none before it ended, and still time for it
    answered boolean,
    solved boolean,
    satisfied boolean,
    no_reply boolean,
    no_response boolean, -- a deadline passed with no contact
    slow_response boolean, -- contacted or resolved late
    wrong_response boolean, -- returned, reassigned, reworked or not solved
    quick_logged boolean -- settled on the spot: in no other figure
) language sql stable as $$
    select
        request_id, submitted_at, confidential, department, category, district,
        case grouping_by
            when 'department' then department
            when 'category' then category
            when 'district' then district
            when 'city' then null
            else to_char(date_trunc(grouping_by, submitted_at at time zone zone), 'YYYY-MM-DD')
        end,
        is_assigned,
        is_assigned and contacted_at is not null and not contacted_late,
        is_assigned and contacted_at is null and not deadline_passed,
        -- The citizen's last word counts. Silence after a second answer takes back no "no" to the first.
        snapshots.solved is not null,
        coalesce(snapshots.solved = 'yes', false),
        coalesce(snapshots.solved is not null and snapshots.satisfied >= 3, false),
        coalesce(snapshots.solved is null and outcome = 'no_reply', false),
        is_assigned and contacted_at is null and deadline_passed,
        is_assigned and contacted_at is not null and (contacted_late or resolved_late),
        is_assigned and (
            return_count > 0 or rework_count > 0 or was_reassigned or was_reopened
            or coalesce(result = 'not_solved' or snapshots.solved = 'no' or outcome = 'not_solved_final', false)
        ),
        snapshots.quick_logged
    from snapshots
    -- A new assignment sets a new deadline for the contact; the event tells that an earlier one had passed. So does, before
    -- a reopening, the escalation by the clock that its due date had.
    cross join lateral (
        select
            coalesce(bool_or(action = 'contact_overdue'), false) as was_not_contacted,
            coalesce(bool_or(action = 'reassign'), false) as was_reassigned,
            coalesce(bool_or(action = 'reopen'), false) as was_reopened,
            coalesce(
                min(sequence) filter (where action = 'escalate' and actor_kind = 'system' and state in ('assigned', 'in_progress', 'in_review'))
                < max(sequence) filter (where action = 'reopen'),
                false
            ) as was_late_before
        from events
        where events.request_id = snapshots.request_id and action in ('contact_overdue', 'reassign', 'reopen', 'escalate')
    ) as history
    -- Until when its clock ran: in a pause or a merger to the moment in which that began, or else to its end. The due date of
    -- a merged request is its parent's, which is counted for itself.
    cross join lateral (
        select
            coalesce(
                case when state in ('awaiting_citizen', 'on_hold', 'merged') then (
                    select max(at)
                    from events
                    where events.request_id = snapshots.request_id
                        and events.state = snapshots.state and state_before is distinct from events.state
                ) end,
                closed_at,
                as_of
            ) as ran_until,
            case when state <> 'merged' then due_at end as own_due_at
    ) as clock
    cross join lateral (
        select
            assigned_at is not null as is_assigned,
            was_not_contacted or coalesce(contacted_at > contact_due_at, false) as contacted_late,
            was_not_contacted or coalesce(least(contact_due_at, own_due_at) < ran_until, false) as deadline_passed,
            was_late_before or coalesce(own_due_at < coalesce(resolved_at, ran_until), false) as resolved_late
    ) as promises
$$;

-- The oldest program that can work with this database, by the newest migration that it brings. A migration that takes away what
-- an earlier program needs sets it anew; all others leave it alone, so that programs of before and after work side by side.
create table compatible_from (
    version text not null,
    only_row boolean primary key default true check (only_row)
);
insert into compatible_from (version) values ('20261122000021');

-- Which backups were restored into this database when. The runs that Temporal had before are not of the same instant: those that
-- may differ are ended before a worker does anything, and begin again where the database says that they stood.
create table restores (
    id uuid primary key, -- of the backup
    restored_at timestamptz not null,
    taken_at timestamptz not null, -- the instant of the database in the backup
    runs_copied_at timestamptz, -- the instant of Temporal's store, where it was restored as well; null: no run may go on
    runs_ended_at timestamptz -- null: a worker has to do it yet
);
