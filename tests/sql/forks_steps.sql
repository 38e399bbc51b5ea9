-- stages.sql, steps.sql: what a run does beside the synchronisation, stage by stage; what came of it, recorded once.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(60);

\set a 1111111111111111111111111111111111111111
\set b 2222222222222222222222222222222222222222
create temp table worker (session int);
grant all on worker to public;

-- What a worker does with the jobs that it is handed: all goes well, but a step about `acme/bad`. What it was handed.
create function pg_temp.work(at_once int default 10) returns text language plpgsql as $$
declare
    given record;
    seen text[] := '{}';
begin
    for given in select c.* from worker w, millrace.claim(w.session, 'forks', at_once) c order by c.job_id
    loop
        seen := seen || concat_ws(' ', given.kind, given.payload ->> 'upstream', given.payload ->> 'fork');
        if given.kind = 'forks.digest' then
            perform forks.record_digest(given.job_id, (given.payload ->> 'run')::bigint, 'subject', 'text', 'html', 0);
        elsif given.kind = 'forks.stage' then
            perform forks.next_stage(given.job_id, (given.payload ->> 'run')::bigint);
        elsif given.kind = 'forks.sync' then
            perform forks.record_sync(given.job_id, given.payload ->> 'fork', given.payload ->> 'branch', 'current',
                                      run => (given.payload ->> 'run')::bigint);
        elsif given.payload ->> 'fork' = 'acme/bad' then
            perform millrace.discard(given.fence, given.job_id, 'no route');
            continue;
        elsif given.kind = 'forks.search' then
            perform forks.record_step(given.fence, given.job_id, 'done',
                                      items => '[{"item": "7", "state": "found", "detail": "[MIG] thing"}]');
        elsif given.kind = 'forks.distribute' then
            perform forks.record_step(given.fence, given.job_id, 'created', 'port.yml');
        else
            perform forks.record_step(given.fence, given.job_id, 'done', items =>
                '[{"item": "feature/x", "state": "rebased"}, {"item": "feature/y", "state": "conflict", "detail": "a"}]');
        end if;
        perform millrace.complete(given.fence, given.job_id);
    end loop;
    return array_to_string(seen, ', ');
end
$$;

-- The steps of a run, each with what came of it.
create function pg_temp.steps(run bigint) returns text language sql as $$
    select string_agg(concat_ws(' ', step, target, item, state, detail), '; ' order by step, target, item)
      from forks.run_steps(run)
$$;

set local role millrace_operator;
select millrace.create_queue('forks') \g /dev/null
select forks.add_fork('acme/' || n, provider => 'github', branches => '{main}') from unnest('{bad,good,off,plain}'::text[]) n
\g /dev/null
select forks.change_fork('acme/' || n, '{"upstream_org": "up", "upstream_repo": "hub", "upstream_track": "17.0",
                                         "install_forward_port": true}')
  from unnest('{bad,good,off}'::text[]) n \g /dev/null
select forks.change_fork('acme/good', '{"rebase_onto": "main", "rebase_globs": ["feature/*"], "upstream_org": "Up",
                                        "upstream_repo": "HUB"}') \g /dev/null
select forks.disable_fork('acme/off');
reset role;
set local role millrace_viewer;
select results_eq($$ select concat_ws(' ', step, target, branch) from forks.plan_run('default') $$,
                  $$ values ('sync acme/bad main'), ('sync acme/good main'), ('sync acme/plain main'),
                            ('search up/hub 17.0'), ('distribute acme/bad '), ('distribute acme/good '),
                            ('rebase acme/good main') $$, 'what a run would do can be asked before');
select throws_ok($$select * from forks.plan_run('none')$$, 'MR022', null, 'of a known group');
reset role;
select is(forks.key_of('Acme/Good'), forks.key_of('acme/good'), 'of a fork or upstream in other letters, it is the same');
select is_empty($$ select * from forks.runs $$, 'which starts none');
select forks.start_run('default') as run \gset
select is(pg_temp.steps(:run), 'distribute acme/bad pending; distribute acme/good pending; rebase acme/good pending;'
          ' search up/hub pending', 'a run is planned when it starts: each upstream once, and who has opted in');
select results_eq($$ select kind, payload, concurrency_key from millrace.jobs where kind <> 'forks.sync' $$,
                  format($$ values ('forks.search', '{"upstream": "up/hub", "branch": "17.0", "run": %s}'::jsonb,
                                    null::text) $$, :run), 'the searches go with the synchronisation');

-- The stages
set local role millrace_worker;
insert into worker select millrace.open_session('w', '{forks}');
select is(pg_temp.work(), 'forks.search up/hub, forks.sync acme/bad, forks.sync acme/good, forks.sync acme/plain',
          'the first stage');
