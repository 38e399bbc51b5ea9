-- digest.sql: many emails of a user as one, at the user's hour, none twice and none lost.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(70);

-- When a digest is due.
select is(notify.next_digest(hour, zone, after::timestamptz), due::timestamptz, format('%s in %s after %s', hour, zone,
                                                                                      after))
  from (values (8, 'UTC', '2026-05-01 07:59Z', '2026-05-01 08:00Z'),
               (8, 'UTC', '2026-05-01 08:00Z', '2026-05-02 08:00Z'),
               (8, 'Europe/Berlin', '2026-05-01 05:59Z', '2026-05-01 06:00Z'),
               (8, 'Mars/Olympus', '2026-05-01 07:59Z', '2026-05-01 08:00Z'),  -- the server knew it once
               (8, 'Asia/Tokyo', '2026-05-01 22:59Z', '2026-05-01 23:00Z'),
               (0, 'Pacific/Kiritimati', '2026-05-01 10:00Z', '2026-05-02 10:00Z'),
               (23, 'Pacific/Pago_Pago', '2026-05-01 09:59Z', '2026-05-01 10:00Z'),
               -- clocks go forward: there is no 2 o'clock on 29 March
               (2, 'Europe/Berlin', '2026-03-28 12:00Z', '2026-03-29 01:00Z'),
               (2, 'Europe/Berlin', '2026-03-29 01:00Z', '2026-03-30 00:00Z'),
               -- and back: 2 o'clock comes twice on 25 October, and the first is meant
               (2, 'Europe/Berlin', '2026-10-24 12:00Z', '2026-10-25 00:00Z'),
               (2, 'Europe/Berlin', '2026-10-25 00:00Z', '2026-10-26 01:00Z')) due(hour, zone, after, due);

select millrace.create_queue('email') \g /dev/null
select notify.define_type('account.reset', 'account', 'Your password', 1, system_required => true) \g /dev/null
select notify.define_type('soon', 'account', 'Soon', expires_after => '1 hour') \g /dev/null
select notify.configure('ada', '{"email": "ada@example.org", "delivery_mode": "digest", "digest_hour": 15}') \g /dev/null
create view status as select m.subject || ' ' || m.status as said from notify.emails m;
create function say(subject text, of_type text default 'cl.comment.created') returns record language sql
as $$select notify.emit(of_type, 'bob', '{ada}', subject, 'T')$$;

-- Collected, with one job.
select collected, pending from notify.emit('cl.comment.created', 'bob', '{ada}', 'A', 'T') \gset
select is(array[:collected, :pending], '{1,0}', 'an email is collected');
select say('B') \g /dev/null
select set_eq('select said from status', $$values ('A collected'), ('B collected')$$, 'so is another');
select results_eq('select j.kind, j.state, j.run_at, j.payload ? ''digest'', j.concurrency_key from millrace.jobs j',
                  $$values ('notify.digest', 'scheduled', millrace.now() + interval '3 hours', true, null)$$,
                  'there is one job, at the user''s hour');
select say('R', 'account.reset') \g /dev/null
select is((select m.status from notify.emails m where m.subject = 'R'), 'pending', 'what the system requires goes at once');
select say('S', 'soon') \g /dev/null

-- Other settings, other times.
select notify.configure('ada', '{"digest_hour": 17}') \g /dev/null
select is((select j.run_at from millrace.jobs j where j.kind = 'notify.digest'), millrace.now() + interval '5 hours',
          'a new hour holds for what is collected');
select is((select count(*) from millrace.jobs j where j.kind = 'notify.digest'), 1::bigint, 'in the same job');
select notify.configure('ada', '{"digest_hour": 15}') \g /dev/null

-- It runs.
create function claimed(worker int, out job bigint, out fence bigint) language sql
as $$select c.job_id, c.fence from millrace.claim(worker, 'email', 100) c where c.kind = 'notify.digest'$$;
select millrace.open_session('w', '{email}') as one, millrace.open_session('v', '{email}') as two \gset
select is((select c.job from claimed(:one) c), null, 'not before its hour');
select millrace_test.advance_clock('3 hours') \g /dev/null
select millrace.promote() \g /dev/null
create temp table due as select j.id, j.state, j.run_at from millrace.jobs j where j.kind = 'notify.digest';
select notify.configure('ada', notify.config('ada')) \g /dev/null
select set_eq($$select j.id, j.state, j.run_at from millrace.jobs j where j.kind = 'notify.digest'$$,
              'select id, state, run_at from due', 'settings that are saved as they were put no digest off that is due');
