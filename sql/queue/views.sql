-- jobs, running_jobs, job_lines, queues, workers, kinds, dead_letters, operator_actions: what a person looks at.
--
-- `jobs` shows every job once, with its state, whatever table holds it. Filters on state, queue and id reach each
-- branch, so that `where state = 'running'` reads nothing else: each has a constant for its state. `queues` never
-- counts a backlog: its numbers are sums of counts that are kept, and the oldest job is the least of the lanes' heads.
--
-- Locks   none.
-- Raises  nothing.

set local client_min_messages = warning;
drop view if exists millrace.jobs, millrace.queues, millrace.workers, millrace.dead_letters, millrace.batches,
                    millrace.blocked_keys, millrace.key_limits, millrace.running_jobs, millrace.job_lines,
                    millrace.kinds_aside, millrace.kinds, millrace.operator_actions;
reset client_min_messages;

create view millrace.jobs as
select j.id, q.name as queue, j.kind, s.state, j.priority, s.attempt, j.max_attempts, s.run_at, w.name as worker,
       s.fence, s.claimed_at, s.deadline, s.finished_at,
       coalesce(s.error, (select f.error
                            from millrace.attempt_failure f
                           where f.job_id = j.id
                           order by f.failed_at desc
                           limit 1)) as error,
       s.result, j.payload, j.concurrency_key, j.unique_key, j.batch_id,
       s.after_batch, j.traceparent, j.enqueued_at, j.expires_at,
       (select jsonb_build_object('percent', p.percent, 'message', p.message, 'attempt', p.attempt,
                                  'at', p.reported_at)
          from millrace.job_progress p
         where p.job_id = j.id
         order by p.version desc
         limit 1) as progress,
       (select jsonb_build_object('by', c.requested_by, 'reason', c.reason, 'at', c.requested_at)
          from millrace.cancel_request c
         where c.job_id = j.id and c.fence = s.fence and s.state = 'running') as cancelling
  from (select r.job_id, r.stored_on, 'available' as state, r.attempt, null::timestamptz as run_at, null::int as worker,
               null::bigint as fence, null::timestamptz as claimed_at, null::timestamptz as deadline,
               null::timestamptz as finished_at, null::text as error, null::jsonb as result,
               null::bigint as after_batch
          from millrace.ready r
        union all
        select s.job_id, s.stored_on, 'scheduled', s.attempt, s.run_at, null, null, null, null, null, null, null, null
          from millrace.scheduled s
        union all
        select b.job_id, b.stored_on, 'blocked', b.attempt, null, null, null, null, null, null, null, null, b.batch_id
          from millrace.blocked b
        union all
        select r.job_id, r.stored_on, 'running', r.attempt, null, r.worker, r.fence, r.claimed_at, r.deadline, null,
               null, null, null
          from millrace.running r
        union all
        select f.job_id, f.stored_on, 'completed', f.attempt, null, f.worker, f.fence, f.claimed_at, null,
               f.finished_at, f.note, f.result, null
          from millrace.finished f
         where f.outcome = 'completed'
        union all
        select f.job_id, f.stored_on, 'cancelled', f.attempt, null, f.worker, f.fence, f.claimed_at, null,
               f.finished_at, f.note, f.result, null
          from millrace.finished f
         where f.outcome = 'cancelled'
        union all
        select d.job_id, d.stored_on, 'discarded', d.attempt, null, d.worker, d.fence, null, null, d.discarded_at,
               d.error, null, null
          from millrace.dead_letter d) s
  join millrace.job j on j.id = s.job_id and j.stored_on = s.stored_on
  join millrace.queue q on q.id = j.queue_id
  left join millrace.worker w on w.id = s.worker;

create view millrace.running_jobs as
select j.id, j.queue, j.kind, j.attempt, j.max_attempts, j.worker, j.claimed_at, j.deadline, j.progress, j.cancelling
  from millrace.jobs j
 where j.state = 'running';

create view millrace.job_lines as
select l.job_id, l.line, l.attempt, l.logged_at, l.text
  from millrace.job_log l;

-- A function, because a view cannot turn off the just-in-time compiler, which takes longer than the query.
create or replace function millrace.queue_overview()
returns table (name text, available bigint, scheduled bigint, blocked bigint, running bigint, dead bigint,
               enqueued bigint, completed bigint, cancelled bigint, failed bigint, oldest_at timestamptz,
               oldest_age interval, signal_raised boolean, max_attempts smallint, timeout interval,
               retry_base interval, retry_cap interval, max_payload_bytes int, retention interval,
               created_at timestamptz, paused_at timestamptz, max_running int, key_limit int,
               dead_letter_retention interval, rate text, burst int, next_token_at timestamptz, key_rate text,
               key_burst int, history text)
