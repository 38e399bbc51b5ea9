-- set_up, set_queue_owner, upkeep, erase_user: what keeps notifications going, and what makes an end of them.
--
-- set_up makes the queue of digests if it is not there, with attempts for more than two days: a mail server that puts
-- everything off (its disk is full) costs an attempt each time, and RFC 5321 4.5.4.1 wants days.
--
-- Every minute a worker, whatever queues it serves, does this in pieces:
--     record_ends         pending ──► delivery, of jobs that ended without a word: cancelled, expired, or dead letters
--                         of workers that died; before the queue forgets them
--     tell_owners         an event queue.dead_letter for the owner of a queue that has new dead letters, once an hour
--     replace_digests     a digest for those whose last one ended without what is collected for them
--     prune               events older than the retention, with their emails, none of which waits any more; bounces
--                         older than thirty days
--
-- erase_user takes a user out of notifications: settings, preferences and suppression go, but for the suppression of an
-- address that somebody else has, too; the emails lose name, address and the server's reply, and can still be counted;
-- events that only this user was told of, or has caused, lose their words. What still waits is then skipped as
-- `erased`. The queue's own rows may bear the name in a key (to:name, digest:name), and failures may quote the mail
-- server, as long as the queue keeps its history.
--
-- Arguments  queue      of digests; made when it is not there
--            retention  of events and emails, from the emit on; 1 day … 10 years
--            max_rows   1 … 100,000
--            at_most_every  nothing is done when it has been begun so lately, or is under way; '0': in any case
--            dry_run    the emails are only counted
-- Locks      rows of event, SKIP LOCKED; the row of notify.house; the rows of queue_owner, SKIP LOCKED; those of
--            ensure_digest.
-- Raises     MR003 unknown_queue, MR005 bad_argument.
-- Rows       upkeep: max_rows events with their emails, as many emails, and as many digests.

set local client_min_messages = warning;
drop function if exists notify.upkeep(int);
drop function if exists notify.erase_user(text);
reset client_min_messages;

create or replace function notify.set_up(queue text default 'email', retention interval default '90 days')
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set intervalstyle = 'postgres'
as $$
declare
    attempts constant int := 72;  -- after the first ten, one an hour
begin
    perform notify.raise_bad('set_up', case
        when retention is null or retention not between interval '1 day' and interval '10 years'
          or to_char(retention, 'YYYYMMDDHH24MISSUS') ~ '-'  -- queue/create_queue.sql
            then 'retention: 1 day to 10 years, no part negative' end);
    begin
        perform millrace.create_queue(queue, max_attempts => attempts);
    exception when sqlstate 'MR008' then
        null;
    end;
    update notify.house set digest_queue = set_up.queue, retention = set_up.retention;
    perform millrace.audit('notify.set_up', jsonb_build_object('queue', queue, 'retention', retention::text), 1);
end
$$;

-- Null: nobody.
create or replace function notify.set_queue_owner(queue text, username text)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform millrace.queue_id(queue);
    if username is null then
        delete from notify.queue_owner o where o.queue = set_queue_owner.queue;
    else
        perform notify.check_username('set_queue_owner', username);
        insert into notify.queue_owner (queue, username, told_before)
        values (set_queue_owner.queue, set_queue_owner.username, millrace.now())
        on conflict on constraint queue_owner_pkey do update set username = excluded.username;
    end if;
    perform millrace.audit('notify.set_queue_owner', jsonb_build_object('queue', queue), 1);
end
$$;

create or replace function notify.upkeep(
    max_rows int default 1000, at_most_every interval default '0',
    out recorded int, out told int, out pruned int,
    out has_more boolean)  -- events older than the retention may be left
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set intervalstyle = 'postgres'
set jit = off
as $$
begin
    perform notify.raise_bad('upkeep', case
        when max_rows is null or max_rows not between 1 and 100000 then 'max_rows: 1 to 100000'
        when at_most_every is null or at_most_every not between interval '0' and interval '1 day'
          or to_char(at_most_every, 'YYYYMMDDHH24MISSUS') ~ '-'  -- queue/create_queue.sql
            then 'at_most_every: 0 to 1 day, no part negative' end);
    recorded := 0;
    told := 0;
    pruned := 0;
    has_more := false;
    if at_most_every > interval '0' then
        perform from notify.house h where h.kept_up_at <= millrace.now() - at_most_every for update skip locked;
        if not found then
            return;
        end if;
    end if;
    recorded := notify.record_ends(max_rows);
    told := notify.tell_owners();
    perform notify.replace_digests(max_rows);
    pruned := notify.prune(max_rows);
    has_more := pruned = max_rows;
