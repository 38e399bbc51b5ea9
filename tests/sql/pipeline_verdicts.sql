-- sql/pipeline/{fail_closed,revalidate,culprit,greenness}.sql: what becomes of requests without a verdict, of verdicts
-- that nobody believes, and of breaks.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(73);
select millrace.create_queue('pipeline') \g /dev/null
select pipeline.create_queue('q', '/a.git', 'main', '{make}') \g /dev/null
select millrace.open_session('worker', '{pipeline}', lease => '1 hour') as session \gset
create function pg_temp.jobs(of_kind text) returns setof text language sql as $$
    select replace(kind, 'pipeline.', '') || ' ' || (payload - 'queue')::text from millrace.jobs
     where kind like 'pipeline.' || of_kind and state = 'available' order by id
$$;
create function pg_temp.bury(kind text, payload text) returns void language plpgsql as $$
declare
    claimed record;
begin
    delete from millrace.ready;
    perform millrace.enqueue('pipeline', kind, payload::jsonb);
    select * into strict claimed from millrace.claim((select max(id) from millrace.worker), 'pipeline', 1);
    perform millrace.discard(claimed.fence, claimed.job_id, 'no more');
end
$$;
-- A request, its build and what came of it, as the stages leave them.
create function pg_temp.verdict(request bigint, status text, base text default null) returns void language plpgsql as $$
begin
    update pipeline.request set state = 'processing', build_strategy = case when base is null then 'full'
           else 'incremental_since_green' end, base_uri = base where number = verdict.request;
    perform pipeline.create_build('q', 'b' || request, request, '');
    perform pipeline.update_build('q', 'b' || request, status, '', null, 1, 2);
    update pipeline.request set state = status where number = verdict.request;
    if status <> 'cancelled' then
        perform pipeline.create_fact('q', 'u' || request, '', case status when 'succeeded' then 0 else 1 end, request);
        perform pipeline.announce('q', request, '');
    end if;
    if status = 'succeeded' then
        perform pipeline.update_queue('q', request, 'u' || request, version, version + 1) from pipeline.get_queue('q');
    end if;
end
$$;
select pipeline.ingest('q', 'u' || n) from generate_series(1, 12) n \g /dev/null

-- Fail closed.
select pg_temp.bury('pipeline.process', '{"queue": "q", "request": 12}') \g /dev/null
select is(state || ': ' || reason, 'failed: dead letter: no more', 'a request whose stage is a dead letter has failed')
  from pipeline.requests where number = 12;
select results_eq($$ select pg_temp.jobs('%') $$, $$ values ('process {"request": 11}') $$, 'and the next is processed');
select is(pipeline.is_green('q', 'u12'), false, 'it is not green');
update pipeline.request set state = 'processing', build_strategy = 'full' where number = 11;
select pipeline.trigger_command('q', 11, '', null, 'u11') \g /dev/null
select pg_temp.bury('pipeline.build', '{"queue": "q", "request": 11, "run": 1}') \g /dev/null
select is(state, 'failed', 'one that is processing frees its slot') from pipeline.requests where number = 11;
select results_eq($$ select pg_temp.jobs('%') $$, $$ values ('process {"request": 10}') $$, 'for the next');
select is(status, 'cancelled', 'its build is called off') from pipeline.command_run;
update pipeline.command_run set status = 'running';
select pg_temp.bury('pipeline.run', '{"queue": "q", "build": "command/11"}') \g /dev/null
select is(status || ': ' || reason, 'failed: dead letter: no more', 'a command that cannot be run has failed')
  from pipeline.command_run;
update pipeline.command_run set status = 'running';
select pipeline.create_build('q', 'command/11', 11, '', 2, 'u3') \g /dev/null
select pg_temp.bury('pipeline.run', '{"queue": "q", "build": "command/11"}') \g /dev/null
select is(status || ': ' || reason, 'cancelled: dead letter: no more', 'which blames no commit that a search has built')
  from pipeline.command_run;
