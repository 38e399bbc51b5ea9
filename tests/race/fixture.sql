-- fixture: what every spec stands on. Loaded once into a copy of the template database; each spec has a clone of it.
--
-- race.start() makes a world in which nothing differs from run to run: jobs and sessions are numbered from 1, time is
-- noon and moves only by hand, queue `q` is empty, and sessions 1 and 2 belong to workers w1 and w2. Jobs bear their
-- name as their kind. Fences are random and never printed: race.claim() notes them down, race.fence() looks them up.
set client_min_messages = warning;
\ir ../support/sql/fake_clock.sql

create schema race;

create table race.handed (number int generated always as identity, session int, job_id bigint, fence bigint);
create table race.effect (made_by text);  -- what handlers write in their own transactions

create procedure race.start()
language plpgsql
as $$
begin
    truncate millrace.job, millrace.ready, millrace.scheduled, millrace.running, millrace.finished,
             millrace.dead_letter, millrace.attempt_failure, millrace.settle_receipt, millrace.worker, millrace.lane,
             millrace.queue_signal, millrace.queue_count, millrace.queue, millrace.queue_delta,
             millrace.operator_action, millrace.blocked, millrace.follow_up, millrace.key_limit,
             millrace.concurrency_key, millrace.unique_job, millrace.batch, millrace.batch_member,
             millrace.batch_count, millrace.kind, millrace.kind_lane, millrace.schedule, millrace.schedule_due,
             millrace.schedule_run, millrace.bucket, millrace.key_due, millrace.history_mark,
             notify.user_settings, notify.user_preference, notify.suppression, notify.bounce, notify.event, notify.email,
             notify.pending, notify.collected, notify.digest, notify.digest_member, notify.delivery,
             notify.queue_owner,
             forks.fork, forks.push_intent, forks.sync_result, forks.digest_group, forks.run, forks.run_item,
             forks.digest, forks.token_pause, forks.token_use, forks.run_step, forks.step_item,
             pipeline.queue, pipeline.request, pipeline.request_uri, pipeline.build, pipeline.validation_fact,
             pipeline.command_run, pipeline.command_log, pipeline.superseded_fact, pipeline.project,
             pipeline.request_project, pipeline.bisect, pipeline.sink, pipeline.event, pipeline.look,
             race.handed, race.effect
             restart identity;
    perform setval('notify.digest_id', 1, false);
    update notify.house set digest_queue = 'q', looked_at = 0;
    update notify.event_type set queue = 'q';
    perform setval('millrace.job_id', 1, false);
    perform millrace.adopt();
    perform millrace_test.set_clock((i.first_day + time '12:00') at time zone 'utc') from millrace.installation i;
    perform millrace.create_queue('q', retry_base => '1 s', retry_cap => '1 s');
    perform millrace.open_session('w1', '{q}', lease => '30 s');
    perform millrace.open_session('w2', '{q}', lease => '30 s');
end
$$;

create procedure race.enqueue(variadic names text[])  -- in one transaction
language sql
as $$ select millrace.enqueue('q', n.name) from unnest(names) n(name) $$;

create function race.claim(session int, max_jobs int default 1)
returns text  -- their names
language sql
as $$
    with got as (
        select c.job_id, c.fence, c.kind from millrace.claim(session, 'q', max_jobs) c
    ), noted as (
        insert into race.handed (session, job_id, fence) select session, g.job_id, g.fence from got g
    )
    select coalesce(string_agg(g.kind, ' ' order by g.job_id), 'nothing') from got g
$$;

create function race.fence(session int, job_id bigint)
returns bigint
language sql
as $$
    select h.fence from race.handed h where h.session = $1 and h.job_id = $2 order by h.number desc limit 1
$$;

create function race.settle(session int, job_id bigint, outcome text default 'completed')
returns text  -- whether the fence still held the job, or had settled it so before
language sql
as $$
    select case when cardinality(millrace.settle_many(array[job_id], array[race.fence(session, job_id)],
                                                      array[outcome], array['it failed'], array[interval '1 s'])) = 0
                then 'accepted' else 'refused' end
$$;

create function race.complete_with_successor(session int, job_id bigint, successor text)
returns text
language sql
as $$
    select case when cardinality(millrace.settle_many(
                        array[job_id], array[race.fence(session, job_id)],
                        successors => jsonb_build_array(jsonb_build_object('after', job_id, 'queue', 'q',
                                                                           'kind', successor)))) = 0
                then 'accepted' else 'refused' end
$$;

create function race.assert_lease(session int, job_id bigint)
returns text
language plpgsql
as $$
begin
    perform millrace.assert_lease(race.fence(session, job_id), job_id);
    return 'held';
exception when sqlstate 'MR001' then
    raise exception using errcode = 'MR001', message = 'lease lost';  -- without the fence
end
$$;

create procedure race.complete_or_raise(session int, job_id bigint)
language plpgsql
as $$
begin
    perform millrace.complete(race.fence(session, job_id), job_id);
exception when sqlstate 'MR001' then
    raise exception using errcode = 'MR001', message = 'lease lost';  -- without the fence
end
$$;

create function race.promote(max_jobs int default 1000)
returns int
language sql
as $$ select p.promoted from millrace.promote(max_jobs) p $$;

create function race.tick()
returns int
language sql
as $$ select t.enqueued from millrace.tick_schedules() t $$;