savepoint moved;
select notify.configure('ada', '{"digest_hour": 17}') \g /dev/null
select is((select j.state from millrace.jobs j where j.kind = 'notify.digest'), 'scheduled', 'another hour does');
rollback to moved;
select job, fence from claimed(:one) \gset
select throws_ok(format('select notify.digest_of(%s, %s)', :fence::bigint + 1, :job), 'MR001', null,
                 'only who has the job may take emails on');
select throws_ok(format('select notify.digest_to(%s, %s)', :fence::bigint + 1, :job), 'MR001', null, 'or see for whom');
select row_eq(format('select * from notify.digest_to(%s, %s)', :fence, :job),
              row(null::text, 'ada'::text, 'ada@example.org'::text, 'en'::text, null::text), 'a digest has a recipient');
savepoint no_digests;
select notify.unsubscribe('ada', 'notify.digest') \g /dev/null
select is(skip, 'preference', 'whoever has unsubscribed from digests gets none') from notify.digest_to(:fence, :job);
rollback to no_digests;
select results_eq(format('select subject, actor, event_type, body_text from notify.digest_of(%s, %s)', :fence, :job),
                  $$values ('A', 'bob', 'cl.comment.created', 'T'), ('B', 'bob', 'cl.comment.created', 'T')$$,
                  'it takes on what is collected, in order');
select set_eq('select said from status',
              $$values ('A sending'), ('B sending'), ('R sending'), ('S expired')$$, 'but not what has expired');

-- What comes now is for the next one.
select say('C') \g /dev/null
select results_eq(format('select subject from notify.digest_of(%s, %s)', :fence, :job), $$values ('A'), ('B')$$,
                  'asked again, it takes on nothing else');
select is((select count(*) from millrace.jobs j where j.kind = 'notify.digest'), 2::bigint, 'there is another job');

-- The worker dies; the next one finds the same.
select millrace_test.advance_clock('2 minutes') \g /dev/null
select cmp_ok(millrace.reap(), '>=', 1, 'a worker is lost');
select millrace.open_session('u', '{email}') as three \gset
select job as job_again, fence as fence_again from claimed(:three) \gset
select is(:job_again::bigint, :job::bigint, 'another gets its job');
select results_eq(format('select subject from notify.digest_of(%s, %s)', :fence_again, :job), $$values ('A'), ('B')$$,
                  'with the same emails');
select throws_ok(format('select notify.digest_of(%s, %s)', :fence, :job), 'MR001', null, 'the lost one has none of them');
savepoint before;
select is(notify.record_delivery(:fence_again, :job, 'failed', '550 no'), 2, 'it may fail for all');
select millrace.discard(:fence_again, :job, '550 no');
select set_eq('select said from status',
              $$values ('A failed'), ('B failed'), ('R sending'), ('S expired'), ('C collected')$$, 'they have failed');
select millrace.replay(:job) \g /dev/null
select set_eq('select said from status',
              $$values ('A pending'), ('B pending'), ('R sending'), ('S expired'), ('C collected')$$,
              'until the dead letter is replayed');
select say('D') \g /dev/null
select job, fence as fence_replayed from claimed(:three) \gset
select results_eq(format('select subject from notify.digest_of(%s, %s)', :fence_replayed, :job),
                  $$values ('A'), ('B')$$, 'with the same emails, again');
select is(notify.record_delivery(:fence_replayed, :job, 'sent', message_id => '<1>'), 2, 'and then it is sent');
select millrace.complete(:fence_replayed, :job);
select set_eq('select said from status',
              $$values ('A sent'), ('B sent'), ('R sending'), ('S expired'), ('C collected'), ('D collected')$$,
              'each once');
select is((select count(*) from millrace.jobs j where j.kind = 'notify.digest' and j.state = 'scheduled'), 1::bigint,
          'the rest has its job');
rollback to before;
select millrace.cancel(j.id) from millrace.jobs j where j.kind = 'notify.digest' and j.state = 'scheduled' \g /dev/null
select throws_ok(format($$select notify.record_delivery(%s, %s, 'sent')$$, :fence, :job), 'MR001', null,
                 'whoever has lost it records nothing');
select notify.record_delivery(:fence_again, :job, 'sent', message_id => '<1>', reply => '250 ok') \g /dev/null
select is((select count(*) from millrace.jobs j where j.kind = 'notify.digest' and j.state = 'scheduled'), 1::bigint,
          'a digest that is settled sees to it that what is left has a job');
