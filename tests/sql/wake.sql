-- wake.sql: the flag, and who notifies whom.
--
-- Notifications are sent by commits: this file has no transaction around it and wants a database of its own. A
-- second session listens; a third sends an end mark, so that silence is proven and not waited for.
set client_min_messages = warning;
create extension if not exists pgtap;
create extension if not exists dblink;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql

select plan(57);
select millrace.create_queue('q'), millrace.create_queue('other') \g /dev/null
select dblink_connect('ear', millrace_test.here()), dblink_connect('mouth', millrace_test.here()),
       dblink_exec('ear', 'listen "millrace/q"; listen "millrace/other"; listen "millrace:cancel"; listen end_mark; listen "millrace:chores"') \g /dev/null

create function millrace_test.heard()
returns text  -- channels and payloads since the last call
language plpgsql
as $$
declare
    heard text[] := '{}';
    deadline constant timestamptz := clock_timestamp() + interval '10 s';
    got record;
begin
    perform dblink_exec('mouth', 'notify end_mark');
    while clock_timestamp() < deadline loop
        for got in select * from dblink_get_notify('ear') loop
            if got.notify_name = 'end_mark' then
                return array_to_string(heard, ' ');
            end if;
            heard := heard || concat_ws(':', got.notify_name, nullif(got.extra, ''));
        end loop;
        perform pg_sleep(0.002);
    end loop;
    raise 'the end mark was not heard';
end
$$;

-- The flag.
select is(signal_raised, false, 'the flag of a new queue is down') from millrace.queues where name = 'q';
set role millrace_worker;
select millrace.raise_signal('q') \g /dev/null
reset role;
select results_eq($$ select name, signal_raised from millrace.queues order by name $$,
                  $$ values ('other', false), ('q', true) $$, 'a worker raises the flag of one queue');
select is(millrace_test.heard(), '', 'raising it notifies nobody');
select xmin as raised_by from millrace.queue_signal where raised \gset
select millrace.raise_signal('q') \g /dev/null
select is(xmin, :'raised_by', 'raising a raised flag writes nothing') from millrace.queue_signal where raised;

-- Who notifies while the flag is up.
set role millrace_enqueuer;
select millrace.enqueue('q', 'k') as first \gset
reset role;
select is(millrace_test.heard(), 'millrace/q', 'enqueue notifies, with an empty payload');
select millrace.enqueue('other', 'k') \g /dev/null
select is(millrace_test.heard(), '', 'not the sleepers of a queue whose flag is down');
select millrace.enqueue('q', 'k', wake => false) \g /dev/null
select is(millrace_test.heard(), '', 'nor when told not to');
select millrace.enqueue('q', 'k', delay => '1 minute') as later \gset
select is(millrace_test.heard(), '', 'nor for a job that is not available yet');
begin; select millrace.enqueue('q', 'k') \g /dev/null
rollback;
select is(millrace_test.heard(), '', 'nor for one that was rolled back');
select millrace.enqueue_many('q', 'k', '{"{}","{}"}') \g /dev/null
select is(millrace_test.heard(), 'millrace/q', 'enqueue_many notifies once');
select millrace.enqueue_many('q', 'k', '{"{}"}', wake => false), millrace.enqueue_many('q', 'k', '{}') \g /dev/null
select is(millrace_test.heard(), '', 'not when told not to, and not for nothing');
set role millrace_enqueuer;
select is(millrace.poke('q'), true, 'poke says that somebody waits');
select is(millrace.poke('other'), false, 'or that nobody does');
reset role;
select is(millrace_test.heard(), 'millrace/q', 'and notifies accordingly');

select millrace_test.advance_clock('2 minutes') \g /dev/null
select millrace.promote() \g /dev/null
select is(millrace_test.heard(), 'millrace/q', 'a promotion notifies');
select millrace.promote() \g /dev/null
select is(millrace_test.heard(), '', 'one that finds nothing does not');