end
$$;

-- A look at max_rows of the pending emails, from where the last one ended; after the last of them from the first again.
create or replace function notify.record_ends(max_rows int)
returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    from_email bigint;
    looked bigint[];
    recorded int;
begin
    select h.looked_at into from_email from notify.house h for update;
    looked := array(select p.email_id
                      from notify.pending p
                     where p.email_id >= from_email
                     order by p.email_id
                     limit max_rows);
    update notify.house h
       set looked_at = case when cardinality(looked) = max_rows then looked[max_rows] + 1 else 0 end,
           pending_from = notify.first_pending(case when from_email > 0 then h.pending_from else 0 end),
           kept_up_at = millrace.now();
    with ended as materialized (
        select p.email_id, p.job_id, s.status, s.reason
          from notify.states_of(array(select p.job_id from notify.pending p where p.email_id = any (looked))) j
          join notify.pending p on p.job_id = j.job_id
         cross join lateral notify.status_by_state(j.state, j.job_id, false) s
         where p.email_id = any (looked) and s.status in ('failed', 'cancelled', 'expired')
    ), gone as (
        delete from notify.pending p using ended e where p.email_id = e.email_id returning p.email_id
    ), kept as (
        insert into notify.delivery (email_id, job_id, outcome, recorded_at, reason)
        select e.email_id, e.job_id, e.status, millrace.now(), left(e.reason, 1000)
          from ended e
          join gone g on g.email_id = e.email_id
    )
    select count(*) into recorded from gone;
    return recorded;
end
$$;

-- The first email from there on that waits; one behind all emails when none does. What is committed late is found when
-- the look begins at 0.
create or replace function notify.first_pending(from_email bigint)
returns bigint
language sql stable
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
as $$
    select coalesce((select p.email_id from notify.pending p where p.email_id >= $1 order by p.email_id limit 1),
                    (select e.id + 1 from notify.email e order by e.id desc limit 1), 0)
$$;

-- Looks at what was discarded up to ten seconds ago: what has committed by then is seen.
create or replace function notify.tell_owners()
returns int  -- queues
language plpgsql
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    until constant timestamptz := millrace.now() - interval '10 seconds';
    enough constant int := 1000;
    owner record;
    dead int;
    told int := 0;
