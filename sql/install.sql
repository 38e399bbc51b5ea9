-- Installs or upgrades millrace with psql alone:
--
--     psql -f sql/install.sql          from the top of the source tree
--
-- The lines that begin with \ir ../migrations/, \ir queue/ and so on are the list of files in their order; the program
-- embeds the same list. Migrations that the ledger names are passed over, so that this may be run again at any time.
-- Checksums are sha256 of a text without trailing newlines, as `millrace migrate` computes them: of each migration, and
-- of all function files one after the other.
\set ON_ERROR_STOP on
\set QUIET on
\pset format unaligned
\pset tuples_only on
-- Nothing that others have put into this database is found in place of what is meant.
set search_path = pg_catalog, pg_temp;

\set number 1
\set name 0001_create_roles_and_ledger
\set text `cat migrations/0001_create_roles_and_ledger.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0001_create_roles_and_ledger.sql
\endif
\ir install/end.sql

\set number 2
\set name 0002_create_queues
\set text `cat migrations/0002_create_queues.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0002_create_queues.sql
\endif
\ir install/end.sql

\set number 3
\set name 0003_create_jobs
\set text `cat migrations/0003_create_jobs.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0003_create_jobs.sql
\endif
\ir install/end.sql

\set number 4
\set name 0004_create_workers
\set text `cat migrations/0004_create_workers.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0004_create_workers.sql
\endif
\ir install/end.sql

\set number 5
\set name 0005_create_first_partitions
\set text `cat migrations/0005_create_first_partitions.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0005_create_first_partitions.sql
\endif
\ir install/end.sql

\set number 6
\set name 0006_create_forks
\set text `cat migrations/0006_create_forks.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0006_create_forks.sql
\endif
\ir install/end.sql

\set number 7
\set name 0007_create_pipeline
\set text `cat migrations/0007_create_pipeline.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0007_create_pipeline.sql
\endif
\ir install/end.sql

\set number 8
\set name 0008_create_keys_and_batches
\set text `cat migrations/0008_create_keys_and_batches.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0008_create_keys_and_batches.sql
\endif
\ir install/end.sql

\set number 9
\set name 0009_create_schedules
\set text `cat migrations/0009_create_schedules.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0009_create_schedules.sql
\endif
\ir install/end.sql

\set number 10
\set name 0010_create_cancel_requests_and_reports
\set text `cat migrations/0010_create_cancel_requests_and_reports.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0010_create_cancel_requests_and_reports.sql
\endif
\ir install/end.sql

\set number 11
\set name 0011_create_kinds
\set text `cat migrations/0011_create_kinds.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0011_create_kinds.sql
\endif
\ir install/end.sql

\set number 12
\set name 0012_add_retry_policies
\set text `cat migrations/0012_add_retry_policies.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0012_add_retry_policies.sql
\endif
\ir install/end.sql

\set number 13
\set name 0013_create_buckets
\set text `cat migrations/0013_create_buckets.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0013_create_buckets.sql
\endif
\ir install/end.sql

\set number 14
\set name 0014_create_history_marks
\set text `cat migrations/0014_create_history_marks.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0014_create_history_marks.sql
\endif
\ir install/end.sql

\set number 15
\set name 0015_add_history_modes
\set text `cat migrations/0015_add_history_modes.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0015_add_history_modes.sql
\endif
\ir install/end.sql

\set number 16
\set name 0016_create_notify
\set text `cat migrations/0016_create_notify.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0016_create_notify.sql
\endif
\ir install/end.sql

\set number 17
\set name 0017_create_fork_runs
\set text `cat migrations/0017_create_fork_runs.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0017_create_fork_runs.sql
\endif
\ir install/end.sql

\set number 18
\set name 0018_add_notify_upkeep
\set text `cat migrations/0018_add_notify_upkeep.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0018_add_notify_upkeep.sql
\endif
\ir install/end.sql

\set number 19
\set name 0019_create_token_pauses
\set text `cat migrations/0019_create_token_pauses.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0019_create_token_pauses.sql
\endif
\ir install/end.sql

\set number 20
\set name 0020_complete_pipeline
\set text `cat migrations/0020_complete_pipeline.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0020_complete_pipeline.sql
\endif
\ir install/end.sql

\set number 21
\set name 0021_create_command_log
\set text `cat migrations/0021_create_command_log.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0021_create_command_log.sql
\endif
\ir install/end.sql

\set number 22
\set name 0022_create_run_steps
\set text `cat migrations/0022_create_run_steps.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0022_create_run_steps.sql
\endif
\ir install/end.sql

