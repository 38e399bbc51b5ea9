-- claim_turn.sql: large asynchronous claims of a queue take turns; nobody waits for a turn for long, and nothing else
-- takes one. Transactions are the subject: this file has none around it and wants a database of its own.
set client_min_messages = warning;
create extension if not exists pgtap;
create extension if not exists dblink;
\ir ../support/sql/observe.sql
select plan(13);

select millrace.create_queue('q') as q \gset
select millrace.create_queue('other') as q \gset
select millrace.open_session('one', '{q}') as one \gset
select millrace.open_session('two', '{q}') as two \gset
select cardinality(millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[1000]))) as jobs \gset
select dblink_connect('one', millrace_test.here()) as connected \gset

create function pg_temp.turns()  -- held by session one
returns bigint
language sql
as $$
    select count(*)
      from pg_locks l
     where l.locktype = 'advisory' and l.classid = 7712 and l.granted
       and l.database = (select d.oid from pg_database d where d.datname = current_database())
$$;
create function pg_temp.claim_elsewhere(session int, arguments text)
returns bigint
language sql
as $$
    select r.amount
      from dblink('one', format($q$select count(*) from millrace.claim(%s, %s)$q$, session, arguments)) r(amount bigint)
$$;
create procedure pg_temp.elsewhere(statement text)
language plpgsql
as $$
begin
    perform dblink_exec('one', statement);
end
$$;

call pg_temp.elsewhere('begin');
select is(pg_temp.claim_elsewhere(:one, $$'q', 99, async => true$$), 99::bigint, 'a small claim');
select is(pg_temp.turns(), 0::bigint, 'takes no turn');
call pg_temp.elsewhere('commit');

call pg_temp.elsewhere('begin');
select is(pg_temp.claim_elsewhere(:one, $$'q', 100$$), 100::bigint, 'a claim that waits for the disk');
select is(pg_temp.turns(), 0::bigint, 'takes no turn: more may follow in its transaction');
call pg_temp.elsewhere('commit');

call pg_temp.elsewhere('begin');
select r.amount from dblink('one', $$select cardinality(millrace.enqueue_many('other', 'k', array['{}'::jsonb]))$$)
                     r(amount int) \gset
select is(pg_temp.claim_elsewhere(:one, $$'q', 100, async => true$$), 100::bigint, 'a claim after something written');
select is(pg_temp.turns(), 0::bigint, 'takes no turn: it is not the first in its transaction');
call pg_temp.elsewhere('commit');

call pg_temp.elsewhere('begin');
select is(pg_temp.claim_elsewhere(:one, $$'q', 100, async => true$$), 100::bigint, 'a large asynchronous claim');
select is(pg_temp.turns(), 1::bigint, 'holds the turn until its transaction ends');
set statement_timeout = '20s';
select is((select count(*) from millrace.claim(:two, 'q', 100, async => true)), 100::bigint,
          'who does not get the turn, because its holder was suspended, claims beside it after a moment');
select is((select count(*) from millrace.claim(:two, 'q', 99, async => true)), 99::bigint,
          'and small claims do not ask for it');
set statement_timeout = 0;
call pg_temp.elsewhere('commit');
select is(pg_temp.turns(), 0::bigint, 'then it is free');

-- Waiting shows only in the lock that is asked for.
call pg_temp.elsewhere('begin');
select pg_temp.claim_elsewhere(:one, $$'q', 100, async => true$$) as amount \gset
set lock_timeout = '1h';
select is((select count(*) from millrace.claim(:two, 'q', 100, async => true)), 100::bigint,
          'the caller''s own lock_timeout does not prolong it');
select is(current_setting('lock_timeout'), '1h', 'and is as it was');
call pg_temp.elsewhere('commit');

select * from finish();
