-- doctor.sql: a healthy installation has no findings; each cause is brought about and named, alone and beside each other.
--
-- Sessions beside this one hold the horizon. Wants a server of its own: whatever is open elsewhere would be found, too.
set client_min_messages = warning;
create extension if not exists pgtap;
create extension if not exists dblink;
\ir ../support/sql/observe.sql
create function pg_temp.open(name text)
returns text
language sql
as $$ select dblink_connect(name, millrace_test.here() || ' application_name=' || name) $$;
select pg_temp.open('session' || n) from generate_series(1, 9) n \g /dev/null
select plan(57);

-- Settings as a new session has them.
create function pg_temp.settings()
returns text
language sql
as $$
    select dblink_disconnect('session1'), pg_temp.open('session1');
    select f from dblink('session1', 'select string_agg(finding, '', '' order by rank) from millrace.doctor()
                                       where finding ~ ''^(autovacuum|synchronous_commit|track_counts) off$''') d(f text);
$$;
select current_database() as here \gset
alter database :"here" set synchronous_commit = on;
select is(pg_temp.settings(), null, 'a session that commits for good');
-- The server reads its own settings again when it comes to it.
create procedure pg_temp.wait_for_settings(wanted text)
language plpgsql
as $$
begin
    for look in 1 .. 1000 loop
        exit when pg_temp.settings() is not distinct from wanted;
        perform pg_sleep(0.01);
    end loop;
end
$$;
alter system set autovacuum = off;
select pg_reload_conf() \g /dev/null
call pg_temp.wait_for_settings('autovacuum off');
select coalesce(pg_temp.settings(), 'nothing') as unswept \gset
alter system reset autovacuum;
select pg_reload_conf() \g /dev/null
call pg_temp.wait_for_settings(null);
select is(:'unswept'::text, 'autovacuum off', 'a server that removes no dead rows');
alter database :"here" set synchronous_commit = off;
alter database :"here" set track_counts = off;
select is(pg_temp.settings(), 'synchronous_commit off, track_counts off', 'one of which that is not known, and uncounted');
set synchronous_commit = on;
select is(count(*), 0::bigint, 'the setting of a session is its own') from millrace.doctor() where finding = 'track_counts off';
alter database :"here" reset synchronous_commit;
alter database :"here" reset track_counts;
select dblink_disconnect('session1'), pg_temp.open('session1') \g /dev/null

begin;
\ir ../support/sql/fake_clock.sql
grant pg_read_all_stats to millrace_owner;
-- What the sessions begin within the next 55 minutes is more than five minutes old.
select millrace_test.set_clock(clock_timestamp() + interval '1 h') \g /dev/null

-- Settings are this server's own: the clusters of tests are not durable.
create function pg_temp.findings()
returns text
language sql
as $$
    select string_agg(distinct d.finding, ', ' order by d.finding)
      from millrace.doctor() d
     where d.finding not in ('fsync off', 'full_page_writes off', 'synchronous_commit off')
           -- the server may begin to analyze a table meanwhile
       and (d.finding <> 'horizon pinned' or d.about in (select 'session ' || a.pid
                                                           from pg_stat_activity a
                                                          where a.application_name ~ '^session[1-9]$'))
$$;
create function pg_temp.ago(span interval, statement text)
returns void
language plpgsql
as $$
begin
    perform millrace_test.advance_clock(-span);
    execute statement;
    perform millrace_test.advance_clock(span);
end
$$;
create function pg_temp.beat(name text)
returns timestamptz
language sql volatile
as $$ select millrace.heartbeat((select w.id from millrace.worker w where w.name = beat.name)) $$;
create function pg_temp.hold(sessions int, mode text)
returns void
language plpgsql
as $$
begin
    for n in 1 .. sessions loop
        perform dblink_exec('session' || n, 'begin isolation level repeatable read');
        perform * from dblink('session' || n, format('select %s::text', mode)) d(x text);
    end loop;
end
$$;
create function pg_temp.let_go()
returns void
language sql
as $$ select dblink_exec('session' || n, 'rollback') from generate_series(1, 9) n $$;

-- Health.
select set_eq('select finding from millrace.doctor()',
              $$ select name || ' off' from pg_settings
                  where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'autovacuum', 'track_counts')
                    and reset_val = 'off' $$, 'an empty installation has nothing but what the server lacks');
select millrace.create_queue('busy', max_attempts => 2, key_limit => 1), millrace.create_queue('idle'),
       millrace.create_queue('waiting') \g /dev/null
select millrace.pause_queue('idle'), millrace.create_schedule('hourly', '@hourly', 'idle', 'k') \g /dev/null
select millrace.open_session('w', '{busy,idle,waiting}', lease => '1 h') as session \gset
create procedure pg_temp.work()
language plpgsql
as $$
declare
    session constant int := (select max(id) from millrace.worker);
begin
    perform pg_temp.ago('25 h', 'select millrace.enqueue(''busy'', ''old'')');
    perform pg_temp.ago('25 h', format('select millrace.discard(c.fence, c.job_id, ''bad'')
                                          from millrace.claim(%s, ''busy'', 1) c', session));
    perform millrace.enqueue('busy', 'k', concurrency_key => 'a') from generate_series(1, 3);
    perform millrace.enqueue('waiting', 'k', delay => '1 day');
    perform millrace.fail(c.fence, c.job_id, 'boom', '1 day') from millrace.claim(session, 'busy', 1) c;
    perform millrace.enqueue('busy', 'k') from generate_series(1, 3);
    perform from millrace.claim(session, 'busy', 1);
end
$$;
savepoint health;
call pg_temp.work();
update millrace.scheduled set run_at = millrace.now() + interval '59 min' where waits_for = 'retry';
select is(pg_temp.findings(), null, 'one that works, retries, waits and has old dead letters has none, either');
rollback to health;

-- One cause. A few bring another with them.
create temp table causes (place int generated always as identity, finding text, severity text, besides text[] default '{}',
                          statement text);
insert into causes (finding, severity, statement) values
    ('table without autovacuum', 'warning', 'alter table millrace.batch set (autovacuum_enabled = no)'),
    ('horizon pinned', 'warning', $$ select pg_temp.hold(1, '1') $$),
    ('no worker', 'critical', $$ select pg_temp.ago('61 s', $a$ select millrace.create_queue('orphan'),
                                                                       millrace.enqueue('orphan', 'k') $a$) $$),
    ('queue behind', 'warning', $$ select pg_temp.ago('901 s', $a$ select millrace.enqueue('busy', 'k') $a$) $$),
    ('queue paused', 'warning',
     $$ select pg_temp.ago('601 s', $a$ select millrace.create_queue('paused'), millrace.pause_queue('paused') $a$),
               millrace.enqueue('paused', 'k') $$),
    ('kind without worker', 'critical',
     $$ select pg_temp.ago('61 s', $a$ select millrace.create_queue('picky'), millrace.enqueue('picky', 'strange'),
               (select count(*) from millrace.claim(millrace.open_session('p', '{picky}', lease => '1 h',
                                                                          kinds => '{known}'), 'picky', 1)) $a$) $$),
    ('kind paused', 'warning',
     $$ select pg_temp.ago('601 s', $a$ select millrace.create_queue('drowsy'), millrace.enqueue('drowsy', 'sleepy'),
               millrace.pause_kind('sleepy'),
               (select count(*) from millrace.claim(millrace.open_session('d', '{drowsy}', lease => '1 h'),
                                                    'drowsy', 1)) $a$) $$),
    ('dead letters', 'warning',
     $$ select millrace.discard(c.fence, c.job_id, 'bad')
          from (select millrace.enqueue('waiting', 'k')) e
         cross join lateral (select c.* from millrace.claim((select max(id) from millrace.worker where name = 'w'),
                                                            'waiting', 1) c where e is not null) c $$),
    ('nobody reaps', 'critical',
     $$ select pg_temp.ago('91 s', $a$ select millrace.open_session('gone', '{idle}', lease => '30 s') $a$) $$),
    ('nobody promotes', 'critical',
     $$ select pg_temp.ago('2 h', $a$ select millrace.enqueue('idle', 'k', delay => '1 h 58 min 59 s') $a$) $$),
    ('counts not folded', 'warning',
     $$ insert into millrace.queue_delta (queue_id)
        select max(q.id) from millrace.queue q, generate_series(1, 100001) n group by n $$),
    ('bloat', 'warning', $$ update pg_class set relpages = 20000, reltuples = 5 where oid = 'millrace.ready'::regclass $$),
    ('mixed versions', 'note',
     $$ select millrace.open_session('x', '{idle}', lease => '1 h');
        update millrace.worker set version = name, started_at = millrace.now() - interval '25 h' $$),
    ('no day ahead', 'warning',
     $$ update millrace.installation set last_day = (millrace.now() at time zone 'utc')::date $$),
    ('old day kept', 'warning',
     $$ update millrace.installation set first_day = (millrace.now() at time zone 'utc')::date - 17 $$),
    ('schedule fails', 'warning',
     $$ select pg_temp.ago('2 min', $a$ select millrace.create_queue('small'),
               millrace.create_schedule('fails', '* * * * *', 'small', 'k', '{"a": "too long by then"}'),
               millrace.configure_queue('small', '{"max_payload_bytes": 5}') $a$), millrace.tick_schedules() $$),
    ('schedule skipped', 'note',
     -- the last of its times is ten minutes past, whatever the hour
     $$ select pg_temp.ago('2 h', format($a$ select millrace.create_schedule('skips', '%s * * * *', 'idle', 'k',
                                                                             misfire => 'skip') $a$,
                                         extract(minute from millrace.now() at time zone 'utc' - interval '10 min'))),
               millrace.tick_schedules() $$),
    ('schedule late', 'critical',
     $$ select pg_temp.ago('361 s', $a$ select millrace.create_schedule('late', '* * * * *', 'idle', 'k') $a$) $$),
    ('schedule paused', 'note',
     $$ select pg_temp.ago('26 h', $a$ select millrace.create_schedule('paused', '@hourly', 'idle', 'k'),
                                              millrace.pause_schedule('paused') $a$) $$),
    ('stuck jobs', 'warning',
     $$ select pg_temp.ago('20 min', $a$ select millrace.create_queue('stuck', timeout => '19 min 49 s'),
               millrace.enqueue('stuck', 'k'),
               (select job_id from millrace.claim(millrace.open_session('s', '{stuck}', lease => '1 h'), 'stuck', 1))
               $a$) $$),
    ('key held', 'warning',
     $$ select pg_temp.ago('61 min', $a$ select millrace.create_queue('keyed'),
               millrace.enqueue('keyed', 'k', concurrency_key => 'ann'),
               millrace.enqueue('keyed', 'k', concurrency_key => 'ann'),
               (select job_id from millrace.claim(millrace.open_session('k', '{keyed}', lease => '1 h'), 'keyed', 2))
               $a$), pg_temp.beat('k') $$);
insert into causes (finding, severity, besides, statement) values
    ('low-water held', 'warning', '{horizon pinned}', $$ select pg_temp.hold(9, 'pg_current_xact_id()') $$);
insert into causes (finding, severity, statement) values
    ('foreign database', 'critical', $$ update millrace.installation set database_name = 'elsewhere', database_oid = 1 $$);

-- What the doctor finds when all of them hold; nothing of it stays.
create function pg_temp.found(places int[], out findings text, out wanted text)
language plpgsql
as $$
declare
    cause record;
begin
    begin
        for cause in select c.* from causes c where c.place = any (places) order by c.place
        loop
            execute cause.statement;
        end loop;
        findings := pg_temp.findings();
        raise exception using errcode = 'ZZ001';
    exception when sqlstate 'ZZ001' then
        null;
    end;
    perform pg_temp.let_go();
    select string_agg(distinct f, ', ' order by f)
      into wanted
      from causes c
     cross join unnest(c.finding || c.besides) f
     where c.place = any (places);
end
$$;
select is(f.findings, f.wanted, 'alone: ' || c.finding) from causes c cross join lateral pg_temp.found(array[c.place]) f
 order by c.place;
select is_empty($$ select a.finding, b.finding, f.findings
                     from causes a
                     join causes b on b.place > a.place and not (a.finding = 'horizon pinned' and b.finding = 'low-water held')
                    cross join lateral pg_temp.found(array[a.place, b.place]) f
                    where f.findings is distinct from f.wanted $$, 'each pair of them: both, and nothing else');
select is(f.findings, f.wanted, 'all at once') from pg_temp.found(array(select place from causes where finding <> 'horizon pinned')) f;

-- In which order, how many, and in what words.
savepoint words;
do $$
declare
    cause record;
begin
    for cause in select c.* from causes c order by c.place
    loop
        continue when cause.finding = 'low-water held';
        execute cause.statement;
    end loop;
    for n in 1 .. 24 loop
        perform pg_temp.ago('20 min', format('select millrace.create_queue(%1$L), millrace.pause_queue(%1$L)', 'p' || n));
        perform millrace.enqueue('p' || n, 'k');
    end loop;
end
$$;
set local role millrace_viewer;
create temp table seen as select * from millrace.doctor();
reset role;
select is_empty($$ select * from seen s left join causes c using (finding)
                    where s.severity is distinct from c.severity and s.finding !~ ' off$' $$, 'each is as grave as it is');
select is_empty($$ select * from (select severity, lag(severity) over (order by rank) as before from seen) s
                    where array_position('{critical,warning,note}', severity) < array_position('{critical,warning,note}', before) $$,
                'the gravest come first');
select is(count(*), 20::bigint, 'of one finding there are twenty rows at most') from seen where finding = 'queue paused';
select is(count(*), 1::bigint, 'the last of them says how many there are') from seen where detail like '%; and 5 more like it';
select is_empty($$ select * from seen where about is null or detail is null or remedy is null $$, 'all is filled in');
select set_eq($$ select finding, about, regexp_replace(detail, '[0-9-]{10} [0-9:]{8} UTC', 'T', 'g'), remedy from seen
                  where finding in ('no worker', 'stuck jobs', 'key held', 'dead letters', 'nobody reaps', 'queue behind') $$,
              format($$ values
    ('no worker', 'orphan', '1 jobs are available, the oldest for 61 s, and no worker that lives takes them',
     'millrace worker --queue orphan'),
    ('queue behind', 'busy', '1 jobs are available, the oldest for 901 s; 0 run', 'more slots: millrace worker --queue busy=N'),
    ('dead letters', 'waiting', '1 in the last 24 hours, 1 in all; the last one: bad',
     'millrace jobs list --queue waiting --state discarded, then replay or discard'),
    ('nobody reaps', 'gone', '1 sessions whose lease ran out, the first at T, are not reaped; their jobs wait',
     'start a worker, or select millrace.reap()'),
    ('stuck jobs', 'stuck', 'past its deadline: 1 jobs, the first since T: %s',
     'select * from millrace.stuck_jobs; millrace jobs show ID'),
    ('key held', 'keyed/ann', 'job %s runs since T; others wait for the key', 'select millrace.cancel(%2$s)') $$,
                     (select job_id from millrace.running r join millrace.queue q on q.id = r.queue_id where q.name = 'stuck'),
                     (select job_id from millrace.running r join millrace.queue q on q.id = r.queue_id where q.name = 'keyed')),
              'some of them word by word');
rollback to words;
select pg_temp.let_go() \g /dev/null

-- A claim that waits, and for whom. The session is that of a worker by its name.
select dblink_exec('session2', 'set application_name = ''millrace claimer busy''') \g /dev/null
select dblink_exec('session1', 'do $d$ begin perform pg_advisory_lock(7); end $d$') \g /dev/null
select dblink_send_query('session2', 'select pg_advisory_lock(7)::text') \g /dev/null
create procedure pg_temp.await(event text)
language plpgsql
as $$
begin
    for look in 1 .. 3000 loop
        perform pg_stat_clear_snapshot();
        if exists (select from pg_stat_activity a
                    where a.application_name = 'millrace claimer busy' and a.wait_event = event) then
            return;
        end if;
        perform pg_sleep(0.01);
    end loop;
    raise 'the session does not wait for %', event;