\set number 23
\set name 0023_note_commit_times
\set text `cat migrations/0023_note_commit_times.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0023_note_commit_times.sql
\endif
\ir install/end.sql

\set number 24
\set name 0024_remember_home
\set text `cat migrations/0024_remember_home.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0024_remember_home.sql
\endif
\ir install/end.sql

\set number 25
\set name 0025_keep_runs_for_a_time
\set text `cat migrations/0025_keep_runs_for_a_time.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0025_keep_runs_for_a_time.sql
\endif
\ir install/end.sql

\set number 26
\set name 0026_note_what_a_head_holds
\set text `cat migrations/0026_note_what_a_head_holds.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0026_note_what_a_head_holds.sql
\endif
\ir install/end.sql

\set number 27
\set name 0027_identify_rows_by_all_columns
\set text `cat migrations/0027_identify_rows_by_all_columns.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0027_identify_rows_by_all_columns.sql
\endif
\ir install/end.sql

\set number 28
\set name 0028_own_the_numbers_of_digests
\set text `cat migrations/0028_own_the_numbers_of_digests.sql`
\ir install/begin.sql
\if :pending
\ir ../migrations/0028_own_the_numbers_of_digests.sql
\endif
\ir install/end.sql

\set text `cat $(sed -nE 's#^.ir ((queue|forks|pipeline|notify)/.*)$#sql/\1#p' sql/install.sql)`
begin;
select pg_advisory_xact_lock(7709202) \g /dev/null
set local role millrace_owner;
\ir queue/clock.sql
\ir queue/retry_delay.sql
\ir queue/wake.sql
\ir queue/create_queue.sql
\ir queue/follow_up.sql
\ir queue/enqueue.sql
\ir queue/enqueue_many.sql
\ir queue/enqueue_unique.sql
\ir queue/batch.sql
\ir queue/configure_queue.sql
\ir queue/configure_kind.sql
\ir queue/rate.sql
\ir queue/session.sql
\ir queue/settled.sql
\ir queue/kinds.sql
\ir queue/claim.sql
\ir queue/settle.sql
\ir queue/settle_one.sql
\ir queue/promote.sql
\ir queue/reap.sql
\ir queue/low_water.sql
\ir queue/counts.sql
\ir queue/forget.sql
\ir queue/prune.sql
\ir queue/rehome.sql
\ir queue/partitions.sql
\ir queue/cancel.sql
\ir queue/report.sql
\ir queue/operate.sql
\ir queue/operate_many.sql
\ir queue/adopt.sql
\ir queue/payload_schemas.sql
\ir queue/cron.sql
\ir queue/cron_runs.sql
\ir queue/schedules.sql
\ir queue/tick_schedules.sql
\ir queue/schedule_views.sql
\ir queue/views.sql
\ir queue/explain.sql
\ir queue/horizon.sql
\ir queue/stuck.sql
\ir queue/storage.sql
\ir queue/doctor_checks.sql
\ir queue/doctor.sql
\ir queue/grants.sql
\ir forks/registry.sql
\ir forks/groups.sql
\ir forks/retention.sql
\ir forks/sync.sql
\ir forks/tokens.sql
\ir forks/import.sql
\ir forks/runs.sql
\ir forks/stages.sql
\ir forks/steps.sql
\ir forks/digest.sql
\ir forks/grants.sql
\ir pipeline/create_queue.sql
\ir pipeline/ingest.sql
\ir pipeline/requests.sql
\ir pipeline/builds.sql
\ir pipeline/command_runs.sql
\ir pipeline/command_log.sql
\ir pipeline/build_services.sql
\ir pipeline/projects.sql
\ir pipeline/analyze.sql
\ir pipeline/hooks.sql
\ir pipeline/culprit.sql
\ir pipeline/fail_closed.sql
\ir pipeline/revalidate.sql
\ir pipeline/greenness.sql
\ir pipeline/configure.sql
\ir pipeline/apply.sql
\ir pipeline/views.sql
\ir pipeline/overview.sql
\ir pipeline/grants.sql
\ir notify/types.sql
\ir notify/preferences.sql
\ir notify/suppression.sql
\ir notify/emit.sql
\ir notify/digest.sql
\ir notify/deliver.sql
\ir notify/views.sql
\ir notify/upkeep.sql
\ir notify/grants.sql
insert into millrace.function_set (checksum)
values (encode(sha256(convert_to(rtrim(:'text', E'\n'), 'UTF8')), 'hex'))
on conflict (singleton) do update set checksum = excluded.checksum, applied_at = clock_timestamp();
commit;
reset search_path;