select millrace.open_session('w', '{q}', lease => '10 s') as session \gset
create temp table held as select job_id, fence, row_number() over () as n from millrace.claim(:session, 'q', 4);
select is(millrace_test.heard(), '', 'a claim notifies nobody');
select millrace.complete(fence, job_id) from held where n = 1 \g /dev/null
select is(millrace_test.heard(), '', 'nor does a completed job');
select millrace.settle_many(array[job_id], array[fence], '{released}') from held where n = 2 \g /dev/null
select is(millrace_test.heard(), 'millrace/q', 'a released one does');
select millrace.fail(fence, job_id, 'e') as failed from held where n = 3 \gset
select is(millrace_test.heard(), '', 'one that waits for its retry does not');
select millrace.retry((select job_id from millrace.scheduled)) \g /dev/null
select is(millrace_test.heard(), 'millrace/q', 'retry does');
select millrace.discard(fence, job_id, 'e') from held where n = 4 \g /dev/null
select is(millrace_test.heard(), '', 'a dead letter does not');
select millrace.replay((select job_id from millrace.dead_letter)) \g /dev/null
select is(millrace_test.heard(), 'millrace/q', 'replay does');
select job_id as job, fence from millrace.claim(:session, 'q') \gset
select millrace.settle_many(array[:job], array[:fence],
                            successors => format('[{"after": %s, "queue": "q", "kind": "k"}]', :job)::jsonb) \g /dev/null
select is(millrace_test.heard(), 'millrace/q', 'and so does a successor');
select count(*) from millrace.claim(:session, 'q', 2) \g /dev/null
select millrace_test.advance_clock('1 minute'), millrace_test.heard() \g /dev/null
select millrace.reap() \g /dev/null
select is(millrace_test.heard(), 'millrace/q', 'jobs that are reaped notify');

-- What another job may wait for: a slot of its key, a batch, a place in the queue. Whoever ends the wait wakes.
select millrace.open_session('w', '{q}') as session \gset
select millrace.cancel(id) from millrace.jobs where state = 'available' \g /dev/null
select millrace.create_batch('q') as batch \gset
select millrace.enqueue('q', 'k', concurrency_key => 'k', batch => :batch) \g /dev/null
select millrace.enqueue('other', 'k', after_batch => :batch) \g /dev/null
select millrace.configure_queue('q', '{"max_running": 1}') \g /dev/null
select millrace_test.heard() \g /dev/null
select job_id as job, fence from millrace.claim(:session, 'q') \gset
select millrace_test.heard() \g /dev/null
select millrace.fail(:fence, :job, 'e') \g /dev/null
select is(millrace_test.heard(), 'millrace/q', 'a retry leaves a place in a queue that has max_running');
select millrace.retry(:job) \g /dev/null
select job_id as job, fence from millrace.claim(:session, 'q') \gset
select millrace_test.heard() \g /dev/null
select millrace.complete(:fence, :job) \g /dev/null
select is(millrace_test.heard(), 'millrace/q', 'an end leaves a slot');
select millrace.raise_signal('other') \g /dev/null
select millrace.close_batch(:batch) \g /dev/null
select is(millrace_test.heard(), 'millrace/q', 'whoever closes a batch wakes those who look after it');
select count(*) from millrace.claim(:session, 'q') \g /dev/null
select is(millrace_test.heard(), 'millrace/other', 'the claim that finishes it wakes those whose jobs waited');
select millrace.pause_queue('q') \g /dev/null
select millrace.resume_queue('q') \g /dev/null
select is(millrace_test.heard(), 'millrace/q', 'so does a queue that is resumed');
select millrace.limit_key('q', 'k', 2) \g /dev/null
select is(millrace_test.heard(), 'millrace/q', 'and a limit that is changed');
select millrace.configure_queue('q', '{"max_running": null}') \g /dev/null
select millrace_test.heard() \g /dev/null
select millrace.lower_signal('other') \g /dev/null
select millrace_test.heard() \g /dev/null

-- Down again.
set role millrace_worker;
select millrace.lower_signal('q') \g /dev/null
reset role;
select is(millrace_test.heard(), 'millrace/q:lowered', 'lowering the flag tells whoever still sleeps');
select millrace.lower_signal('q') \g /dev/null
select is(millrace_test.heard(), '', 'lowering it again does not');
select millrace.enqueue('q', 'k'), millrace.poke('q') \g /dev/null
select is(millrace_test.heard(), '', 'and a busy queue pays nothing');

