-- runs.sql, digest.sql: a run's jobs, its digest whatever became of them, cancelled and resumed.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(74);

\set a 1111111111111111111111111111111111111111
\set b 2222222222222222222222222222222222222222
create temp table worker (session int);
grant all on worker to public;

-- What a worker does with the jobs that it is handed, by the name of their branch. Returns what it was handed.
create function pg_temp.work(at_once int default 10) returns text language plpgsql as $$
declare
    given record;
    seen text[] := '{}';
begin
    for given in select c.* from worker w, millrace.claim(w.session, 'forks', at_once) c order by c.job_id
    loop
        seen := seen || concat_ws(' ', given.kind, given.payload ->> 'fork', given.payload ->> 'branch');
        if given.kind = 'forks.digest' then
            perform forks.record_digest(given.job_id, (given.payload ->> 'run')::bigint, 'subject', 'text', 'html', 1);
            perform millrace.complete(given.fence, given.job_id);
        elsif given.payload ->> 'branch' = 'dead' then
            perform millrace.discard(given.fence, given.job_id, 'no route');
        elsif given.payload ->> 'branch' = 'bad' then
            perform forks.record_sync(given.job_id, given.payload ->> 'fork', 'bad', 'conflict', null, null, 'both',
                                      (given.payload ->> 'run')::bigint);
            perform millrace.complete(given.fence, given.job_id);
        else
            perform forks.record_sync(given.job_id, given.payload ->> 'fork', given.payload ->> 'branch', 'updated',
                                      repeat('1', 40), repeat('2', 40), null, (given.payload ->> 'run')::bigint,
                                      1, 0, '{somebody''s work}');
            perform millrace.complete(given.fence, given.job_id);
        end if;
    end loop;
    return array_to_string(seen, ', ');
end
$$;

set local role millrace_operator;
select millrace.create_queue(q) from unnest('{forks,email}'::text[]) q \g /dev/null
select throws_ok($$select forks.start_run('weekly')$$, 'MR022', 'unknown digest group ''weekly''', 'a known group');
select throws_ok($$select forks.start_run('default')$$, 'MR007', 'digest group ''default'' has no fork to synchronise',
                 'one with forks');
select forks.add_fork('acme/a', '/srv/a', '/srv/u', '{main,bad}') as a, forks.add_fork('acme/b', '/srv/b', '/srv/u') as b,
       forks.add_fork('acme/c', '/srv/c', '/srv/u', '{dead}') as c, forks.add_fork('acme/d', '/srv/d', '/srv/u') as d
\gset
select forks.disable_fork('acme/d');
select forks.configure_group('other') \g /dev/null
select forks.configure_group('default', '{"recipients": ["ada@example.org", "bob@example.org"], "managed": []}')
\g /dev/null
select forks.start_run('default') as run \gset
select results_eq($$ select kind, payload, concurrency_key from millrace.jobs order by id $$,
                  format($$ select 'forks.sync', jsonb_build_object('fork', f, 'branch', b, 'run', %s), f
                              from (values (1, 'acme/a', 'main'), (2, 'acme/a', 'bad'), (3, 'acme/b', 'main'),
                                           (4, 'acme/c', 'dead')) v(n, f, b) order by n $$, :run),
                  'a job for each branch of each fork that is enabled, one at a time of a fork');
select throws_ok($$select forks.start_run('default')$$, 'MR023',
                 format('run %s of digest group ''default'' is active', :run), 'a group has one run at a time');
select throws_ok($$select forks.start_run('other')$$, 'MR007', null, 'which is no matter to another group');
select row_eq($$ select digest_group, state, branches, updated, pending, digest_job from forks.runs $$,
              row('default'::text, 'running'::text, 4::bigint, 0::bigint, 4::bigint, null::bigint), 'people see it');
reset role;
set local role millrace_worker;
select row_eq($$ select * from forks.begin_run('default') $$, row(:run::bigint, false, false),
              'a schedule starts no second one');
select row_eq($$ select * from forks.begin_run('other') $$, row(null::bigint, false, false), 'nor one without a fork');
reset role;
update forks.run set started_at = started_at - interval '1 day 1 microsecond';
set local role millrace_worker;
select row_eq($$ select * from forks.begin_run('default') $$, row(:run::bigint, false, true),
              'of one that takes more than a day it says so');
reset role;
update forks.run set started_at = started_at + interval '1 day 1 microsecond';
set local role millrace_worker;
select throws_ok($$select forks.begin_run(null)$$, 'MR022', null, 'nor one of no group');
insert into worker select millrace.open_session('w', '{forks}');
select is(pg_temp.work(), 'forks.sync acme/a main, forks.sync acme/b main, forks.sync acme/c dead',
          'a worker is handed one job of each fork');
