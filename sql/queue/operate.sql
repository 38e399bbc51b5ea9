-- retry, replay, cancel: what a person does to one job; operate_many.sql has the same for many.
--
--     scheduled ──retry──► available, or blocked if it needs a slot of its key
--     dead_letter ──replay──► available or blocked, with all its attempts again
--     available, scheduled, blocked ──cancel──► finished 'cancelled'
--     running ──cancel──► running, until its attempt has stopped: see cancel.sql
--
-- A job may move from table to table while it is looked for; it is looked for three times before it counts as unknown.
-- Calling one of them on a job that is already where it would go changes nothing and says so.
--
-- Locks   the job's narrow row; of running FOR KEY SHARE.
-- Raises  MR006 unknown_job, MR007 invalid_transition, MR009 unique_key_taken.
-- Rows    3, and one of operator_action.

create or replace function millrace.retry(job_id bigint)
returns text  -- the job's state now
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    state constant text := millrace.retry_one(job_id);
begin
    if state is null then
        return millrace.unmoved('retry', job_id, array['available', 'blocked'], 'Only a job that is scheduled or waits'
            ' for its retry can be made available; a dead letter comes back with millrace.replay(id).');
    end if;
    perform millrace.audit('retry', jsonb_build_object('job', retry.job_id), 1);
    return state;
end
$$;

create or replace function millrace.replay(job_id bigint)
returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    state constant text := millrace.replay_one(job_id);
begin
    if state is null then
        return millrace.unmoved('replay', job_id, array['available', 'blocked'], 'Only a dead letter can be replayed.');
    elsif state = 'discarded' then
        raise exception using errcode = 'MR009',
            message = (select format('replay: job %s: its unique key %L is taken by job %s', j.id, j.unique_key,
                                     u.job_id)
                         from millrace.job j
                         left join millrace.unique_job u on u.queue_id = j.queue_id and u.unique_key = j.unique_key
                        where j.id = replay.job_id
                        limit 1),
            hint = 'Cancel the other job first, or leave this one where it is.';
    elsif state = 'expired' then
        raise exception using errcode = 'MR007',
            message = format('replay: job %s was to begin before its expires_at, which has passed', job_id),
            hint = 'Enqueue a new job without it, if it shall run all the same.';
    end if;
    perform millrace.audit('replay', jsonb_build_object('job', replay.job_id), 1);
    return state;
end
$$;

create or replace function millrace.cancel(job_id bigint, reason text default null)
returns text  -- cancelled; cancelling: it runs, and was asked to stop
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    state text;
begin
    if length(reason) > 1000 then
        raise exception using errcode = 'MR005', message = 'cancel: bad reason',
            hint = 'Allowed for reason: up to 1000 characters.';
    end if;
    state := millrace.cancel_one(job_id, reason);
    if state is null then
        return millrace.unmoved('cancel', job_id, array['cancelled'],
                                'Only a job that waits or runs can be cancelled.');
    elsif state = 'cancelled' then
        perform millrace.audit('cancel', jsonb_build_object('job', cancel.job_id, 'reason', cancel.reason), 1);
    end if;
    return state;
end
$$;

-- What these three do, and those for many (operate_many.sql), without a word in the book.
create or replace function millrace.retry_one(job_id bigint)
returns text  -- the job's state now; null: it was not scheduled
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    moved record;
begin
    delete from millrace.scheduled s where s.job_id = retry_one.job_id
    returning s.stored_on, s.queue_id, s.priority, s.attempt, s.key into moved;
    if not found then
        return null;
    end if;
    insert into millrace.queue_delta (queue_id, scheduled) values (moved.queue_id, -1);
    return millrace.let_wait(job_id, moved.stored_on, moved.queue_id, moved.priority, moved.attempt, moved.key);
end
$$;

create or replace function millrace.replay_one(job_id bigint)
returns text  -- the job's state now; discarded: its unique key is another job's; expired: it may not begin any more;
              -- null: it was no dead letter
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    moved record;
    ties record;
