-- migrate:up

-- Trained models of the classifier, each under the name that its content gives it.
create table classifier_models (
    version text primary key,
    content bytea not null, -- the model file with its checksum
    facts jsonb not null, -- what it was trained on and how well it did, as codes and numbers
    stored_at timestamptz not null
);

-- Which model decided from when on. Appended, never edited: the latest row is in force.
create table classifier_activations (
    id bigint generated always as identity primary key,
    version text references classifier_models (version), -- null: the words of the policy decide
    activated_at timestamptz not null
);

-- migrate:down
drop table classifier_activations, classifier_models;