delete from pipeline.build where id = 'command/11';
update pipeline.request set state = 'succeeded', build_strategy = 'full' where number = 10;
select pg_temp.bury('pipeline.record', '{"queue": "q", "request": 10, "build": "b10"}') \g /dev/null
select is(state, 'failed', 'a success that was never recorded is none') from pipeline.requests where number = 10;
select is_empty($$ select pg_temp.jobs('%') $$, 'it held no slot');
select lives_ok(format('select pg_temp.bury(%L, %L)', kind, payload), format('harmless: %s %s', kind, payload))
  from (values ('pipeline.process', '[]'), ('pipeline.process', '{}'), ('pipeline.process', '{"queue": 7, "request": 1}'),
               ('pipeline.process', '{"queue": "q", "request": "x"}'), ('pipeline.process', '{"queue": "q", "request": -1}'),
               ('pipeline.process', '{"queue": "q", "request": 1e300}'), ('pipeline.build', '{"queue": "q", "request": 99}'),
               ('pipeline.build', '{"queue": "q", "request": 12, "run": "many"}'), ('pipeline.nosuch', '{"queue": "q"}'),
               ('pipeline.ingest', '{"queue": "q"}'), ('other', '{"queue": "q", "request": 9}'),
               ('pipeline.run', '{"queue": "q", "build": 7}')) b(kind, payload);
select is(state, 'accepted', 'all else is as it was') from pipeline.requests where number = 9;

-- Reaped for the last time: the transaction that takes the job back writes the end of the request.
select millrace.enqueue('pipeline', 'pipeline.process', '{"queue": "q", "request": 9}', max_attempts => 1) \g /dev/null
select job_id from millrace.claim(:session, 'pipeline', 100) \g /dev/null
update millrace_test.clock set at = at + interval '2 hours';
select millrace.reap() \g /dev/null
select is(state, 'failed', 'the reaper fails closed, too') from pipeline.requests where number = 9;
select millrace.open_session('worker', '{pipeline}', lease => '1 hour') as session \gset

-- Revalidation.
set local role millrace_operator;
select throws_ok($$ select pipeline.revalidate('q', 'nosuch', 'why') $$, 'MR005', 'revalidate: bad uri', 'of a commit');
select throws_ok($$ select pipeline.revalidate('q', 'u12', '') $$, 'MR005', 'revalidate: bad reason', 'for a reason');
select throws_ok($$ select pipeline.revalidate('q', 'u8', 'why') $$, 'MR007', 'request 8 of ''q'' is being validated',
                 'that has ended');
reset role;
update pipeline.request set state = 'superseded' where number in (2, 3, 4, 6, 7, 8);
select pg_temp.verdict(1, 'succeeded') \g /dev/null
select throws_ok($$ select pipeline.revalidate('q', 'u1', 'why') $$, 'MR007', 'request 1 of ''q'' is green', 'and is not green');
select pg_temp.verdict(5, 'failed', 'u1') \g /dev/null
delete from millrace.ready;
set local role millrace_operator;
select is(pipeline.revalidate('q', 'u5', 'the disk was full'), 2, 'a second attempt begins');
select results_eq($$ select verdict, superseded_because from pipeline.history where request = 5 $$,
                  $$ values ('broken', 'the disk was full') $$, 'the old verdict stays in history');
select results_eq($$ select verdict, state from pipeline.gate('q', 'u5') $$, $$ values ('none', 'accepted') $$,
                  'and counts no more');
reset role;
select is(detail ->> 'reason', 'the disk was full', 'who did it is written down') from millrace.operator_action
 where action = 'pipeline.revalidate';