language sql volatile security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
select q.name, n.available, n.scheduled, n.blocked, n.running, n.dead, n.enqueued, n.completed, n.cancelled,
       n.failed, o.oldest_at, millrace.now() - o.oldest_at as oldest_age, s.raised as signal_raised, q.max_attempts,
       q.timeout, q.retry_base, q.retry_cap, q.max_payload_bytes, q.retention, q.created_at,
       q.paused_at, q.max_running, q.key_limit, q.dead_letter_retention, q.rate,
       millrace.burst_of(q.burst, q.token_micros),
       (select case b.tokens when 0 then b.spent_until + b.every end from millrace.bucket_at(q.id, millrace.now()) b),
       q.key_rate, millrace.burst_of(q.key_burst, q.key_token_micros), q.history
  from millrace.queue q
  join millrace.queue_signal s on s.queue_id = q.id
  join (select c.queue_id, sum(c.available)::bigint as available, sum(c.scheduled)::bigint as scheduled,
               sum(c.blocked)::bigint as blocked, sum(c.running)::bigint as running, sum(c.dead)::bigint as dead,
               sum(c.enqueued)::bigint as enqueued,
               sum(c.completed)::bigint as completed, sum(c.cancelled)::bigint as cancelled,
               sum(c.failed)::bigint as failed
          from (select c.queue_id, c.available, c.scheduled, c.blocked, c.running, c.dead, c.enqueued, c.completed,
                       c.cancelled, c.failed
                  from millrace.queue k
                 cross join lateral (select c.*
                                       from millrace.queue_count c
                                      where c.queue_id = k.id
                                      order by c.version desc
                                      limit 1) c
                union all
                select d.queue_id, d.available, d.scheduled, d.blocked, d.running, d.dead, d.enqueued, d.completed,
                       d.cancelled, d.failed
                  from millrace.live_deltas() d) c
         group by c.queue_id) n on n.queue_id = q.id
 cross join lateral (
        select min(head.enqueued_at) as oldest_at
          from millrace.lanes_of(q.id) p(priority)
         cross join lateral (select l.*
                               from millrace.lane l
                              where l.queue_id = q.id and l.priority = p.priority
                              order by l.version desc
                              limit 1) l
         cross join lateral (select j.enqueued_at
                               from (select * from
                                            (select r.job_id, r.stored_on
                                               from millrace.ready r
                                              where r.queue_id = l.queue_id and r.priority = l.priority
                                                and (r.pos, r.job_id) >= (l.low, l.low_job)
                                              order by r.pos, r.job_id
                                              limit 1) late
                                     union all
                                     select early.job_id, early.stored_on
                                       from unnest(l.pending, l.pending_job) p(pos, job)
                                      cross join lateral (select r.job_id, r.stored_on
                                                            from millrace.ready r
                                                           where r.queue_id = l.queue_id and r.priority = l.priority
                                                             and r.pos = p.pos and r.job_id >= p.job
                                                           order by r.job_id
                                                           limit 1) early
                                      where pg_visible_in_snapshot(p.pos, pg_current_snapshot())) first
                               join millrace.job j on j.id = first.job_id and j.stored_on = first.stored_on) head) o
$$;

create view millrace.queues as
select * from millrace.queue_overview();

create view millrace.workers as
select w.id, w.name, w.host, w.pid, w.version, w.queues,
       case when w.end_reason = 'closed' then 'closed'
            when w.ended_at is not null then 'lost'
            when w.lease_expires_at < millrace.now() then 'overdue'
            when w.draining then 'draining'
            else 'alive' end as state,
       w.started_at, w.heartbeat_at, w.lease_expires_at, w.draining, w.ended_at, w.end_reason, w.kinds
  from millrace.worker w;

