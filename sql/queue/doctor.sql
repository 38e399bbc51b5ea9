-- doctor: what is wrong with this installation, and what to do about it. Nothing when all is well.
--
-- One row for each finding, the gravest first:
--     critical  jobs do not run, or may be lost          warning  it works, and will not for ever
--     note      somebody wanted it so, and may have forgotten
-- Of twenty rows with the same finding the last says how many there are more.
--
-- It asks the kept counts, the ends of indexes, and the server; it counts no backlog and no history. What runs, and
-- what waits for a retry far away, is looked through, at most 10,000 rows of each. doctor_checks.sql has the questions.
--
-- Locks   none.
-- Raises  nothing.
-- Rows    none are written.

create or replace function millrace.doctor()
returns table (rank int, severity text, finding text, about text, detail text, remedy text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    shown constant int := 20;  -- of one finding
begin
    return query
    with found as materialized (
        select * from millrace.doctor_server()
        union all
        select * from millrace.doctor_horizon()  -- which sees the sessions afresh
        union all
        select * from millrace.doctor_statements()
        union all
        select * from millrace.doctor_queues()
        union all
        select * from millrace.doctor_upkeep()
        union all
        select * from millrace.doctor_schedules()
        union all
        select * from millrace.doctor_jobs()
    ), numbered as (
        select f.*, row_number() over (partition by f.finding order by f.place, f.about) as number,
               count(*) over (partition by f.finding) as alike
          from found f
    )
    select (row_number() over (order by array_position('{critical,warning,note}', n.severity), n.finding,
                                        n.number))::int,
           n.severity, n.finding, n.about,
           n.detail || case when n.number = shown and n.alike > shown
                            then format('; and %s more like it', n.alike - shown) else '' end,
           n.remedy
      from numbered n
     where n.number <= shown;
end
$$;
