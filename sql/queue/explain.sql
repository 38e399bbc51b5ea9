-- explain_job: why is this job not running? And what to do about it.
--
-- One row for each cause, the one that must go first: what the job itself waits for, then what stops its queue, then
-- what is before it. A job that runs or has ended is explained, too.
--
-- Locks   none.
-- Raises  MR006 unknown_job.
-- Rows    none are written. At most 10,000 of the jobs that run or wait for a retry are looked at for who holds a key,
--         and at most 10,000 of those ahead are counted.

create or replace function millrace.explain_job(job_id bigint)
returns table (rank int, cause text, why text, remedy text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
as $$
declare
    looks constant int := 3;  -- it may move while it is looked for
    seen record;
begin
    for look in 1 .. looks
    loop
        select v.id, v.queue, v.state into seen from millrace.jobs v where v.id = explain_job.job_id;
        exit when found;
        perform millrace.unmoved('explain_job', job_id, array[millrace.job_state(job_id)], 'Try again.');
    end loop;
    return query
    select (row_number() over (order by c.place))::int, c.cause, c.why, c.remedy
      from (select 1 as place, e.* from millrace.explain_end(seen.id) e
            union all
            select 2, e.* from millrace.explain_attempt(seen.id) e
            union all
            select 3, e.* from millrace.explain_wait(seen.id) e
            union all
            select 4, 'expired', format('it was to begin before %s: the next claim that comes to it cancels it',
                                        millrace.utc_text(v.expires_at)), null
              from millrace.jobs v
             where v.id = seen.id and v.state = seen.state and v.expires_at <= millrace.now()
               and seen.state in ('available', 'scheduled', 'blocked')
            union all
            select 5, e.* from millrace.explain_kind(seen.id) e
            union all
            select 6 + e.place, e.cause, e.why, e.remedy
              from millrace.explain_queue(seen.queue) e
             where seen.state in ('available', 'scheduled', 'blocked')
            union all
            select 10, e.* from millrace.explain_place(seen.id) e) c;
end
$$;

create or replace function millrace.utc_text(at timestamptz)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$ select to_char(at at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS') || ' UTC' $$;

create or replace function millrace.explain_end(of_job bigint)
returns table (cause text, why text, remedy text)
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    select case v.state when 'discarded' then 'dead letter' else v.state end,
           concat_ws(': ', format('%s at %s', v.state, millrace.utc_text(v.finished_at)), v.error),
           case v.state when 'discarded' then format('select millrace.replay(%s)', v.id) end
      from millrace.jobs v
     where v.id = of_job and v.state in ('completed', 'cancelled', 'discarded')
$$;

create or replace function millrace.explain_attempt(of_job bigint)
returns table (cause text, why text, remedy text)
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    select c.*
      from millrace.running r
      join millrace.job j on j.id = r.job_id and j.stored_on = r.stored_on
      left join millrace.workers w on w.id = r.worker
     cross join lateral (
            values ('running', format('at worker %s (session %s) since %s, attempt %s of %s', w.name, r.worker,
                                      millrace.utc_text(r.claimed_at),
                                      r.attempt, j.max_attempts),
                    format('select millrace.cancel(%s) asks it to stop', r.job_id)),
                   (case when w.state in ('overdue', 'lost') then 'worker lost' end,
                    format('its worker has not been heard of since %s; its jobs are taken back when a worker reaps',
                           millrace.utc_text(w.heartbeat_at)),
                    'start a worker, or select millrace.reap()'),
                   (case when r.deadline < millrace.now() then 'past its deadline' end,
                    'its worker is stopping it; ten seconds after the deadline it is taken back', null),
                   ((select 'cancelling' from millrace.cancel_request c
                      where c.job_id = r.job_id and c.fence = r.fence),
                    'it was asked to stop, and has not yet', null)) c(cause, why, remedy)
     where r.job_id = of_job and c.cause is not null
$$;

-- Which jobs hold a slot of a key: those that run, are available, or wait for their retry.
create or replace function millrace.holders_of_key(of_queue int, of_key text)
returns setof bigint
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    select j.id
      from (select * from (select r.job_id, r.stored_on from millrace.running r
                            where r.queue_id = of_queue and r.tied limit 10000) running
            union all
            select * from (select s.job_id, s.stored_on from millrace.scheduled s
                            where s.queue_id = of_queue and s.key is null and s.waits_for <> 'run_at'
                            limit 10000) retrying
            union all
            select * from (select r.job_id, r.stored_on from millrace.ready r
                            where r.queue_id = of_queue and r.priority between 10 and 19 limit 10000) released) h
      join millrace.job j on j.id = h.job_id and j.stored_on = h.stored_on
     where j.concurrency_key = of_key
$$;

create or replace function millrace.explain_wait(of_job bigint)
returns table (cause text, why text, remedy text)
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    select case when s.run_at <= millrace.now() then 'due'
                else case s.waits_for when 'run_at' then 'scheduled' else s.waits_for end end,
           case when s.run_at <= millrace.now()
                then 'its time has come; a worker makes it available at its next look, in ten seconds at most'
                else format('not before %s%s', millrace.utc_text(s.run_at),
                            case s.waits_for when 'retry' then format(', its attempt %s failed: %s', s.attempt,
                                                                      (select v.error from millrace.jobs v
                                                                        where v.id = of_job)) end) end,
           format('select millrace.retry(%s) makes it available now', s.job_id)
      from millrace.scheduled s
     where s.job_id = of_job
    union all
    select 'batch',
           format('batch %s is %s: %s of %s members have ended', b.id, b.state,
                  b.completed + b.cancelled + b.discarded, b.members),
           case b.state when 'open' then format('select millrace.close_batch(%s) when all members are in it', b.id) end
      from millrace.blocked w
      join millrace.batches b on b.id = w.batch_id
     where w.job_id = of_job
    union all
    select 'key',
           format('key %s has a limit of %s, and %s jobs hold it%s; %s wait before this one', b.key, coalesce(
                      l.max_held, q.key_limit), coalesce(k.held, 0),
                  (select ': ' || string_agg(h.id::text, ', ' order by h.id)
                     from (select h.id from millrace.holders_of_key(b.queue_id, b.key) h(id) order by h.id limit 5) h),
                  (select count(*) from (select from millrace.blocked o
                                          where o.queue_id = b.queue_id and o.key = b.key and o.batch_id is null
                                            and o.job_id < b.job_id limit 10000) o)),
           case when coalesce(k.held, 0) < coalesce(l.max_held, q.key_limit)
                then 'a slot is free: the next claim from the queue gives it out'
                else format('select millrace.limit_key(%L, %L, n) raises the limit', q.name, b.key) end
      from millrace.blocked b
      join millrace.queue q on q.id = b.queue_id
      left join millrace.key_limit l on l.queue_id = b.queue_id and l.key = b.key
      left join lateral (select k.held, k.wake_at
                           from millrace.concurrency_key k
                          where k.queue_id = b.queue_id and k.key = b.key
                          order by k.version desc
                          limit 1) k on true
     where b.job_id = of_job and b.batch_id is null and k.wake_at is null
    union all
    select 'key rate',
           format('the rate of key %s is %s, and jobs are let go again at %s', b.key, coalesce(l.rate, q.key_rate),
                  millrace.utc_text(k.wake_at)),
           format('select millrace.limit_key(%L, %L, null, ''N per second'')', q.name, b.key)
      from millrace.blocked b
      join millrace.queue q on q.id = b.queue_id
      left join millrace.key_limit l on l.queue_id = b.queue_id and l.key = b.key
     cross join lateral (select k.wake_at
                           from millrace.concurrency_key k
                          where k.queue_id = b.queue_id and k.key = b.key
                          order by k.version desc
                          limit 1) k
     where b.job_id = of_job and b.batch_id is null and k.wake_at is not null  -- slots are free then
$$;

-- Who may run its kind.
create or replace function millrace.explain_kind(of_job bigint)
returns table (cause text, why text, remedy text)
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    select c.*
      from millrace.jobs v
      left join millrace.kind k on k.name = v.kind
     cross join lateral (select count(*) as alive, count(*) filter (where w.kinds is null or v.kind = any (w.kinds))
                                                             as handle_it
                           from millrace.workers w
                          where w.state = 'alive' and v.queue = any (w.queues)) n
     cross join lateral (
            values (case when k.paused_at is not null then 'kind paused' end,
                    format('kind %s is paused since %s', v.kind, millrace.utc_text(k.paused_at)),
                    format('select millrace.resume_kind(%L)', v.kind)),
                   (case when n.alive > 0 and n.handle_it = 0 then 'no worker for its kind' end,
                    format('workers take jobs from its queue, but none of them handles kind %s', v.kind),
                    'start a worker that does')) c(cause, why, remedy)
     where v.id = of_job and v.state in ('available', 'scheduled', 'blocked') and c.cause is not null
$$;

-- What keeps a whole queue from being worked off.
create or replace function millrace.explain_queue(queue text)
returns table (place int, cause text, why text, remedy text)
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    select 0, 'foreign database',
           format('the queues belong to database %s of another place; here nobody may work', i.database_name),
           'millrace adopt, if this copy shall do the work'
      from millrace.installation i
     where not exists (select from millrace.home)
    union all
    select 1, 'queue paused',
           format('since %s', millrace.utc_text(q.paused_at)),
           format('select millrace.resume_queue(%L)', q.name)
      from millrace.queue q
     where q.name = explain_queue.queue and q.paused_at is not null
    union all
    select 2, 'no worker', 'no worker that lives takes jobs from its queue',
           format('millrace worker --queue %s', explain_queue.queue)
     where not exists (select from millrace.workers w
                        where w.state = 'alive' and explain_queue.queue = any (w.queues))
    union all
    select 3, 'queue limit', format('%s jobs of the queue run, and max_running is %s', q.running, q.max_running),
           format('select millrace.configure_queue(%L, ''{"max_running": n}'')', q.name)
      from millrace.queues q
     where q.name = explain_queue.queue and q.running >= q.max_running
    union all
    select 4, 'queue rate',
           format('its rate is %s, and the next token comes at %s', q.rate, millrace.utc_text(q.next_token_at)),
           format('select millrace.configure_queue(%L, ''{"rate": "N per second"}'')', q.name)
      from millrace.queues q
     where q.name = explain_queue.queue and q.next_token_at is not null
$$;

-- How many jobs are before one that is available, and how long they may take.
create or replace function millrace.explain_place(of_job bigint)
returns table (cause text, why text, remedy text)
language sql volatile
set search_path = pg_catalog, pg_temp
set enable_bitmapscan = on
as $$
    select case when n.ahead = 0 then 'next' else 'jobs ahead' end,
           case when n.ahead = 0 and r.priority >= 100 then 'the next claim that may run its kind takes it'
                when n.ahead = 0 then 'the next claim takes it'
                else format('%s jobs are claimed before it%s', case when n.ahead > 10000 then 'more than 10000'
                                                                    else n.ahead::text end,
                            case when d.done > 0 then format(', about %s s at the rate of the last minute',
                                                             ceil(n.ahead * 60.0 / d.done)) end) end,
           null
      from millrace.ready r
     cross join lateral (
            select count(*) as ahead
              from (select o.job_id
                      from (select g as priority
                              from (select generate_series(0, 19) as g union all select r.priority) l
                             where (g % 10, g < 100, g < 10) <= (r.priority % 10, r.priority < 100, r.priority < 10)
                             group by g) before
                     cross join lateral (select l.low
                                           from millrace.lane l
                                          where l.queue_id = r.queue_id and l.priority = before.priority
                                          order by l.version desc
                                          limit 1) l
                     cross join lateral (select o.job_id
                                           from millrace.ready o
                                          where o.queue_id = r.queue_id and o.priority = before.priority
                                            and o.pos >= l.low
                                            and (before.priority <> r.priority or (o.pos, o.job_id) < (r.pos, r.job_id))
                                          limit 10001) o
                     limit 10001) a) n
     cross join lateral (select count(*) as done
                           from (select from millrace.finished f
                                  where f.finished_at > millrace.now() - interval '1 minute'
                                    and f.queue_id = r.queue_id
                                  limit 100000) f) d
     where r.job_id = of_job
$$;
