-- start_run, begin_run, plan_run, cancel_run, resume_run, runs, run_items: all branches of a group's forks, and then a
-- digest.
--
--     (nothing) ──start_run──► running: a batch of jobs forks.sync, one for each fork and branch; see stages.sql
--     running, last job has ended ──► the last batch's callback, a job forks.digest ──record_digest──► finished
--     running ──cancel_run──► cancelling: what waits is cancelled, what runs is asked to stop; then cancelled
--     running, its last callback is a dead letter or forgotten ──the next run begins──► given up
--     finished, cancelled, given up ──resume_run──► running: a new batch of what has not succeeded
--
-- A group has one run at a time. The digest comes whatever became of the jobs: completed, dead letter or cancelled.
-- What a job has recorded is not done again: its result stays with the run.
--
-- begin_run is start_run for the job of a schedule: while a run is active it says which one, whether it has been so for
-- more than a day, and starts none; nor does it where no fork is enabled: run is null. A run that nobody leads on any
-- more would keep all others out; it is given up, and the digest of the run that begins instead says so.
--
-- With a run's begin old ones go: retention.sql.
--
-- plan_run says what start_run would do, and does nothing: a row for each branch that would be synchronised, step
-- `sync`, and for each step after that; see stages.sql.
--
-- Locks   the run's row; a second start_run of the same group waits for the first one's commit. cancel_run: as cancel()
--         for each job.
-- Raises  MR005 bad_argument, MR007 invalid_transition (no fork to synchronise; nothing to cancel or resume),
--         MR022 unknown_digest_group, MR023 run_active, MR024 unknown_run.
-- Rows    4 per branch of the group's forks, and 1 per step; those of push_intent whose jobs have ended; those of
--         retention.sql. plan_run: none.

create or replace function forks.start_run(digest_group text)
returns bigint  -- the run
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    begun constant record := forks.begin_run(digest_group);
begin
    if begun.run is null then
        raise exception using errcode = 'MR007', message = format('digest group %L has no fork to synchronise',
                                                                  digest_group),
            hint = 'Add forks to it, or enable them: the view forks.registry has them.';
    elsif not begun.started then
        perform forks.raise_run_active(digest_group, begun.run);
    end if;
    perform millrace.audit('forks.start_run', jsonb_build_object('group', digest_group, 'run', begun.run), 1);
    return begun.run;
end
$$;

set local client_min_messages = warning;
drop function if exists forks.begin_run(text);
reset client_min_messages;

create or replace function forks.begin_run(digest_group text, out run bigint, out started boolean, out overdue boolean)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    stuck bigint;
begin
    if not exists (select from forks.digest_group g where g.name = begin_run.digest_group) then
        perform forks.raise_unknown_group(digest_group);
    end if;
    started := false;
    overdue := false;
    if not exists (select from forks.planned(digest_group) p where p.step = 'sync') then
        return;
    end if;
    loop
        insert into forks.run as r (digest_group, started_at)
        values (begin_run.digest_group, millrace.now())
        on conflict do nothing  -- run_active
        returning r.id into run;
        started := run is not null;
        exit when started;
        run := forks.active_run(digest_group);
        perform forks.locked_run(run) where run is not null;
        if run is not null and forks.is_stuck(run) then
            perform forks.record_failures(run);
            update forks.run r set finished_at = millrace.now() where r.id = begin_run.run;
            stuck := run;
        elsif run is not null and run = forks.active_run(digest_group) then
            overdue := (select r.started_at < millrace.now() - interval '1 day' from forks.run r
                         where r.id = begin_run.run);
            return;
        end if;  -- it has just finished
    end loop;
    update forks.run r set succeeded_by = begin_run.run where r.id = stuck;
    insert into forks.run_item (run_id, fork_id, branch, job_id)
    select begin_run.run, p.fork, p.branch, 0
      from forks.planned(digest_group) p
     where p.step = 'sync';
    insert into forks.run_step (run_id, step, target, branch, fork_id, job_id)
    select begin_run.run, p.step, p.target, p.branch, p.fork, 0
      from forks.planned(digest_group) p
     where p.step <> 'sync';
    perform forks.enqueue_stage(run, 'search');
    -- What was to be pushed by jobs that nobody will repeat any more.
    delete from forks.push_intent p
     where coalesce(millrace.job_state(p.job_id), 'gone') in ('gone', 'completed', 'cancelled');
    -- Of a fork that was disabled this very moment: there is no job that would say so.
    delete from forks.run_item i where i.run_id = begin_run.run and i.job_id = 0;
    perform forks.prune_runs(digest_group);
