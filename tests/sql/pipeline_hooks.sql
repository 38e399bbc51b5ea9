-- sql/pipeline/hooks.sql: each verdict is told once to every sink that wants it.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(49);
select millrace.create_queue('pipeline') \g /dev/null
select millrace.create_queue('email') \g /dev/null
select pipeline.create_queue('q', '/a.git', 'main', '{make}') \g /dev/null
select pipeline.ingest('q', 'u' || n) from generate_series(1, 4) n \g /dev/null

set local role millrace_operator;
select throws_ok(format($$ select pipeline.configure_queue('q', jsonb_build_object('sinks', %L::jsonb)) $$, sinks), 'MR005',
                 'configure_queue: bad sinks', 'refused: ' || sinks)
  from unnest(array['{}', '[1]', '[{"name": "a"}]', '[{"name": "A", "kind": "notify", "channel": "c"}]',
                    '[{"name": "a", "kind": "notify", "channel": "c;"}]',
                    '[{"name": "a", "kind": "notify", "channel": "millrace_queue"}]',
                    '[{"name": "a", "kind": "notify", "channel": "c", "url": "u"}]',
                    '[{"name": "a", "kind": "notify", "channel": "c", "tells": "lies"}]',
                    '[{"name": "a", "kind": "webhook", "url": "ftp://example.org"}]',
                    '[{"name": "a", "kind": "webhook", "url": "https://ada:secret@example.org/"}]',
                    '[{"name": "a", "kind": "webhook", "url": "https://example.org", "secret_env": "a b"}]',
                    '[{"name": "a", "kind": "email", "recipients": []}]',
                    '[{"name": "owners", "kind": "email", "recipients": ["ada"]}]',
                    '[{"name": "a", "kind": "notify", "channel": "c"}, {"name": "a", "kind": "notify", "channel": "d"}]'])
       sinks;
select is(pipeline.configure_queue('q', '{"owners": ["ada"], "sinks": [
    {"name": "chat", "kind": "webhook", "url": "https://chat.example.org/hook", "secret_env": "PIPELINE_CHAT_SECRET"},
    {"name": "log", "kind": "notify", "channel": "verdicts", "tells": "changes"}]}'), '{owners,sinks}', 'sinks are set');
reset role;
create temp view told as
select replace(kind, 'pipeline.', '') || ' ' || (payload ->> 'sink') as job, payload ->> 'event' as event
  from millrace.jobs where kind in ('pipeline.webhook', 'pipeline.tell') order by id;

select pipeline.create_fact('q', 'u1', '', 0, 1) \g /dev/null
select is(pipeline.announce('q', 1, ''), 1, 'the first verdict is green: no change, the webhook alone hears of it');
select is(pipeline.announce('q', 1, ''), 0, 'once');
select results_eq('select job, event from told',
                  $$ values ('webhook chat', 'pipeline/validation.recorded/request/q/1/') $$, 'by the id of its fact');
update pipeline.request set build_strategy = 'incremental_since_green', base_uri = 'u1' where number = 2;
select pipeline.create_fact('q', 'u2', '', 1, 2) \g /dev/null
select is(pipeline.announce('q', 2, ''), 3, 'when it breaks, all hear of it');
select pipeline.create_fact('q', 'u3', '', 1, 3, true) \g /dev/null
select is(pipeline.announce('q', 3, ''), 1, 'that it is still not green is no change');
select pipeline.create_fact('q', 'u4', '', 0, 4) \g /dev/null
select is(pipeline.announce('q', 4, ''), 3, 'that it is green again is one');
select pipeline.create_fact('q', 'u4', 'web', 1, 4) \g /dev/null
select is(pipeline.announce('q', 4, 'web'), 3, 'a project has changes of its own');
select is((select event from told order by event desc limit 1), 'pipeline/validation.recorded/request/q/4/web',
          'and events');

set local role millrace_worker;
select results_eq($$ select url, secret_env, body #>> '{data,id}', body #>> '{data,payload,verdict}',
                            body #>> '{data,payload,verdict_before}', body ->> 'specversion', body ->> 'type'
                       from pipeline.hook_delivery('pipeline/validation.recorded/request/q/2/', 'chat') $$,
                  $$ values ('https://chat.example.org/hook', 'PIPELINE_CHAT_SECRET', 'pipeline/validation.recorded/request/q/2/',
                             'broken', 'green', '1.0', 'validation.recorded') $$, 'what the webhook posts, and where');
select is_empty($$ select pipeline.hook_delivery('pipeline/validation.recorded/request/q/2/', 'log') $$,
                'nothing to a sink that is none');