select results_eq($$ select pg_temp.jobs('%') $$, $$ values ('process {"request": 5}') $$, 'it is processed');
select is(pipeline.supersede_before('q', 12), 0, 'nothing supersedes it');
select is(pipeline.latest_accepted('q'), 5::bigint, 'and it is next');
select is(is_current, false, 'a build of the first attempt is outdated') from pipeline.get_build('q', 'b5');
select pg_temp.bury('pipeline.buildsignal', '{"queue": "q", "request": 5, "build": "b5"}') \g /dev/null
select is(state, 'accepted', 'and its dead letter means nothing') from pipeline.requests where number = 5;
update pipeline.request set state = 'failed' where number = 5;
select pipeline.create_fact('q', 'u5', '', 1, 5) \g /dev/null
select pipeline.announce('q', 5, '') \g /dev/null
select is((select count(*)::int from pipeline.event where payload ->> 'request' = 'request/q/5'), 2,
          'the second verdict is another event');

-- Of a commit that is green, the projects alone.
select pipeline.create_queue('p', '/p.git', 'main', '{make}') \g /dev/null
select pipeline.ingest('p', 'u1') \g /dev/null
update pipeline.request set state = 'succeeded', build_strategy = 'full', analyzed_at = millrace.now(), completed_at = millrace.now()
 where queue = 'p';
select pipeline.create_build('p', 'b1', 1, ''), pipeline.update_build('p', 'b1', 'succeeded', '', null, 1, 2) \g /dev/null
select pipeline.create_fact('p', 'u1', '', 0, 1), pipeline.create_fact('p', 'u1', 'web', 1, 1) \g /dev/null
insert into pipeline.request_project (queue, request, project, state, targets, broken) values ('p', 1, 'web', 'recorded', 1, 0);
delete from millrace.ready;
select is(pipeline.revalidate('p', 'u1', 'a full disk'), 2, 'a project of a green commit is wanted again');
select results_eq($$ select pg_temp.jobs('%') $$, $$ values ('analyze {"run": 2, "build": "b1", "request": 1}') $$,
                  'by the build that there is, in the new attempt');
select pg_temp.bury('pipeline.analyze', '{"queue": "p", "build": "b1", "request": 1}') \g /dev/null
select is(completed_at, null, 'a dead letter of the attempt before means nothing') from pipeline.requests where queue = 'p';
select pg_temp.bury('pipeline.analyze', '{"queue": "p", "run": 2, "build": "b1", "request": 1}') \g /dev/null
select ok(completed_at is not null and roll_up = 1, 'one of this attempt ends it') from pipeline.requests where queue = 'p';
select is(pipeline.revalidate('p', 'u1', 'once more'), 3, 'and another may begin');
delete from millrace.ready;

-- Flaky: repeated before the verdict.
select pipeline.configure_queue('q', '{"flaky_reruns": 1}') \g /dev/null
update pipeline.request set state = 'processing', build_strategy = 'full' where number = 8;
select pipeline.create_build('q', 'f1', 8, '', 1), pipeline.update_build('q', 'f1', 'failed', '', null, 1, 2) \g /dev/null
set local role millrace_worker;
select is(pipeline.rerun_build('q', 'f1'), 2, 'a build that has failed is repeated');
select is(pipeline.rerun_build('q', 'f1'), 2, 'once');
select pipeline.create_build('q', 'f2', 8, '', 2), pipeline.update_build('q', 'f2', 'failed', '', null, 1, 2) \g /dev/null
select is(pipeline.rerun_build('q', 'f2'), null, 'as often as is configured');
select is(is_repeated, true, 'and knows that it is a repetition') from pipeline.get_build('q', 'f2');
select is(is_repeated, false, 'the first is none') from pipeline.get_build('q', 'f1');
select throws_ok($$ select pipeline.create_fact('q', 'u8', '', 0, 8, true) $$, 'MR005', 'create_fact: bad is_flaky',
                 'flaky is never green');
select ok(pipeline.create_fact('q', 'u8', '', 1, 8, true), 'a flaky verdict');
select results_eq($$ select verdict from pipeline.gate('q', 'u8') $$, $$ values ('flaky') $$, 'is told as such');
reset role;

-- Coverage: request 5 was built against 1, and its history holds 2 and 3; a rewrite has dropped 4.
set local role millrace_worker;
select throws_ok($$ select pipeline.note_history('q', 5, null) $$, 'MR005', 'note_history: bad uris', 'a history is a list');
select throws_ok($$ select pipeline.note_history('q', 5, array_fill('u'::text, '{1001}')) $$, 'MR005',
                 'note_history: bad uris', 'of up to 1000 commits');