select is(pg_temp.work(), 'forks.sync acme/a bad', 'and then the next');
reset role;
set local role millrace_viewer;
select row_eq($$ select state, branches, updated, current, skipped, failed, diverged, pending from forks.runs $$,
              row('running'::text, 4::bigint, 2::bigint, 0::bigint, 0::bigint, 2::bigint, 2::bigint, 0::bigint),
              'all have ended, a dead letter and a conflict among them');
select results_eq(format('select fork, branch, state, detail, divergence from forks.run_items(%s) order by 1, 2', :run),
                  $$ values ('acme/a', 'bad', 'conflict', 'both', null), ('acme/a', 'main', 'updated', null, 'diverged'),
                            ('acme/b', 'main', 'updated', null, 'diverged'),
                            ('acme/c', 'dead', 'failed', 'no route', null) $$, 'each branch has its state');
select is(forks.digest_content(:run) - '{branches,distributions,migrations,searches,rebases,given_up}'::text[],
          jsonb_build_object('run', :run, 'group', 'default', 'is_cancelled', false, 'org', 'acme', 'date',
                             to_char(millrace.now(), 'YYYY-MM-DD'), 'recipients',
                             '["ada@example.org", "bob@example.org"]'::jsonb), 'the digest has what it needs');
select is(forks.digest_content(:run) #> '{branches,0}',
          '{"fork": "acme/a", "branch": "bad", "state": "conflict", "detail": "both", "ahead": null, "behind": null,
            "divergence": null, "unmanaged": null, "subjects": null, "failing_days": 0}', 'of each branch, too');
select throws_ok($$select forks.digest_content(4711)$$, 'MR024', 'unknown run 4711', 'of a run that there is');
reset role;
set local role millrace_worker;
select is(pg_temp.work(), 'forks.digest', 'the digest comes whatever became of the jobs');
reset role;
select row_eq($$ select run, digest_group, subject, text, html, failures, recipients, cardinality(emails) from forks.digests $$,
              row(:run::bigint, 'default'::text, 'subject'::text, 'text'::text, 'html'::text, 1,
                  '{ada@example.org,bob@example.org}'::text[], 2), 'it is recorded');
select results_eq($$ select queue, kind, payload from millrace.jobs where kind = 'email.send' order by id $$,
                  $$ select 'email', 'email.send', jsonb_build_object('to', r, 'subject', 'subject', 'text', 'text',
                                                                      'html', 'html')
                       from unnest('{ada@example.org,bob@example.org}'::text[]) r $$, 'a mail to each recipient');
select is((select state from forks.runs), 'finished', 'the run has finished');
select row_eq($$ select r.state, r.detail, r.at, r.run from forks.results r where r.branch = 'dead' $$,
              row('failed'::text, 'no route'::text, millrace.now(), :run::bigint),
              'a dead letter that has recorded nothing has failed all the same');

-- The digest's job alone makes the digest, and once.
select digest_job from forks.runs \gset
set local role millrace_worker;
select throws_ok(format($$select forks.record_digest(%s, %s, 's', 't', 'h', 0)$$, :digest_job, :run), 'MR007',
                 format('job %s does not make the digest of run %s', :digest_job, :run), 'there is one digest');
select throws_ok('select forks.record_digest(' || arguments || ')', sqlstate, message, arguments)
  from (values ('1, 4711, ''s'', ''t'', ''h'', 0', 'MR024', 'unknown run 4711'),
               ('1, null, ''s'', ''t'', ''h'', 0', 'MR024', 'unknown run null'),
               ('1, 1, '''', ''t'', ''h'', 0', 'MR005', 'record_digest: bad subject'),
               ('1, 1, E''s\n'', ''t'', ''h'', 0', 'MR005', 'record_digest: bad subject'),
               ('1, 1, null, ''t'', ''h'', 0', 'MR005', 'record_digest: bad subject'),
               ('1, 1, ''s'', '''', ''h'', 0', 'MR005', 'record_digest: bad text'),
               ('1, 1, ''s'', ''t'', repeat(''h'', 400001), 0', 'MR005', 'record_digest: bad html'),
               ('1, 1, ''s'', ''t'', ''h'', -1', 'MR005', 'record_digest: bad failures')) bad(arguments, sqlstate, message);
reset role;

