-- groups.sql, import.sql: groups of forks and their schedules; the whole registry as one document.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(73);

set local role millrace_operator;
select millrace.create_queue(q) from unnest('{forks,email,slow}'::text[]) q \g /dev/null

-- configure_group
select row_eq($$ select name, queue, email_queue, recipients, subject_prefix, cron, time_zone, template_path, template,
                        enabled_forks from forks.groups $$,
              row('default'::text, 'forks'::text, 'email'::text, '{}'::text[], null::text, null::text, 'UTC'::text,
                  null::text, null::text, 0::bigint), 'there is a group to begin with');
select is((forks.configure_group('weekly') -> 'queue'), '{"from": null, "to": "forks"}', 'another one is made');
select is(forks.configure_group('weekly'), '{}', 'once');
select is(forks.configure_group('weekly', '{"recipients": ["ada@example.org"], "subject_prefix": "Acme"}'),
          '{"recipients": {"from": [], "to": ["ada@example.org"]}, "subject_prefix": {"from": null, "to": "Acme"}}',
          'what is given changes');
select is(forks.configure_group('weekly', '{"cron": "0 13 * * *", "time_zone": "Europe/Berlin"}') -> 'cron',
          '{"from": null, "to": "0 13 * * *"}', 'a time is given');
select row_eq($$ select name, cron, time_zone, queue, kind, payload from millrace.schedules $$,
              row('forks.weekly'::text, '0 13 * * *'::text, 'Europe/Berlin'::text, 'forks'::text, 'forks.run'::text,
                  '{"group": "weekly"}'::jsonb), 'and that is a schedule');
select row_eq($$ select recipients, subject_prefix from forks.groups where name = 'weekly' $$,
              row('{ada@example.org}'::text[], 'Acme'::text), 'what is not given stays');
select is(forks.configure_group('weekly', '{"cron": null}') -> 'cron', '{"from": "0 13 * * *", "to": null}',
          'or taken away');
select is_empty('select * from millrace.schedules', 'with its schedule');
select throws_ok(format('select forks.configure_group(%L, %L)', name, changes), 'MR005', message,
                 coalesce(name, 'null') || ' ' || coalesce(changes, 'null'))
  from (values ('Weekly', '{}', 'configure_group: bad name'), (null, '{}', 'configure_group: bad name'),
               ('a', null, 'configure_group: bad changes'), ('a', '7', 'configure_group: bad changes'),
               ('a', '{"name": "b"}', 'configure_group: bad changes: no key ''name'''),
               ('a', '{"recipients": null}', 'configure_group: bad recipients'),
               ('a', '{"recipients": ["ada"]}', 'configure_group: bad recipients'),
               ('a', '{"recipients": ["ada..b@example.org"]}', 'configure_group: bad recipients'),
               ('a', '{"recipients": ["a@b", "a@b"]}', 'configure_group: bad recipients'),
               ('a', '{"recipients": ["a@b\nBcc: c@d"]}', 'configure_group: bad recipients'),
               ('a', '{"recipients": [null]}', 'configure_group: bad recipients'),
               ('a', '{"subject_prefix": ""}', 'configure_group: bad subject_prefix'),
               ('a', '{"subject_prefix": "a\nb"}', 'configure_group: bad subject_prefix'),
               ('a', '{"cron": "x"}', 'schedule: bad cron: 1 fields in ''x'''),
               ('a', '{"time_zone": "Mars"}', 'configure_group: bad time_zone ''Mars'''),
               ('a', '{"time_zone": null}', 'configure_group: bad time_zone'),
               ('a', '{"template_path": "a"}', 'configure_group: bad template_path'),
               ('a', '{"template": "a"}', 'configure_group: bad template_path'),
               ('a', '{"template": "a", "template_path": "../a"}', 'configure_group: bad template_path'),
               ('a', '{"template": "a", "template_path": "/a"}', 'configure_group: bad template_path'),
               ('a', '{"retention_days": null}', 'configure_group: bad retention_days'),
               ('a', '{"retention_days": 0}', 'configure_group: bad retention_days'),
               ('a', '{"retention_days": 3651}', 'configure_group: bad retention_days'),
               ('a', '{"managed": null}', 'configure_group: bad managed'),
               ('a', '{"managed": [""]}', 'configure_group: bad managed')) bad(name, changes, message);
select throws_like($$select forks.configure_group('a', '{"recipients": "ada@example.org"}')$$,
                   'configure_group: bad changes: %', 'a list is a list');
select throws_ok($$select forks.configure_group('a', '{"queue": "nowhere"}')$$, 'MR003', null, 'a known queue');
select throws_ok($$select forks.configure_group('a', '{"recipients": ["a@b"], "email_queue": "nowhere"}')$$, 'MR003',
                 null, 'a known queue for mail');
select lives_ok($$select forks.configure_group('a', '{"email_queue": "nowhere"}')$$, 'when there is somebody to write to');

-- import_forks
create temp table document as select '{
    "groups": [{"name": "default", "recipients": ["ops@example.org"], "cron": "0 13 * * *"}, {"name": "daily"}],
    "forks": [{"repo": "acme/a", "branches": ["16.0", "17.0"], "origin_url": "/srv/a", "upstream_url": "/srv/u"},
              {"repo": "acme/b", "branches": ["main"], "provider": "github", "digest_group": "daily",
               "enabled": false}]}'::jsonb as d;