end
$$;
call pg_temp.await('advisory');
select a.pid as waiter, a.query_start from pg_stat_activity a where a.application_name = 'millrace claimer busy' \gset
select a.pid as holder from pg_stat_activity a where a.application_name = 'session1' \gset
savepoint slow;
select millrace_test.set_clock(timestamptz :'query_start' + interval '5 s') \g /dev/null
select is_empty($$ select * from millrace.doctor() where finding = 'slow statement' $$, 'a claim may take five seconds');
select millrace_test.set_clock(timestamptz :'query_start' + interval '6 s') \g /dev/null
select row_eq($$ select severity, about, detail, remedy from millrace.doctor() where finding = 'slow statement' $$,
              row('warning'::text, 'session ' || :waiter,
                  format('millrace claimer busy is busy with one statement for 6 s; it waits for Lock advisory, held by '
                         'session %s (%s, idle)', :holder, current_user::text collate "default"),
                  format('see what they do, then end them: select pg_terminate_backend(%s)', :holder)),
              'not more; whoever holds what it waits for is named');
select dblink_exec('session1', 'do $d$ begin perform pg_advisory_unlock(7); end $d$') \g /dev/null
select count(*) from dblink_get_result('session2') d(x text) \g /dev/null
select count(*) from dblink_get_result('session2') d(x text) \g /dev/null
select dblink_send_query('session2', 'select pg_sleep(600)::text') \g /dev/null
call pg_temp.await('PgSleep');
select millrace_test.set_clock(clock_timestamp() + interval '1 h') \g /dev/null
select results_eq($$ select remedy from millrace.doctor() where finding = 'slow statement' $$,
                  $$ values ('look for a pinned horizon, bloat, and what else keeps the server busy: millrace top') $$,
                  'or nobody does');
