-- name: store(version, city, content, loaded_at)!
-- Keeps a policy version, inactive; a version that stands already is the same, for it is named by its content.
insert into policies (version, city, content, loaded_at, active)
values (:version, :city, :content, :loaded_at, false)
on conflict (version) do nothing;

-- name: deactivate(version)!
-- Makes room for another active version.
update policies set active = false where active and version <> :version;

-- name: activate(version)!
-- From now on new decisions follow this version.
update policies set active = true where version = :version;

-- name: active_version()$
-- The version that new decisions follow.
select version from policies where active;

-- name: content(version)$
-- The content of one version.
select content from policies where version = :version;

-- name: in_flight(states)
-- How many open requests stand under which version.
select policy_version as version, count(*) as requests
from snapshots
where state = any (:states::text[]) and policy_version is not null
group by policy_version
order by requests desc, version;

-- name: references_under(version, states)
-- The open requests under a version, the oldest first.
select reference
from snapshots
where state = any (:states::text[]) and policy_version = :version
order by submitted_at, request_id;

-- name: versions()
-- All versions, the latest loaded first.
select version, city, loaded_at, active from policies order by loaded_at desc, version;
