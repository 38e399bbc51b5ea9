-- Home: by which numbers a database knows that its queues were not restored or cloned from elsewhere.

set local role millrace_owner;

alter table millrace.installation
    add database_oid oid not null default 0,  -- of the database, which keeps it under another name
    add table_oid    oid not null default 0;  -- of this table: one that was restored has another

-- Who is at home stays so.
do $$
declare
    server bigint;
begin
    begin
        select c.system_identifier into server from pg_control_system() c;
    exception when insufficient_privilege then  -- server_identifier() in adopt.sql does the same
        server := 'millrace_owner'::regrole::oid::bigint;
    end;
    update millrace.installation i set database_oid = d.oid, table_oid = i.tableoid
      from pg_database d
     where d.datname = current_database() and i.database_name = d.datname and i.system_identifier = server;
end
$$;
