-- apply, export: all pipeline queues as one document, in one transaction.
--
-- An entry says everything of its pipeline queue: what it does not give is as in a new one. Queues that the document
-- does not name are left alone.
--
-- Arguments  document  {"queues": [{"name": …, and the settings of configure_queue}]}, up to 1,000
--            dry_run   true: only say what would change
-- Returns    one row for each entry that is new or differs; none: nothing to do
-- Locks      as configure_queue, in the order of the document.
-- Raises     MR005 bad_argument for whatever is wrong with an entry: the message says which one and which of its keys,
--            as in `apply: bad queues[3].remote`; MR003 unknown_queue for job_queue. Nothing is changed then.
-- Rows       those of create_queue and configure_queue for each entry.

create or replace function pipeline.apply(document jsonb, dry_run boolean default true)
returns table (name text, outcome text, changed text[])  -- created or changed
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    most_queues constant int := 1000;
    entry jsonb;
    place int := 0;
begin
    if jsonb_typeof(document) is distinct from 'object' or document - 'queues' <> '{}'
       or jsonb_typeof(coalesce(document -> 'queues', '[]')) <> 'array' then
        raise exception using errcode = 'MR005', message = 'apply: bad document',
            hint = 'Allowed for document: {"queues": […]}.';
    elsif jsonb_array_length(coalesce(document -> 'queues', '[]')) > most_queues then
        raise exception using errcode = 'MR005', message = 'apply: bad queues',
            hint = format('Allowed for queues: up to %s.', most_queues);
    end if;
    begin
        for entry in select e from jsonb_array_elements(document -> 'queues') e
        loop
            return query select * from pipeline.apply_queue(entry, place);
            place := place + 1;
        end loop;
        if dry_run is not false then
            raise exception using errcode = 'MRDRY';  -- takes back what was done, keeps what was found
        end if;
    exception when sqlstate 'MRDRY' then
        null;
    end;
end
$$;

create or replace function pipeline.apply_queue(entry jsonb, place int)
returns table (name text, outcome text, changed text[])
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    blank constant jsonb := pipeline.blank_settings();
    said text;
    remedy text;
    missing text;
    stranger text;
begin
    select k into stranger
      from jsonb_object_keys(case when jsonb_typeof(entry) = 'object' then entry else '{}' end) k
     where k <> all ('{name,remote,ref}') and not blank ? k order by k limit 1;
    if stranger is not null then
        raise exception using errcode = 'MR005',
            message = format('apply: bad queues[%s]%s', place,
                             case when stranger ~ '^[a-zA-Z0-9_-]{1,60}$' then '.' || stranger else '' end),
            hint = format('There is no setting %L. The settings are %s.', left(stranger, 100),
                          (select string_agg(k, ', ' order by k)
                             from (select jsonb_object_keys(blank) union all
                                   select unnest('{name,remote,ref}'::text[])) known(k)));
    end if;
    select k into missing from unnest('{name,remote,ref}'::text[]) with ordinality m(k, nr)
     where not case when jsonb_typeof(entry) = 'object' then entry ? k else false end order by nr limit 1;
    if missing is not null then
        raise exception using errcode = 'MR005', message = format('apply: bad queues[%s].%s', place, missing),
            hint = format('Allowed for %s: it must be given.', missing);
    end if;
    name := entry ->> 'name';
    begin
        outcome := case when exists (select from pipeline.queue q where q.name = entry ->> 'name') then 'changed'
                        else 'created' end;
        if outcome = 'created' then
            if jsonb_typeof(entry -> 'name') <> 'string' then
                name := null;
            end if;
            -- With what certainly fits, but for the name; configure_queue judges the rest.
            perform millrace.queue_id(coalesce(entry ->> 'job_queue', blank ->> 'job_queue'));
            perform pipeline.create_queue(name, '/any.git', 'main', '{true}',
                                          coalesce(entry ->> 'job_queue', blank ->> 'job_queue'));
        end if;
        changed := pipeline.configure_queue(
            name, blank || pipeline.blank_command(entry -> 'runner') || (entry - 'name'));
    exception when sqlstate 'MR005' then
        get stacked diagnostics said = message_text, remedy = pg_exception_hint;
        raise exception using errcode = 'MR005', hint = remedy,
            message = format('apply: bad queues[%s].%s', place, regexp_replace(said, '^[a-z_]+: bad ', ''));
    end;
    if outcome = 'created' then
        changed := array(select k from jsonb_object_keys(entry - 'name') k order by k);
    end if;
    if outcome = 'created' or changed <> '{}' then
        return next;
    end if;
end
$$;

-- As create_queue has them by default. Without a command, which who has no other runner must give.
create or replace function pipeline.blank_settings()
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select '{"job_queue": "pipeline", "max_concurrent": 1, "max_validation": "02:00:00", "runner": {"name": "command"},
             "poll_accepted": "00:00:05", "poll_running": "00:00:02", "promotion_ref": null, "flaky_reruns": 0,
             "bisect_budget": 0, "projects": [], "sinks": [], "owners": [], "poll": null}'::jsonb
           || pipeline.blank_command(null)
$$;

-- What apply would take to make these; what is as in a new one is left out.
create or replace function pipeline.export()
returns jsonb
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object('queues', coalesce(jsonb_agg(
               jsonb_build_object('name', q.name)
               || (select jsonb_object_agg(s.key, s.value)
                     from jsonb_each(o.settings) s
                    where s.value is distinct from (pipeline.blank_settings()
                                                    || pipeline.blank_command(o.settings -> 'runner')) -> s.key)
               order by q.name), '[]'))
      from pipeline.queue q
     cross join lateral (select pipeline.settings_of(q.name)) o(settings)
$$;
