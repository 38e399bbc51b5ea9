-- sql/pipeline/{projects,analyze}.sql: which projects a head touches, and when all of them are known.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(56);
select millrace.create_queue('pipeline') \g /dev/null
select pipeline.create_queue('q', '/a.git', 'main', '{make}') \g /dev/null
select pipeline.ingest('q', 'u' || n) from generate_series(1, 3) n \g /dev/null

-- Patterns.
select is(target ~ pipeline.glob_pattern(glob), fits, format('%s %s %s', target, case when fits then '~' else '!~' end, glob))
  from (values ('//web:lib', '//web:*', true), ('//web/a:lib', '//web:*', false), ('//web/a:lib', '//web/**', true),
               ('//web/a:lib', '//web/*', true), ('//web/a/b:lib', '//web/*', false), ('a.c', 'a?c', true),
               ('a/c', 'a?c', false), ('abc', 'a.c', false), ('a.c', 'a.c', true), ('x//web', '//web', false),
               ('a+b(c)[d]{e}|^$', 'a+b(c)[d]{e}|^$', true), (E'a\\b', E'a\\b', true), ('ab', '**', true))
       g(target, glob, fits);
select throws_ok(format($$ select pipeline.configure_queue('q', jsonb_build_object('projects', %L::jsonb)) $$, projects),
                 'MR005', 'configure_queue: bad projects', 'refused: ' || projects)
  from unnest(array['{}', '[1]', '[{"name": "a"}]', '[{"name": "a", "rules": []}]', '[{"name": "a", "rules": {}}]',
                    '[{"name": "unmapped", "rules": [{"path": "a"}]}]', '[{"name": "A", "rules": [{"path": "a"}]}]',
                    '[{"name": "a", "rules": [{"path": "a", "target": "b"}]}]', '[{"name": "a", "rules": [{"file": "a"}]}]',
                    '[{"name": "a", "rules": [{"path": ""}]}]', '[{"name": "a", "rules": [{"path": 1}]}]',
                    '[{"name": "a", "rules": [{"path_regex": "("}]}]', '[{"name": "a", "rules": ["a"]}]',
                    '[{"name": "a", "rules": [{"path": "a"}], "owner": "b"}]',
                    '[{"name": "a", "rules": [{"path": "a"}]}, {"name": "a", "rules": [{"path": "b"}]}]']) projects;
select is(pipeline.configure_queue('q', '{"projects": [
    {"name": "docs", "rules": [{"target": "//docs/**"}, {"path_regex": "[.]md$"}]},
    {"name": "web", "rules": [{"target_regex": "^//web[:/]"}, {"path": "web/**"}]},
    {"name": "all-else", "rules": [{"target": "//lib*"}]}]}'), '{projects}', 'projects are set');
select is((select t.project from pipeline.targets_of('q', jsonb_build_object('targets', jsonb_build_array(
               jsonb_build_object('name', target, 'status', 'passed', 'paths', to_jsonb(paths))))) t), project,
          format('%s %s belongs to %s', target, paths, project))
  from (values ('//docs/guide', '{}'::text[], 'docs'), ('//web:app', '{web/app.ts}', 'web'),
               ('//web:readme', '{web/README.md}', 'docs'), ('//api', '{api/a.c,web/b.ts}', 'web'), ('//lib', '{}', 'all-else'),
               ('//api', '{api/a.c}', 'unmapped'), ('//docs:x', '{}', 'unmapped')) t(target, paths, project);
set local track_functions = 'all';
create function pg_temp.patterns_made() returns int language sql as $$
    select coalesce(sum(calls), 0)::int from pg_stat_xact_user_functions
     where schemaname = 'pipeline' and funcname = 'glob_pattern'
$$;
select pg_temp.patterns_made() as before \gset
select is((select count(*)::int from pipeline.targets_of('q', (select jsonb_build_object('targets', jsonb_agg(jsonb_build_object(
              'name', '//x' || n, 'status', 'passed'))) from generate_series(1, 100) n)) where project = 'unmapped'), 100,
          'of a hundred targets');
select is(pg_temp.patterns_made() - :before, 3, 'each pattern is made once');

-- A request of four projects, two targets of which are not its business.
create function pg_temp.built(request bigint, run int default 1) returns void language sql as $$
    select pipeline.create_build('q', format('b%s~%s', request, run), request, '', run);
    select pipeline.update_build('q', format('b%s~%s', request, run), 'succeeded', '', null, 1, 2);
    update pipeline.request set state = 'succeeded', build_strategy = 'full' where number = built.request;