select is_empty($$ select pipeline.hook_delivery('nosuch', 'chat') $$, 'nor of an event that is none');
select ok(pipeline.tell('pipeline/validation.recorded/request/q/2/', 'log'), 'a notification is sent');
select ok(not pipeline.tell('nosuch', 'log'), 'of an event that is there');
reset role;
select ok(pipeline.tell('pipeline/validation.recorded/request/q/4/', 'owners'), 'owners are told by email');
select ok(pipeline.tell('pipeline/validation.recorded/request/q/4/', 'owners'), 'and told again by who did not hear that it was done');
select results_eq('select event_type, subject from notify.event',
                  $$ values ('pipeline.verdict', 'q is green again') $$, 'in words, once');

-- Each field of an event, as the page has it.
update pipeline.event set at = '2026-03-01 12:00:00.25+00' where queue = 'q';
select is(body, '{"specversion": "1.0", "id": "pipeline/validation.recorded/request/q/2/", "source": "millrace/pipeline/q",
    "type": "validation.recorded", "time": "2026-03-01T12:00:00.250Z", "datacontenttype": "application/json",
    "data": {"id": "pipeline/validation.recorded/request/q/2/", "source": "pipeline", "type": "validation.recorded",
             "version": 1, "timestamp_ms": 1772366400250,
             "payload": {"queue": "q", "request": "request/q/2", "uri": "u2", "project": "", "degree": 1,
                         "verdict": "broken", "verdict_before": "green", "strategy": "incremental_since_green",
                         "base_uri": "u1", "culprit_uri": null}}}', 'a verdict, whole')
  from pipeline.hook_delivery('pipeline/validation.recorded/request/q/2/', 'chat');
