-- sql/pipeline/build_services.sql: which settings of a build service are taken, and when the runner may be changed.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
select plan(67);
\ir ../support/sql/fake_clock.sql
select millrace.create_queue('pipeline');
select pipeline.create_queue('q', '/srv/q.git', 'main', '{make}');

create function pg_temp.github(changes jsonb) returns text language sql as $$
    select pipeline.service_complaint('github_actions',
        jsonb_strip_nulls('{"repository": "acme/shop", "workflow": "ci.yml", "ref": "main", "token_env": "PIPELINE_T"}'
                          || changes))
$$;
create function pg_temp.buildkite(changes jsonb) returns text language sql as $$
    select pipeline.service_complaint('buildkite',
        jsonb_strip_nulls('{"organization": "acme", "pipeline": "shop", "branch": "main", "token_env": "PIPELINE_T"}'
                          || changes))
$$;
select is(pg_temp.github('{}'), null, 'GitHub Actions need four settings');
select is(pg_temp.buildkite('{}'), null, 'and so does Buildkite');
select is(pg_temp.github('{"base_url": "https://github.example.com:8443/api/v3"}'), null, 'an installation of one''s own');
select is(pg_temp.buildkite('{"base_url": "http://[::1]:80"}'), null, 'by its number, too');
select is(pg_temp.github('{"workflow": "1234"}'), null, 'a workflow may be a number');
select ok(pg_temp.github(jsonb_build_object(k, null)) is not null, k || ' is needed')
  from unnest('{repository,workflow,ref,token_env}'::text[]) k;
select ok(pg_temp.buildkite(jsonb_build_object(k, null)) is not null, k || ' is needed')
  from unnest('{organization,pipeline,branch,token_env}'::text[]) k;
select ok(pg_temp.github(bad) is not null, bad::text || ' is refused')
  from unnest(array['{"token": "x"}', '{"repository": "shop"}', '{"repository": "a/b/c"}', '{"repository": "a/.."}',
                    '{"workflow": "../x"}', '{"ref": "-x"}', '{"token_env": "PGPASSWORD"}', '{"token_env": "PIPELINE_"}',
                    '{"base_url": "ftp://a"}', '{"base_url": "https://u:p@a"}', '{"base_url": "https://a/"}',
                    '{"base_url": "https://a?b"}', '{"base_url": "https://a b"}', '{"ref": 1}']::jsonb[]) bad;
select is(pipeline.service_complaint('jenkins', '{}'), 'runner: github_actions, buildkite', 'others are unknown');

