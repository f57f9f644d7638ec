-- name: save(id, username, name, password_hash, roles, phone_sealed, language, active, demo)$
-- Adds an account, or changes the one of that name; gives its id.
insert into staff (id, username, name, password_hash, roles, phone_sealed, language, active, demo)
values (:id, :username, :name, :password_hash, :roles, :phone_sealed, :language, :active, :demo)
on conflict (username) do update set
    name = excluded.name, password_hash = excluded.password_hash, roles = excluded.roles,
    phone_sealed = excluded.phone_sealed, language = excluded.language, active = excluded.active, demo = excluded.demo
returning id;

-- name: leave_departments(staff_id)!
-- Takes a member of staff out of all departments.
delete from staff_departments where staff_id = :staff_id;

-- name: join_departments(staff_id, departments, leads)!
-- Puts a member of staff into departments.
insert into staff_departments (staff_id, department, lead)
select :staff_id, department, lead
from unnest(:departments::text[], :leads::boolean[]) as place (department, lead);

-- name: by_username(username)^
-- The account of that name with its departments.
select id, username, name, password_hash, roles, language, active, demo,
    array(select department from staff_departments where staff_id = id and not lead order by department) as member_of,
    array(select department from staff_departments where staff_id = id and lead order by department) as leads
from staff
where username = :username;

-- name: everybody()
-- All accounts with their departments.
select id, username, name, password_hash, roles, language, active, demo,
    array(select department from staff_departments where staff_id = id and not lead order by department) as member_of,
    array(select department from staff_departments where staff_id = id and lead order by department) as leads
from staff
order by username;

-- name: names(ids)
-- What the members of staff with these ids are called.
select id, name from staff where id = any(:ids);

-- name: set_password(username, password_hash)$
-- Changes a password; gives the id of the account.
update staff set password_hash = :password_hash where username = :username returning id;

-- name: set_active(username, active)$
-- Opens or closes an account; gives its id.
update staff set active = :active where username = :username returning id;

-- name: open_session(token_hash, staff_id, password_hash, created_at, expires_at)!
-- Signs a member of staff in, and forgets their sessions that have ended. A change of the account that is under way is
-- waited for, and one that comes waits: either it ends this session, or this finds another password.
with ended as (
    delete from sessions where staff_id = :staff_id and expires_at <= :created_at
)
insert into sessions (token_hash, staff_id, created_at, expires_at)
select :token_hash, id, :created_at, :expires_at
from staff
where id = :staff_id and password_hash = :password_hash and active
for share;

-- name: account_of_session(token_hash, now)^
-- Whose session the token opens, unless it has ended or the account is closed.
select id, username, name, password_hash, roles, language, active, demo,
    array(select department from staff_departments where staff_id = id and not lead order by department) as member_of,
    array(select department from staff_departments where staff_id = id and lead order by department) as leads
from sessions join staff on staff.id = sessions.staff_id
where token_hash = :token_hash and expires_at > :now and active;

-- name: close_session(token_hash)!
-- Signs out.
delete from sessions where token_hash = :token_hash;

-- name: sessions_of(staff_id, now)
-- The sessions of a member of staff that have not ended, the newest first; named by the beginning of the hash.
select encode(substr(token_hash, 1, 8), 'hex') as name, created_at, expires_at
from sessions
where staff_id = :staff_id and expires_at > :now
order by created_at desc, name;

-- name: close_session_named(staff_id, name)!
-- Ends one session of a member of staff.
delete from sessions where staff_id = :staff_id and encode(substr(token_hash, 1, 8), 'hex') = :name;

-- name: close_sessions(staff_id)!
-- Signs out everywhere.
delete from sessions where staff_id = :staff_id;
