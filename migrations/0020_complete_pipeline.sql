-- The whole pipeline: projects and what is known of them, repeated builds, the search for a culprit, hooks, and
-- verdicts that an operator has set aside.

set local role millrace_owner;

alter table pipeline.queue
    add column promotion_ref text,                        -- a branch that follows the last green; null: none
    add column promoted_uri  text,                        -- where it was moved last
    add column promotions_vanished bigint not null default 0,  -- of commits that a rewrite had dropped
    add column flaky_reruns  int not null default 0,      -- how often a broken build is repeated before the verdict
    add column bisect_budget int not null default 0;      -- builds that a search for a culprit may take; 0: no search

-- A build is one run of its request: the first one, a repetition of a broken one, or one step of a search. What a
-- revalidation begins counts from `first_run` on; `runs` is the last number that was given away.
alter table pipeline.request
    add column attempt      int not null default 1,
    add column first_run    int not null default 1,
    add column runs         int not null default 1,
    add column reason       text,         -- why there is no verdict
    add column analyzed_at  timestamptz,
    add column completed_at timestamptz;  -- when its last project was recorded

alter table pipeline.build
    add column run      int not null default 1,
    add column rerun_as int,   -- the run that repeats it
    add column uri      text;  -- built by a search; null: the head of the request

drop index pipeline.build_of_request;
create unique index build_of_request on pipeline.build (queue, request, project, run);

alter table pipeline.validation_fact
    add column is_flaky boolean not null default false;  -- broken and not broken, of one commit

-- Verdicts that a revalidation has set aside, as they were.
create table pipeline.superseded_fact (
    queue         text not null,
    uri           text not null,
    project       text not null,
    attempt       int not null,
    degree        numeric(6, 5) not null,
    is_flaky      boolean not null,
    request       bigint not null,
    created_at    timestamptz not null,
    superseded_at timestamptz not null,
    superseded_by name not null,
    reason        text not null,
    primary key (queue, uri, project, attempt),
    foreign key (queue, request) references pipeline.request
);

-- The first rule that fits decides, in the order of the projects and of the rules of each.
create table pipeline.project (
    queue    text not null references pipeline.queue,
    name     text not null,
    position int not null,
    rules    jsonb not null,  -- [{"target": glob} | {"path": glob} | {"target_regex": …} | {"path_regex": …}]
    primary key (queue, name)
);

-- The projects that a request touches.
create table pipeline.request_project (
    queue   text not null,
    request bigint not null,
    project text not null,
    state   text not null default 'pending' check (state in ('pending', 'recorded', 'cancelled', 'failed')),
    targets int not null,
    broken  int not null,  -- of these targets, in the build of the whole repository
    primary key (queue, request, project),
    foreign key (queue, request) references pipeline.request
);

-- One search for the request that broke a branch: after `good`, not after `bad`.
create table pipeline.bisect (
    queue       text not null,
    request     bigint not null,
    good        bigint not null,  -- 0: nothing before has been green
    bad         bigint not null,
    builds      int not null default 0,
    budget      int not null,
    building    bigint,           -- the request whose commit is being built, and in which run
    run         int,
    state       text not null default 'searching' check (state in ('searching', 'found', 'given up')),
    culprit_uri text,
    started_at  timestamptz not null,
    finished_at timestamptz,
    primary key (queue, request),
    foreign key (queue, request) references pipeline.request
);

create table pipeline.sink (
    queue    text not null references pipeline.queue,
    name     text not null,
    kind     text not null check (kind in ('webhook', 'email', 'notify')),
    settings jsonb not null,
    tells    text not null check (tells in ('everything', 'changes')),
    primary key (queue, name)
);

-- What has been told. The id has the pipeline queue in it and is there once.
create table pipeline.event (
    queue     text not null references pipeline.queue,
    id        text not null,
    type      text not null,
    at        timestamptz not null,
    payload   jsonb not null,
    primary key (queue, id)
);
create unique index event_id on pipeline.event (id);

-- When somebody last looked at the branch, or reported a head of it.
create table pipeline.look (
    queue text primary key references pipeline.queue,
    at    timestamptz  -- null: nobody has yet
);
insert into pipeline.look (queue) select q.name from pipeline.queue q;

-- They get more arguments, or more columns.
set local client_min_messages = warning;  -- a new installation has nothing to drop
drop function if exists pipeline.create_fact(text, text, text, numeric, bigint);
drop function if exists pipeline.create_build(text, text, bigint, text);
drop function if exists pipeline.get_build(text, text);
drop function if exists pipeline.get_fact(text, text, text);
drop function if exists pipeline.build_of(text, bigint, text);
drop function if exists pipeline.trigger_command(text, bigint, text, text, text);
reset client_min_messages;