select dblink_cancel_query('session2') \g /dev/null
select count(*) from dblink_get_result('session2', false) d(x text) \g /dev/null
select count(*) from dblink_get_result('session2', false) d(x text) \g /dev/null
select dblink_exec('session2', 'set application_name = ''session2''') \g /dev/null
rollback to slow;

-- Not before its time.
create function pg_temp.waits(statement text)
returns text
language plpgsql
as $$
declare
    found text;
begin
    begin
        execute statement;
        found := coalesce(pg_temp.findings(), 'nothing');
        raise exception using errcode = 'ZZ001';
    exception when sqlstate 'ZZ001' then
        return found;
    end;
end
$$;
select is(pg_temp.waits(replace(c.statement, e.later, e.sooner)), 'nothing', 'not yet: ' || c.finding)
  from causes c
  join (values ('no worker', '61 s', '60 s'), ('queue behind', '901 s', '900 s'), ('queue paused', '601 s', '600 s'),
               ('kind without worker', '61 s', '60 s'), ('kind paused', '601 s', '600 s'),
               ('nobody reaps', '91 s', '90 s'), ('nobody promotes', '58 min 59 s', '59 min'),
               ('counts not folded', '100001', '100000'), ('schedule late', '361 s', '300 s'),
               ('key held', '61 min', '60 min'), ('old day kept', '17', '16')) e(finding, later, sooner) on e.finding = c.finding
 order by c.place;
