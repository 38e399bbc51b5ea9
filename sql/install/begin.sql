-- begin: opens the transaction of one migration, and finds out whether it is still to be applied.
--
-- Locks   advisory 7709202 for the transaction: migrators of one database take turns.
-- Raises  MR012 schema_mismatch when the file differs from what was applied.
begin;
select pg_advisory_xact_lock(7709202) \g /dev/null
select to_regclass('millrace.migration') is not null as has_ledger,
       encode(sha256(convert_to(rtrim(:'text', E'\n'), 'UTF8')), 'hex') as checksum \gset
\set applied_checksum ''
\if :has_ledger
select coalesce((select m.checksum from millrace.migration m where m.number = :number), '') as applied_checksum \gset
\endif
select :'applied_checksum' = '' as pending, :'applied_checksum' not in ('', :'checksum') as changed \gset
\if :changed
do $$ begin
    raise exception using errcode = 'MR012', message = 'a migration was changed after it was applied',
        hint = 'Restore the file as it was released; put the change into a new migration.';
end $$;
\endif
