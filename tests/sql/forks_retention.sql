-- retention.sql: which runs and results go when more of the same comes, and what stays however old.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(33);

set local role millrace_operator;
select millrace.create_queue(q) from unnest('{forks,dead}'::text[]) q \g /dev/null
select forks.add_fork('acme/a', provider => 'github', branches => '{main,bad}') as a \gset
select forks.configure_group(g) from unnest('{many,open,short,chain,late}'::text[]) g \g /dev/null
select forks.add_fork('acme/' || g, provider => 'github', branches => '{main}', digest_group => g)
  from unnest('{many,open,short,chain,late}'::text[]) g \g /dev/null
reset role;
create temp table worker (session int);
create temp sequence job start 1000000000;  -- of jobs that are forgotten

-- A run of one fork that ended so many days ago, with these results by branch; its number.
create function pg_temp.past(fork text, days int, states jsonb default '{"main": "updated"}') returns bigint
language plpgsql as $$
declare
    ended constant timestamptz := millrace.now() - make_interval(days => days);
    chosen constant forks.fork := (select f from forks.fork f where f.repo = fork);
    made bigint;
begin
    insert into forks.run (digest_group, started_at, finished_at)
    values (chosen.digest_group, ended, ended) returning id into made;
    insert into forks.run_item (run_id, fork_id, branch, job_id)
    select made, chosen.id, s.key, nextval('pg_temp.job') from jsonb_each(states) s;
    insert into forks.sync_result (job_id, run_id, fork_id, branch, state, at)
    select i.job_id, made, i.fork_id, i.branch, states ->> i.branch, ended from forks.run_item i where i.run_id = made;
    insert into forks.run_step (run_id, step, target, branch, fork_id, job_id, state)
    values (made, 'rebase', fork, 'main', chosen.id, nextval('pg_temp.job'), 'done');
    insert into forks.step_item (run_id, step, target, branch, item, state, at)
    values (made, 'rebase', fork, 'main', 'feature/x', 'rebased', ended);
    insert into forks.digest (run_id, job_id, at, subject, text, html, failures, recipients, emails)
    values (made, nextval('pg_temp.job'), ended, 's', 't', 'h', 0, '{}', '{}');
    return made;
end
$$;

-- The results of a fork, by their age in days: `+` those of a run.
create function pg_temp.results(fork text) returns text language sql as $$
    select string_agg(format('%s %s %s%s', r.branch, r.state, extract(day from millrace.now() - r.at),
                             case when r.run_id is not null then '+' end), ', ' order by r.branch, r.at)
      from forks.sync_result r
      join forks.fork f on f.id = r.fork_id
     where f.repo = fork
$$;

-- A job that has become a dead letter.
create function pg_temp.dead() returns bigint language plpgsql as $$
declare
    job bigint := millrace.enqueue('dead', 'forks.sync');
begin
    perform millrace.discard(c.fence, c.job_id, 'no route') from worker w, millrace.claim(w.session, 'dead', 1) c;
    return job;
end
$$;

-- A run begins
select pg_temp.past('acme/a', 100, '{"main": "updated", "bad": "current", "old": "updated"}') as day100,
       pg_temp.past('acme/a', 95, '{"main": "updated", "bad": "failed"}') as day95,
       pg_temp.past('acme/a', 92, '{"main": "current", "bad": "conflict"}') as day92,
       pg_temp.past('acme/a', 89, '{"main": "updated", "bad": "failed"}') as day89 \gset
set local role millrace_operator;
select forks.start_run('default') as run \gset
reset role;
select is((select array_agg(r.id order by r.id) from forks.run r), array[:day89, :run]::bigint[],
          'when a run begins, the runs of its group that ended more than ninety days ago go');
select is((select array_agg(distinct d.run_id) from forks.digest d), array[:day89::bigint], 'with their digests');
select is((select array_agg(distinct s.run_id) from forks.run_step s), array[:day89::bigint], 'their steps');
select is((select array_agg(distinct s.run_id) from forks.step_item s), array[:day89::bigint], 'what these came across');
select is((select array_agg(distinct i.run_id order by i.run_id) from forks.run_item i), array[:day89, :run]::bigint[],
          'and their branches');
select is(pg_temp.results('acme/a'), 'bad failed 95, bad failed 89+, main updated 89+, old updated 100',
          'of their results a branch''s last stays, and the first since which it fails; they are of no run');
select is(forks.failing_days('acme/a', 'bad', :day89), 6, 'so that the days are counted as before');
select is((select string_agg(branch || coalesce(' ' || run, ''), ', ' order by branch, at) from forks.results),
          format('bad, bad %1$s, main %1$s, old', :day89), 'and people see them');
select forks.prune_runs('default') as again \gset
select is(:again, 0, 'a second time nothing goes');
select is(pg_temp.results('acme/a'), 'bad failed 95, bad failed 89+, main updated 89+, old updated 100', 'at all');

-- When it fails no longer
update forks.run set finished_at = millrace.now() where id = :run;
update forks.run_item set job_id = nextval('pg_temp.job') where run_id = :run;
insert into forks.sync_result (job_id, run_id, fork_id, branch, state, at)
select i.job_id, i.run_id, i.fork_id, i.branch, 'current', millrace.now() from forks.run_item i where i.run_id = :run;
select millrace_test.advance_clock('3 days') \g /dev/null
select forks.prune_runs('default') \g /dev/null
select is(pg_temp.results('acme/a'), 'bad current 3+, main current 3+, old updated 103',
          'what a branch has recovered from goes like the rest');

