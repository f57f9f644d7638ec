-- name: decided(after, states, most)
-- Requests that a department accepted as its own, oldest first, with their texts still sealed; never confidential ones.
select requests.id, title_sealed, description_sealed, snapshots.category
from requests
join snapshots on snapshots.request_id = requests.id
where requests.id > :after
    and snapshots.state = any (:states::text[])
    and snapshots.accepted_at is not null
    and snapshots.category is not null
    and not requests.confidential
    and requests.erased_at is null
order by requests.id
limit :most;