select results_eq('select what, name, outcome from forks.import_forks((select d from document))',
                  $$ values ('group', 'default', 'changed'), ('group', 'daily', 'created'), ('fork', 'acme/a', 'created'),
                            ('fork', 'acme/b', 'created') $$, 'a dry run says what would happen');
select is_empty('select * from forks.registry', 'and does nothing');
select is_empty('select * from millrace.schedules', 'no schedule either');
select results_eq('select what, name, outcome from forks.import_forks((select d from document), false)',
                  $$ values ('group', 'default', 'changed'), ('group', 'daily', 'created'), ('fork', 'acme/a', 'created'),
                            ('fork', 'acme/b', 'created') $$, 'the same is done when told to');
select results_eq('select repo, branches, provider, digest_group, enabled from forks.registry order by 1',
                  $$ values ('acme/a', '{16.0,17.0}'::text[], 'git', 'default', true),
                            ('acme/b', '{main}', 'github', 'daily', false) $$, 'all of it');
select is((select cron from millrace.schedules where name = 'forks.default'), '0 13 * * *', 'with its schedule');
select is_empty('select * from forks.import_forks((select d from document), false)', 'a second time nothing is to do');
select forks.disable_fork('acme/a');
select is_empty('select * from forks.import_forks((select d from document), false)', 'what an operator disabled stays so');
select is_empty('select * from forks.import_forks(forks.export_forks(), false)', 'an export says the same');
select is(forks.export_forks() #- '{groups,0}' #> '{groups,0}', '{"name": "daily"}', 'and leaves out what is as in a new one');
select results_eq($$ select what, name, outcome, changed from forks.import_forks(
                       '{"forks": [{"repo": "acme/a", "branches": ["17.0"], "origin_url": "/srv/a",
                                    "upstream_url": "/srv/u", "enabled": true}]}', false) $$,
                  $$ values ('fork', 'acme/a', 'changed',
                             '{"branches": {"from": ["16.0", "17.0"], "to": ["17.0"]},
                               "enabled": {"from": false, "to": true}}'::jsonb) $$, 'a change names what differs');
select is((select count(*) from forks.registry), 2::bigint, 'what is not named is left alone');

select throws_ok(format('select forks.import_forks(%L, false)', document), 'MR005', message, document)
  from (values (null, 'import_forks: bad document'), ('[]', 'import_forks: bad document'),
               ('{"fork": []}', 'import_forks: bad document: no key ''fork'''),
               ('{"forks": {}}', 'import_forks: bad document'), ('{"groups": 7}', 'import_forks: bad document'),
               ('{"forks": [7]}', 'import_forks: bad forks[0]'),
               ('{"forks": [{"branches": ["a"]}]}', 'import_forks: bad forks[0].repo'),
               ('{"forks": [{"repo": "a/b", "provider": "github"}]}', 'import_forks: bad forks[0].branches'),
               ('{"forks": [{"repo": "a/b", "branches": "main"}]}', 'import_forks: bad forks[0].branches'),
               ('{"forks": [{"repo": "a/b", "branch": "main"}]}', 'import_forks: bad forks[0].branch'),
               ('{"forks": [{"repo": "a/b", "upstream-org": "u"}]}', 'import_forks: bad forks[0].upstream-org'),
               ($${"forks": [{"repo": "a/b", "It's 1": "u"}]}$$, 'import_forks: bad forks[0].It''s 1'),
               ('{"forks": [{"repo": "a/b", "branches": ["a"], "provider": "github", "queue": "x"}]}',
                'import_forks: bad forks[0].queue'),
               ('{"forks": [{"repo": "a/b", "branches": ["a"], "provider": "github", "digest_group": "x"}]}',
                'import_forks: bad forks[0].digest_group'),
               ('{"forks": [{"repo": "a/b", "branches": ["a"], "provider": "github"},
                            {"repo": "a/b", "branches": ["b"], "provider": "github"}]}',
                'import_forks: bad forks[1].repo'),
               ('{"groups": [{"name": "a"}, {"name": "a"}]}', 'import_forks: bad groups[1].name'),
               ('{"groups": [{"name": "a", "cron": "x"}]}', 'import_forks: bad groups[0].cron'),
               ('{"groups": [{"name": "a", "recipients": ["a@b"], "email_queue": "x"}]}',
                'import_forks: bad groups[0].email_queue'),
               ('{"groups": [{"name": "a", "queue": "x"}]}', 'import_forks: bad groups[0].queue'),
               ('{"groups": [{"name": "a", "retention_days": "x"}]}', 'import_forks: bad groups[0].retention_days'),
               ('{"groups": [{"name": "a", "retention_days": 0}]}', 'import_forks: bad groups[0].retention_days')
       ) bad(document, message);
select is((select count(*) from forks.registry where repo = 'a/b'), 0::bigint, 'and nothing of it is done');
reset role;
insert into millrace.schedule (name, cron, time_zone, misfire, jitter, queue_id, kind, payload, priority, created_at,
                               changed_at)
select 's' || g, '@daily', 'UTC', 'once', '0', q.id, 'k', '{}', 5, millrace.now(), millrace.now()
  from generate_series(1, 10000) g, millrace.queue q
 where q.name = 'forks';
set local role millrace_operator;
select throws_ok($$ select forks.import_forks('{"groups": [{"name": "a"}, {"name": "b", "cron": "@daily"}]}') $$, 'MR005',
                 'import_forks: bad groups[1].cron', 'one schedule too many is an error of its group');
reset role;

select * from finish();
rollback;