-- How many
select count(pg_temp.past('acme/many', 100 + n)) from generate_series(1, 12) n \g /dev/null
select is(forks.prune_runs('many'), 10, 'ten at a time');
select is((select array_agg(extract(day from millrace.now() - r.finished_at)::int order by r.id)
             from forks.run r where r.digest_group = 'many'), '{101,102}', 'the oldest first');
select is(forks.prune_runs('many'), 2, 'the rest the next time');

-- How long
select pg_temp.past('acme/short', 2) as two_days \gset
select is(forks.prune_runs('short'), 0, 'for ninety days, unless');
set local role millrace_operator;
select is(forks.configure_group('short', '{"retention_days": 1}'), '{"retention_days": {"from": 90, "to": 1}}',
          'the group says otherwise');
select is((select retention_days from forks.groups where name = 'short'), 1, 'people see it');
reset role;
select is(forks.prune_runs('short'), 1, 'and that holds for what there is');
select is(forks.prune_runs('none'), 0, 'a group that is not there has none');

-- What is still needed
insert into worker select millrace.open_session('w', '{dead}');
select pg_temp.past('acme/open', 100) as waits, pg_temp.past('acme/open', 99) as dead, pg_temp.past('acme/open', 98) as pushes,
       pg_temp.past('acme/open', 97) as writes, pg_temp.past('acme/open', 96) as active \gset
delete from forks.sync_result r where r.run_id in (:waits, :dead, :pushes);
update forks.run_item set job_id = pg_temp.dead() where run_id = :dead;
update forks.run_item set job_id = pg_temp.dead() where run_id = :pushes;
insert into forks.push_intent (job_id, intended_at)
select i.job_id, millrace.now() from forks.run_item i where i.run_id = :pushes;
update forks.run_step set job_id = pg_temp.dead(), state = null, intended = 'created' where run_id = :writes;
update forks.run set finished_at = null where id = :active;
update forks.run_item set job_id = millrace.enqueue('forks', 'forks.sync') where run_id = :waits;
insert into forks.sync_result (job_id, fork_id, branch, state, at)
select nextval('pg_temp.job'), f.id, 'main', 'current', millrace.now() - interval '96 days 12 hours'
  from forks.fork f where f.repo = 'acme/open';
select is(forks.prune_runs('open'), 1, 'a dead letter alone keeps no run');
select is((select array_agg(r.id order by r.id) from forks.run r where r.digest_group = 'open'),
          array[:waits, :pushes, :writes, :active]::bigint[],
          'but a job that waits, a push or a file that was announced, and that it is active');
select is(pg_temp.results('acme/open'), 'main updated 97+, main current 96, main updated 96+',
          'a result goes only when those before it have gone');
delete from forks.push_intent;
update forks.run_step set state = 'created' where run_id = :writes;
select is(forks.prune_runs('open'), 2, 'what has been said frees them');
select is(pg_temp.results('acme/open'), 'main updated 96+', 'with their results');
select pg_temp.past('acme/chain', 100) as given_up, pg_temp.past('acme/chain', 99) as successor \gset
update forks.run set succeeded_by = :successor where id = :given_up;
select is(forks.prune_runs('chain') || ', ' || forks.prune_runs('chain'), '1, 1', 'a run goes after the one given up for it');

-- Results of no run
insert into forks.sync_result (job_id, fork_id, branch, state, at)
select nextval('pg_temp.job'), f.id, b.name, 'current', millrace.now() - make_interval(days => b.days)
  from forks.fork f, (values ('main', 100), ('main', 91), ('main', 80), ('gone', 95)) b(name, days)
 where f.repo in ('acme/late', 'acme/chain');
set local role millrace_worker;
select forks.record_sync(1, 'acme/late', 'main', 'current') \g /dev/null
reset role;
select is(pg_temp.results('acme/late'), 'gone current 95, main current 80, main current 0',
          'they go when another one of the fork is recorded');
select is((select count(*) from forks.sync_result r join forks.fork f on f.id = r.fork_id
            where f.repo = 'acme/chain' and r.run_id is null and r.branch = 'main'), 4::bigint, 'those of another fork stay');
select is(forks.prune_runs('chain'), 0, 'or a run begins, though none goes');
select is(pg_temp.results('acme/chain'), 'gone current 95, main current 80', 'of their group');

-- A dead letter whose run has gone
set local role millrace_worker;
select forks.record_sync(2, 'acme/late', 'main', 'updated', run => :day100) \g /dev/null
reset role;
select is((select run_id from forks.sync_result where job_id = 2), null, 'when it is replayed, its result is of no run');
set local role millrace_worker;
select throws_ok(format($$select forks.record_sync(3, 'acme/late', 'main', 'current', run => %s)$$, n), 'MR005',
                 'record_sync: bad run', 'run ' || n)
  from (values ('0'), ('-1'), ('4711000')) v(n);
reset role;

select * from finish();
rollback;
