-- Commit validation: pipeline queues, the requests to validate a head, their builds, and the facts that come of them.
--
-- Every primary key leads with the pipeline queue, so that the tables could be divided by it. `version` counts the
-- writes of a row: who writes says which one was read.

create schema pipeline authorization millrace_owner;
comment on schema pipeline is 'millrace: at which commit is a branch green';

set local role millrace_owner;

grant usage on schema pipeline to millrace_enqueuer, millrace_worker, millrace_operator, millrace_viewer;

-- A named repository and ref. Requests are numbered in the order of their ingestion: `latest_request` is the counter.
create table pipeline.queue (
    name               text primary key check (name ~ '^[a-z0-9][a-z0-9_./-]{0,99}$'),
    job_queue          text not null,         -- where the jobs of its stages go
    source_control     text not null,
    source_settings    jsonb not null,        -- read by that source control alone
    build_runner       text not null,
    runner_settings    jsonb not null,        -- read by that build runner alone
    max_concurrent     int not null,          -- requests in processing at once
    max_validation     interval not null,     -- a build older than this counts as failed
    poll_accepted      interval not null,     -- between looks at a build that waits for its runner
    poll_running       interval not null,     -- between looks at one that runs
    latest_request     bigint not null default 0,
    last_green_request bigint not null default 0,  -- the bookmark; 0: nothing has been green
    last_green_uri     text,
    version            bigint not null default 1,
    created_at         timestamptz not null,
    check ((last_green_request = 0) = (last_green_uri is null)),
    check (last_green_request <= latest_request)
);

create table pipeline.request (
    queue          text not null references pipeline.queue,
    number         bigint not null,
    uri            text not null,  -- of the head; minted and read by the source control alone
    state          text not null default 'accepted'
                   check (state in ('accepted', 'processing', 'succeeded', 'failed', 'cancelled', 'superseded')),
    build_strategy text check (build_strategy in ('full', 'incremental_since_green')),  -- pinned with the admission
    base_uri       text,
    version        bigint not null default 1,
    accepted_at    timestamptz not null,
    admitted_at    timestamptz,
    finished_at    timestamptz,
    primary key (queue, number),
    check ((build_strategy = 'incremental_since_green') = (base_uri is not null))
);
create index request_unfinished on pipeline.request (queue, state, number) where state in ('accepted', 'processing');

-- Which request owns a commit. Rows are only ever created: a head that is reported twice finds its first request.
create table pipeline.request_uri (
    queue   text not null,
    uri     text not null,
    request bigint not null,
    primary key (queue, uri),
    foreign key (queue, request) references pipeline.request
);

create table pipeline.build (
    queue        text not null,
    id           text not null,             -- minted by the build runner
    request      bigint not null,
    project      text not null default '',  -- '': the whole repository
    status       text not null default 'accepted'
                 check (status in ('accepted', 'running', 'succeeded', 'failed', 'cancelled')),
    reason       text,                      -- why it ended as it did
    log_location text,                      -- for a person
    target_graph jsonb,
    version      bigint not null default 1,
    created_at   timestamptz not null,
    finished_at  timestamptz,
    primary key (queue, id),
    foreign key (queue, request) references pipeline.request
);
create index build_of_request on pipeline.build (queue, request, project);

-- The verdict on a commit, 0 green to 1 fully broken. Created once and never changed: the first one stands.
create table pipeline.validation_fact (
    queue      text not null,
    uri        text not null,
    project    text not null default '',
    degree     numeric(6, 5) not null check (degree between 0 and 1),
    request    bigint not null,
    created_at timestamptz not null,
    primary key (queue, uri, project),
    foreign key (queue, request) references pipeline.request
);
create index validation_fact_newest on pipeline.validation_fact (queue, project, request);

-- What the `command` runner was asked to execute, as it was configured then, and what came of it.
create table pipeline.command_run (
    queue       text not null references pipeline.queue,
    id          text not null,
    request     bigint not null,
    project     text not null,
    base_uri    text,
    head_uri    text not null,
    argv        text[] not null,
    time_limit  interval not null,
    job         bigint,                     -- that executes it
    status      text not null default 'accepted'
                check (status in ('accepted', 'running', 'succeeded', 'failed', 'cancelled')),
    reason      text,
    exit_code   int,
    log_tail    text,
    created_at  timestamptz not null,
    started_at  timestamptz,
    finished_at timestamptz,
    primary key (queue, id)
);
