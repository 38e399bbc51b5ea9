-- sql/pipeline/build_services.sql: which settings of a build service are taken, and when the runner may be changed.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
select plan(36);
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
select * from finish();
rollback;
