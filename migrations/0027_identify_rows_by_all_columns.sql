-- Rows of tables without a primary key are known by all of their columns, so that they may be published.
--
-- Where a publication names all tables, PostgreSQL refuses every delete and update of a table whose rows it cannot name
-- to a subscriber, on the publisher, and whether or not a row is met. Old rows are written to the log for it only where
-- wal_level is logical.

set local role millrace_owner;

alter table millrace.queue_delta replica identity full;
alter table millrace.operator_action replica identity full;
alter table millrace.finished replica identity full;  -- partitions have one of their own
alter table millrace.attempt_failure replica identity full;
alter table millrace.settle_receipt replica identity full;
alter table millrace.follow_up replica identity full;
alter table millrace.batch_member replica identity full;
alter table millrace.schedule_run replica identity full;
alter table millrace.key_due replica identity full;
alter table notify.bounce replica identity full;

do $$
declare
    day regclass;
begin
    for day in select i.inhrelid::regclass from pg_inherits i where i.inhparent = 'millrace.finished'::regclass
    loop
        execute format('alter table %s replica identity full', day);
    end loop;
end
$$;
