-- step_target, intend_step, record_step, run_steps: one step of a run, from what is to be done to what came of it.
--
--     next_stage ─► job forks.search, forks.distribute or forks.rebase ─► step_target
--         ─► (before a file is written: intend_step; before a push: intend_push) ─► record_step, and settle
--
-- A job's id says which step it does; none of a step's job knows another.
--
-- step_target's period is that in which what is searched for was merged: from the begin of the last run whose digest
-- told of it, or the 24 hours before this one where that is longer, up to this one's begin. Both ends of it are
-- included, so that what is merged while the run goes on is the next one's alone.
--
-- record_step with a state belongs in the transaction that settles the job. Without one it takes down what there is so
-- far, in a transaction of its own: a worker that repeats the job does not do that again. All that is written bears
-- the job's fence.
--
-- Arguments  intended  created or updated: what is about to become of the file
--            state     null: there is more to come. Of a search: done or failed. Of a distribution: created, updated,
--                      unchanged, skipped or failed. Of rebasing: done, skipped or failed
--            detail    up to 4,000 characters
--            items     a JSON array of up to 1,000 of {"item", "state", "detail"}; one that is there already is
--                      replaced. Of a search: the number of a pull request, found, its title. Of rebasing: a branch;
--                      rebased, up to date, conflict or failed; why or how
-- Locks      the job's row of running, shared; the step's row.
-- Raises     MR001 lease_lost, MR005 bad_argument, MR007 invalid_transition (the job is no step of a run).
-- Rows       1 and the items.

