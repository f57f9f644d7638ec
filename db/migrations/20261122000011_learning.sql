-- migrate:up

-- How a new model did beside the one in force, on decisions that neither had seen; kept for good.
create table classifier_comparisons (
    id bigint generated always as identity primary key,
    run text not null unique, -- of the workflow: a comparison that is stored again is stored once
    compared_at timestamptz not null,
    outcome text not null, -- activated, refused, too_few, overtaken
    candidate text, -- version; a refused model itself is kept for some weeks only
    active text, -- version; null: the words of the policy decided
    figures jsonb not null -- counts, shares and codes: in total, by class, and why
);

-- Who or what put a model into force, and why. Constant defaults, so that no row is rewritten.
alter table classifier_activations
    add column activated_by text not null default 'command', -- command, or retraining
    add column because text not null default 'chosen', -- trained, loaded, chosen, back, no_worse
    add column account text, -- of the operating system, where a person gave the command
    add column reason_sealed bytea, -- what that person gave as the reason
    add column comparison bigint references classifier_comparisons (id);

-- migrate:down
alter table classifier_activations
    drop column activated_by, drop column because, drop column account, drop column reason_sealed, drop column comparison;
drop table classifier_comparisons;
