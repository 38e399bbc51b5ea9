-- end: enters one migration into the ledger, and commits it.
--
-- Locks   none beyond the new row.
-- Raises  nothing.
\if :pending
insert into millrace.migration (number, name, checksum) values (:number, :'name', :'checksum');
\endif
commit;
