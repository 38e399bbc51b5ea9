-- doctor_server, doctor_statements, doctor_horizon, doctor_queues, doctor_upkeep, doctor_schedules, doctor_jobs: what
-- the doctor looks at.
--
-- Each returns its findings; `place` orders those of one kind.
--
-- Locks   none.
-- Raises  nothing.
-- Rows    none are written.

-- Settings are those that a new session of the caller's gets; what it has set for itself holds for nobody else.
create or replace function millrace.doctor_server()
returns table (severity text, finding text, place bigint, about text, detail text, remedy text)
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    select 'critical', 'foreign database', 0::bigint, current_database()::text,
           format('the queues belong to database %s of another place; here nobody may work', i.database_name),
           'millrace adopt, if this copy shall do the work'
      from millrace.installation i
     where not exists (select from millrace.home)
    union all
    select v.severity, s.name || ' off', 0, s.name, v.detail, format('alter system set %s = on', s.name)
      from (values ('fsync', 'critical', 'a crash of the host may destroy the database'),
                   ('full_page_writes', 'critical', 'a crash of the host may destroy pages of the database'),
                   ('synchronous_commit', 'warning', 'a crash may lose jobs whose enqueue was acknowledged'),
                   ('autovacuum', 'warning', 'nobody removes dead rows'),
                   ('track_counts', 'warning', 'autovacuum does not learn what to do')) v(name, severity, detail)
      join pg_settings s on s.name = v.name
     where s.reset_val = 'off'
    union all
    select 'warning', 'table without autovacuum', 0, c.oid::regclass::text, 'nobody removes its dead rows',
           format('alter table %s reset (autovacuum_enabled)', c.oid::regclass)
      from pg_class c
     where c.relkind = 'r' and c.relnamespace = 'millrace'::regnamespace
       and exists (select from pg_options_to_table(c.reloptions) o
                    where o.option_name = 'autovacuum_enabled' and not o.option_value::boolean)
$$;

-- A claim, a settle and a heartbeat take milliseconds, whatever waits. Who cannot see other roles' sessions finds none.
create or replace function millrace.doctor_statements()
returns table (severity text, finding text, place bigint, about text, detail text, remedy text)
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    select 'warning', 'slow statement', -s.seconds, 'session ' || s.pid,
           format('%s is busy with one statement for %s s', s.application_name, s.seconds)
           || coalesce('; it waits for ' || s.wait_event_type || ' ' || s.wait_event, '')
           || coalesce(', held by ' || h.holders, ''),
           case when h.first is null
                then 'look for a pinned horizon, bloat, and what else keeps the server busy: millrace top'
                else format('see what they do, then end them: select pg_terminate_backend(%s)', h.first) end
      from (select a.pid, a.application_name, a.wait_event_type, a.wait_event,
                   floor(extract(epoch from millrace.now() - a.query_start))::bigint as seconds,
                   pg_blocking_pids(a.pid) as behind  -- once for each: it stops the lock manager while it looks
              from pg_stat_activity a
             where a.datname = current_database() and a.state = 'active'
               and a.application_name ~ '^millrace (claimer|completer|heartbeat)'
               and a.query_start < millrace.now() - interval '5 seconds'
             order by a.query_start
             limit 20) s
     cross join lateral (
            select min(b.pid) as first,
                   string_agg(concat_ws(' ', 'session', b.pid, '(' || concat_ws(', ', b.usename, b.state) || ')'), ', '
                              order by b.pid) as holders
              from pg_stat_activity b
             where b.pid = any (s.behind)) h
$$;

