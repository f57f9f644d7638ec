-- name: count(key, now, resets_at)^
-- Counts one more try, from one again when the window of the earlier ones has passed.
insert into throttles as throttle (key, count, resets_at)
values (:key, 1, :resets_at)
on conflict (key) do update set
    count = case when throttle.resets_at <= :now then 1 else throttle.count + 1 end,
    resets_at = case when throttle.resets_at <= :now then excluded.resets_at else throttle.resets_at end
returning count, resets_at;

-- name: standing(key, now)^
-- How many tries the running window has seen.
select count, resets_at from throttles where key = :key and resets_at > :now;

-- name: take_back(key)!
-- Forgets one try.
update throttles set count = count - 1 where key = :key and count > 0;

-- name: clear(key)!
-- Forgets the tries.
delete from throttles where key = :key;

-- name: forget_past(now)!
-- Removes counters whose window has passed.
delete from throttles where resets_at <= :now;
