-- pause_token, token_wait, take_place, limit_token, token_pauses: what all jobs that use one token share, on whatever
-- worker and in whatever queue.
--
--     a job is answered "rate limit" ──pause_token──► the row says until when ──token_wait──► others are snoozed
--     a job is about to ask ──take_place──► it has a place until its attempt ends; or there is none, and it is snoozed
--
-- A pause is never shortened: an answer that comes late may know less. A token has 16 places unless limit_token says
-- otherwise; nobody gives a place back: it is that of a job and a fence, and free when these no longer run. Nothing of
-- the token itself is here.
--
-- Arguments  token    what the token is called, 1 … 300 characters: the same on every worker that has it
--            seconds  from now on, 0 … 86,400
--            places   1 … 1,000
-- Locks      take_place: the job's row of running, shared; the token's row. pause_token, limit_token: the token's row.
--            token_wait: none.
-- Raises     MR001 lease_lost (take_place), MR005 bad_argument.
-- Rows       1; take_place also those whose attempts have ended.

create or replace function forks.pause_token(token text, seconds int)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    wrong constant text := case
        when token is null or length(token) not between 1 and 300 then 'token: 1 to 300 characters'
        when seconds is null or seconds not between 0 and 86400 then 'seconds: 0 to 86400' end;
begin
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'pause_token: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    insert into forks.token_pause as p (token, until)
    values (pause_token.token, millrace.now() + make_interval(secs => seconds))
    on conflict on constraint token_pause_pkey
    do update set until = excluded.until
        where p.until < excluded.until;
end
$$;

-- How long the token is to rest; 0: it may be used.
create or replace function forks.token_wait(token text)
returns int  -- seconds
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce((select greatest(ceil(extract(epoch from p.until - millrace.now())), 0)::int
                       from forks.token_pause p
                      where p.token = token_wait.token), 0)
$$;

create or replace function forks.take_place(fence bigint, job_id bigint, token text)
returns boolean  -- false: all are taken
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    places int;
begin
    if token is null or length(token) not between 1 and 300 then
        raise exception using errcode = 'MR005', message = 'take_place: bad token',
            hint = 'Allowed for token: 1 to 300 characters.';
    end if;
    perform millrace.assert_lease(fence, job_id);
    insert into forks.token_pause as p (token, until)
    values (take_place.token, 'epoch')
    on conflict on constraint token_pause_pkey do nothing;
    select p.places into places from forks.token_pause p where p.token = take_place.token for no key update;
    delete from forks.token_use u
     where u.token = take_place.token
       and (u.job_id = take_place.job_id
            or not exists (select from millrace.running r where r.job_id = u.job_id and r.fence = u.fence));
    if (select count(*) from forks.token_use u where u.token = take_place.token) >= places then
        return false;
    end if;
    insert into forks.token_use (token, job_id, fence)
    values (take_place.token, take_place.job_id, take_place.fence);
    return true;
end
$$;

create or replace function forks.limit_token(token text, places int)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    wrong constant text := case
        when token is null or length(token) not between 1 and 300 then 'token: 1 to 300 characters'
        when places is null or places not between 1 and 1000 then 'places: 1 to 1000' end;
begin
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'limit_token: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    insert into forks.token_pause as p (token, until, places)
    values (limit_token.token, 'epoch', limit_token.places)
    on conflict on constraint token_pause_pkey
    do update set places = excluded.places;
    perform millrace.audit('forks.limit_token', jsonb_build_object('token', token, 'places', places), 1);
end
$$;

set local client_min_messages = warning;
drop view if exists forks.token_pauses;
reset client_min_messages;

-- Those that have not ended: jobs of these tokens wait.
create view forks.token_pauses as
select p.token, p.until
  from forks.token_pause p
 where p.until > millrace.now();
