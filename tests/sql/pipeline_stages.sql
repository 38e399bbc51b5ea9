-- sql/pipeline/{requests,builds,command_runs}.sql: what must never happen is refused, whoever asks for it.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(80);
select millrace.create_queue('pipeline') \g /dev/null
select pipeline.create_queue('q', '/a.git', 'main', '{make,all}', time_limit => '10 min') \g /dev/null
select pipeline.ingest('q', 'u' || n) from generate_series(1, 4) n \g /dev/null
set local role millrace_worker;

-- Requests: a state leads to some states only, a version is written over once, a strategy is pinned.
select ok(pipeline.update_request('q', 1, 'processing', 'full', null, 1, 2), 'accepted → processing');
select ok(not pipeline.update_request('q', 1, 'failed', 'full', null, 1, 2), 'another version: nothing is written');
select is((select state from pipeline.get_request('q', 1)), 'processing', 'indeed');
select throws_ok($$ select pipeline.update_request('q', 1, 'processing', 'incremental_since_green', 'u0', 2, 3) $$,
                 'MR007', 'request 1 of ''q'' is validated as full; that cannot change', 'the strategy is pinned');
select throws_ok($$ select pipeline.update_request('q', 1, 'superseded', 'full', null, 2, 3) $$, 'MR007',
                 'request 1 of ''q'' is processing; it cannot become superseded', 'what has begun is not superseded');
select throws_ok($$ select pipeline.update_request('q', 1, 'accepted', 'full', null, 2, 3) $$, 'MR007', null,
                 'nor undone');
select ok(pipeline.update_request('q', 1, 'succeeded', 'full', null, 2, 3), 'processing → succeeded');
select throws_ok(format($$ select pipeline.update_request('q', 1, %L, 'full', null, 3, 4) $$, s), 'MR007', null,
                 'succeeded does not become ' || s)
  from unnest('{accepted,processing,failed,cancelled,superseded}'::text[]) s;
select throws_ok($$ select pipeline.update_request('q', 2, 'succeeded', null, null, 1, 2) $$, 'MR007', null,
                 'no success without processing');
select is(pipeline.supersede_before('q', 4), 2, 'those that wait are superseded');
select results_eq($$ select n::int, (select state from pipeline.get_request('q', n)) from generate_series(1, 4) n $$,
                  $$ values (1, 'succeeded'), (2, 'superseded'), (3, 'superseded'), (4, 'accepted') $$,
                  'and no others');
select is(pipeline.latest_accepted('q'), 4::bigint, 'the latest still waits');
select is(pipeline.count_processing('q'), 0::bigint, 'no slot is in use');

-- The bookmark.
select ok(pipeline.update_queue('q', 2, 'u2', version, version + 1), 'the bookmark moves') from pipeline.get_queue('q');
select ok(not pipeline.update_queue('q', 3, 'u3', version - 1, version), 'not over another version')
  from pipeline.get_queue('q');
select throws_ok(format('select pipeline.update_queue(''q'', 1, ''u1'', %s, %s)', version, version + 1), 'MR007',
                 'the last green of ''q'' is request 2; it cannot become 1', 'never backwards')
  from pipeline.get_queue('q');
select is(pipeline.latest_green('q'), 'u2', 'it is where it was');

-- Builds end once; facts are created once.
select ok(pipeline.create_build('q', 'b', 1, ''), 'a build is created');
select ok(not pipeline.create_build('q', 'b', 2, ''), 'once');
select is(pipeline.build_of('q', 1, ''), 'b', 'and found by its request');
select is(pipeline.build_of('q', 2, ''), null, 'by no other');
select ok(pipeline.update_build('q', 'b', 'running', null, null, 1, 2), 'accepted → running');
select ok(not pipeline.update_build('q', 'b', 'failed', null, null, 1, 2), 'not over another version');
select throws_ok($$ select pipeline.update_build('q', 'b', 'accepted', null, null, 2, 3) $$, 'MR007', null, 'not back');
select ok(pipeline.update_build('q', 'b', 'succeeded', 'fine', 'there', 2, 3), 'running → succeeded');
select throws_ok($$ select pipeline.update_build('q', 'b', 'failed', 'flipped', null, 3, 4) $$, 'MR007',
                 'build ''b'' of ''q'' is succeeded; it cannot become failed', 'the end is written once');
select ok(pipeline.update_build('q', 'b', 'succeeded', 'another reason', null, 3, 4), 'the same end again is harmless');
select is(reason || ' ' || version, 'fine 3', 'and changes nothing') from pipeline.get_build('q', 'b');
select ok(pipeline.create_fact('q', 'u1', '', 0, 1), 'a fact is created');
select ok(not pipeline.create_fact('q', 'u1', '', 1, 2), 'once');
select is(degree || ' of ' || request, '0.00000 of 1', 'the first stands') from pipeline.get_fact('q', 'u1', '');
select throws_ok($$ select pipeline.create_fact('q', 'u9', '', 1.1, 1) $$, 'MR005', 'create_fact: bad degree',
                 'no degree above 1');

