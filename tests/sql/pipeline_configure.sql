-- sql/pipeline/{configure,apply}.sql: settings are refused when they are written, and a document applies whole or not.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(68);
select millrace.create_queue('pipeline') \g /dev/null
select pipeline.create_queue('a/main', '/a.git', 'main', '{make}') \g /dev/null
set local role millrace_operator;
select throws_ok(format('select pipeline.configure_queue(''a/main'', %L)', settings), 'MR005', 'configure_queue: bad ' || key, settings)
  from (values ('settings', '7'), ('settings: no key ''colour''', '{"colour": "red"}'),
               ('settings: no key ''name''', '{"name": "b"}'), ('remote', '{"remote": "ext::x"}'),
               ('remote', '{"remote": null}'), ('remote', '{"remote": 7}'), ('ref', '{"ref": "-x"}'), ('ref', '{"ref": null}'),
               ('command', '{"command": []}'), ('command', '{"command": "make"}'), ('command', '{"command": [1]}'),
               ('time_limit', '{"time_limit": "soon"}'), ('time_limit', '{"time_limit": 7}'), ('time_limit', '{"time_limit": "3 h"}'),
               ('time_limit', '{"time_limit": null}'), ('max_concurrent', '{"max_concurrent": 0}'),
               ('max_concurrent', '{"max_concurrent": "1"}'), ('max_concurrent', '{"max_concurrent": 1.5}'),
               ('max_concurrent', '{"max_concurrent": null}'), ('max_validation', '{"max_validation": "31 days"}'),
               ('poll_accepted', '{"poll_accepted": "0"}'), ('poll_running', '{"poll_running": "-1 s"}'),
               ('promotion_ref', '{"promotion_ref": "main"}'), ('promotion_ref', '{"promotion_ref": "a..b"}'),
               ('promotion_ref', '{"promotion_ref": 7}'), ('flaky_reruns', '{"flaky_reruns": 11}'),
               ('bisect_budget', '{"bisect_budget": 101}'), ('bisect_budget', '{"bisect_budget": null}'),
               ('owners', '{"owners": "ada"}'), ('owners', '{"owners": [7]}'), ('owners', '{"owners": [""]}'),
               ('job_queue', '{"job_queue": null}'), ('poll', '{"poll": 7}'), ('projects', '{"projects": null}'),
               ('sinks', '{"sinks": null}')) s(key, settings);
select throws_ok($$ select pipeline.configure_queue('a/main', '{"job_queue": "nosuch"}') $$, 'MR003', null, 'jobs need a queue');
select throws_ok($$ select pipeline.configure_queue('a/main', '{"poll": "often"}') $$, 'MR005', null, 'a cron expression is one');
select throws_ok($$ select pipeline.configure_queue('nosuch', '{}') $$, 'MR003', null, 'of a pipeline queue');
select is(pipeline.configure_queue('a/main', '{"max_concurrent": 1}'), '{}', 'what is as it was is no change');
select is(pipeline.configure_queue('a/main', '{"max_concurrent": 3, "time_limit": "90 s", "promotion_ref": "verified",
                                                "poll": "*/5 * * * *", "flaky_reruns": 2}'),
          '{flaky_reruns,max_concurrent,poll,promotion_ref,time_limit}', 'what is changed is told');
select is(pipeline.settings_of('a/main') ->> 'time_limit', '00:01:30', 'and kept');
reset role;
select results_eq($$ select name, cron, payload from millrace.schedule $$,
                  $$ values ('pipeline.a.main.' || left(md5('a/main'), 12), '*/5 * * * *', '{"queue": "a/main"}'::jsonb) $$,
                  'a schedule asks for the head');
select is(count(*)::int, 1, 'the change is written down') from millrace.operator_action where action = 'pipeline.configure_queue';
select is(pipeline.configure_queue('a/main', '{"poll": null}'), '{poll}', 'until nobody wants it');
select is_empty('select from millrace.schedule', 'and it is gone');

-- Slots that there have not been before are for those who wait.
select pipeline.create_queue('slots', '/s.git', 'main', '{make}') \g /dev/null
select pipeline.ingest('slots', 'u' || n) from generate_series(1, 5) n \g /dev/null
update pipeline.request set state = case when number = 1 then 'processing' else 'accepted' end,
       attempt = case when number = 3 then 2 else 1 end, build_strategy = case when number = 1 then 'full' end;
