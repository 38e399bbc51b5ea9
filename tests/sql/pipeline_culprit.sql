-- sql/pipeline/culprit.sql: which commit broke the branch, when those before the broken head were superseded.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(24);
select millrace.create_queue('pipeline') \g /dev/null

-- A branch whose first request is green and whose last is broken; between them, `superseded` that nobody has built.
create function pg_temp.broken_branch(name text, superseded int, budget int) returns void language plpgsql as $$
begin
    perform pipeline.create_queue(name, '/a.git', 'main', '{make}');
    perform pipeline.configure_queue(name, jsonb_build_object('bisect_budget', budget));
    perform pipeline.ingest(name, 'u' || n) from generate_series(1, superseded + 2) n;
    update pipeline.request set state = 'superseded' where queue = name and number between 2 and superseded + 1;
    perform pipeline.create_fact(name, 'u1', '', 0, 1), pipeline.create_fact(name, 'u' || superseded + 2, '', 1, superseded + 2);
    update pipeline.request set state = case number when 1 then 'succeeded' else 'failed' end, build_strategy = 'full'
     where queue = name and number in (1, superseded + 2);
    delete from millrace.ready;
    perform pipeline.announce(name, superseded + 2, '');
end
$$;
-- Every job of the search, as the stages run them; what was broken from `first_bad` on stays so. How many builds that
-- took.
create function pg_temp.search(name text, head bigint, first_bad int) returns int language plpgsql as $$
declare
    job record;
    amount int := 0;
begin
    loop
        select r.job_id, j.kind, j.payload, j.priority into job
          from millrace.ready r join millrace.job j on j.id = r.job_id
         where j.kind in ('pipeline.bisect', 'pipeline.build') order by j.id limit 1;
        exit when not found;
        delete from millrace.ready r where r.job_id = job.job_id;
        if job.priority <> 9 then
            raise exception 'not at low priority';
        elsif job.kind = 'pipeline.build' then
            amount := amount + 1;
            perform pipeline.create_build(name, 'b' || amount, head, '', (job.payload ->> 'run')::int, job.payload ->> 'uri');
            perform pipeline.update_build(name, 'b' || amount, case
                when substr(job.payload ->> 'uri', 2)::int >= first_bad then 'failed' else 'succeeded' end, '', null, 1, 2);
        end if;
        perform pipeline.bisect_step(name, head);
    end loop;
    return amount;
end
$$;

-- Every length of a history up to 9 superseded commits, every culprit: never more than the logarithm of n suspects.
create temp table searched as select n, c, null::int as builds, null::text as culprit
  from generate_series(0, 9) n, generate_series(2, n + 2) c;
do $$
declare
    one record;
begin
    for one in select n, c from searched loop
        perform pg_temp.broken_branch(format('q%s-%s', one.n, one.c), one.n, 10);
        update searched s set builds = pg_temp.search(format('q%s-%s', one.n, one.c), one.n + 2, one.c)
         where (s.n, s.c) = (one.n, one.c);
    end loop;
end
$$;
select is_empty($$ select n, c, b.state, b.culprit_uri from searched s
                    join pipeline.bisect b on b.queue = format('q%s-%s', n, c)
                   where b.culprit_uri is distinct from 'u' || c or b.state <> 'found' $$, 'every culprit is found');
select results_eq($$ select n, max(builds) from searched group by n order by n $$,
                  $$ select n, ceil(log(2, n + 1))::int from generate_series(0, 9) n $$, 'in the logarithm of builds');
select is((select count(*)::int from pipeline.event where type = 'culprit.found'),
          (select count(*)::int from searched where n > 0), 'each is told');
select results_eq($$ select payload ->> 'culprit_uri', payload ->> 'culprit_request' from pipeline.event
                      where id = 'pipeline/culprit.found/request/q5-4/7' $$, $$ values ('u4', '4') $$, 'in an event');
select is_empty($$ select * from pipeline.validation_fact where request not in (1) and degree = 0 $$,
                'no verdict comes of a search');
select is(payload ->> 'culprit_uri', 'u2', 'where nothing was superseded, the head is the culprit at once')
  from pipeline.event where id = 'pipeline/validation.recorded/request/q0-2/2/';

select pg_temp.broken_branch('poor', 9, 2) \g /dev/null
select is(pg_temp.search('poor', 11, 4), 2, 'a budget is kept to');
select results_eq($$ select state, good, bad from pipeline.bisect where queue = 'poor' $$,
                  $$ values ('given up', 3::bigint, 6::bigint) $$, 'and how far the search came is known');
select pg_temp.broken_branch('none', 9, 0) \g /dev/null
select is(pg_temp.search('none', 11, 4), 0, 'without a budget there is no search');
select is(pipeline.bisect_step('none', 11), null, 'and no step of one');

-- A red that does not last blames nobody.
select pg_temp.broken_branch('flaky', 4, 9) \g /dev/null
select pipeline.configure_queue('flaky', '{"flaky_reruns": 1}') \g /dev/null
create function pg_temp.steps(statuses text[]) returns text language plpgsql as $$
declare
    status text;
    wanted jsonb;
    built text := '';
