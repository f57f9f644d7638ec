-- name: demand(request_id, demanded_at, demanded_by, reason_sealed)^
-- Keeps who demanded it when; the first demand stays.
with kept as (
    insert into erasure_demands (request_id, demanded_at, demanded_by, reason_sealed)
    values (:request_id, :demanded_at, :demanded_by, :reason_sealed)
    on conflict do nothing
    returning demanded_by, demanded_at, carried_out_at
)
select demanded_by, demanded_at, carried_out_at from kept
union all
select demanded_by, demanded_at, carried_out_at from erasure_demands where request_id = :request_id;

-- name: demand_of(request_id)^
-- Who demanded that the request be erased, and whether it was.
select demanded_by, demanded_at, carried_out_at from erasure_demands where request_id = :request_id;

-- name: reason_of(request_id)$
-- What the admin gave as the reason.
select reason_sealed from erasure_demands where request_id = :request_id;

-- name: demanded(over, after_at, after_id, most)
-- Demands that wait although the request is over, the oldest first.
select demanded_at as at, request_id
from erasure_demands
join snapshots using (request_id)
where carried_out_at is null
    and (:after_at::timestamptz is null or (demanded_at, request_id) > (:after_at, :after_id::uuid))
    and state = any (:over::text[])
order by demanded_at, request_id
limit :most;

-- name: outdated(over, submitted_before, after_at, after_id, most)
-- Old requests that are over and not erased. Nothing ends before it is submitted, so the index of those not erased finds all.
select requests.submitted_at as at, requests.id as request_id
from requests
join snapshots on snapshots.request_id = requests.id
where erased_at is null
    and requests.submitted_at < :submitted_before
    and (:after_at::timestamptz is null or (requests.submitted_at, requests.id) > (:after_at, :after_id::uuid))
    and state = any (:over::text[])
order by requests.submitted_at, requests.id
limit :most;

-- name: parent_over_since(request_id, over)$
-- Since when the request is over that this one was merged into, itself or by way of others.
with recursive line as (
    select parent from snapshots where request_id = :request_id and state = 'merged'
    union
    select snapshots.parent from line join snapshots on snapshots.reference = line.parent where state = 'merged'
)
select coalesce(closed_at, updated_at)
from line
join snapshots on snapshots.reference = line.parent
where state = any (:over::text[]) and state <> 'merged';

-- name: lock(request_id, owed_since)^
-- Lets nobody else write to the request, and says whether something of it is under way: a message on its way to the run, a
-- notice in somebody's hand, or one to the staff that is not sent.
select
    erased_at, sequence,
    exists (select from inbox where inbox.request_id = requests.id and delivered_at is null)
    or exists (
        select from notices
        where notices.request_id = requests.id
            and (notices.state = 'sending' or notices.state = 'owed' and recipient <> 'citizen')
            and created_at > :owed_since
    ) as is_under_way
from requests
join snapshots on snapshots.request_id = requests.id
where requests.id = :request_id
for update;

-- name: erase_notices(request_id)!
-- What was still to be sent has no address any more; who was owed what stays, without any code that went with it.
update notices
set facts = facts - 'code_sealed',
    state = case when state in ('owed', 'sending') then 'no_address' else state end,
    last_error = case when state in ('owed', 'sending') then 'erased' else last_error end
where request_id = :request_id;

-- name: erase_outbox(request_id)!
-- The messages themselves, with the numbers they went to.
delete from outbox using notices where notices.id = outbox.notice_id and notices.request_id = :request_id;

-- name: erase_texts(request_id)!
-- All that the citizen and the staff wrote; events go on naming the texts by their ids.
delete from texts where request_id = :request_id;

-- name: erase_attachments(request_id)!
-- All pictures.
delete from attachments where request_id = :request_id;

-- name: erase_inbox(request_id)!
-- What the citizen's messages said beside their texts; when they came, and of what kind they were, stays.
update inbox set payload = '{}' where request_id = :request_id;

-- name: erase_one_time_codes(request_id)!
-- The code by which the citizen came back.
delete from one_time_codes where request_id = :request_id;

-- name: erase_topics(request_id)!
-- It stands behind no hot topic any more, and none is called by its words; the next look finds others.
with left_out as (
    delete from topic_requests where request_id = :request_id
)
update topics set words_sealed = '' where named_after = :request_id;

-- name: erase_request(request_id)!
-- Who asked for what and where. The hash of the token stays, so that the link goes on opening what is left.
update requests
set title_sealed = null, description_sealed = null, contact_sealed = null, phone_index = null, address_sealed = null,
    place_sealed = null, place_index = null, place = null, lat = null, long = null, datum = null, token_sealed = '', idempotency_key = null, idempotency_body = null
where id = :request_id;

-- name: mark_erased(request_id, at)!
-- When it was done, for the request and for whoever demanded it.
with met as (
    update erasure_demands set carried_out_at = :at where request_id = :request_id
)
update requests set erased_at = :at where id = :request_id;
