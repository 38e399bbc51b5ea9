-- queues, requests, request_projects, builds, history: what a person looks at.
--
-- `queues` tells when the last green head was reported, since when there is a verdict that the branch is broken, and
-- how long the last head took that has one. `request_projects` has one row for each project that a head touches: what
-- is known of it, and of its targets in the build of the whole repository. `history` has one row for each verdict, with
-- what it was measured against and whether it holds the bookmark; those that a revalidation has set aside say who did,
-- when and why.
--
-- Locks   none.
-- Raises  nothing.

set local client_min_messages = warning;
drop view if exists pipeline.queues, pipeline.requests, pipeline.request_projects, pipeline.builds, pipeline.history;
reset client_min_messages;

create view pipeline.queues as
select q.name, q.source_settings ->> 'remote' as remote, q.source_settings ->> 'ref' as ref, q.job_queue,
       q.max_concurrent, w.waiting, w.processing, q.latest_request, q.last_green_request, q.last_green_uri,
       q.promotion_ref, q.promoted_uri, q.promotions_vanished, l.at as looked_at,
       (select g.accepted_at from pipeline.request g
         where g.queue = q.name and g.number = q.last_green_request) as last_green_at,
       (select min(f.created_at) from pipeline.validation_fact f
         where f.queue = q.name and f.project = '' and f.degree > 0
           and f.request > q.last_green_request) as broken_since,
       (select d.finished_at - d.accepted_at from pipeline.request d
         where d.queue = q.name and d.state in ('succeeded', 'failed')
         order by d.number desc limit 1) as validation_time
  from pipeline.queue q
  left join pipeline.look l on l.queue = q.name
 cross join lateral (select count(*) filter (where r.state = 'accepted') as waiting,
                            count(*) filter (where r.state = 'processing') as processing
                       from pipeline.request r
                      where r.queue = q.name and r.state in ('accepted', 'processing')) w;

create view pipeline.requests as
select format('request/%s/%s', r.queue, r.number) as id, r.queue, r.number, r.uri, r.state, r.build_strategy,
       r.base_uri, f.degree, pipeline.verdict(f.degree, f.is_flaky) as verdict,
       pipeline.roll_up(r.queue, r.number) as roll_up, r.attempt, r.reason, b.culprit_uri,
       r.accepted_at, r.admitted_at, r.finished_at, r.completed_at
  from pipeline.request r
  left join pipeline.validation_fact f on f.queue = r.queue and f.uri = r.uri and f.project = ''
  left join pipeline.bisect b on b.queue = r.queue and b.request = r.number;

create view pipeline.request_projects as
select p.queue, p.request, r.uri, p.project, p.state, f.degree, pipeline.verdict(f.degree, f.is_flaky) as verdict,
       p.targets, p.broken as broken_targets
  from pipeline.request_project p
  join pipeline.request r on r.queue = p.queue and r.number = p.request
  left join pipeline.validation_fact f on f.queue = r.queue and f.uri = r.uri and f.project = p.project;

create view pipeline.builds as
select b.queue, b.id, b.request, b.project, b.run, b.uri as searched_uri, b.status,
       coalesce(b.reason, c.reason) as reason, c.exit_code,
       b.log_location, c.log_tail, c.job, b.created_at, c.started_at, b.finished_at
  from pipeline.build b
  left join pipeline.command_run c on c.queue = b.queue and c.id = b.id;

create view pipeline.history as
select f.queue, f.request, f.uri, f.project, f.degree, pipeline.verdict(f.degree, f.is_flaky) as verdict,
       r.build_strategy, r.base_uri, f.request = q.last_green_request and f.project = '' as is_last_green, f.created_at,
       null::timestamptz as superseded_at, null::name as superseded_by, null::text as superseded_because
  from pipeline.validation_fact f
  join pipeline.request r on r.queue = f.queue and r.number = f.request
  join pipeline.queue q on q.name = f.queue
 union all
select f.queue, f.request, f.uri, f.project, f.degree, pipeline.verdict(f.degree, f.is_flaky), r.build_strategy,
       r.base_uri, false, f.created_at, f.superseded_at, f.superseded_by, f.reason
  from pipeline.superseded_fact f
  join pipeline.request r on r.queue = f.queue and r.number = f.request;
