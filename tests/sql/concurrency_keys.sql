-- concurrency_keys.sql: at most so many jobs of a key at a time, the least id first, and none that waits for nothing.
set client_min_messages = warning;
create extension if not exists pgtap;
create extension if not exists dblink;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(69);
select millrace.create_queue('q', max_attempts => 2, retry_base => '10 s', retry_cap => '10 s') as q,
       millrace.create_queue('two', key_limit => 2) as two \gset
select millrace.open_session('w', '{q,two}') as session \gset

-- The jobs bear their names as their kinds.
create function pg_temp.enqueue(kind text, key text default 'k', queue text default 'q', priority int default 5)
returns bigint
language sql
as $$ select millrace.enqueue(queue, kind, priority => priority, concurrency_key => key) $$;
create function pg_temp.claim(max_jobs int default 10, queue text default 'q')
returns text
language sql
as $$
    select coalesce(string_agg(c.kind, ' ' order by c.job_id), 'nothing')
      from millrace.claim((select max(w.id) from millrace.worker w), queue, max_jobs) c
$$;
create function pg_temp.settle(name text, outcome text default 'completed', delay interval default '10 s')
returns bigint[]
language sql
as $$
    select millrace.settle_many(array[r.job_id], array[r.fence], array[outcome], array['e'], array[delay])
      from millrace.running r join millrace.job j on j.id = r.job_id where j.kind = name
$$;
create function pg_temp.id_of(name text)
returns bigint
language sql
as $$ select j.id from millrace.job j where j.kind = name $$;
create function pg_temp.states(names text default '%')
returns text
language sql
as $$ select string_agg(j.kind || ' ' || j.state, ', ' order by j.id) from millrace.jobs j where j.kind like names $$;
create function pg_temp.clear()  -- a world without jobs
returns void
language plpgsql
as $$
begin
    delete from millrace.ready; delete from millrace.running; delete from millrace.scheduled;
    delete from millrace.blocked; delete from millrace.dead_letter; delete from millrace.finished;
    delete from millrace.follow_up; delete from millrace.concurrency_key; delete from millrace.job;
    delete from millrace.queue_delta; delete from millrace.key_limit;
    update millrace.queue_count set available = 0, scheduled = 0, blocked = 0, running = 0, dead = 0, enqueued = 0,
           completed = 0, cancelled = 0, failed = 0;
end
$$;
create function pg_temp.counts_are_right(what text)
returns text
language sql
as $$
    select is_empty($q$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                          from millrace.queues where name = 'q' except select * from millrace_test.counted('q') $q$,
                          what)
$$;

-- Limit 1: one at a time, in the order of the ids, whatever the priorities.
select count(*) from (select pg_temp.enqueue(n, priority => p)
                        from (values ('a', 9), ('b', 5), ('c', 0)) v(n, p)) e \g /dev/null
select is(pg_temp.states(), 'a blocked, b blocked, c blocked', 'a job with a key is blocked until its note is read');
select is(blocked, 3::bigint, 'and counted so') from millrace.queues where name = 'q';
select is(pg_temp.claim(), 'a', 'a claim of ten gets the first of the key');
select is(pg_temp.claim(), 'nothing', 'the next one gets none');
select is(pg_temp.states(), 'a running, b blocked, c blocked', 'the others go on waiting');
select row_eq($$ select queue, key, key_limit, held, blocked, next_job from millrace.blocked_keys $$,
              row('q'::text, 'k'::text, 1, 1, 2::bigint, pg_temp.id_of('b')), 'blocked_keys shows the key');
select pg_temp.settle('a') \g /dev/null
select is(pg_temp.claim(), 'b', 'its end makes room for the next, a worse priority goes first if its id is less');
select pg_temp.settle('b') \g /dev/null
select is(pg_temp.claim(), 'c', 'and so on');
select pg_temp.settle('c') \g /dev/null
select is(pg_temp.claim(), 'nothing', 'until none is left');
select is(count(*), 0::bigint, 'then the key is shown no more') from millrace.blocked_keys;
select pg_temp.counts_are_right('the counts say so');
select is(count(*), 0::bigint, 'no note is left') from millrace.follow_up;
select pg_temp.clear() \g /dev/null

-- Keys do not mind one another, nor do queues, nor jobs without a key.
select pg_temp.enqueue(k || n, k) from generate_series(1, 2) n, unnest('{x,y}'::text[]) k \g /dev/null
select millrace.enqueue('q', 'free' || n) from generate_series(1, 2) n \g /dev/null
select pg_temp.enqueue('elsewhere' || n, 'x', 'two') from generate_series(1, 3) n \g /dev/null
select is(pg_temp.claim(), 'x1 y1 free1 free2', 'each key has a slot of its own');
select is(pg_temp.claim(10, 'two'), 'elsewhere1 elsewhere2',
          'the same key of another queue has its own, and its limit');
