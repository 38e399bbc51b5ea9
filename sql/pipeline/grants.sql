-- grants: who may call what of the pipeline. Applied last; no role but the owner has a right on a table.
--
--     millrace_enqueuer   reports heads, asks         millrace_worker   and runs the stages
--     millrace_operator   and creates queues, looks   millrace_viewer   asks and looks
--
-- Locks   none.
-- Raises  nothing.

revoke all on all tables in schema pipeline from public, millrace_enqueuer, millrace_worker, millrace_operator,
                                                 millrace_viewer;
revoke all on all functions in schema pipeline from public, millrace_enqueuer, millrace_worker, millrace_operator,
                                                    millrace_viewer;
grant select on pipeline.queues, pipeline.requests, pipeline.request_projects, pipeline.builds, pipeline.history
    to millrace_operator, millrace_viewer;

do $$
declare
    granted record;
begin
    for granted in
        select f.oid::regprocedure as signature, r.name as role
          from (values
                ('millrace_enqueuer', '{ingest,poll,is_green,latest_green,greenness,coverage,gate}'::text[]),
                ('millrace_worker', '{ingest,poll,is_green,latest_green,greenness,coverage,gate,get_queue,lock_queue,
                                      update_queue,get_request,update_request,note_history,supersede_before,
                                      count_processing,latest_accepted,create_build,get_build,build_of,update_build,
                                      create_fact,get_fact,trigger_command,start_command,finish_command,
                                      cancel_command,command_status,append_command_log,runner_settings,
                                      set_target_graph,analyze_request,settle_project,announce,bisect_step,rerun_build,
                                      hook_delivery,tell,note_promotion,overview}'),
                ('millrace_operator', '{ingest,poll,is_green,latest_green,greenness,coverage,gate,create_queue,
                                        configure_queue,settings_of,apply,export,revalidate,verdict,roll_up,
                                        limit_command,use_service,read_command_log,command_runs_of,overview}'),
                ('millrace_viewer', '{is_green,latest_green,greenness,coverage,gate,settings_of,export,verdict,
                                      roll_up,read_command_log,command_runs_of,overview}'))
               r(name, functions)
          join pg_catalog.pg_proc f on f.pronamespace = 'pipeline'::regnamespace and f.proname = any (r.functions)
    loop
        execute format('grant execute on function %s to %I', granted.signature, granted.role);
    end loop;
end
$$;