-- Since when a slot, a standby or a hidden session holds the horizon, nobody can say; they are judged by transactions.
create or replace function millrace.doctor_horizon()
returns table (severity text, finding text, place bigint, about text, detail text, remedy text)
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    with holder as materialized (
        select h.*, h.since < millrace.now() - interval '5 minutes' as is_old from millrace.horizon_overview() h
    )
    select 'warning', 'horizon pinned', h.rank::bigint, concat_ws(' ', h.holder, h.name),
           concat_ws(', ', h.state, 'since ' || millrace.utc_text(h.since), 'role ' || h.role_name,
                     'application ' || nullif(h.application, ''), 'database ' || h.database)
           || format(': no row that died in the last %s transactions can be removed', h.transactions)
           || case when h.hidden
                   then '; to see its state: grant pg_read_all_stats to millrace_owner' else '' end,
           h.remedy
      from holder h
     where h.holds = 'tables'
       and case when h.since is null then h.transactions >= 1000000 and not h.inherited else h.is_old end
    union all
    select 'warning', 'low-water held', 0, count(*)::text,
           format('%s transactions that have written are open for more than 5 minutes; the ninth and what comes after '
                  'it hold the marks of the queues, and claims become slower', count(*)),
           'end them: select * from millrace.horizon_holders where wrote'
      from holder h
     where h.wrote and h.is_old
    having count(*) > 8
$$;

create or replace function millrace.doctor_queues()
returns table (severity text, finding text, place bigint, about text, detail text, remedy text)
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    with queue as materialized (
        select q.*,
               exists (select from millrace.workers w where w.state = 'alive' and q.name = any (w.queues)) as served,
               format('%s jobs are available, the oldest for %s s', q.available,
                      floor(extract(epoch from q.oldest_age))) as backlog
          from millrace.queue_overview() q
    ), buried as (
        select d.queue_id, count(*) as lately, (array_agg(d.error order by d.discarded_at desc))[1] as error
          from (select * from millrace.dead_letter d
                 where d.discarded_at > millrace.now() - interval '1 day'
                 order by d.discarded_at desc
                 limit 10000) d
         group by d.queue_id
    )
    select 'critical', 'no worker', -q.available, q.name, q.backlog || ', and no worker that lives takes them',
           format('millrace worker --queue %s', q.name)
      from queue q
     where q.paused_at is null and not q.served and q.oldest_age > interval '1 minute'
    union all
    select 'warning', 'queue behind', -q.available, q.name,
           format('%s; %s run%s', q.backlog, q.running,
                  case when q.running >= q.max_running then ', as many as max_running allows'
                       when q.next_token_at > millrace.now() then ', and its rate is ' || q.rate else '' end),
           case when q.running >= q.max_running
                then format('select millrace.configure_queue(%L, ''{"max_running": n}'')', q.name)
                when q.next_token_at > millrace.now()
                then format('select millrace.configure_queue(%L, ''{"rate": "n per second"}'')', q.name)
                else format('more slots: millrace worker --queue %s=N', q.name) end
      from queue q
     where q.paused_at is null and q.served and q.oldest_age > interval '15 minutes'
    union all
    select 'warning', 'queue paused', -q.available, q.name,
           format('since %s; %s', millrace.utc_text(q.paused_at), q.backlog),
           format('select millrace.resume_queue(%L)', q.name)
      from queue q
     where q.paused_at < millrace.now() - interval '10 minutes' and q.available > 0
    union all
    select c.severity, c.finding, 0, k.queue || '/' || k.kind,
           c.detail || '; the first of its jobs waits since ' || millrace.utc_text(k.oldest_at), c.remedy
      from millrace.kinds_aside k
      join queue q on q.name = k.queue
     cross join lateral (
            values (k.handled_by = 0 and k.paused_at is null and q.served and q.paused_at is null
                    and k.oldest_at < millrace.now() - interval '1 minute',
                    'critical', 'kind without worker', 'workers take from its queue, and none handles this kind',
                    'start a worker that does, or select millrace.pause_kind(' || quote_literal(k.kind) || ')'),
                   (k.paused_at < millrace.now() - interval '10 minutes',
                    'warning', 'kind paused', 'since ' || millrace.utc_text(k.paused_at),
                    format('select millrace.resume_kind(%L)', k.kind))
           ) c(holds, severity, finding, detail, remedy)
     where c.holds
    union all
    select 'warning', 'dead letters', -b.lately, q.name,
           format('%s in the last 24 hours, %s in all; the last one: %s', b.lately, q.dead, left(b.error, 200)),
           format('millrace jobs list --queue %s --state discarded, then replay or discard', q.name)
      from buried b
      join millrace.queue k on k.id = b.queue_id
      join queue q on q.name = k.name
$$;

