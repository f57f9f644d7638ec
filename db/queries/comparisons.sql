-- name: keep(run, compared_at, outcome, candidate, active, figures)$
-- Keeps what a comparison found; none where that of the same run stands already.
insert into classifier_comparisons (run, compared_at, outcome, candidate, active, figures)
values (:run, :compared_at, :outcome, :candidate, :active, :figures)
on conflict (run) do nothing
returning id;

-- name: of_run(run)^
-- What the comparison of a run found.
select id, compared_at, outcome, candidate, active, figures from classifier_comparisons where run = :run;

-- name: latest(most)
-- The latest comparisons, the latest first.
select id, compared_at, outcome, candidate, active, figures
from classifier_comparisons
order by id desc
limit :most;

-- name: overtaken(id)!
-- The model in force is another than the one it was compared with.
update classifier_comparisons set outcome = 'overtaken' where id = :id;

-- name: try_lock(key)$
-- Whether this session is the one that trains; so it is until it lets go of the lock, or ends.
select pg_try_advisory_lock(:key);

-- name: unlock(key)$
-- Lets another train.
select pg_advisory_unlock(:key);
