-- Runs of fork synchronisation and what they found are kept for a time, which each group says.

set local role millrace_owner;

alter table forks.digest_group
    add retention_days int not null default 90 check (retention_days between 1 and 3650);
