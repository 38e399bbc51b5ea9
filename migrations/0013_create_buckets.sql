-- Rates: how many jobs of a queue may be started in a time, and what is left of that.

set local role millrace_owner;
set local client_min_messages = warning;  -- a new installation has nothing to drop

alter table millrace.queue
    add rate         text,                             -- as it was asked for; null: no limit
    add burst        int check (burst > 0),            -- tokens that are kept at most; null: what comes in a second
    add token_micros bigint check (token_micros > 0);  -- microseconds between two tokens; null: no limit

-- What is left of a queue's rate: all tokens that came in until spent_until are spent. Rows are replaced as those of
-- lanes, and never wholly gone: whoever found none would have walked the dead ones. No foreign key, whose check would
-- lock the queue's row.
create table millrace.bucket (
    queue_id    int not null,
    version     bigint not null,
    spent_until timestamptz not null,
    wake_at     timestamptz,  -- jobs may wait for tokens, and then there are some again; null: they do not
    primary key (queue_id, version)
);

-- Their successors have more columns.
drop view if exists millrace.queues;
drop function if exists millrace.queue_overview();
