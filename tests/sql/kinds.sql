-- kinds.sql and its part of claim.sql: kinds that nobody handles, and paused ones.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(52);
select millrace.create_queue('q') as q \gset
create function pg_temp.lane(job bigint) returns smallint language sql as $$
    select r.priority from millrace.ready r where r.job_id = job $$;
create function pg_temp.claimed(session int, jobs int default 100) returns text language sql as $$
    select coalesce(string_agg(c.job_id::text, ',' order by c.place), '')
      from millrace.claim(session, 'q', jobs) with ordinality c(job_id, a, b, d, e, f, g, h, i, j, k, place) $$;
create function pg_temp.counts_are_true() returns text language sql as $$
    select is_empty($q$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                          from millrace.queues
                         where name = 'q' except select * from millrace_test.counted('q') $q$, 'the counts are true') $$;

-- A kind that the session does not handle.
select millrace.open_session('old', '{q}', kinds => '{a,b}') as old, millrace.open_session('any', '{q}') as any_kind \gset
select millrace.enqueue('q', 'new', '{"n": 1}', 3) as new_1, millrace.enqueue('q', 'a') as a_1,
       millrace.enqueue('q', 'new', priority => 7) as new_2, millrace.enqueue('q', 'b', priority => 9) as b_1 \gset
select is(pg_temp.claimed(:old), format('%s,%s', :a_1, :b_1), 'a session gets what it handles, and nothing else');
select is(pg_temp.lane(:new_1), 113::smallint, 'a job of another kind is put into the lane of its kind and priority');
select is(pg_temp.lane(:new_2), 117::smallint, 'each of them');
select is(count(*), 0::bigint, 'and none is left where it was sorted') from millrace.ready where priority = 100;
select results_eq(format('select state, attempt from millrace.jobs where id in (%s, %s)', :new_1, :new_2),
                  $$ values ('available', 0::smallint), ('available', 0::smallint) $$, 'it is available, and no attempt is counted');
select pg_temp.counts_are_true();
select results_eq('select queue, kind, handled_by, first_job from millrace.kinds_aside',
                  format($$ values ('q', 'new', 1::bigint, %s::bigint) $$, :new_1),
                  'it is shown, with those that handle it: a session without a list does');
select ctid as place from millrace.ready where job_id = :new_1 \gset
select is(oldest_at, millrace.now(), 'its age is the queue''s') from millrace.queues where name = 'q';
select is(pg_temp.claimed(:old), '', 'the next claim of that session finds nothing');
select is(ctid, :'place'::tid, 'and does not touch it') from millrace.ready where job_id = :new_1;
select millrace.open_session('new', '{q}', kinds => '{new,a}') as new \gset
select millrace.enqueue('q', 'new', priority => 3) as new_3, millrace.enqueue('q', 'a', priority => 0) as a_2 \gset
select is(pg_temp.claimed(:new), format('%s,%s,%s,%s', :a_2, :new_1, :new_3, :new_2),
          'one that handles the kind gets it, by priority, those first that have waited longer');
select is_empty('select * from millrace.kinds_aside', 'then nothing is aside');
select is(array_agg(priority order by job_id), '{3,7,3,0}', 'their priorities are their own')
  from millrace.running where worker = :new;
select pg_temp.counts_are_true();

-- More than one claim looks at.
select millrace.enqueue_many('q', 'new', array_fill('{}'::jsonb, array[25]), priority => 1) \g /dev/null
select millrace.enqueue('q', 'a') as a_3 \gset
select is(pg_temp.claimed(:old, 1), '', 'ten rounds of one job each do not come to the end of 25');
select is(count(*), 10::bigint, 'ten are aside') from millrace.ready where priority = 111;
select is(pg_temp.claimed(:old, 3), :a_3::text, 'the next claim does');
select is(count(*), 25::bigint, 'and has put all aside') from millrace.ready where priority = 111;
select is(count(*), 25::bigint, 'who handles it gets all') from millrace.claim(:new, 'q', 100);

