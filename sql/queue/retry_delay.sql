-- retry_delay: how long a job waits after its n-th failed attempt.
--
--     a list     delay(n) = delays[n], after its end its last element again and again; a list of one is a fixed delay.
--                Taken at its word, without jitter.
--     otherwise  delay(n) = min(cap, base * 2^(n-1)) * (0.8 … 1.2)
--
-- The job's own list counts, else its kind's, else the kind's base and cap, each of the two else the queue's. Kinds and
-- queues are asked when the attempt fails: a change holds for the next failure of jobs that are there already.
--
-- Truncated binary exponential backoff, as Ethernet (IEEE 802.3) spaces its senders; the jitter of a fifth keeps the
-- jobs that one outage failed together from coming back together.
--
-- Locks   none.
-- Raises  retry_delay nothing; check_delays MR005 bad_argument.

create or replace function millrace.retry_delay(
    attempt int, of_job interval[], of_kind millrace.kind, of_queue millrace.queue)
returns interval
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    -- compared as seconds first: the product of a long base would leave the range of an interval
    select case when p.delays is not null then p.delays[least(n.doublings + 1, cardinality(p.delays))]
                when n.doublings > 30 or extract(epoch from p.base) * power(2, n.doublings) >= extract(epoch from p.cap)
                then p.cap * p.jitter
                else p.base * power(2, n.doublings) * p.jitter end
      from (select greatest(attempt, 1) - 1 as doublings) n
     cross join (select coalesce(of_job, (of_kind).retry_delays) as delays,
                        coalesce((of_kind).retry_base, (of_queue).retry_base) as base,
                        coalesce((of_kind).retry_cap, (of_queue).retry_cap) as cap,
                        0.8 + 0.4 * random() as jitter) p
$$;

create or replace function millrace.check_delays(caller text, delays interval[])
returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    wrong constant text := case
        when cardinality(delays) not between 1 and 100 or array_dims(delays) <> '[1:' || cardinality(delays) || ']'
            then '1 to 100 delays in one dimension, or null for none'
        when array_position(delays, null) is not null
          or exists (select from unnest(delays) d
                      where d not between interval '0' and interval '365 days'
                         or to_char(d, 'YYYYMMDDHH24MISSUS') ~ '-')  -- create_queue.sql
            then 'each 0 to 365 days, no part negative'
    end;
begin
    if wrong is not null then
        raise exception using errcode = 'MR005', message = caller || ': bad retry_delays',
            hint = 'Allowed for retry_delays: ' || wrong || '.';
    end if;
end
$$;
