-- migrate:up

alter table snapshots add column quick_logged boolean not null default false; -- settled on the spot, and counted apart

-- The events by which a request is judged though its snapshot has moved on since.
create index events_that_judge on events (request_id, action, actor_kind, state, sequence)
    where action in ('contact_overdue', 'reassign', 'reopen', 'escalate');

-- What was answered lately, for what the next ones can expect.
create index snapshots_by_resolution on snapshots (category, resolved_at) where resolved_at is not null;

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

-- migrate:down
drop function judged_requests;
drop index snapshots_by_resolution;
drop index events_that_judge;
alter table snapshots drop column quick_logged;
