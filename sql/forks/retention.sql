-- prune_runs, prune_results: what a group does not keep any longer goes where more of the same comes.
--
--     a run begins ──► ten runs of its group, if so many ended more than retention_days ago, with their digests, steps
--                      and results; and the results of no run of its forks that are as old
--     a result of no run is recorded ──► its fork's results of no run that are as old
--
-- So nothing grows without end, and where nothing is done nothing goes. What stays, however old:
--
--     a run that is active, or has a job that may go on: it waits or runs again, or is a dead letter that has announced
--         a push or a file and not said what became of it
--     a run that another one was given up for, until that one has gone
--     a branch's last result, which the view results shows, and the first of those since which it has failed: from
--         there the digest counts the days. They outlive their run, and belong to none then
--     a result that is younger than one that stays: they go in the order of their time
--
-- Locks   rows of run, SKIP LOCKED; the rows that go with them.
-- Raises  nothing.
-- Rows    those of ten runs, and 10,000 results.

create or replace function forks.prune_runs(of_group text)
returns int  -- how many
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    most_runs constant int := 10;
    kept_from constant timestamptz := forks.kept_from(of_group);
    gone bigint[];
begin
    gone := array(select e.id
                    from (select r.id
                            from forks.run r
                           where r.digest_group = of_group and r.finished_at < kept_from
                             and not exists (select from forks.run o where o.succeeded_by = r.id)
                           order by r.finished_at
                             for update skip locked) e
                   where not forks.may_go_on(e.id)
                   limit most_runs);
    perform forks.prune_results(array(select f.id from forks.fork f where f.digest_group = of_group
                                       union
                                      select s.fork_id from forks.sync_result s where s.run_id = any (gone)),
                                gone, kept_from);
    delete from forks.step_item i where i.run_id = any (gone);
    delete from forks.run_step s where s.run_id = any (gone);
    delete from forks.run_item i where i.run_id = any (gone);
    delete from forks.digest d where d.run_id = any (gone);
    delete from forks.run r where r.id = any (gone);
    return cardinality(gone);
end
$$;

create or replace function forks.kept_from(of_group text)
returns timestamptz
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    select millrace.now() - make_interval(days => g.retention_days)
      from forks.digest_group g
     where g.name = of_group
$$;

-- Whether what the run has written down is still of use to one of its jobs.
create or replace function forks.may_go_on(of_run bigint)
returns boolean
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
          from (select i.job_id, false as has_intended
                  from forks.run_item i
                  left join forks.sync_result r on r.job_id = i.job_id
                 where i.run_id = of_run and coalesce(r.state, 'failed') = 'failed'
                union all
                select s.job_id, s.state is null and s.intended is not null
                  from forks.run_step s
                 where s.run_id = of_run and s.job_id <> 0 and coalesce(s.state, 'failed') = 'failed') w
         cross join millrace.job_state(w.job_id) j(state)
         where j.state in ('running', 'scheduled', 'blocked', 'available')
            or j.state = 'discarded'
               and (w.has_intended or exists (select from forks.push_intent p where p.job_id = w.job_id)))
$$;

-- The results of these runs, and of no run those of these forks that are older.
create or replace function forks.prune_results(of_forks int[], of_runs bigint[], kept_from timestamptz)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    with old as (
        select r.job_id, r.fork_id, r.branch, r.at from forks.sync_result r where r.run_id = any (of_runs)
        union all
        (select r.job_id, r.fork_id, r.branch, r.at
           from forks.sync_result r
          where r.fork_id = any (of_forks) and r.run_id is null and r.at < kept_from
          order by r.at
          limit 10000)
    ), branch as (
        select b.fork_id, b.branch, max(r.at) as last_at,
               min(r.at) filter (where r.run_id is not null and r.run_id <> all (of_runs)) as staying_at,
               coalesce(max(r.at) filter (where r.state not in ('failed', 'conflict')), '-infinity') as good_at
          from (select distinct o.fork_id, o.branch from old o) b
          join forks.sync_result r on r.fork_id = b.fork_id and r.branch = b.branch
         group by b.fork_id, b.branch
    ), kept as (
        select b.fork_id, b.branch, least(b.last_at, b.staying_at) as from_at, min(r.at) as failing_since
          from branch b
          left join forks.sync_result r on r.fork_id = b.fork_id and r.branch = b.branch and r.at > b.good_at
         group by b.fork_id, b.branch, b.last_at, b.staying_at
    )
    delete from forks.sync_result r
     using old o
      join kept k on k.fork_id = o.fork_id and k.branch = o.branch
     where r.job_id = o.job_id and o.at < k.from_at and o.at is distinct from k.failing_since;
    update forks.sync_result r set run_id = null where r.run_id = any (of_runs);
$$;