select pg_temp.settle('y1') \g /dev/null
select is(pg_temp.claim(), 'y2', 'a slot that is freed is that of its key');
select pg_temp.clear() \g /dev/null

-- A key that waits for nobody goes first in its priority, not before better ones.
select millrace.enqueue('q', 'plain') \g /dev/null
select millrace.enqueue('q', 'urgent', priority => 0) \g /dev/null
select pg_temp.enqueue('keyed') \g /dev/null
select setseed(0.5) \g /dev/null
create function pg_temp.claim_by_priority()  -- not the one claim in ten that takes the oldest
returns text
language plpgsql
as $$
declare
    seed float := 0;
    taken text;
begin
    loop
        perform setseed(seed);
        perform random();  -- of the fence
        exit when random() >= 0.1;
        seed := seed + 0.01;
    end loop;
    perform setseed(seed);
    taken := pg_temp.claim(1);
    return taken;
end
$$;
select is(pg_temp.claim_by_priority(), 'urgent', 'a job that was blocked waits for better priorities');
select is(pg_temp.claim_by_priority(), 'keyed', 'and goes before its own');
select is(priority, 5::smallint, 'a claim shows the priority it was given') from millrace.jobs where kind = 'keyed';
select is(priority, 5::smallint, 'and so does running') from millrace.running where job_id = pg_temp.id_of('keyed');
select pg_temp.clear() \g /dev/null

-- What keeps a slot, and what frees it.
select pg_temp.enqueue(n) from unnest('{a,b}'::text[]) n \g /dev/null
select pg_temp.claim() \g /dev/null
select pg_temp.settle('a', 'failed') \g /dev/null
select is(pg_temp.claim(), 'nothing', 'a job that waits for its retry keeps its slot');
select millrace_test.advance_clock('13 s') \g /dev/null
select promoted from millrace.promote() \g /dev/null
select is(pg_temp.states(), 'a available, b blocked', 'and is available without asking again');
select is(pg_temp.claim(), 'a', 'its retry comes first');
select pg_temp.settle('a', 'snoozed') \g /dev/null
select is(pg_temp.claim(), 'nothing', 'one that is snoozed keeps it too');
select is(millrace.retry(pg_temp.id_of('a')), 'available', 'retry makes it available');
select is(pg_temp.claim(), 'a', 'at once');
select pg_temp.settle('a', 'released') \g /dev/null
select is(pg_temp.claim(), 'a', 'so does one that was released');
select pg_temp.settle('a', 'failed') \g /dev/null
select is(pg_temp.states(), 'a discarded, b blocked', 'its last failure makes it a dead letter');
select is(pg_temp.claim(), 'b', 'which frees the slot');
select is(millrace.replay(pg_temp.id_of('a')), 'blocked', 'a dead letter that is replayed waits for a slot');
select is(pg_temp.claim(), 'nothing', 'while another job has it');
select pg_temp.settle('b', 'discarded') \g /dev/null
select is(pg_temp.claim(), 'a', 'a discarded job frees it');
select is(attempt, 1::smallint, 'the replayed one begins afresh') from millrace.jobs where kind = 'a';
select pg_temp.counts_are_right('the counts are right after all that');
select pg_temp.clear() \g /dev/null

select pg_temp.enqueue(n) from unnest('{a,b,c,d}'::text[]) n \g /dev/null
select is(millrace.follow_up_all(), 1, 'maintenance reads the notes as well');
select is(pg_temp.states(), 'a available, b blocked, c blocked, d blocked', 'and makes the first available');
select is(millrace.follow_up_all(), 0, 'once');
select is(millrace.cancel(pg_temp.id_of('b')), 'cancelled', 'a blocked job can be cancelled');
select is(pg_temp.claim(), 'a', 'which frees nothing');
select is(pg_temp.claim(), 'nothing', 'for it held no slot');
select pg_temp.settle('a') \g /dev/null
select millrace.follow_up_all() \g /dev/null
select millrace.cancel(pg_temp.id_of('c')) \g /dev/null
select is(pg_temp.claim(), 'd', 'cancelling one that is available frees its slot');
select row_eq($$ select held from millrace.blocked_keys $$, row(1), 'one is held');
select pg_temp.counts_are_right('the counts are right after cancels');
select pg_temp.clear() \g /dev/null

-- Sessions that end.
select pg_temp.enqueue(n) from unnest('{a,b}'::text[]) n \g /dev/null
select pg_temp.claim() \g /dev/null
select millrace_test.advance_clock('31 s'), millrace.reap() \g /dev/null
select millrace.open_session('w', '{q,two}') \g /dev/null
select is(pg_temp.claim(), 'a', 'a job that was reaped has kept its slot');
select millrace_test.advance_clock('31 s'), millrace.reap() \g /dev/null
select millrace.open_session('w', '{q,two}') \g /dev/null
select is(pg_temp.claim(), 'b', 'after its last attempt it has none');
select millrace.close_session((select max(id) from millrace.worker)) \g /dev/null
select millrace.open_session('w', '{q,two}') \g /dev/null
select is(pg_temp.claim(), 'b', 'what a closed session gave back has kept its own');
select pg_temp.clear() \g /dev/null

