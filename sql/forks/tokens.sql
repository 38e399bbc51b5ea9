-- pause_token, token_wait, token_pauses: a forge has told one worker to wait; all jobs that use the same token do.
--
--     a job is answered "rate limit" ──pause_token──► the row says until when ──token_wait──► others are snoozed
--
-- A pause is never shortened: an answer that comes late may know less. Nothing of the token itself is here.
--
-- Arguments  token    what the token is called, 1 … 300 characters: the same on every worker that has it
--            seconds  from now on, 0 … 86,400
-- Locks      pause_token: the token's row. token_wait: none.
-- Raises     MR005 bad_argument.
-- Rows       1.

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

set local client_min_messages = warning;
drop view if exists forks.token_pauses;
reset client_min_messages;

-- Those that have not ended: jobs of these tokens wait.
create view forks.token_pauses as
select p.token, p.until
  from forks.token_pause p
 where p.until > millrace.now();
