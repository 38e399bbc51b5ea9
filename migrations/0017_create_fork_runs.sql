-- Runs of fork synchronisation: groups of forks that share a digest, what a run consists of, and the digests.

set local role millrace_owner;
set local client_min_messages = warning;  -- a new installation has nothing to drop

create table forks.digest_group (
    id             int primary key generated always as identity,
    name           text not null unique,
    queue          text not null,      -- of the jobs that start runs and make digests
    email_queue    text not null,
    recipients     text[] not null,    -- none: the digest is recorded, and mailed to nobody
    subject_prefix text,               -- null: the organisation of its forks, if there is one, else the name
    cron           text,               -- null: runs are started by hand
    time_zone      text not null,      -- of cron, and of the date in the subject
    template_path  text,               -- the managed file, and what it is to hold
    template       text,
    managed        text[] not null,    -- subjects of commits that are not somebody's work, as in LIKE
    created_at     timestamptz not null,
    check ((template_path is null) = (template is null))
);
insert into forks.digest_group (name, queue, email_queue, recipients, time_zone, managed, created_at)
select g.name, 'forks', 'email', '{}', 'UTC',
       array['created % from % distributor', 'updated % from % distributor', 'Merge branch ''%:%'' into %'],
       clock_timestamp()
  from (select 'default' as name union select f.digest_group from forks.fork f union
        select r.digest_group from forks.run r) g
 order by g.name;

alter table forks.fork
    add upstream_org         text,                            -- null: no migration watch, no divergence check
    add upstream_repo        text,
    add upstream_track       text,                            -- the branch on which migrations are merged
    add install_forward_port boolean not null default false,  -- gets the managed file
    add rebase_onto          text,
    add rebase_globs         text[] not null default '{}',
    add check ((upstream_org is null) = (upstream_repo is null)),
    add foreign key (digest_group) references forks.digest_group (name);
create index fork_digest_group on forks.fork (digest_group);

alter table forks.run
    add batch_id     bigint,  -- of its jobs; its callback makes the digest
    add cancelled_at timestamptz,
    add resumed      int not null default 0,
    add foreign key (digest_group) references forks.digest_group (name);

-- How a branch differs from its upstream after a good synchronisation; all null: unknown.
alter table forks.sync_result
    add ahead     int,     -- commits that the upstream has not
    add behind    int,
    add unmanaged int,     -- of those ahead, the ones that are somebody's work
    add subjects  text[];  -- of the newest of these, up to 5

-- What a run consists of, and the job that is to do it.
create table forks.run_item (
    run_id  bigint not null references forks.run,
    fork_id int not null references forks.fork,
    branch  text not null,
    job_id  bigint not null,
    primary key (run_id, fork_id, branch)
);

create table forks.digest (
    id         bigint primary key generated always as identity,
    run_id     bigint not null references forks.run,
    job_id     bigint not null unique,
    at         timestamptz not null,
    subject    text not null,
    text       text not null,
    html       text not null,
    failures   int not null,
    recipients text[] not null,
    emails     bigint[] not null  -- its jobs of kind email.send, one for each recipient
);
create index digest_run on forks.digest (run_id);

-- Their successors have more columns and arguments.
drop view if exists forks.registry, forks.results;
drop function if exists forks.sync_target(text, text, bigint);
drop function if exists forks.record_sync(bigint, text, text, text, text, text, text, bigint);
