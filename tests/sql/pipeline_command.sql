-- sql/pipeline/command_log.sql and command_runs.sql: what a command writes, what limits it, and how it is called off.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
select plan(42);
\ir ../support/sql/fake_clock.sql
select millrace.create_queue('pipeline');
select pipeline.create_queue('q', '/srv/q.git', 'main', '{make}');
select pipeline.create_queue('p', '/srv/p.git', 'main', '{make}');
select pipeline.ingest('q', 'u1');
select pipeline.ingest('q', 'u2');
select pipeline.ingest('p', 'u1');

select pipeline.trigger_command('q', 1, '', null, 'u1');
select results_eq($$ select attempt, memory_limit, output_limit, disk_limit
                       from pipeline.start_command('q', 'command/1') $$,
                  $$ values (1, null::bigint, 67108864::bigint, null::bigint) $$,
                  'a command may write 64 MiB, and take what it likes of memory and disk');

select ok(pipeline.append_command_log('q', 'command/1', 1, 0, E'one\n'), 'what runs may write');
select ok(pipeline.append_command_log('q', 'command/1', 1, 4, E'two\n'), 'and goes on');
select ok(pipeline.append_command_log('q', 'command/1', 1, 4, 'sent again'), 'what is sent again is accepted');
select results_eq($$ select start_byte, text from pipeline.read_command_log('q', 'command/1') $$,
                  $$ values (0::bigint, E'one\n'), (4::bigint, E'two\n') $$, 'and changes nothing');
select results_eq($$ select text from pipeline.read_command_log('q', 'command/1', 1, 0) $$, $$ values (E'two\n') $$,
                  'a reader goes on where it was');
select is_empty($$ select from pipeline.read_command_log('q', 'command/1', 1, 4) $$, 'to the end');
select is((select count(*)::int from pipeline.read_command_log('q', 'command/1', most => 1)), 1, 'as much as it asks for');
select is((select count(*)::int from pipeline.read_command_log('q', 'command/1', most => -1)), 1, 'one at least');

select is((select attempt from pipeline.start_command('q', 'command/1')), 2, 'after a lost worker it is started again');
select ok(not pipeline.append_command_log('q', 'command/1', 1, 8, 'late'), 'the attempt before may write no more');
select ok(pipeline.append_command_log('q', 'command/1', 2, 0, E'one again\n'), 'the new one has a log of its own');
select results_eq($$ select attempt, start_byte, text from pipeline.read_command_log('q', 'command/1', 1, 0) $$,
                  $$ values (1, 4::bigint, E'two\n'), (2, 0::bigint, E'one again\n') $$, 'which comes after the other');

select ok(pipeline.finish_command('q', 'command/1', 'succeeded', 'make exited with 0', 0, 'tail',
                                  '{"targets": [{"name": "a", "status": "passed"}]}'), 'it ends, with a target graph');
select is((select target_graph #>> '{targets,0,name}' from pipeline.command_status('q', 'command/1')), 'a',
          'which can be asked for');
select ok(not pipeline.append_command_log('q', 'command/1', 2, 10, 'late'), 'what has ended writes no more');
select is((select attempt from pipeline.start_command('q', 'command/1')), 2, 'nor is it started again');

-- called off
select pipeline.trigger_command('q', 2, '', null, 'u2');
select is((select state from millrace.jobs where id = (select job from pipeline.command_run where id = 'command/2')),
          'available', 'a run waits');
select ok(pipeline.cancel_command('q', 'command/2'), 'it is called off');
select is((select state from millrace.jobs where id = (select job from pipeline.command_run where id = 'command/2')),
          'cancelled', 'and its job with it');
select ok(not pipeline.cancel_command('q', 'command/2'), 'once');
select ok(not pipeline.cancel_command('q', 'nothing'), 'what there is not cannot be called off');
select is((select status from pipeline.start_command('q', 'command/2')), 'cancelled', 'nor started');

select pipeline.trigger_command('p', 1, '', null, 'u1');
select millrace.open_session('host:1', '{pipeline}') as session \gset
select count(*) from millrace.claim(:session, 'pipeline', 10) \g /dev/null
select pipeline.start_command('p', 'command/1');
select pipeline.append_command_log('p', 'command/1', 1, 0, E'one\n');
select ok(pipeline.cancel_command('p', 'command/1'), 'a run that is under way is called off');
select results_eq($$ select job_id, reason from millrace.cancel_request $$,
                  $$ select job, 'the build was called off' from pipeline.command_run where queue = 'p' $$,
                  'its worker is asked to stop it');
select ok(not pipeline.append_command_log('p', 'command/1', 1, 4, E'last words\n'), 'and may not write any more');
select ok(not pipeline.append_command_log('p', 'command/1', 1, 4, E'last words\n'), 'however often it tries');
select is((select string_agg(text, '' order by start_byte) from pipeline.read_command_log('p', 'command/1')),
          E'one\nlast words\n', 'but what it has written until it heard of that is kept');
select is(log_tail, E'one\nlast words\n', 'at its run, too') from pipeline.command_run where queue = 'p';
select ok(not pipeline.append_command_log('p', 'command/1', 2, 0, 'late'), 'of that attempt alone');

-- who looks
select results_eq($$ select queue, status, attempt from pipeline.command_runs_of('command/1') $$,
                  $$ values ('p', 'cancelled', 1), ('q', 'succeeded', 2) $$, 'a build''s id may be that of two');
select is((select count(*)::int from pipeline.command_runs_of('command/1', 'q')), 1, 'the pipeline queue tells them apart');

-- limits
select lives_ok($$ select pipeline.limit_command('q', 2097152, 65536, 1048576) $$, 'limits are set');
select is((select runner_settings - 'argv' - 'time_limit' from pipeline.queue where name = 'q'),
          '{"memory_limit": 2097152, "output_limit": 65536, "disk_limit": 1048576}', 'all three');
select pipeline.ingest('q', 'u3');
select pipeline.trigger_command('q', 3, '', null, 'u3');
select results_eq($$ select memory_limit, output_limit, disk_limit from pipeline.start_command('q', 'command/3') $$,
                  $$ values (2097152::bigint, 65536::bigint, 1048576::bigint) $$, 'they hold for what is triggered then');
select lives_ok($$ select pipeline.limit_command('q') $$, 'and are taken away');
select is((select runner_settings - 'argv' - 'time_limit' from pipeline.queue where name = 'q'),
          '{"output_limit": 67108864}', 'but for that of the output');
select is((select count(*)::int from millrace.operator_action where action = 'pipeline.limit_command'), 2,
          'the book knows');

-- old logs
update pipeline.command_run set finished_at = millrace.now() - interval '31 days', target_graph = '{"targets": []}'
 where queue = 'q' and id in ('command/1', 'command/2');
select pipeline.create_build('q', 'command/1', 1, ''), pipeline.update_build('q', 'command/1', 'succeeded', '', null, 1, 2);
select pipeline.ingest('q', 'u4');
select pipeline.trigger_command('q', 4, '', null, 'u4');
select is_empty($$ select from pipeline.read_command_log('q', 'command/1') $$, 'after 30 days a log is gone');
select is((select is_log_gone from pipeline.command_runs_of('command/1', 'q')), true, 'and that can be seen');
select is((select log_tail from pipeline.command_run where queue = 'q' and id = 'command/1'), 'tail', 'its end stays');
select results_eq($$ select target_graph is null from pipeline.command_run where queue = 'q' and id in ('command/1', 'command/2')
                      order by id $$, $$ values (true), (false) $$,
                  'its target graph is left to the build, which may still have to take it in');
select * from finish();
rollback;