select is(pg_temp.waits($$ select pg_temp.ago('91 s', $a$ select millrace.create_queue('left'), millrace.enqueue('left', 'k'),
                                    millrace.open_session('gone', '{left}', lease => '30 s') $a$) $$),
          'no worker, nobody reaps', 'a worker that is lost is no worker');
savepoint rate;
select pg_temp.ago('16 min', $$ select millrace.enqueue('busy', 'k'), millrace.enqueue('busy', 'k'),
                                       millrace.configure_queue('busy', '{"rate": "1 per hour", "burst": 1}') $$) \g /dev/null
select count(*) from millrace.claim(:session, 'busy', 2) \g /dev/null
select row_eq($$ select finding, detail, remedy from millrace.doctor() where about = 'busy' $$,
              row('queue behind'::text, '1 jobs are available, the oldest for 960 s; 1 run, and its rate is 1 per hour'::text,
                  'select millrace.configure_queue(''busy'', ''{"rate": "n per second"}'')'::text), 'the rate of a queue is named');
update millrace.queue set max_running = 1 where name = 'busy';
select row_eq($$ select detail, remedy from millrace.doctor() where about = 'busy' $$,
              row('1 jobs are available, the oldest for 960 s; 1 run, as many as max_running allows'::text,
                  'select millrace.configure_queue(''busy'', ''{"max_running": n}'')'::text), 'or its limit');
rollback to rate;
savepoint given_up;
update millrace.installation set first_day = (millrace.now() at time zone 'utc')::date - 10;
select is(pg_temp.findings(), null, 'an old day may be needed for a second retention');
update millrace.installation set drop_given_up_at = millrace.now() - interval '1 min';
select is(detail, 'somebody held on to the tables at ' || millrace.utc_text(millrace.now() - interval '1 min'),
          'but not if it could not be dropped') from millrace.doctor() where finding = 'old day kept';
rollback to given_up;

-- Whatever waits is not counted.
create function pg_temp.cost()
returns bigint
language plpgsql
as $$
declare
    before constant bigint := millrace_test.pages_touched();
begin
    perform count(*) from millrace.doctor();
    return millrace_test.pages_touched() - before;
end
$$;
select pg_temp.cost() as cost \gset
select millrace.enqueue_many('waiting', 'k', array_fill('{}'::jsonb, array[20000])) \g /dev/null
select cmp_ok(pg_temp.cost() - :cost, '<', 50::bigint, 'another 20,000 jobs that wait make no difference');
select * from finish();
rollback;
