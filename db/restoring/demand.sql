-- Demands it again of the requests that the backup has; the hourly schedule meets the demands.
insert into public.erasure_demands (request_id, demanded_at, demanded_by, reason_sealed)
select requests.id, demanded_at, demanded_by, reason_sealed
from demanded
join public.requests on requests.id = demanded.request_id or requests.reference = demanded.reference
on conflict do nothing;