-- Scheduled jobs ask for a slot when their time comes. They may be the first of their queue that have a key.
select millrace.create_queue('late') as late \gset
select millrace.enqueue('late', n, delay => '10 s', concurrency_key => 'k') from unnest('{a,b}'::text[]) n \g /dev/null
select millrace_test.advance_clock('11 s') \g /dev/null
select is(promoted, 2, 'both are promoted') from millrace.promote();
select is(pg_temp.states(), 'a available, b blocked', 'the notes are read as well, one gets the slot');
select is(pg_temp.claim(10, 'late'), 'a', 'and is claimed');
select pg_temp.clear() \g /dev/null
select millrace.enqueue('q', n, delay => '10 s', concurrency_key => 'k') from unnest('{a,b}'::text[]) n \g /dev/null
select is(millrace.retry(pg_temp.id_of('b')), 'blocked', 'retry makes a scheduled job ask for a slot, too');
select is(millrace.retry(pg_temp.id_of('b')), 'blocked', 'twice is no mistake');
select is(pg_temp.claim(), 'b', 'it gets it');
select is(millrace.cancel(pg_temp.id_of('a')), 'cancelled', 'the other, which held none, is cancelled');
select is(pg_temp.claim(), 'nothing', 'and frees none');
select row_eq($$ select held from millrace.blocked_keys $$, row(1), 'one is held, as before');
select pg_temp.clear() \g /dev/null

-- Limits that change.
select pg_temp.enqueue(n) from unnest('{a,b,c,d,e}'::text[]) n \g /dev/null
select is(pg_temp.claim(), 'a', 'limit 1');
select millrace.limit_key('q', 'k', 3) \g /dev/null
select is(pg_temp.claim(), 'b c', 'two more when it is raised to 3');
select millrace.limit_key('q', 'k', 1) \g /dev/null
select pg_temp.settle(n) from unnest('{a,b}'::text[]) n \g /dev/null
select is(pg_temp.claim(), 'nothing', 'lowered, nobody is stopped, and nobody starts');
select pg_temp.settle('c') \g /dev/null
select is(pg_temp.claim(), 'd', 'until enough have ended');
select millrace.configure_queue('q', '{"key_limit": 2}') \g /dev/null
select is(pg_temp.claim(), 'nothing', 'the key''s own limit stands over the queue''s');
select millrace.limit_key('q', 'k', null) \g /dev/null
select is(pg_temp.claim(), 'e', 'until it is taken back');
select millrace.configure_queue('q', '{"key_limit": 1}') \g /dev/null
select pg_temp.clear() \g /dev/null
select pg_temp.enqueue(k || n, k) from unnest('{x,y}'::text[]) k, generate_series(1, 2) n \g /dev/null
select pg_temp.claim() \g /dev/null
select millrace.configure_queue('q', '{"key_limit": 2}') \g /dev/null
select is(pg_temp.claim(), 'x2 y2', 'a raised limit of the queue counts for all its keys');
select millrace.configure_queue('q', '{"key_limit": 1}') \g /dev/null
select pg_temp.clear() \g /dev/null

-- More than one claim should do at once.
select millrace.enqueue_many('q', 'many', array_fill('{}'::jsonb, array[1500]), concurrency_key => 'k') \g /dev/null
select millrace.limit_key('q', 'k', 5000) \g /dev/null
select is(millrace.follow_up_all(), 1000, 'a thousand are released in one go');
select is(millrace.follow_up_all(), 500, 'the rest in the next');
select pg_temp.clear() \g /dev/null

-- Nothing is half done.
savepoint here;
select pg_temp.enqueue('a') \g /dev/null
rollback to savepoint here;
select pg_temp.enqueue('b') \g /dev/null
savepoint here;
select is(pg_temp.claim(), 'b', 'what was rolled back has no place in the key');
rollback to savepoint here;
select is(pg_temp.claim(), 'b', 'a claim that is rolled back has held nothing');

-- Refusals.
select throws_ok(call, 'MR005', 'enqueue: bad concurrency_key', call)
  from (values ($$ select millrace.enqueue('q', 'x', concurrency_key => '') $$),
               ($$ select millrace.enqueue('q', 'x', concurrency_key => repeat('k', 201)) $$),
               ($$ select millrace.enqueue_many('q', 'x', '{1}', concurrency_key => '') $$)) c(call);
select lives_ok($$ select millrace.enqueue('q', 'x', concurrency_key => repeat('k', 200)) $$,
                '200 characters are allowed');

select * from finish();
rollback;
