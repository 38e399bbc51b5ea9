-- next_stage: what a run does beside the synchronisation of branches, and in which order.
--
--     synchronise each branch, search each upstream ─► distribute to each fork ─► rebase each fork ─► digest
--
-- A stage is a batch. Its callback, a job forks.stage, enqueues the next one; the last batch's callback is the digest.
-- So a stage begins when all jobs of the one before have ended, whatever became of them. One of which there is nothing
-- to do is left out. What there is to do is written down when the run starts:
--
--     search      once for each upstream and upstream_track of the group's forks that have both
--     distribute  each fork with install_forward_port
--     rebase      each fork with rebase_globs
--
-- next_stage belongs in the transaction that settles the job: there is one next stage, however often a worker dies.
--
-- Arguments  job_id  that of the job; only the callback of the run's last batch may go on
-- Locks      the run's row.
-- Raises     MR007 invalid_transition (not this run's job, or not any more), MR024 unknown_run.
-- Rows       4 per step of the stage.

create or replace function forks.next_stage(job_id bigint, run bigint)
returns text  -- distribute or rebase; cancelled: the run is over
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    known constant forks.run := forks.locked_run(run);
    stage text;
begin
    if known.finished_at is not null
       or job_id is distinct from (select b.callback_job from millrace.batch b where b.id = known.batch_id) then
        raise exception using errcode = 'MR007', message = format('job %s does not lead run %s on',
                                                                  coalesce(job_id::text, 'null'), run),
            hint = 'That of its last batch does, once. The run may have finished, or been resumed.';
    end if;
    if known.cancelled_at is not null then
        perform forks.record_failures(known.id);
        update forks.run r set finished_at = millrace.now() where r.id = known.id;
        return 'cancelled';
    end if;
    select s.step into stage
      from forks.run_step s
     where s.run_id = known.id and s.job_id = 0
     order by forks.stage_of(s.step)
     limit 1;
    stage := coalesce(stage, 'rebase');
    perform forks.enqueue_stage(known.id, stage);
    return stage;
end
$$;

create or replace function forks.stage_of(step text)
returns int
language sql immutable
set search_path = pg_catalog, pg_temp
as $$ select array_position('{search,distribute,rebase}'::text[], step) $$;

-- What a run of this group would do if it began now: `sync`, of the enabled forks' branches, and the steps.
create or replace function forks.planned(of_group text)
returns table (step text, target text, branch text, fork int, place int)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with wanted as (
        select f.* from forks.fork f where f.digest_group = of_group and f.enabled
    ), searched as (  -- where several forks share an upstream, by one that can
        select distinct on (lower(w.upstream_org), lower(w.upstream_repo), w.upstream_track)
               w.upstream_org || '/' || w.upstream_repo as target, w.upstream_track as branch, w.id
          from wanted w
         where w.upstream_org is not null and w.upstream_track is not null
         order by lower(w.upstream_org), lower(w.upstream_repo), w.upstream_track, w.provider = 'github' desc, w.id
    )
    select 'sync', w.repo, b.name, w.id, b.place::int
      from wanted w
     cross join unnest(w.branches) with ordinality b(name, place)
    union all
    select 'search', s.target, s.branch, s.id, 0 from searched s
    union all
    select 'distribute', w.repo, '', w.id, 0 from wanted w where w.install_forward_port
    union all
    select 'rebase', w.repo, w.rebase_onto, w.id, 0 from wanted w where w.rebase_globs <> '{}'
$$;

-- What has not succeeded is to be done again. What was intended stays: it may have happened.
create or replace function forks.plan_again(of_run bigint)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    with undone as (
        update forks.run_step s
           set job_id = 0, state = null, detail = null, at = null
         where s.run_id = of_run
           and (coalesce(s.state, 'failed') = 'failed'
                or exists (select from forks.step_item i
                            where (i.run_id, i.step, i.target, i.branch) = (s.run_id, s.step, s.target, s.branch)
                              and i.state in ('conflict', 'failed')))
        returning s.run_id, s.step, s.target, s.branch
    )
    delete from forks.step_item i
     using undone u
     where (i.run_id, i.step, i.target, i.branch) = (u.run_id, u.step, u.target, u.branch)
       and i.state in ('conflict', 'failed')
$$;

-- The batch of a stage. The synchronisation itself belongs to that of the searches.
create or replace function forks.enqueue_stage(of_run bigint, stage text)
returns int  -- how many jobs
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    queue constant text := (select g.queue from forks.run r join forks.digest_group g on g.name = r.digest_group
                             where r.id = of_run);
    has_next constant boolean := exists (select from forks.run_step s
                                          where s.run_id = of_run and s.job_id = 0
                                            and forks.stage_of(s.step) > forks.stage_of(stage));
    batch constant bigint := millrace.create_batch(queue, case when has_next then 'forks.stage' else 'forks.digest' end,
                                                   jsonb_build_object('run', of_run));
    amount int := forks.enqueue_steps(of_run, stage, batch);
begin
    if stage = 'search' then
        amount := amount + forks.enqueue_items(of_run, batch);
    end if;
    perform millrace.close_batch(batch);
    update forks.run r set batch_id = batch where r.id = of_run;
    return amount;
end
$$;

create or replace function forks.enqueue_steps(of_run bigint, stage text, batch bigint)
returns int  -- how many
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    todo record;
    job bigint;
    amount int := 0;
begin
    for todo in
        select s.target, s.branch, f.queue
          from forks.run_step s
          join forks.fork f on f.id = s.fork_id
         where s.run_id = of_run and s.step = stage and s.job_id = 0
         order by s.target, s.branch
    loop
        job := case when stage = 'search' then
            millrace.enqueue(todo.queue, 'forks.search', batch => batch,
                             payload => jsonb_build_object('upstream', todo.target, 'branch', todo.branch,
                                                           'run', of_run))
        else
            millrace.enqueue(todo.queue, 'forks.' || stage, batch => batch,
                             payload => jsonb_build_object('fork', todo.target, 'run', of_run),
                             concurrency_key => forks.key_of(todo.target))
        end;
        update forks.run_step s
           set job_id = job
         where s.run_id = of_run and s.step = stage and s.target = todo.target and s.branch = todo.branch;
        amount := amount + 1;
    end loop;
    return amount;
end
$$;
