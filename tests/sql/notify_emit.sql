-- emit.sql, suppression.sql: who is told, with which jobs, and who is not, and why.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(56);

select millrace.create_queue('email') \g /dev/null
create view told as
select m.username, m.status, m.reason from notify.emails m;

set local role millrace_enqueuer;
select notify.configure(name, jsonb_build_object('email', name || '@example.org'))
  from unnest('{ada,bob,cid,dan}'::text[]) name \g /dev/null

-- The change list: author and reviewers hear of it, the actor does not.
select event, is_new, pending, collected, skipped
  from notify.cl_comment_created('https://cl.example.org/7?a=1&b=2', 'ada', '{bob,cid,bob}', 'bob',
                                 E'a < b && c\n<script>alert("x")</script>') \gset
select is(array[:pending, :collected, :skipped], '{2,0,0}', 'author and reviewers are told, not the actor');
reset role;
select set_eq('select * from told', $$values ('ada', 'pending', null), ('cid', 'pending', null)$$, 'each of them once');
select set_eq('select j.queue, j.kind, j.priority, j.payload from millrace.jobs j',
              $$select 'email' q, 'notify.send' k, 5::smallint p, jsonb_build_object('email', m.id) e from notify.emails m$$,
              'a job knows the id of its email, and nothing else');
select set_eq('select m.job from notify.emails m', 'select j.id from millrace.jobs j', 'an email knows its job');
select is((select count(distinct j.payload) from millrace.jobs j join notify.emails m
             on m.job = j.id and j.payload = jsonb_build_object('email', m.id)), 2::bigint, 'the right one');
select unalike(v.body_html, '%<script%', 'what a person typed is escaped in html') from notify.event v;
select alike(v.body_html, '%a &lt; b &amp;&amp; c' || chr(10) || '&lt;script&gt;alert(&quot;x&quot;)%', 'all of it')
  from notify.event v;
