-- emails, find_emails, overview: what was to be said to whom, and what became of it.
--
--     pending    a job has it, and it waits             sent       the mail server has taken it
--     collected  it waits for the user's digest         skipped    nothing was to be sent, and why
--     sending    its job runs                           failed     its job is a dead letter, and why
--                                                       cancelled, expired   its job ended so, or it came too late
--
-- What has come to its end is read here, whatever has become of the job's own history. As long as it has not, the job
-- is looked at: by its id, so that a filter that leaves few emails is quick. find_emails has an index for each of
-- username, type, time and status. It finds as cancelled or expired what upkeep has recorded, within a minute or so.
--
-- Arguments  what is null is not asked for; since inclusive, until exclusive; max_rows 1 … 10,000, the newest first
-- Locks      none.
-- Raises     MR005 bad_argument.

set local client_min_messages = warning;
drop function if exists notify.find_emails(text, text, text, timestamptz, timestamptz, int);
drop function if exists notify.emails_by_id(bigint[]), notify.known_by_id(bigint[]);
drop view if exists notify.emails, notify.known_emails, notify.suppressions;
reset client_min_messages;

-- What a job's state says of an email that nothing has been recorded about, and why.
create or replace function notify.status_by_state(
    state text, job_id bigint, is_known_to_have_failed boolean, out status text, out reason text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set enable_bitmapscan = on
as $$
begin
    status := case state when 'running' then 'sending'
                         when 'available' then 'pending' when 'scheduled' then 'pending' when 'blocked' then 'pending'
                         when 'cancelled' then 'cancelled' else 'failed' end;
    if state = 'discarded' then
        reason := (select d.error from millrace.dead_letter d where d.job_id = status_by_state.job_id);
    elsif state = 'cancelled' then
        reason := (select f.note
                     from millrace.finished f
                    where f.job_id = status_by_state.job_id
                      and f.stored_on = any (array(select j.stored_on
                                                     from millrace.job j
                                                    where j.id = status_by_state.job_id))
                    limit 1);
        if reason = 'expired' then
            status := 'expired';
            reason := null;
        end if;
    elsif status = 'failed' and not is_known_to_have_failed then
        reason := 'its job is gone, and has not said what became of it';
    end if;
end
$$;

-- Whoever reads the view calls it.
create or replace function notify.status_by_job(
    job_id bigint, is_known_to_have_failed boolean, out status text, out reason text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set enable_bitmapscan = on
as $$
begin
    select s.status, s.reason
      into status, reason
      from notify.status_by_state(millrace.job_state(job_id), job_id, is_known_to_have_failed) s;
end
$$;

-- As job_state, for many. To find one available job is to read many pages of `ready`, as many as to find a thousand
-- that were enqueued together: its index knows pages, not jobs. So all are looked for in one pass.
create or replace function notify.states_of(jobs bigint[])
returns table (job_id bigint, state text)  -- null: the job is gone
language sql stable
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = on
set enable_nestloop = off
set enable_hashjoin = on
set enable_mergejoin = off
set jit = off
as $$
    with asked as materialized (
        select a.id,
               case when exists (select from millrace.running r where r.job_id = a.id) then 'running'
                    when exists (select from millrace.scheduled s where s.job_id = a.id) then 'scheduled'
                    when exists (select from millrace.dead_letter d where d.job_id = a.id) then 'discarded'
                    when exists (select from millrace.blocked b where b.job_id = a.id) then 'blocked' end as known
          from (select distinct unnest(jobs) as id) a
    ), waiting as materialized (
        select r.job_id
          from millrace.ready r
         where r.job_id between (select min(a.id) from asked a where a.known is null)
                            and (select max(a.id) from asked a where a.known is null)
           and r.job_id in (select a.id from asked a where a.known is null)
    )
    select a.id, case when a.known is not null then a.known
                      when w.job_id is not null then 'available'
                      else (select f.outcome::text
                              from millrace.finished f
                             where f.job_id = a.id
                               and f.stored_on = any (array(select j.stored_on from millrace.job j where j.id = a.id))
                             limit 1) end
      from asked a
      left join waiting w on w.job_id = a.id
$$;

-- What is known without a look at the job: no status while that depends on it.
create view notify.known_emails as
select e.id, e.event_id as event, e.event_type, e.username, e.address,
       case when e.skipped is not null then 'skipped'
            when c.email_id is not null then 'collected'
            when d.outcome <> 'failed' then d.outcome end as status,
       coalesce(e.skipped, d.reason) as reason, d.outcome is not null as is_recorded,
       e.emitted_at, d.recorded_at, d.message_id, d.reply, d.redirected_to,
       coalesce(d.job_id, p.job_id, e.job_id) as job, v.subject, v.actor, v.dedup_key
  from notify.email e
  join notify.event v on v.id = e.event_id
  left join notify.delivery d on d.email_id = e.id
  left join notify.collected c on c.email_id = e.id
  left join notify.pending p on p.email_id = e.id;

create view notify.emails as
select k.id, k.event, k.event_type, k.username, k.address, coalesce(k.status, j.status) as status,
       -- of what has failed and is replayed, the failure is history
       case when k.status is null and j.status <> 'failed' then j.reason
            else coalesce(k.reason, j.reason) end as reason,
       k.emitted_at, k.recorded_at, k.message_id, k.reply, k.redirected_to, k.job, k.subject, k.actor, k.dedup_key
  from notify.known_emails k
       -- the condition stands inside, and stays there, so that it is tested before the function is called
  left join lateral (select s.status, s.reason
                       from notify.status_by_job(k.job, k.is_recorded) s
                      where k.status is null
                     offset 0) j on true;

create or replace function notify.known_by_id(ids bigint[])
returns setof notify.known_emails
language sql stable
set search_path = pg_catalog, pg_temp
set enable_nestloop = on
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
set jit = off
as $$ select k.* from unnest(ids) i(id) join notify.known_emails k on k.id = i.id $$;

-- Rows of `emails`, in no order; their jobs are looked at together.
create or replace function notify.emails_by_id(ids bigint[])
returns setof notify.emails
language sql stable
set search_path = pg_catalog, pg_temp
set enable_nestloop = off
set enable_hashjoin = on
set jit = off
as $$
    with known as materialized (
        select k.* from notify.known_by_id(ids) k
    ), states as materialized (
        select s.* from notify.states_of(array(select k.job from known k where k.status is null)) s
    )
    select k.id, k.event, k.event_type, k.username, k.address, coalesce(k.status, j.status),
           case when k.status is null and j.status <> 'failed' then j.reason
                else coalesce(k.reason, j.reason) end,
           k.emitted_at, k.recorded_at, k.message_id, k.reply, k.redirected_to, k.job, k.subject, k.actor, k.dedup_key
      from known k
      left join states t on t.job_id = k.job and k.status is null
      left join lateral (select s.status, s.reason
                           from notify.status_by_state(t.state, k.job, k.is_recorded) s
                          where k.status is null
                         offset 0) j on true
$$;

-- Addresses that get nothing, and why.
create view notify.suppressions as
select s.address, s.reason, s.suppressed_at from notify.suppression s;

-- In pieces, the newest first, until there are enough of that status: what became of their jobs is seen once a piece.
create or replace function notify.find_emails(
    username text default null, type text default null, status text default null, since timestamptz default null,
    until timestamptz default null, max_rows int default 100)
returns setof notify.emails
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
as $$
#variable_conflict use_variable
declare
    most_at_once constant int := 10000;
    -- Where emails of that status are to be found: not among all of them, nor in any other order.
    place constant text := ' join (' || case case when username is null then status else 'any' end
        when 'collected' then 'select x.email_id from notify.collected x'
        when 'skipped' then 'select x.id as email_id from notify.email x where x.skipped is not null union all'
                            ' select x.email_id from notify.delivery x where x.outcome = ''skipped'''
        when 'sending' then 'select x.email_id from millrace.running r'
                            '  join notify.pending x on x.job_id = r.job_id union all'
                            ' select x.email_id from millrace.running r'
                            '  join notify.delivery x on x.job_id = r.job_id and x.outcome = ''failed'''
        when 'pending' then 'select x.email_id from notify.pending x union all'
                            ' select x.email_id from notify.delivery x where x.outcome = ''failed'''
        when 'failed' then 'select x.email_id from notify.pending x'
                           '  join millrace.dead_letter d on d.job_id = x.job_id union all'
                           ' select x.email_id from notify.delivery x where x.outcome = ''failed'''
        when 'sent' then 'select x.email_id from notify.delivery x where x.outcome = ''sent'''
        when 'cancelled' then 'select x.email_id from notify.delivery x where x.outcome = ''cancelled'''
        when 'expired' then 'select x.email_id from notify.delivery x where x.outcome = ''expired''' end
        || ') s on s.email_id = e.id';
    id constant text := case when place is null then 'e.id' else 's.email_id' end;
    candidates constant text := concat(
        'select array(select ', id, ' from notify.email e', place, ' where ', id, ' < $1',
        case when username is not null then ' and e.username = $2' end,
        case when type is not null then ' and e.event_type = $3' end,
        case when since is not null then ' and e.emitted_at >= $4' end,
        case when until is not null then ' and e.emitted_at < $5' end,
        ' order by ', id, ' desc limit $6)');
    at_once int := least(greatest(max_rows, 100), most_at_once);
    below bigint := 9223372036854775807;
    wanted int := max_rows;
    got int;
    ids bigint[];
begin
    perform notify.raise_bad('find_emails', case
        when max_rows is null or max_rows not between 1 and 10000 then 'max_rows: 1 to 10000'
        when status not in ('pending', 'collected', 'sending', 'sent', 'skipped', 'failed', 'cancelled', 'expired')
            then 'status: pending, collected, sending, sent, skipped, failed, cancelled, expired' end);
    loop
        execute candidates into ids using below, username, type, since, until, at_once;
        return query
            select m.*
              from notify.emails_by_id(ids) m
             where status is null or m.status = status
             order by m.id desc
             limit wanted;
        get diagnostics got = row_count;
        wanted := wanted - got;
        exit when wanted = 0 or cardinality(ids) < at_once;
        below := ids[at_once];
        at_once := least(at_once * 2, most_at_once);
    end loop;
end
$$;

-- For gauges: since when the oldest of what waits for the mail server does. A look at a hundred, from where upkeep has
-- seen the first: a digest takes on emails of low ids, which wait from then on.
create or replace function notify.overview(out oldest_pending_at timestamptz, out oldest_pending_age interval)
language sql stable security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
    select min(o.emitted_at), millrace.now() - min(o.emitted_at)
      from (select p.emitted_at
              from notify.pending p
             where p.email_id >= (select h.pending_from from notify.house h)
             order by p.email_id
             limit 100) o
$$;
