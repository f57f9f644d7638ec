-- name: of_act(reference, update_id)^
-- What an action of staff that was carried out has made of the request: the number and the state of its event.
select acts.sequence, events.state
from acts
join snapshots using (request_id)
join events on events.request_id = acts.request_id and events.sequence = acts.sequence
where snapshots.reference = :reference and acts.update_id = :update_id;
