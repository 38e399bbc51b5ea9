-- grants.sql: who may call what; every role against every function and every table. What is not named here, nobody may.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
select plan(19);

create temp table manifest (role name, functions text[]);
insert into manifest values
    ('millrace_enqueuer', '{now,enqueue,enqueue_many,enqueue_unique,create_batch,close_batch,poke,
                            payload_schemas}'),
    ('millrace_worker', '{now,enqueue,enqueue_many,enqueue_unique,create_batch,close_batch,poke,follow_up_all,
                          open_session,heartbeat,close_session,claim,complete,fail,snooze,
                          discard,settle_many,settled_as,assert_lease,raise_signal,lower_signal,promote,reap,
                          advance_low_water,fold_counts,maintain_partitions,prune,queue_overview,next_runs,
                          tick_schedules,cancel_requests,set_progress,log_line,payload_schemas,next_token,
                          installation_id}'),
    ('millrace_operator', '{now,enqueue,enqueue_many,enqueue_unique,create_batch,close_batch,poke,follow_up_all,
                            create_queue,configure_queue,pause_queue,resume_queue,pause_kind,resume_kind,limit_key,
                            retry,replay,cancel,configure_kind,retry_many,replay_many,cancel_many,discard_many,
                            adopt,reap,promote,maintain_partitions,prune,queue_overview,next_runs,
                            create_schedule,drop_schedule,pause_schedule,resume_schedule,run_schedule_now,
                            tick_schedules,
                            explain_job,horizon_overview,doctor,register_schema,payload_schemas}'),
    ('millrace_viewer', '{now,queue_overview,next_runs,explain_job,horizon_overview,doctor,payload_schemas}');
create temp view own_functions as
select f.oid, f.proname, f.prosecdef, f.proconfig, f.prosrc, f.proowner, f.oid::regprocedure::text as signature
  from pg_proc f where f.pronamespace = 'millrace'::regnamespace;
create temp view own_relations as
select c.oid, c.relname, c.relkind, c.relowner from pg_class c
 where c.relnamespace = 'millrace'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f');

select set_eq(format($$ select signature from own_functions where has_function_privilege(%L, oid, 'execute') $$,
                     m.role),
              format('select signature from own_functions where proname = any (%L)', m.functions),
              m.role || ' may call its functions and no others') from manifest m;
select is_empty('select m.role, f from manifest m, unnest(m.functions) f
                  where f not in (select proname from own_functions)',
                'all of them exist');
select is_empty('select proname, count(*) from own_functions group by 1 having count(*) > 1', 'none has two forms');
select set_eq($$ select m.role, r.relname, p.privilege from manifest m, own_relations r,
                        unnest('{select,insert,update,delete,truncate,references,trigger}'::text[]) p(privilege)
                  where r.relkind <> 'S' and has_table_privilege(m.role, r.oid, p.privilege) $$,
              $$ select role, relation::name, 'select'
                   from manifest, unnest('{migration,function_set}'::text[]) relation
                 union all
                 select role, relation::name, 'select'
                   from unnest('{millrace_operator,millrace_viewer}'::name[]) role,
                        unnest('{jobs,queues,workers,dead_letters,batches,blocked_keys,key_limits,schedules,
                                 schedule_runs,running_jobs,job_lines,kinds_aside,kinds,horizon_holders,stuck_jobs,
                                 storage,operator_actions}'::text[]) relation $$,
              'the ledger is read by all, the views by operators and viewers, no table by anybody');
select is_empty($$ select m.role, c.relname, a.attname from manifest m, pg_class c, pg_attribute a
                    where c.relnamespace = 'millrace'::regnamespace and a.attrelid = c.oid and a.attacl is not null $$,
                'no column is granted by itself');
select is_empty($$ select m.role, r.relname from manifest m, own_relations r,
                          unnest('{usage,select,update}'::text[]) p
                    where r.relkind = 'S' and has_sequence_privilege(m.role, r.oid, p) $$,
                'nobody reads the sequences');

-- PUBLIC: a role of which nothing is known has what PUBLIC has.
create role millrace_test_nobody nologin;
select is_empty($$ select signature from own_functions
                     where has_function_privilege('millrace_test_nobody', oid, 'execute') $$,
                'PUBLIC may call nothing');
select is_empty($$ select relname from own_relations where relkind <> 'S'
                      and has_table_privilege('millrace_test_nobody', oid, 'select,insert,update,delete,truncate') $$,
                'PUBLIC has no right on a table');
select is(has_schema_privilege('millrace_test_nobody', 'millrace', 'usage, create'), false, 'nor on the schema');
select is_empty($$ select role from manifest where has_schema_privilege(role, 'millrace', 'create') $$,
                'nobody but the owner makes anything in it');
set local role millrace_owner;
create function millrace.newly_made() returns int language sql as 'select 1';
reset role;
select is(has_function_privilege('millrace_test_nobody', 'millrace.newly_made()', 'execute'), false,
          'a function that a later migration makes is not PUBLIC''s, either');
drop function millrace.newly_made();

-- The owner, and functions that run with its rights.
select is_empty($$ select signature from own_functions where proowner <> 'millrace_owner'::regrole
                   union all select relname from own_relations where relowner <> 'millrace_owner'::regrole
                   union all select nspname from pg_namespace where nspname = 'millrace'
                                and nspowner <> 'millrace_owner'::regrole $$, 'all belongs to millrace_owner');
select is_empty($$ select rolname from pg_roles where rolname ~ '^millrace_(owner|enqueuer|worker|operator|viewer)$'
                      and (rolcanlogin or rolsuper or rolcreaterole or rolcreatedb or rolreplication
                           or rolbypassrls) $$,
                'no role logs in or has powers beyond the schema');
select is_empty($$ select signature from own_functions
                    where prosecdef and not coalesce('search_path=pg_catalog, pg_temp' = any (proconfig), false) $$,
                'a function that runs as the owner has its own search_path');
select is_empty($$ select signature from own_functions f, manifest m
                    where f.proname = any (m.functions) and f.proname <> 'now' and not f.prosecdef $$,
                'a function that may be called runs as the owner');

-- Time only from millrace.now().
select is_empty($$ select signature from (
                       select signature, prosrc from own_functions where proname <> 'now'
                       union all select relname, pg_get_viewdef(oid) from own_relations where relkind = 'v') source
                    where prosrc ~* '(?<!millrace\.)\mnow\(\)|\m(clock|statement|transaction)_timestamp\M|\mtimeofday\M'
                       or prosrc ~* '\mcurrent_(timestamp|date|time)\M|\mlocaltime(stamp)?\M|''now''|''today''' $$,
                'nothing but millrace.now() asks the server for the time');

select * from finish();
rollback;
