-- next_digest, collect, ensure_digest, put_off_digest, digest_of: many emails of a user as one.
--
--     collected ──digest_of──► pending, as a member of the digest ──settle──► delivery
--
-- While anything is collected for a user, there is one job notify.digest that waits for the user's hour; it is made
-- with the first email, and takes on, when it runs, whatever is there. Its unique key holds until it is started, so
-- that what comes after that is for the next one.
--
-- Nothing is left behind: whoever collects locks the job's row, shared, until the transaction ends. The job cannot be
-- started before, and then sees what was collected. Where it has been started already, another one is made.
-- Nothing is sent in two digests: to be taken on, an email is deleted from `collected`, under the job's fence and
-- committed before the mail is sent. A job that is repeated, after its worker has died, takes on nothing else; a job
-- that has become a dead letter keeps what it has until it is replayed. What has expired meanwhile, or is not wanted
-- any more, is left out each time.
--
-- A user who goes back to realtime gets what is collected at once, in a last digest; who moves the hour, then. Who has
-- switched mails off, or a type, gets nothing of it: it is recorded as skipped. When a waiting digest is cancelled,
-- what is collected goes with the next one, which upkeep makes if nobody else does.
--
-- Time    a digest is due when the clock of the user's zone first shows the hour or a later one: an hour that clocks
--         skip is due at the end of the gap, and of one that comes twice the first is meant (queue/cron_runs.sql). A
--         zone that the server does not know any more counts as UTC.
-- Locks   the digest job's row of scheduled or ready, shared; digest_of: the job's row of running, shared, the rows of
--         collected, those of pending and delivery of what it leaves out.
-- Raises  MR001 lease_lost (digest_of).
-- Rows    2 for each email.

create or replace function notify.next_digest(hour int, time_zone text, after timestamptz)
returns timestamptz
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (select due.at
              from generate_series(0, 2) d
             cross join lateral (select millrace.first_shown((after at time zone time_zone)::date + d
                                                             + make_time(hour, 0, 0), time_zone) as at) due
             where due.at > after
             order by due.at
             limit 1);
exception when invalid_parameter_value then  -- a zone that the server knew when it was chosen
    return notify.next_digest(hour, 'UTC', after);
end
$$;

-- Emails for the digests of these users.
create or replace function notify.collect(of_event bigint, event_type text, at timestamptz, collectors text[])
returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    collector text;
begin
    if collectors is null then
        return 0;
    end if;
    with stored as (
        insert into notify.email as e (event_id, event_type, emitted_at, username, address, locale)
        select of_event, collect.event_type, at, s.username, s.address, s.locale
          from (select u.username, u.locale,
                       coalesce(u.email, case when notify.is_address(u.username) then u.username end) as address
                  from notify.user_settings u
                 where u.username = any (collectors)
                 order by u.username) s
        returning e.username, e.id
    )
    insert into notify.collected (username, email_id)
    select s.username, s.id from stored s;
    foreach collector in array collectors  -- sorted: those who collect for the same users do so in the same order
    loop
        perform notify.ensure_digest(collector);
    end loop;
    return cardinality(collectors);
end
$$;

