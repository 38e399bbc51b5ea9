-- How much of its finished jobs a queue keeps: all of them, all but their payloads, or nothing.

set local role millrace_owner;
set local client_min_messages = warning;

alter table millrace.queue
    add history text not null default 'full' check (history in ('full', 'outcome', 'none'));

-- One mark for whole jobs, and one for payloads alone.
alter table millrace.history_mark
    add what text not null default 'jobs' check (what in ('jobs', 'payloads')),
    drop constraint history_mark_pkey,
    add primary key (queue_id, what, version);
alter table millrace.history_mark alter what drop default;

-- Their successors have other arguments, or columns.
drop function if exists millrace.forget_slice(int, timestamptz, timestamptz, int);
drop view if exists millrace.queues;
drop function if exists millrace.queue_overview();
