-- overview: each pipeline queue in numbers, for gauges.
--
-- Requests that wait or are validated are all counted; what became of requests, for the last 1,000 of a pipeline queue:
-- however long its history, an answer takes the same time.
--
-- last_green_committed_at   by the repository's clock, else when the head was reported; null: nothing has been green
-- break_undetected          while the branch is broken: from the commit of the head that showed it, or of the culprit
--                           once it is found, to the verdict. Null: it is not broken
-- validation_time           of the last head of the first attempt that has succeeded or failed, from its report on
--
-- Locks   none.
-- Raises  nothing.
-- Rows    1 for each pipeline queue; 1,000 requests and one verdict are read for it.

create or replace function pipeline.overview()
returns table (queue text, accepted bigint, processing bigint, succeeded bigint, failed bigint, cancelled bigint,
               superseded bigint, last_green_committed_at timestamptz, break_undetected interval,
               validation_time interval)
language sql stable security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
    select q.name, s.accepted, s.processing, s.succeeded, s.failed, s.cancelled, s.superseded,
           coalesce(g.committed_at, g.accepted_at), d.undetected, v.took
      from pipeline.queue q
     cross join lateral (
            select count(*) filter (where r.state = 'accepted') as accepted,
                   count(*) filter (where r.state = 'processing') as processing,
                   count(*) filter (where r.state = 'succeeded') as succeeded,
                   count(*) filter (where r.state = 'failed') as failed,
                   count(*) filter (where r.state = 'cancelled') as cancelled,
                   count(*) filter (where r.state = 'superseded') as superseded
              from (select u.state
                      from pipeline.request u
                     where u.queue = q.name and u.state in ('accepted', 'processing')
                     union all
                    select e.state
                      from pipeline.request e
                     where e.queue = q.name and e.number > q.latest_request - 1000
                       and e.state not in ('accepted', 'processing')) r) s
      left join pipeline.request g on g.queue = q.name and g.number = q.last_green_request
      left join lateral (
            select greatest(f.created_at - least(r.committed_at, r.accepted_at), interval '0') as undetected
              from (select b.request, b.uri, b.created_at
                      from pipeline.validation_fact b
                     where b.queue = q.name and b.project = '' and b.degree > 0 and b.request > q.last_green_request
                     order by b.request
                     limit 1) f
              left join pipeline.bisect c on c.queue = q.name and c.request = f.request
              join pipeline.request_uri u on u.queue = q.name and u.uri = coalesce(c.culprit_uri, f.uri)
              join pipeline.request r on r.queue = q.name and r.number = u.request) d on true
      left join lateral (
            select e.finished_at - e.accepted_at as took
              from pipeline.request e
             where e.queue = q.name and e.number > q.latest_request - 1000 and e.attempt = 1
               and e.state in ('succeeded', 'failed')
             order by e.number desc
             limit 1) v on true
     order by q.name
$$;