-- resume_run
select job_id as replayed from forks.run_item where run_id = :run and branch = 'bad' \gset
insert into forks.push_intent (job_id, intended_at) values (:replayed, millrace.now());
set local role millrace_operator;
select throws_ok($$select forks.resume_run(4711)$$, 'MR024', 'unknown run 4711', 'a known run is resumed');
select is(forks.resume_run(:run), 2, 'with what has not succeeded');
reset role;
select is((select i.branch from forks.push_intent p join forks.run_item i on i.job_id = p.job_id), 'bad',
          'of which one has perhaps been pushed: the new job knows');
set local role millrace_operator;
select throws_ok(format('select forks.resume_run(%s)', :run), 'MR007', format('run %s has not finished', :run),
                 'while it is active it is not resumed again');
select throws_ok($$select forks.start_run('default')$$, 'MR023', null, 'and no other is started');
select row_eq($$ select state, resumed, updated, failed, pending from forks.runs $$,
              row('running'::text, 1, 2::bigint, 0::bigint, 2::bigint), 'the rest stays as it is');
reset role;
select throws_ok(format($$select forks.record_digest(%s, %s, 's', 't', 'h', 0)$$, :digest_job, :run), 'MR007', null,
                 'the digest from before is none of the new ones');
set local role millrace_operator;
select forks.disable_fork('acme/c');
reset role;
set local role millrace_worker;
select is(pg_temp.work(), 'forks.sync acme/a bad, forks.sync acme/c dead', 'only these are done again');
select forks.record_sync(:replayed, 'acme/a', 'bad', 'failed', detail => 'too late', run => :run);
reset role;
select is((select i.detail from forks.run_items(:run) i where i.branch = 'bad'), 'both',
          'what a job from before says, which somebody has replayed, is not the run''s');
set local role millrace_worker;
select is(pg_temp.work(), 'forks.digest', 'and there is another digest');
reset role;
select is((select count(*) from forks.digests where run = :run), 2::bigint, 'both are kept');

-- What is no longer wanted is not done again.
set local role millrace_operator;
select forks.change_fork('acme/a', '{"branches": ["main"]}') \g /dev/null
select throws_ok(format('select forks.resume_run(%s)', :run), 'MR007', format('run %s has nothing left to do', :run),
                 'what is disabled or not listed any more is left out');
select is((select state from forks.runs), 'finished', 'such a run stays finished');
select forks.change_fork('acme/a', '{"branches": ["main", "bad"]}') \g /dev/null
select forks.enable_fork('acme/c');

-- For how long a branch has been failing.
reset role;
select millrace_test.advance_clock('3 days 2 hours') \g /dev/null
update worker set session = millrace.open_session('w', '{forks}');
set local role millrace_operator;
select forks.start_run('default') as next \gset
reset role;
set local role millrace_worker;
select pg_temp.work() \g /dev/null
select pg_temp.work() \g /dev/null
reset role;
select is(jsonb_path_query_array(forks.digest_content(:next), '$.branches[*] ? (@.fork == "acme/a").failing_days'),
          '[3, null]', 'a branch that failed before has been failing since then');
select is(jsonb_path_query_array(forks.digest_content(:next), '$.branches[*] ? (@.fork == "acme/c").failing_days'), '[3]',
          'one that only its dead letters tell of, too');
select is((select array_agg(r.run = :run) from forks.results r where r.branch = 'dead'), '{t}',
          'to ask that writes nothing down');
insert into forks.sync_result (job_id, fork_id, branch, state, at)
values (900, :a, 'bad', 'current', millrace.now() - interval '25 hours'),
       (901, :a, 'bad', 'failed', millrace.now() - interval '24 hours 1 second');
select is(forks.failing_days('acme/a', 'bad', :next), 1, 'since its last success');
select is(forks.failing_days('acme/a', 'main', :next), null::int, 'one that has not failed is not');

-- cancel_run
set local role millrace_worker;
select pg_temp.work() \g /dev/null
reset role;
set local role millrace_operator;
select throws_ok(format('select forks.cancel_run(%s)', :next), 'MR007', format('run %s has finished', :next),
                 'what has finished is not cancelled');
