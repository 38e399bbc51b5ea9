"""Namesakes: everything that the functions use, once more in an attacker's schema, in public and in pg_temp.

Each of them, when executed, ends the statement with SQLSTATE ZZ666 and says under whose rights it ran. Functions and
operators have the very argument types of the originals; tables and types have the names of ours and of PostgreSQL's.
"""

from fixture import run

# As a program of the server, because one mistake in hundreds of definitions must not end the others.
PLANT = r"""
do $plant$
declare
    source text := (select string_agg(p.prosrc, ' ') from pg_proc p
                     where p.pronamespace::regnamespace::text in ('millrace', 'forks', 'pipeline', 'notify'));
    one record;
    place text;
    body text;
    made int := 0;
begin
    foreach place in array %s::text[]
    loop
        body := format($$ language plpgsql as 'begin raise exception ''captured as %%%% in %%s'', current_user
                       using errcode = ''ZZ666''; end' $$, place);  -- without an operator or a function
        for one in select p.oid, p.proname, pg_get_function_identity_arguments(p.oid) as arguments,
                          format_type(p.prorettype, null) as result
                     from pg_proc p
                    where p.pronamespace = 'pg_catalog'::regnamespace and p.prokind in ('f', 'a')
                      and source ~ ('\m' || p.proname || '\M')
        loop
            begin
                execute format('create function %%s.%%I(%%s) returns %%s', place, one.proname,
                               replace(one.arguments, 'ORDER BY', ','), one.result) || body;
                made := made + 1;
            exception when others then
                null;
            end;
        end loop;
        for one in select o.oid, o.oprname, format_type(o.oprleft, null) as l, format_type(o.oprright, null) as r,
                          format_type(o.oprresult, null) as result
                     from pg_operator o
                    where o.oprnamespace = 'pg_catalog'::regnamespace and o.oprleft <> 0
                      and strpos(source, o.oprname) > 0
        loop
            begin
                execute format('create function %%s.operator_%%s(%%s, %%s) returns %%s', place, one.oid, one.l, one.r,
                               one.result) || body;
                execute format('create operator %%s.%%s (leftarg = %%s, rightarg = %%s, function = %%s.operator_%%s)',
                               place, one.oprname, one.l, one.r, place, one.oid);
                made := made + 1;
            exception when others then
                null;
            end;
        end loop;
        for one in select distinct c.relname from pg_class c
                    where c.relnamespace::regnamespace::text in ('millrace', 'forks', 'pipeline', 'notify')
                      and c.relkind in ('r', 'p', 'v', 'S')
                   union select unnest('{pg_class,pg_namespace,pg_proc,given,settled,gone}'::text[])
        loop
            execute format('create table %%s.%%I (id int)', place, one.relname);
        end loop;
        foreach body in array '{text,jsonb,xid8,regclass,name,tid,outcome,bytea}'::text[]
        loop
            execute format('create domain %%s.%%I as int check (false)', place, body);
        end loop;
    end loop;
    if made < 150 then
        raise exception 'only %% namesakes', made;
    end if;
end
$plant$;
"""


def plant_namesakes(connection, path, places=("pg_temp",)):
    """Those of pg_temp are this session's own."""
    run(connection, "set search_path = pg_catalog, pg_temp")
    if "evil" in places:
        run(connection, "create schema evil; grant usage on schema evil to public")
    run(connection, PLANT, list(places))
    run(connection, f"set search_path = {path}")
