-- fail_closed: a stage that will never be run again must not leave its request waiting.
--
--     request: accepted, processing ──dead letter of a stage──► failed, its slot is free, the next is processed
--     request: succeeded, failed    ──dead letter of record or analyze──► failed, for want of a verdict
--     project: pending              ──dead letter of its stage──► failed, which counts as broken
--     command_run: accepted, running ──dead letter of pipeline.run──► failed, as pipeline.buildsignal will find; of a
--                  search for a culprit cancelled, since nothing is known of the commit
--     search for a culprit          ──dead letter of a step──► given up
--
-- A stage that was cancelled, or has expired, will not be run again either, and is taken for a dead letter. But for
-- pipeline.run: whoever cancels that calls the build off, and nothing is known of the commit.
--
--     build: accepted, running ──nobody waits for it any more──► cancelled
--
-- A command is ended here and now: its job is taken back, or asked to stop. A service has to be told, which may take
-- several attempts: the job pipeline.calloff does that, and writes the build's end. Where that cannot be done, the end
-- is written all the same, because a build that is under way keeps the runner from being changed.
--
-- In the transaction that ends the job, whoever does: a settle, the reaper, an operator. A stage that is replayed
-- afterwards finds its request ended, and does nothing; pipeline.revalidate begins again.
--
-- Locks   the row of pipeline.queue, after the row of running, and before those of builds and command runs; for a
--         cancelled pipeline.run that of the command_run alone. A stage locks the first two the other way round: where
--         the reaper meets one that still runs, PostgreSQL ends one of the two, and both can be repeated.
-- Raises  nothing for a payload that makes no sense.
-- Rows    1 or 2 of the pipeline, and those of one enqueue, for each build that has not ended, too; for a job of
--         another kind, one look at its row. Jobs that are completed cost the condition of the trigger.

create or replace function pipeline.fail_closed()
returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    how constant text := coalesce(tg_argv[0], 'dead letter');
    why constant text := concat_ws(': ', how, coalesce(to_jsonb(new) ->> 'error', to_jsonb(new) ->> 'note'));
    dead record;
    known pipeline.queue;
begin
    select j.kind, j.payload into dead from millrace.job j where j.id = new.job_id and j.stored_on = new.stored_on;
    if dead.kind = 'pipeline.run' and how = 'cancelled' then
        update pipeline.command_run c
           set status = 'cancelled', reason = left(why, 10000),
               log_tail = pipeline.end_of_log(c.queue, c.id, c.attempt), finished_at = millrace.now()
         where c.queue = dead.payload ->> 'queue' and c.id = dead.payload ->> 'build'
           and c.status in ('accepted', 'running');
    elsif dead.kind like 'pipeline.%' and jsonb_typeof(dead.payload) = 'object' then
        select q.* into known from pipeline.queue q where q.name = dead.payload ->> 'queue' for update;
        perform pipeline.fail_stage(known, dead.kind, dead.payload, why) where known.name is not null;
    end if;
    return null;
end
$$;

