-- What is said to and by a running attempt: requests to stop it, its progress, its log lines.
--
-- Rows are inserted and deleted, never updated. Of progress and log lines the newest is found from the end of the
-- index, so that it does not matter how many dead versions an old snapshot keeps before it.

set local role millrace_owner;

-- Taken away by whatever ends the attempt but its completion; prune() removes the rest.
create table millrace.cancel_request (
    job_id       bigint not null,
    fence        bigint not null,                          -- of the attempt that is to stop
    requested_at timestamptz not null,
    worker       int not null,                             -- its session
    requested_by text not null,
    reason       text,
    primary key (job_id, fence)
);
create index cancel_request_worker on millrace.cancel_request (worker);

-- One row for each job that has reported, replaced as those of lanes.
create table millrace.job_progress (
    job_id      bigint not null,
    version     bigint not null,
    reported_at timestamptz not null,
    attempt     smallint not null,
    percent     smallint not null check (percent between 0 and 100),
    message     text,
    primary key (job_id, version)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 1);
create index job_progress_at on millrace.job_progress using brin (reported_at);

create table millrace.job_log (
    job_id    bigint not null,
    line      bigint not null,                             -- counts from 1 over all attempts
    logged_at timestamptz not null,
    attempt   smallint not null,
    text      text not null,
    primary key (job_id, line)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 1);
create index job_log_at on millrace.job_log using brin (logged_at);