delete from millrace.ready;
create temp view woken as select payload from millrace.jobs where kind = 'pipeline.process' and state = 'available' order by id;
select pipeline.configure_queue('slots', '{"max_concurrent": 3}') \g /dev/null
select results_eq('select * from woken', $$ values ('{"queue": "slots", "request": 3}'::jsonb),
                                                   ('{"queue": "slots", "request": 5}') $$, 'as many as there are new ones');
select pipeline.configure_queue('slots', '{"max_concurrent": 1}') \g /dev/null
select is((select count(*)::int from woken), 2, 'and none when there are fewer');
delete from millrace.ready; delete from pipeline.request_uri; delete from pipeline.request;
delete from pipeline.look where queue = 'slots'; delete from pipeline.queue where name = 'slots';

-- A document.
set local role millrace_operator;
select throws_ok(format('select pipeline.apply(%L, false)', document), 'MR005', 'apply: bad ' || path, document)
  from (values ('document', '[]'), ('document', '{"forks": []}'), ('document', '{"queues": {}}'),
               ('queues[0].name', '{"queues": [7]}'), ('queues[0].name', '{"queues": [{}]}'),
               ('queues[0].name', '{"queues": [{"name": 7, "remote": "/b", "ref": "x", "command": ["a"]}]}'),
               ('queues[0].ref', '{"queues": [{"name": "b", "remote": "/b"}]}'),
               ('queues[0].name', '{"queues": [{"name": "B", "remote": "/b", "ref": "x", "command": ["a"]}]}'),
               ('queues[0].comand', '{"queues": [{"name": "b", "remote": "/b", "ref": "x", "command": ["a"], "comand": 1}]}'),
               ('queues[1].remote', '{"queues": [{"name": "b", "remote": "/b", "ref": "x", "command": ["a"]},
                                                 {"name": "c", "remote": "b", "ref": "x", "command": ["a"]}]}'),
               ('queues[1].time_limit', '{"queues": [{"name": "b", "remote": "/b", "ref": "x", "command": ["a"]},
                   {"name": "c", "remote": "/b", "ref": "x", "command": ["a"], "time_limit": "1 year"}]}')) d(path, document);
reset role;
select is((select count(*)::int from pipeline.queue), 1, 'nothing is half applied');
\set document '{"queues": [{"name": "b", "remote": "/b.git", "ref": "x", "command": ["make", "a b"], "time_limit": "30 min", "owners": ["ada"], "poll": "* * * * *", "projects": [{"name": "web", "rules": [{"path": "web/**"}]}], "sinks": [{"name": "log", "kind": "notify", "channel": "verdicts"}]}, {"name": "a/main", "remote": "/a.git", "ref": "main", "command": ["make"]}]}'
set local role millrace_operator;
select results_eq(format('select * from pipeline.apply(%L)', :'document'),
                  $$ values ('b', 'created', '{command,owners,poll,projects,ref,remote,sinks,time_limit}'::text[]),
                            ('a/main', 'changed', '{flaky_reruns,max_concurrent,promotion_ref,time_limit}') $$,
                  'a dry run says what would change');
reset role;
select is((select count(*)::int from pipeline.queue), 1, 'and changes nothing');
set local role millrace_operator;
select isnt_empty(format('select * from pipeline.apply(%L, false)', :'document'), 'it is applied');
select is_empty(format('select * from pipeline.apply(%L, false)', :'document'), 'applied again, there is nothing to do');
select is(pipeline.settings_of('a/main') ->> 'max_concurrent', '1', 'what the document leaves out is as in a new one');
select is_empty('select * from pipeline.apply(pipeline.export(), false)', 'what is exported changes nothing');
select is(pipeline.export() #> '{queues,0}', '{"name": "a/main", "remote": "/a.git", "ref": "main", "command": ["make"]}',
          'and leaves out what need not be said');
reset role;
create temp table exported as select pipeline.export() as document;
delete from pipeline.sink; delete from pipeline.project; delete from pipeline.look; delete from pipeline.queue; delete from millrace.schedule;
select isnt_empty('select pipeline.apply(document, false) from exported', 'an export makes them anew');
select is(pipeline.export(), document, 'as they were') from exported;
select * from finish();
rollback;