end
$$;

create or replace function forks.plan_run(digest_group text)
returns table (step text, target text, branch text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (select from forks.digest_group g where g.name = plan_run.digest_group) then
        perform forks.raise_unknown_group(digest_group);
    end if;
    return query
        select p.step, p.target, p.branch
          from forks.planned(digest_group) p
         order by coalesce(forks.stage_of(p.step), 0), p.target, p.place, p.branch;
end
$$;

create or replace function forks.active_run(of_group text)
returns bigint
language sql volatile
set search_path = pg_catalog, pg_temp
as $$ select r.id from forks.run r where r.digest_group = of_group and r.finished_at is null $$;

-- The callback's job leads a run on or ends it, unless nobody will run it any more.
create or replace function forks.is_stuck(of_run bigint)
returns boolean
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    select b.id is null
           or b.finished_at is not null
              and coalesce(millrace.job_state(b.callback_job), 'gone')
                  in ('gone', 'discarded', 'cancelled', 'completed')
      from forks.run r
      left join millrace.batch b on b.id = r.batch_id
     where r.id = of_run and r.finished_at is null
$$;

-- Those items that have not succeeded and are still wanted.
create or replace function forks.enqueue_items(of_run bigint, batch bigint)
returns int  -- how many
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    todo record;
    jobs bigint[];
    amount int := 0;
begin
    for todo in
        select f.id, f.repo, f.queue, array_agg(i.branch order by array_position(f.branches, i.branch)) as branches
          from forks.run_item i
          join forks.fork f on f.id = i.fork_id
          left join forks.sync_result r on r.run_id = i.run_id and r.fork_id = i.fork_id and r.branch = i.branch
         where i.run_id = of_run and f.enabled and i.branch = any (f.branches)
           and coalesce(r.state, 'none') not in ('updated', 'current', 'skipped')
         group by f.id, f.repo, f.queue
         order by f.repo
    loop
        jobs := millrace.enqueue_many(todo.queue, 'forks.sync', array(
            select jsonb_build_object('fork', todo.repo, 'branch', b.name, 'run', of_run)
              from unnest(todo.branches) with ordinality b(name, place)
             order by b.place), concurrency_key => forks.key_of(todo.repo), batch => batch);
        update forks.push_intent p  -- the job before may have pushed, and then died
           set job_id = n.job
          from unnest(todo.branches, jobs) n(branch, job)
          join forks.run_item i on i.run_id = of_run and i.fork_id = todo.id and i.branch = n.branch
         where p.job_id = i.job_id;
        update forks.run_item i
           set job_id = n.job
          from unnest(todo.branches, jobs) n(branch, job)
         where i.run_id = of_run and i.fork_id = todo.id and i.branch = n.branch;
        amount := amount + cardinality(jobs);
    end loop;
    return amount;
end
$$;

create or replace function forks.cancel_run(run bigint, reason text default null)
returns text  -- cancelled; cancelling: some of its jobs run, and were asked to stop
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    known forks.run;
    is_over boolean;
begin
    if length(reason) > 1000 then
        raise exception using errcode = 'MR005', message = 'cancel_run: bad reason',
            hint = 'Allowed for reason: up to 1000 characters.';
    end if;
    known := forks.locked_run(run);
    if known.finished_at is not null then
        raise exception using errcode = 'MR007', message = format('run %s has finished', run),
            hint = 'Only a run that is active can be cancelled: the view forks.runs shows them.';
    end if;
    update forks.run r set cancelled_at = coalesce(r.cancelled_at, millrace.now()) where r.id = cancel_run.run;
    perform millrace.cancel_one(o.job_id, coalesce(reason, 'the run was cancelled'))
       from (select i.job_id
               from forks.run_item i
               left join forks.sync_result s on s.job_id = i.job_id
              where i.run_id = cancel_run.run and s.job_id is null
              union all
             select s.job_id from forks.run_step s
              where s.run_id = cancel_run.run and s.state is null and s.job_id <> 0) o
      order by o.job_id;
    is_over := forks.is_stuck(run);
    if is_over then
        perform forks.record_failures(run);
        update forks.run r set finished_at = millrace.now() where r.id = cancel_run.run;
    end if;
    perform millrace.audit('forks.cancel_run', jsonb_build_object('run', run, 'reason', reason), 1);
    return case when is_over then 'cancelled' else 'cancelling' end;
end
$$;

create or replace function forks.resume_run(run bigint)
returns int  -- how many jobs that makes
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    known constant forks.run := forks.locked_run(run);
    active bigint;
    amount int;
begin
    if known.finished_at is null then
        raise exception using errcode = 'MR007', message = format('run %s has not finished', run),
            hint = 'One that has finished, was cancelled or given up can be resumed: the view forks.runs shows them.';
    end if;
    active := forks.active_run(known.digest_group);
    if active is not null then
        perform forks.raise_run_active(known.digest_group, active);
    end if;
    begin
        update forks.run r
           set finished_at = null, cancelled_at = null, succeeded_by = null, resumed = r.resumed + 1
         where r.id = resume_run.run;
    exception when unique_violation then  -- another one was just starting
        perform forks.raise_run_active(known.digest_group, forks.active_run(known.digest_group));
    end;
    perform forks.plan_again(run);
    amount := forks.enqueue_stage(run, 'search')
            + (select count(*) from forks.run_step s where s.run_id = resume_run.run and s.job_id = 0);
    if amount = 0 then
        raise exception using errcode = 'MR007', message = format('run %s has nothing left to do', run),
            hint = 'All of it has succeeded, or is no longer wanted. Start another run.';
    end if;
    perform millrace.audit('forks.resume_run', jsonb_build_object('run', run, 'jobs', amount), 1);
    return amount;
end
$$;

create or replace function forks.locked_run(run bigint)
returns forks.run
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    known forks.run;
begin
    -- Not against the jobs that record results, which share the row.
    select r.* into known from forks.run r where r.id = locked_run.run for no key update;
    if not found then
        raise exception using errcode = 'MR024', message = format('unknown run %s', coalesce(run::text, 'null')),
            hint = 'The view forks.runs has them.';
    end if;
    return known;
end
$$;

create or replace function forks.raise_run_active(of_group text, run bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using errcode = 'MR023',
        message = format('run %s of digest group %L is active', run, left(of_group, 100)),
        hint = format('Wait for its end, or select forks.cancel_run(%s).', run);
end
$$;

-- A result stands for an item when it is of the item's own job, or good; until then the job says what there is to say.
-- A function, because the view of jobs is replaced with every release, and may have nothing that stands on it.
create or replace function forks.run_items(of_run bigint)
returns table (fork text, branch text, state text, detail text, before_sha text, after_sha text, ahead int, behind int,
               divergence text, unmanaged int, subjects text[], job bigint, at timestamptz)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select f.repo, i.branch,
           case when r.job_id = i.job_id or r.state in ('updated', 'current', 'skipped') then r.state
                when j.state = 'discarded' then 'failed'
                when j.state = 'cancelled' then 'cancelled'
                when j.state is null or j.state = 'completed' then 'unknown'  -- forgotten
                else 'pending' end,
           coalesce(case when r.job_id = i.job_id or r.state in ('updated', 'current', 'skipped') then r.detail end,
                    case when j.state = 'discarded' then left(j.error, 4000) end),
           r.before_sha, r.after_sha, r.ahead, r.behind,
           case when r.ahead is null then null
                when r.ahead = 0 then 'clean'
                when r.unmanaged = 0 then 'managed overlay'
                else 'diverged' end,
           r.unmanaged, r.subjects, i.job_id, r.at
      from forks.run_item i
      join forks.fork f on f.id = i.fork_id
      left join forks.sync_result r on r.run_id = i.run_id and r.fork_id = i.fork_id and r.branch = i.branch
      left join millrace.jobs j on j.id = i.job_id
     where i.run_id = of_run
$$;

set local client_min_messages = warning;
drop view if exists forks.runs;
reset client_min_messages;

create view forks.runs as
select r.id, r.digest_group,
       case when r.finished_at is null then case when r.cancelled_at is null then 'running' else 'cancelling' end
            when r.succeeded_by is not null then 'given up'
            when r.cancelled_at is null then 'finished' else 'cancelled' end as state,
       r.started_at, r.finished_at, r.resumed, c.branches, c.updated, c.current, c.skipped, c.failed, c.diverged,
       c.pending, b.callback_job as digest_job
  from forks.run r
  left join millrace.batch b on b.id = r.batch_id
 cross join lateral (select count(*) as branches,
                            count(*) filter (where i.state = 'updated') as updated,
                            count(*) filter (where i.state = 'current') as current,
                            count(*) filter (where i.state = 'skipped') as skipped,
                            count(*) filter (where i.state not in ('updated', 'current', 'skipped', 'pending'))
                                as failed,
                            count(*) filter (where i.divergence = 'diverged') as diverged,
                            count(*) filter (where i.state = 'pending') as pending
                       from forks.run_items(r.id) i) c;
