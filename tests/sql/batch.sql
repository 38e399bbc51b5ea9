-- batch.sql: a batch finishes once, with its last member, whatever became of them; what waited for it goes on.
set client_min_messages = warning;
create extension if not exists pgtap;
create extension if not exists dblink;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(76);
select millrace.create_queue('q', max_attempts => 2, retry_base => '10 s', retry_cap => '10 s', timeout => '7 s') as q,
       millrace.create_queue('other', max_payload_bytes => 100) as other \gset
select millrace.open_session('w', '{q,other}') as session \gset

create function pg_temp.claim(queue text default 'q', max_jobs int default 10)
returns text
language sql
as $$
    select coalesce(string_agg(c.kind, ' ' order by c.job_id), 'nothing')
      from millrace.claim((select max(w.id) from millrace.worker w), queue, max_jobs) c
$$;
create function pg_temp.settle(name text, outcome text default 'completed')
returns bigint[]
language sql
as $$
    select millrace.settle_many(array[r.job_id], array[r.fence], array[outcome], array['e'], array[interval '10 s'])
      from millrace.running r join millrace.job j on j.id = r.job_id where j.kind = name
$$;
create function pg_temp.id_of(name text)
returns bigint
language sql
as $$ select max(j.id) from millrace.job j where j.kind = name $$;
create function pg_temp.shown(of_batch bigint)
returns text
language sql
as $$
    select format('%s, %s members: %s completed, %s cancelled, %s discarded', state, members, completed, cancelled,
                  discarded)
      from millrace.batches where id = of_batch
$$;

-- The whole life.
set local role millrace_enqueuer;
select millrace.create_batch('q', 'done', '{"report": 17}', 3) as batch \gset
select millrace.enqueue('q', 'a', batch => :batch) \g /dev/null
select millrace.enqueue_many('other', 'b', '{1,2}', batch => :batch) \g /dev/null
reset role;
select is(pg_temp.shown(:batch), 'open, 3 members: 0 completed, 0 cancelled, 0 discarded', 'an open batch');
select is(count(*), 3::bigint, 'its members are shown') from millrace.jobs where batch_id = :batch;
select is(pg_temp.claim(), 'a', 'members run');
select pg_temp.settle('a') \g /dev/null
select is(pg_temp.claim(), 'nothing', 'while it is open');
select is(pg_temp.shown(:batch), 'open, 3 members: 1 completed, 0 cancelled, 0 discarded', 'and are counted');
set local role millrace_enqueuer;
select is(millrace.close_batch(:batch), 3::bigint, 'closing says how many they are');
select is(millrace.close_batch(:batch), 3::bigint, 'as often as it is asked');
reset role;
select is(pg_temp.claim(), 'nothing', 'it has not finished');
select is(pg_temp.claim('other'), 'b b', 'the others are of another queue');
select millrace.settle_many(array_agg(job_id), array_agg(fence), '{completed,discarded}', '{NULL,e}')
  from millrace.running \g /dev/null
select is(pg_temp.claim('other'), 'nothing', 'which does not look after the batch');
select row_eq($$ select available, blocked from millrace.queues where name = 'q' $$, row(0::bigint, 0::bigint), 'yet');
select is(pg_temp.claim(), 'done', 'its callback is claimed with the notes of its last members');
select is(pg_temp.shown(:batch), 'finished, 3 members: 2 completed, 0 cancelled, 1 discarded', 'it has finished');
select row_eq(format('select payload, priority, queue, max_attempts from millrace.jobs where id ='
                     ' (select callback_job from millrace.batches where id = %s)', :batch),
              row(jsonb_build_object('report', 17, 'batch', jsonb_build_object('id', :batch, 'completed', 2,
                  'cancelled', 0,
                                                                               'discarded', 1)),
                  3::smallint, 'q'::text, 2::smallint), 'the callback is told what became of them');
select is(timeout, interval '7 s', 'with the defaults of the queue') from millrace.job where kind = 'done';
select pg_temp.settle('done') \g /dev/null
select is(pg_temp.claim(), 'nothing', 'once');
select is(millrace.replay(pg_temp.id_of('b')), 'available', 'a dead letter that is replayed later');
select is(pg_temp.claim('other'), 'b', 'runs');
select pg_temp.settle('b') \g /dev/null
select is(pg_temp.claim(), 'nothing', 'and calls nobody back any more');
select is(pg_temp.shown(:batch), 'finished, 3 members: 2 completed, 0 cancelled, 1 discarded', 'what was said stands');
select is(count(*), 0::bigint, 'no note is left') from millrace.follow_up;
select throws_ok(format($$ select millrace.enqueue('q', 'a', batch => %s) $$, :batch), 'MR007',
                 format('enqueue: batch %s is closed', :batch), 'nobody joins a batch that is closed');

