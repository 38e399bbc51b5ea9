-- preferences.sql, types.sql: who wants to hear of what, and what a user may change.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(73);

set local role millrace_enqueuer;

-- Types.
select is(notify.define_type('account.reset', 'account', 'Your password', 1, system_required => true,
                             expires_after => '1 hour'), true, 'a type is defined');
select is(notify.define_type('account.reset', 'account', 'Your password', 1, system_required => true,
                             expires_after => '1 hour'), false, 'again, nothing changes');
select is(notify.define_type('account.reset', 'account', 'A new password', 1, system_required => true,
                             expires_after => '1 hour'), true, 'what is different is changed');
select is(notify.define_type('news', 'account', 'News', default_enabled => false), true, 'one that is off by default');
select results_eq('select code, category, description, system_required, default_enabled, priority, expires_after
                     from notify.types()',
                  $$ values ('account.reset', 'account', 'A new password', true, true, 1, interval '1 hour'),
                            ('cl.comment.created', 'change-lists',
                             'Somebody has commented on a change list of yours, or that you review', false, true, 5,
                             null),
                            ('news', 'account', 'News', false, false, 5, null),
                            ('notify.digest', 'digest', 'What has been collected for your digest', false, true, 5,
                             null),
                            ('queue.dead_letter', 'queues',
                             'Jobs of a queue that you own have become dead letters', false, true, 4, null) $$,
                  'types are listed with what is shipped');
select throws_ok('select notify.define_type(' || arguments || ')', code, message, arguments)
  from (values ($$null, 'a', 'd'$$, 'MR005', 'define_type: bad code'),
               ($$'A', 'a', 'd'$$, 'MR005', 'define_type: bad code'),
               ($$'a', 'a b', 'd'$$, 'MR005', 'define_type: bad category'),
               ($$'a', 'a', ''$$, 'MR005', 'define_type: bad description'),
               ($$'a', 'a', 'd', 10$$, 'MR005', 'define_type: bad priority'),
               ($$'a', 'a', 'd', queue => null$$, 'MR003', null),
               ($$'a', 'a', 'd', queue => 'Q'$$, 'MR003', null),
               ($$'a', 'a', 'd', system_required => null$$, 'MR005', 'define_type: bad system_required'),
               ($$'a', 'a', 'd', default_enabled => null$$, 'MR005', 'define_type: bad default_enabled'),
               ($$'a', 'a', 'd', expires_after => '0'$$, 'MR005', 'define_type: bad expires_after')
       ) bad(arguments, code, message);

-- Whoever has no settings is enabled.
select is(notify.config('ada'), '{"email": null, "enabled": true, "delivery_mode": "realtime", "digest_hour": 8,
          "time_zone": "UTC", "locale": "en", "preferences": {}}'::jsonb, 'somebody without settings has the defaults');
select is(notify.should_send('ada', 'cl.comment.created'), true, 'and hears of what is on by default');
select is(notify.should_send('ada', 'news'), false, 'not of what is off');
select is(notify.should_send('ada', 'nothing'), false, 'nor of what is not known');
select is(notify.should_send('ada', 'account.reset'), true, 'but of what the system requires');

-- should_send, step by step.
select is(notify.configure('ada', '{"preferences": {"news": true, "cl.comment.created": false}}') -> 'preferences',
          '{"news": true, "cl.comment.created": false}'::jsonb, 'preferences are kept');
select is(notify.should_send('ada', 'news'), true, 'a preference comes before the default');
select is(notify.should_send('ada', 'cl.comment.created'), false, 'in both directions');
select is(notify.configure('ada', '{"preferences": {"news": null}}') -> 'preferences',
          '{"cl.comment.created": false}'::jsonb, 'null forgets a preference');
select is(notify.configure('ada', '{"enabled": false}') ->> 'enabled', 'false', 'mails are switched off');
select is(notify.should_send('ada', code), false, 'then nothing is sent, ' || code) from notify.types();
select is(notify.configure('ada', '{"enabled": true}') -> 'preferences', '{"cl.comment.created": false}'::jsonb,
          'what is not named stays');

select notify.configure('eve', '{"enabled": false, "preferences": {"news": true}}') \g /dev/null
select is(notify.should_send('eve', 'news'), false, 'whatever is preferred');

-- What can be sent to is an address, whatever stands in it.
select is(notify.configure('fay', jsonb_build_object('email', fine)) ->> 'email', fine, fine)
  from unnest('{a.b@example.org,o''hara+1@bücher.example,=?a?@example.org,x@localhost}'::text[]) fine;

