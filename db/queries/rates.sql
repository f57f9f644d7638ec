-- name: counts(grouping, zone, from_at, to_at, department, category, district, everything, confidential, own, now)
-- What the three rates and the three failures are made of, for the requests submitted in a period (PROCESS.md section 5).
-- What each figure means stands in judged_requests.
select
    part,
    count(*) filter (where not quick_logged) as submitted,
    count(*) filter (where assigned) as assigned,
    count(*) filter (where contacted_in_time) as contacted_in_time,
    count(*) filter (where contact_pending) as contact_pending,
    count(*) filter (where answered) as answered,
    count(*) filter (where solved) as solved,
    count(*) filter (where satisfied) as satisfied,
    count(*) filter (where no_reply) as no_reply,
    count(*) filter (where no_response) as no_response,
    count(*) filter (where slow_response) as slow_response,
    count(*) filter (where wrong_response) as wrong_response,
    count(*) filter (where quick_logged) as quick_logged
from judged_requests(:now, :grouping, :zone)
where submitted_at >= :from_at and submitted_at < :to_at
    and (:department::text is null or department = :department)
    and (:category::text is null or category = :category)
    and (:district::text is null or district = :district)
    and (department = any (:own::text[]) or (:everything and (:confidential or not confidential)))
group by part
order by part nulls last;

-- name: counted(figure, part, grouping, zone, from_at, to_at, department, category, district, everything, confidential, own, before_at, before_id, now, most)
-- A page of the requests that one figure of one part counts, the latest first.
with page as (
    select request_id, submitted_at
    from judged_requests(:now, :grouping, :zone)
    where submitted_at >= :from_at and submitted_at < :to_at
        and (submitted_at, request_id) < (:before_at, :before_id)
        and part is not distinct from :part
        and (:department::text is null or department = :department)
        and (:category::text is null or category = :category)
        and (:district::text is null or district = :district)
        and (department = any (:own::text[]) or (:everything and (:confidential or not confidential)))
        and case :figure
            when 'submitted' then not quick_logged
            when 'assigned' then assigned
            when 'contacted_in_time' then contacted_in_time
            when 'contact_pending' then contact_pending
            when 'answered' then answered
            when 'solved' then solved
            when 'satisfied' then satisfied
            when 'no_reply' then no_reply
            when 'no_response' then no_response
            when 'slow_response' then slow_response
            when 'wrong_response' then wrong_response
            when 'quick_logged' then quick_logged
        end
    order by submitted_at desc, request_id desc
    limit :most
)
select {snapshots.snapshot}, title_sealed, description_sealed
from page
join snapshots on snapshots.request_id = page.request_id
join requests on requests.id = page.request_id
order by snapshots.submitted_at desc, snapshots.request_id desc;