begin
    for owner in
        select o.queue, o.username, o.told_before, q.id
          from notify.queue_owner o
          join millrace.queue q on q.name = o.queue
         where (o.told_at is null or o.told_at <= millrace.now() - interval '1 hour')
           and exists (select  -- nobody is told where there is no such queue
                         from notify.event_type t
                         join millrace.queue tq on tq.name = t.queue
                        where t.code = 'queue.dead_letter')
         order by o.queue
           for update of o skip locked
    loop
        select count(*) into dead
          from (select
                  from millrace.dead_letter d
                 where d.queue_id = owner.id and d.discarded_at >= owner.told_before and d.discarded_at < until
                 limit enough) d;
        continue when dead = 0;
        begin
            perform notify.emit(
                'queue.dead_letter', null, array[owner.username], format('Dead letters in queue %s', owner.queue),
                format('%s of queue %s became dead letters since %s. See them with: millrace jobs list --queue %s'
                       ' --state discarded',
                       case dead when 1 then 'A job' when enough then enough || ' jobs or more'
                                 else dead || ' jobs' end,
                       owner.queue, to_char(owner.told_before at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
                       owner.queue),
                data => jsonb_build_object('queue', owner.queue, 'jobs', dead, 'since', owner.told_before));
            update notify.queue_owner o set told_before = until, told_at = millrace.now() where o.queue = owner.queue;
            told := told + 1;
        exception when others then  -- the queue of digests is missing: what else is to be done is not held up by it
            raise warning 'the owner of queue % is not told: %', owner.queue, sqlerrm;
        end;
    end loop;
    return told;
end
$$;

-- A digest that was cancelled, or became a dead letter before it took anything on, leaves what is collected without a
-- job. A look at the oldest max_rows: whatever has a digest is gone from there within a day.
create or replace function notify.replace_digests(max_rows int)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    collector text;
begin
    for collector in
        select distinct c.username
          from (select k.username from notify.collected k order by k.email_id limit max_rows) c
         where not exists (select
                             from notify.digest d
                            where d.username = c.username
                              and millrace.job_state(d.job_id) in ('scheduled', 'blocked', 'available', 'running'))
         order by c.username
    loop
        begin
            perform notify.ensure_digest(collector);
        exception when others then
            raise warning 'what is collected for % has no digest: %', collector, sqlerrm;
        end;
    end loop;
end
$$;

create or replace function notify.prune(max_rows int)
returns int  -- events
language plpgsql
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    kept_from constant timestamptz := (select millrace.now() - h.retention from notify.house h);
    gone bigint[];
    digests bigint[];
begin
    gone := array(select v.id
                    from notify.event v
                   where v.emitted_at < kept_from
                     and not exists (select
                                       from notify.email e
                                       left join notify.pending p on p.email_id = e.id
                                       left join notify.collected c on c.email_id = e.id
                                       left join notify.delivery d on d.email_id = e.id
                                      where e.event_id = v.id
                                        and (p.email_id is not null or c.email_id is not null
                                             or d.outcome = 'failed' and millrace.job_state(d.job_id) is not null))
                   order by v.emitted_at
                   limit max_rows
                     for update of v skip locked);
    with email as (
        delete from notify.email e where e.event_id = any (gone) returning e.id
    ), delivery as (
        delete from notify.delivery d using email e where d.email_id = e.id
    ), member as (
        delete from notify.digest_member m using email e where m.email_id = e.id returning m.digest_id
    )
    select array_agg(distinct m.digest_id) into digests from member m;
    delete from notify.event v where v.id = any (gone);
    delete from notify.digest g
     where g.id = any (digests) and not exists (select from notify.digest_member m where m.digest_id = g.id);
    delete from notify.bounce b where b.bounced_at < millrace.now() - interval '30 days';
    return cardinality(gone);
end
$$;

create or replace function notify.erase_user(username text, dry_run boolean default false)
returns int  -- emails that have lost the name
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    addresses text[];
    emails bigint[];
begin
    perform notify.check_username('erase_user', username);
    perform notify.raise_bad('erase_user', case when dry_run is null then 'dry_run: true or false' end);
    select array_agg(lower(e.address)), array_agg(e.id) into addresses, emails
      from notify.email e
     where e.username = erase_user.username;
    if dry_run then
        return coalesce(cardinality(emails), 0);
    end if;
    addresses := addresses || (select lower(s.email)
                                 from notify.user_settings s
                                where s.username = erase_user.username);
    addresses := array(select a.address  -- but those that others have, too
                         from unnest(addresses) a(address)
                        where not exists (select
                                            from notify.user_settings s
                                           where lower(s.email) = a.address and s.username <> erase_user.username)
                          and not exists (select
                                            from notify.email e
                                           where e.username = a.address and e.username <> erase_user.username));
    delete from notify.suppression s where s.address = any (addresses);
    delete from notify.bounce b where b.address = any (addresses);
    delete from notify.user_preference p where p.username = erase_user.username;
    delete from notify.user_settings s where s.username = erase_user.username;
    delete from notify.queue_owner o where o.username = erase_user.username;
    delete from notify.collected c where c.username = erase_user.username;
    update notify.email e
       set username = null, address = null,
           skipped = case when e.job_id is null and e.skipped is null
                           and not exists (select from notify.digest_member m where m.email_id = e.id) then 'erased'
                          else e.skipped end
     where e.id = any (emails);
    update notify.delivery d set reply = null, reason = case d.outcome when 'skipped' then d.reason end,
                                 redirected_to = null
     where d.email_id = any (emails);
    update notify.digest d set username = null where d.username = erase_user.username;
    update notify.event v
       set subject = null, body_text = null, body_html = null, data = null, actor = null, dedup_key = null
     where v.id in (select e.event_id from notify.email e where e.id = any (emails))
       and not exists (select from notify.email e where e.event_id = v.id and e.username is not null)
        or v.actor = erase_user.username;
    perform millrace.audit('notify.erase_user', '{}', coalesce(cardinality(emails), 0));
    return coalesce(cardinality(emails), 0);
end
$$;