select job_id as stage_job, fence as stage_fence from worker w, millrace.claim(w.session, 'forks', 1) \gset
select throws_ok(format('select forks.next_stage(%s, %s)', :stage_job - 1, :run), 'MR007',
                 format('job %s does not lead run %s on', :stage_job - 1, :run), 'the callback of its batch alone goes on');
select throws_ok(format('select forks.next_stage(%s, 4711)', :stage_job), 'MR024', 'unknown run 4711', 'of a known run');
select throws_ok(format('select forks.next_stage(%s, null)', :stage_job), 'MR024', null, 'of a run');
select is(forks.next_stage(:stage_job, :run), 'distribute', 'the second stage');
select throws_ok(format('select forks.next_stage(%s, %s)', :stage_job, :run), 'MR007', null, 'once');
select millrace.complete(:stage_fence, :stage_job);
select is(pg_temp.work(), 'forks.distribute acme/bad, forks.distribute acme/good', 'it is done');
select is(pg_temp.work(), 'forks.stage', 'whatever became of it');
reset role;
select is((select string_agg(concurrency_key, ', ' order by id) from millrace.jobs where kind = 'forks.rebase'),
          'acme/good', 'one at a time works on a fork');
select is(pg_temp.steps(:run), 'distribute acme/bad failed no route; distribute acme/good created port.yml;'
          ' rebase acme/good pending; search up/hub 7 found [MIG] thing', 'a dead letter is a failure');
set local role millrace_worker;
select is(pg_temp.work(), 'forks.rebase acme/good', 'the third stage');
select is(pg_temp.work(), 'forks.digest', 'the digest comes last');
reset role;
select is((select state from forks.runs), 'finished', 'and ends the run');
select is(forks.digest_content(:run) - '{run,group,is_cancelled,org,date,recipients,branches,given_up}'::text[],
          '{"distributions": [{"fork": "acme/bad", "state": "failed", "detail": "no route"},
                              {"fork": "acme/good", "state": "created", "detail": "port.yml"}],
            "migrations": [{"upstream": "up/hub", "branch": "17.0", "number": 7, "title": "[MIG] thing"}],
            "searches": [],
            "rebases": [{"fork": "acme/good", "branch": "feature/x", "onto": "main", "state": "rebased", "detail": null},
                        {"fork": "acme/good", "branch": "feature/y", "onto": "main", "state": "conflict", "detail": "a"}]}',
          'which tells of all of it');

-- resume_run
set local role millrace_operator;
select is(forks.resume_run(:run), 2, 'what has not succeeded is done again');
reset role;
select is(pg_temp.steps(:run), 'distribute acme/bad pending; distribute acme/good created port.yml;'
          ' rebase acme/good feature/x rebased; rebase acme/good pending; search up/hub 7 found [MIG] thing',
          'and what has, is kept');
set local role millrace_worker;
select is(pg_temp.work(), 'forks.stage', 'the first stage has nothing to do');
select is(pg_temp.work(), 'forks.distribute acme/bad', 'the second has');
select is(pg_temp.work(), 'forks.stage', 'the third');
select job_id, fence from worker w, millrace.claim(w.session, 'forks', 1) \gset

