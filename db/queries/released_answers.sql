-- name: standing(request_id)^
-- The answer that a request has now, sealed, and whether that one is released.
select requests.id as request_id, snapshots.reply, contact_sealed, texts.body_sealed, released.released_at, erased_at is not null as is_erased,
    exists (
        select from events
        where events.request_id = snapshots.request_id and action = 'to_triage' and facts ->> 'reason' = 'sensitive'
    ) as was_sensitive
from snapshots
join requests on requests.id = snapshots.request_id
left join texts on texts.id = snapshots.reply
left join released_answers as released
    on released.request_id = snapshots.request_id and released.reply = snapshots.reply and withdrawn_at is null
where snapshots.request_id = :request_id;

-- name: outdate(request_id, reply, now)!
-- A release of another answer ends: the request has been answered anew since.
update released_answers set withdrawn_at = :now
where request_id = :request_id and withdrawn_at is null and reply <> :reply;

-- name: release(request_id, reply, now, by)!
-- Releases an answer; one that is released already stays as it is.
insert into released_answers (request_id, reply, released_at, released_by)
values (:request_id, :reply, :now, :by)
on conflict (request_id) where withdrawn_at is null do nothing;

-- name: withdraw(request_id, now, by)!
-- Takes a release back.
update released_answers set withdrawn_at = :now, withdrawn_by = :by
where request_id = :request_id and withdrawn_at is null;

-- name: public(category, kept_back, since_at, most)
-- Answers that everybody may read, the latest released first, still sealed. What was released is looked at again: a request
-- may have been answered anew, judged badly or found to be dangerous since.
select
    snapshots.request_id, category, result, snapshots.submitted_at, resolved_at, place_sealed, place, title_sealed, description_sealed,
    contact_sealed, texts.id as reply, body_sealed
from released_answers as released
join snapshots on snapshots.request_id = released.request_id and snapshots.reply = released.reply
join requests on requests.id = released.request_id
join texts on texts.id = released.reply
where withdrawn_at is null
    and state in ('resolved', 'closed')
    and resolved_at >= :since_at
    and (:category::text is null or category = :category)
    and not category = any (:kept_back::text[])
    and urgency <> 'danger'
    and not snapshots.confidential
    and result is distinct from 'not_solved'
    and solved is distinct from 'no'
    and coalesce(satisfied, 3) >= 3
    and erased_at is null
    and not exists (select from erasure_demands where erasure_demands.request_id = released.request_id)
    and not exists (
        select from events
        where events.request_id = released.request_id and action = 'to_triage' and facts ->> 'reason' = 'sensitive'
    )
order by released_at desc
limit :most;
