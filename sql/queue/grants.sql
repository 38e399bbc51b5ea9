-- grants: who may call what. Applied last; PUBLIC has nothing, and no role but the owner has a right on a table.
--
--     millrace_enqueuer   enqueues                        millrace_worker    and claims, settles, maintains
--     millrace_operator   enqueues, acts on jobs, looks   millrace_viewer    looks
--
-- Locks   none.
-- Raises  nothing.

revoke all on all tables in schema millrace from public, millrace_enqueuer, millrace_worker, millrace_operator,
                                                 millrace_viewer;
revoke all on all functions in schema millrace from public, millrace_enqueuer, millrace_worker, millrace_operator,
                                                    millrace_viewer;
-- Whoever may use a type may make operators for it, which are preferred to those for any enum.
revoke all on type millrace.outcome, millrace.ending, millrace.cron from public;
alter default privileges for role millrace_owner revoke usage on types from public;
grant select on millrace.migration, millrace.function_set
   to millrace_enqueuer, millrace_worker, millrace_operator, millrace_viewer;
grant select on millrace.jobs, millrace.queues, millrace.workers, millrace.dead_letters, millrace.batches,
                millrace.blocked_keys, millrace.key_limits, millrace.running_jobs, millrace.job_lines,
                millrace.kinds_aside, millrace.kinds, millrace.horizon_holders, millrace.stuck_jobs, millrace.storage,
                millrace.operator_actions
   to millrace_operator, millrace_viewer;
grant select on millrace.schedules, millrace.schedule_runs to millrace_operator, millrace_viewer;

do $$
declare
    granted record;
begin
    for granted in
        select f.oid::regprocedure as signature, r.name as role
          from (values
                ('millrace_enqueuer', '{now,enqueue,enqueue_many,enqueue_unique,create_batch,close_batch,
                                        poke,payload_schemas}'::text[]),
                ('millrace_worker', '{now,enqueue,enqueue_many,enqueue_unique,create_batch,close_batch,poke,
                                      open_session,heartbeat,close_session,claim,follow_up_all,complete,fail,snooze,
                                      discard,settle_many,settled_as,assert_lease,raise_signal,lower_signal,promote,
                                      reap,advance_low_water,fold_counts,maintain_partitions,prune,queue_overview,
                                      tick_schedules,next_runs,cancel_requests,set_progress,log_line,
                                      payload_schemas,next_token,installation_id}'),
                ('millrace_operator', '{now,enqueue,enqueue_many,enqueue_unique,create_batch,close_batch,poke,
                                        create_queue,configure_queue,pause_queue,resume_queue,pause_kind,resume_kind,
                                        limit_key,follow_up_all,retry,replay,cancel,adopt,reap,promote,
                                        maintain_partitions,prune,queue_overview,next_runs,create_schedule,
                                        drop_schedule,pause_schedule,resume_schedule,run_schedule_now,tick_schedules,
                                        explain_job,configure_kind,retry_many,replay_many,cancel_many,discard_many,
                                        horizon_overview,doctor,register_schema,payload_schemas}'),
                ('millrace_viewer', '{now,queue_overview,next_runs,explain_job,horizon_overview,doctor,
                                      payload_schemas}')
               ) r(name, functions)
          join pg_catalog.pg_proc f on f.pronamespace = 'millrace'::regnamespace and f.proname = any (r.functions)
    loop
        execute format('grant execute on function %s to %I', granted.signature, granted.role);
    end loop;
end
$$;