select millrace.complete(:fence_again, :job);
select set_eq('select m.subject, m.status, m.message_id, m.job from notify.emails m where m.message_id is not null',
              format($$values ('A', 'sent', '<1>', %1$s::bigint), ('B', 'sent', '<1>', %1$s)$$, :job),
              'a digest is the delivery of all its emails');

-- Switched off meanwhile.
savepoint before;
select notify.configure('ada', '{"enabled": false}') \g /dev/null
select millrace_test.advance_clock('24 hours') \g /dev/null
select millrace.promote() \g /dev/null
select millrace.open_session('t', '{email}') as four \gset
select job, fence from claimed(:four) \gset
select is_empty(format('select * from notify.digest_of(%s, %s)', :fence, :job), 'who has switched mails off gets none');
select is((select m.status || m.reason from notify.emails m where m.subject = 'C'), 'skippeddisabled',
          'and it is said why');
select is(notify.record_delivery(:fence, :job, 'skipped', 'empty'), 0, 'the job ends');
select millrace.complete(:fence, :job);
rollback to before;

-- Who has caused something is erased while it waits.
savepoint before;
select notify.emit('cl.comment.created', 'cid', '{ada}', 'H', 'T') \g /dev/null
select notify.configure('ada', '{"delivery_mode": "realtime"}') \g /dev/null
select millrace.open_session('t', '{email}') as four \gset
select job, fence from claimed(:four) \gset
select notify.erase_user('cid') \g /dev/null
select results_eq(format('select subject from notify.digest_of(%s, %s)', :fence, :job), $$values ('C')$$,
                  'what was erased is left out');
select is(notify.record_delivery(:fence, :job, 'sent', message_id => '<3>'), 1, 'and is not sent with the rest');
select set_eq(format($$select m.status, m.reason, m.message_id from notify.emails m where m.job = %s$$, :job),
              $$values ('sent', null, '<3>'), ('skipped', 'erased', null)$$, 'but recorded as what it is');
rollback to before;

-- A zone that the server knew when it was chosen.
savepoint before;
update notify.user_settings s set time_zone = 'Mars/Olympus' where s.username = 'ada';
select millrace.cancel(j.id) from millrace.jobs j where j.kind = 'notify.digest' and j.state = 'scheduled' \g /dev/null
select lives_ok($$select say('M')$$, 'keeps nobody from saying something');
select is((select m.status from notify.emails m where m.subject = 'M'), 'collected', 'to its user');
select lives_ok($$select notify.configure('ada', '{"digest_hour": 16}')$$, 'nor the user from choosing another hour');
select is((select j.run_at from millrace.jobs j where j.kind = 'notify.digest' and j.state = 'scheduled'),
          date_trunc('hour', millrace.now()) + interval '1 hour', 'which is one of UTC');
rollback to before;

-- A digest that has ended before it took anything on is made good by upkeep.
savepoint before;
select notify.upkeep() \g /dev/null
select is((select count(*) from millrace.jobs j where j.kind = 'notify.digest' and j.state = 'scheduled'), 1::bigint,
          'upkeep makes no digest for whoever has one');
select millrace.cancel(j.id) from millrace.jobs j where j.kind = 'notify.digest' and j.state = 'scheduled' \g /dev/null
savepoint no_queue;
update notify.house set digest_queue = 'nowhere';
set local client_min_messages = error;
select lives_ok('select notify.upkeep()', 'without a queue it goes on without');
rollback to no_queue;
select notify.upkeep() \g /dev/null
select is((select count(*) from millrace.jobs j where j.kind = 'notify.digest' and j.state = 'scheduled'), 1::bigint,
          'one that was cancelled is made good');
select millrace_test.advance_clock('24 hours') \g /dev/null
select millrace.promote() \g /dev/null
select millrace.open_session('t', '{email}') as four \gset
select job, fence from claimed(:four) \gset
select notify.upkeep() \g /dev/null
select is((select count(*) from millrace.jobs j where j.kind = 'notify.digest' and j.state = 'scheduled'), 0::bigint,
          'not while it runs');
select millrace.discard(:fence, :job, 'crashed');
select notify.upkeep() \g /dev/null
select is((select count(*) from millrace.jobs j where j.kind = 'notify.digest' and j.state = 'scheduled'), 1::bigint,
          'so is a dead letter that has taken nothing on');
