-- Fork synchronisation: which forks there are, the runs, and what became of each branch.

create schema forks authorization millrace_owner;
comment on schema forks is 'millrace: branches of forks brought up to date with their upstream';

set local role millrace_owner;

grant usage on schema forks to millrace_worker, millrace_operator, millrace_viewer;

create table forks.fork (
    id           int primary key generated always as identity,
    repo         text not null unique,                     -- org/name
    provider     text not null check (provider in ('git', 'github')),
    origin_url   text,                                     -- the fork itself, which is pushed to
    upstream_url text,
    branches     text[] not null check (cardinality(branches) between 1 and 100),
    enabled      boolean not null,
    queue        text not null,                            -- of its jobs
    digest_group text not null,
    created_at   timestamptz not null,
    constraint fork_git_has_urls check (provider <> 'git' or origin_url is not null and upstream_url is not null)
);

create table forks.run (
    id           bigint primary key generated always as identity,
    digest_group text not null,
    started_at   timestamptz not null,
    finished_at  timestamptz
);
create unique index run_active on forks.run (digest_group) where finished_at is null;

create table forks.sync_result (
    job_id     bigint primary key,
    run_id     bigint references forks.run,                -- null: asked for by itself
    fork_id    int not null references forks.fork,
    branch     text not null,
    state      text not null check (state in ('updated', 'current', 'conflict', 'skipped', 'failed')),
    before_sha text,
    after_sha  text,
    detail     text,
    at         timestamptz not null,
    constraint sync_result_updated_has_commits
        check (state <> 'updated' or before_sha is not null and after_sha is not null)
);
create unique index sync_result_run on forks.sync_result (run_id, fork_id, branch) where run_id is not null;
create index sync_result_fork on forks.sync_result (fork_id, branch, at);

-- A push that was about to happen, committed before it: whoever repeats the job finds out whether it did happen.
create table forks.push_intent (
    job_id      bigint primary key,
    before_sha  text not null,
    after_sha   text not null,
    intended_at timestamptz not null
);
