-- operate.sql: retry, replay and cancel, of a job in each of its states; cancel.sql has that of one that runs.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(59);
select millrace.create_queue('q', max_attempts => 3, retry_base => '10 s') \g /dev/null
select millrace.open_session('w', '{q}') as session \gset

-- One job in each state, made by the verb's name so that each verb has its own set.
create function pg_temp.make(state text, out job bigint)
language plpgsql
as $$
declare
    fence bigint;
begin
    job := millrace.enqueue('q', 'k', priority => case when state in ('available', 'scheduled') then 9 else 0 end,
                            delay => case state when 'scheduled' then interval '1 h' end);
    if state in ('retry', 'snooze', 'running', 'completed', 'discarded') then
        select c.fence into strict fence from millrace.claim((select max(id) from millrace.worker), 'q') c
         where c.job_id = job;
    end if;
    perform case state when 'retry' then millrace.fail(fence, job, 'boom')::text
                       when 'snooze' then millrace.snooze(fence, job, '1 h')::text
                       when 'completed' then millrace.complete(fence, job)::text
                       when 'discarded' then millrace.discard(fence, job, 'bad')::text
                       when 'cancelled' then millrace.cancel(job)::text end;
end
$$;
create temp table made as
select verb, state, pg_temp.make(state) as job
  from unnest('{retry,replay,cancel}'::text[]) verb,
       unnest('{available,scheduled,retry,snooze,running,completed,cancelled,discarded}'::text[]) state
 where (verb, state) <> ('cancel', 'running');
grant select on made to public;

create temp table expected (verb text, state text, becomes text, attempt int);
insert into expected values
    ('retry', 'available', 'available', 0), ('retry', 'scheduled', 'available', 0), ('retry', 'retry', 'available', 1),
    ('retry', 'snooze', 'available', 0), ('replay', 'available', 'available', 0),
    ('replay', 'discarded', 'available', 0),
    ('cancel', 'available', 'cancelled', 0), ('cancel', 'scheduled', 'cancelled', 0),
    ('cancel', 'retry', 'cancelled', 1),
    ('cancel', 'snooze', 'cancelled', 0), ('cancel', 'cancelled', 'cancelled', 0);
grant select on expected to public;

-- Refused first: the job is not in a state from which this is possible.
select millrace_test.fingerprint() as before \gset
set local role millrace_operator;
select throws_ok(format('select millrace.%I(%s)', m.verb, m.job), 'MR007',
                 format('%s: job %s is %s', m.verb, m.job,
                        case when m.state in ('retry', 'snooze') then 'scheduled' else m.state end),
                 m.verb || ' of a job: ' || m.state)
  from made m left join expected e using (verb, state) where e.becomes is null;
select throws_ok(format('select millrace.%I(%s)', verb, job), 'MR006', format('%s: unknown job %s', verb, job),
                 verb || ' of job ' || job)
  from unnest('{retry,replay,cancel}'::text[]) verb, unnest('{77777,0,-1,null}'::text[]) with ordinality j(given, n),
       lateral (select coalesce(given, 'null') as job) given;
select throws_ok(format('select millrace.cancel(%s, repeat(''r'', 1001))', job), 'MR005', 'cancel: bad reason',
                 'a reason of more than a thousand characters') from made where verb = 'cancel' and state = 'available';
reset role;
select is(millrace_test.fingerprint(), :'before', 'a refused call changes nothing');

-- Done, and done again.
set local role millrace_operator;
select is(case m.verb when 'retry' then millrace.retry(m.job) when 'replay' then millrace.replay(m.job)
                      else millrace.cancel(m.job) end, e.becomes, format('%s of a job: %s', m.verb, m.state))
  from made m join expected e using (verb, state);
reset role;
select results_eq('select verb, made.state, j.state, j.attempt::int from made join expected using (verb, state)
                   join millrace.jobs j on j.id = made.job order by 1, 2',
                  'select verb, state, becomes, attempt from expected order by 1, 2',
                  'the jobs are where they should be');
select is(array_agg(distinct pos), array[pg_current_xact_id()], 'their positions are new') from millrace.ready;
select is_empty($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                     from millrace.queues
                   except select * from millrace_test.counted('q') $$, 'the counts follow');
select results_eq($$ select action, (detail ->> 'job')::bigint, who, affected from millrace.operator_action
                      where action in ('retry', 'replay', 'cancel') and detail ->> 'reason' is null
                        and (detail ->> 'job')::bigint not in (select job from made where state = 'cancelled')
                      order by 2 $$,
                  format($$ select verb, job, %L::text collate "default", 1::bigint
                              from made join expected using (verb, state)
                             where made.state <> becomes order by 2 $$, session_user),
                  'the book says who moved which, and nothing of what was there already');
select millrace_test.fingerprint() as before \gset
select is(case m.verb when 'retry' then millrace.retry(m.job) when 'replay' then millrace.replay(m.job)
                      else millrace.cancel(m.job) end, e.becomes, format('%s again: %s', m.verb, m.state))
  from made m join expected e using (verb, state);
select is(millrace_test.fingerprint(), :'before', 'doing it again changes nothing');

-- A replayed job has all its attempts again, and remembers its past.
select job as replayed from made where verb = 'replay' and state = 'discarded' \gset
select is(error, 'bad', 'a replayed job shows why it was a dead letter') from millrace.jobs where id = :replayed;
select is(attempt, 1::smallint, 'and begins with its first attempt')
  from millrace.claim(:session, 'q', 100) where job_id = :replayed;

-- A reason.
select millrace.enqueue('q', 'k') as unwanted \gset
select is(millrace.cancel(:unwanted, repeat('r', 1000)), 'cancelled', 'cancel with a reason');
select row_eq(format('select error, finished_at, worker, fence from millrace.jobs where id = %s', :unwanted),
              row(repeat('r', 1000), millrace.now(), null::text, null::bigint), 'which is kept with the job');
select is(count(*), 1::bigint, 'and in the book') from millrace.operator_action
 where detail ->> 'reason' = repeat('r', 1000);
select is_empty(format('select * from millrace.claim(%s, ''q'', 100) where job_id = %s', :session, :unwanted),
                'nobody claims a cancelled job');
select * from finish();
rollback;
