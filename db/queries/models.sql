-- name: keep(version, content, facts, stored_at)!
-- Keeps a model; one of that version is the same, for it is named by its content.
insert into classifier_models (version, content, facts, stored_at)
values (:version, :content, :facts, :stored_at)
on conflict (version) do nothing;

-- name: activate(version, activated_at)!
-- From now on this model decides, or, without a version, the words of the policy; none where that is so already.
insert into classifier_activations (version, activated_at)
select :version, :activated_at
where not exists (
    select from (select version from classifier_activations order by id desc limit 1) as latest
    where latest.version is not distinct from :version
);

-- name: active_version()$
-- The model that decides; none where the words of the policy do.
select version from classifier_activations order by id desc limit 1;

-- name: latest_activations(most)
-- The latest activations, the latest first.
select version, activated_at from classifier_activations order by id desc limit :most;

-- name: content(version)$
-- The model file.
select content from classifier_models where version = :version;

-- name: models()
-- All models, the latest kept first, with when each was last activated.
select
    version, facts, stored_at,
    (select max(activated_at) from classifier_activations where version = classifier_models.version) as activated_at
from classifier_models
order by stored_at desc, version;
