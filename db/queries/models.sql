-- name: keep(version, content, facts, stored_at)!
-- Keeps a model; one of that version is the same, for it is named by its content.
insert into classifier_models (version, content, facts, stored_at)
values (:version, :content, :facts, :stored_at)
on conflict (version) do nothing;

-- name: activate(version, activated_at, activated_by, because, account, reason_sealed, comparison)!
-- From now on this model decides, or, without a version, the words of the policy; none where that is so already.
insert into classifier_activations (version, activated_at, activated_by, because, account, reason_sealed, comparison)
select :version, :activated_at, :activated_by, :because, :account, :reason_sealed, :comparison
where not exists (
    select from (select version from classifier_activations order by id desc limit 1) as latest
    where latest.version is not distinct from :version
);

-- name: hold()$
-- Lets nobody else put a model into force until the transaction ends; who asks which one decides is not held up.
lock table classifier_activations in share row exclusive mode;

-- name: active_version()$
-- The model that decides; none where the words of the policy do.
select version from classifier_activations order by id desc limit 1;

-- name: activations()
-- All activations, the earliest first.
select id, version, activated_at, activated_by, because, account, reason_sealed, comparison
from classifier_activations
order by id;

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

-- name: forget_refused(stored_before)!
-- Models that have never decided are thrown away after a while; those that have are named by events.
delete from classifier_models
where stored_at < :stored_before
    and not exists (select from classifier_activations where version = classifier_models.version);
