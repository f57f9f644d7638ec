-- The last words of a restore, still in its transaction: everything is there, and no run of before may go on.
reset search_path;
select 1 / (
    (select count(*) from public.requests) = :requests and (select count(*) from public.events) = :events
    and (select count(*) from public.texts) = :texts and (select count(*) from public.attachments) = :attachments
)::int as everything_is_there;
insert into public.restores (id, restored_at, taken_at) values (:'id', :'restored_at', :'taken_at')
on conflict (id) do update set restored_at = excluded.restored_at, runs_copied_at = null, runs_ended_at = null;
