-- Takes away all that a program of ours has made in this database. Part of the transaction that puts a backup in its place.
set client_min_messages = warning;
do $$
declare
    thing record;
begin
    for thing in
        select format('drop table if exists public.%I cascade', relname) as command
        from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
            and not exists (select from pg_depend where objid = pg_class.oid and deptype = 'e')
        union all
        select format('drop function if exists %s cascade', oid::regprocedure)
        from pg_proc
        where pronamespace = 'public'::regnamespace
            and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')
    loop
        execute thing.command;
    end loop;
end
$$;
