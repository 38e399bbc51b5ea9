-- What the commands of the pipeline's builds write while they run, the limits that hold for them, and what they say of
-- their targets.

set local role millrace_owner;

alter table pipeline.command_run
    add column attempt      int not null default 0,  -- how often it was started; the last one may write the log
    add column memory_limit bigint,                  -- bytes; null: none
    add column output_limit bigint not null default 67108864,
    add column disk_limit   bigint,
    add column target_graph jsonb,
    add column is_log_gone  boolean not null default false;
create index command_run_logged on pipeline.command_run (queue, finished_at) where not is_log_gone;

-- Only ever inserted, and deleted when the log is too old to matter.
create table pipeline.command_log (
    queue    text not null,
    id       text not null,
    attempt  int not null,
    start_byte bigint not null,  -- bytes of this attempt's log before it
    text     text not null,
    at       timestamptz not null,
    primary key (queue, id, attempt, start_byte),
    foreign key (queue, id) references pipeline.command_run
);

-- They get more arguments, or more columns.
set local client_min_messages = warning;
drop function if exists pipeline.start_command(text, text);
drop function if exists pipeline.finish_command(text, text, text, text, int, text);
drop function if exists pipeline.command_status(text, text);
reset client_min_messages;
