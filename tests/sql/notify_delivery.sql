-- deliver.sql, views.sql, upkeep.sql: an email from its job's claim to its end, and to the end of what is known of it.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(119);

set local role millrace_operator;
select notify.set_up(retention => '30 days');
select set_eq('select q.name from millrace.queues q', '{email}'::text[], 'set_up makes a queue');
select lives_ok('select notify.set_up()', 'and may be called again');
reset role;
select cmp_ok(sum(millrace.retry_delay(n, null, null, q)), '>=', interval '2 days',
              'its jobs outlast two days of a mail server that puts all off')
  from millrace.queue q cross join lateral generate_series(1, q.max_attempts - 1) n where q.name = 'email';
set local role millrace_operator;
select notify.set_up(retention => '30 days');
select notify.define_type('account.reset', 'account', 'Your password', 1, expires_after => '1 hour') \g /dev/null
select notify.set_sender('account', 'Accounts <accounts@example.org>');
select throws_ok($$select notify.set_sender('nothing', null)$$, 'MR005', 'set_sender: bad category', 'a category');
select throws_ok(format('select notify.set_sender(%L, %L)', 'account', bad), 'MR005', 'set_sender: bad sender', bad)
  from unnest(array[E'a@b\nBcc: c@d', '', 'Shop <orders@example.org', 'Shop orders@example.org', 'Shop <a..b@example.org>',
                    'jörg@example.org']) bad;
select lives_ok(format('select notify.set_sender(%L, %L)', 'account', fine), coalesce(fine, 'none'))
  from unnest(array[null, 'a@example.org', ' "A <b>" <a.b@example.org> ', 'Accounts <accounts@example.org>']) fine;
reset role;
select notify.configure(name, jsonb_build_object('email', name || '@example.org', 'locale', 'de-AT'))
  from unnest('{ada,bob,cid}'::text[]) name \g /dev/null
create function claimed(worker int, out job bigint, out fence bigint, out email bigint) language sql
as $$select c.job_id, c.fence, (c.payload ->> 'email')::bigint from millrace.claim(worker, 'email', 1) c$$;
create view status as select m.id, m.username, m.status, m.reason from notify.emails m;

select event from notify.emit('account.reset', 'bob', '{ada}', 'Reset', 'T', '<p>H</p>', '{"code": 7}') \gset
set local role millrace_worker;
select millrace.open_session('w', '{email}') as session \gset
reset role;
select job, fence, email from claimed(:session) \gset
select is((select status from status), 'sending', 'its job runs: sending');
set local role millrace_worker;
select row_eq(format('select * from notify.message_of(%s, %s)', :fence, :job),
              row(:email::bigint, null::text, 'account.reset'::text, 'ada'::text, 'ada@example.org'::text,
                  'de-AT'::text, 'Accounts <accounts@example.org>'::text, 'Reset'::text, 'T'::text, '<p>H</p>'::text,
                  '{"code": 7}'::jsonb, false, interval '0'), 'whoever has the job reads the message');
select throws_ok(format('select notify.message_of(%s, %s)', :fence::bigint + 1, :job), 'MR001', null, 'nobody else');
select throws_ok(format('select notify.record_delivery(%s, %s, %s)', :fence, :job, arguments), 'MR005', message, arguments)
  from (values ($$'gone'$$, 'record_delivery: bad outcome'), ('null', 'record_delivery: bad outcome'),
               ($$'failed'$$, 'record_delivery: bad reason')) bad(arguments, message);
select throws_ok(format($$select notify.record_delivery(%s, %s, 'sent')$$, fence, job), 'MR001', null, why)
  from (values ((:fence::bigint + 1)::text, :'job', 'nobody else records its delivery'), (:'fence', 'null', 'nor without a job'),
               ('null', :'job', 'nor without a fence')) other(fence, job, why);
select is(notify.record_delivery(:fence, :job, 'sent', message_id => '<7@x>', reply => '250 ok', redirected_to => 'me@x'), 1,
          'its delivery is recorded');
