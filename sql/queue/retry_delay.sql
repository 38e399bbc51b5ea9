-- retry_delay: how long a job waits after its n-th failed attempt.
--
--     delay(n) = min(cap, base * 2^(n-1)) * (0.8 … 1.2)
--
-- Truncated binary exponential backoff, as Ethernet (IEEE 802.3) spaces its senders; the jitter of a fifth keeps the
-- jobs that one outage failed together from coming back together.
--
-- Locks   none.
-- Raises  nothing.

create or replace function millrace.retry_delay(attempt int, base interval, cap interval)
returns interval
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    -- compared as seconds first: the product of a long base would leave the range of an interval
    select case when n.doublings > 30 or extract(epoch from base) * power(2, n.doublings) >= extract(epoch from cap)
                then cap
                else base * power(2, n.doublings) end * (0.8 + 0.4 * random())
      from (select greatest(attempt, 1) - 1 as doublings) n
$$;
