-- configure_kind: how jobs of one kind are tried, in whatever queue they are.
--
-- What a job does not say itself, its kind says; what that does not say, its queue; what is null or was never set here
-- is as the queue has it. max_attempts and timeout hold for jobs that are enqueued from now on, the rest for the next
-- failure: see retry_delay.sql.
--
-- Arguments  kind     1 … 100 characters; there need be no handler and no job of it yet
--            changes  a JSON object. What is not given stays; null: as the queue has it
--                     max_attempts            1 … 1000
--                     timeout                 of one attempt, up to 30 days
--                     retry_base, retry_cap   first and longest backoff, up to 1 and 30 days
--                     retry_delays            1 … 100 intervals, each up to 365 days, instead of a backoff; the last
--                                             one again and again
-- Locks      the kind's row.
-- Raises     MR005 bad_argument.
-- Rows       1, and one of operator_action.

create or replace function millrace.configure_kind(kind text, changes jsonb)
returns jsonb  -- what has changed: {"setting": {"from": …, "to": …}}
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
    known constant text[] := '{max_attempts,timeout,retry_base,retry_cap,retry_delays}';
    old millrace.kind%rowtype;
    new millrace.kind%rowtype;
    changed jsonb;
    stranger text;
    wrong text;
begin
    perform millrace.check_kind('configure_kind', kind);
    if changes is null or jsonb_typeof(changes) <> 'object' then
        raise exception using errcode = 'MR005', message = 'configure_kind: bad changes',
            hint = 'Allowed for changes: a JSON object, for example ''{"retry_delays": ["10 s", "5 minutes"]}''.';
    end if;
    select k into stranger from jsonb_object_keys(changes) k where k <> all (known) order by k limit 1;
    if found then
        raise exception using errcode = 'MR005', message = format('configure_kind: bad changes: no setting %L',
                                                                  left(stranger, 100)),
            hint = format('Allowed for changes: the keys %s.', array_to_string(known, ', '));
    elsif changes = '{}' then
        return changes;
    end if;
    insert into millrace.kind (name, created_at) values (configure_kind.kind, millrace.now())
    on conflict on constraint kind_name_key do nothing;
    select k.* into old from millrace.kind k where k.name = configure_kind.kind for no key update;
    begin
        new := jsonb_populate_record(old, changes);
    exception when data_exception then
        raise exception using errcode = 'MR005', message = format('configure_kind: bad changes: %s', sqlerrm),
            hint = 'Numbers as JSON numbers, intervals as text: ''{"max_attempts": 4, "timeout": "5 minutes"}''.';
    end;
    wrong := case
        when new.max_attempts not between 1 and 1000 then 'max_attempts: 1 to 1000'
        when new.timeout <= interval '0' or new.timeout > interval '30 days'
          or to_char(new.timeout, 'YYYYMMDDHH24MISSUS') ~ '-'  -- create_queue.sql
            then 'timeout: more than 0, up to 30 days, no part negative'
        when new.retry_base <= interval '0' or new.retry_base > interval '1 day'
          or to_char(new.retry_base, 'YYYYMMDDHH24MISSUS') ~ '-'
            then 'retry_base: more than 0, up to 1 day, no part negative'
        when new.retry_cap <= interval '0' or new.retry_cap < new.retry_base or new.retry_cap > interval '30 days'
          or to_char(new.retry_cap, 'YYYYMMDDHH24MISSUS') ~ '-'
            then 'retry_cap: more than 0, at least retry_base, up to 30 days, no part negative'
    end;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'configure_kind: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || ', or null for the queue''s.';
    end if;
    perform millrace.check_delays('configure_kind', new.retry_delays) where new.retry_delays is not null;
    select coalesce(jsonb_object_agg(n.key, jsonb_build_object('from', o.value, 'to', n.value)), '{}') into changed
      from jsonb_each(to_jsonb(new)) n
      join jsonb_each(to_jsonb(old)) o on o.key = n.key
     where n.value <> o.value;
    if changed <> '{}' then
        update millrace.kind k
           set max_attempts = new.max_attempts, timeout = new.timeout, retry_base = new.retry_base,
               retry_cap = new.retry_cap, retry_delays = new.retry_delays
         where k.id = old.id;
        perform millrace.audit('configure_kind', jsonb_build_object('kind', kind, 'changed', changed), 1);
    end if;
    return changed;
end
$$;