begin
    select d.stored_on, d.queue_id, d.priority into moved
      from millrace.dead_letter d
     where d.job_id = replay_one.job_id
       for update;
    if not found then
        return null;
    end if;
    select j.concurrency_key, j.unique_key, j.unique_until, j.batch_id, j.expires_at into ties
      from millrace.job j
     where j.id = replay_one.job_id and j.stored_on = moved.stored_on;
    if ties.expires_at <= millrace.now() then  -- the next claim would cancel it, and nobody could replay it again
        return 'expired';
    end if;
    if ties.unique_until = 'finished' then
        if not millrace.take_unique_key(moved.queue_id, ties.unique_key, job_id) then
            return 'discarded';
        end if;
    end if;
    delete from millrace.dead_letter d where d.job_id = replay_one.job_id;
    if ties.batch_id is not null then
        perform millrace.leave_note(b.queue_id, replay_one.job_id, 'replayed', null, b.id)
           from millrace.batch b
          where b.id = ties.batch_id;
    end if;
    insert into millrace.queue_delta (queue_id, dead) values (moved.queue_id, -1);
    return millrace.let_wait(job_id, moved.stored_on, moved.queue_id, moved.priority, 0::smallint,
                             ties.concurrency_key);
end
$$;

create or replace function millrace.cancel_one(job_id bigint, reason text)
returns text  -- cancelled, or cancelling; null: it neither waited nor ran
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    looks constant int := 3;
    gone record;
    was text;
begin
    for look in 1 .. looks
    loop
        was := 'available';
        delete from millrace.ready r where r.job_id = cancel_one.job_id
        returning r.stored_on, r.queue_id, r.attempt, true as held into gone;
        if not found then
            was := 'scheduled';
            delete from millrace.scheduled s where s.job_id = cancel_one.job_id
            returning s.stored_on, s.queue_id, s.attempt, s.key is null as held into gone;
        end if;
        if not found then
            was := 'blocked';
            delete from millrace.blocked b where b.job_id = cancel_one.job_id
            returning b.stored_on, b.queue_id, b.attempt, false as held into gone;
        end if;
        exit when found;
        if millrace.ask_to_stop(job_id, reason) then
            return 'cancelling';
        end if;
        exit when look = looks
               or millrace.job_state(job_id) not in ('available', 'scheduled', 'blocked', 'running');
    end loop;
    if gone is null then
        return null;
    end if;
    insert into millrace.finished (job_id, finished_at, stored_on, queue_id, outcome, attempt, note)
    values (cancel_one.job_id, millrace.now(), gone.stored_on, gone.queue_id, 'cancelled', gone.attempt,
            cancel_one.reason);
    insert into millrace.queue_delta (queue_id, available, scheduled, blocked, cancelled)
    values (gone.queue_id, -(was = 'available')::int, -(was = 'scheduled')::int, -(was = 'blocked')::int, 1);
    perform millrace.after_end(array[(job_id, gone.stored_on, 'cancelled')::millrace.ending], gone.held);
    return 'cancelled';
end
$$;

-- Which narrow table holds a job's id; null for a job that there is not.
create or replace function millrace.job_state(job_id bigint)
returns text
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    select case
        when exists (select from millrace.running r where r.job_id = $1) then 'running'
        when exists (select from millrace.scheduled s where s.job_id = $1) then 'scheduled'
        when exists (select from millrace.dead_letter d where d.job_id = $1) then 'discarded'
        when exists (select from millrace.blocked b where b.job_id = $1) then 'blocked'
        when exists (select from millrace.ready r where r.job_id = $1) then 'available'
        else (select f.outcome::text
                from millrace.finished f
               where f.job_id = $1
                 and f.stored_on = any (array(select j.stored_on from millrace.job j where j.id = $1))
               limit 1)
    end
$$;

-- The answer for a job that was not where an action looks for it: its state if that is the one wished for, else an
-- error.
create or replace function millrace.unmoved(action text, job_id bigint, fine text[], rule text)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    state constant text := millrace.job_state(job_id);
begin
    if state = any (fine) then
        return state;
    elsif state is null then
        raise exception using errcode = 'MR006',
            message = format('%s: unknown job %s', action, coalesce(job_id::text, 'null')),
            hint = 'It never existed, its enqueue is not committed, or its retention is over.';
    end if;
    raise exception using errcode = 'MR007', message = format('%s: job %s is %s', action, job_id, state), hint = rule;
end
$$;