begin
    perform pipeline.bisect_step('flaky', 6);
    foreach status in array statuses loop
        select payload into strict wanted from millrace.jobs
         where kind = 'pipeline.build' and payload ->> 'queue' = 'flaky' order by id desc limit 1;
        built := concat_ws(' ', nullif(built, ''), wanted ->> 'uri');
        perform pipeline.create_build('flaky', 'f' || (wanted ->> 'run'), 6, '', (wanted ->> 'run')::int, wanted ->> 'uri');
        perform pipeline.update_build('flaky', 'f' || (wanted ->> 'run'), status, '', null, 1, 2);
        perform pipeline.bisect_step('flaky', 6);
    end loop;
    return built;
end
$$;
select is(pg_temp.steps('{failed,succeeded,failed,failed}'), 'u3 u3 u4 u4', 'what is red is built once more');
select results_eq($$ select culprit_uri, builds from pipeline.bisect where queue = 'flaky' $$, $$ values ('u4', 4) $$,
                  'and believed when it stays so');

-- Between them one that was called off, one that has failed closed, one that is flaky and one that is being built: nobody
-- knows that they are good. One that is green, which was said late, is.
create function pg_temp.mixed_branch(name text) returns void language plpgsql as $$
begin
    perform pipeline.create_queue(name, '/a.git', 'main', '{make}');
    perform pipeline.configure_queue(name, '{"bisect_budget": 9}');
    perform pipeline.ingest(name, 'u' || n) from generate_series(1, 7) n;
    update pipeline.request r set state = s.state, build_strategy = 'full', reason = s.reason
      from (values (1, 'succeeded', null), (2, 'cancelled', null), (3, 'failed', 'dead letter'), (4, 'failed', null),
                   (5, 'processing', null), (6, 'succeeded', null), (7, 'failed', null)) s(number, state, reason)
     where r.queue = name and r.number = s.number;
    perform pipeline.create_fact(name, 'u1', '', 0, 1), pipeline.create_fact(name, 'u4', '', 1, 4, true),
            pipeline.create_fact(name, 'u7', '', 1, 7);
    delete from millrace.ready;
    perform pipeline.announce(name, 7, '');
    perform pipeline.create_fact(name, 'u6', '', 0, 6);
end
$$;
select pg_temp.mixed_branch('mixed') \g /dev/null
select results_eq($$ select number::int from pipeline.suspects('mixed', 1, 7) $$, 'values (2), (3), (4), (5)',
                  'suspects are all of which nothing is known for sure');
select is(pg_temp.search('mixed', 7, 2), 2, 'they are searched');
select is(culprit_uri, 'u2', 'and one that was called off may be to blame') from pipeline.bisect where queue = 'mixed';
select pg_temp.mixed_branch('mixed-3') \g /dev/null
select pg_temp.search('mixed-3', 7, 3) \g /dev/null
select is(culprit_uri, 'u3', 'or one that has failed closed') from pipeline.bisect where queue = 'mixed-3';
select pg_temp.mixed_branch('mixed-7') \g /dev/null
select pg_temp.search('mixed-7', 7, 7) \g /dev/null
select is(culprit_uri, 'u7', 'or the head itself') from pipeline.bisect where queue = 'mixed-7';

-- Broken before: the culprit is that of the first break.
select pg_temp.broken_branch('twice', 2, 9) \g /dev/null
select pipeline.ingest('twice', 'u' || n) from generate_series(5, 6) n \g /dev/null
update pipeline.request set state = 'superseded' where queue = 'twice' and number = 5;
select pipeline.create_fact('twice', 'u6', '', 1, 6), pipeline.announce('twice', 6, '') \g /dev/null
select is_empty($$ select from pipeline.bisect where queue = 'twice' and request = 6 $$, 'a branch breaks once');

-- A build of the search without an end, a stage of it that is a dead letter, and a step that is taken twice.
select pg_temp.broken_branch('off', 4, 9) \g /dev/null
select is(pipeline.bisect_step('off', 6), 'searching', 'a step asks for a build');
select is(pipeline.bisect_step('off', 6), 'searching', 'once');
select is((select count(*)::int from millrace.jobs where kind = 'pipeline.build' and payload ->> 'queue' = 'off'), 1, 'indeed');
select pipeline.create_build('off', 'x', 6, '', 2, 'u3'), pipeline.update_build('off', 'x', 'cancelled', '', null, 1, 2) \g /dev/null
select is(pipeline.bisect_step('off', 6), 'given up', 'a build that was called off ends the search');
select pg_temp.broken_branch('dead', 4, 9) \g /dev/null
select millrace.open_session('worker', '{pipeline}', lease => '1 hour') as session \gset
select millrace.discard(fence, job_id, 'no more') from millrace.claim(:session, 'pipeline', 1) \g /dev/null
select is(state, 'given up', 'so does a dead letter') from pipeline.bisect where queue = 'dead';
select is(state, 'failed', 'which is no business of the request') from pipeline.requests where queue = 'dead' and number = 6;
select * from finish();
rollback;
