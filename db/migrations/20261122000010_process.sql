-- migrate:up

-- The whole process: pauses, more time, calls, co-handlers, merging. Constant defaults, so that no row is rewritten.
alter table snapshots
    add column service_level text, -- code of the promise under which it was assigned
    add column due_from timestamptz, -- the assignment that fixed the due date
    add column urge_every_seconds int not null default 86400, -- from one urging to the next
    add column told_at timestamptz, -- the city's latest event that the citizen could see
    add column paused_at timestamptz, -- since when the clocks stand still
    add column paused_seconds int not null default 0, -- of all pauses that are over, by the wall clock
    add column question uuid, -- id of the text that waits for the citizen's answer
    add column question_count int not null default 0,
    add column answer_due_at timestamptz,
    add column hold_asked_by text,
    add column hold_reason uuid, -- id of the text
    add column hold_review_on date,
    add column extension_asked_by text,
    add column extension_reason uuid, -- id of the text
    add column extension_days int,
    add column extended_at timestamptz,
    add column call_wanted_at timestamptz, -- since when a caller shall ask how it went
    add column call_count int not null default 0,
    add column parent text, -- reference of the request that it was merged into
    add column parent_state text, -- where that one stands
    add column followers int not null default 0, -- requests merged into this one
    add column co_handlers jsonb not null default '[]',
    add column co_departments text[] not null default '{}'; -- departments that are at work as co-handlers

-- The tasks of the callers, the longest waiting first; the requests of a parent; the requests where a department helps.
create index snapshots_to_call on snapshots (call_wanted_at) where call_wanted_at is not null;
create index snapshots_by_parent on snapshots (parent) where parent is not null;
create index snapshots_by_co_department on snapshots using gin (co_departments) where co_departments <> '{}';

-- migrate:down
drop index snapshots_by_co_department, snapshots_by_parent, snapshots_to_call;
alter table snapshots
    drop column service_level, drop column due_from, drop column urge_every_seconds, drop column told_at, drop column paused_at, drop column paused_seconds, drop column question,
    drop column question_count, drop column answer_due_at, drop column hold_asked_by, drop column hold_reason,
    drop column hold_review_on, drop column extension_asked_by, drop column extension_reason, drop column extension_days,
    drop column extended_at, drop column call_wanted_at, drop column call_count, drop column parent,
    drop column parent_state, drop column followers, drop column co_handlers, drop column co_departments;
