-- sql/pipeline/fail_closed.sql: stages that are cancelled, and builds that nobody waits for any more.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(29);
select millrace.create_queue('pipeline') \g /dev/null
select pipeline.create_queue('q', '/a.git', 'main', '{make}') \g /dev/null
select millrace.open_session('worker', '{pipeline}', lease => '1 hour') as session \gset
create function pg_temp.jobs() returns setof text language sql as $$
    select replace(kind, 'pipeline.', '') || ' ' || (payload - 'queue')::text from millrace.jobs
     where state = 'available' order by id
$$;
-- The only job, of this kind.
create function pg_temp.stage(kind text, payload text) returns bigint language plpgsql as $$
begin
    delete from millrace.ready;
    return millrace.enqueue('pipeline', 'pipeline.' || kind, payload::jsonb);
end
$$;
create function pg_temp.admit(of_request bigint) returns void language sql as $$
    update pipeline.request set state = 'processing', build_strategy = 'full' where number = of_request;
    select pipeline.create_build('q', pipeline.trigger_command('q', of_request, '', null, 'u' || of_request),
                                 of_request, '');
$$;
select pipeline.ingest('q', 'u' || n) from generate_series(1, 8) n \g /dev/null

-- A stage that waits.
select is(millrace.cancel(pg_temp.stage('process', '{"queue": "q", "request": 8}'), 'not today'), 'cancelled',
          'a stage is cancelled');
select is(state || ': ' || reason, 'failed: cancelled: not today', 'and its request fails closed')
  from pipeline.requests where number = 8;
select is(pipeline.is_green('q', 'u8'), false, 'it is not green');
select results_eq($$ select pg_temp.jobs() $$, $$ values ('process {"request": 7}') $$, 'the next is processed');

-- A stage of a request in its slot, whose build runs.
select pg_temp.admit(7) \g /dev/null
select millrace.cancel(pg_temp.stage('buildsignal', '{"queue": "q", "request": 7, "build": "command/7"}')) \g /dev/null
select is(state || ': ' || reason, 'failed: cancelled', 'a slot is given back') from pipeline.requests where number = 7;
select is(status, 'cancelled', 'the command is called off') from pipeline.command_run where id = 'command/7';
select results_eq($$ select pg_temp.jobs() $$,
                  $$ values ('calloff {"build": "command/7", "request": 7}'), ('process {"request": 6}') $$,
                  'whoever builds is told, and the next is processed');

-- One that runs, and was asked to stop.
select pg_temp.admit(6) \g /dev/null
select pg_temp.stage('build', '{"queue": "q", "request": 6}') as running \gset
select fence from millrace.claim(:session, 'pipeline', 1) \gset
select is(millrace.cancel(:running, 'enough'), 'cancelling', 'a stage that runs is asked to stop');
select is(state, 'processing', 'which may take a while') from pipeline.requests where number = 6;
select millrace.settle_many(array[:running]::bigint[], array[:fence]::bigint[], '{cancelled}') \g /dev/null
select is(state || ': ' || reason, 'failed: cancelled: enough', 'then its request fails closed')
  from pipeline.requests where number = 6;

-- The command itself.
select pg_temp.admit(5) \g /dev/null
select is(millrace.cancel(job, 'stop it'), 'cancelled', 'the job of a command is cancelled')
  from pipeline.command_run where id = 'command/5';
select is(status || ': ' || reason, 'cancelled: cancelled: stop it', 'which calls the build off')
  from pipeline.command_run where id = 'command/5';
select is(state, 'processing', 'and is no verdict: the stage that watches the build ends the request')
  from pipeline.requests where number = 5;

-- What completes although it was asked to stop has not been cancelled.
select pg_temp.stage('build', '{"queue": "q", "request": 5}') as running \gset
select fence from millrace.claim(:session, 'pipeline', 1) \gset
select millrace.cancel(:running) \g /dev/null
select millrace.settle_many(array[:running]::bigint[], array[:fence]::bigint[]) \g /dev/null
select is(state, 'processing', 'a stage that was faster counts') from pipeline.requests where number = 5;