select alike(v.body_html, '%<a href="https://cl.example.org/7?a=1&amp;b=2">%', 'the link, too') from notify.event v;
select alike(v.body_text, '%a < b && c%', 'and stays as it is in the text') from notify.event v;
select is(notify.html_escape($$<a href='x'>&"$$), '&lt;a href=&#39;x&#39;&gt;&amp;&quot;', 'html_escape');

-- In the caller's transaction.
savepoint before;
set local role millrace_enqueuer;
select pending from notify.emit('cl.comment.created', null, '{ada}', 'S', 'T') \gset
rollback to before;
select is((select count(*) from notify.emails), 2::bigint, 'what is rolled back was not said');
select is((select count(*) from millrace.jobs), 2::bigint, 'and has no job');

-- Who is not told, and why.
savepoint before;
select notify.configure('bob', '{"enabled": false}') \g /dev/null
select notify.unsubscribe('cid', 'cl.comment.created');
select notify.suppress('DAN@example.org', 'complained') \g /dev/null
select notify.define_type('news', 'news', 'News', default_enabled => false) \g /dev/null
set local role millrace_enqueuer;
select event as this, pending, collected, skipped
  from notify.emit('cl.comment.created', 'eve', '{ada,bob,cid,dan,eve,fay,gil@example.org}', 'S', 'T') \gset
select is(array[:pending, :collected, :skipped], '{2,0,4}', 'counts say what has become of each');
select event as news from notify.emit('news', null, '{ada}', 'S', 'T') \gset
reset role;
select set_eq(format('select m.username, m.status, m.reason, m.address from notify.emails m where m.event = %s', :this),
              $$values ('ada', 'pending', null, 'ada@example.org'), ('bob', 'skipped', 'disabled', 'bob@example.org'),
                       ('cid', 'skipped', 'preference', 'cid@example.org'),
                       ('dan', 'skipped', 'suppressed', 'dan@example.org'), ('fay', 'skipped', 'no address', null),
                       ('gil@example.org', 'pending', null, 'gil@example.org')$$,
              'what is not sent is recorded with its reason; a username may be an address');
select is((select m.reason from notify.emails m where m.event = :news), 'default', 'a type that is off by default');
rollback to before;

-- A dedup_key.
set local role millrace_enqueuer;
select event as first, is_new, pending
  from notify.emit('cl.comment.created', null, '{ada}', 'S', 'T', dedup_key => 'k') \gset
select is(array[:'is_new', :'pending'], '{t,1}', 'an event with a dedup_key');
select event as again, is_new, pending, skipped
  from notify.emit('cl.comment.created', null, '{ada,bob}', 'S', 'T', dedup_key => 'k') \gset
select is(array[:'is_new', :'pending', :'skipped'], '{f,0,0}', 'is told once');
select is(:again::bigint, :first::bigint, 'the earlier one is named');
select is((select e.is_new from notify.emit('queue.dead_letter', null, '{ada}', 'S', 'T', dedup_key => 'k') e), true,
          'of another type it is another');
reset role;

-- Priority: a burst does not delay what is urgent.
select notify.define_type('account.reset', 'account', 'Your password', 1, system_required => true,
                          expires_after => '1 hour') \g /dev/null
select notify.emit('cl.comment.created', null, array(select 'u' || n || '@example.org' from generate_series(1, 1000) n),
                   'S', 'T') \g /dev/null
select event as reset from notify.emit('account.reset', null, '{ada}', 'Reset', 'T') \gset
select millrace.open_session('w', '{email}') as session \gset
select is((select c.payload from millrace.claim(:session, 'email', 1) c),
          (select jsonb_build_object('email', m.id) from notify.emails m where m.event = :reset),
          'what is urgent is claimed first, behind a thousand others');
select is((select j.expires_at from millrace.jobs j join notify.emails m on m.job = j.id where m.event = :reset),
          millrace.now() + interval '1 hour', 'and expires with its type');
select is((select count(*) from millrace.jobs j where j.concurrency_key is not null), 0::bigint,
          'without a cap no job has a key');

-- A cap per recipient.
select millrace.configure_queue('email', '{"key_rate": "2 per hour", "key_limit": 10}') \g /dev/null
select notify.emit('cl.comment.created', null, '{ada}', 'S' || n, 'T') from generate_series(1, 3) n \g /dev/null
select notify.emit('cl.comment.created', null, '{bob}', 'S', 'T') \g /dev/null
select notify.emit('account.reset', null, '{ada}', 'Reset', 'T') from generate_series(1, 3) \g /dev/null
select set_eq($$select m.subject, j.concurrency_key from notify.emails m join millrace.jobs j on j.id = m.job
                 where m.id > (select max(x.id) - 7 from notify.emails x)$$,
              $$values ('S1', 'to:ada'), ('S2', 'to:ada'), ('S3', 'to:ada'), ('S', 'to:bob'), ('Reset', null)$$,
              'with a cap each job has its recipient as key, but for what the system requires');
select count(*) from millrace.claim(:session, 'email', 10000) \g /dev/null
select millrace.claim(:session, 'email', 10000) \g /dev/null
select set_eq($$select m.subject || ' ' || m.status from notify.emails m
                 where m.id > (select max(x.id) - 7 from notify.emails x)$$,
              $$values ('S1 sending'), ('S2 pending'), ('S3 pending'), ('S sending'), ('Reset sending')$$,
              'more than the cap waits; the others do not');

-- A thousand recipients in one call.
select is((select e.pending from notify.emit('cl.comment.created', null,
               array(select 'v' || n || '@example.org' from generate_series(1, 10000) n), 'S', 'T') e), 10000,
          'up to 10,000 recipients in one call');

-- Refusals.
set local role millrace_enqueuer;
select throws_ok('select notify.emit(' || arguments || ')', code, message, arguments)
  from (values ($$'nothing', null, '{ada}', 'S', 'T'$$, 'MR030', 'unknown event type ''nothing'''),
               ($$null, null, '{ada}', 'S', 'T'$$, 'MR030', 'unknown event type NULL'),
               ($$'queue.dead_letter', '', '{ada}', 'S', 'T'$$, 'MR005', 'emit: bad actor'),
               ($$'queue.dead_letter', null, null, 'S', 'T'$$, 'MR005', 'emit: bad recipients'),
               ($$'queue.dead_letter', null, '{NULL}', 'S', 'T'$$, 'MR005', 'emit: bad recipients'),
               ($$'queue.dead_letter', null, array[E'a\nb'], 'S', 'T'$$, 'MR005', 'emit: bad recipients'),
               ($$'queue.dead_letter', null, array_fill('a'::text, '{10001}'), 'S', 'T'$$, 'MR010',
                'emit: 10001 recipients in one call'),
               ($$'queue.dead_letter', null, '{a}', E'S\nBcc: x', 'T'$$, 'MR005', 'emit: bad subject'),
               ($$'queue.dead_letter', null, '{a}', null, 'T'$$, 'MR005', 'emit: bad subject'),
               ($$'queue.dead_letter', null, '{a}', 'S', ''$$, 'MR005', 'emit: bad body_text'),
               ($$'queue.dead_letter', null, '{a}', 'S', repeat('x', 1048577)$$, 'MR005', 'emit: bad body_text'),
               ($$'queue.dead_letter', null, '{a}', 'S', 'T', data => '[]'$$, 'MR005', 'emit: bad data'),
               ($$'queue.dead_letter', null, '{a}', 'S', 'T', dedup_key => ''$$, 'MR005', 'emit: bad dedup_key')
       ) bad(arguments, code, message);
select throws_like($$select notify.emit('nothing', null, '{a}', 'S', 'T')$$, '%unknown event type%', 'by its name');
select throws_ok('select notify.cl_comment_created(' || arguments || ')', 'MR005', message, arguments)
  from (values ($$'javascript:alert(1)', 'a', '{}', 'b', 'c'$$, 'cl_comment_created: bad cl_link'),
               ($$null, 'a', '{}', 'b', 'c'$$, 'cl_comment_created: bad cl_link'),
               ($$'https://a/b', null, '{}', 'b', 'c'$$, 'cl_comment_created: bad author'),
               ($$'https://a/b', 'a', '{}', null, 'c'$$, 'cl_comment_created: bad actor'),
               ($$'https://a/b', 'a', null, 'b', 'c'$$, 'cl_comment_created: bad reviewers'),
               ($$'https://a/b', 'a', '{}', 'b', ''$$, 'cl_comment_created: bad comment')) bad(arguments, message);
reset role;

-- Suppression.
set local role millrace_operator;
select is(notify.suppress('Ann@Example.org', 'asked for it'), true, 'an address is suppressed');
select is(notify.suppress('ann@example.org', 'again'), false, 'once');
select is(notify.unsuppress('ANN@example.org'), true, 'and no longer');
select is(notify.unsuppress('ann@example.org'), false, 'once, too');
select is(notify.bounced('ann@example.org', '552 full', false), false, 'a bounce that may have been for once')
  from generate_series(1, 4);
select is(notify.bounced('ann@example.org', '552 full', false), true, 'and the fifth in a week');
select row_eq('select address, reason from notify.suppressions', row('ann@example.org'::text, '552 full'::text),
              'operators see whom');
select is(notify.bounced('bea@example.org', '550 no such user'), true, 'one for good suppresses at once');
reset role;

select * from finish();
rollback;