-- However its members end.
select millrace.create_batch('q', 'done') as batch \gset
select millrace.enqueue('q', n, batch => :batch) from unnest('{a,b,c,d}'::text[]) n \g /dev/null
select millrace.enqueue('q', 'late', batch => :batch, delay => '1 h') \g /dev/null
select millrace.enqueue('q', 'keyed', batch => :batch, concurrency_key => k) from unnest('{k}'::text[]) k \g /dev/null
select millrace.close_batch(:batch) \g /dev/null
select pg_temp.claim() \g /dev/null
select pg_temp.settle('a') \g /dev/null
select pg_temp.settle('b', 'snoozed') \g /dev/null
select pg_temp.settle('c', 'failed') \g /dev/null
select pg_temp.settle('d', 'discarded') \g /dev/null
select pg_temp.settle('keyed', 'released') \g /dev/null
select pg_temp.claim(max_jobs => 1) \g /dev/null
select is(pg_temp.shown(:batch), 'closed, 6 members: 1 completed, 0 cancelled, 1 discarded',
          'what waits for its retry has not ended');
select millrace.replay(pg_temp.id_of('d')) \g /dev/null
select millrace.cancel(pg_temp.id_of('late')) \g /dev/null
select millrace.follow_up_all() \g /dev/null
select is(pg_temp.shown(:batch), 'closed, 6 members: 1 completed, 1 cancelled, 0 discarded',
          'a dead letter that is replayed before the end is waited for');
select millrace_test.advance_clock('13 s') \g /dev/null
select promoted from millrace.promote() \g /dev/null
select pg_temp.claim() \g /dev/null
select pg_temp.settle('b') \g /dev/null
select pg_temp.settle('c', 'failed') \g /dev/null
select pg_temp.settle('keyed') \g /dev/null
select is(pg_temp.claim(), 'nothing', 'the last is still running');
select millrace_test.advance_clock('31 s') \g /dev/null
select is(millrace.reap(), 1, 'is reaped');
select millrace.open_session('w', '{q,other}') \g /dev/null
select is(pg_temp.claim(), 'd', 'and tried again');
select millrace_test.advance_clock('31 s') \g /dev/null
select is(millrace.reap(), 1, 'until it is a dead letter');
select millrace.open_session('w', '{q,other}') \g /dev/null
select is(pg_temp.claim(), 'done', 'then the batch has finished');
select is(pg_temp.shown(:batch), 'finished, 6 members: 3 completed, 1 cancelled, 2 discarded', 'with all of them');
select pg_temp.settle('done') \g /dev/null

-- Without members, without a callback, and what is rolled back.
select millrace.create_batch('q', 'empty') as batch \gset
select is(millrace.close_batch(:batch), 0::bigint, 'an empty batch');
select is(pg_temp.claim(), 'empty', 'finishes at once');
select pg_temp.settle('empty') \g /dev/null
select millrace.create_batch('q') as batch \gset
savepoint here;
select millrace.enqueue('q', 'undone', batch => :batch) \g /dev/null
rollback to savepoint here;
select millrace.enqueue('q', 'a', batch => :batch) \g /dev/null
savepoint here;
select is(millrace.close_batch(:batch), 1::bigint, 'a member that was rolled back does not count');
rollback to savepoint here;
select is(pg_temp.shown(:batch), 'open, 1 members: 0 completed, 0 cancelled, 0 discarded',
          'nor does a rolled back close');
select is(pg_temp.claim(), 'a', 'the member');
select pg_temp.settle('a') \g /dev/null
select is(pg_temp.claim(), 'nothing', 'ends');
select is(pg_temp.shown(:batch), 'open, 1 members: 1 completed, 0 cancelled, 0 discarded',
          'before the batch is closed');
select millrace.enqueue('q', 'b', batch => :batch) \g /dev/null
select is(millrace.close_batch(:batch), 2::bigint, 'others may still join');
select is(pg_temp.claim(), 'b', 'one did');
select pg_temp.settle('b') \g /dev/null
select is(pg_temp.claim(), 'nothing', 'without a kind nobody is called back');
select row_eq(format('select state, callback_job from millrace.batches where id = %s', :batch),
              row('finished'::text, null::bigint), 'it has finished all the same');

-- Jobs that wait for a batch.
select millrace.create_batch('q', 'done') as batch \gset
select millrace.enqueue('q', 'member', batch => :batch) \g /dev/null
select millrace.enqueue('q', 'after' || n, after_batch => :batch) from generate_series(1, 2) n \g /dev/null
select millrace.enqueue_many('other', 'elsewhere', '{1,2}', after_batch => :batch) \g /dev/null
select millrace.enqueue('q', 'keyed' || n, after_batch => :batch, concurrency_key => 'k') from generate_series(1, 2) n
\g /dev/null
select millrace.enqueue('q', 'gone', after_batch => :batch) \g /dev/null
select is(millrace.close_batch(:batch), 1::bigint, 'what waits for a batch is no member of it');
select is(pg_temp.claim(), 'member', 'and not claimed');
select is(blocked, 5::bigint, 'it is blocked') from millrace.queues where name = 'q';
select is(count(*), 7::bigint, 'the view says by which batch') from millrace.jobs where after_batch = :batch;
select is(millrace.cancel(pg_temp.id_of('gone')), 'cancelled', 'and can be cancelled');
select pg_temp.settle('member') \g /dev/null
select is(pg_temp.claim(), 'after1 after2 done', 'it goes on when the batch has finished');
select is(pg_temp.claim('other'), 'elsewhere elsewhere', 'in every queue');
select is(pg_temp.claim(), 'keyed1', 'and asks for its slot then');
select is_empty($$ select name, available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                     from millrace.queues
                   except select q.name, c.* from millrace.queue q, millrace_test.counted(q.name) c $$,
                'the counts are right');
