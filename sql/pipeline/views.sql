-- requests, builds, history: what a person looks at.
--
-- `history` has one row for each verdict, with what it was measured against and whether it holds the bookmark.
--
-- Locks   none.
-- Raises  nothing.

set local client_min_messages = warning;
drop view if exists pipeline.requests, pipeline.builds, pipeline.history;
reset client_min_messages;

create view pipeline.requests as
select format('request/%s/%s', r.queue, r.number) as id, r.queue, r.number, r.uri, r.state, r.build_strategy,
       r.base_uri, f.degree, r.accepted_at, r.admitted_at, r.finished_at
  from pipeline.request r
  left join pipeline.validation_fact f on f.queue = r.queue and f.uri = r.uri and f.project = '';

create view pipeline.builds as
select b.queue, b.id, b.request, b.project, b.status, coalesce(b.reason, c.reason) as reason, c.exit_code,
       b.log_location, c.log_tail, c.job, b.created_at, c.started_at, b.finished_at
  from pipeline.build b
  left join pipeline.command_run c on c.queue = b.queue and c.id = b.id;

create view pipeline.history as
select f.queue, f.request, f.uri, f.project, f.degree, r.build_strategy, r.base_uri,
       f.request = q.last_green_request and f.project = '' as is_last_green, f.created_at
  from pipeline.validation_fact f
  join pipeline.request r on r.queue = f.queue and r.number = f.request
  join pipeline.queue q on q.name = f.queue;