-- What has no lane of its own kind: all numbers are used.
insert into millrace.kind_lane (queue_id, kind, number) values (:q, 'the last', 3200);
select millrace.enqueue('q', 'one more') as too_many \gset
select is(pg_temp.claimed(:old), '', 'a kind too many is not handed out either');
select row_eq(format('select state, run_at, attempt from millrace.jobs where id = %s', :too_many),
              row('scheduled'::text, millrace.now() + interval '10 s', 0::smallint), 'it is put off');
select pg_temp.counts_are_true();
delete from millrace.kind_lane where number = 3200;

-- A paused kind.
select is(millrace.pause_kind('a'), millrace.now(), 'a kind is paused');
select millrace_test.advance_clock('1 s') as later \gset
select is(millrace.pause_kind('a'), millrace.now() - interval '1 s', 'once');
select millrace.enqueue('q', 'a') as a_4, millrace.enqueue('q', 'b') as b_2, millrace.enqueue('q', 'a') as a_5 \gset
select is(pg_temp.claimed(:any_kind), :b_2::text, 'nobody gets its jobs, not even who takes whatever comes');
select is(pg_temp.claimed(:new), '', 'or who handles it');
select ctid as place from millrace.ready where job_id = :a_4 \gset
select is(pg_temp.claimed(:new), '', 'now as before');
select is(ctid, :'place'::tid, 'and it is not touched again') from millrace.ready where job_id = :a_4;
select row_eq($$ select kind, paused_at, first_job from millrace.kinds_aside $$,
              row('a'::text, millrace.now() - interval '1 s', :a_4::bigint), 'they are shown');
select is(millrace.cancel(:a_4), 'cancelled', 'what is aside can be cancelled');
select ok(millrace.resume_kind('a'), 'it is resumed');
select ok(not millrace.resume_kind('a'), 'once');
select is(pg_temp.claimed(:old), :a_5::text, 'and handed out');
select results_eq($$ select action, detail from millrace.operator_action where action like '%\_kind' order by at $$,
                  $$ values ('pause_kind', '{"kind": "a"}'::jsonb), ('resume_kind', '{"kind": "a"}') $$,
                  'who did it is on record');

-- A job that holds a slot of its key keeps it while it is aside.
select millrace.enqueue('q', 'new', concurrency_key => 'k') as keyed_1,
       millrace.enqueue('q', 'b', concurrency_key => 'k') as keyed_2 \gset
select is(pg_temp.claimed(:old), '', 'the first of its key is aside, and the others wait for it');
select row_eq(format('select state from millrace.jobs where id = %s', :keyed_1), row('available'::text), 'available');
select row_eq(format('select state from millrace.jobs where id = %s', :keyed_2), row('blocked'::text), 'blocked');
select is(pg_temp.claimed(:new), :keyed_1::text, 'who handles it gets it');
select millrace.complete(fence, job_id) from millrace.running where job_id = :keyed_1 \g /dev/null
select is(pg_temp.claimed(:old), :keyed_2::text, 'and then the next one goes');

-- A unique key that lasts until the start is kept while the job is aside.
select millrace.enqueue_unique('q', 'new', '{}', 'u', 'started') \g /dev/null
select is(pg_temp.claimed(:old), '', 'put aside');
select isnt_empty($$ select from millrace.unique_job where unique_key = 'u' $$, 'it has not started');
select is(count(*), 1::bigint, 'who handles it starts it') from millrace.claim(:new, 'q', 100);
select is_empty($$ select from millrace.unique_job where unique_key = 'u' $$, 'now it has');

-- A row without its job is handed out, to be seen to fail.
select millrace.enqueue('q', 'b') as lost \gset
delete from millrace.job where id = :lost;
select is(pg_temp.claimed(:old), :lost::text, 'nobody knows its kind, and it must not vanish');

-- Bad input.
select throws_ok(format('select millrace.%s(%L)', f, k), 'MR005', f || ': bad kind', f || ' refuses ' || coalesce(left(k, 9), 'null'))
  from unnest('{pause_kind,resume_kind}'::text[]) f, unnest(array['', repeat('k', 101), null]) k;
select throws_ok(format($$ select millrace.open_session('w', '{q}', kinds => %L) $$, k), 'MR005',
                 'open_session: bad kinds', 'a null, or too many')
  from (values (array['a', null]), (array_fill('k'::text, array[1001]))) v(k);
select * from finish();
rollback;
