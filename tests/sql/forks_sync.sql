-- sync.sql: jobs are asked for, pushes announced, results recorded once.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(64);

set local role millrace_operator;
select millrace.create_queue('forks') as queue \gset
select forks.add_fork('acme/widget', '/srv/widget.git', '/srv/up.git', '{main,17.0,16.0}') as fork \gset

-- sync_now
select forks.sync_now('acme/widget') as jobs \gset
select results_eq(format('select id, queue, kind, payload from millrace.jobs where id = any (%L) order by id', :'jobs'),
                  format($$ select b.id, 'forks', 'forks.sync',
                                   jsonb_build_object('fork', 'acme/widget', 'branch', b.name)
                              from unnest(%L::bigint[], '{main,17.0,16.0}'::text[]) b(id, name)
                             order by 1 $$, :'jobs'), 'one job for each branch, in their order');
select is(cardinality(forks.sync_now('acme/widget', '17.0')), 1, 'or for one branch');
select is((select payload->>'branch' from millrace.jobs order by id desc limit 1), '17.0', 'that one');
savepoint before;
select forks.sync_now('acme/widget') \g /dev/null
rollback to before;
select is((select count(*) from millrace.jobs), 4::bigint, 'the jobs are the caller''s transaction''s');
select throws_ok($$select forks.sync_now('acme/gadget')$$, 'MR020', 'unknown fork ''acme/gadget''',
                 'of a fork that there is');
select throws_ok($$select forks.sync_now(null)$$, 'MR020', null, 'and that is named');
select throws_ok($$select forks.sync_now('acme/widget', 'master')$$, 'MR005', 'sync_now: bad branch',
                 'of a branch that it lists');
select forks.disable_fork('acme/widget');
select throws_ok($$select forks.sync_now('acme/widget')$$, 'MR007', 'fork ''acme/widget'' is disabled',
                 'while it is enabled');
select forks.enable_fork('acme/widget');
reset role;

-- A worker with the first job.
set local role millrace_worker;
select millrace.open_session('w', '{forks}') as session \gset
select job_id, fence from millrace.claim(:session, 'forks', 1) \gset
select row_eq(format($$select * from forks.sync_target('acme/widget', 'main', %s)$$, :job_id),
              row('git'::text, '/srv/widget.git'::text, '/srv/up.git'::text, true, true, null::text, null::text,
                  false, null::text, false),
              'a worker learns where to work');
select is((select is_listed from forks.sync_target('acme/widget', 'other', 1)), false, 'and whether it may');
select is_empty($$select * from forks.sync_target('acme/gadget', 'main', 1)$$, 'nothing of a fork that is not there');

\set a 1111111111111111111111111111111111111111
\set b 2222222222222222222222222222222222222222
\set c 3333333333333333333333333333333333333333
select lives_ok(format('select forks.intend_push(%s, %s, %L, %L)', :fence, :job_id, :'a', :'b'), 'a push is announced');
select is((select intended_before || intended_after from forks.sync_target('acme/widget', 'main', :job_id)),
          :'a' || :'b', 'whoever repeats the job learns of it');
select lives_ok(format('select forks.intend_push(%s, %s, %L, %L)', :fence, :job_id, :'b', :'c'),
                'another one replaces it');
select is((select intended_before || intended_after from forks.sync_target('acme/widget', 'main', :job_id)),
          :'b' || :'c', 'the last one counts');
savepoint announced;
select forks.intend_push(:fence, :job_id, null, null);
select row_eq(format($$select intended_before, was_announced from forks.sync_target('acme/widget', 'main', %s)$$, :job_id),
              row(null::text, true), 'what a forge does by itself is announced without commits');
select throws_ok(format('select forks.withdraw_push(%s, %s)', :fence::bigint + 1, :job_id), 'MR001', null,
                 'nobody withdraws it without the lease');
select forks.withdraw_push(:fence, :job_id);
select is((select was_announced from forks.sync_target('acme/widget', 'main', :job_id)), false,
          'what by no means happened is withdrawn');
rollback to announced;
select throws_ok(format('select forks.intend_push(%s, %s, %L, %L)', :fence::bigint + 1, :job_id, :'a', :'b'), 'MR001',
                 null, 'no push without the lease');