select throws_ok('select forks.cancel_run(4711)', 'MR024', null, 'nor what there is not');
select throws_ok('select forks.cancel_run(1, repeat(''x'', 1001))', 'MR005', 'cancel_run: bad reason', 'with a short reason');
select forks.start_run('default') as third \gset
reset role;
set local role millrace_worker;
select pg_temp.work(1) as handed \gset
select is(:'handed'::text, 'forks.sync acme/a main', 'one job of a run has been done');
select job_id, fence from worker w, millrace.claim(w.session, 'forks', 1) \gset
reset role;
set local role millrace_operator;
select is(forks.cancel_run(:third, 'not today'), 'cancelling', 'a run of which a job runs is being cancelled');
select is((select state from forks.runs where id = :third), 'cancelling', 'and says so');
select throws_ok($$select forks.start_run('default')$$, 'MR023', null, 'it holds its place');
select is(forks.cancel_run(:third), 'cancelling', 'again is the same');
select row_eq(format('select updated, failed, pending from forks.runs where id = %s', :third),
              row(1::bigint, 2::bigint, 1::bigint), 'what waited is cancelled, what was done stays');
reset role;
set local role millrace_worker;
select millrace.settle_many(array[:job_id], array[:fence], '{cancelled}') \g /dev/null
select is(pg_temp.work(), 'forks.digest', 'the last job of it ends it');
reset role;
select is((select state from forks.runs where id = :third), 'cancelled', 'then it is cancelled');
select is_empty(format('select * from forks.digests where run = %s', :third), 'without a digest');
set local role millrace_operator;
select is(forks.resume_run(:third), 3, 'and can be resumed');
select is(forks.cancel_run(:third), 'cancelling', 'a run whose jobs all wait is over with the callback of its batch');
reset role;

-- A digest that nobody will make any more does not keep its run open.
set local role millrace_worker;
select job_id, fence from worker w, millrace.claim(w.session, 'forks', 1) \gset
select millrace.discard(:fence, :job_id, 'no queue for mail');
reset role;
select is((select kind || ' ' || state from millrace.jobs where id = :job_id), 'forks.digest discarded', 'it is a dead letter');
set local role millrace_operator;
select is(forks.cancel_run(:third), 'cancelled', 'its run ends when it is cancelled');
select forks.configure_group('default', '{"recipients": []}') \g /dev/null
select forks.start_run('default') as fourth \gset
reset role;
set local role millrace_worker;
select pg_temp.work() || pg_temp.work() || pg_temp.work() as handed \gset
reset role;
select row_eq(format('select recipients, emails from forks.digests where run = %s', :fourth),
              row('{}'::text[], '{}'::bigint[]), 'with nobody to write to, a digest is recorded');

-- One that nobody leads on does not keep the others out for ever.
set local role millrace_operator;
select forks.start_run('default') as stuck \gset
reset role;
set local role millrace_worker;
select pg_temp.work() || pg_temp.work() as handed \gset
select row_eq($$ select * from forks.begin_run('default') $$, row(:stuck::bigint, false, false),
              'a run whose digest is to come is no such run');
select job_id, fence from worker w, millrace.claim(w.session, 'forks', 1) \gset
select millrace.discard(:fence, :job_id, 'no queue for mail');
select run as successor from forks.begin_run('default') \gset
reset role;
select row_eq(format('select state from forks.runs where id = %s', :stuck), row('given up'::text),
              'it is given up when the next one begins');
select isnt(:successor::bigint, :stuck::bigint, 'which is another');
select is(forks.digest_content(:successor) -> 'given_up',
          jsonb_build_array(jsonb_build_object('run', :stuck, 'job', :job_id)), 'whose digest says so');
select forks.cancel_run(:successor) \g /dev/null
set local role millrace_worker;
select pg_temp.work() \g /dev/null
reset role;
select is(forks.resume_run(:stuck), 2, 'what was given up can be resumed');
select row_eq(format('select state from forks.runs where id = %s', :stuck), row('running'::text), 'and runs again');

-- A fork that is disabled while a run begins is left out.
select forks.cancel_run(:stuck) \g /dev/null
set local role millrace_worker;
select pg_temp.work() \g /dev/null
reset role;
create function pg_temp.disable() returns trigger language plpgsql as $$
begin
    update forks.fork f set enabled = false where f.repo = 'acme/c';
    return null;
end
$$;
create trigger meanwhile after insert on forks.run_item for each statement execute function pg_temp.disable();
insert into forks.push_intent (job_id, intended_at) values (4711000, millrace.now()), (:job_id, millrace.now());
select forks.start_run('default') as last \gset
select is((select array_agg(i.job_id) from forks.push_intent i), array[:job_id::bigint],
          'what was to be pushed is forgotten with its job, and kept for a dead letter');
select is((select string_agg(fork || ' ' || state, ', ' order by fork, branch) from forks.run_items(:last)),
          'acme/a pending, acme/a pending, acme/b pending', 'a fork that is disabled as the run begins is none of it');

select * from finish();
rollback;
