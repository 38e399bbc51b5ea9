-- sql/pipeline/grants.sql: who may call what; every role against every function and every table of the schema.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
select plan(11);
create temp table manifest (role name, functions text[]);
insert into manifest values
    ('millrace_enqueuer', '{ingest,poll,is_green,latest_green,greenness,coverage,gate}'),
    ('millrace_worker', '{ingest,poll,is_green,latest_green,greenness,coverage,gate,get_queue,lock_queue,update_queue,
                          get_request,update_request,note_history,supersede_before,count_processing,latest_accepted,
                          create_build,get_build,build_of,update_build,create_fact,get_fact,trigger_command,start_command,
                          finish_command,cancel_command,command_status,append_command_log,runner_settings,
                          set_target_graph,analyze_request,settle_project,announce,bisect_step,rerun_build,
                          hook_delivery,tell,note_promotion,overview}'),
    ('millrace_operator', '{ingest,poll,is_green,latest_green,greenness,coverage,gate,create_queue,configure_queue,
                            settings_of,apply,export,revalidate,verdict,roll_up,limit_command,use_service,
                            read_command_log,command_runs_of,overview}'),
    ('millrace_viewer', '{is_green,latest_green,greenness,coverage,gate,settings_of,export,verdict,roll_up,
                          read_command_log,command_runs_of,overview}');
create temp view own_functions as
select f.oid, f.proname, f.prosecdef, f.proconfig, f.proowner from pg_proc f
 where f.pronamespace = 'pipeline'::regnamespace;
create temp view own_relations as
select c.oid, c.relname, c.relkind, c.relowner from pg_class c
 where c.relnamespace = 'pipeline'::regnamespace and c.relkind in ('r', 'p', 'v', 'S');

select set_eq(format($$ select proname from own_functions where has_function_privilege(%L, oid, 'execute') $$, m.role),
              format('select unnest(%L::name[])', m.functions), m.role || ' may call its functions and no others')
  from manifest m;
select set_eq($$ select m.role, r.relname, p.privilege from manifest m, own_relations r,
                        unnest('{select,insert,update,delete,truncate,references,trigger}'::text[]) p(privilege)
                  where has_table_privilege(m.role, r.oid, p.privilege) $$,
              $$ select role, relation::name, 'select' from unnest('{millrace_operator,millrace_viewer}'::name[]) role,
                        unnest('{queues,requests,request_projects,builds,history}'::text[]) relation $$,
              'operators and viewers read the views; nobody has a right on a table');
create role millrace_test_nobody nologin;
select is_empty($$ select proname from own_functions
                    where has_function_privilege('millrace_test_nobody', oid, 'execute') $$, 'PUBLIC may call nothing');
select is(has_schema_privilege('millrace_test_nobody', 'pipeline', 'usage, create'), false, 'nor enter the schema');
select is_empty($$ select proname from own_functions where proowner <> 'millrace_owner'::regrole
                   union all select relname from own_relations where relowner <> 'millrace_owner'::regrole $$,
                'all belongs to millrace_owner');
select is_empty($$ select proname from own_functions f, manifest m
                    where f.proname = any (m.functions)
                      and not (prosecdef and 'search_path=pg_catalog, pg_temp' = any (proconfig)) $$,
                'what may be called runs as the owner, with a search_path of its own');
select results_eq($$ select c.conrelid::regclass::text from pg_constraint c
                      where c.connamespace = 'pipeline'::regnamespace and c.contype = 'p'
                        and (select a.attname from pg_attribute a
                              where a.attrelid = c.conrelid and a.attnum = c.conkey[1])
                            not in ('queue', 'name') $$,
                  'select null::text where false', 'every primary key leads with the pipeline queue');
select is((select count(*)::int from pg_class where relnamespace = 'pipeline'::regnamespace and relkind = 'r'), 14,
          'of all fourteen tables');
select * from finish();
rollback;
