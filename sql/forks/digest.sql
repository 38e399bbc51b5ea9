-- digest_content, record_digest, digests: what a run has found, told to people once.
--
--     all jobs of a run have ended ──► job forks.digest: digest_content ─► (the program writes it) ─► record_digest
--
-- record_digest belongs in the transaction that settles the job: the digest, its mails and the end of the run come
-- with it, or none of them. Of a cancelled run nothing is recorded or mailed; it only ends.
--
-- A job whose worker died or ran out of time at the last attempt is a dead letter that has recorded no result. It has
-- failed all the same: record_digest writes that down for it, as of when it was given up, so that results and the next
-- digests know; and this one counts its days.
--
-- Arguments  run       of which digest group says what there is to tell
--            job_id    that of the job; only the callback of the run's last batch may record
--            subject   1 … 900 characters, in one line
--            text, html  1 … 400,000 bytes each
--            failures  0 …
-- Locks      record_digest: the run's row; the rows of results that it replaces.
-- Raises     MR005 bad_argument, MR007 invalid_transition (not this run's digest, or not any more), MR024 unknown_run;
--            what enqueueing the mails raises.
-- Rows       digest_content: one per branch of the run, and per item of its steps. record_digest: 2, 3 per recipient,
--            and a result per dead letter.

create or replace function forks.digest_content(run bigint)
returns jsonb
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    known forks.run;
    of_group forks.digest_group;
    org text;
begin
    select r.* into known from forks.run r where r.id = digest_content.run;
    if not found then
        raise exception using errcode = 'MR024', message = format('unknown run %s', coalesce(run::text, 'null')),
            hint = 'The view forks.runs has them.';
    end if;
    select g.* into of_group from forks.digest_group g where g.name = known.digest_group;
    select min(split_part(i.fork, '/', 1)) into org
      from forks.run_items(known.id) i
    having count(distinct split_part(i.fork, '/', 1)) = 1;
    return jsonb_build_object(
        'run', known.id, 'group', known.digest_group, 'is_cancelled', known.cancelled_at is not null,
        'org', coalesce(of_group.subject_prefix, org, known.digest_group),
        'date', to_char(known.started_at at time zone of_group.time_zone, 'YYYY-MM-DD'),
        'recipients', to_jsonb(of_group.recipients),
        'given_up', coalesce((
            select jsonb_agg(jsonb_build_object('run', r.id, 'job', b.callback_job) order by r.id)
              from forks.run r
              left join millrace.batch b on b.id = r.batch_id
             where r.succeeded_by = known.id), '[]'),
        'branches', coalesce((
            select jsonb_agg(jsonb_build_object(
                       'fork', i.fork, 'branch', i.branch, 'state', i.state, 'detail', i.detail, 'ahead', i.ahead,
                       'behind', i.behind, 'divergence', i.divergence, 'unmanaged', i.unmanaged,
                       'subjects', to_jsonb(i.subjects),
                       'failing_days', forks.failing_days(i.fork, i.branch, known.id))
                       order by i.fork, i.branch)
              from forks.run_items(known.id) i), '[]')) || forks.steps_content(known.id);
end
$$;

create or replace function forks.steps_content(of_run bigint)
returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with known as (select s.* from forks.run_steps(of_run) s)
    select jsonb_build_object(
        'distributions', coalesce((
            select jsonb_agg(jsonb_build_object('fork', k.target, 'state', k.state, 'detail', k.detail)
                             order by k.target)
              from known k
             where k.step = 'distribute'), '[]'),
        'migrations', coalesce((
            select jsonb_agg(jsonb_build_object('upstream', k.target, 'branch', k.branch, 'number', k.item::int,
                                                'title', k.detail) order by k.target, k.item::int)
              from known k
             where k.step = 'search' and k.item is not null), '[]'),
        'searches', coalesce((
            select jsonb_agg(jsonb_build_object('upstream', k.target, 'branch', k.branch, 'state', k.state,
                                                'detail', k.detail) order by k.target, k.branch)
              from known k
             where k.step = 'search' and k.item is null), '[]'),
        'rebases', coalesce((
            select jsonb_agg(jsonb_build_object('fork', k.target, 'branch', k.item, 'onto', k.branch, 'state', k.state,
                                                'detail', k.detail) order by k.target, k.item nulls first)
              from known k
             where k.step = 'rebase'), '[]'))
$$;

-- Of a dead letter that has recorded nothing: what there is to record. None: the branch's result stands.
create or replace function forks.unrecorded_failure(of_run bigint, of_fork int, of_branch text)
returns table (job_id bigint, error text, at timestamptz)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select d.job_id, left(d.error, 4000), d.discarded_at
      from forks.run_item i
      join millrace.dead_letter d on d.job_id = i.job_id
     where i.run_id = of_run and i.fork_id = of_fork and i.branch = of_branch
       and not exists (select from forks.sync_result r
                        where r.job_id = i.job_id
                           or r.run_id = i.run_id and r.fork_id = i.fork_id and r.branch = i.branch
                              and r.state in ('updated', 'current', 'skipped'))
$$;

-- For how many days in a row the runs before this one and this one have failed; null: this one has not.
create or replace function forks.failing_days(fork text, branch text, until_run bigint)
returns int
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with history as (
        select r.at, r.state in ('failed', 'conflict') as has_failed, r.run_id
          from forks.sync_result r
          join forks.fork f on f.id = r.fork_id
         where f.repo = $1 and r.branch = $2
        union all
        select u.at, true, until_run
          from forks.fork f
         cross join forks.unrecorded_failure(until_run, f.id, $2) u
         where f.repo = $1
    ), reported as (
        select max(h.at) as at from history h where h.run_id = until_run and h.has_failed
    )
    select floor(extract(epoch from s.at - min(h.at)) / 86400)::int
      from reported s, history h
     where h.has_failed and h.at <= s.at
       and h.at > coalesce((select max(g.at) from history g where not g.has_failed and g.at <= s.at), '-infinity')
     group by s.at
$$;

create or replace function forks.record_failures(of_run bigint)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    insert into forks.sync_result as r (job_id, run_id, fork_id, branch, state, detail, at)
    select u.job_id, i.run_id, i.fork_id, i.branch, 'failed', u.error, u.at
      from forks.run_item i
     cross join lateral forks.unrecorded_failure(i.run_id, i.fork_id, i.branch) u
     where i.run_id = of_run
     order by i.fork_id, i.branch
    on conflict (run_id, fork_id, branch) where run_id is not null
    do update set job_id = excluded.job_id, state = excluded.state, detail = excluded.detail, at = excluded.at,
                  before_sha = null, after_sha = null, ahead = null, behind = null, unmanaged = null, subjects = null
$$;

create or replace function forks.record_digest(
    job_id bigint, run bigint, subject text, text text, html text, failures int)
returns text  -- mailed, no recipients, or cancelled
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    most_bytes constant int := 400000;
    known forks.run;
    of_group forks.digest_group;
    wrong constant text := case
        when subject is null or length(subject) not between 1 and 900 or subject ~ '[[:cntrl:]]'
            then 'subject: 1 to 900 characters in one line'
        when text is null or octet_length(text) not between 1 and most_bytes then 'text: 1 to 400000 bytes'
        when html is null or octet_length(html) not between 1 and most_bytes then 'html: 1 to 400000 bytes'
        when failures is null or failures < 0 then 'failures: 0 or more' end;
    emails bigint[];
begin
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'record_digest: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    known := forks.locked_run(run);
    if known.finished_at is not null
       or job_id is distinct from (select b.callback_job from millrace.batch b where b.id = known.batch_id) then
        raise exception using errcode = 'MR007', message = format('job %s does not make the digest of run %s',
                                                                  coalesce(job_id::text, 'null'), run),
            hint = 'That of its last batch does, once. The run may have finished, or been resumed.';
    end if;
    perform forks.record_failures(known.id);
    update forks.run r set finished_at = millrace.now() where r.id = known.id;
    if known.cancelled_at is not null then
        return 'cancelled';
    end if;
    select g.* into of_group from forks.digest_group g where g.name = known.digest_group;
    emails := array(
        select millrace.enqueue(of_group.email_queue, 'email.send',
                                jsonb_build_object('to', r.address, 'subject', subject, 'text', text, 'html', html))
          from unnest(of_group.recipients) with ordinality r(address, place)
         order by r.place);
    insert into forks.digest (run_id, job_id, at, subject, text, html, failures, recipients, emails)
    values (known.id, record_digest.job_id, millrace.now(), record_digest.subject, record_digest.text,
            record_digest.html, record_digest.failures, of_group.recipients, emails);
    return case when emails = '{}' then 'no recipients' else 'mailed' end;
end
$$;

set local client_min_messages = warning;
drop view if exists forks.digests;
reset client_min_messages;

create view forks.digests as
select d.id, d.run_id as run, r.digest_group, d.at, d.subject, d.failures, d.recipients, d.emails, d.text, d.html
  from forks.digest d
  join forks.run r on r.id = d.run_id;