-- Notifications: ada has a digest at one o'clock, if any; what she is told of is called by its subject.
create procedure race.hear(mode text)
language sql
as $$
    select notify.configure('ada', jsonb_build_object('email', 'ada@example.org', 'delivery_mode', mode,
                                                      'digest_hour', 13))
$$;

create function race.tell(subject text, dedup_key text default null)
returns text
language sql
as $$
    select format('%s, pending %s, collected %s', case when e.is_new then 'new' else 'known' end, e.pending, e.collected)
      from notify.emit('cl.comment.created', null, '{ada}', subject, 'T', dedup_key => dedup_key) e
$$;

create function race.take_on(session int, job_id bigint)
returns text
language plpgsql
as $$
begin
    return (select coalesce(string_agg(d.subject, ' '), 'nothing')
              from notify.digest_of(race.fence(session, job_id), job_id) d);
exception when sqlstate 'MR001' then
    raise exception using errcode = 'MR001', message = 'lease lost';  -- without the fence
end
$$;

create function race.send_digest(session int, job_id bigint)
returns text
language plpgsql
as $$
begin
    perform race.record_delivery(session, job_id);
    return race.settle(session, job_id);
end
$$;

create function race.record_delivery(session int, job_id bigint)
returns int  -- emails
language plpgsql
as $$
begin
    return notify.record_delivery(race.fence(session, job_id), job_id, 'sent',
                                  message_id => format('<%s>', job_id));
exception when sqlstate 'MR001' then
    raise exception using errcode = 'MR001', message = 'lease lost';  -- without the fence
end
$$;

create procedure race.wait(longer interval)
language sql
as $$ update millrace_test.clock set at = at + longer $$;

-- How a permutation ends: where each job is, what handlers have written, and whether the counts that are kept say the
-- same as the tables.
create view race.counts as
select case when said = found then 'right' else format('they say %s, the tables %s', said, found) end as counts
  from (select array[q.available, q.scheduled, q.blocked, q.running, q.dead, q.completed, q.cancelled] as said
          from millrace.queues q) s
 cross join (select array[count(*) filter (where j.state = 'available'), count(*) filter (where j.state = 'scheduled'),
                          count(*) filter (where j.state = 'blocked'), count(*) filter (where j.state = 'running'),
                          count(*) filter (where j.state = 'discarded'),
                          count(*) filter (where j.state = 'completed'),
                          count(*) filter (where j.state = 'cancelled')] as found
               from millrace.jobs j) f;

create view race.outcome as
select o.outcome
  from (select j.id, j.kind || ' ' || j.state || coalesce(' by ' || j.worker, '') || ', attempt ' || j.attempt
          from millrace.jobs j
        union all
        select 1000, 'written by ' || e.made_by from race.effect e
        union all
        select 1001, 'counts: ' || c.counts from race.counts c) o(place, outcome)
 order by o.place, o.outcome;

-- A group of one fork, all on queue `q`.
create procedure race.start_forks()
language plpgsql
as $$
begin
    perform forks.configure_group('default', '{"queue": "q", "email_queue": "q", "recipients": ["ada@example.org"]}');
    perform forks.add_fork('acme/widget', '/srv/a', '/srv/b', queue => 'q');
end
$$;

create view race.fork_outcome as
select o.outcome
  from (select 0, format('run %s %s, %s digests', r.id, r.state, (select count(*) from forks.digests d where d.run = r.id))
          from forks.runs r
        union all
        select 1, o.outcome from race.outcome o) o(place, outcome)
 order by o.place, o.outcome;

-- A pipeline queue of one slot, its jobs on queue `q`, and heads named u1, u2 … that nobody processes but the specs.
create procedure race.start_pipeline(heads int)
language plpgsql
as $$
begin
    perform pipeline.create_queue('p', '/srv/p.git', 'main', '{make}', job_queue => 'q');
    perform pipeline.ingest('p', 'u' || n) from generate_series(1, heads) n;
end
$$;

create view race.pipeline_outcome as
select o.outcome
  from (select r.number, format('request %s %s, attempt %s', r.number, r.state, r.attempt) from pipeline.requests r
        union all
        select 100 + j.id, format('%s %s %s', replace(j.kind, 'pipeline.', ''), j.payload ->> 'request', j.state)
          from millrace.jobs j
        union all
        select 1001, 'counts: ' || c.counts from race.counts c) o(place, outcome)
 order by o.place, o.outcome;

-- The same for schedules: when each is due next, and which of its times have run.
create view race.schedule_outcome as
select o.outcome
  from (select 0, format('%s next %s, ran %s', s.name, to_char(s.next_run_at at time zone 'UTC', 'HH24:MI'),
                         coalesce((select string_agg(to_char(r.due_at at time zone 'UTC', 'HH24:MI'), ' '
                                                     order by r.due_at)
                                     from millrace.schedule_runs r
                                    where r.schedule = s.name), 'never'))
          from millrace.schedules s
        union all
        select 1, o.outcome from race.outcome o) o(place, outcome)
 order by o.place, o.outcome;

-- The same for notifications.
create view race.told as
select o.outcome
  from (select 0, format('%s %s', m.subject, m.status || coalesce(' in ' || m.message_id, '')) from notify.emails m
        union all
        select 1, o.outcome from race.outcome o) o(place, outcome)
 order by o.place, o.outcome;
