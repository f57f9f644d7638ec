-- name: told(since_at, until_at, most)
-- What people told in a period, still sealed, the latest first; never what is confidential, erased or to be erased.
select
    requests.id as request_id, requests.reference, requests.submitted_at, title_sealed, description_sealed, place_sealed, place, phone_index, category
from requests
join snapshots on snapshots.request_id = requests.id
where snapshots.submitted_at between :since_at and :until_at
    and not requests.confidential
    and not snapshots.confidential
    and erased_at is null
    and not exists (select from erasure_demands where erasure_demands.request_id = requests.id)
order by snapshots.submitted_at desc, requests.id
limit :most;

-- name: lock()$
-- One look at a time keeps what it found.
select pg_advisory_xact_lock(hashtext('huisheng topics'));

-- name: known()
-- The topics of the earlier looks with the requests behind them, the first found first.
select
    id, found_at, spike, warned_at,
    array(select request_id from topic_requests where topic_id = id order by request_id) as requests
from topics
order by first_found_at, id;

-- name: keep(id, words_sealed, named_after, found_at, authors, lately, before, times, probability, spike, warned_at)!
-- Keeps a topic as this look found it. Words of a request that was erased meanwhile are not kept.
insert into topics (
    id, words_sealed, named_after, first_found_at, found_at, authors, lately, before, times, probability, spike, warned_at
)
select
    :id, case when erased_at is null then :words_sealed::bytea else '' end, requests.id, :found_at, :found_at, :authors,
    :lately, :before, :times, :probability, :spike, :warned_at
from requests
where requests.id = :named_after
on conflict (id) do update set
    words_sealed = excluded.words_sealed, named_after = excluded.named_after, found_at = excluded.found_at,
    authors = excluded.authors, lately = excluded.lately, before = excluded.before, times = excluded.times,
    probability = excluded.probability, spike = excluded.spike, warned_at = excluded.warned_at;

-- name: forget_requests(id)!
-- The requests behind a topic are told anew.
delete from topic_requests where topic_id = :id;

-- name: keep_requests(id, requests)!
-- The requests behind a topic.
insert into topic_requests (topic_id, request_id)
select :id, requests.id from requests where requests.id = any (:requests::uuid[]) and erased_at is null;

-- name: forget(found_before)!
-- Topics that were not found for so long are over.
delete from topics where found_at < :found_before;

-- name: warn(request_id, sequence, facts, now)!
-- A notice to each supervisor, carried by one of the requests behind the topic; where there is none, a row without an address.
insert into notices (id, request_id, sequence, kind, recipient, channel, language, facts, urgent, state, created_at)
select gen_random_uuid(), :request_id, :sequence, 'topic_spike', recipient, 'sms', language, :facts, false, state, :now
from (
    select
        'staff:' || id as recipient, language, case when phone_sealed is null then 'no_address' else 'owed' end as state
    from staff
    where active and 'supervisor' = any (roles)
    union all
    select 'supervisors', 'zh', 'no_address'
    where not exists (select from staff where active and 'supervisor' = any (roles))
) as recipients
on conflict do nothing;

-- name: standing()
-- The topics of the latest look, those with the most authors first.
select id, words_sealed, first_found_at, found_at, authors, lately, before, times, probability, spike, warned_at
from topics
where found_at = (select max(found_at) from topics)
order by spike desc, authors desc, id;

-- name: standing_one(id)^
-- One topic, if a look that still counts has found it.
select id, words_sealed, first_found_at, found_at, authors, lately, before, times, probability, spike, warned_at
from topics
where id = :id;

-- name: behind(topic_id, everything, confidential, own, most)
-- The requests behind a topic that the person may see, the latest first.
select
    {snapshots.snapshot},
    title_sealed, description_sealed
from topic_requests
join snapshots on snapshots.request_id = topic_requests.request_id
join requests on requests.id = topic_requests.request_id
where topic_id = :topic_id
    and (:everything or department = any (:own::text[]) or co_departments && :own::text[])
    and (:confidential or not snapshots.confidential or department = any (:own::text[]) or co_departments && :own::text[])
order by snapshots.submitted_at desc, snapshots.request_id desc
limit :most;