select lives_ok($$ select pipeline.use_service('q', 'github_actions', '{"repository": "acme/shop", "workflow": "ci.yml",
                       "ref": "main", "token_env": "PIPELINE_T"}') $$, 'a service builds from now on');
select is(pipeline.runner_settings('q'), '{"base_url": "https://api.github.com", "repository": "acme/shop",
          "workflow": "ci.yml", "ref": "main", "token_env": "PIPELINE_T"}', 'GitHub is where it is');
select is((select build_runner from pipeline.queue), 'github_actions', 'the queue knows');
select throws_ok($$ select pipeline.limit_command('q') $$, 'MR005', null, 'no command, no limits of it');
select is((select detail ->> 'runner' from millrace.operator_action where action = 'pipeline.use_service'),
          'github_actions', 'and the book does');
select pipeline.ingest('q', 'u');
select pipeline.create_build('q', 'github/1', 1, '');
select throws_ok($$ select pipeline.use_service('q', 'buildkite', '{"organization": "acme", "pipeline": "shop",
                        "branch": "main", "token_env": "PIPELINE_T"}') $$, 'MR007',
                 'a build of ''q'' is under way; its runner cannot be changed', 'a build that has begun keeps its runner');
select pipeline.update_build('q', 'github/1', 'failed', '', '', 1, 2);
select lives_ok($$ select pipeline.use_service('q', 'buildkite', '{"organization": "acme", "pipeline": "shop",
                       "branch": "main", "token_env": "PIPELINE_T"}') $$, 'until its end');
select is(pipeline.runner_settings('nowhere'), null, 'nothing is configured of nothing');

-- A setting like the others.
\set service '{"name": "buildkite", "organization": "acme", "pipeline": "site", "branch": "main", "token_env": "PIPELINE_T"}'
set local role millrace_operator;
select is(pipeline.settings_of('q') -> 'runner', '{"name": "buildkite", "organization": "acme", "pipeline": "shop", "branch": "main",
          "token_env": "PIPELINE_T", "base_url": "https://api.buildkite.com"}', 'the runner is among the settings');
select is(pipeline.configure_queue('q', '{"max_concurrent": 2}'), '{max_concurrent}', 'others are changed beside it');
select is(pipeline.export() #> '{queues,0}', jsonb_build_object('name', 'q', 'remote', '/srv/q.git', 'ref', 'main',
          'max_concurrent', 2, 'runner', pipeline.settings_of('q') -> 'runner'), 'it is exported, without a command');
select is_empty('select * from pipeline.apply(pipeline.export(), false)', 'and what is exported can be applied');
select throws_ok(format($$ select pipeline.configure_queue('q', %L) $$, settings), 'MR005', 'configure_queue: bad ' || key, settings)
  from (values ('runner', '{"runner": null}'), ('runner', '{"runner": "command"}'), ('runner', '{"runner": {}}'),
               ('runner', '{"runner": {"name": "jenkins"}}'), ('runner', '{"runner": {"name": "buildkite"}}'),
               ('runner', '{"runner": {"name": "github_actions", "repository": "shop"}}'),
               ('runner', '{"runner": {"name": "command", "argv": ["make"]}, "command": ["make"]}'),
               ('command', '{"command": ["make"]}'), ('command', '{"runner": {"name": "command"}}'),
               ('time_limit', '{"time_limit": "1 hour"}'), ('memory_limit', '{"memory_limit": 1048576}'),
               ('output_limit', '{"output_limit": 65536}')) bad(key, settings);
select is(pipeline.configure_queue('q', jsonb_build_object('runner', :'service'::jsonb)), '{runner}', 'a service is changed');
select is(pipeline.configure_queue('q', '{"runner": {"name": "command"}, "command": ["make"]}'),
          '{command,output_limit,runner,time_limit}', 'the command is taken back, with its limits');
select is(pipeline.configure_queue('q', '{"memory_limit": 2097152, "output_limit": 65536, "disk_limit": 1048576}'),
          '{disk_limit,memory_limit,output_limit}', 'which are settings, too');
select throws_ok(format($$ select pipeline.configure_queue('q', %L) $$, settings), 'MR005', 'configure_queue: bad ' || key, settings)
  from (values ('memory_limit', '{"memory_limit": 1}'), ('memory_limit', '{"memory_limit": "1 GB"}'),
               ('output_limit', '{"output_limit": null}'), ('output_limit', '{"output_limit": 1073741825}'),
               ('disk_limit', '{"disk_limit": 1.5}')) bad(key, settings);
select is(pipeline.export() #> '{queues,0}', '{"name": "q", "remote": "/srv/q.git", "ref": "main", "command": ["make"],
          "max_concurrent": 2, "memory_limit": 2097152, "output_limit": 65536, "disk_limit": 1048576}', 'and are exported');
select is_empty('select * from pipeline.apply(pipeline.export(), false)', 'as they are applied');
\set document '{"queues": [{"name": "new", "remote": "/n.git", "ref": "main", "runner": {"name": "github_actions", "repository": "acme/new", "workflow": "ci.yml", "ref": "main", "token_env": "PIPELINE_T"}}]}'
select results_eq(format('select * from pipeline.apply(%L, false)', :'document'),
                  $$ values ('new', 'created', '{ref,remote,runner}'::text[]) $$, 'a document makes one with a service at once');
select is_empty(format('select * from pipeline.apply(%L, false)', :'document'), 'applied again, there is nothing to do');
select throws_ok($$ select pipeline.apply('{"queues": [{"name": "new", "remote": "/n.git", "ref": "main"}]}', false) $$,
                 'MR005', 'apply: bad queues[0].command', 'without it there must be a command');
reset role;
select pipeline.create_build('q', 'command/1', 1, '', 2) \g /dev/null
select throws_ok(format($$ select pipeline.configure_queue('q', jsonb_build_object('runner', %L::jsonb)) $$, :'service'), 'MR007',
                 'a build of ''q'' is under way; its runner cannot be changed', 'a build that has begun keeps its runner');
select lives_ok($$ select pipeline.configure_queue('q', '{"command": ["make", "all"]}') $$, 'not its command, which it has by heart');
select * from finish();
rollback;
