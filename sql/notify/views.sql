-- emails, find_emails: what was to be said to whom, and what became of it.
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
drop view if exists notify.emails, notify.suppressions;
reset client_min_messages;

-- What a job says of an email that it has not reported about. Whoever reads the view calls it.
create or replace function notify.status_by_job(
    job_id bigint, is_known_to_have_failed boolean, out status text, out reason text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set enable_bitmapscan = on
as $$
declare
    state constant text := millrace.job_state(job_id);
begin
    status := case state when 'running' then 'sending'
                         when 'available' then 'pending' when 'scheduled' then 'pending' when 'blocked' then 'pending'
                         when 'cancelled' then 'cancelled' else 'failed' end;
    if state = 'discarded' then
        reason := (select d.error from millrace.dead_letter d where d.job_id = status_by_job.job_id);
    elsif state = 'cancelled' then
        reason := (select f.note
                     from millrace.finished f
                    where f.job_id = status_by_job.job_id
                      and f.stored_on = any (array(select j.stored_on
                                                     from millrace.job j
                                                    where j.id = status_by_job.job_id))
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

create view notify.emails as
select e.id, e.event_id as event, e.event_type, e.username, e.address,
       case when e.skipped is not null then 'skipped'
            when c.email_id is not null then 'collected'
            when d.outcome <> 'failed' then d.outcome
            else j.status end as status,
       coalesce(e.skipped, case when d.outcome = 'failed' and j.status <> 'failed' then null else d.reason end,
                j.reason) as reason,
       e.emitted_at, d.recorded_at, d.message_id, d.reply, d.redirected_to,
       coalesce(d.job_id, p.job_id, e.job_id) as job, v.subject, v.actor, v.dedup_key
  from notify.email e
  join notify.event v on v.id = e.event_id
  left join notify.delivery d on d.email_id = e.id
  left join notify.collected c on c.email_id = e.id
  left join notify.pending p on p.email_id = e.id
       -- the condition stands inside, and stays there, so that it is tested before the function is called
  left join lateral (select s.status, s.reason
                       from notify.status_by_job(coalesce(d.job_id, p.job_id, e.job_id), d.outcome is not null) s
                      where e.skipped is null and c.email_id is null
                        and (d.outcome is null or d.outcome = 'failed')
                     offset 0) j on true;

create view notify.suppressions as
select s.address, s.reason, s.suppressed_at from notify.suppression s;

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
declare
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
        || ') s on s.email_id = m.id';
begin
    perform notify.raise_bad('find_emails', case
        when max_rows is null or max_rows not between 1 and 10000 then 'max_rows: 1 to 10000'
        when status not in ('pending', 'collected', 'sending', 'sent', 'skipped', 'failed', 'cancelled', 'expired')
            then 'status: pending, collected, sending, sent, skipped, failed, cancelled, expired' end);
    return query execute concat(
        'select m.* from notify.emails m', place, ' where true',
        case when username is not null then ' and m.username = $1' end,
        case when type is not null then ' and m.event_type = $2' end,
        case when status is not null then ' and m.status = $3' end,
        case when since is not null then ' and m.emitted_at >= $4' end,
        case when until is not null then ' and m.emitted_at < $5' end,
        case when place is null then ' order by m.id desc limit $6' else ' order by s.email_id desc limit $6' end)
        using username, type, status, since, until, max_rows;
end
$$;
