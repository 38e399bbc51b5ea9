-- grants.sql: who may call what of notifications; every role against every function and every table.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
select plan(11);

create temp table manifest (role name, functions text[]);
insert into manifest values
    ('millrace_enqueuer', '{define_type,types,should_send,config,configure,unsubscribe,emit,cl_comment_created,
                            html_escape}'),
    ('millrace_worker', '{types,should_send,config,configure,unsubscribe,emit,cl_comment_created,html_escape,
                          message_of,digest_of,digest_to,template_of,is_suppressed,record_delivery,upkeep,overview}'),
    ('millrace_operator', '{define_type,types,should_send,config,configure,unsubscribe,emit,cl_comment_created,
                            html_escape,set_sender,put_template,drop_template,template_of,suppress,unsuppress,bounced,
                            is_suppressed,find_emails,status_by_job,set_up,set_queue_owner,upkeep,erase_user,
                            overview}'),
    ('millrace_viewer', '{types,should_send,find_emails,status_by_job,overview}');
create temp view own_functions as
select f.oid, f.proname, f.prosecdef, f.proconfig, f.proowner from pg_proc f
 where f.pronamespace = 'notify'::regnamespace;
create temp view own_relations as
select c.oid, c.relname, c.relkind, c.relowner from pg_class c
 where c.relnamespace = 'notify'::regnamespace and c.relkind in ('r', 'p', 'v', 'S');

select set_eq(format($$ select proname from own_functions where has_function_privilege(%L, oid, 'execute') $$, m.role),
              format('select unnest(%L::name[])', m.functions), m.role || ' may call its functions and no others')
  from manifest m;
select set_eq($$ select m.role, r.relname, p.privilege from manifest m, own_relations r,
                        unnest('{select,insert,update,delete,truncate,references,trigger}'::text[]) p(privilege)
                  where r.relkind <> 'S' and has_table_privilege(m.role, r.oid, p.privilege) $$,
              $$ select role, relation::name, 'select' from unnest('{millrace_operator,millrace_viewer}'::name[]) role,
                        unnest('{emails,suppressions}'::text[]) relation $$,
              'operators and viewers read the views; nobody has a right on a table');
select is_empty($$ select m.role, r.relname from manifest m, own_relations r, unnest('{usage,select,update}'::text[]) p
                    where r.relkind = 'S' and has_sequence_privilege(m.role, r.oid, p) $$, 'nor on a sequence');
create role millrace_test_nobody nologin;
select is_empty($$ select proname from own_functions
                    where has_function_privilege('millrace_test_nobody', oid, 'execute') $$, 'PUBLIC may call nothing');
select is(has_schema_privilege('millrace_test_nobody', 'notify', 'usage, create'), false, 'nor enter the schema');
select is_empty($$ select proname from own_functions where proowner <> 'millrace_owner'::regrole
                   union all select relname from own_relations where relowner <> 'millrace_owner'::regrole $$,
                'all belongs to millrace_owner');
select is_empty($$ select proname from own_functions f, manifest m
                    where f.proname = any (m.functions)
                      and not (prosecdef and 'search_path=pg_catalog, pg_temp' = any (proconfig)) $$,
                'what may be called runs as the owner, with a search_path of its own');
select is_empty($$ select f.proname from own_functions f
                    where not coalesce('search_path=pg_catalog, pg_temp' = any (f.proconfig), false) $$,
                'what they call has one, too');
select * from finish();
rollback;