select is(notify.record_delivery(:fence, :job, 'sent', message_id => '<8@x>'), 0, 'once');
select millrace.complete(:fence, :job);
select throws_ok(format($$select notify.record_delivery(%s, %s, 'sent')$$, :fence, :job), 'MR001', null, 'not when it is settled');
reset role;
set local role millrace_viewer;
select row_eq(format('select status, reason, message_id, reply, redirected_to, job, recorded_at from notify.emails m
                       where m.id = %s', :email),
              row('sent'::text, null::text, '<7@x>'::text, '250 ok'::text, 'me@x'::text, :job::bigint, millrace.now()),
              'people see it');
reset role;

-- Suppressed, or erased, between the emit and the delivery.
select notify.emit('account.reset', null, '{ada}', 'Reset', 'T') \g /dev/null
select notify.suppress('ADA@example.org', 'complained') \g /dev/null
select is(notify.is_suppressed('Ada@example.org'), true, 'an address is suppressed whatever its capitals');
select is(notify.is_suppressed('ada@example.com'), false, 'another is not');
select job, fence from claimed(:session) \gset
select is((select m.skip from notify.message_of(:fence, :job) m), 'suppressed', 'an address suppressed meanwhile');
select notify.record_delivery(:fence, :job, 'skipped', 'suppressed') \g /dev/null
select millrace.complete(:fence, :job);
select is((select status || ' ' || reason from status order by id desc limit 1), 'skipped suppressed', 'is skipped');
select notify.unsuppress('ada@example.org') \g /dev/null
select notify.emit('account.reset', null, '{ada}', 'Reset', 'T') \g /dev/null
select job, fence from claimed(:session) \gset
select millrace_test.advance_clock('1 hour') \g /dev/null
select is((select m.skip from notify.message_of(:fence, :job) m), 'expired', 'one that has become stale');
select notify.record_delivery(:fence, :job, 'skipped', 'expired') \g /dev/null
select millrace.complete(:fence, :job);

-- Switched off, or another address, between the emit and the delivery.
savepoint before;
select notify.define_type('needed', 'account', 'Needed', system_required => true) \g /dev/null
create function next_skip(worker int, changes jsonb, of_type text) returns text language plpgsql
as $$declare skip text; begin
    perform notify.configure('ada', '{"email": "ada@example.org", "enabled": true, "preferences": {"cl.comment.created": null}}');
    perform notify.emit(of_type, null, '{ada}', 'S', 'T');
    perform notify.configure('ada', changes);
    select coalesce(m.skip, m.address) into skip from claimed(worker) c, notify.message_of(c.fence, c.job) m;
    return skip;
end$$;
select is(next_skip(:session, changes::jsonb, of_type), skip, concat_ws(' ', of_type, changes))
  from (values (1, '{}', 'cl.comment.created', 'ada@example.org'), (2, '{"enabled": false}', 'cl.comment.created', 'disabled'),
               (3, '{"preferences": {"cl.comment.created": false}}', 'cl.comment.created', 'preference'),
               (4, '{"email": "new@example.org"}', 'cl.comment.created', 'new@example.org'),
               (5, '{"email": null}', 'cl.comment.created', 'no address'), (6, '{"enabled": false}', 'needed', 'disabled'),
               (7, '{"email": "new@example.org"}', 'needed', 'new@example.org'),
               (8, '{"email": null}', 'needed', 'no address')) later(n, changes, of_type, skip);
rollback to before;
savepoint before;
select notify.emit('account.reset', null, '{ada}', 'Moved', 'T') \g /dev/null
select notify.configure('ada', '{"email": "new@example.org"}') \g /dev/null
select notify.suppress('new@example.org', 'complained') \g /dev/null
select job, fence from claimed(:session) \gset
select is((select m.skip from notify.message_of(:fence, :job) m), 'suppressed', 'the new address may be suppressed');
select is((select m.address from notify.emails m where m.subject = 'Moved'), 'ada@example.org', 'an email has its address');
savepoint sent;
select notify.erase_user('ada') \g /dev/null
select notify.record_delivery(:fence, :job, 'sent', sent_to => 'new@example.org') \g /dev/null
select is((select e.address from notify.email e where e.job_id = :job), null, 'one that was erased meanwhile has none');
rollback to sent;
select notify.record_delivery(:fence, :job, 'sent', sent_to => 'new@example.org') \g /dev/null
select is((select m.address from notify.emails m where m.subject = 'Moved'), 'new@example.org', 'and, sent, that to which it went');
rollback to before;

-- Failed, and replayed.
select notify.emit('cl.comment.created', null, '{ada}', 'S', 'T') \g /dev/null
select millrace.open_session('w', '{email}') as session \gset
select job, fence, email from claimed(:session) \gset
select notify.record_delivery(:fence, :job, 'failed', '550 no such user') \g /dev/null
select millrace.discard(:fence, :job, '550 no such user');
select is((select status || ' ' || reason from status s where s.id = :email), 'failed 550 no such user', 'it may fail');
select millrace.replay(:job) \g /dev/null
select is((select row(status, reason)::text from status s where s.id = :email), '(pending,)', 'a replay makes it pending');
select job, fence from claimed(:session) \gset
select is((select m.address from notify.message_of(:fence, :job) m), 'ada@example.org', 'with its message');
select notify.record_delivery(:fence, :job, 'sent', message_id => '<9@x>') \g /dev/null
select millrace.complete(:fence, :job);
select is((select row(status, reason)::text from status s where s.id = :email), '(sent,)', 'and it is sent after all');

-- Jobs that end without a word: cancelled, expired, lost.
select notify.emit('cl.comment.created', null, '{ada}', 'cancelled', 'T') \g /dev/null
select notify.emit('account.reset', null, '{bob}', 'expired', 'T') \g /dev/null
select notify.emit('cl.comment.created', null, '{cid}', 'lost', 'T') \g /dev/null
create view said as select m.subject || ' ' || m.status || coalesce(': ' || m.reason, '') as said from notify.emails m
 where m.subject in ('cancelled', 'expired', 'lost');
select set_eq('select said from said', $$values ('cancelled pending'), ('expired pending'), ('lost pending')$$, 'pending');
select millrace.cancel(m.job, 'not now') from notify.emails m where m.subject = 'cancelled' \g /dev/null
select is(recorded, 1, 'upkeep records what was cancelled') from notify.upkeep();
select millrace_test.advance_clock('1 hour') \g /dev/null
select millrace.open_session('w', '{email}') as session \gset
select is((select m.subject from claimed(:session) c join notify.emails m on m.id = c.email), 'lost', 'what has expired is passed over');
select set_eq('select said from said', $$values ('cancelled cancelled: not now'), ('expired expired'), ('lost sending')$$,
              'the view knows');
update millrace.job set max_attempts = 1 where id = (select m.job from notify.emails m where m.subject = 'lost');
select millrace_test.advance_clock('2 minutes') \g /dev/null
select cmp_ok(millrace.reap(), '>=', 1, 'a worker is lost');
select alike(said, 'lost failed: lease expired%', 'its email has failed') from said where said ~ '^lost';
select is((select sum(recorded)::int from notify.upkeep()), 2, 'upkeep records these, too');
select is((select sum(recorded)::int from notify.upkeep()), 0, 'once');
select is((select oldest_pending_age from notify.overview()), null, 'nothing waits for the mail server');
create temp table before as select * from said;
truncate millrace.finished, millrace.dead_letter, millrace.job;
select set_eq('select said from said', 'select said from before', 'so that they are known when the jobs are forgotten');
select is((select count(*) from notify.pending), 0::bigint, 'nothing is left pending');

-- Search.
set local role millrace_viewer;
select is((select count(*) from notify.find_emails('ada')), 5::bigint, 'by user');
select set_eq($$select status, count(*) from notify.find_emails() group by 1$$,
              $$select status, count(*) from notify.emails group by 1$$, 'all');
select set_eq(format('select id from notify.find_emails(status => %L)', s), format('select id from notify.emails m
              where m.status = %L', s), 'by status ' || s)
  from unnest('{pending,collected,sending,sent,skipped,failed,cancelled,expired}'::text[]) s;
select results_eq($$select subject from notify.find_emails(type => 'cl.comment.created', max_rows => 2)$$,
                  $$values ('lost'), ('cancelled')$$, 'the newest first');
select is((select count(*) from notify.find_emails(since => millrace.now())), 0::bigint, 'since');
select is((select count(*) from notify.find_emails(until => millrace.now())), 7::bigint, 'until');
select throws_ok($$select notify.find_emails(status => 'lost')$$, 'MR005', 'find_emails: bad status', 'a status');
select throws_ok($$select notify.find_emails(max_rows => 0)$$, 'MR005', 'find_emails: bad max_rows', 'a number');
reset role;

-- Many that wait, and as many that do not any more: looked for in pieces, each with one look at what is available.
savepoint many;
select notify.emit('cl.comment.created', null, array(select format('u%s@example.org', n) from generate_series(1, 300) n), 'many', 'T') \g /dev/null
select millrace_test.advance_clock('1 minute') \g /dev/null
select notify.emit('cl.comment.created', null, array(select format('u%s@example.org', n) from generate_series(1, 150) n), 'more', 'T') \g /dev/null
select millrace.cancel(m.job) from notify.emails m where m.subject = 'more' \g /dev/null
create function looks() returns bigint language sql as $$select pg_stat_get_xact_numscans('millrace.ready_job'::regclass)$$;
select looks() as looks \gset
select is((select count(*) from notify.find_emails(status => 'pending', max_rows => 200) m where m.subject = 'many'), 200::bigint,
          'what waits is found behind what does not');
select cmp_ok(looks() - :looks, '<=', 4::bigint, 'with few looks');
select set_eq($$select m from notify.find_emails(max_rows => 1000) m$$, $$select m from notify.emails m$$, 'all as the view has them');
select results_eq($$select status, count(*) from notify.find_emails(max_rows => 1000) where subject in ('many', 'more') group by 1 order by 1$$,
                  $$values ('cancelled', 150::bigint), ('pending', 300)$$, 'each with its state');
select is((select oldest_pending_age from notify.overview()), interval '1 minute', 'the oldest that waits is known by its age');
select millrace.cancel(m.job) from notify.emails m where m.subject = 'many' \g /dev/null
select notify.emit('cl.comment.created', null, '{u1@example.org}', 'last', 'T') \g /dev/null
select is(recorded, 450, 'upkeep sees what has ended') from notify.upkeep();
select notify.upkeep() \g /dev/null
select is((select oldest_pending_age from notify.overview()), interval '0', 'then it is another one');
select is((select h.pending_from from notify.house h), (select m.id from notify.emails m where m.subject = 'last'), 'and is looked for there');
rollback to many;

-- Every worker does the upkeep; it is done once a minute.
savepoint chore;
select notify.upkeep(at_most_every => '1 minute') \g /dev/null
select notify.emit('cl.comment.created', null, '{ada}', 'cancelled soon', 'T') \g /dev/null
select millrace.cancel(m.job) from notify.emails m where m.subject = 'cancelled soon' \g /dev/null
select is(recorded, 0, 'what was done lately is not done again') from notify.upkeep(at_most_every => '1 minute');
select is(recorded, 1, 'unless somebody wants it') from notify.upkeep();
select notify.emit('cl.comment.created', null, '{ada}', 'cancelled later', 'T') \g /dev/null
select millrace.cancel(m.job) from notify.emails m where m.subject = 'cancelled later' \g /dev/null
select millrace_test.advance_clock('1 minute') \g /dev/null
select is(recorded, 1, 'or a minute has gone by') from notify.upkeep(at_most_every => '1 minute');
select throws_ok(format('select notify.upkeep(at_most_every => %L)', bad), 'MR005', 'upkeep: bad at_most_every', bad)
  from unnest('{-1 s,2 days,NULL}'::text[]) bad;
rollback to chore;

-- Templates.
set local role millrace_operator;
select notify.put_template('account.reset', l, 'S ' || l, 'T') from unnest('{en,de,fr}'::text[]) l \g /dev/null
select notify.put_template('account.reset', 'en', 'S en', 'T', '<p>{{code}}</p>') \g /dev/null
select is((select t.subject from notify.template_of('account.reset', wanted) t), 'S ' || got, wanted)
  from (values ('de-AT', 'de'), ('de', 'de'), ('it', 'en'), ('en-GB', 'en')) l(wanted, got);
select is_empty($$select * from notify.template_of('queue.dead_letter', 'de')$$, 'none: the words of emit');
select is(notify.drop_template('account.reset', 'fr'), true, 'a template is dropped');
select is(notify.drop_template('account.reset', 'fr'), false, 'once');
reset role;

-- Owners hear of dead letters, once an hour.
select notify.set_queue_owner('email', 'ada');
create procedure bury(n int) language sql
as $$insert into millrace.dead_letter (job_id, discarded_at, stored_on, queue_id, priority, attempt, error)
     select nextval('millrace.job_id'), millrace.now(), millrace.storage_day(), millrace.queue_id('email'), 5, 1, 'x'
       from generate_series(1, n)$$;
call bury(3);
select is(told, 0, 'not in the same moment') from notify.upkeep();
select millrace_test.advance_clock('1 minute') \g /dev/null
savepoint no_queue;
update notify.event_type set queue = 'nowhere' where code = 'queue.dead_letter';
select is(told, 0, 'nobody is told where there is no queue for it') from notify.upkeep();
rollback to no_queue;
savepoint no_digests;
select notify.configure('ada', '{"delivery_mode": "digest"}') \g /dev/null
update notify.house set digest_queue = 'nowhere';
set local client_min_messages = error;
select lives_ok('select notify.upkeep()', 'nor is the rest held up where an owner cannot be told');
select is((select o.told_at from notify.queue_owner o), null, 'who is told later');
rollback to no_digests;
select is(told, 1, 'the owner of a queue is told of its dead letters') from notify.upkeep();
select is((select v.data ->> 'jobs' from notify.event v where v.event_type = 'queue.dead_letter'), '3', 'how many');
call bury(1);
select millrace_test.advance_clock('1 minute') \g /dev/null
select is(told, 0, 'not more than once an hour') from notify.upkeep();
select millrace_test.advance_clock('1 hour') \g /dev/null
select is(told, 1, 'and then of those that are new') from notify.upkeep();
select is(told, 0, 'once') from notify.upkeep();

-- Erasure.
select is(notify.erase_user('ada', dry_run => true), 7, 'what would be erased is counted');
select is((select count(*) from notify.email e where e.username = 'ada'), 7::bigint, 'and left');
select is(notify.erase_user('ada'), 7, 'a user is erased');
select is((select count(*) from notify.event v where v::text ~ 'ada') + (select count(*) from notify.email e where e::text ~ 'ada')
          + (select count(*) from notify.user_settings s where s::text ~ 'ada')
          + (select count(*) from notify.delivery d where d::text ~ 'ada'), 0::bigint, 'nothing bears the name');
select is((select count(*) from notify.event v
            where v.subject || v.body_text is not null and not exists (select from notify.email e
                                                                        where e.event_id = v.id and e.username <> '')),
          0::bigint, 'what only that user was told has no words');
select is((select count(*) from notify.emails), 9::bigint, 'what was sent can still be counted');

-- An address of two users.
select notify.configure(name, '{"email": "Team@example.org"}') from unnest('{hal,ida}'::text[]) name \g /dev/null
select notify.bounced('team@example.org', '550 no such user') \g /dev/null
select notify.bounced('team@example.org', '452 full', permanent => false) \g /dev/null
select notify.erase_user('hal') \g /dev/null
select is(notify.is_suppressed('team@example.org'), true, 'an address that somebody else has stays suppressed');
select is((select count(*) from notify.bounce), 1::bigint, 'with its bounces');
select notify.erase_user('ida') \g /dev/null
select is(notify.is_suppressed('team@example.org'), false, 'until the last one is erased');
select is((select count(*) from notify.bounce), 0::bigint, 'with its bounces, then');

-- Retention.
select is(pruned, 0, 'events are kept') from notify.upkeep();
select millrace_test.advance_clock('31 days') \g /dev/null
select is(pruned, 3, 'and go in pieces') from notify.upkeep(3);
select is((select count(*) from notify.event), 6::bigint, 'of that size');
select notify.upkeep() \g /dev/null
select is((select count(*) from notify.event v where v.event_type <> 'queue.dead_letter'), 0::bigint, 'until all have gone');
select is((select count(*) from notify.delivery), 0::bigint, 'with what became of them');

select * from finish();
rollback;