-- A job for the user's digest that will not start before this transaction ends.
create or replace function notify.ensure_digest(of_user text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
declare
    looks constant int := 10;
    settings constant notify.user_settings := notify.settings_of(of_user);
    due constant timestamptz := notify.next_digest(settings.digest_hour, settings.time_zone, millrace.now());
    queue constant text := (select h.digest_queue from notify.house h);
    of_type constant notify.event_type := (select t from notify.event_type t where t.code = 'notify.digest');
    digest bigint;
    job bigint;
    is_new boolean;
begin
    for look in 1 .. looks
    loop
        digest := nextval('notify.digest_id');
        select e.id, e.inserted into job, is_new
          from millrace.enqueue_unique(queue, 'notify.digest', jsonb_build_object('digest', digest),
                                       notify.digest_key(of_user), unique_until => 'started', run_at => due,
                                       priority => of_type.priority::int) e;
        if is_new then
            delete from notify.digest d  -- of a job that was cancelled while it waited
             where d.username = of_user and not exists (select from notify.digest_member m where m.digest_id = d.id)
               and coalesce(millrace.job_state(d.job_id), 'cancelled') = 'cancelled';
            insert into notify.digest (id, username, job_id) values (digest, of_user, job);
            return;
        end if;
        perform from millrace.scheduled s where s.job_id = job and s.waits_for = 'run_at' for share;
        if not found then
            perform from millrace.ready r where r.job_id = job and r.attempt = 0 for share;
        end if;
        if found then
            return;
        end if;
        -- it has been started, or moved from one to the other behind the look at the second
    end loop;
    raise exception using errcode = 'serialization_failure',
        message = format('the digest of %L is started all the time', left(of_user, 200)), hint = 'Try again.';
end
$$;

create or replace function notify.digest_key(of_user text)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$ select case when length(of_user) <= 193 then 'digest:' || of_user
                  else 'digest:' || encode(sha256(convert_to(of_user, 'UTF8')), 'hex') end $$;

-- The settings are others: a digest that waits goes out at the new hour, or at once.
create or replace function notify.put_off_digest(of_user text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    settings constant notify.user_settings := notify.settings_of(of_user);
    due constant timestamptz := case when settings.delivery_mode = 'digest' then
        notify.next_digest(settings.digest_hour, settings.time_zone, millrace.now()) end;
    queue constant text := (select h.digest_queue from notify.house h);
    digest bigint;
    made record;
begin
    if not exists (select from notify.collected c where c.username = of_user) then
        return;
    end if;
    digest := nextval('notify.digest_id');
    select e.id, e.inserted, e.replaced into made
      from millrace.enqueue_unique(queue, 'notify.digest', jsonb_build_object('digest', digest),
                                   notify.digest_key(of_user), unique_until => 'started', run_at => due,
                                   replaces => '{run_at}') e;
    if made.inserted then
        insert into notify.digest (id, username, job_id) values (digest, of_user, made.id);
    end if;
end
$$;

-- What the digest is made of, in the order in which it was emitted: all subjects, and of the words more than any mail
-- holds, but not all.
create or replace function notify.digest_of(fence bigint, job_id bigint)
returns table (email_id bigint, event_type text, emitted_at timestamptz, actor text, subject text, body_text text,
               body_html text, data jsonb)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    most constant int := 4000000;  -- bytes of bodies and data; worker/handlers/email/letter.hpp has fewer
    at constant timestamptz := millrace.now();
    this notify.digest%rowtype;
begin
    perform millrace.assert_lease(fence, job_id);
    select d.* into this from notify.digest d where d.job_id = digest_of.job_id;
    if not exists (select from notify.digest_member m where m.digest_id = this.id) then
        with taken as (
            delete from notify.collected c where c.username = this.username returning c.email_id
        ), member as (
            insert into notify.digest_member (digest_id, email_id) select this.id, t.email_id from taken t
        )
        insert into notify.pending (email_id, job_id, emitted_at)
        select t.email_id, digest_of.job_id, at  -- it waits for the mail server since now
          from taken t;
    end if;
    perform notify.drop_unwanted(this, at);
    return query
        select w.id, w.event_type, w.emitted_at, w.actor, w.subject,
               case when w.words <= most then w.body_text end, case when w.words <= most then w.body_html end,
               case when w.words <= most then w.data end
          from (select e.id, e.event_type, e.emitted_at, v.actor, v.subject, v.body_text, v.body_html, v.data,
                       sum(coalesce(octet_length(v.body_text), 0) + coalesce(octet_length(v.body_html), 0)
                           + coalesce(octet_length(v.data::text), 0)) over (order by e.id) as words
                  from notify.digest_member m
                  join notify.email e on e.id = m.email_id
                  join notify.event v on v.id = e.event_id
                 where m.digest_id = this.id and v.subject is not null
                   and not exists (select from notify.delivery d where d.email_id = e.id and d.outcome <> 'failed')) w
         order by w.id;
end
$$;

-- Of what the digest has and has not sent, what was erased, what the user does not want to hear of any more, and what
-- has expired. A job that is tried again may have waited for hours, one that is replayed for weeks.
create or replace function notify.drop_unwanted(this notify.digest, at timestamptz)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    with unwanted as materialized (
        select e.id, case when v.subject is null then 'erased'
                          else coalesce(notify.objection(s.enabled, t.system_required, p.enabled, t.default_enabled),
                                        case when v.expires_at <= at then 'expired' end) end as reason
          from notify.digest_member m
          join notify.email e on e.id = m.email_id
          join notify.event v on v.id = e.event_id
          join notify.event_type t on t.code = e.event_type
          left join notify.user_settings s on s.username = this.username
          left join notify.user_preference p on p.username = this.username and p.event_type = t.code
         where m.digest_id = this.id
           and not exists (select from notify.delivery d where d.email_id = e.id and d.outcome <> 'failed')
    ), gone as (
        delete from notify.pending p using unwanted u where p.email_id = u.id and u.reason is not null
    )
    insert into notify.delivery (email_id, job_id, outcome, recorded_at, reason)
    select u.id, this.job_id, case when u.reason = 'expired' then 'expired' else 'skipped' end, at,
           nullif(u.reason, 'expired')
      from unwanted u
     where u.reason is not null
    on conflict on constraint delivery_pkey  -- a failure, of a job that is replayed
    do update set job_id = excluded.job_id, outcome = excluded.outcome, recorded_at = excluded.recorded_at,
                  reason = excluded.reason
    where delivery.outcome = 'failed'
$$;
