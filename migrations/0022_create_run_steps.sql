-- What a run does beside the synchronisation of branches: migrations are searched for, a file distributed, branches
-- rebased.

set local role millrace_owner;

-- Planned when the run starts; each is done by a job of its own, `forks.` and the step's name.
create table forks.run_step (
    run_id   bigint not null references forks.run,
    step     text not null check (step in ('search', 'distribute', 'rebase')),
    target   text not null,                       -- org/name, of an upstream that is searched, else of the fork
    branch   text not null,                       -- searched, or rebased on; '': the default branch
    fork_id  int not null references forks.fork,  -- whose provider and queue are used
    job_id   bigint not null,                     -- 0: not yet
    state    text check (state in ('done', 'created', 'updated', 'unchanged', 'skipped', 'failed')),  -- null: not yet
    detail   text,
    at       timestamptz,
    intended text check (intended in ('created', 'updated')),  -- what a file was about to be, committed before it was
    primary key (run_id, step, target, branch)
);
create unique index run_step_job on forks.run_step (job_id) where job_id <> 0;

-- What a step has come across: a pull request, by its number; a branch that was to be rebased.
create table forks.step_item (
    run_id bigint not null,
    step   text not null,
    target text not null,
    branch text not null,
    item   text not null,
    state  text not null check (state in ('found', 'rebased', 'up to date', 'conflict', 'failed')),
    detail text,
    at     timestamptz not null,
    primary key (run_id, step, target, branch, item),
    foreign key (run_id, step, target, branch) references forks.run_step
);

-- One that nobody leads on any more ends when the group's next one begins, whose digest says so.
alter table forks.run add succeeded_by bigint references forks.run;
create index run_succeeded_by on forks.run (succeeded_by) where succeeded_by is not null;

-- GitHub is asked to bring a branch up to date, and does not say from which commit to which.
alter table forks.push_intent
    alter before_sha drop not null,
    alter after_sha drop not null,
    add constraint push_intent_has_both_commits_or_none check (num_nulls(before_sha, after_sha) <> 1);

-- Which jobs use a token at the moment, of whatever queue: no more at once than it has places.
alter table forks.token_pause add places int not null default 16 check (places between 1 and 1000);
create table forks.token_use (
    token  text not null references forks.token_pause,
    job_id bigint not null,
    fence  bigint not null,  -- of the attempt that uses it; when that has ended the place is free
    primary key (token, job_id)
);

-- Their successors are told which batch, and tell of more.
set local client_min_messages = warning;  -- a new installation has nothing to drop
drop function if exists forks.enqueue_items(bigint);
drop function if exists forks.sync_target(text, text, bigint);