$$;
select pg_temp.built(1) \g /dev/null
select ok(pipeline.set_target_graph('q', 'b1~1', '{"targets": [
    {"name": "//docs/guide", "status": "passed", "paths": ["docs/"]}, {"name": "//docs/tour", "status": "failed"},
    {"name": "//web:app", "status": "passed"}, {"name": "//lib", "status": "skipped"}, {"name": "//x", "status": "failed"},
    {"status": "failed"}, 7, {"name": "//y", "status": "lost", "paths": 1}]}'), 'a build has a target graph');
select ok(not pipeline.set_target_graph('q', 'b1~1', '{"targets": []}'), 'once');
select ok(not pipeline.set_target_graph('q', 'b1~1', jsonb_build_object('targets', jsonb_build_array(jsonb_build_object(
              'paths', (select jsonb_agg('aaaaaaaaaaaaa'::text) from generate_series(1, 1000000)))))),
          'one of 16,000,000 bytes is taken, for all the spaces that are put into it');
select throws_ok($$ select pipeline.set_target_graph('q', 'b1~1', '[]') $$, 'MR005', 'set_target_graph: bad graph', 'of a shape');
select throws_ok($$ select pipeline.analyze_request('q', 2, 'b1~1') $$, 'MR005', 'analyze_request: bad build',
                 'a request is analyzed by its own build');
delete from millrace.ready;
select is(pipeline.analyze_request('q', 1, 'b1~1'), 3, 'three projects are touched, and built');
select results_eq($$ select project, targets, broken from pipeline.request_project order by project $$,
                  $$ values ('docs', 2, 1), ('unmapped', 1, 1), ('web', 1, 0) $$, 'with what is known of their targets');
select results_eq($$ select payload ->> 'project', priority::int from millrace.jobs where kind = 'pipeline.build' order by id $$,
                  $$ values ('docs', 6), ('unmapped', 6), ('web', 6) $$, 'after the heads');
select is(pipeline.analyze_request('q', 1, 'b1~1'), 3, 'analyzed again, it asks again: a build is found by its project');

select pipeline.create_fact('q', 'u1', '', 0, 1), pipeline.announce('q', 1, '') \g /dev/null
select pipeline.create_fact('q', 'u1', 'web', 0, 1), pipeline.announce('q', 1, 'web') \g /dev/null
select pipeline.create_fact('q', 'u1', 'docs', 1, 1), pipeline.announce('q', 1, 'docs') \g /dev/null
select results_eq($$ select project, verdict, degree from pipeline.greenness('q', 'u1') $$,
                  $$ values ('', 'green', 0::numeric), ('docs', 'broken', 1), ('unmapped', 'none', null),
                            ('web', 'green', 0), (null, 'none', null) $$, 'a roll-up waits for the last project');
select ok(pipeline.settle_project('q', 1, 'unmapped', 'cancelled'), 'which may have no verdict');
select ok(not pipeline.settle_project('q', 1, 'unmapped', 'recorded'), 'the first word stands');
select is(roll_up || ' ' || (completed_at is not null), '0.66667 true', 'two of three are not green') from pipeline.requests
 where number = 1;
select results_eq($$ select verdict, degree from pipeline.greenness('q', 'u1') where project is null $$,
                  $$ values ('broken', 0.66667) $$, 'and the head is broken in part');

-- Without a target graph, or without projects, there is nothing to wait for.
select pg_temp.built(2) \g /dev/null
select is(pipeline.analyze_request('q', 2, 'b2~1'), 0, 'no graph, no project');
select is(completed_at is not null and roll_up is null, true, 'the request is complete') from pipeline.requests where number = 2;
select results_eq($$ select project, state, verdict, targets, broken_targets from pipeline.request_projects where uri = 'u1'
                      order by project $$,
                  $$ values ('docs', 'recorded', 'broken', 2, 1), ('unmapped', 'cancelled', 'none', 1, 1),
                            ('web', 'recorded', 'green', 1, 0) $$, 'what is known of each project can be looked at');
select is_empty($$ select * from pipeline.greenness('q', 'nosuch') $$, 'nothing is known of an unknown commit');
select * from finish();
rollback;