select throws_ok(format('select forks.intend_push(%s, %s, %s)', :fence, :job_id, shas), 'MR005',
                 'intend_push: bad ' || named, shas)
  from (values ($$null, repeat('a', 40)$$, 'before_sha'), ($$repeat('a', 40), null$$, 'after_sha'),
               ($$repeat('A', 40), repeat('a', 40)$$, 'before_sha'), ($$repeat('a', 40), repeat('a', 41)$$, 'after_sha')
       ) bad(shas, named);

select forks.record_sync(:job_id, 'acme/widget', 'main', 'updated', :'b', :'c', 'fast-forward');
reset role;
select is_empty('select * from forks.push_intent', 'the result takes the place of the announcement');
set local role millrace_viewer;
select row_eq('select fork, branch, state, before_sha, after_sha, detail, at, run, job from forks.results',
              row('acme/widget'::text, 'main'::text, 'updated'::text, :'b'::text, :'c'::text, 'fast-forward'::text,
                  millrace.now(), null::bigint, :job_id::bigint), 'people see it');
reset role;

-- One result for a job, and one for a branch in a run.
insert into forks.run (digest_group, started_at) values ('default', millrace.now()) returning id as run \gset
insert into forks.run_item (run_id, fork_id, branch, job_id)
select :run, f.id, i.branch, i.job from forks.fork f, (values ('main', 70), ('17.0', 71)) i(branch, job)
 where f.repo = 'acme/widget';
set local role millrace_worker;
select forks.record_sync(:job_id, 'acme/widget', 'main', 'current', :'c', :'c', run => :run);
select forks.record_sync(70, 'acme/widget', 'main', 'conflict', :'a', :'a', 'both changed a', :run);
select forks.record_sync(71, 'acme/widget', '17.0', 'skipped', run => :run);
select forks.record_sync(72, 'acme/widget', '17.0', 'failed', detail => 'no route');
reset role;
select results_eq('select job, branch, state, run from forks.results order by job',
                  format($$ values (%2$s::bigint, 'main', 'current', null::bigint), (70, 'main', 'conflict', %1$s),
                                   (71, '17.0', 'skipped', %1$s), (72, '17.0', 'failed', null) $$, :run, :job_id),
                  'what its own job says of a branch counts in a run');
select throws_ok($$insert into forks.run (digest_group, started_at) values ('default', millrace.now())$$, '23505', null,
                 'a group has one active run');
update forks.run set finished_at = millrace.now();
select lives_ok($$insert into forks.run (digest_group, started_at) values ('default', millrace.now())$$,
                'and another one after it');

-- How a branch differs from its upstream. The patterns of a new group fit what the distributor and millrace write.
set local role millrace_operator;
select forks.configure_group('fresh') \g /dev/null
select forks.add_fork('acme/fresh', '/srv/fresh.git', '/srv/up.git', digest_group => 'fresh') as fresh \gset
reset role;
select is((select g.managed from forks.digest_group g where g.name = 'default'), (forks.blank_group('x')).managed,
          'the group that there is from the beginning has those of a new one');
set local role millrace_worker;
select forks.record_sync(75, 'acme/fresh', 'main', 'current', :'a', :'a', ahead => 9, behind => 0, subjects => array[
    'created .github/workflows/port.yml from fresh distributor', 'updated port.yml from fresh distributor',
    'Merge branch ''upstream:17.0'' into 17.0', 'Merge branch ''up:main'' into main',
    'created a page', 'updated port.yml from fresh', 'Merge branch ''17.0'' into feature',
    'Revert "updated port.yml from fresh distributor"', 'Merge pull request #7 from ada/up:main']);
reset role;
select results_eq('select ahead, unmanaged, subjects from forks.results where job = 75', $$ values (9, 5, array[
    'created a page', 'updated port.yml from fresh', 'Merge branch ''17.0'' into feature',
    'Revert "updated port.yml from fresh distributor"', 'Merge pull request #7 from ada/up:main']) $$,
    'nothing but that');
