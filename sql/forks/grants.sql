-- grants: who may call what of fork synchronisation. Applied last; PUBLIC has nothing.
--
--     millrace_worker      what a job needs              millrace_operator   adds forks, asks for jobs and runs, looks
--                                                        millrace_viewer     looks
--
-- Locks   none.
-- Raises  nothing.

revoke all on all tables in schema forks from public, millrace_enqueuer, millrace_worker, millrace_operator,
                                              millrace_viewer;
revoke all on all functions in schema forks from public, millrace_enqueuer, millrace_worker, millrace_operator,
                                                 millrace_viewer;
grant select on forks.registry, forks.results, forks.groups, forks.runs, forks.digests,
                forks.token_pauses
    to millrace_operator, millrace_viewer;
grant execute on function forks.add_fork, forks.change_fork, forks.enable_fork, forks.disable_fork, forks.sync_now,
                          forks.configure_group, forks.import_forks, forks.start_run, forks.cancel_run,
                          forks.resume_run, forks.limit_token
    to millrace_operator;
grant execute on function forks.export_forks, forks.plan_run, forks.run_items, forks.run_steps
    to millrace_operator, millrace_viewer;
grant execute on function forks.digest_content to millrace_worker, millrace_operator, millrace_viewer;
grant execute on function forks.sync_target, forks.intend_push, forks.record_sync, forks.begin_run, forks.record_digest,
                          forks.pause_token, forks.token_wait, forks.take_place, forks.next_stage,
                          forks.step_target, forks.intend_step, forks.record_step, forks.withdraw_push
    to millrace_worker;