-- What claims have met and could not hand out: by queue and kind, with the first of it. No count over a backlog.
create view millrace.kinds_aside as
select q.name as queue, l.kind, k.paused_at, n.handled_by, first.job_id as first_job,
       first.enqueued_at as oldest_at
  from millrace.kind_lane l
  join millrace.queue q on q.id = l.queue_id
  left join millrace.kind k on k.name = l.kind
 cross join lateral (select count(*) as handled_by  -- workers that live
                       from millrace.workers w
                      where w.state = 'alive' and q.name = any (w.queues)
                        and (w.kinds is null or l.kind = any (w.kinds))) n
 cross join lateral (
        select r.job_id, j.enqueued_at
          from generate_series(0, 9) p(priority)
         cross join lateral (select m.*
                               from millrace.lane m
                              where m.queue_id = l.queue_id and m.priority = 100 + 10 * l.number + p.priority
                              order by m.version desc
                              limit 1) m
         cross join lateral (select r.job_id, r.stored_on
                               from millrace.ready r
                              where r.queue_id = m.queue_id and r.priority = m.priority
                                and ((r.pos, r.job_id) >= (m.low, m.low_job) or r.pos = any (m.pending))
                              order by r.pos, r.job_id
                              limit 1) r
          join millrace.job j on j.id = r.job_id and j.stored_on = r.stored_on
         order by j.enqueued_at, r.job_id
         limit 1) first;

-- Kinds that somebody has configured, paused or named as what a worker handles; null in a setting: as the queue has it.
-- A worker that names none handles all.
create view millrace.kinds as
select n.name as kind, k.max_attempts, k.timeout, k.retry_base, k.retry_cap, k.retry_delays, k.paused_at,
       count(w.id) as live_workers
  from (select k.name
          from millrace.kind k
        union
        select unnest(w.kinds)
          from millrace.worker w
          join millrace.workers s on s.id = w.id
         where s.state = 'alive') n
  left join millrace.kind k on k.name = n.name
  left join (select w.id, w.kinds
               from millrace.worker w
               join millrace.workers s on s.id = w.id
              where s.state = 'alive') w on w.kinds is null or n.name = any (w.kinds)
 group by n.name, k.id;

create view millrace.dead_letters as
select d.job_id, q.name as queue, j.kind, d.attempt, d.error, d.discarded_at, w.name as worker, j.payload,
       j.enqueued_at
  from millrace.dead_letter d
  join millrace.job j on j.id = d.job_id and j.stored_on = d.stored_on
  join millrace.queue q on q.id = d.queue_id
  left join millrace.worker w on w.id = d.worker;

-- Who has paused, configured, cancelled, replayed, adopted …: `who` is the role that logged in.
create view millrace.operator_actions as
select a.at, a.who, a.action, a.detail, a.affected from millrace.operator_action a;

-- A batch that is open counts its members as they join it.
create view millrace.batches as
select b.id, q.name as queue, b.kind,
       case when b.finished_at is not null then 'finished' when b.closed_at is not null then 'closed' else 'open' end
           as state,
       coalesce(b.members, (select sum(m.amount) from millrace.batch_member m where m.batch_id = b.id), 0) as members,
       c.completed, c.cancelled, c.discarded, b.created_at, b.closed_at, b.finished_at, b.callback_job
  from millrace.batch b
  join millrace.queue q on q.id = b.queue_id
 cross join lateral (select c.*
                       from millrace.batch_count c
                      where c.batch_id = b.id
                      order by c.version desc
                      limit 1) c;

-- Keys in use: how many jobs may hold a slot, how many do, and how many wait. Counts what waits: for a look, not a
-- scrape.
create view millrace.blocked_keys as
select q.name as queue, k.key, coalesce(l.max_held, q.key_limit) as key_limit, k.held, w.blocked, w.next_job,
       coalesce(l.rate, q.key_rate) as rate, k.wake_at as next_tokens_at
  from (select distinct on (k.queue_id, k.key) k.queue_id, k.key, k.held, k.wake_at
          from millrace.concurrency_key k
         order by k.queue_id, k.key, k.version desc) k
  join millrace.queue q on q.id = k.queue_id
  left join millrace.key_limit l on l.queue_id = k.queue_id and l.key = k.key
 cross join lateral (select count(*) as blocked, min(b.job_id) as next_job
                       from millrace.blocked b
                      where b.queue_id = k.queue_id and b.key = k.key and b.batch_id is null) w
 where k.held > 0 or w.blocked > 0;

-- Keys that limit_key() has given a limit or a rate of their own; null: as the queue has it. In use or not.
create view millrace.key_limits as
select q.name as queue, l.key, l.max_held, l.rate, l.burst
  from millrace.key_limit l
  join millrace.queue q on q.id = l.queue_id;