set local role millrace_operator;
select forks.configure_group('default', '{"managed": ["Merge branch ''%:%'' into %", "created % distributor"]}')
\g /dev/null
set local role millrace_worker;
select forks.record_sync(80, 'acme/widget', 'main', 'current', :'a', :'a', ahead => 0, behind => 0, subjects => '{}');
select forks.record_sync(81, 'acme/widget', 'main', 'current', :'a', :'a', ahead => 2, behind => 1,
                         subjects => array['created x from y distributor', E'Merge branch ''up\\:a'' into main']);
select forks.record_sync(82, 'acme/widget', 'main', 'current', :'a', :'a', ahead => 9, behind => 0,
                         subjects => '{g,f,created a distributor,e,d,c,b,"re-created a distributor"}');
reset role;
select results_eq('select ahead, behind, divergence, unmanaged, subjects from forks.results where job >= 80 order by job',
                  $$ values (0, 0, 'clean', 0, '{}'::text[]), (2, 1, 'managed overlay', 0, '{}'),
                            (9, 0, 'diverged', 8, '{g,f,e,d,c}') $$,
                  'the patterns of its group tell managed commits from work; five are shown');

set local role millrace_worker;
select throws_ok('select forks.record_sync(' || arguments || ')', sqlstate, message, arguments)
  from (values ($$1, 'acme/gadget', 'main', 'current'$$, 'MR020', 'unknown fork ''acme/gadget'''),
               ($$null, 'acme/widget', 'main', 'current'$$, 'MR005', 'record_sync: bad job_id'),
               ($$1, 'acme/widget', '-main', 'current'$$, 'MR005', 'record_sync: bad branch'),
               ($$1, 'acme/widget', 'main', 'great'$$, 'MR005', 'record_sync: bad state'),
               ($$1, 'acme/widget', 'main', null$$, 'MR005', 'record_sync: bad state'),
               ($$1, 'acme/widget', 'main', 'updated', repeat('a', 40)$$, 'MR005', 'record_sync: bad state'),
               ($$1, 'acme/widget', 'main', 'current', 'main'$$, 'MR005', 'record_sync: bad before_sha'),
               ($$1, 'acme/widget', 'main', 'current', null, '1234'$$, 'MR005', 'record_sync: bad after_sha'),
               ($$1, 'acme/widget', 'main', 'failed', detail => repeat('x', 4001)$$, 'MR005',
                'record_sync: bad detail'),
               ($$1, 'acme/widget', 'main', 'failed', run => 4711$$, 'MR005', 'record_sync: bad run'),
               ($$1, 'acme/widget', 'main', 'failed', ahead => 0, behind => 0, subjects => '{}'$$, 'MR005',
                'record_sync: bad ahead'),
               ($$1, 'acme/widget', 'main', 'current', ahead => -1, behind => 0, subjects => '{}'$$, 'MR005',
                'record_sync: bad ahead'),
               ($$1, 'acme/widget', 'main', 'current', ahead => 0, behind => -1, subjects => '{}'$$, 'MR005',
                'record_sync: bad behind'),
               ($$1, 'acme/widget', 'main', 'current', ahead => 0, behind => 0$$, 'MR005',
                'record_sync: bad subjects'),
               ($$1, 'acme/widget', 'main', 'current', ahead => 0, behind => 0, subjects => '{a}'$$, 'MR005',
                'record_sync: bad subjects')
       ) bad(arguments, sqlstate, message);
reset role;

-- GitHub says that it has updated a branch, and not from where.
set local role millrace_operator;
select forks.add_fork('acme/hub', provider => 'github') as hub \gset
select forks.change_fork('acme/hub', '{"upstream_org": "up", "upstream_repo": "hub"}') \g /dev/null
set local role millrace_worker;
select lives_ok($$select forks.record_sync(90, 'acme/hub', 'main', 'updated')$$, 'commits that nobody knows');
select is((select upstream from forks.sync_target('acme/hub', 'main', 1)), 'up/hub', 'its upstream has a name');