select ok(pipeline.note_history('q', 5, '{u7,u3,elsewhere,u2}'), 'what a head holds is noted');
select ok(not pipeline.note_history('q', 5, '{u4}'), 'once');
reset role;
select is(holds, '{2,3}', 'by the requests before it') from pipeline.request where queue = 'q' and number = 5;
set local role millrace_viewer;
select results_eq($$ select covered_by, verdict, base_uri, previous_green, next_green from pipeline.coverage('q', 'u3') $$,
                  $$ values ('u5', 'broken', 'u1', 'u1', null) $$, 'a superseded commit is covered by a later verdict');
select results_eq($$ select covered_by, verdict from pipeline.coverage('q', 'u1') $$, $$ values ('u1', 'green') $$,
                  'one with a verdict by its own');
select results_eq($$ select covered_by, verdict, previous_green from pipeline.coverage('q', 'u12') $$,
                  $$ values (null, 'none', 'u1') $$, 'one after all verdicts by none');
select results_eq($$ select covered_by, verdict from pipeline.coverage('q', 'u4') $$, $$ values (null, 'none') $$,
                  'and so is one that was dropped, though its number is among theirs');
select is_empty($$ select * from pipeline.coverage('q', 'nosuch') $$, 'an unknown one has no answer');

reset role;
select pg_temp.verdict(7, 'succeeded') \g /dev/null
select pipeline.note_history('q', 7, '{u6,u2}') \g /dev/null
update pipeline.request set state = 'failed', build_strategy = 'incremental_since_green', base_uri = 'u7' where number = 9;
select pipeline.create_fact('q', 'u9', '', 1, 9), pipeline.note_history('q', 9, '{u4}') \g /dev/null
set local role millrace_viewer;
select results_eq($$ select covered_by, verdict, base_uri, previous_green, next_green from pipeline.coverage('q', 'u6') $$,
                  $$ values ('u7', 'green', null, 'u1', 'u7') $$, 'a head that was built in full has no base');
select results_eq($$ select covered_by, next_green from pipeline.coverage('q', 'u2') $$, $$ values ('u5', 'u7') $$,
                  'the first verdict counts, and the next green one is known');
select results_eq($$ select covered_by, verdict from pipeline.coverage('q', 'u4') $$, $$ values (null, 'none') $$,
                  'what is older than its base is not what a head was built for');
select results_eq($$ select covered_by from pipeline.coverage('q', 'u7') $$, $$ values ('u7') $$,
                  'nor is the base itself');

-- The gate.
select throws_ok($$ select pipeline.gate('q', '') $$, 'MR005', 'gate: bad commit', 'a gate needs a commit');
select throws_ok($$ select pipeline.gate('q', 'u1', max_age => '-1 s') $$, 'MR005', 'gate: bad max_age', 'and a time');
select is_empty($$ select * from pipeline.gate('q', 'nosuch') $$, 'of an unknown commit it knows nothing');
select throws_ok($$ select pipeline.gate('q', 'u1', max_age => '1 hour') $$, 'MR007', null, 'nobody has looked for two hours');
select isnt_empty($$ select pipeline.gate('q', 'u1', max_age => '3 hours') $$, 'but for three');
reset role;
select pipeline.ingest('q', 'git://h/r/ref/main/' || c) from unnest('{abcdef01,abcdef02}'::text[]) c \g /dev/null
select is(uri, 'git://h/r/ref/main/abcdef01', 'a commit is meant by its id') from pipeline.gate('q', 'abcdef01');
select throws_ok($$ select pipeline.gate('q', 'abcdef0') $$, 'MR005', 'gate: bad commit', 'not by the beginning of two');
select isnt_empty($$ select pipeline.gate('q', 'u1', max_age => '1 s') $$, 'who reports a head has looked');
select * from finish();
rollback;