create or replace function pipeline.fail_stage(known pipeline.queue, kind text, payload jsonb, why text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    dead pipeline.build;
    of_request pipeline.request;
begin
    select b.* into dead from pipeline.build b where b.queue = known.name and b.id = payload ->> 'build';
    if kind = 'pipeline.run' then
        update pipeline.command_run c
           set status = case when dead.uri is null then 'failed' else 'cancelled' end, reason = left(why, 10000),
               log_tail = pipeline.end_of_log(c.queue, c.id, c.attempt), finished_at = millrace.now()
         where c.queue = known.name and c.id = payload ->> 'build' and c.status in ('accepted', 'running');
        return;
    elsif kind = 'pipeline.calloff' then
        update pipeline.build b
           set status = 'cancelled', reason = left(why, 10000), version = b.version + 1, finished_at = millrace.now()
         where b.queue = known.name and b.id = dead.id and b.status in ('accepted', 'running');
        return;
    elsif (payload ->> 'request' ~ '^[1-9][0-9]{0,17}$') is not true then
        return;
    end if;
    select r.* into of_request from pipeline.request r
     where r.queue = known.name and r.number = (payload ->> 'request')::bigint;
    if of_request.number is null
       or coalesce(greatest(dead.run, substring(payload ->> 'run' from '^[0-9]{1,9}$')::int), of_request.first_run)
          < of_request.first_run then
        perform pipeline.call_off(dead);  -- and no more: a revalidation has begun since
    elsif kind = 'pipeline.bisect' or dead.uri is not null or payload ? 'uri' then
        update pipeline.bisect b set state = 'given up', finished_at = millrace.now()
         where b.queue = known.name and b.request = of_request.number and b.state = 'searching';
        perform pipeline.call_off(dead);
    elsif coalesce(dead.project, payload ->> 'project', '') <> '' then
        perform pipeline.settle_project(known.name, of_request.number, coalesce(dead.project, payload ->> 'project'),
                                        'failed');
        perform pipeline.call_off(dead);
    elsif kind in ('pipeline.process', 'pipeline.build', 'pipeline.buildsignal') then
        perform pipeline.fail_request(of_request, why) where of_request.state in ('accepted', 'processing');
    elsif kind = 'pipeline.analyze' and of_request.completed_at is null then
        update pipeline.request_project p set state = 'failed'
         where p.queue = known.name and p.request = of_request.number and p.state = 'pending';
        perform pipeline.fail_request(of_request, why);
        perform pipeline.complete_request(known.name, of_request.number);
    elsif kind = 'pipeline.record'
          and not exists (select
                            from pipeline.validation_fact f
                           where f.queue = known.name and f.uri = of_request.uri and f.project = ''
                             and f.request = of_request.number) then
        perform pipeline.fail_request(of_request, why);
    end if;
end
$$;

-- Its builds, if any run, are called off: nobody would look at them. Whoever waits for the slot is woken.
create or replace function pipeline.fail_request(failed pipeline.request, why text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    next bigint;
begin
    update pipeline.request r
       set state = 'failed', reason = left(why, 10000), finished_at = coalesce(r.finished_at, millrace.now()),
           version = r.version + 1
     where r.queue = failed.queue and r.number = failed.number;
    perform pipeline.cancel_command(c.queue, c.id)
       from pipeline.command_run c
      where c.queue = failed.queue and c.request = failed.number and c.status in ('accepted', 'running');
    perform pipeline.call_off(b) from pipeline.build b where b.queue = failed.queue and b.request = failed.number;
    if failed.state not in ('accepted', 'processing') then
        return;
    end if;
    next := pipeline.latest_accepted(failed.queue);
    perform millrace.enqueue(q.job_queue, 'pipeline.process',
                             jsonb_build_object('queue', q.name, 'request', next))
       from pipeline.queue q
      where q.name = failed.queue and next is not null;
end
$$;

-- Nothing for a build that has ended, or that there is not.
create or replace function pipeline.call_off(build pipeline.build)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if build.status in ('accepted', 'running') then
        perform pipeline.cancel_command(build.queue, build.id);
        perform millrace.enqueue(q.job_queue, 'pipeline.calloff',
                                 jsonb_build_object('queue', q.name, 'request', build.request, 'build', build.id))
           from pipeline.queue q
          where q.name = build.queue;
    end if;
end
$$;

-- A dead letter that an operator throws away has a worker, but no claim: it has failed closed before.
do $$
begin
    if not exists (select from pg_catalog.pg_trigger t
                    where t.tgname = 'pipeline_fails_closed' and t.tgrelid = 'millrace.dead_letter'::regclass) then
        create trigger pipeline_fails_closed after insert on millrace.dead_letter
            for each row execute function pipeline.fail_closed('dead letter');
    end if;
    if not exists (select from pg_catalog.pg_trigger t
                    where t.tgname = 'pipeline_fails_closed' and t.tgrelid = 'millrace.finished'::regclass) then
        create trigger pipeline_fails_closed after insert on millrace.finished
            for each row when (new.outcome = 'cancelled' and (new.claimed_at is not null or new.worker is null))
            execute function pipeline.fail_closed('cancelled');
    end if;
end
$$;