select is(millrace.enqueue('q', 'next', after_batch => :batch) > 0, true, 'who waits for one that has finished');
select is(state, 'available', 'does not wait') from millrace.jobs where kind = 'next';
select is(millrace.enqueue('q', 'keyed3', after_batch => :batch, concurrency_key => 'k') > 0, true, 'but for its slot');
select is(state, 'blocked', 'it waits') from millrace.jobs where kind = 'keyed3';
select pg_temp.settle(n) from unnest('{after1,after2,done,keyed1}'::text[]) n \g /dev/null
select is(pg_temp.claim(), 'keyed2 next', 'in its order');
select pg_temp.settle(n) from unnest('{keyed2,next}'::text[]) n \g /dev/null
select is(pg_temp.claim(), 'keyed3', 'to the last');

-- A batch may be pruned, and there may still be one that waits for it: its enqueue took that long.
select millrace.enqueue('q', 'waiter') as waiter \gset
delete from millrace.ready;
insert into millrace.blocked (job_id, stored_on, queue_id, priority, batch_id)
select j.id, j.stored_on, j.queue_id, j.priority, :batch from millrace.job j where j.id = :waiter;
select millrace.leave_note(:q, :waiter, 'looked', null, :batch) \g /dev/null
select millrace_test.advance_clock('9 days') \g /dev/null
select is(millrace.prune() > 0, true, 'finished batches are pruned');
select is(count(*), 0::bigint, 'when their time is over') from millrace.batches;
select millrace.open_session('w', '{q,other}') \g /dev/null
select is(pg_temp.claim(), 'waiter', 'nobody waits for one for ever');
select is(count(*), 0::bigint, 'what was counted goes with them') from millrace.batch_count;

-- Many who waited.
select millrace.create_batch('q') as batch \gset
select millrace.enqueue_many('q', 'many', array_fill('{}'::jsonb, array[10001]), after_batch => :batch) \g /dev/null
select millrace.close_batch(:batch) \g /dev/null
select is(millrace.follow_up_all(), 10000, 'ten thousand are let go at once');
select is(millrace.follow_up_all(), 1, 'and the rest after them');

-- Refusals.
select millrace.create_batch('q') as batch \gset
select throws_ok(call, state, message, call)
  from (values ($$ select millrace.create_batch('nowhere') $$, 'MR003', null),
               ($$ select millrace.create_batch('q', '') $$, 'MR005', 'enqueue: bad kind'),
               ($$ select millrace.create_batch('q', 'k', '[]') $$, 'MR005', 'create_batch: bad payload'),
               ($$ select millrace.create_batch('q', 'k', null) $$, 'MR005', 'enqueue: payload is null'),
               ($$ select millrace.create_batch('q', 'k', '{}', 10) $$, 'MR005', 'enqueue: bad priority'),
               ($$ select millrace.create_batch('other', 'k', jsonb_build_object('a', repeat('x', 99))) $$, 'MR004',
                null),
               ($$ select millrace.close_batch(null) $$, 'MR013', 'unknown batch null'),
               ($$ select millrace.close_batch(-1) $$, 'MR013', 'unknown batch -1'),
               ($$ select millrace.enqueue('q', 'k', batch => -1) $$, 'MR013', 'unknown batch -1'),
               ($$ select millrace.enqueue('q', 'k', after_batch => -1) $$, 'MR013', 'unknown batch -1'),
               ($$ select millrace.enqueue_many('q', 'k', '{1}', after_batch => -1) $$, 'MR013', 'unknown batch -1'),
               (format($$ select millrace.enqueue('q', 'k', after_batch => %s, delay => '1 s') $$, :batch), 'MR005',
                'enqueue: bad after_batch'),
               (format($$ select millrace.enqueue('q', 'k', after_batch => %1$s, batch => %1$s) $$, :batch), 'MR005',
                'enqueue: bad after_batch')) c(call, state, message);
select dblink_connect('second', millrace_test.here()),
       dblink_exec('second', 'begin isolation level repeatable read') \g /dev/null
select throws_ok($$ select * from dblink('second', 'select millrace.close_batch(1)') d(members bigint) $$, 'MR007',
                 'close_batch: this transaction is repeatable read', 'an old snapshot may not show all members');

select * from finish();
rollback;