-- Builds of a project, and of a search: the request has its verdict.
update pipeline.request set state = 'failed', analyzed_at = millrace.now() where number = 5;
select pipeline.create_fact('q', 'u5', '', 1, 5) \g /dev/null
insert into pipeline.request_project (queue, request, project, targets, broken) values ('q', 5, 'web', 1, 0);
select pipeline.create_build('q', 'web', 5, 'web'), pipeline.create_build('q', 'search', 5, '', 2, 'u4') \g /dev/null
select millrace.cancel(pg_temp.stage('buildsignal', '{"queue": "q", "request": 5, "build": "web"}')) \g /dev/null
select is(state, 'failed', 'a project whose stage is cancelled is not green') from pipeline.request_project;
select results_eq($$ select pg_temp.jobs() $$, $$ values ('calloff {"build": "web", "request": 5}') $$,
                  'its build is called off, and no other');
select millrace.cancel(pg_temp.stage('buildsignal', '{"queue": "q", "request": 5, "build": "search"}')) \g /dev/null
select results_eq($$ select pg_temp.jobs() $$, $$ values ('calloff {"build": "search", "request": 5}') $$,
                  'so is that of a search');
select millrace.cancel(pg_temp.stage('calloff', '{"queue": "q", "request": 5, "build": "search"}'), 'never mind') \g /dev/null
select is_empty($$ select pg_temp.jobs() $$, 'and nobody calls the calling off off');
select is(status || ': ' || reason, 'cancelled: cancelled: never mind', 'but the build has ended for us')
  from pipeline.build where id = 'search';

-- One that the attempt before has left running.
select pipeline.revalidate('q', 'u5', 'once more') \g /dev/null
select is(status, 'accepted', 'a build goes on') from pipeline.build where id = 'web';
select millrace.cancel(pg_temp.stage('buildsignal', '{"queue": "q", "request": 5, "build": "web"}')) \g /dev/null
select results_eq($$ select pg_temp.jobs() $$, $$ values ('calloff {"build": "web", "request": 5}') $$,
                  'until nobody watches it any more');
select is(state, 'accepted', 'which is nothing to the new attempt') from pipeline.requests where number = 5;
update pipeline.request set state = 'failed' where number = 5;

-- A build that has ended is left alone.
select pg_temp.admit(4) \g /dev/null
select pipeline.update_build('q', 'command/4', 'succeeded', '', null, 1, 2) \g /dev/null
select millrace.cancel(pg_temp.stage('buildsignal', '{"queue": "q", "request": 4, "build": "command/4"}')) \g /dev/null
select results_eq($$ select pg_temp.jobs() $$, $$ values ('process {"request": 3}') $$, 'what has ended is not called off');

-- A dead letter that is thrown away has failed closed when it became one: what was begun since goes on.
select pg_temp.stage('process', '{"queue": "q", "request": 3}') as dead \gset
select fence from millrace.claim(:session, 'pipeline', 1) \gset
select millrace.discard(:fence, :dead, 'no more') \g /dev/null
select is(state, 'failed', 'a dead letter') from pipeline.requests where number = 3;
select pipeline.revalidate('q', 'u3', 'once more') \g /dev/null
select is(changed, 1, 'thrown away') from millrace.discard_many('pipeline', '{"kind": "pipeline.process"}', dry_run => false);
select is(state, 'accepted', 'means nothing to the next attempt') from pipeline.requests where number = 3;

-- One that was to begin before now.
delete from millrace.ready;
select millrace.enqueue('pipeline', 'pipeline.process', '{"queue": "q", "request": 2}',
                        expires_at => millrace.now() + interval '1 s') \g /dev/null
select millrace_test.advance_clock('1 s') \g /dev/null
select job_id from millrace.claim(:session, 'pipeline', 1) \g /dev/null
select is(state || ': ' || reason, 'failed: cancelled: expired', 'a stage that has expired fails closed as well')
  from pipeline.requests where number = 2;

-- Jobs of other kinds, and payloads that make no sense.
select lives_ok(format('select millrace.cancel(millrace.enqueue(%L, %L, %L))', 'pipeline', kind, payload),
                format('harmless: %s %s', kind, payload))
  from (values ('other', '{"queue": "q", "request": 2}'), ('pipeline.run', '[]')) b(kind, payload);
select * from finish();
rollback;