rollback to before;

-- Back to realtime: what is collected goes at once.
savepoint before;
select notify.configure('ada', '{"delivery_mode": "realtime"}') \g /dev/null
select millrace.open_session('t', '{email}') as four \gset
select job, fence from claimed(:four) \gset
select results_eq(format('select subject from notify.digest_of(%s, %s)', :fence, :job), $$values ('C')$$,
                  'whoever goes back to realtime gets a last digest at once');
select say('E') \g /dev/null
select is((select m.status from notify.emails m where m.subject = 'E'), 'pending', 'and what comes then by itself');
rollback to before;

-- What expires, or is switched off, while a digest is tried again, is left out of it.
savepoint before;
select say('G', 'soon') \g /dev/null
select notify.configure('ada', '{"delivery_mode": "realtime"}') \g /dev/null
select millrace.open_session('t', '{email}') as four \gset
select job, fence from claimed(:four) \gset
select results_eq(format('select subject from notify.digest_of(%s, %s)', :fence, :job), $$values ('C'), ('G')$$,
                  'a digest has taken two on');
select millrace_test.advance_clock('2 hours') \g /dev/null
select cmp_ok(millrace.reap(), '>=', 1, 'its worker is lost');
select millrace.open_session('s', '{email}') as five \gset
select job, fence from claimed(:five) \gset
select results_eq(format('select subject from notify.digest_of(%s, %s)', :fence, :job), $$values ('C')$$,
                  'the next one leaves out what has expired meanwhile');
select is((select m.status from notify.emails m where m.subject = 'G'), 'expired', 'and records it');
select notify.record_delivery(:fence, :job, 'failed', '550 no') \g /dev/null
select millrace.discard(:fence, :job, '550 no');
select notify.configure('ada', '{"preferences": {"cl.comment.created": false}}') \g /dev/null
select millrace.replay(:job) \g /dev/null
select job, fence from claimed(:five) \gset
select is_empty(format('select * from notify.digest_of(%s, %s)', :fence, :job),
                'a replay leaves out what has been switched off');
select set_eq($$select m.subject, m.status, m.reason from notify.emails m where m.subject in ('C', 'G')$$,
              $$values ('C', 'skipped', 'preference'), ('G', 'expired', null)$$, 'each has its one end');
rollback to before;

-- More than a mail can hold.
savepoint before;
select notify.emit('cl.comment.created', 'bob', '{ada}', 'Large ' || n, repeat('x', 500000), repeat('y', 400000),
                   jsonb_build_object('z', repeat('z', 99991)))
  from generate_series(1, 6) n \g /dev/null
select notify.configure('ada', '{"delivery_mode": "realtime"}') \g /dev/null
select millrace.open_session('t', '{email}') as four \gset
select job, fence from claimed(:four) \gset
select results_eq(format('select subject, length(body_text), length(body_html), data is null
                            from notify.digest_of(%s, %s) offset 3', :fence, :job),
                  $$values ('Large 3', 500000, 400000, false), ('Large 4', null, null, true),
                           ('Large 5', null, null, true), ('Large 6', null, null, true)$$,
                  'a digest has all subjects, and words up to 4 MB');
rollback to before;

-- A digest that was cancelled: what is collected goes with the next one.
select millrace.cancel(j.id) from millrace.jobs j where j.kind = 'notify.digest' and j.state = 'scheduled' \g /dev/null
select is((select m.status from notify.emails m where m.subject = 'C'), 'collected', 'a cancelled digest loses nothing');
select say('F') \g /dev/null
select millrace_test.advance_clock('24 hours') \g /dev/null
select millrace.promote() \g /dev/null
select millrace.open_session('t', '{email}') as four \gset
select job, fence from claimed(:four) \gset
select results_eq(format('select subject from notify.digest_of(%s, %s)', :fence, :job), $$values ('C'), ('F')$$,
                  'the next one has it');
select notify.record_delivery(:fence, :job, 'sent', message_id => '<2>') \g /dev/null
select millrace.complete(:fence, :job);
select is((select count(*) from millrace.jobs j
            where j.kind = 'notify.digest' and j.state not in ('completed', 'cancelled')), 0::bigint,
          'and nothing waits');
select is((select count(*) from notify.pending p join notify.digest_member m on m.email_id = p.email_id) +
          (select count(*) from notify.collected), 0::bigint, 'no email, either');

select * from finish();
rollback;
