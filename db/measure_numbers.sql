-- How long the numbers take over a million made-up requests of one year, five events each (docs/numbers.md). For an empty,
-- migrated scratch database, which is of no use for anything else afterwards:
--
--     psql "$DATABASE_URL" -f db/measure_numbers.sql
\set ON_ERROR_STOP on
\timing off
set session_replication_role = replica; -- the rows fit together without the checks of a million foreign keys
set jit = off;
set timezone = 'UTC';

create temporary table made as
select
    number,
    gen_random_uuid() as id,
    at as submitted_at,
    at + interval '1 minute' as assigned_at,
    at + interval '1 day' as contact_due_at,
    at + interval '7 days' as due_at,
    -- One in ten is contacted late, one in twenty never.
    case when number % 20 > 0 then at + interval '1 hour' * (case when number % 10 = 1 then 30 else 1 + number % 22 end) end as contacted_at,
    -- One in eight is answered late, the last ones not yet.
    case when at < '2026-11-12' then at + interval '1 hour' * (case when number % 8 = 1 then 200 else 24 + number % 140 end) end as resolved_at,
    number % 25 = 3 as is_returned,
    number % 30 = 7 as is_reassigned,
    number % 40 = 9 as is_reworked,
    case number % 3 when 0 then 'yes' when 1 then case when number % 2 = 0 then 'partly' else 'no' end end as solved
from generate_series(1, 1000000) as number
cross join lateral (select timestamptz '2025-11-22' + interval '31.536 seconds' * number as at) as clock;

insert into requests (id, reference, submitted_at, channel, language, description_sealed, token_hash, token_sealed)
select id, lpad(number::text, 13, '0'), submitted_at, 'web', 'zh', decode(repeat('ab', 300), 'hex'), '\x00', '\x00' from made;

insert into snapshots (
    request_id, reference, submitted_at, confidential, sequence, state, category, department, district, policy_version,
    return_count, rework_count, assigned_at, accepted_at, contacted_at, resolved_at, closed_at, accept_due_at,
    contact_due_at, return_until, due_at, result, resolved_by, solved, satisfied, outcome, updated_at
)
select
    id, lpad(number::text, 13, '0'), submitted_at, number % 100 = 0, 5, case when resolved_at is null then 'in_progress' else 'closed' end,
    'category_' || number % 60, 'department_' || number % 45, 'district_' || number % 12, repeat('a', 64),
    is_returned::int, is_reworked::int, assigned_at, assigned_at, contacted_at, resolved_at, resolved_at + interval '2 days',
    contact_due_at, contact_due_at, contact_due_at, due_at, 'solved', id::text, solved,
    case when solved is not null then 1 + number % 5 end, case when solved is null then 'no_reply' else 'solved' end, resolved_at
from made
order by number + 60000 * random(); -- written anew with every event, so scattered over three weeks

insert into events (request_id, sequence, at, action, actor_kind, actor_id, state_before, state, public, facts)
select id, sequence, submitted_at + interval '1 hour' * sequence, action, 'system', '', 'assigned', 'assigned', true, '{"department": "housing"}'
from made
cross join lateral (
    values
        (1, 'submit'), (2, 'auto_assign'), (3, 'accept'), (4, 'resolve'), (5, 'close'),
        (6, case when contacted_at is null or contacted_at > contact_due_at then 'contact_overdue' end),
        (7, case when resolved_at is null or resolved_at > due_at then 'escalate' end),
        (8, case when is_reassigned then 'reassign' end),
        (9, case when is_reworked then 'reopen' end)
) as happened (sequence, action)
where action is not null;

vacuum analyze;
\timing on
\set scope '\'Asia/Shanghai\') where submitted_at >= \'2026-10-01 00:00+08\' and submitted_at < \'2026-11-01 00:00+08\''
\set sums 'count(*) filter (where assigned), count(*) filter (where contacted_in_time), count(*) filter (where contact_pending), count(*) filter (where answered), count(*) filter (where solved), count(*) filter (where satisfied), count(*) filter (where no_reply), count(*) filter (where no_response), count(*) filter (where slow_response), count(*) filter (where wrong_response)'

\echo The month of the whole city, three times:
select count(*), :sums from judged_requests('2026-11-22', 'city', :scope;
select count(*), :sums from judged_requests('2026-11-22', 'city', :scope;
select count(*), :sums from judged_requests('2026-11-22', 'city', :scope;
\echo The month by department:
select count(*), sum(wrong) from (select part, count(*) filter (where wrong_response) as wrong from judged_requests('2026-11-22', 'department', :scope group by part) as line;
\echo The whole year by month:
select part, count(*), :sums from judged_requests('2026-11-22', 'month', 'Asia/Shanghai') group by part order by part;
\echo A page of the list behind a figure of the month, and of one that is nearly empty:
select count(*) from (select request_id from judged_requests('2026-11-22', 'city', :scope and no_response order by submitted_at desc, request_id desc limit 26) as page;
select count(*) from (select request_id from judged_requests('2026-11-22', 'department', :scope and no_response and part = 'department_1' order by submitted_at desc, request_id desc limit 26) as page;
\echo What requests of a category took lately, in a department that had a few of them:
select count(*) from (
    select assigned_at, resolved_at, array(
        select at from events
        where events.request_id = snapshots.request_id
            and (events.state in ('awaiting_citizen', 'on_hold')) <> coalesce(state_before in ('awaiting_citizen', 'on_hold'), false)
        order by sequence
    ) as pauses
    from snapshots
    where category = 'category_1' and department = 'department_1' and resolved_at >= timestamptz '2026-11-22' - interval '90 days'
        and rework_count = 0 and assigned_at is not null
    order by resolved_at desc limit 500
) as learned;
explain (analyze, buffers, costs off) select count(*), :sums from judged_requests('2026-11-22', 'city', :scope;
