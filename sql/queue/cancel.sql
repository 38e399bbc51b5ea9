-- ask_to_stop, cancel_requests: the cancellation of a job that runs.
--
--     running ──cancel──► running, its attempt is asked to stop
--     running ──settle, reap──► finished 'cancelled'; 'completed' if it was faster
--
-- A request is for one attempt. Whatever that attempt ends with (a failure, a snooze, a release, the loss of its
-- lease), the job is cancelled and not available again; only its completion stands. settle_attempts and take_back look
-- for the request when the row of `running` is theirs, and who asks holds that row until the request is committed: so
-- either the request is seen, or the job is no longer running and cancel() looks for it elsewhere.
--
-- The lock is FOR KEY SHARE: it lets assert_lease pass, and makes a settle wait until the request is committed. Commit
-- at once.
--
-- Workers listen on the channel 'millrace:cancel', whose payload is the session's id, and ask cancel_requests() then
-- and with every heartbeat. That is all a worker pays that nobody disturbs: one probe of an index.
--
-- Locks   the job's row of running FOR KEY SHARE.
-- Raises  nothing; cancel() is in operate.sql.
-- Rows    1, and one of operator_action.

create or replace function millrace.ask_to_stop(job_id bigint, reason text)
returns boolean  -- false: it does not run
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    held record;
begin
    select r.fence, r.worker into held from millrace.running r where r.job_id = ask_to_stop.job_id for key share;
    if not found then
        return false;
    end if;
    insert into millrace.cancel_request (job_id, fence, requested_at, worker, requested_by, reason)
    values (ask_to_stop.job_id, held.fence, millrace.now(), held.worker, session_user, ask_to_stop.reason)
    on conflict do nothing;
    if found then
        perform pg_notify('millrace:cancel', held.worker::text);
        perform millrace.audit('cancel', jsonb_build_object('job', ask_to_stop.job_id, 'reason', ask_to_stop.reason),
                               1);
    end if;
    return true;
end
$$;

-- What this session runs and should stop, the oldest request first.
create or replace function millrace.cancel_requests(session int)
returns table (job_id bigint, fence bigint, requested_at timestamptz, reason text)
language sql stable security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
as $$
    select c.job_id, c.fence, c.requested_at, c.reason
      from millrace.cancel_request c
      join millrace.running r on r.job_id = c.job_id and r.fence = c.fence
     where c.worker = session
     order by c.requested_at, c.job_id
     limit 10000
$$;
