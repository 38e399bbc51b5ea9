-- sync_now, sync_target, intend_push, withdraw_push, record_sync, results: one branch of a fork, from the wish to the
-- result.
--
--     sync_now ─► job forks.sync ─► sync_target ─► (git) ─► intend_push ─► (push) ─► record_sync and settle
--                                                               └─► (refused: by no means pushed) ─► withdraw_push
--
-- The push is the one effect outside this database. It is announced here before it happens, under the job's fence: a
-- worker that has lost its lease is refused before it pushes, and one that repeats the job learns what may have been
-- pushed already, so that the branch counts as updated however often its worker dies. Where a forge does it all by
-- itself, that it is asked to is announced, without commits. One that answers "not now" has done nothing, and the
-- announcement is withdrawn.
--
-- record_sync belongs in the transaction that settles the job. There is one result for a job, and one for a branch in
-- a run: the last one. The jobs of a fork share a concurrency key: one at a time works on it.
--
-- Arguments  ahead, behind  of record_sync: by how many commits the fork's branch and its upstream differ now, 0 …
--                           1,000,000,000; null: unknown
--            subjects       of the commits ahead, the newest first, up to 1,000; their first 1,000 characters count.
--                           The patterns of the fork's group say which of them are managed. Commits beyond those
--                           given are not.
--            run            of record_sync: one that has gone (retention.sql) is none
-- Locks   intend_push, withdraw_push: the job's row of running, shared. record_sync: the result's row, and those that
--         go.
-- Raises  MR001 lease_lost (intend_push, withdraw_push), MR005 bad_argument, MR007 invalid_transition,
--         MR020 unknown_fork.
-- Rows    sync_now: 3 per branch, at most 100 branches. Others: 1; record_sync also 10,000 results that go.

create or replace function forks.sync_now(repo text, branch text default null)
returns bigint[]  -- the jobs, in the order of the fork's branches
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    chosen forks.fork;
begin
    select * into chosen from forks.fork f where f.repo = sync_now.repo;
    if not found then
        perform forks.raise_unknown_fork(repo);
    elsif not chosen.enabled then
        raise exception using errcode = 'MR007', message = format('fork %L is disabled', repo),
            hint = 'Enable it: select forks.enable_fork(repo).';
    elsif branch is not null and branch <> all (chosen.branches) then
        raise exception using errcode = 'MR005', message = 'sync_now: bad branch',
            hint = format('Allowed for branch: those of the fork, %s; null for all of them.',
                          array_to_string(chosen.branches, ', '));
    end if;
    return millrace.enqueue_many(chosen.queue, 'forks.sync', array(
        select jsonb_build_object('fork', chosen.repo, 'branch', b.name)
          from unnest(chosen.branches) with ordinality b(name, place)
         where b.name = coalesce(sync_now.branch, b.name)
         order by b.place), concurrency_key => forks.key_of(chosen.repo));
end
$$;

create or replace function forks.key_of(repo text)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$ select left(lower(repo), 200) $$;  -- GitHub takes no notice of the case of letters

-- What a worker must know of a fork, and of an earlier attempt of this job that came as far as pushing.
create or replace function forks.sync_target(
    repo text, branch text, job_id bigint,
    out provider text, out origin_url text, out upstream_url text, out enabled boolean, out is_listed boolean,
    out intended_before text, out intended_after text, out compares boolean, out upstream text,
    out was_announced boolean)
returns setof record  -- none: there is no such fork
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select f.provider, f.origin_url, f.upstream_url, f.enabled, $2 = any (f.branches), i.before_sha, i.after_sha,
           f.upstream_org is not null, f.upstream_org || '/' || f.upstream_repo, i.job_id is not null
      from forks.fork f
      left join forks.push_intent i on i.job_id = $3
     where f.repo = $1
$$;

-- Both commits, or neither: a forge knows them.
create or replace function forks.intend_push(fence bigint, job_id bigint, before_sha text, after_sha text)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if num_nulls(before_sha, after_sha) < 2 then
        perform forks.check_commit('intend_push', 'before_sha', coalesce(before_sha, ''));
        perform forks.check_commit('intend_push', 'after_sha', coalesce(after_sha, ''));
    end if;
    perform millrace.assert_lease(fence, job_id);
    insert into forks.push_intent as i (job_id, before_sha, after_sha, intended_at)
    values (intend_push.job_id, intend_push.before_sha, intend_push.after_sha, millrace.now())
    on conflict on constraint push_intent_pkey
    do update set before_sha = excluded.before_sha, after_sha = excluded.after_sha, intended_at = excluded.intended_at;
end
$$;

create or replace function forks.withdraw_push(fence bigint, job_id bigint)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform millrace.assert_lease(fence, job_id);
    delete from forks.push_intent i where i.job_id = withdraw_push.job_id;
