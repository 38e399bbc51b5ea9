-- sql/pipeline/{create_queue,ingest,greenness}.sql: what is refused when a pipeline queue is written, and how heads
-- become requests.
set client_min_messages = warning;
create extension if not exists pgtap;
create extension if not exists dblink;
begin;
\ir ../support/sql/fake_clock.sql
select plan(53);
select millrace.create_queue('pipeline') \g /dev/null

-- Each refusal names the argument; nothing is written.
create function pg_temp.refused(what text, argument text, wrong text[])
returns setof text
language sql
as $$
    select throws_ok(format('select pipeline.create_queue(%s)',
                            (select string_agg(format('%s => %s', key, value), ', ')
                               from jsonb_each_text('{"name": "''a''", "remote": "''/srv/a.git''", "ref": "''main''",
                                                      "command": "''{make}''"}' || jsonb_build_object(argument, w)))),
                     'MR005', 'create_queue: bad ' || argument, what || ' ' || w)
      from unnest(wrong) w
$$;
select pg_temp.refused('refused:', 'name', array[$$''$$, $$'A'$$, $$'/a'$$, $$null$$, $$repeat('a', 101)$$]);
select pg_temp.refused('refused:', 'remote', array[$$'ext::sh -c id'$$, $$'--upload-pack=id'$$, $$'srv/a.git'$$,
                       $$''$$, $$null$$, $$'https://ada:secret@example.org/a.git'$$, $$E'/srv/a\nb'$$, $$'foo::bar'$$]);
select pg_temp.refused('refused:', 'ref', array[$$'-f'$$, $$'a..b'$$, $$'a b'$$, $$'a/'$$, $$'a.lock'$$, $$'a:b'$$,
                       $$'a^'$$, $$null$$]);
select pg_temp.refused('refused:', 'command', array[$$'{}'$$, $$'{""}'$$, $$'{make,null}'$$, $$'{{make,all}}'$$,
                       $$null$$]);
select pg_temp.refused('refused:', 'time_limit', array[$$'0'$$, $$'3 hours'$$,
                       $$'71582788 months -2147483640 days 1 h'$$]);
select pg_temp.refused('refused:', 'max_concurrent', array['0']);
select pg_temp.refused('refused:', 'poll_running', array[$$'0'$$, $$'71582788 months -2147483640 days 1 s'$$]);
select pg_temp.refused('refused:', 'poll_accepted', array[$$'71582788 months -2147483640 days 1 s'$$]);
select pg_temp.refused('refused:', 'max_validation', array[$$'71582788 months -2147483640 days 2 h'$$]);
select throws_ok($$ select pipeline.create_queue('a', '/a.git', 'main', '{make}', job_queue => 'nosuch') $$, 'MR003',
                 'unknown queue ''nosuch''', 'the jobs need a queue that exists');
select is_empty('select * from pipeline.queue', 'none of these has written anything');

set local role millrace_operator;
select lives_ok($$ select pipeline.create_queue('shop/main', 'ssh://git@example.org/shop.git', 'main',
                                                '{make,check}') $$, 'a user is no password');
select throws_ok($$ select pipeline.create_queue('shop/main', '/a.git', 'main', '{make}') $$, 'MR008',
                 'pipeline queue ''shop/main'' exists', 'a name is taken once');
reset role;
select is(detail, '{"pipeline_queue": "shop/main"}', 'who created it is written down')
  from millrace.operator_action where action = 'pipeline.create_queue';

set local role millrace_enqueuer;
select is(pipeline.ingest('shop/main', 'u1'), 1::bigint, 'requests are numbered from 1 on');
select is(pipeline.ingest('shop/main', 'u2'), 2::bigint, 'in the order of ingestion');
select is(pipeline.ingest('shop/main', 'u1'), 1::bigint, 'a head that is known has its request');
select throws_ok($$ select pipeline.ingest('nosuch', 'u') $$, 'MR003', 'unknown pipeline queue ''nosuch''',
                 'of no queue');
select throws_ok($$ select pipeline.ingest('shop/main', '') $$, 'MR005', 'ingest: bad uri', 'of no commit');
select throws_ok($$ select pipeline.ingest('shop/main', repeat('😀', 501)) $$, 'MR005', 'ingest: bad uri',
                 'bytes count: an index holds no more');
select throws_ok($$ select pipeline.ingest(repeat('q', 1000), 'u') $$, 'MR003',
                 'unknown pipeline queue ''' || repeat('q', 100) || '''', 'a long name is not repeated whole');
reset role;
select results_eq($$ select kind, payload from millrace.jobs order by id $$,
                  $$ values ('pipeline.process', '{"queue": "shop/main", "request": 1}'::jsonb),
                            ('pipeline.process', '{"queue": "shop/main", "request": 2}') $$,
                  'each is processed once');
select is(latest_request, 2::bigint, 'the latest is stamped') from pipeline.queue;

select is(pipeline.latest_green('shop/main'), null, 'nothing has been green');
select is(pipeline.is_green('shop/main', 'u1'), false, 'what nobody has validated is not green');
select throws_ok($$ select pipeline.is_green('nosuch', 'u1') $$, 'MR003', 'unknown pipeline queue ''nosuch''',
                 'a misspelt queue is an error, not an answer');
select pipeline.create_fact('shop/main', 'u1', 'web', 0, 1) \g /dev/null
select pipeline.create_fact('shop/main', 'u2', 'web', 0.25, 2) \g /dev/null
select is(pipeline.latest_green('shop/main', 'web'), 'u1', 'a project that is partly broken is not green');
select is(pipeline.is_green('shop/main', 'u2', 'web'), false, 'nor is its commit');
select * from finish();
rollback;
