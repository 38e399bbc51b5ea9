-- The identity of this database, and partitions for a first week; maintain_partitions() goes on from here.

set local role millrace_owner;

do $$
declare
    today constant date := (clock_timestamp() at time zone 'utc')::date;
    day date;
begin
    insert into millrace.installation (system_identifier, database_name, first_day, last_day)
    select c.system_identifier, current_database(), today, today + 7
      from pg_control_system() c;

    for day in select generate_series(today, today + 7, interval '1 day')::date
    loop
        execute format('create table millrace.%I partition of millrace.job for values from (%L) to (%L)',
                       'job_' || to_char(day, 'YYYYMMDD'), day, day + 1);
        execute format('create table millrace.%I partition of millrace.finished for values from (%L) to (%L)',
                       'finished_' || to_char(day, 'YYYYMMDD'), day, day + 1);
    end loop;
end
$$;