select ok(pipeline.create_fact('q', 'u2', 'web', 1e-9, 2), 'what is broken by a hair');
select ok(not pipeline.is_green('q', 'u2', 'web'), 'is not rounded to green');

-- What no table would hold is refused before it is tried, and named.
select throws_ok('select pipeline.' || call, 'MR005', split_part(call, '(', 1) || ': bad ' || named, call)
  from (values ('create_build(''q'', null, 1, '''')', 'id'), ('create_build(''q'', '''', 1, '''')', 'id'),
               ('create_build(''q'', repeat(''i'', 601), 1, '''')', 'id'),
               ('create_build(''q'', ''c'', null, '''')', 'request'),
               ('create_build(''q'', ''c'', 99, '''')', 'request'),
               ('create_build(''q'', ''c'', 1, null)', 'project'),
               ('create_build(''q'', ''c'', 1, repeat(''p'', 501))', 'project'),
               ('create_fact(''q'', null, '''', 0, 1)', 'uri'), ('create_fact(''q'', '''', '''', 0, 1)', 'uri'),
               ('create_fact(''q'', repeat(''😀'', 501), '''', 0, 1)', 'uri'),
               ('create_fact(''q'', ''u9'', null, 0, 1)', 'project'),
               ('create_fact(''q'', ''u9'', repeat(''p'', 501), 0, 1)', 'project'),
               ('create_fact(''q'', ''u9'', '''', 0, 99)', 'request'),
               ('create_fact(''q'', ''u9'', '''', ''NaN'', 1)', 'degree'),
               ('create_fact(''q'', ''u9'', '''', 0.5, 1)', 'degree'),
               ('update_build(''q'', ''b'', null, null, null, 3, 4)', 'status'),
               ('update_build(''q'', ''b'', ''done'', null, null, 3, 4)', 'status'),
               ('update_build(''q'', ''b'', ''failed'', null, null, 3, null)', 'new_version'),
               ('update_request(''q'', 4, null, null, null, 1, 2)', 'state'),
               ('update_request(''q'', 4, ''done'', null, null, 1, 2)', 'state'),
               ('update_request(''q'', 4, ''processing'', ''some'', null, 1, 2)', 'build_strategy'),
               ('update_request(''q'', 4, ''processing'', ''full'', ''u1'', 1, 2)', 'base_uri'),
               ('update_request(''q'', 4, ''processing'', null, null, 1, null)', 'new_version'),
               ('update_queue(''q'', null, ''u2'', 6, 7)', 'last_green_request'),
               ('update_queue(''q'', 99, ''u2'', 6, 7)', 'last_green_request'),
               ('update_queue(''q'', 2, null, 6, 7)', 'last_green_uri'),
               ('update_queue(''q'', 2, ''u2'', 6, null)', 'new_version'),
               ('trigger_command(''q'', null, '''', null, ''u4'')', 'request'),
               ('trigger_command(''q'', 4, null, null, ''u4'')', 'project'),
               ('trigger_command(''q'', 4, repeat(''p'', 501), null, ''u4'')', 'project'),
               ('trigger_command(''q'', 4, '''', null, null)', 'head_uri'),
               ('trigger_command(''q'', 4, '''', repeat(''u'', 2001), ''u4'')', 'base_uri')) bad(call, named);
select throws_ok($$ select pipeline.create_build(null, 'c', 1, '') $$, 'MR003', null, 'a build of no queue');
select throws_ok($$ select pipeline.create_fact('nosuch', 'u9', '', 0, 1) $$, 'MR003', null, 'a fact of no queue');

-- Runs of the command.
select is(pipeline.trigger_command('q', 4, '', null, 'u4'), 'command/4', 'the id says which request');
select is(pipeline.trigger_command('q', 4, '', null, 'u4'), 'command/4', 'triggered again, it is the same build');
reset role;
select results_eq($$ select count(*)::int, max(timeout) from millrace.job where kind = 'pipeline.run' $$,
                  $$ values (1, interval '25 min') $$, 'and one job, with time to fetch');
update pipeline.queue set runner_settings = '{"argv": ["other"], "time_limit": "1 min"}';
set local role millrace_worker;
select is(argv::text || time_limit || status, '{make,all}00:10:00running', 'what runs was configured when triggered')
  from pipeline.start_command('q', 'command/4');
select ok(pipeline.finish_command('q', 'command/4', 'failed', 'exited with 1', 1, 'log'), 'a run ends');
select ok(not pipeline.finish_command('q', 'command/4', 'succeeded', '', 0, ''), 'once');
select is(status, 'failed', 'started again, it says how it ended') from pipeline.start_command('q', 'command/4');
select is(pipeline.cancel_command('q', 'command/4'), false, 'what has ended is not cancelled');
reset role;
select * from finish();
rollback;