select is(subject || chr(10) || body, 'q is broken
q is broken.

commit   u2
request  request/q/2
before   green
built against u1
', 'and in words') from pipeline.event e, pipeline.mail_text(e.payload) where e.id = 'pipeline/validation.recorded/request/q/2/';
insert into pipeline.bisect (queue, request, good, bad, builds, budget, state, culprit_uri, started_at)
values ('q', 3, 1, 2, 2, 9, 'found', 'u2', millrace.now());
select is(pipeline.publish_culprit(b), 3, 'all hear of a culprit') from pipeline.bisect b where b.queue = 'q';
update pipeline.event set at = '2026-03-01 12:00:00.25+00' where type = 'culprit.found';
select is(body, '{"specversion": "1.0", "id": "pipeline/culprit.found/request/q/3", "source": "millrace/pipeline/q",
    "type": "culprit.found", "time": "2026-03-01T12:00:00.250Z", "datacontenttype": "application/json",
    "data": {"id": "pipeline/culprit.found/request/q/3", "source": "pipeline", "type": "culprit.found", "version": 1,
             "timestamp_ms": 1772366400250,
             "payload": {"queue": "q", "request": "request/q/3", "uri": "u3", "project": "", "verdict": "broken",
                         "culprit_uri": "u2", "culprit_request": 2, "builds": 2}}}', 'which is an event of its own')
  from pipeline.hook_delivery('pipeline/culprit.found/request/q/3', 'chat');
select is(subject || chr(10) || body, 'q is broken; the commit that broke it is found
q is broken; the commit that broke it is found.

commit   u3
request  request/q/3
broken by u2
', 'in words, too') from pipeline.event e, pipeline.mail_text(e.payload) where e.type = 'culprit.found';
delete from pipeline.bisect;

-- A branch follows the last green: asked for by whoever holds the bookmark, however often that is recorded.
select pipeline.configure_queue('q', '{"promotion_ref": "verified", "sinks": [], "owners": []}') \g /dev/null
select pipeline.ingest('q', 'u5'), pipeline.create_fact('q', 'u5', '', 0, 5) \g /dev/null
select pipeline.announce('q', 5, '') \g /dev/null
select is_empty($$ select from millrace.jobs where kind = 'pipeline.promote' $$, 'what holds no bookmark promotes nothing');
select pipeline.update_queue('q', 5, 'u5', version, version + 1) from pipeline.get_queue('q') \g /dev/null
select pipeline.announce('q', 5, ''), pipeline.announce('q', 5, ''), pipeline.announce('q', 4, '') \g /dev/null
select results_eq($$ select payload, concurrency_key from millrace.jobs where kind = 'pipeline.promote' $$,
                  $$ values ('{"queue": "q"}'::jsonb, 'pipeline.promote/q'), ('{"queue": "q"}', 'pipeline.promote/q') $$,
                  'the holder does, after a crash again, one at a time');
set local role millrace_worker;
select pipeline.note_promotion('q', 'u5', 'moved') \g /dev/null
select pipeline.note_promotion('q', 'u6', 'vanished') \g /dev/null
reset role;
select is(promoted_uri || ' ' || promotions_vanished, 'u5 1', 'what was moved is known, what had vanished is counted')
  from pipeline.queues;

-- How a pipeline queue is: in numbers.
update millrace_test.clock set at = at + interval '10 min';
update pipeline.request set state = 'failed', finished_at = accepted_at + interval '7 min' where number = 5;
select pipeline.ingest('q', 'u6'), pipeline.create_fact('q', 'u6', '', 1, 6) \g /dev/null
select results_eq($$ select last_green_at, broken_since, validation_time from pipeline.queues $$,
                  $$ select at - interval '10 min', at, interval '7 min' from millrace_test.clock $$,
                  'the last green was reported then, since now it is broken, and the last verdict took its time');

-- After a revalidation: measured against the verdict that was told, not against the one before.
select pipeline.create_queue('r', '/r.git', 'main', '{make}') \g /dev/null
select pipeline.configure_queue('r', '{"owners": ["ada"]}') \g /dev/null
select pipeline.ingest('r', 'u' || n) from generate_series(1, 2) n \g /dev/null
select pipeline.create_fact('r', 'u1', '', 0, 1), pipeline.announce('r', 1, '') \g /dev/null
select pipeline.create_fact('r', 'u2', '', 1, 2) \g /dev/null
update pipeline.request set state = 'failed', build_strategy = 'full' where queue = 'r' and number = 2;
select is(pipeline.announce('r', 2, ''), 1, 'owners hear that it breaks');
select pipeline.revalidate('r', 'u2', 'a full disk'), pipeline.create_fact('r', 'u2', '', 1, 2) \g /dev/null
update pipeline.request set state = 'failed' where queue = 'r' and number = 2;
select is(pipeline.announce('r', 2, ''), 0, 'nothing that it is still broken');
select pipeline.revalidate('r', 'u2', 'once more'), pipeline.create_fact('r', 'u2', '', 0, 2) \g /dev/null
select is(pipeline.announce('r', 2, ''), 1, 'and that it was not: it is green again');
select is(payload ->> 'verdict_before', 'broken', 'after what was told') from pipeline.event
 where queue = 'r' and payload ->> 'uri' = 'u2' and payload ->> 'verdict' = 'green';

-- With two slots a verdict may come late.
select pipeline.create_queue('s', '/s.git', 'main', '{make}', max_concurrent => 2) \g /dev/null
select pipeline.configure_queue('s', '{"owners": ["ada"]}') \g /dev/null
select pipeline.ingest('s', 'u' || n) from generate_series(1, 3) n \g /dev/null
select pipeline.create_fact('s', 'u2', '', 0, 2), pipeline.announce('s', 2, '') \g /dev/null
select pipeline.create_fact('s', 'u1', '', 1, 1) \g /dev/null
select is(pipeline.announce('s', 1, ''), 0, 'owners hear nothing of a break that is over: nobody would tell them so');
select pipeline.create_fact('s', 'u1', 'web', 1, 1) \g /dev/null
select is(pipeline.announce('s', 1, 'web'), 1, 'but of a project of it of which nothing later is known');
select pipeline.create_fact('s', 'u3', '', 1, 3) \g /dev/null
select is(pipeline.announce('s', 3, ''), 1, 'and of the next break');

-- Two pipeline queues, of which one has a name that looks like a request of the other.
select pipeline.create_queue('n', '/n.git', 'main', '{make}'), pipeline.create_queue('n/1', '/n.git', 'main', '{make}') \g /dev/null
select pipeline.ingest('n', 'u'), pipeline.ingest('n/1', 'u') \g /dev/null
update pipeline.request set attempt = 2 where queue = 'n';
select pipeline.create_fact('n', 'u', '1', 1, 1), pipeline.announce('n', 1, '1') \g /dev/null
select pipeline.create_fact('n/1', 'u', '2', 1, 1) \g /dev/null
select lives_ok($$ select pipeline.announce('n/1', 1, '2') $$, 'never share an id');
select results_eq($$ select id from pipeline.event where queue in ('n', 'n/1') order by queue $$,
                  $$ values ('pipeline/validation.recorded/request/n/1/1~2'), ('pipeline/validation.recorded/request/n/1/1/2') $$,
                  'which says whose it is');
select * from finish();
rollback;