-- What every worker does besides its jobs.
create or replace function millrace.doctor_upkeep()
returns table (severity text, finding text, place bigint, about text, detail text, remedy text)
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    select 'critical', 'nobody reaps', 0::bigint, string_agg(w.name, ', ' order by w.id) filter (where w.number <= 5),
           format('%s sessions whose lease ran out, the first at %s, are not reaped; their jobs wait', count(*),
                  millrace.utc_text(min(w.gone_at))),
           'start a worker, or select millrace.reap()'
      from (select w.id, w.name, g.gone_at, row_number() over (order by w.id) as number
              from millrace.worker w
             cross join lateral (select coalesce(w.ended_at, w.lease_expires_at) as gone_at) g
             where not w.cleared and g.gone_at < millrace.now() - interval '1 minute'
             limit 1000) w
    having count(*) > 0
    union all
    select 'critical', 'nobody promotes', 0, 'job ' || s.job_id,
           format('it is due since %s, and others may be', millrace.utc_text(s.run_at)),
           'start a worker, or select * from millrace.promote()'
      from (select s.job_id, s.run_at from millrace.scheduled s order by s.run_at, s.job_id limit 1) s
     where s.run_at < millrace.now() - interval '1 minute'
    union all
    select 'warning', 'counts not folded', 0, 'queue_delta',
           'more than 100000 rows are not added up; looking at a queue becomes slow', 'start a worker'
     where (select count(*) from millrace.live_deltas(100001)) > 100000
    union all
    select 'warning', 'bloat', -s.bytes, c.oid::regclass::text,
           format('%s for about %s rows; it does not shrink by itself', pg_size_pretty(s.bytes), c.reltuples::bigint),
           case c.relkind when 'i' then format('reindex index concurrently %s', c.oid::regclass)
                else format('end what holds dead rows (millrace.horizon_holders); then vacuum %1$s, or while workers '
                            'rest vacuum full %1$s', c.oid::regclass) end
      from unnest('{ready,scheduled,blocked,running,queue_delta,worker}'::text[]) narrow(name)
      join pg_class t on t.relnamespace = 'millrace'::regnamespace and t.relname = narrow.name
      join pg_class c on c.oid = t.oid or c.oid in (select x.indexrelid from pg_index x where x.indrelid = t.oid)
     cross join lateral (select c.relpages * current_setting('block_size')::bigint as bytes) s
     -- a row has some 100 bytes; as vacuum has seen it last
     where s.bytes > 128 * 1024 * 1024 and c.reltuples >= 0 and s.bytes > 1000 * c.reltuples
    union all
    select 'note', 'mixed versions', 0, string_agg(w.version, ', ' order by w.version),
           format('workers of %s versions for more than a day: an upgrade that was not finished', count(*)),
           'select name, version from millrace.workers; restart the old ones'
      from (select w.version, min(w.started_at) as since
              from millrace.worker w
             where w.ended_at is null and w.lease_expires_at > millrace.now() and w.version is not null
             group by w.version) w
    having count(*) > 1 and max(w.since) < millrace.now() - interval '1 day'
    union all
    select 'warning', 'no day ahead', 0, i.last_day::text,
           'the newest partition is that of ' || i.last_day || '; later jobs are put into it, too',
           'start a worker, or select millrace.maintain_partitions()'
      from millrace.installation i
     where i.last_day <= (millrace.now() at time zone 'utc')::date
    union all
    select 'warning', 'old day kept', 0, i.first_day::text,
           case when i.drop_given_up_at is null then 'nobody drops it'
                else 'somebody held on to the tables at ' || millrace.utc_text(i.drop_given_up_at) end
           || (select case when count(*) > 0 then format('; %s of its jobs run', count(*)) else '' end
                 from (select from millrace.running r where r.stored_on = i.first_day limit 10000) r),
           case when exists (select from millrace.running r where r.stored_on = i.first_day)
                then 'select id, kind, claimed_at from millrace.running_jobs order by claimed_at; then millrace jobs '
                     'cancel ID, which is for good, or restart the worker that runs it'
                else 'end long transactions (millrace.horizon_holders), then select millrace.maintain_partitions()' end
      from millrace.installation i
     cross join (select coalesce(max(q.retention), interval '7 days') as retention from millrace.queue q) q
     -- what waited there and ended late keeps a day for a second retention
     where (i.first_day + 3)::timestamp + q.retention * case when i.drop_given_up_at is null then 2 else 1 end
           < millrace.now() at time zone 'utc'
    union all
    select 'warning', 'many days', 0, 'job',
           format('%s days are kept; a claim locks the table and the index of each', d.days),
           format('max_locks_per_transaction = %s and a restart, or shorten the longest retention', 2 * d.days + 100)
      from (select i.last_day - i.first_day + 1 as days from millrace.installation i) d
     where 2 * d.days > current_setting('max_locks_per_transaction')::int
