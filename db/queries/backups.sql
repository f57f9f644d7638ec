-- name: snapshot_id()$
-- The name under which pg_dump sees what this transaction sees.
select pg_export_snapshot();

-- name: counts()^
-- How much there is: what a restore must have brought back.
select
    (select count(*) from requests) as requests, (select count(*) from events) as events,
    (select count(*) from texts) as texts, (select count(*) from attachments) as attachments,
    (select count(*) from snapshots where state not in ('closed', 'declined', 'transferred', 'merged', 'withdrawn', 'resolved')) as open;

-- name: has_tables()$
-- Whether there are tables of ours in this database.
select to_regclass('public.requests') is not null;

-- name: has_requests()$
-- Whether a city lives in it.
select exists (select from requests);

-- name: is_furnished()$
-- Whether somebody has made accounts in it, or given it a policy.
select exists (select from staff) or exists (select from policies);

-- name: things()
-- What a restore would take away: tables and functions, and views that read them.
select relname as name
from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm')
    and not exists (select from pg_depend where objid = pg_class.oid and deptype = 'e')
union
select proname
from pg_proc
where pronamespace = 'public'::regnamespace
    and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')
order by name;

-- name: others()
-- Which programs of ours work on this database just now.
select distinct application_name
from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
    and application_name in ('worker', 'relay', 'huisheng-api', 'huisheng-figures')
order by application_name;

-- name: demands_since(since)
-- What somebody has demanded to be erased, and what was, since that instant.
select request_id, reference, demanded_at, demanded_by, encode(reason_sealed, 'hex') as reason
from erasure_demands
join requests on requests.id = request_id
where demanded_at >= :since or carried_out_at >= :since
order by demanded_at, request_id;

-- name: to_be_erased(references, over)^
-- Of the requests whose erasure was demanded: how many are over, are not over, and are not here at all. The others are erased.
select
    count(*) filter (where is_over) as due,
    count(*) filter (where not is_over) as waiting,
    count(*) filter (where is_over is null) as unknown
from unnest(:references::text[]) as asked (reference)
left join (
    select
        reference, erased_at,
        coalesce(state = any (:over::text[]) and (state <> 'merged' or parent_state = any (:over::text[])), false) as is_over
    from requests left join (select request_id, state, parent_state from snapshots) as standing on request_id = requests.id
) as found using (reference)
where erased_at is null;

-- name: note_recovery(id, at)!
-- The database is of an earlier instant than the runs: none of them may go on.
insert into restores (id, restored_at, taken_at) values (:id, :at, :at);

-- name: waiting_restore()^
-- The latest restore after which the runs of before have not been ended yet.
select id, restored_at, runs_copied_at from restores where runs_ended_at is null order by restored_at desc limit 1;

-- name: runs_restored(id, copied_at)!
-- Temporal's store is of that instant: what nothing has happened to since may go on.
update restores set runs_copied_at = :copied_at where id = :id and runs_ended_at is null;

-- name: runs_ended(at)!
-- The runs of before are ended where they had to be.
update restores set runs_ended_at = :at where runs_ended_at is null;

-- name: touched_since(since)
-- The requests to which something has happened since that instant, with those that they are merged with.
with touched as (
    select request_id from events where at >= :since
    union
    select request_id from acts where recorded_at >= :since
    union
    select request_id from inbox where received_at >= :since or delivered_at >= :since or delivered_at is null
),
own as (
    select reference, parent from snapshots join touched using (request_id)
)
select reference from own
union
select parent from own where parent is not null
union
select snapshots.reference from snapshots join own on snapshots.parent = own.reference;

-- name: keys_in_use()
-- The ids of the keys that have sealed something.
with sealed (value) as (
    select title_sealed from requests union all select description_sealed from requests
    union all select contact_sealed from requests union all select address_sealed from requests
    union all select place_sealed from requests union all select token_sealed from requests union all select body_sealed from texts
    union all select image_sealed from attachments union all select recipient_sealed from outbox
    union all select text_sealed from outbox union all select words_sealed from topics
    union all select phone_sealed from staff union all select reason_sealed from erasure_demands
    union all select reason_sealed from classifier_activations
)
select distinct convert_from(substring(head from 3 for get_byte(head, 1)), 'UTF8') as key
from (select substring(value from 1 for 260) as head from sealed where length(value) > 2) as heads
order by key;
