-- interference: what a caller's settings and rights must not reach. `tests/hostile/run interference roles` tries every
-- function and object; here stands what was found.
set client_min_messages = warning;
create extension if not exists pgtap;
-- Before any function is compiled: a session compiles each once, under the settings of its first call.
set standard_conforming_strings = off;
set escape_string_warning = off;
select forks.is_branch('main') \g /dev/null
select forks.is_remote('/srv/a.git') \g /dev/null
set standard_conforming_strings = on;
begin;
select plan(12);

select ok(forks.is_branch('feature/1.0'), 'a branch is one, though strings did not conform at the first call');
select ok(not forks.is_branch(refused), refused || ' is none')
  from unnest('{a..b,x.lock,a.,"a@{1}",.hidden,"a\\\\b"}'::text[]) refused;
select ok(forks.is_remote('https://[::1]:80/a.git') and not forks.is_remote('https://ab]/a'), 'an address in brackets');
select is_empty($$ select oid::regprocedure from pg_proc
                    where pronamespace::regnamespace::text in ('millrace', 'forks', 'pipeline')
                      and strpos(prosrc, chr(92)) > 0 $$, 'no function depends on what a backslash means');

select millrace.create_queue('pipeline') \g /dev/null
set local intervalstyle = iso_8601;
select pipeline.create_queue('mono/main', '/srv/mono.git', 'main', '{make}', time_limit => '1 hour 5 minutes')
    \g /dev/null
select is((select q.runner_settings ->> 'time_limit' from pipeline.queue q), '01:05:00',
          'the time limit of a pipeline is stored in one style, whatever the caller''s is');
reset intervalstyle;

create role millrace_test_nobody nologin;
select is_empty($$ select t.typname from pg_type t
                    where t.typnamespace::regnamespace::text in ('millrace', 'forks', 'pipeline')
                      and t.typtype in ('e', 'd', 'r') and has_type_privilege('millrace_test_nobody', t.oid, 'usage')
                $$, 'PUBLIC may use no type, and so make no operator for it');
set local role millrace_owner;
create type millrace.newly_made as enum ('a');
reset role;
select is(has_type_privilege('millrace_test_nobody', 'millrace.newly_made', 'usage'), false,
          'nor one that a later migration makes');
select * from finish();
rollback;