end
$$;

-- after_sha is where the fork's branch is now; null for what is unknown.
create or replace function forks.record_sync(
    job_id bigint, repo text, branch text, state text,
    before_sha text default null, after_sha text default null, detail text default null, run bigint default null,
    ahead int default null, behind int default null, subjects text[] default null)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    synchronised constant int := (select f.id from forks.fork f where f.repo = record_sync.repo);
    -- Of the run only what its own job says: one that was replayed after a resume is not asked any more.
    of_run constant bigint := (select i.run_id from forks.run_item i
                                where i.run_id = record_sync.run and i.fork_id = synchronised
                                  and i.branch = record_sync.branch and i.job_id = record_sync.job_id);
    work text[];
    wrong text;
begin
    if synchronised is null then
        perform forks.raise_unknown_fork(repo);
    end if;
    perform forks.check_commit('record_sync', 'before_sha', before_sha);
    perform forks.check_commit('record_sync', 'after_sha', after_sha);
    wrong := case
        when job_id is null then 'job_id: not null'
        when not forks.is_branch(branch) then 'branch: the name of a branch'
        when state is null or state not in ('updated', 'current', 'conflict', 'skipped', 'failed')
            then 'state: updated, current, conflict, skipped, failed'
        when state = 'updated' and num_nulls(before_sha, after_sha) > 0
         and exists (select from forks.fork f where f.id = synchronised and f.provider = 'git')
            then 'state: updated only with both commits'
        when length(detail) > 4000 then 'detail: up to 4000 characters'
        when run not between 1 and (select coalesce(max(r.id), 0) from forks.run r) then 'run: the id of a run'
        when not ahead between 0 and 1000000000 then 'ahead: 0 to 1000000000'
        when not behind between 0 and 1000000000 then 'behind: 0 to 1000000000'
        when cardinality(subjects) > 1000 or array_ndims(subjects) > 1
          or num_nulls(ahead, behind, subjects) not in (0, 3) or cardinality(subjects) > ahead
            then 'subjects: up to 1000 and no more than ahead, together with ahead and behind'
        when ahead is not null and state not in ('updated', 'current') then 'ahead: only of what is up to date'
    end;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'record_sync: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;

    work := forks.unmanaged(synchronised, subjects);

    delete from forks.push_intent i where i.job_id = record_sync.job_id;
    delete from forks.sync_result r
     where r.job_id = record_sync.job_id
        or r.run_id = of_run and r.fork_id = synchronised and r.branch = record_sync.branch;
    insert into forks.sync_result (job_id, run_id, fork_id, branch, state, before_sha, after_sha, detail, at, ahead,
                                   behind, unmanaged, subjects)
    values (record_sync.job_id, of_run, synchronised, record_sync.branch, record_sync.state,
            record_sync.before_sha, record_sync.after_sha, record_sync.detail, millrace.now(), record_sync.ahead,
            record_sync.behind, cardinality(work) + record_sync.ahead - cardinality(record_sync.subjects),
            work[:5]);
    perform forks.prune_results(array[f.id], '{}', forks.kept_from(f.digest_group))
       from forks.fork f
      where f.id = synchronised and of_run is null;
end
$$;

-- Of the subjects those that are somebody's work; null when nothing is known.
create or replace function forks.unmanaged(fork int, subjects text[])
returns text[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select case when subjects is not null then
        array(select left(s.subject, 1000)
                from unnest(subjects) with ordinality s(subject, place)
               where not exists (select from forks.fork f
                                   join forks.digest_group g on g.name = f.digest_group
                                  where f.id = fork
                                    and exists (select from unnest(g.managed) m
                                                 where left(s.subject, 1000) like m escape ''))
               order by s.place) end
$$;

create or replace function forks.check_commit(caller text, argument text, sha text)
returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if sha !~ '^[0-9a-f]{40}([0-9a-f]{24})?$' then
        raise exception using errcode = 'MR005', message = format('%s: bad %s', caller, argument),
            hint = format('Allowed for %s: the full hexadecimal name of a commit.', argument);
    end if;
end
$$;

set local client_min_messages = warning;
drop view if exists forks.results;
reset client_min_messages;

create view forks.results as
select f.repo as fork, r.branch, r.state, r.before_sha, r.after_sha, r.detail, r.at, r.run_id as run, r.job_id as job,
       r.ahead, r.behind,
       case when r.ahead is null then null
            when r.ahead = 0 then 'clean'
            when r.unmanaged = 0 then 'managed overlay'
            else 'diverged' end as divergence,
       r.unmanaged, r.subjects
  from forks.sync_result r
  join forks.fork f on f.id = r.fork_id;