$$;

create or replace function millrace.doctor_schedules()
returns table (severity text, finding text, place bigint, about text, detail text, remedy text)
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    select c.severity, c.finding, s.id::bigint, s.name, c.detail, c.remedy
      from millrace.schedule s
     cross join lateral (select d.* from millrace.schedule_due d
                          where d.schedule_id = s.id order by d.version desc limit 1) d
      left join lateral (select r.* from millrace.schedule_run r
                          where r.schedule_id = s.id order by r.fired_at desc, r.due_at desc limit 1) r on true
     cross join lateral (
            values (not s.paused and d.error is not null, 'warning', 'schedule fails',
                    format('due at %s: %s', millrace.utc_text(d.next_run_at), d.error),
                    'correct what the error names; it is tried again'),
                   (not s.paused and d.error is null and d.next_run_at < millrace.now() - interval '5 minutes',
                    'critical', 'schedule late', 'nothing was enqueued for ' || millrace.utc_text(d.next_run_at),
                    'start a worker, or select * from millrace.tick_schedules()'),
                   (s.paused and d.next_run_at < millrace.now() - interval '1 day',
                    'note', 'schedule paused', 'its times since ' || millrace.utc_text(d.next_run_at) || ' pass',
                    format('select millrace.resume_schedule(%L)', s.name)),
                   (r.how = 'skipped' and r.fired_at > millrace.now() - interval '1 day',
                    'note', 'schedule skipped', format('%s times from %s on were skipped, as misfire says', r.times,
                                                       millrace.utc_text(r.due_at)),
                    format('select millrace.run_schedule_now(%L), if one is wanted', s.name))
           ) c(holds, severity, finding, detail, remedy)
     where c.holds
$$;

-- A worker that is lost is told of by `nobody reaps`.
create or replace function millrace.doctor_jobs()
returns table (severity text, finding text, place bigint, about text, detail text, remedy text)
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    select 'warning', 'stuck jobs', -count(*), s.queue,
           format('%s: %s jobs, the first since %s: %s', s.cause, count(*), millrace.utc_text(min(s.since)),
                  string_agg(s.id::text, ', ' order by s.id) filter (where s.number <= 5)),
           'select * from millrace.stuck_jobs; millrace jobs show ID'
      from (select s.*, row_number() over (partition by s.queue, s.cause order by s.id) as number
              from millrace.stuck_jobs s
             where s.cause <> 'worker lost'
             limit 10000) s
     group by s.queue, s.cause
    union all
    select 'warning', 'key held', h.job_id, q.name || '/' || j.concurrency_key,
           format('job %s %s; others wait for the key', h.job_id, h.how),
           format('select millrace.%s(%s)', h.verb, h.job_id)
      from (select * from
                   (select r.job_id, r.stored_on, 'cancel' as verb,
                           'runs since ' || millrace.utc_text(r.claimed_at) as how
                      from millrace.running r
                     where r.tied and r.claimed_at < millrace.now() - interval '1 hour'
                     limit 10000) running
            union all
            select * from
                   (select s.job_id, s.stored_on, 'retry',
                           'waits for its retry at ' || millrace.utc_text(s.run_at)
                      from millrace.scheduled s
                     where s.key is null and s.waits_for <> 'run_at'
                       and s.run_at > millrace.now() + interval '1 hour'
                     limit 10000) retrying) h
      join millrace.job j on j.id = h.job_id and j.stored_on = h.stored_on
      join millrace.queue q on q.id = j.queue_id
     where exists (select from millrace.blocked b
                    where b.queue_id = j.queue_id and b.key = j.concurrency_key and b.batch_id is null)
$$;