-- configure is whole or nothing.
select is(notify.configure('ada', '{"email": "ada@example.org", "delivery_mode": "digest", "digest_hour": 7,
          "time_zone": "Europe/Berlin", "locale": "de-AT"}'),
          '{"email": "ada@example.org", "enabled": true, "delivery_mode": "digest", "digest_hour": 7,
            "time_zone": "Europe/Berlin", "locale": "de-AT", "preferences": {"cl.comment.created": false}}'::jsonb,
          'all at once');
select is(notify.configure('ada', notify.config('ada')), notify.config('ada'), 'what config says may be given back');
select throws_ok(format('select notify.configure(%L, %L)', 'ada', changes), code, message, changes)
  from (values (null, 'MR005', 'configure: bad changes'), ('[]', 'MR005', 'configure: bad changes'),
               ('{"color": 1}', 'MR005', 'configure: bad changes: no field ''color'''),
               ('{"username": "bob"}', 'MR005', 'configure: bad changes: no field ''username'''),
               ('{"email": "ada"}', 'MR005', 'configure: bad email'),
               ('{"email": "a@b c"}', 'MR005', 'configure: bad email'),
               ('{"email": 1}', 'MR005', 'configure: bad email'),
               ('{"email": ".a@example.org"}', 'MR005', 'configure: bad email'),
               ('{"email": "a.@example.org"}', 'MR005', 'configure: bad email'),
               ('{"email": "a..b@example.org"}', 'MR005', 'configure: bad email'),
               ('{"email": "jörg@example.org"}', 'MR005', 'configure: bad email'),
               ('{"email": "a(b@example.org"}', 'MR005', 'configure: bad email'),
               ('{"email": "=?utf-8?q?a?=@example.org"}', 'MR005', 'configure: bad email'),
               ('{"enabled": null}', 'MR005', 'configure: bad enabled'),
               ('{"enabled": "no"}', 'MR005', 'configure: bad enabled'),
               ('{"delivery_mode": "weekly"}', 'MR005', 'configure: bad delivery_mode'),
               ('{"digest_hour": 24}', 'MR005', 'configure: bad digest_hour'),
               ('{"digest_hour": 7.5}', 'MR005', 'configure: bad digest_hour'),
               ('{"time_zone": "CEST"}', 'MR005', 'configure: bad time_zone ''CEST'''),
               ('{"locale": "german"}', 'MR005', 'configure: bad locale'),
               ('{"preferences": []}', 'MR005', 'configure: bad preferences'),
               ('{"preferences": {"news": 1}}', 'MR005', 'configure: bad preferences'),
               ('{"locale": "fr", "preferences": {"news": true, "nothing": true}}', 'MR030',
                'unknown event type ''nothing'''),
               ('{"locale": "fr", "preferences": {"account.reset": false}}', 'MR005',
                'configure: bad preferences: ''account.reset'' cannot be switched off')
       ) bad(changes, code, message);
select throws_ok($$select notify.configure(null, '{}')$$, 'MR005', 'configure: bad username', 'nobody');
select throws_ok($$select notify.config('')$$, 'MR005', 'config: bad username', 'nobody, either');
select is(notify.config('ada') ->> 'locale', 'de-AT', 'what was refused has changed nothing');

-- What was switched off before it became required.
select notify.configure('gil', '{"preferences": {"news": false, "cl.comment.created": false}}') \g /dev/null
savepoint required;
select notify.define_type('news', 'account', 'News', system_required => true) \g /dev/null
select is(notify.config('gil') -> 'preferences', '{"cl.comment.created": false}'::jsonb,
          'what has become required is not said to be off');
select is(notify.configure('gil', notify.config('gil')), notify.config('gil'), 'so that what config says may be given back');
rollback to required;

-- unsubscribe
select lives_ok($$select notify.unsubscribe('bob', 'news')$$, 'one preference is switched off');
select lives_ok($$select notify.unsubscribe('bob', 'news')$$, 'and may be again');
select is(notify.config('bob') -> 'preferences', '{"news": false}'::jsonb, 'that one, and nothing else');
select throws_ok($$select notify.unsubscribe('bob', 'account.reset')$$, 'MR005',
                 'configure: bad preferences: ''account.reset'' cannot be switched off', 'what the system requires stays');
select throws_ok($$select notify.unsubscribe('bob', 'nothing')$$, 'MR030', null, 'a type that is known');
select throws_ok($$select notify.unsubscribe('bob', null)$$, 'MR030', null, 'and named');
reset role;

select * from finish();
rollback;
