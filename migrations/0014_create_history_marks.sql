-- History marks: up to when the history of a queue has been removed whose retention is shorter than another's.

set local role millrace_owner;

-- One row for each such queue, replaced as those of lanes. Whatever of the queue had finished before, and was committed
-- when the mark passed, is gone.
create table millrace.history_mark (
    queue_id         int not null,
    version          bigint not null,
    forgotten_before timestamptz not null,
    primary key (queue_id, version)
);