create or replace function forks.second_of(moment timestamptz)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$ select to_char(moment at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') $$;

-- From where the last search that a digest has told of went to, so that no merge falls between two runs; 24 hours back
-- at least, and 31 days at most.
create or replace function forks.searched_from(of_run forks.run, target text, branch text)
returns timestamptz
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select least(of_run.started_at - interval '24 hours', max(r.started_at))
      from forks.run r
      join forks.run_step s on s.run_id = r.id
     where r.digest_group = of_run.digest_group and r.id < of_run.id
       and r.started_at > of_run.started_at - interval '31 days'
       and s.step = 'search' and s.state = 'done' and s.target = searched_from.target
       and s.branch = searched_from.branch
       and exists (select from forks.digest d where d.run_id = r.id)
$$;

create or replace function forks.step_target(
    job_id bigint,
    out step text, out target text, out branch text, out fork text, out provider text, out is_wanted boolean,
    out origin_url text, out globs jsonb, out listed jsonb, out digest_group text, out template_path text,
    out template text, out period text, out rebased jsonb, out intended text, out intended_before text,
    out intended_after text)
returns setof record  -- none: the job is no step of a run
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select s.step, s.target, s.branch, f.repo, f.provider,
           case s.step when 'distribute' then f.enabled and f.install_forward_port
                       when 'rebase' then f.enabled and f.rebase_globs <> '{}'
                       else true end,
           f.origin_url, to_jsonb(f.rebase_globs), to_jsonb(f.branches), g.name, g.template_path, g.template,
           forks.second_of(forks.searched_from(r, s.target, s.branch)) || '..'
               || forks.second_of(r.started_at - interval '1 second'),
           (select coalesce(jsonb_agg(i.item order by i.item), '[]')
              from forks.step_item i
             where (i.run_id, i.step, i.target, i.branch) = (s.run_id, s.step, s.target, s.branch)
               and i.state = 'rebased'),
           s.intended, p.before_sha, p.after_sha
      from forks.run_step s
      join forks.run r on r.id = s.run_id
      join forks.digest_group g on g.name = r.digest_group
      join forks.fork f on f.id = s.fork_id
      left join forks.push_intent p on p.job_id = s.job_id
     where s.job_id = $1 and s.job_id <> 0
$$;

create or replace function forks.intend_step(fence bigint, job_id bigint, intended text)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if intended is null or intended not in ('created', 'updated') then
        raise exception using errcode = 'MR005', message = 'intend_step: bad intended',
            hint = 'Allowed for intended: created, updated.';
    end if;
    perform millrace.assert_lease(fence, job_id);
    perform forks.locked_step(job_id);
    update forks.run_step s
       set intended = intend_step.intended
     where s.job_id = intend_step.job_id and s.job_id <> 0;
end
$$;

create or replace function forks.record_step(
    fence bigint, job_id bigint, state text default null, detail text default null, items jsonb default '[]')
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    known forks.run_step;
    wrong text;
begin
    perform millrace.assert_lease(fence, job_id);
    known := forks.locked_step(job_id);
    wrong := case
        when state <> all (forks.states_of(known.step))
            then 'state: ' || array_to_string(forks.states_of(known.step), ', ') || '; null: more to come'
        when length(detail) > 4000 then 'detail: up to 4000 characters'
        when not forks.are_items(known.step, items)
            then 'items: up to 1000 of {"item", "state", "detail"}, as the step has them' end;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'record_step: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    insert into forks.step_item as i (run_id, step, target, branch, item, state, detail, at)
    select distinct on (e.value ->> 'item')
           known.run_id, known.step, known.target, known.branch, e.value ->> 'item', e.value ->> 'state',
           e.value ->> 'detail', millrace.now()
      from jsonb_array_elements(items) with ordinality e(value, place)
     order by e.value ->> 'item', e.place desc
    on conflict on constraint step_item_pkey
    do update set state = excluded.state, detail = excluded.detail, at = excluded.at;
    if state is not null then
        update forks.run_step s
           set state = record_step.state, detail = record_step.detail, at = millrace.now()
         where s.job_id = record_step.job_id and s.job_id <> 0;
        delete from forks.push_intent p where p.job_id = record_step.job_id;
    end if;
end
$$;

create or replace function forks.locked_step(job_id bigint)
returns forks.run_step
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    known forks.run_step;
begin
    select s.* into known
      from forks.run_step s
     where s.job_id = locked_step.job_id and s.job_id <> 0
       for no key update;
    if not found then
        raise exception using errcode = 'MR007', message = format('job %s is no step of a run', job_id),
            hint = 'A run enqueues those: select forks.start_run(digest_group). This one may have been resumed.';
    end if;
    return known;
end
$$;

create or replace function forks.states_of(step text)
returns text[]
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select case step when 'search' then '{done,failed}'::text[]
                     when 'distribute' then '{created,updated,unchanged,skipped,failed}'
                     else '{done,skipped,failed}' end
$$;

create or replace function forks.is_item(step text, item jsonb)
returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(jsonb_typeof(item) = 'object'
                and case step when 'search' then item ->> 'item' ~ '^[1-9][0-9]{0,8}$' and item ->> 'state' = 'found'
                              when 'rebase' then forks.is_branch(item ->> 'item')
                                             and item ->> 'state' in ('rebased', 'up to date', 'conflict', 'failed')
                              else false end
                and length(coalesce(item ->> 'detail', '')) <= 4000, false)
$$;

create or replace function forks.are_items(step text, items jsonb)
returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select case when items is null or jsonb_typeof(items) <> 'array' then false
                when jsonb_array_length(items) > 1000 then false
                else not exists (select from jsonb_array_elements(items) e
                                  where not forks.is_item(are_items.step, e.value)) end
$$;

-- A row for each item, and one with item null for each step that has none, or that is not done.
create or replace function forks.run_steps(of_run bigint)
returns table (step text, target text, branch text, item text, state text, detail text, job bigint, at timestamptz)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select s.step, s.target, s.branch, i.item, i.state, i.detail, s.job_id, i.at
      from forks.run_step s
      join forks.step_item i on (i.run_id, i.step, i.target, i.branch) = (s.run_id, s.step, s.target, s.branch)
     where s.run_id = of_run
    union all
    select s.step, s.target, s.branch, null,
           case when s.state is not null then s.state
                when s.job_id = 0 then case when coalesce(r.finished_at, r.cancelled_at) is null then 'pending'
                                            else 'cancelled' end
                when j.state = 'discarded' then 'failed'
                when j.state = 'cancelled' then 'cancelled'
                when j.state is null or j.state = 'completed' then 'unknown'  -- forgotten
                else 'pending' end,
           coalesce(s.detail, case when j.state = 'discarded' then left(j.error, 4000) end), nullif(s.job_id, 0), s.at
      from forks.run_step s
      join forks.run r on r.id = s.run_id
      left join millrace.jobs j on j.id = s.job_id
     where s.run_id = of_run
       and (s.state is distinct from 'done'
            or not exists (select from forks.step_item i
                            where (i.run_id, i.step, i.target, i.branch) = (s.run_id, s.step, s.target, s.branch)))
$$;