-- tokens.sql
reset role;
create temp table held (job_id bigint, fence bigint);
grant all on held to public;
select millrace.enqueue('forks', 'noop') from generate_series(1, 3) \g /dev/null
set local role millrace_operator;
select forks.limit_token('github', 2);
reset role;
set local role millrace_worker;
insert into held select c.job_id, c.fence from millrace.claim(:session, 'forks', 3) c;
select results_eq($$select forks.take_place(fence, job_id, 'github') from held order by job_id$$,
                  'values (true), (true), (false)', 'a token has so many places, and no more');
select is((select forks.take_place(fence, job_id, 'github') from held order by job_id limit 1), true,
          'who has one keeps it');
select is((select forks.take_place(fence, job_id, 'other') from held order by job_id desc limit 1), true,
          'another token has its own');
select throws_ok($$select forks.take_place(fence + 1, job_id, 'github') from held limit 1$$, 'MR001', null,
                 'none without the lease');
select millrace.complete(fence, job_id) from held order by job_id limit 1;
select is((select forks.take_place(fence, job_id, 'github') from held order by job_id desc limit 1), true,
          'a place is free when the attempt has ended');
select is(forks.token_wait('github'), 0, 'whoever has places does not rest');
select is(forks.token_wait('github'), 0, 'a token that nobody paused is not');
select forks.pause_token('github', 90);
select forks.pause_token('github', 30);
select is(forks.token_wait('github') || ' ' || forks.token_wait('other'), '90 0',
          'a pause is not shortened, and its own');
reset role;
select results_eq('select token, until - millrace.now() from forks.token_pauses',
                  $$values ('github', interval '90 seconds')$$, 'operators see it');
select millrace_test.advance_clock('91 seconds') \g /dev/null
set local role millrace_worker;
select is(forks.token_wait('github'), 0, 'and ends');
select is(forks.token_wait(null), 0, 'no token, no pause');
select throws_ok($$select forks.pause_token('', 1)$$, 'MR005', 'pause_token: bad token', 'of a token with a name');
select throws_ok($$select forks.pause_token('a', 86401)$$, 'MR005', 'pause_token: bad seconds', 'for a day at most');
reset role;

-- Who may do what.
select set_eq($$ select r.rolname || ' ' || f.proname from pg_roles r, pg_proc f
                  where r.rolname ~ '^millrace_(enqueuer|worker|operator|viewer)$'
                    and f.pronamespace = 'forks'::regnamespace and has_function_privilege(r.oid, f.oid, 'execute') $$,
              $$ select 'millrace_' || role || ' ' || f
                   from (values ('operator', '{add_fork,change_fork,enable_fork,disable_fork,sync_now,configure_group,
                                               import_forks,export_forks,start_run,cancel_run,resume_run,limit_token,plan_run,run_items,
                                               run_steps,digest_content}'::text[]),
                                ('viewer', '{export_forks,plan_run,run_items,run_steps,digest_content}'),
                                ('worker', '{sync_target,intend_push,record_sync,begin_run,digest_content,
                                             record_digest,pause_token,token_wait,take_place,next_stage,step_target,
                                             intend_step,record_step,withdraw_push}')) m(role, functions), unnest(functions) f $$,
              'each role calls what it needs');
select set_eq($$ select r.rolname || ' ' || c.relname from pg_roles r, pg_class c
                  where r.rolname ~ '^millrace_(enqueuer|worker|operator|viewer)$'
                    and c.relnamespace = 'forks'::regnamespace and c.relkind in ('r', 'v')
                    and has_table_privilege(r.oid, c.oid, 'select,insert,update,delete') $$,
              $$ select 'millrace_' || role || ' ' || v from unnest('{operator,viewer}'::text[]) role,
                        unnest('{registry,results,groups,runs,digests,token_pauses}'::text[]) v $$,
              'people read the views, nobody a table');
select is_empty($$ select f.proname from pg_proc f where f.pronamespace = 'forks'::regnamespace
                      and (f.proowner <> 'millrace_owner'::regrole
                           or not coalesce('search_path=pg_catalog, pg_temp' = any (f.proconfig), false)
                           or has_function_privilege('public', f.oid, 'execute')) $$,
                'all functions are the owner''s, with a search_path of their own and nothing for PUBLIC');

select * from finish();
rollback;