-- step_target
select row_eq(format('select step, target, branch, fork, provider, is_wanted, globs, listed, rebased, intended
                        from forks.step_target(%s)', :job_id),
              row('rebase'::text, 'acme/good'::text, 'main'::text, 'acme/good'::text, 'github'::text, true,
                  '["feature/*"]'::jsonb, '["main"]'::jsonb, '["feature/x"]'::jsonb, null::text),
              'a job is told what it is to do');
select is_empty('select * from forks.step_target(' || given || ')', 'not ' || given)
  from (values ('0'), ('4711'), ('null')) v(given);
reset role;
update forks.run set started_at = '2026-01-31 13:00:00+00' where id = :run;
select is((select period from forks.run_step s, forks.step_target(s.job_id) where s.run_id = :run and s.step = 'search'),
          '2026-01-30T13:00:00Z..2026-01-31T12:59:59Z', 'a search covers the day before the run, and nothing after it');
insert into forks.run (digest_group, started_at, finished_at)
select r.digest_group, r.started_at + n * interval '1 day', r.started_at + n * interval '1 day'
  from forks.run r, unnest('{2,3,5}'::int[]) n where r.id = :run;
create function pg_temp.from_where(run bigint) returns text language sql as $$
    select forks.second_of(forks.searched_from(r, 'up/hub', '17.0')) from forks.run r where r.id = run
$$;
select is(pg_temp.from_where(:run + n), of_run, 'where no run has told of it since: ' || n)
  from (values (1, '2026-01-31T13:00:00Z'), (2, '2026-01-31T13:00:00Z'), (3, '2026-01-31T13:00:00Z')) v(n, of_run);
update forks.run set started_at = started_at + interval '40 days' where id = :run + 3;
select is(pg_temp.from_where(:run + 3), '2026-03-16T13:00:00Z', 'a month ago is too long ago');
delete from forks.run where id > :run;
set local role millrace_operator;
select forks.change_fork('acme/good', '{"install_forward_port": false}') \g /dev/null
reset role;
select is((select string_agg(s.step || ' ' || t.is_wanted, ', ' order by s.step)
             from forks.run_step s, forks.step_target(s.job_id) t where s.target = 'acme/good'),
          'distribute false, rebase true', 'and whether it is still wanted');

-- record_step, intend_step: under the job's fence, and only what fits the step.
set local role millrace_worker;
select throws_ok(format('select forks.record_step(%s, %s, ', :fence, :job_id) || arguments || ')', 'MR005', message, arguments)
  from (values ('''done'', null, null', 'record_step: bad items'), ('''done'', null, ''{}''', 'record_step: bad items'),
               ('''done'', null, ''[7]''', 'record_step: bad items'),
               ('''done'', null, ''[{"item": "x", "state": "found"}]''', 'record_step: bad items'),
               ('''done'', null, ''[{"item": "x y", "state": "rebased"}]''', 'record_step: bad items'),
               ('''done'', null, ''[{"state": "rebased"}]''', 'record_step: bad items'),
               ('''created''', 'record_step: bad state'), ('''done'', repeat(''d'', 4001)', 'record_step: bad detail'))
       bad(arguments, message);
select throws_ok(format('select forks.%s(%s, %s, ''done'')', 'record_step', :fence - 1, :job_id), 'MR001', null,
                 'of a job that is one''s own');
select throws_ok(format('select forks.%s(%s, %s, ''created'')', 'intend_step', :fence - 1, :job_id), 'MR001', null,
                 'as what is announced');
select throws_ok(format('select forks.intend_step(%s, %s, ''done'')', :fence, :job_id), 'MR005', 'intend_step: bad intended',
                 'which is one of two things');
select forks.intend_step(:fence, :job_id, 'updated');
select is((select intended from forks.step_target(:job_id)), 'updated', 'whoever repeats the job knows of it');
select forks.record_step(:fence, :job_id, items => '[{"item": "feature/y", "state": "failed"},
                                                     {"item": "feature/y", "state": "up to date"}]');
reset role;
select row_eq($$ select state, detail from forks.step_item where item = 'feature/y' $$, row('up to date'::text, null::text),
              'the last word on an item counts');
select is(pg_temp.steps(:run), 'distribute acme/bad failed no route; distribute acme/good created port.yml;'
          ' rebase acme/good feature/x rebased; rebase acme/good feature/y up to date; rebase acme/good pending;'
          ' search up/hub 7 found [MIG] thing', 'what is found is kept at once, and the step goes on');
set local role millrace_worker;
select forks.intend_push(:fence, :job_id, :'a', :'b');
select forks.record_step(:fence, :job_id, 'done');
reset role;
select is_empty($$ select * from forks.push_intent $$, 'a push that is recorded is not intended any more');
set local role millrace_worker;
select millrace.complete(:fence, :job_id);
select is(pg_temp.work(), 'forks.digest', 'then the run ends again');
reset role;
select millrace.enqueue('forks', 'noop') \g /dev/null
set local role millrace_worker;
select job_id, fence from worker w, millrace.claim(w.session, 'forks', 1) \gset
select throws_ok(format('select forks.record_step(%s, %s, ''done'')', :fence, :job_id), 'MR007',
                 format('job %s is no step of a run', :job_id), 'other jobs have nothing to record');
select millrace.complete(:fence, :job_id);
reset role;

-- cancel_run
set local role millrace_operator;
select forks.start_run('default') as next \gset
reset role;
set local role millrace_worker;
select pg_temp.work() || pg_temp.work() as handed \gset
reset role;
select is(forks.cancel_run(:next), 'cancelling', 'a run is cancelled between its stages');
select is((select string_agg(state, ' ' order by id) from millrace.jobs where kind = 'forks.distribute' and id > :stage_job
              and payload ->> 'run' = :'next'), 'cancelled', 'what waits of it is cancelled');
select is((select string_agg(state, ' ') from forks.run_steps(:next) where step = 'rebase'), 'cancelled',
          'what has not even begun, too');
set local role millrace_worker;
select is(pg_temp.work(), 'forks.stage', 'its next stage comes');
reset role;
select is((select state from forks.runs where id = :next), 'cancelled', 'and ends it');
select is_empty(format('select * from forks.digests where run = %s', :next), 'without a digest');
select is(forks.resume_run(:next), 2, 'it can be resumed');

-- A group of whose forks none has opted in has one stage.
set local role millrace_operator;
select forks.configure_group('other') \g /dev/null
select forks.change_fork('acme/plain', '{"digest_group": "other"}') \g /dev/null
select forks.start_run('other') as other \gset
reset role;
select is((select b.kind from millrace.batch b join forks.run r on r.batch_id = b.id where r.id = :other), 'forks.digest',
          'without steps the digest comes at once');

select * from finish();
rollback;
