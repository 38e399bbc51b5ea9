-- sql/pipeline/overview.sql: what /metrics tells of pipeline queues.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(14);
select millrace.create_queue('pipeline') \g /dev/null
select pipeline.create_queue('q', '/a.git', 'main', '{make}', max_concurrent => 2) \g /dev/null
select pipeline.create_queue('idle', '/b.git', 'main', '{make}') \g /dev/null
create function pg_temp.pass(span interval) returns void language sql as $$
    update millrace_test.clock set at = at + span
$$;
-- The verdict on a request whose head was committed so long before it was reported.
create function pg_temp.verdict(of_request bigint, ended text, committed_before interval) returns void
language plpgsql as $$
begin
    perform pipeline.update_request('q', of_request, 'processing', 'full', null, version, version + 1,
                                    accepted_at - committed_before)
       from pipeline.get_request('q', of_request);
    perform pipeline.update_request('q', of_request, ended, 'full', null, version, version + 1)
       from pipeline.get_request('q', of_request);
    perform pipeline.create_fact('q', 'u' || of_request, '', case ended when 'succeeded' then 0 else 1 end, of_request);
    if ended = 'succeeded' then
        perform pipeline.update_queue('q', of_request, 'u' || of_request, version, version + 1)
           from pipeline.get_queue('q');
    end if;
end
$$;
create function pg_temp.numbers() returns text language sql as $$
    select concat_ws(' ', accepted, processing, succeeded, failed, cancelled, superseded)
      from pipeline.overview() where queue = 'q'
$$;

select results_eq($$ select queue, accepted, last_green_committed_at, break_undetected, validation_time
                       from pipeline.overview() $$,
                  $$ values ('idle', 0::bigint, null::timestamptz, null::interval, null::interval),
                            ('q', 0, null, null, null) $$, 'nothing is known of a pipeline queue without requests');
select pipeline.ingest('q', 'u' || n) from generate_series(1, 3) n \g /dev/null
select is(pg_temp.numbers(), '3 0 0 0 0 0', 'requests that wait');
select pipeline.supersede_before('q', 3) \g /dev/null
select pg_temp.pass('10 minutes') \g /dev/null
select pg_temp.verdict(3, 'succeeded', '1 hour') \g /dev/null
select is(pg_temp.numbers(), '0 0 1 0 0 2', 'and what became of them');
select is(last_green_committed_at, (select accepted_at - interval '1 hour' from pipeline.get_request('q', 3)),
          'the last green is as old as its commit') from pipeline.overview() where queue = 'q';
select is(validation_time, interval '10 minutes', 'validated ten minutes after its report')
  from pipeline.overview() where queue = 'q';
select is(break_undetected, null, 'the branch is not broken') from pipeline.overview() where queue = 'q';

-- Broken.
select pipeline.ingest('q', 'u4') \g /dev/null
select pg_temp.pass('5 minutes') \g /dev/null
select pipeline.ingest('q', 'u5') \g /dev/null
select pipeline.supersede_before('q', 5) \g /dev/null
select pg_temp.pass('20 minutes') \g /dev/null
select pg_temp.verdict(5, 'failed', '10 minutes') \g /dev/null
select is(break_undetected, interval '30 minutes', 'a break that nobody knew of, since the commit of the broken head')
  from pipeline.overview() where queue = 'q';
select is(validation_time, interval '20 minutes', 'a broken head is validated, too')
  from pipeline.overview() where queue = 'q';
select pg_temp.pass('1 day') \g /dev/null
select is(break_undetected, interval '30 minutes', 'once it is known it is no longer undetected')
  from pipeline.overview() where queue = 'q';
insert into pipeline.bisect (queue, request, good, bad, budget, state, culprit_uri, started_at)
values ('q', 5, 3, 5, 5, 'found', 'u4', millrace.now());
select is(break_undetected, interval '25 minutes', 'or since that of the culprit, or its report if that is all there is')
  from pipeline.overview() where queue = 'q';
select pipeline.ingest('q', 'u6') \g /dev/null
select pg_temp.verdict(6, 'succeeded', '-1 hour') \g /dev/null
select is(break_undetected, null, 'until it is green again') from pipeline.overview() where queue = 'q';

-- The time of a commit stands.
select ok(pipeline.update_request('q', 6, 'succeeded', 'full', null, version, version + 1, 'epoch'), 'told another time')
  from pipeline.get_request('q', 6);
select is(committed_at, accepted_at + interval '1 hour', 'the first is believed') from pipeline.get_request('q', 6);
select throws_ok($$ select pipeline.update_request('q', 6, 'succeeded', 'full', null, 1, 2, 'infinity') $$, 'MR005',
                 'update_request: bad committed_at', 'if it is one');
select * from finish();
rollback;
