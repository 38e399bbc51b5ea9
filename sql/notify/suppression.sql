-- suppress, unsuppress, bounced, is_suppressed: addresses to which nothing is sent any more, whoever's they are.
--
-- What is emitted for a suppressed address is recorded as skipped; so is what was emitted before, when its turn comes.
-- A mail that has bounced for good, or somebody who complains of spam, suppresses the address at once. Bounces that may
-- have been for once (a full mailbox) suppress it with the fifth in seven days.
--
-- A provider reports ada@bücher.example as ada@xn--bcher-kva.example, as mail servers are told it. The database cannot
-- make the one of the other: whoever sends asks is_suppressed for the second.
--
-- Arguments  address    as name@example.org; capitals make no difference
--            reason     1 … 500 characters
--            permanent  false: it may have been for once
-- Locks      the address' row; is_suppressed: none.
-- Raises     MR005 bad_argument.
-- Rows       1, and one of operator_action; is_suppressed: none.

create or replace function notify.check_suppression(caller text, address text, reason text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform notify.raise_bad(caller, case
        when not notify.is_address(address) then 'address: an address, as name@example.org'
        when reason is null or reason = '' or length(reason) > 500 then 'reason: 1 to 500 characters' end);
end
$$;

create or replace function notify.suppress(address text, reason text)
returns boolean  -- whether it was not suppressed before
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform notify.check_suppression('suppress', address, reason);
    insert into notify.suppression (address, reason, suppressed_at)
    values (lower(suppress.address), suppress.reason, millrace.now())
    on conflict on constraint suppression_pkey do nothing;
    if found then
        perform millrace.audit('notify.suppress', jsonb_build_object('reason', reason), 1);
        return true;
    end if;
    return false;
end
$$;

create or replace function notify.unsuppress(address text)
returns boolean  -- whether it was suppressed
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from notify.bounce b where b.address = lower(unsuppress.address);
    delete from notify.suppression s where s.address = lower(unsuppress.address);
    if found then
        perform millrace.audit('notify.unsuppress', '{}', 1);
        return true;
    end if;
    return false;
end
$$;

create or replace function notify.bounced(address text, reason text, permanent boolean default true)
returns boolean  -- whether the address is suppressed now
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    at constant timestamptz := millrace.now();
    enough constant int := 5;
begin
    perform notify.check_suppression('bounced', address, reason);
    perform notify.raise_bad('bounced', case when permanent is null then 'permanent: true or false' end);
    if not permanent then
        insert into notify.bounce (address, bounced_at, reason) values (lower(bounced.address), at, bounced.reason);
        if (select count(*)
              from (select
                      from notify.bounce b
                     where b.address = lower(bounced.address) and b.bounced_at > at - interval '7 days'
                     limit enough) b) < enough then
            return exists (select from notify.suppression s where s.address = lower(bounced.address));
        end if;
    end if;
    perform notify.suppress(address, reason);
    return true;
end
$$;

create or replace function notify.is_suppressed(address text)
returns boolean
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$ select exists (select from notify.suppression s where s.address = lower(is_suppressed.address)) $$;
