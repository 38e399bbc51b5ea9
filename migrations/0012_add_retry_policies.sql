-- Retry policies of single jobs, how long they may wait, and for how long dead letters are kept.

set local role millrace_owner;
set local client_min_messages = warning;

alter table millrace.job
    add retry_delays interval[],          -- null: as its kind or its queue has it
    add expires_at timestamptz;           -- no attempt begins at or after it; null: whenever

alter table millrace.queue
    add dead_letter_retention interval;   -- null: until somebody acts

-- Where the letters of one queue are read from, those that are kept for ever in another one aside.
create index dead_letter_queue on millrace.dead_letter (queue_id, discarded_at);

-- Their successors have other arguments.
drop function if exists millrace.enqueue(text, text, jsonb, int, timestamptz, interval, int, interval, text, boolean,
                                         text, bigint, bigint);
drop function if exists millrace.enqueue_many(text, text, jsonb[], int, timestamptz, interval, int, interval, text,
                                              boolean, text, bigint, bigint);
drop function if exists millrace.enqueue_unique(text, text, jsonb, text, text, interval, text[], int, timestamptz,
                                                interval, int, interval, text, boolean, text);
drop function if exists millrace.admit(text, text, int, timestamptz, interval, int, interval, text, text, bigint);
drop function if exists millrace.create_queue(text, int, interval, interval, interval, int, interval, int, int);
drop function if exists millrace.check_queue(text, int, interval, interval, interval, int, interval, int, int);
drop function if exists millrace.retry_delay(int, interval, interval);
drop function if exists millrace.take_unique_key(int, text, bigint);
drop view if exists millrace.queues;
drop function if exists millrace.queue_overview();
