-- stuck_jobs: attempts that run and will not end by themselves.
--
--     past its deadline   and the ten seconds that its worker has to stop it, and nobody has taken it back
--     worker lost         the lease of its session ran out more than a lease ago, and nobody has taken it back
--     does not stop       it was asked to stop more than a lease ago, and at least a minute
--     no sign of life     it has no deadline, runs for more than ten leases, and for as long has reported neither
--                         progress nor a log line; it may be at work: give its queue a timeout, or let it report
--
-- A job is shown once, with the first of these that holds. Reads `running` from end to end: what runs, and of what ran
-- lately whatever vacuum has not removed.
--
-- Locks   none.
-- Raises  nothing.

set local client_min_messages = warning;
drop view if exists millrace.stuck_jobs;
reset client_min_messages;

create view millrace.stuck_jobs as
select r.job_id as id, q.name as queue, j.kind, c.cause, c.since, r.attempt, j.max_attempts, w.name as worker,
       r.worker as session, r.claimed_at, r.deadline, l.last_sign, c.remedy
  from millrace.running r
  join millrace.job j on j.id = r.job_id and j.stored_on = r.stored_on
  join millrace.queue q on q.id = r.queue_id
  left join millrace.worker w on w.id = r.worker
 cross join lateral (select coalesce(w.lease, interval '30 seconds') as lease, millrace.now() as at) t
 cross join lateral (
        select greatest(r.claimed_at,
                        (select p.reported_at from millrace.job_progress p
                          where p.job_id = r.job_id order by p.version desc limit 1),
                        (select g.logged_at from millrace.job_log g
                          where g.job_id = r.job_id order by g.line desc limit 1)) as last_sign) l
 cross join lateral (
        select v.*
          from (values
                (1, 'past its deadline', r.deadline, interval '10 seconds', 'select millrace.reap()'),
                (2, 'worker lost', coalesce(w.ended_at, w.lease_expires_at), t.lease, 'select millrace.reap()'),
                (3, 'does not stop',
                 (select k.requested_at from millrace.cancel_request k
                   where k.job_id = r.job_id and k.fence = r.fence),
                 greatest(t.lease, interval '1 minute'), format('end its worker: session %s', r.worker)),
                (4, 'no sign of life', case when r.deadline is null then l.last_sign end, 10 * t.lease,
                 format('select millrace.cancel(%s), or configure_queue with a timeout', r.job_id))
               ) v(place, cause, since, patience, remedy)
         where v.since + v.patience < t.at
         order by v.place
         limit 1) c;