-- Rates. The queue's flag is down.
select millrace.create_queue('rated') \g /dev/null
select dblink_exec('ear', 'listen "millrace/rated"') \g /dev/null
select millrace.configure_queue('rated', '{"rate": "1 per minute"}') \g /dev/null
select is(millrace_test.heard(), 'millrace/rated:lowered', 'another rate is heard by all, also who waits for a token');
select count(millrace.enqueue('rated', 'k')) from generate_series(1, 2) \g /dev/null
select count(*) from millrace.claim(:session, 'rated', 2) \g /dev/null
select millrace_test.advance_clock('59 s'), millrace.raise_signal('rated') \g /dev/null
select millrace.promote() \g /dev/null
select is(millrace_test.heard(), '', 'until the token has come nobody is woken');
select millrace_test.advance_clock('1 s') \g /dev/null
select millrace.promote() \g /dev/null
select millrace.promote() \g /dev/null
select is(millrace_test.heard(), 'millrace/rated', 'then those who sleep are, once');
select millrace_test.advance_clock('1 s') \g /dev/null
select millrace.promote() \g /dev/null
select is(millrace_test.heard(), 'millrace/rated', 'and again, until somebody claims');
select count(*) from millrace.claim(:session, 'rated', 2) \g /dev/null
select millrace_test.advance_clock('58 s') \g /dev/null
select millrace.promote() \g /dev/null
select is(millrace_test.heard(), '', 'then not');

-- A job that runs is cancelled: its worker is told, whatever the flag says, and once.
select millrace.enqueue('other', 'k') as unwanted, millrace.open_session('w', '{other}') as other \gset
select count(*) from millrace.claim(:other, 'other', 100) \g /dev/null
select millrace.cancel(:unwanted) \g /dev/null
select is(millrace_test.heard(), 'millrace:cancel:' || :other, 'a cancellation names the session');
select millrace.cancel(:unwanted) \g /dev/null
select is(millrace_test.heard(), '', 'the same again does not');
select millrace.cancel(millrace.enqueue('other', 'k')) \g /dev/null
select is(millrace_test.heard(), '', 'nor does that of a job that waits');

-- A claim that has found nothing but what was late does not say that there is no more.
select millrace.enqueue('q', 'late', expires_at => millrace.now() + interval '1 s') \g /dev/null
select millrace_test.advance_clock('1 s') \g /dev/null
select millrace.open_session('w', '{q}') as waker \gset
select millrace.raise_signal('q'), millrace_test.heard() \g /dev/null
select is_empty(format('select from millrace.claim(%s, ''q'', 100) where kind = ''late''', :waker), 'nothing is late');
select is(millrace_test.heard(), 'millrace/q', 'whoever sleeps after it is woken');

-- What concerns the chores.
select millrace.raise_signal('q'), millrace_test.heard() \g /dev/null
select millrace.enqueue('q', 'k', delay => '14 s') \g /dev/null
select is(millrace_test.heard(), 'millrace:chores:scheduled', 'a delayed job that is due soon is announced');
select millrace.enqueue_many('q', 'k', array['{}'::jsonb], delay => '14 s') \g /dev/null
select is(millrace_test.heard(), 'millrace:chores:scheduled', 'and so are many');
select millrace.enqueue_unique('q', 'k', '{}', 'soon', delay => '14 s') \g /dev/null
select is(millrace_test.heard(), 'millrace:chores:scheduled', 'and a unique one');
select millrace.enqueue_unique('q', 'k', '{}', 'u', delay => '15 s'),
       millrace.enqueue_unique('q', 'k', '{}', 'u', delay => '1 s', replaces => '{run_at}', wake => false) \g /dev/null
select is(millrace_test.heard(), '', 'under the same conditions');
select millrace.enqueue_unique('q', 'k', '{}', 'u', delay => '14 s', replaces => '{run_at}') \g /dev/null
select is(millrace_test.heard(), 'millrace:chores:scheduled', 'also one that is brought forward, or put off');
select millrace.enqueue('q', 'k', delay => '15 s'), millrace.enqueue('q', 'k', delay => '1 s', wake => false),
       millrace.enqueue('other', 'k', delay => '1 s') \g /dev/null
select is(millrace_test.heard(), '', 'not one that is due later, nor when told not to, nor while nobody sleeps');
select millrace.create_schedule('s', '* * * * *', 'q', 'k') \g /dev/null
select is(millrace_test.heard(), 'millrace:chores:schedules', 'a schedule that has changed is announced');
select millrace.register_schema('k', '{"type": "object"}') \g /dev/null
select is(millrace_test.heard(), 'millrace:chores:schemas', 'and so is a schema');
select millrace.register_schema('k', '{"type": "object"}') \g /dev/null
select is(millrace_test.heard(), '', 'but not the same again');

select millrace_test.fingerprint() as before \gset
select throws_ok(call, 'MR003', 'unknown queue ' || named, call)
  from (values ($$select millrace.poke('nowhere')$$, '''nowhere'''),
               ($$select millrace.raise_signal('nowhere')$$, '''nowhere'''),
               ($$select millrace.lower_signal(null)$$, 'null')) bad(call, named);
select is(millrace_test.fingerprint(), :'before', 'a refused call changes nothing');
select * from finish();
