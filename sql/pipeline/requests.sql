-- requests: pipeline queues and requests as the stages read and write them.
--
--     accepted ──► processing ──► succeeded | failed | cancelled
--     accepted ──► superseded
--
-- An update writes the whole entity if it still has the version that was read, and says whether it did. What must
-- never happen is refused here, whoever asks: a state that is left for one that it does not lead to, a strategy that
-- changes, a bookmark that moves backwards. The time of a commit stands once it is known, and what a head holds.
--
-- What each stage asks is in plpgsql, however short: a session keeps its plans, those of sql are made for each call.
--
-- Locks   lock_queue: the row of pipeline.queue, always the first that a stage locks. Updates: the row they write.
-- Raises  MR005 bad_argument, MR007 invalid_transition.
-- Rows    1; supersede_before: as many as are waiting, which every process stage leaves at 1.

-- The whole entity; no row: there is no such pipeline queue. lock_queue holds its row, too.
create or replace function pipeline.get_queue(name text)
returns setof pipeline.queue
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select q.* from pipeline.queue q where q.name = get_queue.name;
end
$$;

create or replace function pipeline.lock_queue(name text)
returns setof pipeline.queue
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select q.* from pipeline.queue q where q.name = lock_queue.name for update;
end
$$;

-- Moves the bookmark of the latest green commit, never backwards.
create or replace function pipeline.update_queue(
    name text, last_green_request bigint, last_green_uri text, old_version bigint, new_version bigint)
returns boolean  -- false: it has another version
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    before pipeline.queue;
    wrong text;
begin
    select q.* into before from pipeline.queue q
     where q.name = update_queue.name and q.version = old_version for update;
    if not found then
        return false;
    elsif update_queue.last_green_request < before.last_green_request then
        raise exception using errcode = 'MR007',
            message = format('the last green of %L is request %s; it cannot become %s', name, before.last_green_request,
                             update_queue.last_green_request),
            hint = 'The bookmark only moves forward.';
    end if;
    wrong := case
        when update_queue.last_green_request is null or update_queue.last_green_request > before.latest_request
            then 'last_green_request: a request of this queue, or 0'
        when (update_queue.last_green_request = 0) <> (update_queue.last_green_uri is null)
            then 'last_green_uri: that of the last green request, null while there is none'
        when new_version is null then 'new_version: not null'
    end;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'update_queue: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    update pipeline.queue q
       set last_green_request = update_queue.last_green_request, last_green_uri = update_queue.last_green_uri,
           version = new_version
     where q.name = update_queue.name;
    return true;
end
$$;

-- The whole entity; no row: there is no such request.
create or replace function pipeline.get_request(queue text, number bigint)
returns setof pipeline.request
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select r.* from pipeline.request r where r.queue = get_request.queue and r.number = get_request.number;
end
$$;

-- Brings a request into its next state.
create or replace function pipeline.update_request(
    queue text, number bigint, state text, build_strategy text, base_uri text, old_version bigint, new_version bigint,
    committed_at timestamptz default null)
returns boolean  -- false: it has another version
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    before pipeline.request;
    wrong text;
begin
    wrong := case
        when state is null or state not in ('accepted', 'processing', 'succeeded', 'failed', 'cancelled', 'superseded')
            then 'state: accepted, processing, succeeded, failed, cancelled, superseded'
        when build_strategy not in ('full', 'incremental_since_green')
            then 'build_strategy: full, incremental_since_green, or null'
        when (build_strategy = 'incremental_since_green') <> (base_uri is not null)
            then 'base_uri: with incremental_since_green, and only then'
        when new_version is null then 'new_version: not null'
        when not isfinite(committed_at) then 'committed_at: a time that there can be, or null'
    end;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'update_request: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    select r.* into before from pipeline.request r
     where r.queue = update_request.queue and r.number = update_request.number and r.version = old_version for update;
    if not found then
        return false;
    elsif update_request.state <> before.state
          and (before.state, update_request.state) not in (
              ('accepted', 'processing'), ('accepted', 'superseded'), ('accepted', 'failed'), ('accepted', 'cancelled'),
              ('processing', 'succeeded'), ('processing', 'failed'), ('processing', 'cancelled')) then
        raise exception using errcode = 'MR007',
            message = format('request %s of %L is %s; it cannot become %s', number, queue, before.state,
                             update_request.state),
            hint = 'An outcome is written once.';
    elsif before.build_strategy is not null
          and (before.build_strategy, before.base_uri) is distinct from
              (update_request.build_strategy, update_request.base_uri) then
        raise exception using errcode = 'MR007',
            message = format('request %s of %L is validated as %s; that cannot change', number, queue,
                             before.build_strategy),
            hint = 'The strategy is pinned when a request is admitted.';
    end if;
    update pipeline.request r
       set state = update_request.state, build_strategy = update_request.build_strategy,
           base_uri = update_request.base_uri, version = new_version,
           committed_at = coalesce(r.committed_at, update_request.committed_at),
           admitted_at = case when update_request.state = 'processing' then coalesce(r.admitted_at, millrace.now())
                              else r.admitted_at end,
           finished_at = case when update_request.state not in ('accepted', 'processing')
                              then coalesce(r.finished_at, millrace.now()) end
     where r.queue = update_request.queue and r.number = update_request.number;
    return true;
end
$$;

-- Which requests before it a head holds: those whose commits are in its history, and not in that of its base. A rewrite
-- of the branch may have dropped others, whatever their numbers.
create or replace function pipeline.note_history(queue text, number bigint, uris text[])
returns boolean  -- false: that was noted before
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if uris is null or cardinality(uris) > 1000 then
        raise exception using errcode = 'MR005', message = 'note_history: bad uris',
            hint = 'Allowed for uris: up to 1000, not null.';
    end if;
    update pipeline.request r
       set holds = array(select u.request
                           from pipeline.request_uri u
                          where u.queue = note_history.queue and u.uri = any (note_history.uris)
                            and u.request < note_history.number
                          order by u.request)
     where r.queue = note_history.queue and r.number = note_history.number and r.holds is null;
    return found;
end
$$;

-- Requests that wait although a later head is known: nobody needs their verdict any more, unless an operator has asked.
create or replace function pipeline.supersede_before(queue text, number bigint)
returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    superseded int;
begin
    update pipeline.request r set state = 'superseded', version = r.version + 1, finished_at = millrace.now()
     where r.queue = supersede_before.queue and r.state = 'accepted' and r.number < supersede_before.number
       and r.attempt = 1;
    get diagnostics superseded = row_count;
    return superseded;
end
$$;

-- Slots in use: counted anew each time, so that no counter can drift.
create or replace function pipeline.count_processing(queue text)
returns bigint
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return (select count(*) from pipeline.request r where r.queue = count_processing.queue and r.state = 'processing');
end
$$;

-- Who is next: the latest, after those that an operator wants again and nothing supersedes.
create or replace function pipeline.latest_accepted(queue text)
returns bigint  -- null: none waits
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return (select r.number
              from pipeline.request r
             where r.queue = latest_accepted.queue and r.state = 'accepted'
             order by r.attempt > 1 desc, r.number desc
             limit 1);
end
$$;
