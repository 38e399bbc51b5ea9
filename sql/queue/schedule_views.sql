-- schedules, schedule_runs: the schedules with their next and their last run, and what became of each due time.
--
-- Locks   none.
-- Raises  nothing.

set local client_min_messages = warning;
drop view if exists millrace.schedules, millrace.schedule_runs;
reset client_min_messages;

create view millrace.schedules as
select s.name, s.cron, s.time_zone, q.name as queue, s.kind, s.payload, s.misfire, s.jitter, s.paused,
       case when not s.paused then d.next_run_at end as next_run_at, r.due_at as last_due_at,
       r.fired_at as last_fired_at, r.how as last_how, r.job_id as last_job, d.error, s.due_key, s.priority,
       s.max_attempts, s.timeout, s.created_at,
       s.changed_at
  from millrace.schedule s
  join millrace.queue q on q.id = s.queue_id
  left join lateral (select d.*
                       from millrace.schedule_due d
                      where d.schedule_id = s.id
                      order by d.version desc
                      limit 1) d on true
  left join lateral (select r.*
                       from millrace.schedule_run r
                      where r.schedule_id = s.id
                      order by r.fired_at desc, r.due_at desc
                      limit 1) r on true;

create view millrace.schedule_runs as
select s.name as schedule, r.due_at, r.fired_at, r.how, r.times, r.job_id
  from millrace.schedule_run r
  join millrace.schedule s on s.id = r.schedule_id;
