-- message_of, digest_to, template_of, record_delivery: an email on its way, from the job's claim to its settle.
--
--     job claimed ─► message_of | digest_of, digest_to ─► (mail server) ─► record_delivery and settle
--
-- A message is decided upon when it is sent, not when it was emitted: an address that has been suppressed meanwhile, or
-- a user who was erased or has switched it off, gets nothing, and what goes out goes to the address that the user has
-- by then.
--
-- record_delivery belongs in the transaction that settles the job, and holds the job until that ends. There is one
-- delivery for an email: the last one. A digest that is settled while more has been collected sees to it that there is
-- another digest.
--
-- Arguments  fence, job_id  of the attempt: whoever has lost the job reads nothing, and records nothing
--            outcome        sent, skipped, failed: for all emails of the job that have not come to their end
--            reason         why it was skipped or has failed, up to 1,000 characters
--            message_id, reply, redirected_to   of what was sent
--            sent_to        the user's address then, as message_of or digest_to said it; null: as it was at the emit
-- message_of and digest_to are read in transactions that stay open while the mail server answers: they lock nothing and
-- leave no transaction id behind.
--
-- Locks      message_of, digest_to: none. record_delivery: the job's row of running, shared; the emails whose address
--            was another at the emit; those of ensure_digest.
-- Raises     MR001 lease_lost, MR005 bad_argument.
-- Rows       1 for each email, 2 if its address is another.

set local client_min_messages = warning;
drop function if exists notify.record_delivery(bigint, text, text, text, text, text);
drop function if exists notify.record_delivery(bigint, bigint, text, text, text, text, text);
drop function if exists notify.message_of(bigint, bigint);
reset client_min_messages;

create or replace function notify.check_holder(fence bigint, job_id bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (select from millrace.running r
                    where r.job_id = check_holder.job_id and r.fence = check_holder.fence) then
        perform millrace.raise_lease_lost(fence, job_id);
    end if;
end
$$;

create or replace function notify.message_of(
    fence bigint, job_id bigint,
    out email_id bigint, out skip text,  -- why nothing is to be sent; null: it is to be sent
    out event_type text, out username text, out address text, out locale text, out sender text, out subject text,
    out body_text text, out body_html text, out data jsonb, out system_required boolean,
    out waited interval)  -- since the emit
returns setof record  -- none: the job is not one of an email that is known
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform notify.check_holder(fence, job_id);
    return query
        select e.id, case when e.username is null or v.subject is null then 'erased'
                          when v.expires_at <= millrace.now() then 'expired'
                          else coalesce(notify.objection(s.enabled, t.system_required, p.enabled, t.default_enabled),
                                        case when a.address is null then 'no address' end,
                                        case when x.address is not null then 'suppressed' end) end,
               e.event_type, e.username, a.address, e.locale, c.sender, v.subject, v.body_text, v.body_html, v.data,
               t.system_required, millrace.now() - e.emitted_at
          from notify.emails_of(message_of.job_id) o(id)
          join notify.email e on e.id = o.id
          join notify.event v on v.id = e.event_id
          join notify.event_type t on t.code = e.event_type
          join notify.category c on c.name = t.category
          left join notify.user_settings s on s.username = e.username
          left join notify.user_preference p on p.username = e.username and p.event_type = e.event_type
         cross join lateral (select coalesce(s.email, case when notify.is_address(e.username) then e.username end)
                                    as address) a
          left join notify.suppression x on x.address = lower(a.address)
         where e.job_id = message_of.job_id;
end
$$;

-- To whom a digest goes, as things are now.
create or replace function notify.digest_to(
    fence bigint, job_id bigint,
    out skip text, out username text, out address text, out locale text, out sender text)
returns setof record  -- none: there is no such digest
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform notify.check_holder(fence, job_id);
    return query
        select case when d.username is null then 'erased'
                    when not notify.should_send(d.username, 'notify.digest') then 'preference'
                    when a.address is null then 'no address'
                    when x.address is not null then 'suppressed' end,
               d.username, a.address, coalesce(s.locale, 'en'), c.sender
          from notify.digest d
          left join notify.user_settings s on s.username = d.username
         cross join lateral (select coalesce(s.email, case when notify.is_address(d.username) then d.username end)
                                    as address) a
          left join notify.suppression x on x.address = lower(a.address)
          left join notify.event_type t on t.code = 'notify.digest'
          left join notify.category c on c.name = t.category
         where d.job_id = digest_to.job_id;
end
$$;

create or replace function notify.template_of(
    event_type text, locale text,
    out found_locale text, out subject text, out body_text text, out body_html text)
returns setof record  -- none: the words of emit are sent
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$ select t.locale, t.subject, t.body_text, t.body_html from notify.template_for($1, $2) t $$;

create or replace function notify.record_delivery(
    fence bigint, job_id bigint, outcome text, reason text default null, message_id text default null,
    reply text default null, redirected_to text default null, sent_to text default null)
returns int  -- emails
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    ended bigint[];
    of_user text;
begin
    perform notify.raise_bad('record_delivery', case
        when outcome is null or outcome not in ('sent', 'skipped', 'failed') then 'outcome: sent, skipped, failed'
        when outcome <> 'sent' and coalesce(reason, '') = '' then 'reason: a text for what is not sent' end);
    perform millrace.assert_lease(fence, job_id);
    with waited as (
        delete from notify.pending p where p.job_id = record_delivery.job_id returning p.email_id
    ), failed as (
        delete from notify.delivery d
         where d.job_id = record_delivery.job_id and d.outcome = 'failed'
        returning d.email_id
    )
    select array_agg(u.email_id)
      into ended
      from (select w.email_id from waited w union all select f.email_id from failed f) u;
    insert into notify.delivery (email_id, job_id, outcome, recorded_at, reason, message_id, reply, redirected_to)
    select u.id, record_delivery.job_id, record_delivery.outcome, millrace.now(), left(record_delivery.reason, 1000),
           left(record_delivery.message_id, 1000), left(record_delivery.reply, 1000),
           left(record_delivery.redirected_to, 1000)
      from unnest(ended) u(id);
    if outcome = 'sent' and sent_to is not null then
        update notify.email e
           set address = left(sent_to, 1000)
         where e.id = any (ended) and e.username is not null and e.address is distinct from sent_to;
    end if;
    select d.username into of_user from notify.digest d where d.job_id = record_delivery.job_id;
    delete from notify.digest d
     where d.job_id = record_delivery.job_id
       and not exists (select from notify.digest_member m where m.digest_id = d.id);
    if exists (select from notify.collected c where c.username = of_user) then
        perform notify.ensure_digest(of_user);
    end if;
    return coalesce(cardinality(ended), 0);
end
$$;

-- The emails that a job has not brought to their end, and those that it has failed to: it may be replayed.
create or replace function notify.emails_of(job_id bigint)
returns setof bigint
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select p.email_id from notify.pending p where p.job_id = $1
    union all
    select d.email_id from notify.delivery d where d.job_id = $1 and d.outcome = 'failed'
$$;
