CREATE SCHEMA forks;
ALTER SCHEMA forks OWNER TO millrace_owner;
COMMENT ON SCHEMA forks IS 'millrace: branches of forks brought up to date with their upstream';
CREATE SCHEMA millrace;
ALTER SCHEMA millrace OWNER TO millrace_owner;
COMMENT ON SCHEMA millrace IS 'millrace: PostgreSQL tables as job queues';
CREATE SCHEMA notify;
ALTER SCHEMA notify OWNER TO millrace_owner;
COMMENT ON SCHEMA notify IS 'millrace: what users hear by mail, and what they want to hear';
CREATE SCHEMA pipeline;
ALTER SCHEMA pipeline OWNER TO millrace_owner;
COMMENT ON SCHEMA pipeline IS 'millrace: at which commit is a branch green';
CREATE TYPE millrace.cron AS (
	minutes integer[],
	hours integer[],
	days integer[],
	months integer[],
	weekdays integer[],
	either_day boolean
);
ALTER TYPE millrace.cron OWNER TO millrace_owner;
CREATE TYPE millrace.ending AS (
	job_id bigint,
	stored_on date,
	outcome text
);
ALTER TYPE millrace.ending OWNER TO millrace_owner;
CREATE TYPE millrace.outcome AS ENUM (
    'completed',
    'cancelled',
    'discarded'
);
ALTER TYPE millrace.outcome OWNER TO millrace_owner;
CREATE FUNCTION forks.active_run(of_group text) RETURNS bigint
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.active_run(of_group text) OWNER TO millrace_owner;
CREATE FUNCTION forks.add_fork(repo text, origin_url text DEFAULT NULL::text, upstream_url text DEFAULT NULL::text, branches text[] DEFAULT '{main}'::text[], provider text DEFAULT 'git'::text, queue text DEFAULT 'forks'::text, digest_group text DEFAULT 'default'::text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.add_fork(repo text, origin_url text, upstream_url text, branches text[], provider text, queue text, digest_group text) OWNER TO millrace_owner;
CREATE FUNCTION forks.are_items(step text, items jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.are_items(step text, items jsonb) OWNER TO millrace_owner;
CREATE FUNCTION forks.begin_run(digest_group text, OUT run bigint, OUT started boolean, OUT overdue boolean) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.begin_run(digest_group text, OUT run bigint, OUT started boolean, OUT overdue boolean) OWNER TO millrace_owner;
CREATE TABLE forks.fork (
    id integer NOT NULL,
    repo text NOT NULL,
    provider text NOT NULL,
    origin_url text,
    upstream_url text,
    branches text[] NOT NULL,
    enabled boolean NOT NULL,
    queue text NOT NULL,
    digest_group text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    upstream_org text,
    upstream_repo text,
    upstream_track text,
    install_forward_port boolean DEFAULT false NOT NULL,
    rebase_onto text,
    rebase_globs text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT fork_branches_check CHECK (((cardinality(branches) >= 1) AND (cardinality(branches) <= 100))),
    CONSTRAINT fork_check CHECK (((upstream_org IS NULL) = (upstream_repo IS NULL))),
    CONSTRAINT fork_git_has_urls CHECK (((provider <> 'git'::text) OR ((origin_url IS NOT NULL) AND (upstream_url IS NOT NULL)))),
    CONSTRAINT fork_provider_check CHECK ((provider = ANY (ARRAY['git'::text, 'github'::text])))
);
ALTER TABLE forks.fork OWNER TO millrace_owner;
CREATE FUNCTION forks.blank_fork(repo text) RETURNS forks.fork
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.blank_fork(repo text) OWNER TO millrace_owner;
CREATE TABLE forks.digest_group (
    id integer NOT NULL,
    name text NOT NULL,
    queue text NOT NULL,
    email_queue text NOT NULL,
    recipients text[] NOT NULL,
    subject_prefix text,
    cron text,
    time_zone text NOT NULL,
    template_path text,
    template text,
    managed text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    retention_days integer DEFAULT 90 NOT NULL,
    CONSTRAINT digest_group_check CHECK (((template_path IS NULL) = (template IS NULL))),
    CONSTRAINT digest_group_retention_days_check CHECK (((retention_days >= 1) AND (retention_days <= 3650)))
);
ALTER TABLE forks.digest_group OWNER TO millrace_owner;
CREATE FUNCTION forks.blank_group(name text) RETURNS forks.digest_group
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.blank_group(name text) OWNER TO millrace_owner;
CREATE FUNCTION forks.cancel_run(run bigint, reason text DEFAULT NULL::text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.cancel_run(run bigint, reason text) OWNER TO millrace_owner;
CREATE FUNCTION forks.change_fork(repo text, changes jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.change_fork(repo text, changes jsonb) OWNER TO millrace_owner;
CREATE FUNCTION forks.changed(old jsonb, new jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.changed(old jsonb, new jsonb) OWNER TO millrace_owner;
CREATE FUNCTION forks.check_commit(caller text, argument text, sha text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.check_commit(caller text, argument text, sha text) OWNER TO millrace_owner;
CREATE FUNCTION forks.check_fork(caller text, f forks.fork) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.check_fork(caller text, f forks.fork) OWNER TO millrace_owner;
CREATE FUNCTION forks.check_keys(caller text, named text, object jsonb, known text[]) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.check_keys(caller text, named text, object jsonb, known text[]) OWNER TO millrace_owner;
CREATE FUNCTION forks.check_values(entry jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.check_values(entry jsonb) OWNER TO millrace_owner;
CREATE FUNCTION forks.configure_group(name text, changes jsonb DEFAULT '{}'::jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.configure_group(name text, changes jsonb) OWNER TO millrace_owner;
CREATE FUNCTION forks.digest_content(run bigint) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.digest_content(run bigint) OWNER TO millrace_owner;
CREATE FUNCTION forks.disable_fork(repo text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.disable_fork(repo text) OWNER TO millrace_owner;
CREATE FUNCTION forks.enable_fork(repo text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.enable_fork(repo text) OWNER TO millrace_owner;
CREATE FUNCTION forks.enqueue_items(of_run bigint, batch bigint) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.enqueue_items(of_run bigint, batch bigint) OWNER TO millrace_owner;
CREATE FUNCTION forks.enqueue_stage(of_run bigint, stage text) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.enqueue_stage(of_run bigint, stage text) OWNER TO millrace_owner;
CREATE FUNCTION forks.enqueue_steps(of_run bigint, stage text, batch bigint) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.enqueue_steps(of_run bigint, stage text, batch bigint) OWNER TO millrace_owner;
CREATE FUNCTION forks.export_forks() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.export_forks() OWNER TO millrace_owner;
CREATE FUNCTION forks.failing_days(fork text, branch text, until_run bigint) RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.failing_days(fork text, branch text, until_run bigint) OWNER TO millrace_owner;
CREATE FUNCTION forks.fork_keys() RETURNS text[]
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.fork_keys() OWNER TO millrace_owner;
CREATE FUNCTION forks.fork_problem(f forks.fork) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.fork_problem(f forks.fork) OWNER TO millrace_owner;
CREATE FUNCTION forks.group_keys() RETURNS text[]
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.group_keys() OWNER TO millrace_owner;
CREATE FUNCTION forks.group_problem(g forks.digest_group) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.group_problem(g forks.digest_group) OWNER TO millrace_owner;
CREATE FUNCTION forks.import_fork(entry jsonb) RETURNS TABLE(what text, name text, outcome text, changed jsonb)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.import_fork(entry jsonb) OWNER TO millrace_owner;
CREATE FUNCTION forks.import_forks(document jsonb, dry_run boolean DEFAULT true) RETURNS TABLE(what text, name text, outcome text, changed jsonb)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.import_forks(document jsonb, dry_run boolean) OWNER TO millrace_owner;
CREATE FUNCTION forks.import_group(entry jsonb) RETURNS TABLE(what text, name text, outcome text, changed jsonb)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.import_group(entry jsonb) OWNER TO millrace_owner;
CREATE FUNCTION forks.import_list(list text, entries jsonb) RETURNS TABLE(what text, name text, outcome text, changed jsonb)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.import_list(list text, entries jsonb) OWNER TO millrace_owner;
CREATE FUNCTION forks.insert_fork(f forks.fork) RETURNS integer
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.insert_fork(f forks.fork) OWNER TO millrace_owner;
CREATE FUNCTION forks.intend_push(fence bigint, job_id bigint, before_sha text, after_sha text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.intend_push(fence bigint, job_id bigint, before_sha text, after_sha text) OWNER TO millrace_owner;
CREATE FUNCTION forks.intend_step(fence bigint, job_id bigint, intended text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.intend_step(fence bigint, job_id bigint, intended text) OWNER TO millrace_owner;
CREATE FUNCTION forks.is_branch(name text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.is_branch(name text) OWNER TO millrace_owner;
CREATE FUNCTION forks.is_glob(pattern text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.is_glob(pattern text) OWNER TO millrace_owner;
CREATE FUNCTION forks.is_item(step text, item jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.is_item(step text, item jsonb) OWNER TO millrace_owner;
CREATE FUNCTION forks.is_remote(url text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.is_remote(url text) OWNER TO millrace_owner;
CREATE FUNCTION forks.is_stuck(of_run bigint) RETURNS boolean
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.is_stuck(of_run bigint) OWNER TO millrace_owner;
CREATE FUNCTION forks.kept_from(of_group text) RETURNS timestamp with time zone
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.kept_from(of_group text) OWNER TO millrace_owner;
CREATE FUNCTION forks.key_of(repo text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.key_of(repo text) OWNER TO millrace_owner;
CREATE FUNCTION forks.limit_token(token text, places integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.limit_token(token text, places integer) OWNER TO millrace_owner;
CREATE TABLE forks.run (
    id bigint NOT NULL,
    digest_group text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    batch_id bigint,
    cancelled_at timestamp with time zone,
    resumed integer DEFAULT 0 NOT NULL,
    succeeded_by bigint
);
ALTER TABLE forks.run OWNER TO millrace_owner;
CREATE FUNCTION forks.locked_run(run bigint) RETURNS forks.run
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.locked_run(run bigint) OWNER TO millrace_owner;
CREATE TABLE forks.run_step (
    run_id bigint NOT NULL,
    step text NOT NULL,
    target text NOT NULL,
    branch text NOT NULL,
    fork_id integer NOT NULL,
    job_id bigint NOT NULL,
    state text,
    detail text,
    at timestamp with time zone,
    intended text,
    CONSTRAINT run_step_intended_check CHECK ((intended = ANY (ARRAY['created'::text, 'updated'::text]))),
    CONSTRAINT run_step_state_check CHECK ((state = ANY (ARRAY['done'::text, 'created'::text, 'updated'::text, 'unchanged'::text, 'skipped'::text, 'failed'::text]))),
    CONSTRAINT run_step_step_check CHECK ((step = ANY (ARRAY['search'::text, 'distribute'::text, 'rebase'::text])))
);
ALTER TABLE forks.run_step OWNER TO millrace_owner;
CREATE FUNCTION forks.locked_step(job_id bigint) RETURNS forks.run_step
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.locked_step(job_id bigint) OWNER TO millrace_owner;
CREATE FUNCTION forks.may_go_on(of_run bigint) RETURNS boolean
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.may_go_on(of_run bigint) OWNER TO millrace_owner;
CREATE FUNCTION forks.next_stage(job_id bigint, run bigint) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.next_stage(job_id bigint, run bigint) OWNER TO millrace_owner;
CREATE FUNCTION forks.pause_token(token text, seconds integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.pause_token(token text, seconds integer) OWNER TO millrace_owner;
CREATE FUNCTION forks.plan_again(of_run bigint) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.plan_again(of_run bigint) OWNER TO millrace_owner;
CREATE FUNCTION forks.plan_run(digest_group text) RETURNS TABLE(step text, target text, branch text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.plan_run(digest_group text) OWNER TO millrace_owner;
CREATE FUNCTION forks.planned(of_group text) RETURNS TABLE(step text, target text, branch text, fork integer, place integer)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.planned(of_group text) OWNER TO millrace_owner;
CREATE FUNCTION forks.prune_results(of_forks integer[], of_runs bigint[], kept_from timestamp with time zone) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.prune_results(of_forks integer[], of_runs bigint[], kept_from timestamp with time zone) OWNER TO millrace_owner;
CREATE FUNCTION forks.prune_runs(of_group text) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.prune_runs(of_group text) OWNER TO millrace_owner;
CREATE FUNCTION forks.raise_run_active(of_group text, run bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.raise_run_active(of_group text, run bigint) OWNER TO millrace_owner;
CREATE FUNCTION forks.raise_unknown_fork(repo text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.raise_unknown_fork(repo text) OWNER TO millrace_owner;
CREATE FUNCTION forks.raise_unknown_group(name text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.raise_unknown_group(name text) OWNER TO millrace_owner;
CREATE FUNCTION forks.record_digest(job_id bigint, run bigint, subject text, text text, html text, failures integer) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.record_digest(job_id bigint, run bigint, subject text, text text, html text, failures integer) OWNER TO millrace_owner;
CREATE FUNCTION forks.record_failures(of_run bigint) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.record_failures(of_run bigint) OWNER TO millrace_owner;
CREATE FUNCTION forks.record_step(fence bigint, job_id bigint, state text DEFAULT NULL::text, detail text DEFAULT NULL::text, items jsonb DEFAULT '[]'::jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.record_step(fence bigint, job_id bigint, state text, detail text, items jsonb) OWNER TO millrace_owner;
CREATE FUNCTION forks.record_sync(job_id bigint, repo text, branch text, state text, before_sha text DEFAULT NULL::text, after_sha text DEFAULT NULL::text, detail text DEFAULT NULL::text, run bigint DEFAULT NULL::bigint, ahead integer DEFAULT NULL::integer, behind integer DEFAULT NULL::integer, subjects text[] DEFAULT NULL::text[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.record_sync(job_id bigint, repo text, branch text, state text, before_sha text, after_sha text, detail text, run bigint, ahead integer, behind integer, subjects text[]) OWNER TO millrace_owner;
CREATE FUNCTION forks.resume_run(run bigint) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.resume_run(run bigint) OWNER TO millrace_owner;
CREATE FUNCTION forks.run_items(of_run bigint) RETURNS TABLE(fork text, branch text, state text, detail text, before_sha text, after_sha text, ahead integer, behind integer, divergence text, unmanaged integer, subjects text[], job bigint, at timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.run_items(of_run bigint) OWNER TO millrace_owner;
CREATE FUNCTION forks.run_steps(of_run bigint) RETURNS TABLE(step text, target text, branch text, item text, state text, detail text, job bigint, at timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.run_steps(of_run bigint) OWNER TO millrace_owner;
CREATE FUNCTION forks.save_group(caller text, old forks.digest_group, new forks.digest_group) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.save_group(caller text, old forks.digest_group, new forks.digest_group) OWNER TO millrace_owner;
CREATE FUNCTION forks.searched_from(of_run forks.run, target text, branch text) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.searched_from(of_run forks.run, target text, branch text) OWNER TO millrace_owner;
CREATE FUNCTION forks.second_of(moment timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.second_of(moment timestamp with time zone) OWNER TO millrace_owner;
CREATE FUNCTION forks.set_enabled(repo text, enabled boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.set_enabled(repo text, enabled boolean) OWNER TO millrace_owner;
CREATE FUNCTION forks.stage_of(step text) RETURNS integer
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.stage_of(step text) OWNER TO millrace_owner;
CREATE FUNCTION forks.start_run(digest_group text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.start_run(digest_group text) OWNER TO millrace_owner;
CREATE FUNCTION forks.states_of(step text) RETURNS text[]
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.states_of(step text) OWNER TO millrace_owner;
CREATE FUNCTION forks.step_target(job_id bigint, OUT step text, OUT target text, OUT branch text, OUT fork text, OUT provider text, OUT is_wanted boolean, OUT origin_url text, OUT globs jsonb, OUT listed jsonb, OUT digest_group text, OUT template_path text, OUT template text, OUT period text, OUT rebased jsonb, OUT intended text, OUT intended_before text, OUT intended_after text) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.step_target(job_id bigint, OUT step text, OUT target text, OUT branch text, OUT fork text, OUT provider text, OUT is_wanted boolean, OUT origin_url text, OUT globs jsonb, OUT listed jsonb, OUT digest_group text, OUT template_path text, OUT template text, OUT period text, OUT rebased jsonb, OUT intended text, OUT intended_before text, OUT intended_after text) OWNER TO millrace_owner;
CREATE FUNCTION forks.steps_content(of_run bigint) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.steps_content(of_run bigint) OWNER TO millrace_owner;
CREATE FUNCTION forks.sync_now(repo text, branch text DEFAULT NULL::text) RETURNS bigint[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.sync_now(repo text, branch text) OWNER TO millrace_owner;
CREATE FUNCTION forks.sync_target(repo text, branch text, job_id bigint, OUT provider text, OUT origin_url text, OUT upstream_url text, OUT enabled boolean, OUT is_listed boolean, OUT intended_before text, OUT intended_after text, OUT compares boolean, OUT upstream text, OUT was_announced boolean) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.sync_target(repo text, branch text, job_id bigint, OUT provider text, OUT origin_url text, OUT upstream_url text, OUT enabled boolean, OUT is_listed boolean, OUT intended_before text, OUT intended_after text, OUT compares boolean, OUT upstream text, OUT was_announced boolean) OWNER TO millrace_owner;
CREATE FUNCTION forks.take_place(fence bigint, job_id bigint, token text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.take_place(fence bigint, job_id bigint, token text) OWNER TO millrace_owner;
CREATE FUNCTION forks.token_wait(token text) RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.token_wait(token text) OWNER TO millrace_owner;
CREATE FUNCTION forks.told(entry jsonb, blank jsonb, keys text[]) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.told(entry jsonb, blank jsonb, keys text[]) OWNER TO millrace_owner;
CREATE FUNCTION forks.unmanaged(fork integer, subjects text[]) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.unmanaged(fork integer, subjects text[]) OWNER TO millrace_owner;
CREATE FUNCTION forks.unrecorded_failure(of_run bigint, of_fork integer, of_branch text) RETURNS TABLE(job_id bigint, error text, at timestamp with time zone)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.unrecorded_failure(of_run bigint, of_fork integer, of_branch text) OWNER TO millrace_owner;
CREATE FUNCTION forks.update_fork(f forks.fork) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.update_fork(f forks.fork) OWNER TO millrace_owner;
CREATE FUNCTION forks.withdraw_push(fence bigint, job_id bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION forks.withdraw_push(fence bigint, job_id bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.act_on_many(action text, queue text, filter jsonb, max_jobs integer, dry_run boolean, reason text, OUT matched integer, OUT changed integer, OUT skipped integer, OUT more boolean) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    AS …;
ALTER FUNCTION millrace.act_on_many(action text, queue text, filter jsonb, max_jobs integer, dry_run boolean, reason text, OUT matched integer, OUT changed integer, OUT skipped integer, OUT more boolean) OWNER TO millrace_owner;
CREATE FUNCTION millrace.admit(queue text, kind text, priority integer, run_at timestamp with time zone, delay interval, max_attempts integer, timeout interval, traceparent text, concurrency_key text, after_batch bigint, retry_delays interval[] DEFAULT NULL::interval[], expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone, OUT queue_id integer, OUT now timestamp with time zone, OUT stored_on date, OUT due timestamp with time zone, OUT attempts smallint, OUT time_limit interval, OUT payload_limit integer, OUT signal_raised boolean) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    AS …;
ALTER FUNCTION millrace.admit(queue text, kind text, priority integer, run_at timestamp with time zone, delay interval, max_attempts integer, timeout interval, traceparent text, concurrency_key text, after_batch bigint, retry_delays interval[], expires_at timestamp with time zone, OUT queue_id integer, OUT now timestamp with time zone, OUT stored_on date, OUT due timestamp with time zone, OUT attempts smallint, OUT time_limit interval, OUT payload_limit integer, OUT signal_raised boolean) OWNER TO millrace_owner;
CREATE FUNCTION millrace.adopt() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.adopt() OWNER TO millrace_owner;
CREATE FUNCTION millrace.advance_low_water(queues text[] DEFAULT NULL::text[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS …;
ALTER FUNCTION millrace.advance_low_water(queues text[]) OWNER TO millrace_owner;
CREATE FUNCTION millrace.after_end(ended millrace.ending[], held boolean DEFAULT true) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS …;
ALTER FUNCTION millrace.after_end(ended millrace.ending[], held boolean) OWNER TO millrace_owner;
CREATE FUNCTION millrace.announce(due timestamp with time zone, at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.announce(due timestamp with time zone, at timestamp with time zone) OWNER TO millrace_owner;
CREATE FUNCTION millrace.ask_to_stop(job_id bigint, reason text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.ask_to_stop(job_id bigint, reason text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.assert_home() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.assert_home() OWNER TO millrace_owner;
CREATE FUNCTION millrace.assert_lease(fence bigint, job_id bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.assert_lease(fence bigint, job_id bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.attach_day(parent text, day date) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.attach_day(parent text, day date) OWNER TO millrace_owner;
CREATE FUNCTION millrace.audit(action text, detail jsonb, affected bigint) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.audit(action text, detail jsonb, affected bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.await_turn(of_queue integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '100ms'
    AS …;
ALTER FUNCTION millrace.await_turn(of_queue integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.block(queue_id integer, job_ids bigint[], stored_on date, priority smallint, key text, batch_id bigint DEFAULT NULL::bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.block(queue_id integer, job_ids bigint[], stored_on date, priority smallint, key text, batch_id bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.bucket_at(of_queue integer, at timestamp with time zone) RETURNS TABLE(row_address tid, version bigint, spent_until timestamp with time zone, wake_at timestamp with time zone, tokens integer, worthwhile integer, every interval)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS …;
ALTER FUNCTION millrace.bucket_at(of_queue integer, at timestamp with time zone) OWNER TO millrace_owner;
CREATE FUNCTION millrace.burst_of(burst integer, token_micros bigint) RETURNS integer
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.burst_of(burst integer, token_micros bigint) OWNER TO millrace_owner;
CREATE TABLE millrace.batch (
    id bigint NOT NULL,
    queue_id integer NOT NULL,
    kind text,
    payload jsonb NOT NULL,
    priority smallint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    members bigint,
    finished_at timestamp with time zone,
    callback_job bigint
);
ALTER TABLE millrace.batch OWNER TO millrace_owner;
CREATE FUNCTION millrace.call_back(batch millrace.batch, outcome jsonb) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.call_back(batch millrace.batch, outcome jsonb) OWNER TO millrace_owner;
CREATE FUNCTION millrace.cancel(job_id bigint, reason text DEFAULT NULL::text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.cancel(job_id bigint, reason text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.cancel_many(queue text, filter jsonb, max_jobs integer DEFAULT 1000, dry_run boolean DEFAULT true, reason text DEFAULT NULL::text, OUT matched integer, OUT changed integer, OUT skipped integer, OUT more boolean) RETURNS record
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.cancel_many(queue text, filter jsonb, max_jobs integer, dry_run boolean, reason text, OUT matched integer, OUT changed integer, OUT skipped integer, OUT more boolean) OWNER TO millrace_owner;
CREATE FUNCTION millrace.cancel_one(job_id bigint, reason text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.cancel_one(job_id bigint, reason text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.cancel_requests(session integer) RETURNS TABLE(job_id bigint, fence bigint, requested_at timestamp with time zone, reason text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    AS …;
ALTER FUNCTION millrace.cancel_requests(session integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.check_delays(caller text, delays interval[]) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.check_delays(caller text, delays interval[]) OWNER TO millrace_owner;
CREATE FUNCTION millrace.check_kind(caller text, kind text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.check_kind(caller text, kind text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.check_payload(payload jsonb, payload_limit integer) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.check_payload(payload jsonb, payload_limit integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.check_queue(caller text, max_attempts integer, timeout interval, retry_base interval, retry_cap interval, max_payload_bytes integer, retention interval, max_running integer, key_limit integer, dead_letter_retention interval) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.check_queue(caller text, max_attempts integer, timeout interval, retry_base interval, retry_cap interval, max_payload_bytes integer, retention interval, max_running integer, key_limit integer, dead_letter_retention interval) OWNER TO millrace_owner;
CREATE FUNCTION millrace.check_rate(caller text, rate text, burst integer, rate_name text DEFAULT 'rate'::text, burst_name text DEFAULT 'burst'::text) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.check_rate(caller text, rate text, burst integer, rate_name text, burst_name text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.check_schema(schema jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.check_schema(schema jsonb) OWNER TO millrace_owner;
CREATE FUNCTION millrace.check_settle(job_ids bigint[], fences bigint[], outcomes text[], errors text[], delays interval[], results jsonb[], successors jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.check_settle(job_ids bigint[], fences bigint[], outcomes text[], errors text[], delays interval[], results jsonb[], successors jsonb) OWNER TO millrace_owner;
CREATE FUNCTION millrace.check_time_zone(caller text, time_zone text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.check_time_zone(caller text, time_zone text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.claim(session integer, queue text, max_jobs integer DEFAULT 1, async boolean DEFAULT false) RETURNS TABLE(job_id bigint, fence bigint, kind text, priority smallint, attempt smallint, max_attempts smallint, payload jsonb, timeout interval, deadline timestamp with time zone, traceparent text, enqueued_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS …;
ALTER FUNCTION millrace.claim(session integer, queue text, max_jobs integer, async boolean) OWNER TO millrace_owner;
CREATE FUNCTION millrace.close_batch(batch bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.close_batch(batch bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.close_session(session integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.close_session(session integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.complete(fence bigint, job_id bigint, result jsonb DEFAULT NULL::jsonb) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.complete(fence bigint, job_id bigint, result jsonb) OWNER TO millrace_owner;
CREATE FUNCTION millrace.configure_kind(kind text, changes jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS …;
ALTER FUNCTION millrace.configure_kind(kind text, changes jsonb) OWNER TO millrace_owner;
CREATE FUNCTION millrace.configure_queue(name text, changes jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS …;
ALTER FUNCTION millrace.configure_queue(name text, changes jsonb) OWNER TO millrace_owner;
CREATE FUNCTION millrace.copy_jobs(ids bigint[], from_day date, to_day date) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.copy_jobs(ids bigint[], from_day date, to_day date) OWNER TO millrace_owner;
CREATE FUNCTION millrace.create_batch(queue text, kind text DEFAULT NULL::text, payload jsonb DEFAULT '{}'::jsonb, priority integer DEFAULT 5) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.create_batch(queue text, kind text, payload jsonb, priority integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.create_queue(name text, max_attempts integer DEFAULT 10, timeout interval DEFAULT NULL::interval, retry_base interval DEFAULT '00:00:05'::interval, retry_cap interval DEFAULT '01:00:00'::interval, max_payload_bytes integer DEFAULT 1048576, retention interval DEFAULT '7 days'::interval, max_running integer DEFAULT NULL::integer, key_limit integer DEFAULT 1, dead_letter_retention interval DEFAULT NULL::interval) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.create_queue(name text, max_attempts integer, timeout interval, retry_base interval, retry_cap interval, max_payload_bytes integer, retention interval, max_running integer, key_limit integer, dead_letter_retention interval) OWNER TO millrace_owner;
CREATE FUNCTION millrace.create_schedule(name text, cron text, queue text, kind text, payload jsonb DEFAULT '{}'::jsonb, time_zone text DEFAULT 'UTC'::text, misfire text DEFAULT 'once'::text, jitter interval DEFAULT '00:00:00'::interval, priority integer DEFAULT 5, max_attempts integer DEFAULT NULL::integer, timeout interval DEFAULT NULL::interval, due_key text DEFAULT NULL::text, OUT outcome text, OUT changed text[], OUT next_run_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.create_schedule(name text, cron text, queue text, kind text, payload jsonb, time_zone text, misfire text, jitter interval, priority integer, max_attempts integer, timeout interval, due_key text, OUT outcome text, OUT changed text[], OUT next_run_at timestamp with time zone) OWNER TO millrace_owner;
CREATE FUNCTION millrace.cron_day(rule millrace.cron, from_day date) RETURNS date
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.cron_day(rule millrace.cron, from_day date) OWNER TO millrace_owner;
CREATE FUNCTION millrace.cron_field(field text, said text, low integer, high integer, names text[] DEFAULT '{}'::text[]) RETURNS integer[]
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.cron_field(field text, said text, low integer, high integer, names text[]) OWNER TO millrace_owner;
CREATE FUNCTION millrace.cron_runs(rule millrace.cron, time_zone text, after timestamp with time zone, amount integer, until timestamp with time zone DEFAULT 'infinity'::timestamp with time zone) RETURNS TABLE(run_at timestamp with time zone)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.cron_runs(rule millrace.cron, time_zone text, after timestamp with time zone, amount integer, until timestamp with time zone) OWNER TO millrace_owner;
CREATE FUNCTION millrace.cron_runs_of_every_hour(rule millrace.cron, time_zone text, after timestamp with time zone, amount integer, until timestamp with time zone) RETURNS TABLE(run_at timestamp with time zone)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.cron_runs_of_every_hour(rule millrace.cron, time_zone text, after timestamp with time zone, amount integer, until timestamp with time zone) OWNER TO millrace_owner;
CREATE TABLE millrace.schedule (
    id integer NOT NULL,
    name text NOT NULL,
    cron text NOT NULL,
    time_zone text NOT NULL,
    misfire text NOT NULL,
    jitter interval NOT NULL,
    paused boolean DEFAULT false NOT NULL,
    queue_id integer NOT NULL,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    due_key text,
    priority smallint NOT NULL,
    max_attempts smallint,
    timeout interval,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT schedule_misfire_check CHECK ((misfire = ANY (ARRAY['skip'::text, 'once'::text, 'all'::text])))
);
ALTER TABLE millrace.schedule OWNER TO millrace_owner;
CREATE FUNCTION millrace.difference(known millrace.schedule, wanted millrace.schedule) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.difference(known millrace.schedule, wanted millrace.schedule) OWNER TO millrace_owner;
CREATE FUNCTION millrace.discard(fence bigint, job_id bigint, error text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.discard(fence bigint, job_id bigint, error text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.discard_many(queue text, filter jsonb, max_jobs integer DEFAULT 1000, dry_run boolean DEFAULT true, reason text DEFAULT NULL::text, OUT matched integer, OUT changed integer, OUT skipped integer, OUT more boolean) RETURNS record
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.discard_many(queue text, filter jsonb, max_jobs integer, dry_run boolean, reason text, OUT matched integer, OUT changed integer, OUT skipped integer, OUT more boolean) OWNER TO millrace_owner;
CREATE FUNCTION millrace.doctor() RETURNS TABLE(rank integer, severity text, finding text, about text, detail text, remedy text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS …;
ALTER FUNCTION millrace.doctor() OWNER TO millrace_owner;
CREATE FUNCTION millrace.doctor_horizon() RETURNS TABLE(severity text, finding text, place bigint, about text, detail text, remedy text)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.doctor_horizon() OWNER TO millrace_owner;
CREATE FUNCTION millrace.doctor_jobs() RETURNS TABLE(severity text, finding text, place bigint, about text, detail text, remedy text)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.doctor_jobs() OWNER TO millrace_owner;
CREATE FUNCTION millrace.doctor_queues() RETURNS TABLE(severity text, finding text, place bigint, about text, detail text, remedy text)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.doctor_queues() OWNER TO millrace_owner;
CREATE FUNCTION millrace.doctor_schedules() RETURNS TABLE(severity text, finding text, place bigint, about text, detail text, remedy text)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.doctor_schedules() OWNER TO millrace_owner;
CREATE FUNCTION millrace.doctor_server() RETURNS TABLE(severity text, finding text, place bigint, about text, detail text, remedy text)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.doctor_server() OWNER TO millrace_owner;
CREATE FUNCTION millrace.doctor_statements() RETURNS TABLE(severity text, finding text, place bigint, about text, detail text, remedy text)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.doctor_statements() OWNER TO millrace_owner;
CREATE FUNCTION millrace.doctor_upkeep() RETURNS TABLE(severity text, finding text, place bigint, about text, detail text, remedy text)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.doctor_upkeep() OWNER TO millrace_owner;
CREATE FUNCTION millrace.drop_day(day date, kept_from date) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.drop_day(day date, kept_from date) OWNER TO millrace_owner;
CREATE FUNCTION millrace.drop_schedule(name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.drop_schedule(name text) OWNER TO millrace_owner;
CREATE TABLE millrace.schedule_due (
    schedule_id integer NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    next_run_at timestamp with time zone NOT NULL,
    look_at timestamp with time zone NOT NULL,
    last_due_at timestamp with time zone,
    error text
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='1000');
ALTER TABLE millrace.schedule_due OWNER TO millrace_owner;
CREATE FUNCTION millrace.due_of(schedule_id integer) RETURNS millrace.schedule_due
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS …;
ALTER FUNCTION millrace.due_of(schedule_id integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.enqueue(queue text, kind text, payload jsonb DEFAULT '{}'::jsonb, priority integer DEFAULT 5, run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, delay interval DEFAULT NULL::interval, max_attempts integer DEFAULT NULL::integer, timeout interval DEFAULT NULL::interval, traceparent text DEFAULT NULL::text, wake boolean DEFAULT true, concurrency_key text DEFAULT NULL::text, batch bigint DEFAULT NULL::bigint, after_batch bigint DEFAULT NULL::bigint, retry_delays interval[] DEFAULT NULL::interval[], expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.enqueue(queue text, kind text, payload jsonb, priority integer, run_at timestamp with time zone, delay interval, max_attempts integer, timeout interval, traceparent text, wake boolean, concurrency_key text, batch bigint, after_batch bigint, retry_delays interval[], expires_at timestamp with time zone) OWNER TO millrace_owner;
CREATE FUNCTION millrace.enqueue_many(queue text, kind text, payloads jsonb[], priority integer DEFAULT 5, run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, delay interval DEFAULT NULL::interval, max_attempts integer DEFAULT NULL::integer, timeout interval DEFAULT NULL::interval, traceparent text DEFAULT NULL::text, wake boolean DEFAULT true, concurrency_key text DEFAULT NULL::text, batch bigint DEFAULT NULL::bigint, after_batch bigint DEFAULT NULL::bigint, retry_delays interval[] DEFAULT NULL::interval[], expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS bigint[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.enqueue_many(queue text, kind text, payloads jsonb[], priority integer, run_at timestamp with time zone, delay interval, max_attempts integer, timeout interval, traceparent text, wake boolean, concurrency_key text, batch bigint, after_batch bigint, retry_delays interval[], expires_at timestamp with time zone) OWNER TO millrace_owner;
CREATE FUNCTION millrace.enqueue_unique(queue text, kind text, payload jsonb, unique_key text, unique_until text DEFAULT NULL::text, unique_for interval DEFAULT NULL::interval, replaces text[] DEFAULT '{}'::text[], priority integer DEFAULT 5, run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, delay interval DEFAULT NULL::interval, max_attempts integer DEFAULT NULL::integer, timeout interval DEFAULT NULL::interval, traceparent text DEFAULT NULL::text, wake boolean DEFAULT true, concurrency_key text DEFAULT NULL::text, retry_delays interval[] DEFAULT NULL::interval[], expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone, OUT id bigint, OUT inserted boolean, OUT replaced boolean) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.enqueue_unique(queue text, kind text, payload jsonb, unique_key text, unique_until text, unique_for interval, replaces text[], priority integer, run_at timestamp with time zone, delay interval, max_attempts integer, timeout interval, traceparent text, wake boolean, concurrency_key text, retry_delays interval[], expires_at timestamp with time zone, OUT id bigint, OUT inserted boolean, OUT replaced boolean) OWNER TO millrace_owner;
CREATE FUNCTION millrace.ensure_kind_lanes(of_queue integer, kinds text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.ensure_kind_lanes(of_queue integer, kinds text[]) OWNER TO millrace_owner;
CREATE FUNCTION millrace.ensure_lanes(queue_id integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.ensure_lanes(queue_id integer) OWNER TO millrace_owner;
CREATE TABLE millrace.ready (
    pos xid8 DEFAULT pg_current_xact_id() NOT NULL,
    job_id bigint NOT NULL,
    stored_on date NOT NULL,
    queue_id integer NOT NULL,
    priority smallint NOT NULL,
    attempt smallint DEFAULT 0 NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='10000', autovacuum_vacuum_cost_delay='1');
ALTER TABLE millrace.ready OWNER TO millrace_owner;
CREATE FUNCTION millrace.expire(of_queue integer, late millrace.ready[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS …;
ALTER FUNCTION millrace.expire(of_queue integer, late millrace.ready[]) OWNER TO millrace_owner;
CREATE FUNCTION millrace.explain_attempt(of_job bigint) RETURNS TABLE(cause text, why text, remedy text)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.explain_attempt(of_job bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.explain_end(of_job bigint) RETURNS TABLE(cause text, why text, remedy text)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.explain_end(of_job bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.explain_job(job_id bigint) RETURNS TABLE(rank integer, cause text, why text, remedy text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    AS …;
ALTER FUNCTION millrace.explain_job(job_id bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.explain_kind(of_job bigint) RETURNS TABLE(cause text, why text, remedy text)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.explain_kind(of_job bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.explain_place(of_job bigint) RETURNS TABLE(cause text, why text, remedy text)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_bitmapscan TO 'on'
    AS …;
ALTER FUNCTION millrace.explain_place(of_job bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.explain_queue(queue text) RETURNS TABLE(place integer, cause text, why text, remedy text)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.explain_queue(queue text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.explain_wait(of_job bigint) RETURNS TABLE(cause text, why text, remedy text)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.explain_wait(of_job bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.fail(fence bigint, job_id bigint, error text, retry_in interval DEFAULT NULL::interval) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.fail(fence bigint, job_id bigint, error text, retry_in interval) OWNER TO millrace_owner;
CREATE FUNCTION millrace.fire_schedule(known millrace.schedule, due_at timestamp with time zone, how text, times integer) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.fire_schedule(known millrace.schedule, due_at timestamp with time zone, how text, times integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.first_shown(shown timestamp without time zone, time_zone text) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.first_shown(shown timestamp without time zone, time_zone text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.fold_counts() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS …;
ALTER FUNCTION millrace.fold_counts() OWNER TO millrace_owner;
CREATE FUNCTION millrace.fold_notes(of_queue integer, of_batch bigint, notes tid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS …;
ALTER FUNCTION millrace.fold_notes(of_queue integer, of_batch bigint, notes tid[]) OWNER TO millrace_owner;
CREATE FUNCTION millrace.follow_batch(of_queue integer, of_batch bigint, notes tid[]) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS …;
ALTER FUNCTION millrace.follow_batch(of_queue integer, of_batch bigint, notes tid[]) OWNER TO millrace_owner;
CREATE FUNCTION millrace.follow_keys(of_queue integer, notes tid[]) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS …;
ALTER FUNCTION millrace.follow_keys(of_queue integer, notes tid[]) OWNER TO millrace_owner;
CREATE FUNCTION millrace.follow_limits(of_queue integer, notes tid[]) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.follow_limits(of_queue integer, notes tid[]) OWNER TO millrace_owner;
CREATE FUNCTION millrace.follow_up(of_queue integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS …;
ALTER FUNCTION millrace.follow_up(of_queue integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.follow_up_all() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.follow_up_all() OWNER TO millrace_owner;
CREATE FUNCTION millrace.forget_history(max_rows integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.forget_history(max_rows integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.forget_slice(what text, of_queue integer, since timestamp with time zone, until timestamp with time zone, max_rows integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS …;
ALTER FUNCTION millrace.forget_slice(what text, of_queue integer, since timestamp with time zone, until timestamp with time zone, max_rows integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.free_places(of_queue integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.free_places(of_queue integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.has_ties(of_queue integer) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS …;
ALTER FUNCTION millrace.has_ties(of_queue integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.heartbeat(session integer, draining boolean DEFAULT false) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.heartbeat(session integer, draining boolean) OWNER TO millrace_owner;
CREATE FUNCTION millrace.hold_many(states text[], jobs bigint[], places tid[]) RETURNS bigint[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.hold_many(states text[], jobs bigint[], places tid[]) OWNER TO millrace_owner;
CREATE FUNCTION millrace.holders_of_key(of_queue integer, of_key text) RETURNS SETOF bigint
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.holders_of_key(of_queue integer, of_key text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.horizon_overview() RETURNS TABLE(rank integer, holder text, name text, pid integer, database text, role_name text, application text, state text, since timestamp with time zone, query_start timestamp with time zone, xid text, transactions bigint, holds text, wrote boolean, inherited boolean, hidden boolean, remedy text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS …;
ALTER FUNCTION millrace.horizon_overview() OWNER TO millrace_owner;
CREATE FUNCTION millrace.insert_schedule(wanted millrace.schedule) RETURNS millrace.schedule
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.insert_schedule(wanted millrace.schedule) OWNER TO millrace_owner;
CREATE FUNCTION millrace.installation_id() RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.installation_id() OWNER TO millrace_owner;
CREATE FUNCTION millrace.is_cancelled(fence bigint, job_id bigint) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_bitmapscan TO 'on'
    AS …;
ALTER FUNCTION millrace.is_cancelled(fence bigint, job_id bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.is_filling(of_queue integer, of_key text, spent_until timestamp with time zone) RETURNS boolean
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.is_filling(of_queue integer, of_key text, spent_until timestamp with time zone) OWNER TO millrace_owner;
CREATE FUNCTION millrace.job_state(job_id bigint) RETURNS text
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.job_state(job_id bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.join_batch(batch bigint, amount integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.join_batch(batch bigint, amount integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.key_bucket(spent_until timestamp with time zone, token_micros bigint, burst integer, at timestamp with time zone, OUT since timestamp with time zone, OUT tokens integer, OUT worthwhile integer, OUT every interval) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.key_bucket(spent_until timestamp with time zone, token_micros bigint, burst integer, at timestamp with time zone, OUT since timestamp with time zone, OUT tokens integer, OUT worthwhile integer, OUT every interval) OWNER TO millrace_owner;
CREATE FUNCTION millrace.lanes_of(of_queue integer) RETURNS SETOF smallint
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.lanes_of(of_queue integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.leave_note(queue_id integer, job_id bigint, what text, key text, batch_id bigint) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.leave_note(queue_id integer, job_id bigint, what text, key text, batch_id bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.let_wait(job_id bigint, stored_on date, queue_id integer, priority smallint, attempt smallint, key text, due timestamp with time zone DEFAULT NULL::timestamp with time zone, wake boolean DEFAULT true) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.let_wait(job_id bigint, stored_on date, queue_id integer, priority smallint, attempt smallint, key text, due timestamp with time zone, wake boolean) OWNER TO millrace_owner;
CREATE FUNCTION millrace.limit_key(queue text, key text, max_held integer, rate text DEFAULT NULL::text, burst integer DEFAULT NULL::integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.limit_key(queue text, key text, max_held integer, rate text, burst integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.live_deltas(max_rows bigint DEFAULT NULL::bigint) RETURNS TABLE(ctid tid, queue_id integer, available integer, scheduled integer, blocked integer, running integer, dead integer, enqueued integer, completed integer, cancelled integer, failed integer)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS …;
ALTER FUNCTION millrace.live_deltas(max_rows bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.locked_schedule(caller text, name text) RETURNS millrace.schedule
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.locked_schedule(caller text, name text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.log_line(fence bigint, job_id bigint, text text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS …;
ALTER FUNCTION millrace.log_line(fence bigint, job_id bigint, text text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.look_at_keys(max_keys integer, since timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS …;
ALTER FUNCTION millrace.look_at_keys(max_keys integer, since timestamp with time zone) OWNER TO millrace_owner;
CREATE FUNCTION millrace.lower_signal(queue text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.lower_signal(queue text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.maintain_partitions(days_ahead integer DEFAULT 7) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '1s'
    AS …;
ALTER FUNCTION millrace.maintain_partitions(days_ahead integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.matching(of_queue integer, states text[], kind text, error text, older_than timestamp with time zone, newer_than timestamp with time zone, jobs bigint[], most integer) RETURNS TABLE(job_id bigint, place tid)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS …;
ALTER FUNCTION millrace.matching(of_queue integer, states text[], kind text, error text, older_than timestamp with time zone, newer_than timestamp with time zone, jobs bigint[], most integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.may_be_replaced(of_job bigint) RETURNS boolean
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.may_be_replaced(of_job bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.may_start(of_queue integer, INOUT room integer, limited boolean, rated boolean, OUT at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.may_start(of_queue integer, INOUT room integer, limited boolean, rated boolean, OUT at timestamp with time zone) OWNER TO millrace_owner;
CREATE FUNCTION millrace.next_due(rule millrace.cron, time_zone text, after timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.next_due(rule millrace.cron, time_zone text, after timestamp with time zone) OWNER TO millrace_owner;
CREATE FUNCTION millrace.next_looks() RETURNS TABLE(schedule_id integer, look_at timestamp with time zone)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS …;
ALTER FUNCTION millrace.next_looks() OWNER TO millrace_owner;
CREATE FUNCTION millrace.next_runs(cron text, time_zone text DEFAULT 'UTC'::text, after timestamp with time zone DEFAULT NULL::timestamp with time zone, n integer DEFAULT 5) RETURNS TABLE(run_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.next_runs(cron text, time_zone text, after timestamp with time zone, n integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.next_token(queue text) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.next_token(queue text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.note_run(schedule_id integer, due_at timestamp with time zone, job bigint, times integer, how text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.note_run(schedule_id integer, due_at timestamp with time zone, job bigint, times integer, how text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.now() RETURNS timestamp with time zone
    LANGUAGE sql
    AS …;
ALTER FUNCTION millrace.now() OWNER TO millrace_owner;
CREATE FUNCTION millrace.open_session(name text, queues text[], host text DEFAULT NULL::text, pid integer DEFAULT NULL::integer, version text DEFAULT NULL::text, lease interval DEFAULT '00:00:30'::interval, kinds text[] DEFAULT NULL::text[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.open_session(name text, queues text[], host text, pid integer, version text, lease interval, kinds text[]) OWNER TO millrace_owner;
CREATE FUNCTION millrace.parse_cron(cron text) RETURNS millrace.cron
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.parse_cron(cron text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.pause_kind(kind text) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.pause_kind(kind text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.pause_queue(name text) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.pause_queue(name text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.pause_schedule(name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.pause_schedule(name text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.payload_schemas(kinds text[] DEFAULT NULL::text[], known text DEFAULT NULL::text, OUT version text, OUT schemas jsonb) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.payload_schemas(kinds text[], known text, OUT version text, OUT schemas jsonb) OWNER TO millrace_owner;
CREATE FUNCTION millrace.poke(queue text) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.poke(queue text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.promote(max_jobs integer DEFAULT 1000, since timestamp with time zone DEFAULT '-infinity'::timestamp with time zone, OUT promoted integer, OUT next_run_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS …;
ALTER FUNCTION millrace.promote(max_jobs integer, since timestamp with time zone, OUT promoted integer, OUT next_run_at timestamp with time zone) OWNER TO millrace_owner;
CREATE FUNCTION millrace.prune(max_rows integer DEFAULT 10000) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS …;
ALTER FUNCTION millrace.prune(max_rows integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.prune_dead_letters(max_rows integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "IntervalStyle" TO 'postgres'
    SET enable_seqscan TO 'off'
    AS …;
ALTER FUNCTION millrace.prune_dead_letters(max_rows integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.queue_id(queue text) RETURNS integer
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.queue_id(queue text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.queue_overview() RETURNS TABLE(name text, available bigint, scheduled bigint, blocked bigint, running bigint, dead bigint, enqueued bigint, completed bigint, cancelled bigint, failed bigint, oldest_at timestamp with time zone, oldest_age interval, signal_raised boolean, max_attempts smallint, timeout interval, retry_base interval, retry_cap interval, max_payload_bytes integer, retention interval, created_at timestamp with time zone, paused_at timestamp with time zone, max_running integer, key_limit integer, dead_letter_retention interval, rate text, burst integer, next_token_at timestamp with time zone, key_rate text, key_burst integer, history text)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS …;
ALTER FUNCTION millrace.queue_overview() OWNER TO millrace_owner;
CREATE FUNCTION millrace.raise_bad_max_jobs() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.raise_bad_max_jobs() OWNER TO millrace_owner;
CREATE FUNCTION millrace.raise_lease_lost(fence bigint, job_id bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.raise_lease_lost(fence bigint, job_id bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.raise_session_ended(session integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.raise_session_ended(session integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.raise_signal(queue text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.raise_signal(queue text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.raise_unknown_batch(batch bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.raise_unknown_batch(batch bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.read_filter(action text, filter jsonb, OUT states text[], OUT kind text, OUT error text, OUT older_than timestamp with time zone, OUT newer_than timestamp with time zone, OUT jobs bigint[]) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.read_filter(action text, filter jsonb, OUT states text[], OUT kind text, OUT error text, OUT older_than timestamp with time zone, OUT newer_than timestamp with time zone, OUT jobs bigint[]) OWNER TO millrace_owner;
CREATE FUNCTION millrace.reap(max_jobs integer DEFAULT 500, since timestamp with time zone DEFAULT '-infinity'::timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS …;
ALTER FUNCTION millrace.reap(max_jobs integer, since timestamp with time zone) OWNER TO millrace_owner;
CREATE FUNCTION millrace.receipts_from() RETURNS timestamp with time zone
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.receipts_from() OWNER TO millrace_owner;
CREATE FUNCTION millrace.register_schema(kind text, schema jsonb) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.register_schema(kind text, schema jsonb) OWNER TO millrace_owner;
CREATE FUNCTION millrace.rehome_day(day date) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS …;
ALTER FUNCTION millrace.rehome_day(day date) OWNER TO millrace_owner;
CREATE FUNCTION millrace.replace_due(due millrace.schedule_due, next_run_at timestamp with time zone, look_at timestamp with time zone, last_due_at timestamp with time zone, error text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS …;
ALTER FUNCTION millrace.replace_due(due millrace.schedule_due, next_run_at timestamp with time zone, look_at timestamp with time zone, last_due_at timestamp with time zone, error text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.replace_waiting(of_job bigint, payload jsonb, priority smallint, due timestamp with time zone, expires_at timestamp with time zone, replaces text[], wake boolean) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.replace_waiting(of_job bigint, payload jsonb, priority smallint, due timestamp with time zone, expires_at timestamp with time zone, replaces text[], wake boolean) OWNER TO millrace_owner;
CREATE FUNCTION millrace.replay(job_id bigint) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.replay(job_id bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.replay_many(queue text, filter jsonb, max_jobs integer DEFAULT 1000, dry_run boolean DEFAULT true, OUT matched integer, OUT changed integer, OUT skipped integer, OUT more boolean) RETURNS record
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.replay_many(queue text, filter jsonb, max_jobs integer, dry_run boolean, OUT matched integer, OUT changed integer, OUT skipped integer, OUT more boolean) OWNER TO millrace_owner;
CREATE FUNCTION millrace.replay_one(job_id bigint) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.replay_one(job_id bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.reporting_attempt(fence bigint, job_id bigint) RETURNS smallint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.reporting_attempt(fence bigint, job_id bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.restart_schedule(schedule_id integer, rule millrace.cron, time_zone text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.restart_schedule(schedule_id integer, rule millrace.cron, time_zone text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.resume_kind(kind text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.resume_kind(kind text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.resume_queue(name text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.resume_queue(name text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.resume_schedule(name text) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.resume_schedule(name text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.retry(job_id bigint) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.retry(job_id bigint) OWNER TO millrace_owner;
CREATE TABLE millrace.kind (
    id integer NOT NULL,
    name text NOT NULL,
    paused_at timestamp with time zone,
    max_attempts smallint,
    timeout interval,
    retry_base interval,
    retry_cap interval,
    retry_delays interval[],
    payload_schema jsonb,
    created_at timestamp with time zone NOT NULL
);
ALTER TABLE millrace.kind OWNER TO millrace_owner;
CREATE TABLE millrace.queue (
    id integer NOT NULL,
    name text NOT NULL,
    max_attempts smallint NOT NULL,
    timeout interval,
    retry_base interval NOT NULL,
    retry_cap interval NOT NULL,
    max_payload_bytes integer NOT NULL,
    retention interval NOT NULL,
    created_at timestamp with time zone NOT NULL,
    paused_at timestamp with time zone,
    max_running integer,
    key_limit integer DEFAULT 1 NOT NULL,
    dead_letter_retention interval,
    rate text,
    burst integer,
    token_micros bigint,
    key_rate text,
    key_burst integer,
    key_token_micros bigint,
    history text DEFAULT 'full'::text NOT NULL,
    CONSTRAINT queue_burst_check CHECK ((burst > 0)),
    CONSTRAINT queue_history_check CHECK ((history = ANY (ARRAY['full'::text, 'outcome'::text, 'none'::text]))),
    CONSTRAINT queue_key_burst_check CHECK ((key_burst > 0)),
    CONSTRAINT queue_key_limit_check CHECK ((key_limit > 0)),
    CONSTRAINT queue_key_token_micros_check CHECK ((key_token_micros > 0)),
    CONSTRAINT queue_max_running_check CHECK ((max_running > 0)),
    CONSTRAINT queue_name_check CHECK ((name ~ '^[a-z0-9][a-z0-9_.-]{0,47}$'::text)),
    CONSTRAINT queue_token_micros_check CHECK ((token_micros > 0))
);
ALTER TABLE millrace.queue OWNER TO millrace_owner;
CREATE FUNCTION millrace.retry_delay(attempt integer, of_job interval[], of_kind millrace.kind, of_queue millrace.queue) RETURNS interval
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.retry_delay(attempt integer, of_job interval[], of_kind millrace.kind, of_queue millrace.queue) OWNER TO millrace_owner;
CREATE FUNCTION millrace.retry_many(queue text, filter jsonb, max_jobs integer DEFAULT 1000, dry_run boolean DEFAULT true, OUT matched integer, OUT changed integer, OUT skipped integer, OUT more boolean) RETURNS record
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.retry_many(queue text, filter jsonb, max_jobs integer, dry_run boolean, OUT matched integer, OUT changed integer, OUT skipped integer, OUT more boolean) OWNER TO millrace_owner;
CREATE FUNCTION millrace.retry_one(job_id bigint) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.retry_one(job_id bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.run_due(known millrace.schedule, due millrace.schedule_due, at timestamp with time zone, max_jobs integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.run_due(known millrace.schedule, due millrace.schedule_due, at timestamp with time zone, max_jobs integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.run_schedule_now(name text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.run_schedule_now(name text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.server_identifier() RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.server_identifier() OWNER TO millrace_owner;
CREATE FUNCTION millrace.session_holders() RETURNS TABLE(holder text, name text, pid integer, database text, role_name text, application text, state text, since timestamp with time zone, query_start timestamp with time zone, held xid, own xid, holds text, hidden boolean, remedy text)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.session_holders() OWNER TO millrace_owner;
CREATE FUNCTION millrace.set_aside(of_queue integer, at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS …;
ALTER FUNCTION millrace.set_aside(of_queue integer, at timestamp with time zone) OWNER TO millrace_owner;
CREATE FUNCTION millrace.set_progress(fence bigint, job_id bigint, percent integer, message text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS …;
ALTER FUNCTION millrace.set_progress(fence bigint, job_id bigint, percent integer, message text) OWNER TO millrace_owner;
CREATE TABLE millrace.running (
    job_id bigint NOT NULL,
    fence bigint NOT NULL,
    claimed_at timestamp with time zone NOT NULL,
    deadline timestamp with time zone,
    stored_on date NOT NULL,
    queue_id integer NOT NULL,
    worker integer NOT NULL,
    priority smallint NOT NULL,
    attempt smallint NOT NULL,
    tied boolean
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='10000', autovacuum_vacuum_cost_delay='1');
ALTER TABLE millrace.running OWNER TO millrace_owner;
CREATE FUNCTION millrace.settle_attempts(attempts millrace.running[], ids bigint[], place integer[], outcomes text[], errors text[], delays interval[], results jsonb[]) RETURNS bigint[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.settle_attempts(attempts millrace.running[], ids bigint[], place integer[], outcomes text[], errors text[], delays interval[], results jsonb[]) OWNER TO millrace_owner;
CREATE FUNCTION millrace.settle_many(job_ids bigint[], fences bigint[], outcomes text[] DEFAULT NULL::text[], errors text[] DEFAULT NULL::text[], delays interval[] DEFAULT NULL::interval[], results jsonb[] DEFAULT NULL::jsonb[], successors jsonb DEFAULT NULL::jsonb) RETURNS bigint[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS …;
ALTER FUNCTION millrace.settle_many(job_ids bigint[], fences bigint[], outcomes text[], errors text[], delays interval[], results jsonb[], successors jsonb) OWNER TO millrace_owner;
CREATE FUNCTION millrace.settle_one(fence bigint, job_id bigint, outcome text, error text, delay interval, result jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.settle_one(fence bigint, job_id bigint, outcome text, error text, delay interval, result jsonb) OWNER TO millrace_owner;
CREATE FUNCTION millrace.settled_as(fence bigint, job_id bigint) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_bitmapscan TO 'on'
    AS …;
ALTER FUNCTION millrace.settled_as(fence bigint, job_id bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.snooze(fence bigint, job_id bigint, delay interval) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.snooze(fence bigint, job_id bigint, delay interval) OWNER TO millrace_owner;
CREATE FUNCTION millrace.spend(of_queue integer, amount integer, at timestamp with time zone) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.spend(of_queue integer, amount integer, at timestamp with time zone) OWNER TO millrace_owner;
CREATE FUNCTION millrace.storage_day() RETURNS date
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.storage_day() OWNER TO millrace_owner;
CREATE FUNCTION millrace.take_back(rows tid[], reason text) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS …;
ALTER FUNCTION millrace.take_back(rows tid[], reason text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.take_unique_key(of_queue integer, of_key text, of_job bigint) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.take_unique_key(of_queue integer, of_key text, of_job bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.throw_away(jobs bigint[], reason text) RETURNS bigint[]
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.throw_away(jobs bigint[], reason text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.tick_schedule(schedule_id integer, at timestamp with time zone, max_jobs integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.tick_schedule(schedule_id integer, at timestamp with time zone, max_jobs integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.tick_schedules(max_jobs integer DEFAULT 1000, OUT enqueued integer, OUT next_run_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS …;
ALTER FUNCTION millrace.tick_schedules(max_jobs integer, OUT enqueued integer, OUT next_run_at timestamp with time zone) OWNER TO millrace_owner;
CREATE FUNCTION millrace.tokens(of_queue integer, OUT amount integer, OUT at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.tokens(of_queue integer, OUT amount integer, OUT at timestamp with time zone) OWNER TO millrace_owner;
CREATE FUNCTION millrace.unfinished_batch(after_batch bigint, of_batch bigint) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.unfinished_batch(after_batch bigint, of_batch bigint) OWNER TO millrace_owner;
CREATE FUNCTION millrace.unmoved(action text, job_id bigint, fine text[], rule text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.unmoved(action text, job_id bigint, fine text[], rule text) OWNER TO millrace_owner;
CREATE FUNCTION millrace.utc_text(at timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.utc_text(at timestamp with time zone) OWNER TO millrace_owner;
CREATE FUNCTION millrace.wake(queue_id integer) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.wake(queue_id integer) OWNER TO millrace_owner;
CREATE FUNCTION millrace.wake_rated() RETURNS timestamp with time zone
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.wake_rated() OWNER TO millrace_owner;
CREATE FUNCTION millrace.with_kind_lanes(lanes smallint[], of_queue integer, handled text[], paused text[]) RETURNS smallint[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION millrace.with_kind_lanes(lanes smallint[], of_queue integer, handled text[], paused text[]) OWNER TO millrace_owner;
CREATE FUNCTION notify.bounced(address text, reason text, permanent boolean DEFAULT true) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.bounced(address text, reason text, permanent boolean) OWNER TO millrace_owner;
CREATE FUNCTION notify.changes_complaint(changes jsonb) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.changes_complaint(changes jsonb) OWNER TO millrace_owner;
CREATE FUNCTION notify.check_holder(fence bigint, job_id bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.check_holder(fence bigint, job_id bigint) OWNER TO millrace_owner;
CREATE FUNCTION notify.check_suppression(caller text, address text, reason text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.check_suppression(caller text, address text, reason text) OWNER TO millrace_owner;
CREATE FUNCTION notify.check_username(caller text, username text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.check_username(caller text, username text) OWNER TO millrace_owner;
CREATE FUNCTION notify.cl_comment_created(cl_link text, author text, reviewers text[], actor text, comment text, dedup_key text DEFAULT NULL::text, OUT event bigint, OUT is_new boolean, OUT pending integer, OUT collected integer, OUT skipped integer) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.cl_comment_created(cl_link text, author text, reviewers text[], actor text, comment text, dedup_key text, OUT event bigint, OUT is_new boolean, OUT pending integer, OUT collected integer, OUT skipped integer) OWNER TO millrace_owner;
CREATE FUNCTION notify.collect(of_event bigint, event_type text, at timestamp with time zone, collectors text[]) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.collect(of_event bigint, event_type text, at timestamp with time zone, collectors text[]) OWNER TO millrace_owner;
CREATE FUNCTION notify.config(username text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.config(username text) OWNER TO millrace_owner;
CREATE FUNCTION notify.configure(username text, changes jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.configure(username text, changes jsonb) OWNER TO millrace_owner;
CREATE FUNCTION notify.define_type(code text, category text, description text, priority integer DEFAULT 5, queue text DEFAULT 'email'::text, system_required boolean DEFAULT false, default_enabled boolean DEFAULT true, expires_after interval DEFAULT NULL::interval) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.define_type(code text, category text, description text, priority integer, queue text, system_required boolean, default_enabled boolean, expires_after interval) OWNER TO millrace_owner;
CREATE FUNCTION notify.digest_key(of_user text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.digest_key(of_user text) OWNER TO millrace_owner;
CREATE FUNCTION notify.digest_of(fence bigint, job_id bigint) RETURNS TABLE(email_id bigint, event_type text, emitted_at timestamp with time zone, actor text, subject text, body_text text, body_html text, data jsonb)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS …;
ALTER FUNCTION notify.digest_of(fence bigint, job_id bigint) OWNER TO millrace_owner;
CREATE FUNCTION notify.digest_to(fence bigint, job_id bigint, OUT skip text, OUT username text, OUT address text, OUT locale text, OUT sender text) RETURNS SETOF record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.digest_to(fence bigint, job_id bigint, OUT skip text, OUT username text, OUT address text, OUT locale text, OUT sender text) OWNER TO millrace_owner;
CREATE FUNCTION notify.drop_template(event_type text, locale text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.drop_template(event_type text, locale text) OWNER TO millrace_owner;
CREATE TABLE notify.digest (
    id bigint NOT NULL,
    username text,
    job_id bigint NOT NULL
);
ALTER TABLE notify.digest OWNER TO millrace_owner;
CREATE FUNCTION notify.drop_unwanted(this notify.digest, at timestamp with time zone) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.drop_unwanted(this notify.digest, at timestamp with time zone) OWNER TO millrace_owner;
CREATE FUNCTION notify.status_by_job(job_id bigint, is_known_to_have_failed boolean, OUT status text, OUT reason text) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_bitmapscan TO 'on'
    AS …;
ALTER FUNCTION notify.status_by_job(job_id bigint, is_known_to_have_failed boolean, OUT status text, OUT reason text) OWNER TO millrace_owner;
CREATE TABLE notify.collected (
    username text NOT NULL,
    email_id bigint NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='10000', autovacuum_vacuum_cost_delay='1');
ALTER TABLE notify.collected OWNER TO millrace_owner;
CREATE TABLE notify.delivery (
    email_id bigint NOT NULL,
    job_id bigint NOT NULL,
    outcome text NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    reason text,
    message_id text,
    reply text,
    redirected_to text,
    CONSTRAINT delivery_outcome_check CHECK ((outcome = ANY (ARRAY['sent'::text, 'skipped'::text, 'failed'::text, 'cancelled'::text, 'expired'::text])))
);
ALTER TABLE notify.delivery OWNER TO millrace_owner;
CREATE TABLE notify.email (
    id bigint NOT NULL,
    event_id bigint NOT NULL,
    event_type text NOT NULL,
    emitted_at timestamp with time zone NOT NULL,
    username text,
    address text,
    locale text NOT NULL,
    job_id bigint,
    skipped text
);
ALTER TABLE notify.email OWNER TO millrace_owner;
CREATE TABLE notify.event (
    id bigint NOT NULL,
    event_type text NOT NULL,
    emitted_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    actor text,
    subject text,
    body_text text,
    body_html text,
    data jsonb,
    dedup_key text
);
ALTER TABLE notify.event OWNER TO millrace_owner;
CREATE TABLE notify.pending (
    email_id bigint NOT NULL,
    job_id bigint NOT NULL,
    emitted_at timestamp with time zone NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='10000', autovacuum_vacuum_cost_delay='1');
ALTER TABLE notify.pending OWNER TO millrace_owner;
CREATE VIEW notify.known_emails AS …;
ALTER TABLE notify.known_emails OWNER TO millrace_owner;
CREATE VIEW notify.emails AS …;
ALTER TABLE notify.emails OWNER TO millrace_owner;
CREATE FUNCTION notify.emails_by_id(ids bigint[]) RETURNS SETOF notify.emails
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_nestloop TO 'off'
    SET enable_hashjoin TO 'on'
    SET jit TO 'off'
    AS …;
ALTER FUNCTION notify.emails_by_id(ids bigint[]) OWNER TO millrace_owner;
CREATE FUNCTION notify.emails_of(job_id bigint) RETURNS SETOF bigint
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.emails_of(job_id bigint) OWNER TO millrace_owner;
CREATE FUNCTION notify.emit(event_type text, actor text, recipients text[], subject text, body_text text DEFAULT NULL::text, body_html text DEFAULT NULL::text, data jsonb DEFAULT NULL::jsonb, dedup_key text DEFAULT NULL::text, OUT event bigint, OUT is_new boolean, OUT pending integer, OUT collected integer, OUT skipped integer) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS …;
ALTER FUNCTION notify.emit(event_type text, actor text, recipients text[], subject text, body_text text, body_html text, data jsonb, dedup_key text, OUT event bigint, OUT is_new boolean, OUT pending integer, OUT collected integer, OUT skipped integer) OWNER TO millrace_owner;
CREATE FUNCTION notify.emit_complaint(actor text, recipients text[], subject text, body_text text, body_html text, data jsonb, dedup_key text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.emit_complaint(actor text, recipients text[], subject text, body_text text, body_html text, data jsonb, dedup_key text) OWNER TO millrace_owner;
CREATE TABLE notify.event_type (
    code text NOT NULL,
    category text NOT NULL,
    description text NOT NULL,
    priority smallint NOT NULL,
    queue text NOT NULL,
    system_required boolean NOT NULL,
    default_enabled boolean NOT NULL,
    expires_after interval
);
ALTER TABLE notify.event_type OWNER TO millrace_owner;
CREATE FUNCTION notify.enqueue_emails(of_type notify.event_type, at timestamp with time zone, told notify.email[]) RETURNS bigint[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.enqueue_emails(of_type notify.event_type, at timestamp with time zone, told notify.email[]) OWNER TO millrace_owner;
CREATE FUNCTION notify.ensure_digest(of_user text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS …;
ALTER FUNCTION notify.ensure_digest(of_user text) OWNER TO millrace_owner;
CREATE FUNCTION notify.erase_user(username text, dry_run boolean DEFAULT false) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS …;
ALTER FUNCTION notify.erase_user(username text, dry_run boolean) OWNER TO millrace_owner;
CREATE FUNCTION notify.find_emails(username text DEFAULT NULL::text, type text DEFAULT NULL::text, status text DEFAULT NULL::text, since timestamp with time zone DEFAULT NULL::timestamp with time zone, until timestamp with time zone DEFAULT NULL::timestamp with time zone, max_rows integer DEFAULT 100) RETURNS SETOF notify.emails
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_bitmapscan TO 'off'
    AS …;
ALTER FUNCTION notify.find_emails(username text, type text, status text, since timestamp with time zone, until timestamp with time zone, max_rows integer) OWNER TO millrace_owner;
CREATE FUNCTION notify.first_pending(from_email bigint) RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS …;
ALTER FUNCTION notify.first_pending(from_email bigint) OWNER TO millrace_owner;
CREATE FUNCTION notify.html_escape(text text) RETURNS text
    LANGUAGE sql IMMUTABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.html_escape(text text) OWNER TO millrace_owner;
CREATE FUNCTION notify.is_address(address text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.is_address(address text) OWNER TO millrace_owner;
CREATE FUNCTION notify.is_locale(locale text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.is_locale(locale text) OWNER TO millrace_owner;
CREATE FUNCTION notify.is_suppressed(address text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.is_suppressed(address text) OWNER TO millrace_owner;
CREATE FUNCTION notify.is_username(username text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.is_username(username text) OWNER TO millrace_owner;
CREATE FUNCTION notify.known_by_id(ids bigint[]) RETURNS SETOF notify.known_emails
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_nestloop TO 'on'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_bitmapscan TO 'off'
    SET jit TO 'off'
    AS …;
ALTER FUNCTION notify.known_by_id(ids bigint[]) OWNER TO millrace_owner;
CREATE FUNCTION notify.message_of(fence bigint, job_id bigint, OUT email_id bigint, OUT skip text, OUT event_type text, OUT username text, OUT address text, OUT locale text, OUT sender text, OUT subject text, OUT body_text text, OUT body_html text, OUT data jsonb, OUT system_required boolean, OUT waited interval) RETURNS SETOF record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.message_of(fence bigint, job_id bigint, OUT email_id bigint, OUT skip text, OUT event_type text, OUT username text, OUT address text, OUT locale text, OUT sender text, OUT subject text, OUT body_text text, OUT body_html text, OUT data jsonb, OUT system_required boolean, OUT waited interval) OWNER TO millrace_owner;
CREATE FUNCTION notify.next_digest(hour integer, time_zone text, after timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.next_digest(hour integer, time_zone text, after timestamp with time zone) OWNER TO millrace_owner;
CREATE FUNCTION notify.objection(enabled boolean, required boolean, preference boolean, by_default boolean) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.objection(enabled boolean, required boolean, preference boolean, by_default boolean) OWNER TO millrace_owner;
CREATE FUNCTION notify.overview(OUT oldest_pending_at timestamp with time zone, OUT oldest_pending_age interval) RETURNS record
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET jit TO 'off'
    AS …;
ALTER FUNCTION notify.overview(OUT oldest_pending_at timestamp with time zone, OUT oldest_pending_age interval) OWNER TO millrace_owner;
CREATE FUNCTION notify.prune(max_rows integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS …;
ALTER FUNCTION notify.prune(max_rows integer) OWNER TO millrace_owner;
CREATE FUNCTION notify.put_off_digest(of_user text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.put_off_digest(of_user text) OWNER TO millrace_owner;
CREATE FUNCTION notify.put_template(event_type text, locale text, subject text, body_text text, body_html text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.put_template(event_type text, locale text, subject text, body_text text, body_html text) OWNER TO millrace_owner;
CREATE FUNCTION notify.raise_bad(caller text, wrong text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.raise_bad(caller text, wrong text) OWNER TO millrace_owner;
CREATE FUNCTION notify.raise_unknown_type(code text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.raise_unknown_type(code text) OWNER TO millrace_owner;
CREATE FUNCTION notify.record_delivery(fence bigint, job_id bigint, outcome text, reason text DEFAULT NULL::text, message_id text DEFAULT NULL::text, reply text DEFAULT NULL::text, redirected_to text DEFAULT NULL::text, sent_to text DEFAULT NULL::text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS …;
ALTER FUNCTION notify.record_delivery(fence bigint, job_id bigint, outcome text, reason text, message_id text, reply text, redirected_to text, sent_to text) OWNER TO millrace_owner;
CREATE FUNCTION notify.record_ends(max_rows integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS …;
ALTER FUNCTION notify.record_ends(max_rows integer) OWNER TO millrace_owner;
CREATE FUNCTION notify.replace_digests(max_rows integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS …;
ALTER FUNCTION notify.replace_digests(max_rows integer) OWNER TO millrace_owner;
CREATE FUNCTION notify.set_preferences(username text, preferences jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.set_preferences(username text, preferences jsonb) OWNER TO millrace_owner;
CREATE FUNCTION notify.set_queue_owner(queue text, username text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.set_queue_owner(queue text, username text) OWNER TO millrace_owner;
CREATE FUNCTION notify.set_sender(category text, sender text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.set_sender(category text, sender text) OWNER TO millrace_owner;
CREATE FUNCTION notify.set_up(queue text DEFAULT 'email'::text, retention interval DEFAULT '90 days'::interval) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "IntervalStyle" TO 'postgres'
    AS …;
ALTER FUNCTION notify.set_up(queue text, retention interval) OWNER TO millrace_owner;
CREATE TABLE notify.user_settings (
    username text NOT NULL,
    email text,
    enabled boolean DEFAULT true NOT NULL,
    delivery_mode text DEFAULT 'realtime'::text NOT NULL,
    digest_hour smallint DEFAULT 8 NOT NULL,
    time_zone text DEFAULT 'UTC'::text NOT NULL,
    locale text DEFAULT 'en'::text NOT NULL,
    CONSTRAINT user_settings_delivery_mode_check CHECK ((delivery_mode = ANY (ARRAY['realtime'::text, 'digest'::text]))),
    CONSTRAINT user_settings_digest_hour_check CHECK (((digest_hour >= 0) AND (digest_hour <= 23)))
);
ALTER TABLE notify.user_settings OWNER TO millrace_owner;
CREATE FUNCTION notify.settings_of(username text) RETURNS notify.user_settings
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.settings_of(username text) OWNER TO millrace_owner;
CREATE FUNCTION notify.should_send(username text, event_type text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.should_send(username text, event_type text) OWNER TO millrace_owner;
CREATE FUNCTION notify.states_of(jobs bigint[]) RETURNS TABLE(job_id bigint, state text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'on'
    SET enable_nestloop TO 'off'
    SET enable_hashjoin TO 'on'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS …;
ALTER FUNCTION notify.states_of(jobs bigint[]) OWNER TO millrace_owner;
CREATE FUNCTION notify.status_by_state(state text, job_id bigint, is_known_to_have_failed boolean, OUT status text, OUT reason text) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_bitmapscan TO 'on'
    AS …;
ALTER FUNCTION notify.status_by_state(state text, job_id bigint, is_known_to_have_failed boolean, OUT status text, OUT reason text) OWNER TO millrace_owner;
CREATE FUNCTION notify.suppress(address text, reason text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.suppress(address text, reason text) OWNER TO millrace_owner;
CREATE FUNCTION notify.tell(of_event bigint, of_type notify.event_type, actor text, recipients text[], at timestamp with time zone, OUT pending integer, OUT collected integer, OUT skipped integer) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS …;
ALTER FUNCTION notify.tell(of_event bigint, of_type notify.event_type, actor text, recipients text[], at timestamp with time zone, OUT pending integer, OUT collected integer, OUT skipped integer) OWNER TO millrace_owner;
CREATE FUNCTION notify.tell_owners() RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS …;
ALTER FUNCTION notify.tell_owners() OWNER TO millrace_owner;
CREATE TABLE notify.template (
    event_type text NOT NULL,
    locale text NOT NULL,
    subject text NOT NULL,
    body_text text NOT NULL,
    body_html text,
    changed_at timestamp with time zone NOT NULL
);
ALTER TABLE notify.template OWNER TO millrace_owner;
CREATE FUNCTION notify.template_for(event_type text, locale text) RETURNS SETOF notify.template
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.template_for(event_type text, locale text) OWNER TO millrace_owner;
CREATE FUNCTION notify.template_of(event_type text, locale text, OUT found_locale text, OUT subject text, OUT body_text text, OUT body_html text) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.template_of(event_type text, locale text, OUT found_locale text, OUT subject text, OUT body_text text, OUT body_html text) OWNER TO millrace_owner;
CREATE FUNCTION notify.types() RETURNS TABLE(code text, category text, description text, system_required boolean, default_enabled boolean, priority integer, expires_after interval)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.types() OWNER TO millrace_owner;
CREATE FUNCTION notify.unsubscribe(username text, event_type text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.unsubscribe(username text, event_type text) OWNER TO millrace_owner;
CREATE FUNCTION notify.unsuppress(address text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION notify.unsuppress(address text) OWNER TO millrace_owner;
CREATE FUNCTION notify.upkeep(max_rows integer DEFAULT 1000, at_most_every interval DEFAULT '00:00:00'::interval, OUT recorded integer, OUT told integer, OUT pruned integer, OUT has_more boolean) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "IntervalStyle" TO 'postgres'
    SET jit TO 'off'
    AS …;
ALTER FUNCTION notify.upkeep(max_rows integer, at_most_every interval, OUT recorded integer, OUT told integer, OUT pruned integer, OUT has_more boolean) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.analyze_request(queue text, request bigint, build text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.analyze_request(queue text, request bigint, build text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.announce(queue text, request bigint, project text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.announce(queue text, request bigint, project text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.append_command_log(queue text, id text, attempt integer, start_byte bigint, text text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.append_command_log(queue text, id text, attempt integer, start_byte bigint, text text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.apply(document jsonb, dry_run boolean DEFAULT true) RETURNS TABLE(name text, outcome text, changed text[])
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.apply(document jsonb, dry_run boolean) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.apply_queue(entry jsonb, place integer) RETURNS TABLE(name text, outcome text, changed text[])
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.apply_queue(entry jsonb, place integer) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.bisect_step(queue text, request bigint) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.bisect_step(queue text, request bigint) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.blank_command(runner jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.blank_command(runner jsonb) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.blank_settings() RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.blank_settings() OWNER TO millrace_owner;
CREATE FUNCTION pipeline.build_of(queue text, request bigint, project text, run integer DEFAULT 1) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.build_of(queue text, request bigint, project text, run integer) OWNER TO millrace_owner;
CREATE TABLE pipeline.build (
    queue text NOT NULL,
    id text NOT NULL,
    request bigint NOT NULL,
    project text DEFAULT ''::text NOT NULL,
    status text DEFAULT 'accepted'::text NOT NULL,
    reason text,
    log_location text,
    target_graph jsonb,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    run integer DEFAULT 1 NOT NULL,
    rerun_as integer,
    uri text,
    CONSTRAINT build_status_check CHECK ((status = ANY (ARRAY['accepted'::text, 'running'::text, 'succeeded'::text, 'failed'::text, 'cancelled'::text])))
);
ALTER TABLE pipeline.build OWNER TO millrace_owner;
CREATE FUNCTION pipeline.call_off(build pipeline.build) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.call_off(build pipeline.build) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.cancel_command(queue text, id text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.cancel_command(queue text, id text) OWNER TO millrace_owner;
CREATE TABLE pipeline.event (
    queue text NOT NULL,
    id text NOT NULL,
    type text NOT NULL,
    at timestamp with time zone NOT NULL,
    payload jsonb NOT NULL
);
ALTER TABLE pipeline.event OWNER TO millrace_owner;
CREATE FUNCTION pipeline.cloud_event(told pipeline.event) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS …;
ALTER FUNCTION pipeline.cloud_event(told pipeline.event) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.command_complaint(command text[]) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.command_complaint(command text[]) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.command_limits_complaint(memory_limit bigint, output_limit bigint, disk_limit bigint) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.command_limits_complaint(memory_limit bigint, output_limit bigint, disk_limit bigint) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.command_runs_of(id text, queue text DEFAULT NULL::text) RETURNS TABLE(queue text, status text, reason text, attempt integer, is_log_gone boolean)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.command_runs_of(id text, queue text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.command_status(queue text, id text) RETURNS TABLE(status text, reason text, target_graph jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.command_status(queue text, id text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.complete_request(queue text, request bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.complete_request(queue text, request bigint) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.configure_queue(name text, settings jsonb) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "IntervalStyle" TO 'postgres'
    AS …;
ALTER FUNCTION pipeline.configure_queue(name text, settings jsonb) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.count_processing(queue text) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.count_processing(queue text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.coverage(queue text, uri text) RETURNS TABLE(covered_by text, verdict text, degree numeric, base_uri text, previous_green text, next_green text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.coverage(queue text, uri text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.create_build(queue text, id text, request bigint, project text, run integer DEFAULT 1, commit text DEFAULT NULL::text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.create_build(queue text, id text, request bigint, project text, run integer, commit text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.create_fact(queue text, uri text, project text, degree numeric, request bigint, is_flaky boolean DEFAULT false) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.create_fact(queue text, uri text, project text, degree numeric, request bigint, is_flaky boolean) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.create_queue(name text, remote text, ref text, command text[], job_queue text DEFAULT 'pipeline'::text, time_limit interval DEFAULT '01:00:00'::interval, max_concurrent integer DEFAULT 1, max_validation interval DEFAULT '02:00:00'::interval, poll_accepted interval DEFAULT '00:00:05'::interval, poll_running interval DEFAULT '00:00:02'::interval) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "IntervalStyle" TO 'postgres'
    AS …;
ALTER FUNCTION pipeline.create_queue(name text, remote text, ref text, command text[], job_queue text, time_limit interval, max_concurrent integer, max_validation interval, poll_accepted interval, poll_running interval) OWNER TO millrace_owner;
CREATE TABLE pipeline.request (
    queue text NOT NULL,
    number bigint NOT NULL,
    uri text NOT NULL,
    state text DEFAULT 'accepted'::text NOT NULL,
    build_strategy text,
    base_uri text,
    version bigint DEFAULT 1 NOT NULL,
    accepted_at timestamp with time zone NOT NULL,
    admitted_at timestamp with time zone,
    finished_at timestamp with time zone,
    attempt integer DEFAULT 1 NOT NULL,
    first_run integer DEFAULT 1 NOT NULL,
    runs integer DEFAULT 1 NOT NULL,
    reason text,
    analyzed_at timestamp with time zone,
    completed_at timestamp with time zone,
    committed_at timestamp with time zone,
    holds bigint[],
    CONSTRAINT request_build_strategy_check CHECK ((build_strategy = ANY (ARRAY['full'::text, 'incremental_since_green'::text]))),
    CONSTRAINT request_check CHECK (((build_strategy = 'incremental_since_green'::text) = (base_uri IS NOT NULL))),
    CONSTRAINT request_state_check CHECK ((state = ANY (ARRAY['accepted'::text, 'processing'::text, 'succeeded'::text, 'failed'::text, 'cancelled'::text, 'superseded'::text])))
);
ALTER TABLE pipeline.request OWNER TO millrace_owner;
CREATE FUNCTION pipeline.doubted_projects(of_request pipeline.request) RETURNS TABLE(project text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.doubted_projects(of_request pipeline.request) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.drop_old_logs(queue text) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.drop_old_logs(queue text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.end_of_log(queue text, id text, attempt integer) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.end_of_log(queue text, id text, attempt integer) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.export() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.export() OWNER TO millrace_owner;
CREATE FUNCTION pipeline.fail_closed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.fail_closed() OWNER TO millrace_owner;
CREATE FUNCTION pipeline.fail_request(failed pipeline.request, why text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.fail_request(failed pipeline.request, why text) OWNER TO millrace_owner;
CREATE TABLE pipeline.queue (
    name text NOT NULL,
    job_queue text NOT NULL,
    source_control text NOT NULL,
    source_settings jsonb NOT NULL,
    build_runner text NOT NULL,
    runner_settings jsonb NOT NULL,
    max_concurrent integer NOT NULL,
    max_validation interval NOT NULL,
    poll_accepted interval NOT NULL,
    poll_running interval NOT NULL,
    latest_request bigint DEFAULT 0 NOT NULL,
    last_green_request bigint DEFAULT 0 NOT NULL,
    last_green_uri text,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    promotion_ref text,
    promoted_uri text,
    promotions_vanished bigint DEFAULT 0 NOT NULL,
    flaky_reruns integer DEFAULT 0 NOT NULL,
    bisect_budget integer DEFAULT 0 NOT NULL,
    CONSTRAINT queue_check CHECK (((last_green_request = 0) = (last_green_uri IS NULL))),
    CONSTRAINT queue_check1 CHECK ((last_green_request <= latest_request)),
    CONSTRAINT queue_name_check CHECK ((name ~ '^[a-z0-9][a-z0-9_./-]{0,99}$'::text))
);
ALTER TABLE pipeline.queue OWNER TO millrace_owner;
CREATE FUNCTION pipeline.fail_stage(known pipeline.queue, kind text, payload jsonb, why text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.fail_stage(known pipeline.queue, kind text, payload jsonb, why text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.finish_command(queue text, id text, status text, reason text, exit_code integer, log_tail text, target_graph jsonb DEFAULT NULL::jsonb) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.finish_command(queue text, id text, status text, reason text, exit_code integer, log_tail text, target_graph jsonb) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.gate(queue text, commit text, project text DEFAULT ''::text, max_age interval DEFAULT NULL::interval) RETURNS TABLE(verdict text, uri text, state text, is_final boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.gate(queue text, commit text, project text, max_age interval) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.get_build(queue text, id text) RETURNS TABLE(request bigint, project text, status text, reason text, log_location text, version bigint, age interval, run integer, commit text, is_current boolean, is_repeated boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.get_build(queue text, id text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.get_fact(queue text, uri text, project text) RETURNS TABLE(degree numeric, request bigint, is_flaky boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.get_fact(queue text, uri text, project text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.get_queue(name text) RETURNS SETOF pipeline.queue
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.get_queue(name text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.get_request(queue text, number bigint) RETURNS SETOF pipeline.request
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.get_request(queue text, number bigint) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.git_complaint(remote text, ref text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.git_complaint(remote text, ref text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.glob_pattern(glob text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.glob_pattern(glob text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.greenness(queue text, uri text) RETURNS TABLE(project text, verdict text, degree numeric, recorded_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.greenness(queue text, uri text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.hook_delivery(event text, sink text) RETURNS TABLE(url text, body jsonb, secret_env text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS …;
ALTER FUNCTION pipeline.hook_delivery(event text, sink text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.ingest(queue text, uri text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.ingest(queue text, uri text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.is_green(queue text, uri text, project text DEFAULT ''::text) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.is_green(queue text, uri text, project text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.known_queue(name text) RETURNS pipeline.queue
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.known_queue(name text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.latest_accepted(queue text) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.latest_accepted(queue text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.latest_green(queue text, project text DEFAULT ''::text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.latest_green(queue text, project text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.limit_command(queue text, memory_limit bigint DEFAULT NULL::bigint, output_limit bigint DEFAULT 67108864, disk_limit bigint DEFAULT NULL::bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.limit_command(queue text, memory_limit bigint, output_limit bigint, disk_limit bigint) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.limits_complaint(max_concurrent integer, max_validation interval, time_limit interval, poll_accepted interval, poll_running interval) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.limits_complaint(max_concurrent integer, max_validation interval, time_limit interval, poll_accepted interval, poll_running interval) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.lock_queue(name text) RETURNS SETOF pipeline.queue
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.lock_queue(name text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.mail_text(payload jsonb, OUT subject text, OUT body text) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.mail_text(payload jsonb, OUT subject text, OUT body text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.note_history(queue text, number bigint, uris text[]) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.note_history(queue text, number bigint, uris text[]) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.note_look(queue text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.note_look(queue text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.note_promotion(queue text, uri text, outcome text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.note_promotion(queue text, uri text, outcome text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.overview() RETURNS TABLE(queue text, accepted bigint, processing bigint, succeeded bigint, failed bigint, cancelled bigint, superseded bigint, last_green_committed_at timestamp with time zone, break_undetected interval, validation_time interval)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS …;
ALTER FUNCTION pipeline.overview() OWNER TO millrace_owner;
CREATE FUNCTION pipeline.poll(queue text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.poll(queue text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.projects_complaint(projects jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.projects_complaint(projects jsonb) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.publish(queue text, id text, type text, payload jsonb, is_change boolean) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.publish(queue text, id text, type text, payload jsonb, is_change boolean) OWNER TO millrace_owner;
CREATE TABLE pipeline.bisect (
    queue text NOT NULL,
    request bigint NOT NULL,
    good bigint NOT NULL,
    bad bigint NOT NULL,
    builds integer DEFAULT 0 NOT NULL,
    budget integer NOT NULL,
    building bigint,
    run integer,
    state text DEFAULT 'searching'::text NOT NULL,
    culprit_uri text,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT bisect_state_check CHECK ((state = ANY (ARRAY['searching'::text, 'found'::text, 'given up'::text])))
);
ALTER TABLE pipeline.bisect OWNER TO millrace_owner;
CREATE FUNCTION pipeline.publish_culprit(search pipeline.bisect) RETURNS integer
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.publish_culprit(search pipeline.bisect) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.publish_fact(queue text, request bigint, project text) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.publish_fact(queue text, request bigint, project text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.read_command_log(queue text, id text, after_attempt integer DEFAULT NULL::integer, after_byte bigint DEFAULT NULL::bigint, most integer DEFAULT 100) RETURNS TABLE(attempt integer, start_byte bigint, text text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.read_command_log(queue text, id text, after_attempt integer, after_byte bigint, most integer) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.recipients_complaint(recipients jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.recipients_complaint(recipients jsonb) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.rerun_build(queue text, id text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.rerun_build(queue text, id text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.revalidate(queue text, uri text, reason text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.revalidate(queue text, uri text, reason text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.roll_up(queue text, request bigint) RETURNS numeric
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.roll_up(queue text, request bigint) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.rule_complaint(rule jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.rule_complaint(rule jsonb) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.runner_complaint(s jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.runner_complaint(s jsonb) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.runner_settings(queue text) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.runner_settings(queue text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.schedule_of(queue text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.schedule_of(queue text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.seek_culprit(queue text, request bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.seek_culprit(queue text, request bigint) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.service_complaint(runner text, settings jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.service_complaint(runner text, settings jsonb) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.set_target_graph(queue text, id text, graph jsonb) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.set_target_graph(queue text, id text, graph jsonb) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.settings_complaint(s jsonb) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.settings_complaint(s jsonb) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.settings_of(queue text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "IntervalStyle" TO 'postgres'
    AS …;
ALTER FUNCTION pipeline.settings_of(queue text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.settle_project(queue text, request bigint, project text, state text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.settle_project(queue text, request bigint, project text, state text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.shape_complaint(settings jsonb) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.shape_complaint(settings jsonb) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.sink_complaint(sink jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.sink_complaint(sink jsonb) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.sinks_complaint(sinks jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.sinks_complaint(sinks jsonb) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.start_command(queue text, id text) RETURNS TABLE(request bigint, project text, base_uri text, head_uri text, argv text[], time_limit interval, status text, attempt integer, memory_limit bigint, output_limit bigint, disk_limit bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.start_command(queue text, id text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.supersede_before(queue text, number bigint) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.supersede_before(queue text, number bigint) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.suspects(queue text, good bigint, bad bigint) RETURNS TABLE(number bigint, uri text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.suspects(queue text, good bigint, bad bigint) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.targets_of(queue text, graph jsonb) RETURNS TABLE(target text, status text, project text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.targets_of(queue text, graph jsonb) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.tell(event text, sink text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.tell(event text, sink text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.trigger_command(queue text, request bigint, project text, base_uri text, head_uri text, run integer DEFAULT 1) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "IntervalStyle" TO 'postgres'
    AS …;
ALTER FUNCTION pipeline.trigger_command(queue text, request bigint, project text, base_uri text, head_uri text, run integer) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.update_build(queue text, id text, status text, reason text, log_location text, old_version bigint, new_version bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.update_build(queue text, id text, status text, reason text, log_location text, old_version bigint, new_version bigint) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.update_queue(name text, last_green_request bigint, last_green_uri text, old_version bigint, new_version bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.update_queue(name text, last_green_request bigint, last_green_uri text, old_version bigint, new_version bigint) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.update_request(queue text, number bigint, state text, build_strategy text, base_uri text, old_version bigint, new_version bigint, committed_at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.update_request(queue text, number bigint, state text, build_strategy text, base_uri text, old_version bigint, new_version bigint, committed_at timestamp with time zone) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.use_service(queue text, runner text, settings jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.use_service(queue text, runner text, settings jsonb) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.verdict(degree numeric, is_flaky boolean) RETURNS text
    LANGUAGE plpgsql IMMUTABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.verdict(degree numeric, is_flaky boolean) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.verdict_before(queue text, request bigint, project text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.verdict_before(queue text, request bigint, project text) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.whole_runner(runner jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
ALTER FUNCTION pipeline.whole_runner(runner jsonb) OWNER TO millrace_owner;
CREATE FUNCTION pipeline.write_settings(queue text, before jsonb, s jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "IntervalStyle" TO 'postgres'
    AS …;
ALTER FUNCTION pipeline.write_settings(queue text, before jsonb, s jsonb) OWNER TO millrace_owner;
CREATE TABLE forks.digest (
    id bigint NOT NULL,
    run_id bigint NOT NULL,
    job_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    subject text NOT NULL,
    text text NOT NULL,
    html text NOT NULL,
    failures integer NOT NULL,
    recipients text[] NOT NULL,
    emails bigint[] NOT NULL
);
ALTER TABLE forks.digest OWNER TO millrace_owner;
ALTER TABLE forks.digest_group ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME forks.digest_group_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE forks.digest ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME forks.digest_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE VIEW forks.digests AS …;
ALTER TABLE forks.digests OWNER TO millrace_owner;
ALTER TABLE forks.fork ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME forks.fork_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE VIEW forks.groups AS …;
ALTER TABLE forks.groups OWNER TO millrace_owner;
CREATE TABLE forks.push_intent (
    job_id bigint NOT NULL,
    before_sha text,
    after_sha text,
    intended_at timestamp with time zone NOT NULL,
    CONSTRAINT push_intent_has_both_commits_or_none CHECK ((num_nulls(before_sha, after_sha) <> 1))
);
ALTER TABLE forks.push_intent OWNER TO millrace_owner;
CREATE VIEW forks.registry AS …;
ALTER TABLE forks.registry OWNER TO millrace_owner;
CREATE TABLE forks.sync_result (
    job_id bigint NOT NULL,
    run_id bigint,
    fork_id integer NOT NULL,
    branch text NOT NULL,
    state text NOT NULL,
    before_sha text,
    after_sha text,
    detail text,
    at timestamp with time zone NOT NULL,
    ahead integer,
    behind integer,
    unmanaged integer,
    subjects text[],
    CONSTRAINT sync_result_state_check CHECK ((state = ANY (ARRAY['updated'::text, 'current'::text, 'conflict'::text, 'skipped'::text, 'failed'::text])))
);
ALTER TABLE forks.sync_result OWNER TO millrace_owner;
CREATE VIEW forks.results AS …;
ALTER TABLE forks.results OWNER TO millrace_owner;
ALTER TABLE forks.run ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME forks.run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE forks.run_item (
    run_id bigint NOT NULL,
    fork_id integer NOT NULL,
    branch text NOT NULL,
    job_id bigint NOT NULL
);
ALTER TABLE forks.run_item OWNER TO millrace_owner;
CREATE VIEW forks.runs AS …;
ALTER TABLE forks.runs OWNER TO millrace_owner;
CREATE TABLE forks.step_item (
    run_id bigint NOT NULL,
    step text NOT NULL,
    target text NOT NULL,
    branch text NOT NULL,
    item text NOT NULL,
    state text NOT NULL,
    detail text,
    at timestamp with time zone NOT NULL,
    CONSTRAINT step_item_state_check CHECK ((state = ANY (ARRAY['found'::text, 'rebased'::text, 'up to date'::text, 'conflict'::text, 'failed'::text])))
);
ALTER TABLE forks.step_item OWNER TO millrace_owner;
CREATE TABLE forks.token_pause (
    token text NOT NULL,
    until timestamp with time zone NOT NULL,
    places integer DEFAULT 16 NOT NULL,
    CONSTRAINT token_pause_places_check CHECK (((places >= 1) AND (places <= 1000)))
);
ALTER TABLE forks.token_pause OWNER TO millrace_owner;
CREATE VIEW forks.token_pauses AS …;
ALTER TABLE forks.token_pauses OWNER TO millrace_owner;
CREATE TABLE forks.token_use (
    token text NOT NULL,
    job_id bigint NOT NULL,
    fence bigint NOT NULL
);
ALTER TABLE forks.token_use OWNER TO millrace_owner;
CREATE TABLE millrace.attempt_failure (
    job_id bigint NOT NULL,
    fence bigint,
    failed_at timestamp with time zone NOT NULL,
    next_run_at timestamp with time zone,
    worker integer,
    attempt smallint NOT NULL,
    outcome text NOT NULL,
    error text NOT NULL,
    CONSTRAINT attempt_failure_outcome_check CHECK ((outcome = ANY (ARRAY['failed'::text, 'discarded'::text, 'reaped'::text])))
);
ALTER TABLE ONLY millrace.attempt_failure REPLICA IDENTITY FULL;
ALTER TABLE millrace.attempt_failure OWNER TO millrace_owner;
CREATE TABLE millrace.batch_count (
    batch_id bigint NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    completed bigint DEFAULT 0 NOT NULL,
    cancelled bigint DEFAULT 0 NOT NULL,
    discarded bigint DEFAULT 0 NOT NULL
);
ALTER TABLE millrace.batch_count OWNER TO millrace_owner;
ALTER TABLE millrace.batch ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME millrace.batch_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE millrace.batch_member (
    batch_id bigint NOT NULL,
    amount integer NOT NULL
);
ALTER TABLE ONLY millrace.batch_member REPLICA IDENTITY FULL;
ALTER TABLE millrace.batch_member OWNER TO millrace_owner;
CREATE VIEW millrace.batches AS …;
ALTER TABLE millrace.batches OWNER TO millrace_owner;
CREATE TABLE millrace.blocked (
    job_id bigint NOT NULL,
    stored_on date NOT NULL,
    queue_id integer NOT NULL,
    priority smallint NOT NULL,
    attempt smallint DEFAULT 0 NOT NULL,
    batch_id bigint,
    key text,
    CONSTRAINT blocked_check CHECK (((batch_id IS NOT NULL) OR (key IS NOT NULL)))
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='10000', autovacuum_vacuum_cost_delay='1');
ALTER TABLE millrace.blocked OWNER TO millrace_owner;
CREATE TABLE millrace.concurrency_key (
    queue_id integer NOT NULL,
    key text NOT NULL,
    version bigint NOT NULL,
    held integer NOT NULL,
    low_job bigint NOT NULL,
    spent_until timestamp with time zone,
    wake_at timestamp with time zone,
    CONSTRAINT concurrency_key_held_check CHECK ((held >= 0))
);
ALTER TABLE millrace.concurrency_key OWNER TO millrace_owner;
CREATE TABLE millrace.key_limit (
    queue_id integer NOT NULL,
    key text NOT NULL,
    max_held integer,
    rate text,
    burst integer,
    token_micros bigint,
    CONSTRAINT key_limit_burst_check CHECK ((burst > 0)),
    CONSTRAINT key_limit_check CHECK (((max_held IS NOT NULL) OR (rate IS NOT NULL))),
    CONSTRAINT key_limit_max_held_check CHECK ((max_held > 0)),
    CONSTRAINT key_limit_token_micros_check CHECK ((token_micros > 0))
);
ALTER TABLE millrace.key_limit OWNER TO millrace_owner;
CREATE VIEW millrace.blocked_keys AS …;
ALTER TABLE millrace.blocked_keys OWNER TO millrace_owner;
CREATE TABLE millrace.bucket (
    queue_id integer NOT NULL,
    version bigint NOT NULL,
    spent_until timestamp with time zone NOT NULL,
    wake_at timestamp with time zone
);
ALTER TABLE millrace.bucket OWNER TO millrace_owner;
CREATE TABLE millrace.cancel_request (
    job_id bigint NOT NULL,
    fence bigint NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    worker integer NOT NULL,
    requested_by text NOT NULL,
    reason text
);
ALTER TABLE millrace.cancel_request OWNER TO millrace_owner;
CREATE TABLE millrace.dead_letter (
    job_id bigint NOT NULL,
    fence bigint,
    discarded_at timestamp with time zone NOT NULL,
    stored_on date NOT NULL,
    queue_id integer NOT NULL,
    worker integer,
    priority smallint NOT NULL,
    attempt smallint NOT NULL,
    error text NOT NULL
);
ALTER TABLE millrace.dead_letter OWNER TO millrace_owner;
CREATE SEQUENCE millrace.job_id
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER TABLE millrace.job_id OWNER TO millrace_owner;
CREATE TABLE millrace.job (
    id bigint DEFAULT nextval('millrace.job_id'::regclass) NOT NULL,
    enqueued_at timestamp with time zone NOT NULL,
    stored_on date NOT NULL,
    queue_id integer NOT NULL,
    priority smallint NOT NULL,
    max_attempts smallint NOT NULL,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    timeout interval,
    traceparent text,
    concurrency_key text,
    unique_key text,
    unique_until text,
    batch_id bigint,
    retry_delays interval[],
    expires_at timestamp with time zone,
    CONSTRAINT job_unique_until_check CHECK ((unique_until = ANY (ARRAY['started'::text, 'finished'::text, 'time'::text])))
)
PARTITION BY RANGE (stored_on);
ALTER TABLE millrace.job OWNER TO millrace_owner;
CREATE TABLE millrace.worker (
    id integer NOT NULL,
    name text NOT NULL,
    host text,
    pid integer,
    version text,
    queues text[] NOT NULL,
    lease interval NOT NULL,
    started_at timestamp with time zone NOT NULL,
    heartbeat_at timestamp with time zone NOT NULL,
    lease_expires_at timestamp with time zone NOT NULL,
    draining boolean DEFAULT false NOT NULL,
    ended_at timestamp with time zone,
    end_reason text,
    cleared boolean DEFAULT false NOT NULL,
    kinds text[],
    CONSTRAINT worker_end_reason_check CHECK ((end_reason = ANY (ARRAY['closed'::text, 'lease expired'::text])))
)
WITH (fillfactor='50');
ALTER TABLE millrace.worker OWNER TO millrace_owner;
CREATE VIEW millrace.dead_letters AS …;
ALTER TABLE millrace.dead_letters OWNER TO millrace_owner;
CREATE TABLE millrace.finished (
    job_id bigint NOT NULL,
    fence bigint,
    claimed_at timestamp with time zone,
    finished_at timestamp with time zone NOT NULL,
    stored_on date NOT NULL,
    queue_id integer NOT NULL,
    worker integer,
    outcome millrace.outcome NOT NULL,
    attempt smallint NOT NULL,
    note text,
    result jsonb
)
PARTITION BY RANGE (stored_on);
ALTER TABLE ONLY millrace.finished REPLICA IDENTITY FULL;
ALTER TABLE millrace.finished OWNER TO millrace_owner;
CREATE TABLE millrace.follow_up (
    pos xid8 DEFAULT pg_current_xact_id() NOT NULL,
    job_id bigint NOT NULL,
    queue_id integer NOT NULL,
    amount integer DEFAULT 1 NOT NULL,
    what text NOT NULL,
    key text,
    batch_id bigint,
    CONSTRAINT follow_up_what_check CHECK ((what = ANY (ARRAY['arrived'::text, 'freed'::text, 'looked'::text, 'completed'::text, 'cancelled'::text, 'discarded'::text, 'replayed'::text])))
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='10000', autovacuum_vacuum_cost_delay='1');
ALTER TABLE ONLY millrace.follow_up REPLICA IDENTITY FULL;
ALTER TABLE millrace.follow_up OWNER TO millrace_owner;
CREATE TABLE millrace.function_set (
    singleton boolean DEFAULT true NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT function_set_singleton_check CHECK (singleton)
);
ALTER TABLE millrace.function_set OWNER TO millrace_owner;
CREATE TABLE millrace.history_mark (
    queue_id integer NOT NULL,
    version bigint NOT NULL,
    forgotten_before timestamp with time zone NOT NULL,
    what text NOT NULL,
    CONSTRAINT history_mark_what_check CHECK ((what = ANY (ARRAY['jobs'::text, 'payloads'::text])))
);
ALTER TABLE millrace.history_mark OWNER TO millrace_owner;
CREATE TABLE millrace.installation (
    singleton boolean DEFAULT true NOT NULL,
    system_identifier bigint NOT NULL,
    database_name text NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    drop_given_up_at timestamp with time zone,
    database_oid oid DEFAULT 0 NOT NULL,
    table_oid oid DEFAULT 0 NOT NULL,
    CONSTRAINT installation_singleton_check CHECK (singleton)
);
ALTER TABLE millrace.installation OWNER TO millrace_owner;
CREATE VIEW millrace.home AS …;
ALTER TABLE millrace.home OWNER TO millrace_owner;
CREATE VIEW millrace.horizon_holders AS …;
ALTER TABLE millrace.horizon_holders OWNER TO millrace_owner;
CREATE TABLE millrace.job_log (
    job_id bigint NOT NULL,
    line bigint NOT NULL,
    logged_at timestamp with time zone NOT NULL,
    attempt smallint NOT NULL,
    text text NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='10000', autovacuum_vacuum_cost_delay='1');
ALTER TABLE millrace.job_log OWNER TO millrace_owner;
CREATE VIEW millrace.job_lines AS …;
ALTER TABLE millrace.job_lines OWNER TO millrace_owner;
CREATE TABLE millrace.job_progress (
    job_id bigint NOT NULL,
    version bigint NOT NULL,
    reported_at timestamp with time zone NOT NULL,
    attempt smallint NOT NULL,
    percent smallint NOT NULL,
    message text,
    CONSTRAINT job_progress_percent_check CHECK (((percent >= 0) AND (percent <= 100)))
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='10000', autovacuum_vacuum_cost_delay='1');
ALTER TABLE millrace.job_progress OWNER TO millrace_owner;
CREATE TABLE millrace.scheduled (
    run_at timestamp with time zone NOT NULL,
    job_id bigint NOT NULL,
    stored_on date NOT NULL,
    queue_id integer NOT NULL,
    priority smallint NOT NULL,
    attempt smallint DEFAULT 0 NOT NULL,
    waits_for text NOT NULL,
    fence bigint,
    key text,
    CONSTRAINT scheduled_waits_for_check CHECK ((waits_for = ANY (ARRAY['run_at'::text, 'retry'::text, 'snooze'::text])))
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='10000', autovacuum_vacuum_cost_delay='1');
ALTER TABLE millrace.scheduled OWNER TO millrace_owner;
CREATE VIEW millrace.jobs AS …;
ALTER TABLE millrace.jobs OWNER TO millrace_owner;
CREATE TABLE millrace.key_due (
    due_at timestamp with time zone NOT NULL,
    queue_id integer NOT NULL,
    key text NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='10000', autovacuum_vacuum_cost_delay='1');
ALTER TABLE ONLY millrace.key_due REPLICA IDENTITY FULL;
ALTER TABLE millrace.key_due OWNER TO millrace_owner;
CREATE VIEW millrace.key_limits AS …;
ALTER TABLE millrace.key_limits OWNER TO millrace_owner;
ALTER TABLE millrace.kind ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME millrace.kind_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE millrace.kind_lane (
    queue_id integer NOT NULL,
    kind text NOT NULL,
    number smallint NOT NULL,
    CONSTRAINT kind_lane_number_check CHECK (((number >= 0) AND (number <= 3200)))
);
ALTER TABLE millrace.kind_lane OWNER TO millrace_owner;
CREATE VIEW millrace.kinds AS …;
ALTER TABLE millrace.kinds OWNER TO millrace_owner;
CREATE TABLE millrace.lane (
    queue_id integer NOT NULL,
    priority smallint NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    low xid8 DEFAULT '0'::xid8 NOT NULL,
    low_job bigint DEFAULT 0 NOT NULL,
    pending xid8[] DEFAULT '{}'::xid8[] NOT NULL,
    pending_job bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    CONSTRAINT lane_check CHECK ((cardinality(pending) = cardinality(pending_job))),
    CONSTRAINT lane_priority_check CHECK ((((priority >= 0) AND (priority <= 20)) OR (priority >= 100)))
);
ALTER TABLE millrace.lane OWNER TO millrace_owner;
CREATE VIEW millrace.workers AS …;
ALTER TABLE millrace.workers OWNER TO millrace_owner;
CREATE VIEW millrace.kinds_aside AS …;
ALTER TABLE millrace.kinds_aside OWNER TO millrace_owner;
CREATE TABLE millrace.low_water (
    version bigint DEFAULT 0 NOT NULL,
    seen xid8[] DEFAULT '{}'::xid8[] NOT NULL,
    delta_low xid8 DEFAULT '0'::xid8 NOT NULL,
    delta_pending xid8[] DEFAULT '{}'::xid8[] NOT NULL
);
ALTER TABLE millrace.low_water OWNER TO millrace_owner;
CREATE TABLE millrace.migration (
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    applied_by text DEFAULT SESSION_USER NOT NULL,
    CONSTRAINT migration_number_check CHECK ((number > 0))
);
ALTER TABLE millrace.migration OWNER TO millrace_owner;
COMMENT ON TABLE millrace.migration IS 'which migrations this schema has seen';
CREATE VIEW millrace.open_worker AS …;
ALTER TABLE millrace.open_worker OWNER TO millrace_owner;
CREATE TABLE millrace.operator_action (
    at timestamp with time zone NOT NULL,
    who text NOT NULL,
    action text NOT NULL,
    detail jsonb NOT NULL,
    affected bigint NOT NULL
);
ALTER TABLE ONLY millrace.operator_action REPLICA IDENTITY FULL;
ALTER TABLE millrace.operator_action OWNER TO millrace_owner;
CREATE VIEW millrace.operator_actions AS …;
ALTER TABLE millrace.operator_actions OWNER TO millrace_owner;
CREATE TABLE millrace.queue_count (
    queue_id integer NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    available bigint DEFAULT 0 NOT NULL,
    scheduled bigint DEFAULT 0 NOT NULL,
    running bigint DEFAULT 0 NOT NULL,
    dead bigint DEFAULT 0 NOT NULL,
    enqueued bigint DEFAULT 0 NOT NULL,
    completed bigint DEFAULT 0 NOT NULL,
    cancelled bigint DEFAULT 0 NOT NULL,
    failed bigint DEFAULT 0 NOT NULL,
    blocked bigint DEFAULT 0 NOT NULL
);
ALTER TABLE millrace.queue_count OWNER TO millrace_owner;
CREATE TABLE millrace.queue_delta (
    pos xid8 DEFAULT pg_current_xact_id() NOT NULL,
    queue_id integer NOT NULL,
    available integer DEFAULT 0 NOT NULL,
    scheduled integer DEFAULT 0 NOT NULL,
    running integer DEFAULT 0 NOT NULL,
    dead integer DEFAULT 0 NOT NULL,
    enqueued integer DEFAULT 0 NOT NULL,
    completed integer DEFAULT 0 NOT NULL,
    cancelled integer DEFAULT 0 NOT NULL,
    failed integer DEFAULT 0 NOT NULL,
    blocked integer DEFAULT 0 NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='10000', autovacuum_vacuum_cost_delay='1');
ALTER TABLE ONLY millrace.queue_delta REPLICA IDENTITY FULL;
ALTER TABLE millrace.queue_delta OWNER TO millrace_owner;
ALTER TABLE millrace.queue ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME millrace.queue_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE millrace.queue_signal (
    queue_id integer NOT NULL,
    raised boolean DEFAULT false NOT NULL
)
WITH (fillfactor='10');
ALTER TABLE millrace.queue_signal OWNER TO millrace_owner;
CREATE VIEW millrace.queues AS …;
ALTER TABLE millrace.queues OWNER TO millrace_owner;
CREATE VIEW millrace.running_jobs AS …;
ALTER TABLE millrace.running_jobs OWNER TO millrace_owner;
ALTER TABLE millrace.schedule ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME millrace.schedule_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE millrace.schedule_run (
    schedule_id integer NOT NULL,
    due_at timestamp with time zone NOT NULL,
    fired_at timestamp with time zone NOT NULL,
    job_id bigint,
    times integer NOT NULL,
    how text NOT NULL,
    CONSTRAINT schedule_run_check CHECK (((job_id IS NULL) = (how = 'skipped'::text))),
    CONSTRAINT schedule_run_how_check CHECK ((how = ANY (ARRAY['on time'::text, 'caught up'::text, 'by hand'::text, 'skipped'::text])))
);
ALTER TABLE ONLY millrace.schedule_run REPLICA IDENTITY FULL;
ALTER TABLE millrace.schedule_run OWNER TO millrace_owner;
CREATE VIEW millrace.schedule_runs AS …;
ALTER TABLE millrace.schedule_runs OWNER TO millrace_owner;
CREATE VIEW millrace.schedules AS …;
ALTER TABLE millrace.schedules OWNER TO millrace_owner;
CREATE TABLE millrace.settle_receipt (
    job_id bigint NOT NULL,
    fence bigint NOT NULL,
    settled_at timestamp with time zone NOT NULL,
    outcome text NOT NULL,
    CONSTRAINT settle_receipt_outcome_check CHECK ((outcome = ANY (ARRAY['snoozed'::text, 'released'::text])))
);
ALTER TABLE ONLY millrace.settle_receipt REPLICA IDENTITY FULL;
ALTER TABLE millrace.settle_receipt OWNER TO millrace_owner;
CREATE VIEW millrace.storage AS …;
ALTER TABLE millrace.storage OWNER TO millrace_owner;
CREATE VIEW millrace.stuck_jobs AS …;
ALTER TABLE millrace.stuck_jobs OWNER TO millrace_owner;
CREATE TABLE millrace.unique_job (
    queue_id integer NOT NULL,
    unique_key text NOT NULL,
    job_id bigint NOT NULL,
    expires_at timestamp with time zone
);
ALTER TABLE millrace.unique_job OWNER TO millrace_owner;
ALTER TABLE millrace.worker ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME millrace.worker_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE notify.bounce (
    address text NOT NULL,
    bounced_at timestamp with time zone NOT NULL,
    reason text NOT NULL
);
ALTER TABLE ONLY notify.bounce REPLICA IDENTITY FULL;
ALTER TABLE notify.bounce OWNER TO millrace_owner;
CREATE TABLE notify.category (
    name text NOT NULL,
    sender text
);
ALTER TABLE notify.category OWNER TO millrace_owner;
CREATE SEQUENCE notify.digest_id
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER TABLE notify.digest_id OWNER TO millrace_owner;
ALTER SEQUENCE notify.digest_id OWNED BY notify.digest.id;
CREATE TABLE notify.digest_member (
    digest_id bigint NOT NULL,
    email_id bigint NOT NULL
);
ALTER TABLE notify.digest_member OWNER TO millrace_owner;
ALTER TABLE notify.email ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME notify.email_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE notify.event ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME notify.event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE notify.house (
    singleton boolean DEFAULT true NOT NULL,
    digest_queue text DEFAULT 'email'::text NOT NULL,
    retention interval DEFAULT '90 days'::interval NOT NULL,
    looked_at bigint DEFAULT 0 NOT NULL,
    kept_up_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    pending_from bigint DEFAULT 0 NOT NULL,
    CONSTRAINT house_singleton_check CHECK (singleton)
);
ALTER TABLE notify.house OWNER TO millrace_owner;
CREATE TABLE notify.queue_owner (
    queue text NOT NULL,
    username text NOT NULL,
    told_before timestamp with time zone NOT NULL,
    told_at timestamp with time zone
);
ALTER TABLE notify.queue_owner OWNER TO millrace_owner;
CREATE TABLE notify.suppression (
    address text NOT NULL,
    reason text NOT NULL,
    suppressed_at timestamp with time zone NOT NULL
);
ALTER TABLE notify.suppression OWNER TO millrace_owner;
CREATE VIEW notify.suppressions AS …;
ALTER TABLE notify.suppressions OWNER TO millrace_owner;
CREATE TABLE notify.user_preference (
    username text NOT NULL,
    event_type text NOT NULL,
    enabled boolean NOT NULL
);
ALTER TABLE notify.user_preference OWNER TO millrace_owner;
CREATE TABLE pipeline.command_run (
    queue text NOT NULL,
    id text NOT NULL,
    request bigint NOT NULL,
    project text NOT NULL,
    base_uri text,
    head_uri text NOT NULL,
    argv text[] NOT NULL,
    time_limit interval NOT NULL,
    job bigint,
    status text DEFAULT 'accepted'::text NOT NULL,
    reason text,
    exit_code integer,
    log_tail text,
    created_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    attempt integer DEFAULT 0 NOT NULL,
    memory_limit bigint,
    output_limit bigint DEFAULT 67108864 NOT NULL,
    disk_limit bigint,
    target_graph jsonb,
    is_log_gone boolean DEFAULT false NOT NULL,
    CONSTRAINT command_run_status_check CHECK ((status = ANY (ARRAY['accepted'::text, 'running'::text, 'succeeded'::text, 'failed'::text, 'cancelled'::text])))
);
ALTER TABLE pipeline.command_run OWNER TO millrace_owner;
CREATE VIEW pipeline.builds AS …;
ALTER TABLE pipeline.builds OWNER TO millrace_owner;
CREATE TABLE pipeline.command_log (
    queue text NOT NULL,
    id text NOT NULL,
    attempt integer NOT NULL,
    start_byte bigint NOT NULL,
    text text NOT NULL,
    at timestamp with time zone NOT NULL
);
ALTER TABLE pipeline.command_log OWNER TO millrace_owner;
CREATE TABLE pipeline.superseded_fact (
    queue text NOT NULL,
    uri text NOT NULL,
    project text NOT NULL,
    attempt integer NOT NULL,
    degree numeric(6,5) NOT NULL,
    is_flaky boolean NOT NULL,
    request bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    superseded_at timestamp with time zone NOT NULL,
    superseded_by name NOT NULL,
    reason text NOT NULL
);
ALTER TABLE pipeline.superseded_fact OWNER TO millrace_owner;
CREATE TABLE pipeline.validation_fact (
    queue text NOT NULL,
    uri text NOT NULL,
    project text DEFAULT ''::text NOT NULL,
    degree numeric(6,5) NOT NULL,
    request bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    is_flaky boolean DEFAULT false NOT NULL,
    CONSTRAINT validation_fact_degree_check CHECK (((degree >= (0)::numeric) AND (degree <= (1)::numeric)))
);
ALTER TABLE pipeline.validation_fact OWNER TO millrace_owner;
CREATE VIEW pipeline.history AS …;
ALTER TABLE pipeline.history OWNER TO millrace_owner;
CREATE TABLE pipeline.look (
    queue text NOT NULL,
    at timestamp with time zone
);
ALTER TABLE pipeline.look OWNER TO millrace_owner;
CREATE TABLE pipeline.project (
    queue text NOT NULL,
    name text NOT NULL,
    "position" integer NOT NULL,
    rules jsonb NOT NULL
);
ALTER TABLE pipeline.project OWNER TO millrace_owner;
CREATE VIEW pipeline.queues AS …;
ALTER TABLE pipeline.queues OWNER TO millrace_owner;
CREATE TABLE pipeline.request_project (
    queue text NOT NULL,
    request bigint NOT NULL,
    project text NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    targets integer NOT NULL,
    broken integer NOT NULL,
    CONSTRAINT request_project_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'recorded'::text, 'cancelled'::text, 'failed'::text])))
);
ALTER TABLE pipeline.request_project OWNER TO millrace_owner;
CREATE VIEW pipeline.request_projects AS …;
ALTER TABLE pipeline.request_projects OWNER TO millrace_owner;
CREATE TABLE pipeline.request_uri (
    queue text NOT NULL,
    uri text NOT NULL,
    request bigint NOT NULL
);
ALTER TABLE pipeline.request_uri OWNER TO millrace_owner;
CREATE VIEW pipeline.requests AS …;
ALTER TABLE pipeline.requests OWNER TO millrace_owner;
CREATE TABLE pipeline.sink (
    queue text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    settings jsonb NOT NULL,
    tells text NOT NULL,
    CONSTRAINT sink_kind_check CHECK ((kind = ANY (ARRAY['webhook'::text, 'email'::text, 'notify'::text]))),
    CONSTRAINT sink_tells_check CHECK ((tells = ANY (ARRAY['everything'::text, 'changes'::text])))
);
ALTER TABLE pipeline.sink OWNER TO millrace_owner;
ALTER TABLE ONLY forks.digest_group
    ADD CONSTRAINT digest_group_name_key UNIQUE (name);
ALTER TABLE ONLY forks.digest_group
    ADD CONSTRAINT digest_group_pkey PRIMARY KEY (id);
ALTER TABLE ONLY forks.digest
    ADD CONSTRAINT digest_job_id_key UNIQUE (job_id);
ALTER TABLE ONLY forks.digest
    ADD CONSTRAINT digest_pkey PRIMARY KEY (id);
ALTER TABLE ONLY forks.fork
    ADD CONSTRAINT fork_pkey PRIMARY KEY (id);
ALTER TABLE ONLY forks.fork
    ADD CONSTRAINT fork_repo_key UNIQUE (repo);
ALTER TABLE ONLY forks.push_intent
    ADD CONSTRAINT push_intent_pkey PRIMARY KEY (job_id);
ALTER TABLE ONLY forks.run_item
    ADD CONSTRAINT run_item_pkey PRIMARY KEY (run_id, fork_id, branch);
ALTER TABLE ONLY forks.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (id);
ALTER TABLE ONLY forks.run_step
    ADD CONSTRAINT run_step_pkey PRIMARY KEY (run_id, step, target, branch);
ALTER TABLE ONLY forks.step_item
    ADD CONSTRAINT step_item_pkey PRIMARY KEY (run_id, step, target, branch, item);
ALTER TABLE ONLY forks.sync_result
    ADD CONSTRAINT sync_result_pkey PRIMARY KEY (job_id);
ALTER TABLE ONLY forks.token_pause
    ADD CONSTRAINT token_pause_pkey PRIMARY KEY (token);
ALTER TABLE ONLY forks.token_use
    ADD CONSTRAINT token_use_pkey PRIMARY KEY (token, job_id);
ALTER TABLE ONLY millrace.batch_count
    ADD CONSTRAINT batch_count_pkey PRIMARY KEY (batch_id, version);
ALTER TABLE ONLY millrace.batch
    ADD CONSTRAINT batch_pkey PRIMARY KEY (id);
ALTER TABLE ONLY millrace.blocked
    ADD CONSTRAINT blocked_pkey PRIMARY KEY (job_id);
ALTER TABLE ONLY millrace.bucket
    ADD CONSTRAINT bucket_pkey PRIMARY KEY (queue_id, version);
ALTER TABLE ONLY millrace.cancel_request
    ADD CONSTRAINT cancel_request_pkey PRIMARY KEY (job_id, fence);
ALTER TABLE ONLY millrace.concurrency_key
    ADD CONSTRAINT concurrency_key_pkey PRIMARY KEY (queue_id, key, version);
ALTER TABLE ONLY millrace.dead_letter
    ADD CONSTRAINT dead_letter_pkey PRIMARY KEY (job_id);
ALTER TABLE ONLY millrace.function_set
    ADD CONSTRAINT function_set_pkey PRIMARY KEY (singleton);
ALTER TABLE ONLY millrace.history_mark
    ADD CONSTRAINT history_mark_pkey PRIMARY KEY (queue_id, what, version);
ALTER TABLE ONLY millrace.installation
    ADD CONSTRAINT installation_pkey PRIMARY KEY (singleton);
ALTER TABLE ONLY millrace.job_log
    ADD CONSTRAINT job_log_pkey PRIMARY KEY (job_id, line);
ALTER TABLE ONLY millrace.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (id, stored_on);
ALTER TABLE ONLY millrace.job_progress
    ADD CONSTRAINT job_progress_pkey PRIMARY KEY (job_id, version);
ALTER TABLE ONLY millrace.key_limit
    ADD CONSTRAINT key_limit_pkey PRIMARY KEY (queue_id, key);
ALTER TABLE ONLY millrace.kind_lane
    ADD CONSTRAINT kind_lane_pkey PRIMARY KEY (queue_id, kind);
ALTER TABLE ONLY millrace.kind_lane
    ADD CONSTRAINT kind_lane_queue_id_number_key UNIQUE (queue_id, number);
ALTER TABLE ONLY millrace.kind
    ADD CONSTRAINT kind_name_key UNIQUE (name);
ALTER TABLE ONLY millrace.kind
    ADD CONSTRAINT kind_pkey PRIMARY KEY (id);
ALTER TABLE ONLY millrace.lane
    ADD CONSTRAINT lane_pkey PRIMARY KEY (queue_id, priority, version);
ALTER TABLE ONLY millrace.low_water
    ADD CONSTRAINT low_water_pkey PRIMARY KEY (version);
ALTER TABLE ONLY millrace.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (number);
ALTER TABLE ONLY millrace.queue_count
    ADD CONSTRAINT queue_count_pkey PRIMARY KEY (queue_id, version);
ALTER TABLE ONLY millrace.queue
    ADD CONSTRAINT queue_name_key UNIQUE (name);
ALTER TABLE ONLY millrace.queue
    ADD CONSTRAINT queue_pkey PRIMARY KEY (id);
ALTER TABLE ONLY millrace.queue_signal
    ADD CONSTRAINT queue_signal_pkey PRIMARY KEY (queue_id);
ALTER TABLE ONLY millrace.ready
    ADD CONSTRAINT ready_pkey PRIMARY KEY (queue_id, priority, pos, job_id);
ALTER TABLE ONLY millrace.running
    ADD CONSTRAINT running_pkey PRIMARY KEY (job_id);
ALTER TABLE ONLY millrace.schedule_due
    ADD CONSTRAINT schedule_due_pkey PRIMARY KEY (schedule_id, version);
ALTER TABLE ONLY millrace.schedule
    ADD CONSTRAINT schedule_name_key UNIQUE (name);
ALTER TABLE ONLY millrace.schedule
    ADD CONSTRAINT schedule_pkey PRIMARY KEY (id);
ALTER TABLE ONLY millrace.scheduled
    ADD CONSTRAINT scheduled_pkey PRIMARY KEY (job_id);
ALTER TABLE ONLY millrace.unique_job
    ADD CONSTRAINT unique_job_pkey PRIMARY KEY (queue_id, unique_key);
ALTER TABLE ONLY millrace.worker
    ADD CONSTRAINT worker_pkey PRIMARY KEY (id);
ALTER TABLE ONLY notify.category
    ADD CONSTRAINT category_pkey PRIMARY KEY (name);
ALTER TABLE ONLY notify.collected
    ADD CONSTRAINT collected_pkey PRIMARY KEY (username, email_id);
ALTER TABLE ONLY notify.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (email_id);
ALTER TABLE ONLY notify.digest_member
    ADD CONSTRAINT digest_member_email_id_key UNIQUE (email_id);
ALTER TABLE ONLY notify.digest_member
    ADD CONSTRAINT digest_member_pkey PRIMARY KEY (digest_id, email_id);
ALTER TABLE ONLY notify.digest
    ADD CONSTRAINT digest_pkey PRIMARY KEY (id);
ALTER TABLE ONLY notify.email
    ADD CONSTRAINT email_pkey PRIMARY KEY (id);
ALTER TABLE ONLY notify.event
    ADD CONSTRAINT event_dedup UNIQUE (event_type, dedup_key);
ALTER TABLE ONLY notify.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (id);
ALTER TABLE ONLY notify.event_type
    ADD CONSTRAINT event_type_pkey PRIMARY KEY (code);
ALTER TABLE ONLY notify.house
    ADD CONSTRAINT house_pkey PRIMARY KEY (singleton);
ALTER TABLE ONLY notify.pending
    ADD CONSTRAINT pending_pkey PRIMARY KEY (email_id);
ALTER TABLE ONLY notify.queue_owner
    ADD CONSTRAINT queue_owner_pkey PRIMARY KEY (queue);
ALTER TABLE ONLY notify.suppression
    ADD CONSTRAINT suppression_pkey PRIMARY KEY (address);
ALTER TABLE ONLY notify.template
    ADD CONSTRAINT template_pkey PRIMARY KEY (event_type, locale);
ALTER TABLE ONLY notify.user_preference
    ADD CONSTRAINT user_preference_pkey PRIMARY KEY (username, event_type);
ALTER TABLE ONLY notify.user_settings
    ADD CONSTRAINT user_settings_pkey PRIMARY KEY (username);
ALTER TABLE ONLY pipeline.bisect
    ADD CONSTRAINT bisect_pkey PRIMARY KEY (queue, request);
ALTER TABLE ONLY pipeline.build
    ADD CONSTRAINT build_pkey PRIMARY KEY (queue, id);
ALTER TABLE ONLY pipeline.command_log
    ADD CONSTRAINT command_log_pkey PRIMARY KEY (queue, id, attempt, start_byte);
ALTER TABLE ONLY pipeline.command_run
    ADD CONSTRAINT command_run_pkey PRIMARY KEY (queue, id);
ALTER TABLE ONLY pipeline.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (queue, id);
ALTER TABLE ONLY pipeline.look
    ADD CONSTRAINT look_pkey PRIMARY KEY (queue);
ALTER TABLE ONLY pipeline.project
    ADD CONSTRAINT project_pkey PRIMARY KEY (queue, name);
ALTER TABLE ONLY pipeline.queue
    ADD CONSTRAINT queue_pkey PRIMARY KEY (name);
ALTER TABLE ONLY pipeline.request
    ADD CONSTRAINT request_pkey PRIMARY KEY (queue, number);
ALTER TABLE ONLY pipeline.request_project
    ADD CONSTRAINT request_project_pkey PRIMARY KEY (queue, request, project);
ALTER TABLE ONLY pipeline.request_uri
    ADD CONSTRAINT request_uri_pkey PRIMARY KEY (queue, uri);
ALTER TABLE ONLY pipeline.sink
    ADD CONSTRAINT sink_pkey PRIMARY KEY (queue, name);
ALTER TABLE ONLY pipeline.superseded_fact
    ADD CONSTRAINT superseded_fact_pkey PRIMARY KEY (queue, uri, project, attempt);
ALTER TABLE ONLY pipeline.validation_fact
    ADD CONSTRAINT validation_fact_pkey PRIMARY KEY (queue, uri, project);
CREATE INDEX digest_run ON forks.digest USING btree (run_id);
CREATE INDEX fork_digest_group ON forks.fork USING btree (digest_group);
CREATE UNIQUE INDEX run_active ON forks.run USING btree (digest_group) WHERE (finished_at IS NULL);
CREATE UNIQUE INDEX run_step_job ON forks.run_step USING btree (job_id) WHERE (job_id <> 0);
CREATE INDEX run_succeeded_by ON forks.run USING btree (succeeded_by) WHERE (succeeded_by IS NOT NULL);
CREATE INDEX sync_result_fork ON forks.sync_result USING btree (fork_id, branch, at);
CREATE UNIQUE INDEX sync_result_run ON forks.sync_result USING btree (run_id, fork_id, branch) WHERE (run_id IS NOT NULL);
CREATE INDEX attempt_failure_at ON millrace.attempt_failure USING brin (failed_at);
CREATE INDEX attempt_failure_job ON millrace.attempt_failure USING btree (job_id);
CREATE INDEX batch_finished_at ON millrace.batch USING btree (finished_at) WHERE (finished_at IS NOT NULL);
CREATE INDEX batch_member_batch ON millrace.batch_member USING btree (batch_id);
CREATE INDEX blocked_batch ON millrace.blocked USING btree (batch_id, job_id) WHERE (batch_id IS NOT NULL);
CREATE INDEX blocked_key ON millrace.blocked USING btree (queue_id, key, job_id) WHERE (batch_id IS NULL);
CREATE INDEX cancel_request_worker ON millrace.cancel_request USING btree (worker);
CREATE INDEX concurrency_key_idle ON millrace.concurrency_key USING btree (version) WHERE (held = 0);
CREATE INDEX dead_letter_at ON millrace.dead_letter USING btree (discarded_at);
CREATE INDEX dead_letter_queue ON millrace.dead_letter USING btree (queue_id, discarded_at);
CREATE INDEX finished_at ON ONLY millrace.finished USING brin (finished_at) WITH (pages_per_range='32', autosummarize='on');
CREATE INDEX finished_job ON ONLY millrace.finished USING brin (job_id) WITH (pages_per_range='32', autosummarize='on');
CREATE INDEX follow_up_pos ON millrace.follow_up USING btree (queue_id, pos, job_id);
CREATE INDEX job_log_at ON millrace.job_log USING brin (logged_at);
CREATE INDEX job_progress_at ON millrace.job_progress USING brin (reported_at);
CREATE INDEX key_due_at ON millrace.key_due USING btree (due_at);
CREATE INDEX operator_action_at ON millrace.operator_action USING btree (at);
CREATE INDEX queue_delta_pos ON millrace.queue_delta USING btree (pos);
CREATE INDEX ready_job ON millrace.ready USING brin (job_id) WITH (pages_per_range='32', autosummarize='on');
CREATE INDEX running_deadline ON millrace.running USING btree (deadline) WHERE (deadline IS NOT NULL);
CREATE INDEX schedule_run_at ON millrace.schedule_run USING brin (fired_at);
CREATE INDEX schedule_run_schedule ON millrace.schedule_run USING btree (schedule_id, fired_at);
CREATE INDEX scheduled_run_at ON millrace.scheduled USING btree (run_at, job_id);
CREATE INDEX settle_receipt_at ON millrace.settle_receipt USING brin (settled_at);
CREATE INDEX settle_receipt_job ON millrace.settle_receipt USING btree (job_id);
CREATE INDEX unique_job_expires_at ON millrace.unique_job USING btree (expires_at) WHERE (expires_at IS NOT NULL);
CREATE INDEX worker_open ON millrace.worker USING btree (id) WHERE (NOT cleared);
CREATE INDEX bounce_address ON notify.bounce USING btree (address, bounced_at);
CREATE UNIQUE INDEX collected_email ON notify.collected USING btree (email_id);
CREATE INDEX delivery_failed ON notify.delivery USING btree (job_id) WHERE (outcome = 'failed'::text);
CREATE INDEX delivery_otherwise ON notify.delivery USING btree (outcome, email_id) WHERE (outcome <> 'sent'::text);
CREATE UNIQUE INDEX digest_job ON notify.digest USING btree (job_id);
CREATE INDEX digest_username ON notify.digest USING btree (username);
CREATE INDEX email_at ON notify.email USING btree (emitted_at, id);
CREATE INDEX email_event ON notify.email USING btree (event_id);
CREATE INDEX email_skipped ON notify.email USING btree (id) WHERE (skipped IS NOT NULL);
CREATE INDEX email_type ON notify.email USING btree (event_type, id);
CREATE INDEX email_username ON notify.email USING btree (username, id);
CREATE INDEX event_actor ON notify.event USING btree (actor) WHERE (actor IS NOT NULL);
CREATE INDEX event_at ON notify.event USING btree (emitted_at);
CREATE INDEX pending_job ON notify.pending USING btree (job_id);
CREATE INDEX user_settings_email ON notify.user_settings USING btree (lower(email));
CREATE UNIQUE INDEX build_of_request ON pipeline.build USING btree (queue, request, project, run);
CREATE INDEX command_run_logged ON pipeline.command_run USING btree (queue, finished_at) WHERE (NOT is_log_gone);
CREATE UNIQUE INDEX event_id ON pipeline.event USING btree (id);
CREATE INDEX request_unfinished ON pipeline.request USING btree (queue, state, number) WHERE (state = ANY (ARRAY['accepted'::text, 'processing'::text]));
CREATE INDEX validation_fact_newest ON pipeline.validation_fact USING btree (queue, project, request);
CREATE OR REPLACE VIEW millrace.kinds AS
 SELECT n.name AS kind,
    k.max_attempts,
    k.timeout,
    k.retry_base,
    k.retry_cap,
    k.retry_delays,
    k.paused_at,
    count(w.id) AS live_workers
   FROM ((( SELECT k_1.name
           FROM millrace.kind k_1
        UNION
         SELECT unnest(w_1.kinds) AS unnest
           FROM (millrace.worker w_1
             JOIN millrace.workers s ON ((s.id = w_1.id)))
          WHERE (s.state = 'alive'::text)) n
     LEFT JOIN millrace.kind k ON ((k.name = n.name)))
     LEFT JOIN ( SELECT w_1.id,
            w_1.kinds
           FROM (millrace.worker w_1
             JOIN millrace.workers s ON ((s.id = w_1.id)))
          WHERE (s.state = 'alive'::text)) w ON (((w.kinds IS NULL) OR (n.name = ANY (w.kinds)))))
  GROUP BY n.name, k.id;
CREATE TRIGGER pipeline_fails_closed AFTER INSERT ON millrace.dead_letter FOR EACH ROW EXECUTE FUNCTION pipeline.fail_closed('dead letter');
CREATE TRIGGER pipeline_fails_closed AFTER INSERT ON millrace.finished FOR EACH ROW WHEN (((new.outcome = 'cancelled'::millrace.outcome) AND ((new.claimed_at IS NOT NULL) OR (new.worker IS NULL)))) EXECUTE FUNCTION pipeline.fail_closed('cancelled');
ALTER TABLE ONLY forks.digest
    ADD CONSTRAINT digest_run_id_fkey FOREIGN KEY (run_id) REFERENCES forks.run(id);
ALTER TABLE ONLY forks.fork
    ADD CONSTRAINT fork_digest_group_fkey FOREIGN KEY (digest_group) REFERENCES forks.digest_group(name);
ALTER TABLE ONLY forks.run
    ADD CONSTRAINT run_digest_group_fkey FOREIGN KEY (digest_group) REFERENCES forks.digest_group(name);
ALTER TABLE ONLY forks.run_item
    ADD CONSTRAINT run_item_fork_id_fkey FOREIGN KEY (fork_id) REFERENCES forks.fork(id);
ALTER TABLE ONLY forks.run_item
    ADD CONSTRAINT run_item_run_id_fkey FOREIGN KEY (run_id) REFERENCES forks.run(id);
ALTER TABLE ONLY forks.run_step
    ADD CONSTRAINT run_step_fork_id_fkey FOREIGN KEY (fork_id) REFERENCES forks.fork(id);
ALTER TABLE ONLY forks.run_step
    ADD CONSTRAINT run_step_run_id_fkey FOREIGN KEY (run_id) REFERENCES forks.run(id);
ALTER TABLE ONLY forks.run
    ADD CONSTRAINT run_succeeded_by_fkey FOREIGN KEY (succeeded_by) REFERENCES forks.run(id);
ALTER TABLE ONLY forks.step_item
    ADD CONSTRAINT step_item_run_id_step_target_branch_fkey FOREIGN KEY (run_id, step, target, branch) REFERENCES forks.run_step(run_id, step, target, branch);
ALTER TABLE ONLY forks.sync_result
    ADD CONSTRAINT sync_result_fork_id_fkey FOREIGN KEY (fork_id) REFERENCES forks.fork(id);
ALTER TABLE ONLY forks.sync_result
    ADD CONSTRAINT sync_result_run_id_fkey FOREIGN KEY (run_id) REFERENCES forks.run(id);
ALTER TABLE ONLY forks.token_use
    ADD CONSTRAINT token_use_token_fkey FOREIGN KEY (token) REFERENCES forks.token_pause(token);
ALTER TABLE ONLY millrace.batch
    ADD CONSTRAINT batch_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES millrace.queue(id) ON DELETE CASCADE;
ALTER TABLE ONLY millrace.key_limit
    ADD CONSTRAINT key_limit_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES millrace.queue(id) ON DELETE CASCADE;
ALTER TABLE ONLY millrace.kind_lane
    ADD CONSTRAINT kind_lane_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES millrace.queue(id) ON DELETE CASCADE;
ALTER TABLE ONLY millrace.lane
    ADD CONSTRAINT lane_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES millrace.queue(id) ON DELETE CASCADE;
ALTER TABLE ONLY millrace.queue_count
    ADD CONSTRAINT queue_count_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES millrace.queue(id) ON DELETE CASCADE;
ALTER TABLE ONLY millrace.queue_signal
    ADD CONSTRAINT queue_signal_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES millrace.queue(id) ON DELETE CASCADE;
ALTER TABLE ONLY millrace.schedule
    ADD CONSTRAINT schedule_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES millrace.queue(id);
ALTER TABLE ONLY notify.event_type
    ADD CONSTRAINT event_type_category_fkey FOREIGN KEY (category) REFERENCES notify.category(name);
ALTER TABLE ONLY notify.template
    ADD CONSTRAINT template_event_type_fkey FOREIGN KEY (event_type) REFERENCES notify.event_type(code) ON DELETE CASCADE;
ALTER TABLE ONLY notify.user_preference
    ADD CONSTRAINT user_preference_event_type_fkey FOREIGN KEY (event_type) REFERENCES notify.event_type(code) ON DELETE CASCADE;
ALTER TABLE ONLY pipeline.bisect
    ADD CONSTRAINT bisect_queue_request_fkey FOREIGN KEY (queue, request) REFERENCES pipeline.request(queue, number);
ALTER TABLE ONLY pipeline.build
    ADD CONSTRAINT build_queue_request_fkey FOREIGN KEY (queue, request) REFERENCES pipeline.request(queue, number);
ALTER TABLE ONLY pipeline.command_log
    ADD CONSTRAINT command_log_queue_id_fkey FOREIGN KEY (queue, id) REFERENCES pipeline.command_run(queue, id);
ALTER TABLE ONLY pipeline.command_run
    ADD CONSTRAINT command_run_queue_fkey FOREIGN KEY (queue) REFERENCES pipeline.queue(name);
ALTER TABLE ONLY pipeline.event
    ADD CONSTRAINT event_queue_fkey FOREIGN KEY (queue) REFERENCES pipeline.queue(name);
ALTER TABLE ONLY pipeline.look
    ADD CONSTRAINT look_queue_fkey FOREIGN KEY (queue) REFERENCES pipeline.queue(name);
ALTER TABLE ONLY pipeline.project
    ADD CONSTRAINT project_queue_fkey FOREIGN KEY (queue) REFERENCES pipeline.queue(name);
ALTER TABLE ONLY pipeline.request_project
    ADD CONSTRAINT request_project_queue_request_fkey FOREIGN KEY (queue, request) REFERENCES pipeline.request(queue, number);
ALTER TABLE ONLY pipeline.request
    ADD CONSTRAINT request_queue_fkey FOREIGN KEY (queue) REFERENCES pipeline.queue(name);
ALTER TABLE ONLY pipeline.request_uri
    ADD CONSTRAINT request_uri_queue_request_fkey FOREIGN KEY (queue, request) REFERENCES pipeline.request(queue, number);
ALTER TABLE ONLY pipeline.sink
    ADD CONSTRAINT sink_queue_fkey FOREIGN KEY (queue) REFERENCES pipeline.queue(name);
ALTER TABLE ONLY pipeline.superseded_fact
    ADD CONSTRAINT superseded_fact_queue_request_fkey FOREIGN KEY (queue, request) REFERENCES pipeline.request(queue, number);
ALTER TABLE ONLY pipeline.validation_fact
    ADD CONSTRAINT validation_fact_queue_request_fkey FOREIGN KEY (queue, request) REFERENCES pipeline.request(queue, number);
GRANT USAGE ON SCHEMA forks TO millrace_worker;
GRANT USAGE ON SCHEMA forks TO millrace_operator;
GRANT USAGE ON SCHEMA forks TO millrace_viewer;
GRANT USAGE ON SCHEMA millrace TO millrace_enqueuer;
GRANT USAGE ON SCHEMA millrace TO millrace_worker;
GRANT USAGE ON SCHEMA millrace TO millrace_operator;
GRANT USAGE ON SCHEMA millrace TO millrace_viewer;
GRANT USAGE ON SCHEMA notify TO millrace_enqueuer;
GRANT USAGE ON SCHEMA notify TO millrace_worker;
GRANT USAGE ON SCHEMA notify TO millrace_operator;
GRANT USAGE ON SCHEMA notify TO millrace_viewer;
GRANT USAGE ON SCHEMA pipeline TO millrace_enqueuer;
GRANT USAGE ON SCHEMA pipeline TO millrace_worker;
GRANT USAGE ON SCHEMA pipeline TO millrace_operator;
GRANT USAGE ON SCHEMA pipeline TO millrace_viewer;
REVOKE ALL ON TYPE millrace.cron FROM PUBLIC;
REVOKE ALL ON TYPE millrace.ending FROM PUBLIC;
REVOKE ALL ON TYPE millrace.outcome FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.active_run(of_group text) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.add_fork(repo text, origin_url text, upstream_url text, branches text[], provider text, queue text, digest_group text) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.add_fork(repo text, origin_url text, upstream_url text, branches text[], provider text, queue text, digest_group text) TO millrace_operator;
REVOKE ALL ON FUNCTION forks.are_items(step text, items jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.begin_run(digest_group text, OUT run bigint, OUT started boolean, OUT overdue boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.begin_run(digest_group text, OUT run bigint, OUT started boolean, OUT overdue boolean) TO millrace_worker;
REVOKE ALL ON FUNCTION forks.blank_fork(repo text) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.blank_group(name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.cancel_run(run bigint, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.cancel_run(run bigint, reason text) TO millrace_operator;
REVOKE ALL ON FUNCTION forks.change_fork(repo text, changes jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.change_fork(repo text, changes jsonb) TO millrace_operator;
REVOKE ALL ON FUNCTION forks.changed(old jsonb, new jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.check_commit(caller text, argument text, sha text) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.check_fork(caller text, f forks.fork) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.check_keys(caller text, named text, object jsonb, known text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.check_values(entry jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.configure_group(name text, changes jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.configure_group(name text, changes jsonb) TO millrace_operator;
REVOKE ALL ON FUNCTION forks.digest_content(run bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.digest_content(run bigint) TO millrace_worker;
GRANT ALL ON FUNCTION forks.digest_content(run bigint) TO millrace_operator;
GRANT ALL ON FUNCTION forks.digest_content(run bigint) TO millrace_viewer;
REVOKE ALL ON FUNCTION forks.disable_fork(repo text) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.disable_fork(repo text) TO millrace_operator;
REVOKE ALL ON FUNCTION forks.enable_fork(repo text) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.enable_fork(repo text) TO millrace_operator;
REVOKE ALL ON FUNCTION forks.enqueue_items(of_run bigint, batch bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.enqueue_stage(of_run bigint, stage text) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.enqueue_steps(of_run bigint, stage text, batch bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.export_forks() FROM PUBLIC;
GRANT ALL ON FUNCTION forks.export_forks() TO millrace_operator;
GRANT ALL ON FUNCTION forks.export_forks() TO millrace_viewer;
REVOKE ALL ON FUNCTION forks.failing_days(fork text, branch text, until_run bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.fork_keys() FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.fork_problem(f forks.fork) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.group_keys() FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.group_problem(g forks.digest_group) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.import_fork(entry jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.import_forks(document jsonb, dry_run boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.import_forks(document jsonb, dry_run boolean) TO millrace_operator;
REVOKE ALL ON FUNCTION forks.import_group(entry jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.import_list(list text, entries jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.insert_fork(f forks.fork) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.intend_push(fence bigint, job_id bigint, before_sha text, after_sha text) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.intend_push(fence bigint, job_id bigint, before_sha text, after_sha text) TO millrace_worker;
REVOKE ALL ON FUNCTION forks.intend_step(fence bigint, job_id bigint, intended text) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.intend_step(fence bigint, job_id bigint, intended text) TO millrace_worker;
REVOKE ALL ON FUNCTION forks.is_branch(name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.is_glob(pattern text) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.is_item(step text, item jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.is_remote(url text) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.is_stuck(of_run bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.kept_from(of_group text) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.key_of(repo text) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.limit_token(token text, places integer) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.limit_token(token text, places integer) TO millrace_operator;
REVOKE ALL ON FUNCTION forks.locked_run(run bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.locked_step(job_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.may_go_on(of_run bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.next_stage(job_id bigint, run bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.next_stage(job_id bigint, run bigint) TO millrace_worker;
REVOKE ALL ON FUNCTION forks.pause_token(token text, seconds integer) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.pause_token(token text, seconds integer) TO millrace_worker;
REVOKE ALL ON FUNCTION forks.plan_again(of_run bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.plan_run(digest_group text) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.plan_run(digest_group text) TO millrace_operator;
GRANT ALL ON FUNCTION forks.plan_run(digest_group text) TO millrace_viewer;
REVOKE ALL ON FUNCTION forks.planned(of_group text) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.prune_results(of_forks integer[], of_runs bigint[], kept_from timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.prune_runs(of_group text) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.raise_run_active(of_group text, run bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.raise_unknown_fork(repo text) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.raise_unknown_group(name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.record_digest(job_id bigint, run bigint, subject text, text text, html text, failures integer) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.record_digest(job_id bigint, run bigint, subject text, text text, html text, failures integer) TO millrace_worker;
REVOKE ALL ON FUNCTION forks.record_failures(of_run bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.record_step(fence bigint, job_id bigint, state text, detail text, items jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.record_step(fence bigint, job_id bigint, state text, detail text, items jsonb) TO millrace_worker;
REVOKE ALL ON FUNCTION forks.record_sync(job_id bigint, repo text, branch text, state text, before_sha text, after_sha text, detail text, run bigint, ahead integer, behind integer, subjects text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.record_sync(job_id bigint, repo text, branch text, state text, before_sha text, after_sha text, detail text, run bigint, ahead integer, behind integer, subjects text[]) TO millrace_worker;
REVOKE ALL ON FUNCTION forks.resume_run(run bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.resume_run(run bigint) TO millrace_operator;
REVOKE ALL ON FUNCTION forks.run_items(of_run bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.run_items(of_run bigint) TO millrace_operator;
GRANT ALL ON FUNCTION forks.run_items(of_run bigint) TO millrace_viewer;
REVOKE ALL ON FUNCTION forks.run_steps(of_run bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.run_steps(of_run bigint) TO millrace_operator;
GRANT ALL ON FUNCTION forks.run_steps(of_run bigint) TO millrace_viewer;
REVOKE ALL ON FUNCTION forks.save_group(caller text, old forks.digest_group, new forks.digest_group) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.searched_from(of_run forks.run, target text, branch text) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.second_of(moment timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.set_enabled(repo text, enabled boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.stage_of(step text) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.start_run(digest_group text) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.start_run(digest_group text) TO millrace_operator;
REVOKE ALL ON FUNCTION forks.states_of(step text) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.step_target(job_id bigint, OUT step text, OUT target text, OUT branch text, OUT fork text, OUT provider text, OUT is_wanted boolean, OUT origin_url text, OUT globs jsonb, OUT listed jsonb, OUT digest_group text, OUT template_path text, OUT template text, OUT period text, OUT rebased jsonb, OUT intended text, OUT intended_before text, OUT intended_after text) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.step_target(job_id bigint, OUT step text, OUT target text, OUT branch text, OUT fork text, OUT provider text, OUT is_wanted boolean, OUT origin_url text, OUT globs jsonb, OUT listed jsonb, OUT digest_group text, OUT template_path text, OUT template text, OUT period text, OUT rebased jsonb, OUT intended text, OUT intended_before text, OUT intended_after text) TO millrace_worker;
REVOKE ALL ON FUNCTION forks.steps_content(of_run bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.sync_now(repo text, branch text) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.sync_now(repo text, branch text) TO millrace_operator;
REVOKE ALL ON FUNCTION forks.sync_target(repo text, branch text, job_id bigint, OUT provider text, OUT origin_url text, OUT upstream_url text, OUT enabled boolean, OUT is_listed boolean, OUT intended_before text, OUT intended_after text, OUT compares boolean, OUT upstream text, OUT was_announced boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.sync_target(repo text, branch text, job_id bigint, OUT provider text, OUT origin_url text, OUT upstream_url text, OUT enabled boolean, OUT is_listed boolean, OUT intended_before text, OUT intended_after text, OUT compares boolean, OUT upstream text, OUT was_announced boolean) TO millrace_worker;
REVOKE ALL ON FUNCTION forks.take_place(fence bigint, job_id bigint, token text) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.take_place(fence bigint, job_id bigint, token text) TO millrace_worker;
REVOKE ALL ON FUNCTION forks.token_wait(token text) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.token_wait(token text) TO millrace_worker;
REVOKE ALL ON FUNCTION forks.told(entry jsonb, blank jsonb, keys text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.unmanaged(fork integer, subjects text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.unrecorded_failure(of_run bigint, of_fork integer, of_branch text) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.update_fork(f forks.fork) FROM PUBLIC;
REVOKE ALL ON FUNCTION forks.withdraw_push(fence bigint, job_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION forks.withdraw_push(fence bigint, job_id bigint) TO millrace_worker;
REVOKE ALL ON FUNCTION millrace.act_on_many(action text, queue text, filter jsonb, max_jobs integer, dry_run boolean, reason text, OUT matched integer, OUT changed integer, OUT skipped integer, OUT more boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.admit(queue text, kind text, priority integer, run_at timestamp with time zone, delay interval, max_attempts integer, timeout interval, traceparent text, concurrency_key text, after_batch bigint, retry_delays interval[], expires_at timestamp with time zone, OUT queue_id integer, OUT now timestamp with time zone, OUT stored_on date, OUT due timestamp with time zone, OUT attempts smallint, OUT time_limit interval, OUT payload_limit integer, OUT signal_raised boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.adopt() FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.adopt() TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.advance_low_water(queues text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.advance_low_water(queues text[]) TO millrace_worker;
REVOKE ALL ON FUNCTION millrace.after_end(ended millrace.ending[], held boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.announce(due timestamp with time zone, at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.ask_to_stop(job_id bigint, reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.assert_home() FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.assert_lease(fence bigint, job_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.assert_lease(fence bigint, job_id bigint) TO millrace_worker;
REVOKE ALL ON FUNCTION millrace.attach_day(parent text, day date) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.audit(action text, detail jsonb, affected bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.await_turn(of_queue integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.block(queue_id integer, job_ids bigint[], stored_on date, priority smallint, key text, batch_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.bucket_at(of_queue integer, at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.burst_of(burst integer, token_micros bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.call_back(batch millrace.batch, outcome jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.cancel(job_id bigint, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.cancel(job_id bigint, reason text) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.cancel_many(queue text, filter jsonb, max_jobs integer, dry_run boolean, reason text, OUT matched integer, OUT changed integer, OUT skipped integer, OUT more boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.cancel_many(queue text, filter jsonb, max_jobs integer, dry_run boolean, reason text, OUT matched integer, OUT changed integer, OUT skipped integer, OUT more boolean) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.cancel_one(job_id bigint, reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.cancel_requests(session integer) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.cancel_requests(session integer) TO millrace_worker;
REVOKE ALL ON FUNCTION millrace.check_delays(caller text, delays interval[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.check_kind(caller text, kind text) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.check_payload(payload jsonb, payload_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.check_queue(caller text, max_attempts integer, timeout interval, retry_base interval, retry_cap interval, max_payload_bytes integer, retention interval, max_running integer, key_limit integer, dead_letter_retention interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.check_rate(caller text, rate text, burst integer, rate_name text, burst_name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.check_schema(schema jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.check_settle(job_ids bigint[], fences bigint[], outcomes text[], errors text[], delays interval[], results jsonb[], successors jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.check_time_zone(caller text, time_zone text) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.claim(session integer, queue text, max_jobs integer, async boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.claim(session integer, queue text, max_jobs integer, async boolean) TO millrace_worker;
REVOKE ALL ON FUNCTION millrace.close_batch(batch bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.close_batch(batch bigint) TO millrace_enqueuer;
GRANT ALL ON FUNCTION millrace.close_batch(batch bigint) TO millrace_worker;
GRANT ALL ON FUNCTION millrace.close_batch(batch bigint) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.close_session(session integer) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.close_session(session integer) TO millrace_worker;
REVOKE ALL ON FUNCTION millrace.complete(fence bigint, job_id bigint, result jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.complete(fence bigint, job_id bigint, result jsonb) TO millrace_worker;
REVOKE ALL ON FUNCTION millrace.configure_kind(kind text, changes jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.configure_kind(kind text, changes jsonb) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.configure_queue(name text, changes jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.configure_queue(name text, changes jsonb) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.copy_jobs(ids bigint[], from_day date, to_day date) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.create_batch(queue text, kind text, payload jsonb, priority integer) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.create_batch(queue text, kind text, payload jsonb, priority integer) TO millrace_enqueuer;
GRANT ALL ON FUNCTION millrace.create_batch(queue text, kind text, payload jsonb, priority integer) TO millrace_worker;
GRANT ALL ON FUNCTION millrace.create_batch(queue text, kind text, payload jsonb, priority integer) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.create_queue(name text, max_attempts integer, timeout interval, retry_base interval, retry_cap interval, max_payload_bytes integer, retention interval, max_running integer, key_limit integer, dead_letter_retention interval) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.create_queue(name text, max_attempts integer, timeout interval, retry_base interval, retry_cap interval, max_payload_bytes integer, retention interval, max_running integer, key_limit integer, dead_letter_retention interval) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.create_schedule(name text, cron text, queue text, kind text, payload jsonb, time_zone text, misfire text, jitter interval, priority integer, max_attempts integer, timeout interval, due_key text, OUT outcome text, OUT changed text[], OUT next_run_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.create_schedule(name text, cron text, queue text, kind text, payload jsonb, time_zone text, misfire text, jitter interval, priority integer, max_attempts integer, timeout interval, due_key text, OUT outcome text, OUT changed text[], OUT next_run_at timestamp with time zone) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.cron_day(rule millrace.cron, from_day date) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.cron_field(field text, said text, low integer, high integer, names text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.cron_runs(rule millrace.cron, time_zone text, after timestamp with time zone, amount integer, until timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.cron_runs_of_every_hour(rule millrace.cron, time_zone text, after timestamp with time zone, amount integer, until timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.difference(known millrace.schedule, wanted millrace.schedule) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.discard(fence bigint, job_id bigint, error text) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.discard(fence bigint, job_id bigint, error text) TO millrace_worker;
REVOKE ALL ON FUNCTION millrace.discard_many(queue text, filter jsonb, max_jobs integer, dry_run boolean, reason text, OUT matched integer, OUT changed integer, OUT skipped integer, OUT more boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.discard_many(queue text, filter jsonb, max_jobs integer, dry_run boolean, reason text, OUT matched integer, OUT changed integer, OUT skipped integer, OUT more boolean) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.doctor() FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.doctor() TO millrace_operator;
GRANT ALL ON FUNCTION millrace.doctor() TO millrace_viewer;
REVOKE ALL ON FUNCTION millrace.doctor_horizon() FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.doctor_jobs() FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.doctor_queues() FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.doctor_schedules() FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.doctor_server() FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.doctor_statements() FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.doctor_upkeep() FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.drop_day(day date, kept_from date) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.drop_schedule(name text) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.drop_schedule(name text) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.due_of(schedule_id integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.enqueue(queue text, kind text, payload jsonb, priority integer, run_at timestamp with time zone, delay interval, max_attempts integer, timeout interval, traceparent text, wake boolean, concurrency_key text, batch bigint, after_batch bigint, retry_delays interval[], expires_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.enqueue(queue text, kind text, payload jsonb, priority integer, run_at timestamp with time zone, delay interval, max_attempts integer, timeout interval, traceparent text, wake boolean, concurrency_key text, batch bigint, after_batch bigint, retry_delays interval[], expires_at timestamp with time zone) TO millrace_enqueuer;
GRANT ALL ON FUNCTION millrace.enqueue(queue text, kind text, payload jsonb, priority integer, run_at timestamp with time zone, delay interval, max_attempts integer, timeout interval, traceparent text, wake boolean, concurrency_key text, batch bigint, after_batch bigint, retry_delays interval[], expires_at timestamp with time zone) TO millrace_worker;
GRANT ALL ON FUNCTION millrace.enqueue(queue text, kind text, payload jsonb, priority integer, run_at timestamp with time zone, delay interval, max_attempts integer, timeout interval, traceparent text, wake boolean, concurrency_key text, batch bigint, after_batch bigint, retry_delays interval[], expires_at timestamp with time zone) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.enqueue_many(queue text, kind text, payloads jsonb[], priority integer, run_at timestamp with time zone, delay interval, max_attempts integer, timeout interval, traceparent text, wake boolean, concurrency_key text, batch bigint, after_batch bigint, retry_delays interval[], expires_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.enqueue_many(queue text, kind text, payloads jsonb[], priority integer, run_at timestamp with time zone, delay interval, max_attempts integer, timeout interval, traceparent text, wake boolean, concurrency_key text, batch bigint, after_batch bigint, retry_delays interval[], expires_at timestamp with time zone) TO millrace_enqueuer;
GRANT ALL ON FUNCTION millrace.enqueue_many(queue text, kind text, payloads jsonb[], priority integer, run_at timestamp with time zone, delay interval, max_attempts integer, timeout interval, traceparent text, wake boolean, concurrency_key text, batch bigint, after_batch bigint, retry_delays interval[], expires_at timestamp with time zone) TO millrace_worker;
GRANT ALL ON FUNCTION millrace.enqueue_many(queue text, kind text, payloads jsonb[], priority integer, run_at timestamp with time zone, delay interval, max_attempts integer, timeout interval, traceparent text, wake boolean, concurrency_key text, batch bigint, after_batch bigint, retry_delays interval[], expires_at timestamp with time zone) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.enqueue_unique(queue text, kind text, payload jsonb, unique_key text, unique_until text, unique_for interval, replaces text[], priority integer, run_at timestamp with time zone, delay interval, max_attempts integer, timeout interval, traceparent text, wake boolean, concurrency_key text, retry_delays interval[], expires_at timestamp with time zone, OUT id bigint, OUT inserted boolean, OUT replaced boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.enqueue_unique(queue text, kind text, payload jsonb, unique_key text, unique_until text, unique_for interval, replaces text[], priority integer, run_at timestamp with time zone, delay interval, max_attempts integer, timeout interval, traceparent text, wake boolean, concurrency_key text, retry_delays interval[], expires_at timestamp with time zone, OUT id bigint, OUT inserted boolean, OUT replaced boolean) TO millrace_enqueuer;
GRANT ALL ON FUNCTION millrace.enqueue_unique(queue text, kind text, payload jsonb, unique_key text, unique_until text, unique_for interval, replaces text[], priority integer, run_at timestamp with time zone, delay interval, max_attempts integer, timeout interval, traceparent text, wake boolean, concurrency_key text, retry_delays interval[], expires_at timestamp with time zone, OUT id bigint, OUT inserted boolean, OUT replaced boolean) TO millrace_worker;
GRANT ALL ON FUNCTION millrace.enqueue_unique(queue text, kind text, payload jsonb, unique_key text, unique_until text, unique_for interval, replaces text[], priority integer, run_at timestamp with time zone, delay interval, max_attempts integer, timeout interval, traceparent text, wake boolean, concurrency_key text, retry_delays interval[], expires_at timestamp with time zone, OUT id bigint, OUT inserted boolean, OUT replaced boolean) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.ensure_kind_lanes(of_queue integer, kinds text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.ensure_lanes(queue_id integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.expire(of_queue integer, late millrace.ready[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.explain_attempt(of_job bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.explain_end(of_job bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.explain_job(job_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.explain_job(job_id bigint) TO millrace_operator;
GRANT ALL ON FUNCTION millrace.explain_job(job_id bigint) TO millrace_viewer;
REVOKE ALL ON FUNCTION millrace.explain_kind(of_job bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.explain_place(of_job bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.explain_queue(queue text) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.explain_wait(of_job bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.fail(fence bigint, job_id bigint, error text, retry_in interval) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.fail(fence bigint, job_id bigint, error text, retry_in interval) TO millrace_worker;
REVOKE ALL ON FUNCTION millrace.fire_schedule(known millrace.schedule, due_at timestamp with time zone, how text, times integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.first_shown(shown timestamp without time zone, time_zone text) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.fold_counts() FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.fold_counts() TO millrace_worker;
REVOKE ALL ON FUNCTION millrace.fold_notes(of_queue integer, of_batch bigint, notes tid[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.follow_batch(of_queue integer, of_batch bigint, notes tid[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.follow_keys(of_queue integer, notes tid[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.follow_limits(of_queue integer, notes tid[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.follow_up(of_queue integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.follow_up_all() FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.follow_up_all() TO millrace_worker;
GRANT ALL ON FUNCTION millrace.follow_up_all() TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.forget_history(max_rows integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.forget_slice(what text, of_queue integer, since timestamp with time zone, until timestamp with time zone, max_rows integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.free_places(of_queue integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.has_ties(of_queue integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.heartbeat(session integer, draining boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.heartbeat(session integer, draining boolean) TO millrace_worker;
REVOKE ALL ON FUNCTION millrace.hold_many(states text[], jobs bigint[], places tid[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.holders_of_key(of_queue integer, of_key text) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.horizon_overview() FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.horizon_overview() TO millrace_operator;
GRANT ALL ON FUNCTION millrace.horizon_overview() TO millrace_viewer;
REVOKE ALL ON FUNCTION millrace.insert_schedule(wanted millrace.schedule) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.installation_id() FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.installation_id() TO millrace_worker;
REVOKE ALL ON FUNCTION millrace.is_cancelled(fence bigint, job_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.is_filling(of_queue integer, of_key text, spent_until timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.job_state(job_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.join_batch(batch bigint, amount integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.key_bucket(spent_until timestamp with time zone, token_micros bigint, burst integer, at timestamp with time zone, OUT since timestamp with time zone, OUT tokens integer, OUT worthwhile integer, OUT every interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.lanes_of(of_queue integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.leave_note(queue_id integer, job_id bigint, what text, key text, batch_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.let_wait(job_id bigint, stored_on date, queue_id integer, priority smallint, attempt smallint, key text, due timestamp with time zone, wake boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.limit_key(queue text, key text, max_held integer, rate text, burst integer) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.limit_key(queue text, key text, max_held integer, rate text, burst integer) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.live_deltas(max_rows bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.locked_schedule(caller text, name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.log_line(fence bigint, job_id bigint, text text) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.log_line(fence bigint, job_id bigint, text text) TO millrace_worker;
REVOKE ALL ON FUNCTION millrace.look_at_keys(max_keys integer, since timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.lower_signal(queue text) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.lower_signal(queue text) TO millrace_worker;
REVOKE ALL ON FUNCTION millrace.maintain_partitions(days_ahead integer) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.maintain_partitions(days_ahead integer) TO millrace_worker;
GRANT ALL ON FUNCTION millrace.maintain_partitions(days_ahead integer) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.matching(of_queue integer, states text[], kind text, error text, older_than timestamp with time zone, newer_than timestamp with time zone, jobs bigint[], most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.may_be_replaced(of_job bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.may_start(of_queue integer, INOUT room integer, limited boolean, rated boolean, OUT at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.next_due(rule millrace.cron, time_zone text, after timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.next_looks() FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.next_runs(cron text, time_zone text, after timestamp with time zone, n integer) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.next_runs(cron text, time_zone text, after timestamp with time zone, n integer) TO millrace_worker;
GRANT ALL ON FUNCTION millrace.next_runs(cron text, time_zone text, after timestamp with time zone, n integer) TO millrace_operator;
GRANT ALL ON FUNCTION millrace.next_runs(cron text, time_zone text, after timestamp with time zone, n integer) TO millrace_viewer;
REVOKE ALL ON FUNCTION millrace.next_token(queue text) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.next_token(queue text) TO millrace_worker;
REVOKE ALL ON FUNCTION millrace.note_run(schedule_id integer, due_at timestamp with time zone, job bigint, times integer, how text) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.now() FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.now() TO millrace_enqueuer;
GRANT ALL ON FUNCTION millrace.now() TO millrace_worker;
GRANT ALL ON FUNCTION millrace.now() TO millrace_operator;
GRANT ALL ON FUNCTION millrace.now() TO millrace_viewer;
REVOKE ALL ON FUNCTION millrace.open_session(name text, queues text[], host text, pid integer, version text, lease interval, kinds text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.open_session(name text, queues text[], host text, pid integer, version text, lease interval, kinds text[]) TO millrace_worker;
REVOKE ALL ON FUNCTION millrace.parse_cron(cron text) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.pause_kind(kind text) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.pause_kind(kind text) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.pause_queue(name text) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.pause_queue(name text) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.pause_schedule(name text) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.pause_schedule(name text) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.payload_schemas(kinds text[], known text, OUT version text, OUT schemas jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.payload_schemas(kinds text[], known text, OUT version text, OUT schemas jsonb) TO millrace_enqueuer;
GRANT ALL ON FUNCTION millrace.payload_schemas(kinds text[], known text, OUT version text, OUT schemas jsonb) TO millrace_worker;
GRANT ALL ON FUNCTION millrace.payload_schemas(kinds text[], known text, OUT version text, OUT schemas jsonb) TO millrace_operator;
GRANT ALL ON FUNCTION millrace.payload_schemas(kinds text[], known text, OUT version text, OUT schemas jsonb) TO millrace_viewer;
REVOKE ALL ON FUNCTION millrace.poke(queue text) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.poke(queue text) TO millrace_enqueuer;
GRANT ALL ON FUNCTION millrace.poke(queue text) TO millrace_worker;
GRANT ALL ON FUNCTION millrace.poke(queue text) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.promote(max_jobs integer, since timestamp with time zone, OUT promoted integer, OUT next_run_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.promote(max_jobs integer, since timestamp with time zone, OUT promoted integer, OUT next_run_at timestamp with time zone) TO millrace_worker;
GRANT ALL ON FUNCTION millrace.promote(max_jobs integer, since timestamp with time zone, OUT promoted integer, OUT next_run_at timestamp with time zone) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.prune(max_rows integer) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.prune(max_rows integer) TO millrace_worker;
GRANT ALL ON FUNCTION millrace.prune(max_rows integer) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.prune_dead_letters(max_rows integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.queue_id(queue text) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.queue_overview() FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.queue_overview() TO millrace_worker;
GRANT ALL ON FUNCTION millrace.queue_overview() TO millrace_operator;
GRANT ALL ON FUNCTION millrace.queue_overview() TO millrace_viewer;
REVOKE ALL ON FUNCTION millrace.raise_bad_max_jobs() FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.raise_lease_lost(fence bigint, job_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.raise_session_ended(session integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.raise_signal(queue text) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.raise_signal(queue text) TO millrace_worker;
REVOKE ALL ON FUNCTION millrace.raise_unknown_batch(batch bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.read_filter(action text, filter jsonb, OUT states text[], OUT kind text, OUT error text, OUT older_than timestamp with time zone, OUT newer_than timestamp with time zone, OUT jobs bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.reap(max_jobs integer, since timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.reap(max_jobs integer, since timestamp with time zone) TO millrace_worker;
GRANT ALL ON FUNCTION millrace.reap(max_jobs integer, since timestamp with time zone) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.receipts_from() FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.register_schema(kind text, schema jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.register_schema(kind text, schema jsonb) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.rehome_day(day date) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.replace_due(due millrace.schedule_due, next_run_at timestamp with time zone, look_at timestamp with time zone, last_due_at timestamp with time zone, error text) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.replace_waiting(of_job bigint, payload jsonb, priority smallint, due timestamp with time zone, expires_at timestamp with time zone, replaces text[], wake boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.replay(job_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.replay(job_id bigint) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.replay_many(queue text, filter jsonb, max_jobs integer, dry_run boolean, OUT matched integer, OUT changed integer, OUT skipped integer, OUT more boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.replay_many(queue text, filter jsonb, max_jobs integer, dry_run boolean, OUT matched integer, OUT changed integer, OUT skipped integer, OUT more boolean) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.replay_one(job_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.reporting_attempt(fence bigint, job_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.restart_schedule(schedule_id integer, rule millrace.cron, time_zone text) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.resume_kind(kind text) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.resume_kind(kind text) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.resume_queue(name text) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.resume_queue(name text) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.resume_schedule(name text) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.resume_schedule(name text) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.retry(job_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.retry(job_id bigint) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.retry_delay(attempt integer, of_job interval[], of_kind millrace.kind, of_queue millrace.queue) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.retry_many(queue text, filter jsonb, max_jobs integer, dry_run boolean, OUT matched integer, OUT changed integer, OUT skipped integer, OUT more boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.retry_many(queue text, filter jsonb, max_jobs integer, dry_run boolean, OUT matched integer, OUT changed integer, OUT skipped integer, OUT more boolean) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.retry_one(job_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.run_due(known millrace.schedule, due millrace.schedule_due, at timestamp with time zone, max_jobs integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.run_schedule_now(name text) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.run_schedule_now(name text) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.server_identifier() FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.session_holders() FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.set_aside(of_queue integer, at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.set_progress(fence bigint, job_id bigint, percent integer, message text) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.set_progress(fence bigint, job_id bigint, percent integer, message text) TO millrace_worker;
REVOKE ALL ON FUNCTION millrace.settle_attempts(attempts millrace.running[], ids bigint[], place integer[], outcomes text[], errors text[], delays interval[], results jsonb[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.settle_many(job_ids bigint[], fences bigint[], outcomes text[], errors text[], delays interval[], results jsonb[], successors jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.settle_many(job_ids bigint[], fences bigint[], outcomes text[], errors text[], delays interval[], results jsonb[], successors jsonb) TO millrace_worker;
REVOKE ALL ON FUNCTION millrace.settle_one(fence bigint, job_id bigint, outcome text, error text, delay interval, result jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.settled_as(fence bigint, job_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.settled_as(fence bigint, job_id bigint) TO millrace_worker;
REVOKE ALL ON FUNCTION millrace.snooze(fence bigint, job_id bigint, delay interval) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.snooze(fence bigint, job_id bigint, delay interval) TO millrace_worker;
REVOKE ALL ON FUNCTION millrace.spend(of_queue integer, amount integer, at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.storage_day() FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.take_back(rows tid[], reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.take_unique_key(of_queue integer, of_key text, of_job bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.throw_away(jobs bigint[], reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.tick_schedule(schedule_id integer, at timestamp with time zone, max_jobs integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.tick_schedules(max_jobs integer, OUT enqueued integer, OUT next_run_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION millrace.tick_schedules(max_jobs integer, OUT enqueued integer, OUT next_run_at timestamp with time zone) TO millrace_worker;
GRANT ALL ON FUNCTION millrace.tick_schedules(max_jobs integer, OUT enqueued integer, OUT next_run_at timestamp with time zone) TO millrace_operator;
REVOKE ALL ON FUNCTION millrace.tokens(of_queue integer, OUT amount integer, OUT at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.unfinished_batch(after_batch bigint, of_batch bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.unmoved(action text, job_id bigint, fine text[], rule text) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.utc_text(at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.wake(queue_id integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.wake_rated() FROM PUBLIC;
REVOKE ALL ON FUNCTION millrace.with_kind_lanes(lanes smallint[], of_queue integer, handled text[], paused text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.bounced(address text, reason text, permanent boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.bounced(address text, reason text, permanent boolean) TO millrace_operator;
REVOKE ALL ON FUNCTION notify.changes_complaint(changes jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.check_holder(fence bigint, job_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.check_suppression(caller text, address text, reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.check_username(caller text, username text) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.cl_comment_created(cl_link text, author text, reviewers text[], actor text, comment text, dedup_key text, OUT event bigint, OUT is_new boolean, OUT pending integer, OUT collected integer, OUT skipped integer) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.cl_comment_created(cl_link text, author text, reviewers text[], actor text, comment text, dedup_key text, OUT event bigint, OUT is_new boolean, OUT pending integer, OUT collected integer, OUT skipped integer) TO millrace_enqueuer;
GRANT ALL ON FUNCTION notify.cl_comment_created(cl_link text, author text, reviewers text[], actor text, comment text, dedup_key text, OUT event bigint, OUT is_new boolean, OUT pending integer, OUT collected integer, OUT skipped integer) TO millrace_worker;
GRANT ALL ON FUNCTION notify.cl_comment_created(cl_link text, author text, reviewers text[], actor text, comment text, dedup_key text, OUT event bigint, OUT is_new boolean, OUT pending integer, OUT collected integer, OUT skipped integer) TO millrace_operator;
REVOKE ALL ON FUNCTION notify.collect(of_event bigint, event_type text, at timestamp with time zone, collectors text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.config(username text) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.config(username text) TO millrace_enqueuer;
GRANT ALL ON FUNCTION notify.config(username text) TO millrace_worker;
GRANT ALL ON FUNCTION notify.config(username text) TO millrace_operator;
REVOKE ALL ON FUNCTION notify.configure(username text, changes jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.configure(username text, changes jsonb) TO millrace_enqueuer;
GRANT ALL ON FUNCTION notify.configure(username text, changes jsonb) TO millrace_worker;
GRANT ALL ON FUNCTION notify.configure(username text, changes jsonb) TO millrace_operator;
REVOKE ALL ON FUNCTION notify.define_type(code text, category text, description text, priority integer, queue text, system_required boolean, default_enabled boolean, expires_after interval) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.define_type(code text, category text, description text, priority integer, queue text, system_required boolean, default_enabled boolean, expires_after interval) TO millrace_enqueuer;
GRANT ALL ON FUNCTION notify.define_type(code text, category text, description text, priority integer, queue text, system_required boolean, default_enabled boolean, expires_after interval) TO millrace_operator;
REVOKE ALL ON FUNCTION notify.digest_key(of_user text) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.digest_of(fence bigint, job_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.digest_of(fence bigint, job_id bigint) TO millrace_worker;
REVOKE ALL ON FUNCTION notify.digest_to(fence bigint, job_id bigint, OUT skip text, OUT username text, OUT address text, OUT locale text, OUT sender text) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.digest_to(fence bigint, job_id bigint, OUT skip text, OUT username text, OUT address text, OUT locale text, OUT sender text) TO millrace_worker;
REVOKE ALL ON FUNCTION notify.drop_template(event_type text, locale text) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.drop_template(event_type text, locale text) TO millrace_operator;
REVOKE ALL ON FUNCTION notify.drop_unwanted(this notify.digest, at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.status_by_job(job_id bigint, is_known_to_have_failed boolean, OUT status text, OUT reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.status_by_job(job_id bigint, is_known_to_have_failed boolean, OUT status text, OUT reason text) TO millrace_operator;
GRANT ALL ON FUNCTION notify.status_by_job(job_id bigint, is_known_to_have_failed boolean, OUT status text, OUT reason text) TO millrace_viewer;
GRANT SELECT ON TABLE notify.emails TO millrace_operator;
GRANT SELECT ON TABLE notify.emails TO millrace_viewer;
REVOKE ALL ON FUNCTION notify.emails_by_id(ids bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.emails_of(job_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.emit(event_type text, actor text, recipients text[], subject text, body_text text, body_html text, data jsonb, dedup_key text, OUT event bigint, OUT is_new boolean, OUT pending integer, OUT collected integer, OUT skipped integer) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.emit(event_type text, actor text, recipients text[], subject text, body_text text, body_html text, data jsonb, dedup_key text, OUT event bigint, OUT is_new boolean, OUT pending integer, OUT collected integer, OUT skipped integer) TO millrace_enqueuer;
GRANT ALL ON FUNCTION notify.emit(event_type text, actor text, recipients text[], subject text, body_text text, body_html text, data jsonb, dedup_key text, OUT event bigint, OUT is_new boolean, OUT pending integer, OUT collected integer, OUT skipped integer) TO millrace_worker;
GRANT ALL ON FUNCTION notify.emit(event_type text, actor text, recipients text[], subject text, body_text text, body_html text, data jsonb, dedup_key text, OUT event bigint, OUT is_new boolean, OUT pending integer, OUT collected integer, OUT skipped integer) TO millrace_operator;
REVOKE ALL ON FUNCTION notify.emit_complaint(actor text, recipients text[], subject text, body_text text, body_html text, data jsonb, dedup_key text) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.enqueue_emails(of_type notify.event_type, at timestamp with time zone, told notify.email[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.ensure_digest(of_user text) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.erase_user(username text, dry_run boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.erase_user(username text, dry_run boolean) TO millrace_operator;
REVOKE ALL ON FUNCTION notify.find_emails(username text, type text, status text, since timestamp with time zone, until timestamp with time zone, max_rows integer) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.find_emails(username text, type text, status text, since timestamp with time zone, until timestamp with time zone, max_rows integer) TO millrace_operator;
GRANT ALL ON FUNCTION notify.find_emails(username text, type text, status text, since timestamp with time zone, until timestamp with time zone, max_rows integer) TO millrace_viewer;
REVOKE ALL ON FUNCTION notify.first_pending(from_email bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.html_escape(text text) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.html_escape(text text) TO millrace_enqueuer;
GRANT ALL ON FUNCTION notify.html_escape(text text) TO millrace_worker;
GRANT ALL ON FUNCTION notify.html_escape(text text) TO millrace_operator;
REVOKE ALL ON FUNCTION notify.is_address(address text) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.is_locale(locale text) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.is_suppressed(address text) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.is_suppressed(address text) TO millrace_worker;
GRANT ALL ON FUNCTION notify.is_suppressed(address text) TO millrace_operator;
REVOKE ALL ON FUNCTION notify.is_username(username text) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.known_by_id(ids bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.message_of(fence bigint, job_id bigint, OUT email_id bigint, OUT skip text, OUT event_type text, OUT username text, OUT address text, OUT locale text, OUT sender text, OUT subject text, OUT body_text text, OUT body_html text, OUT data jsonb, OUT system_required boolean, OUT waited interval) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.message_of(fence bigint, job_id bigint, OUT email_id bigint, OUT skip text, OUT event_type text, OUT username text, OUT address text, OUT locale text, OUT sender text, OUT subject text, OUT body_text text, OUT body_html text, OUT data jsonb, OUT system_required boolean, OUT waited interval) TO millrace_worker;
REVOKE ALL ON FUNCTION notify.next_digest(hour integer, time_zone text, after timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.objection(enabled boolean, required boolean, preference boolean, by_default boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.overview(OUT oldest_pending_at timestamp with time zone, OUT oldest_pending_age interval) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.overview(OUT oldest_pending_at timestamp with time zone, OUT oldest_pending_age interval) TO millrace_worker;
GRANT ALL ON FUNCTION notify.overview(OUT oldest_pending_at timestamp with time zone, OUT oldest_pending_age interval) TO millrace_operator;
GRANT ALL ON FUNCTION notify.overview(OUT oldest_pending_at timestamp with time zone, OUT oldest_pending_age interval) TO millrace_viewer;
REVOKE ALL ON FUNCTION notify.prune(max_rows integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.put_off_digest(of_user text) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.put_template(event_type text, locale text, subject text, body_text text, body_html text) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.put_template(event_type text, locale text, subject text, body_text text, body_html text) TO millrace_operator;
REVOKE ALL ON FUNCTION notify.raise_bad(caller text, wrong text) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.raise_unknown_type(code text) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.record_delivery(fence bigint, job_id bigint, outcome text, reason text, message_id text, reply text, redirected_to text, sent_to text) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.record_delivery(fence bigint, job_id bigint, outcome text, reason text, message_id text, reply text, redirected_to text, sent_to text) TO millrace_worker;
REVOKE ALL ON FUNCTION notify.record_ends(max_rows integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.replace_digests(max_rows integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.set_preferences(username text, preferences jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.set_queue_owner(queue text, username text) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.set_queue_owner(queue text, username text) TO millrace_operator;
REVOKE ALL ON FUNCTION notify.set_sender(category text, sender text) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.set_sender(category text, sender text) TO millrace_operator;
REVOKE ALL ON FUNCTION notify.set_up(queue text, retention interval) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.set_up(queue text, retention interval) TO millrace_operator;
REVOKE ALL ON FUNCTION notify.settings_of(username text) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.should_send(username text, event_type text) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.should_send(username text, event_type text) TO millrace_enqueuer;
GRANT ALL ON FUNCTION notify.should_send(username text, event_type text) TO millrace_worker;
GRANT ALL ON FUNCTION notify.should_send(username text, event_type text) TO millrace_operator;
GRANT ALL ON FUNCTION notify.should_send(username text, event_type text) TO millrace_viewer;
REVOKE ALL ON FUNCTION notify.states_of(jobs bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.status_by_state(state text, job_id bigint, is_known_to_have_failed boolean, OUT status text, OUT reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.suppress(address text, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.suppress(address text, reason text) TO millrace_operator;
REVOKE ALL ON FUNCTION notify.tell(of_event bigint, of_type notify.event_type, actor text, recipients text[], at timestamp with time zone, OUT pending integer, OUT collected integer, OUT skipped integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.tell_owners() FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.template_for(event_type text, locale text) FROM PUBLIC;
REVOKE ALL ON FUNCTION notify.template_of(event_type text, locale text, OUT found_locale text, OUT subject text, OUT body_text text, OUT body_html text) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.template_of(event_type text, locale text, OUT found_locale text, OUT subject text, OUT body_text text, OUT body_html text) TO millrace_worker;
GRANT ALL ON FUNCTION notify.template_of(event_type text, locale text, OUT found_locale text, OUT subject text, OUT body_text text, OUT body_html text) TO millrace_operator;
REVOKE ALL ON FUNCTION notify.types() FROM PUBLIC;
GRANT ALL ON FUNCTION notify.types() TO millrace_enqueuer;
GRANT ALL ON FUNCTION notify.types() TO millrace_worker;
GRANT ALL ON FUNCTION notify.types() TO millrace_operator;
GRANT ALL ON FUNCTION notify.types() TO millrace_viewer;
REVOKE ALL ON FUNCTION notify.unsubscribe(username text, event_type text) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.unsubscribe(username text, event_type text) TO millrace_enqueuer;
GRANT ALL ON FUNCTION notify.unsubscribe(username text, event_type text) TO millrace_worker;
GRANT ALL ON FUNCTION notify.unsubscribe(username text, event_type text) TO millrace_operator;
REVOKE ALL ON FUNCTION notify.unsuppress(address text) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.unsuppress(address text) TO millrace_operator;
REVOKE ALL ON FUNCTION notify.upkeep(max_rows integer, at_most_every interval, OUT recorded integer, OUT told integer, OUT pruned integer, OUT has_more boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.upkeep(max_rows integer, at_most_every interval, OUT recorded integer, OUT told integer, OUT pruned integer, OUT has_more boolean) TO millrace_worker;
GRANT ALL ON FUNCTION notify.upkeep(max_rows integer, at_most_every interval, OUT recorded integer, OUT told integer, OUT pruned integer, OUT has_more boolean) TO millrace_operator;
REVOKE ALL ON FUNCTION pipeline.analyze_request(queue text, request bigint, build text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.analyze_request(queue text, request bigint, build text) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.announce(queue text, request bigint, project text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.announce(queue text, request bigint, project text) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.append_command_log(queue text, id text, attempt integer, start_byte bigint, text text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.append_command_log(queue text, id text, attempt integer, start_byte bigint, text text) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.apply(document jsonb, dry_run boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.apply(document jsonb, dry_run boolean) TO millrace_operator;
REVOKE ALL ON FUNCTION pipeline.apply_queue(entry jsonb, place integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.bisect_step(queue text, request bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.bisect_step(queue text, request bigint) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.blank_command(runner jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.blank_settings() FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.build_of(queue text, request bigint, project text, run integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.build_of(queue text, request bigint, project text, run integer) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.call_off(build pipeline.build) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.cancel_command(queue text, id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.cancel_command(queue text, id text) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.cloud_event(told pipeline.event) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.command_complaint(command text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.command_limits_complaint(memory_limit bigint, output_limit bigint, disk_limit bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.command_runs_of(id text, queue text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.command_runs_of(id text, queue text) TO millrace_operator;
GRANT ALL ON FUNCTION pipeline.command_runs_of(id text, queue text) TO millrace_viewer;
REVOKE ALL ON FUNCTION pipeline.command_status(queue text, id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.command_status(queue text, id text) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.complete_request(queue text, request bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.configure_queue(name text, settings jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.configure_queue(name text, settings jsonb) TO millrace_operator;
REVOKE ALL ON FUNCTION pipeline.count_processing(queue text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.count_processing(queue text) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.coverage(queue text, uri text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.coverage(queue text, uri text) TO millrace_enqueuer;
GRANT ALL ON FUNCTION pipeline.coverage(queue text, uri text) TO millrace_worker;
GRANT ALL ON FUNCTION pipeline.coverage(queue text, uri text) TO millrace_operator;
GRANT ALL ON FUNCTION pipeline.coverage(queue text, uri text) TO millrace_viewer;
REVOKE ALL ON FUNCTION pipeline.create_build(queue text, id text, request bigint, project text, run integer, commit text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.create_build(queue text, id text, request bigint, project text, run integer, commit text) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.create_fact(queue text, uri text, project text, degree numeric, request bigint, is_flaky boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.create_fact(queue text, uri text, project text, degree numeric, request bigint, is_flaky boolean) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.create_queue(name text, remote text, ref text, command text[], job_queue text, time_limit interval, max_concurrent integer, max_validation interval, poll_accepted interval, poll_running interval) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.create_queue(name text, remote text, ref text, command text[], job_queue text, time_limit interval, max_concurrent integer, max_validation interval, poll_accepted interval, poll_running interval) TO millrace_operator;
REVOKE ALL ON FUNCTION pipeline.doubted_projects(of_request pipeline.request) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.drop_old_logs(queue text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.end_of_log(queue text, id text, attempt integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.export() FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.export() TO millrace_operator;
GRANT ALL ON FUNCTION pipeline.export() TO millrace_viewer;
REVOKE ALL ON FUNCTION pipeline.fail_closed() FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.fail_request(failed pipeline.request, why text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.fail_stage(known pipeline.queue, kind text, payload jsonb, why text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.finish_command(queue text, id text, status text, reason text, exit_code integer, log_tail text, target_graph jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.finish_command(queue text, id text, status text, reason text, exit_code integer, log_tail text, target_graph jsonb) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.gate(queue text, commit text, project text, max_age interval) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.gate(queue text, commit text, project text, max_age interval) TO millrace_enqueuer;
GRANT ALL ON FUNCTION pipeline.gate(queue text, commit text, project text, max_age interval) TO millrace_worker;
GRANT ALL ON FUNCTION pipeline.gate(queue text, commit text, project text, max_age interval) TO millrace_operator;
GRANT ALL ON FUNCTION pipeline.gate(queue text, commit text, project text, max_age interval) TO millrace_viewer;
REVOKE ALL ON FUNCTION pipeline.get_build(queue text, id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.get_build(queue text, id text) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.get_fact(queue text, uri text, project text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.get_fact(queue text, uri text, project text) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.get_queue(name text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.get_queue(name text) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.get_request(queue text, number bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.get_request(queue text, number bigint) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.git_complaint(remote text, ref text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.glob_pattern(glob text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.greenness(queue text, uri text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.greenness(queue text, uri text) TO millrace_enqueuer;
GRANT ALL ON FUNCTION pipeline.greenness(queue text, uri text) TO millrace_worker;
GRANT ALL ON FUNCTION pipeline.greenness(queue text, uri text) TO millrace_operator;
GRANT ALL ON FUNCTION pipeline.greenness(queue text, uri text) TO millrace_viewer;
REVOKE ALL ON FUNCTION pipeline.hook_delivery(event text, sink text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.hook_delivery(event text, sink text) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.ingest(queue text, uri text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.ingest(queue text, uri text) TO millrace_enqueuer;
GRANT ALL ON FUNCTION pipeline.ingest(queue text, uri text) TO millrace_worker;
GRANT ALL ON FUNCTION pipeline.ingest(queue text, uri text) TO millrace_operator;
REVOKE ALL ON FUNCTION pipeline.is_green(queue text, uri text, project text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.is_green(queue text, uri text, project text) TO millrace_enqueuer;
GRANT ALL ON FUNCTION pipeline.is_green(queue text, uri text, project text) TO millrace_worker;
GRANT ALL ON FUNCTION pipeline.is_green(queue text, uri text, project text) TO millrace_operator;
GRANT ALL ON FUNCTION pipeline.is_green(queue text, uri text, project text) TO millrace_viewer;
REVOKE ALL ON FUNCTION pipeline.known_queue(name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.latest_accepted(queue text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.latest_accepted(queue text) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.latest_green(queue text, project text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.latest_green(queue text, project text) TO millrace_enqueuer;
GRANT ALL ON FUNCTION pipeline.latest_green(queue text, project text) TO millrace_worker;
GRANT ALL ON FUNCTION pipeline.latest_green(queue text, project text) TO millrace_operator;
GRANT ALL ON FUNCTION pipeline.latest_green(queue text, project text) TO millrace_viewer;
REVOKE ALL ON FUNCTION pipeline.limit_command(queue text, memory_limit bigint, output_limit bigint, disk_limit bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.limit_command(queue text, memory_limit bigint, output_limit bigint, disk_limit bigint) TO millrace_operator;
REVOKE ALL ON FUNCTION pipeline.limits_complaint(max_concurrent integer, max_validation interval, time_limit interval, poll_accepted interval, poll_running interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.lock_queue(name text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.lock_queue(name text) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.mail_text(payload jsonb, OUT subject text, OUT body text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.note_history(queue text, number bigint, uris text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.note_history(queue text, number bigint, uris text[]) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.note_look(queue text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.note_promotion(queue text, uri text, outcome text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.note_promotion(queue text, uri text, outcome text) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.overview() FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.overview() TO millrace_worker;
GRANT ALL ON FUNCTION pipeline.overview() TO millrace_operator;
GRANT ALL ON FUNCTION pipeline.overview() TO millrace_viewer;
REVOKE ALL ON FUNCTION pipeline.poll(queue text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.poll(queue text) TO millrace_enqueuer;
GRANT ALL ON FUNCTION pipeline.poll(queue text) TO millrace_worker;
GRANT ALL ON FUNCTION pipeline.poll(queue text) TO millrace_operator;
REVOKE ALL ON FUNCTION pipeline.projects_complaint(projects jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.publish(queue text, id text, type text, payload jsonb, is_change boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.publish_culprit(search pipeline.bisect) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.publish_fact(queue text, request bigint, project text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.read_command_log(queue text, id text, after_attempt integer, after_byte bigint, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.read_command_log(queue text, id text, after_attempt integer, after_byte bigint, most integer) TO millrace_operator;
GRANT ALL ON FUNCTION pipeline.read_command_log(queue text, id text, after_attempt integer, after_byte bigint, most integer) TO millrace_viewer;
REVOKE ALL ON FUNCTION pipeline.recipients_complaint(recipients jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.rerun_build(queue text, id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.rerun_build(queue text, id text) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.revalidate(queue text, uri text, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.revalidate(queue text, uri text, reason text) TO millrace_operator;
REVOKE ALL ON FUNCTION pipeline.roll_up(queue text, request bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.roll_up(queue text, request bigint) TO millrace_operator;
GRANT ALL ON FUNCTION pipeline.roll_up(queue text, request bigint) TO millrace_viewer;
REVOKE ALL ON FUNCTION pipeline.rule_complaint(rule jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.runner_complaint(s jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.runner_settings(queue text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.runner_settings(queue text) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.schedule_of(queue text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.seek_culprit(queue text, request bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.service_complaint(runner text, settings jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.set_target_graph(queue text, id text, graph jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.set_target_graph(queue text, id text, graph jsonb) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.settings_complaint(s jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.settings_of(queue text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.settings_of(queue text) TO millrace_operator;
GRANT ALL ON FUNCTION pipeline.settings_of(queue text) TO millrace_viewer;
REVOKE ALL ON FUNCTION pipeline.settle_project(queue text, request bigint, project text, state text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.settle_project(queue text, request bigint, project text, state text) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.shape_complaint(settings jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.sink_complaint(sink jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.sinks_complaint(sinks jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.start_command(queue text, id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.start_command(queue text, id text) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.supersede_before(queue text, number bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.supersede_before(queue text, number bigint) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.suspects(queue text, good bigint, bad bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.targets_of(queue text, graph jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.tell(event text, sink text) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.tell(event text, sink text) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.trigger_command(queue text, request bigint, project text, base_uri text, head_uri text, run integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.trigger_command(queue text, request bigint, project text, base_uri text, head_uri text, run integer) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.update_build(queue text, id text, status text, reason text, log_location text, old_version bigint, new_version bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.update_build(queue text, id text, status text, reason text, log_location text, old_version bigint, new_version bigint) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.update_queue(name text, last_green_request bigint, last_green_uri text, old_version bigint, new_version bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.update_queue(name text, last_green_request bigint, last_green_uri text, old_version bigint, new_version bigint) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.update_request(queue text, number bigint, state text, build_strategy text, base_uri text, old_version bigint, new_version bigint, committed_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.update_request(queue text, number bigint, state text, build_strategy text, base_uri text, old_version bigint, new_version bigint, committed_at timestamp with time zone) TO millrace_worker;
REVOKE ALL ON FUNCTION pipeline.use_service(queue text, runner text, settings jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.use_service(queue text, runner text, settings jsonb) TO millrace_operator;
REVOKE ALL ON FUNCTION pipeline.verdict(degree numeric, is_flaky boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pipeline.verdict(degree numeric, is_flaky boolean) TO millrace_operator;
GRANT ALL ON FUNCTION pipeline.verdict(degree numeric, is_flaky boolean) TO millrace_viewer;
REVOKE ALL ON FUNCTION pipeline.verdict_before(queue text, request bigint, project text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.whole_runner(runner jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pipeline.write_settings(queue text, before jsonb, s jsonb) FROM PUBLIC;
GRANT SELECT ON TABLE forks.digests TO millrace_operator;
GRANT SELECT ON TABLE forks.digests TO millrace_viewer;
GRANT SELECT ON TABLE forks.groups TO millrace_operator;
GRANT SELECT ON TABLE forks.groups TO millrace_viewer;
GRANT SELECT ON TABLE forks.registry TO millrace_operator;
GRANT SELECT ON TABLE forks.registry TO millrace_viewer;
GRANT SELECT ON TABLE forks.results TO millrace_operator;
GRANT SELECT ON TABLE forks.results TO millrace_viewer;
GRANT SELECT ON TABLE forks.runs TO millrace_operator;
GRANT SELECT ON TABLE forks.runs TO millrace_viewer;
GRANT SELECT ON TABLE forks.token_pauses TO millrace_operator;
GRANT SELECT ON TABLE forks.token_pauses TO millrace_viewer;
GRANT SELECT ON TABLE millrace.batches TO millrace_operator;
GRANT SELECT ON TABLE millrace.batches TO millrace_viewer;
GRANT SELECT ON TABLE millrace.blocked_keys TO millrace_operator;
GRANT SELECT ON TABLE millrace.blocked_keys TO millrace_viewer;
GRANT SELECT ON TABLE millrace.dead_letters TO millrace_operator;
GRANT SELECT ON TABLE millrace.dead_letters TO millrace_viewer;
GRANT SELECT ON TABLE millrace.function_set TO millrace_enqueuer;
GRANT SELECT ON TABLE millrace.function_set TO millrace_worker;
GRANT SELECT ON TABLE millrace.function_set TO millrace_operator;
GRANT SELECT ON TABLE millrace.function_set TO millrace_viewer;
GRANT SELECT ON TABLE millrace.horizon_holders TO millrace_operator;
GRANT SELECT ON TABLE millrace.horizon_holders TO millrace_viewer;
GRANT SELECT ON TABLE millrace.job_lines TO millrace_operator;
GRANT SELECT ON TABLE millrace.job_lines TO millrace_viewer;
GRANT SELECT ON TABLE millrace.jobs TO millrace_operator;
GRANT SELECT ON TABLE millrace.jobs TO millrace_viewer;
GRANT SELECT ON TABLE millrace.key_limits TO millrace_operator;
GRANT SELECT ON TABLE millrace.key_limits TO millrace_viewer;
GRANT SELECT ON TABLE millrace.kinds TO millrace_operator;
GRANT SELECT ON TABLE millrace.kinds TO millrace_viewer;
GRANT SELECT ON TABLE millrace.workers TO millrace_operator;
GRANT SELECT ON TABLE millrace.workers TO millrace_viewer;
GRANT SELECT ON TABLE millrace.kinds_aside TO millrace_operator;
GRANT SELECT ON TABLE millrace.kinds_aside TO millrace_viewer;
GRANT SELECT ON TABLE millrace.migration TO millrace_enqueuer;
GRANT SELECT ON TABLE millrace.migration TO millrace_worker;
GRANT SELECT ON TABLE millrace.migration TO millrace_operator;
GRANT SELECT ON TABLE millrace.migration TO millrace_viewer;
GRANT SELECT ON TABLE millrace.operator_actions TO millrace_operator;
GRANT SELECT ON TABLE millrace.operator_actions TO millrace_viewer;
GRANT SELECT ON TABLE millrace.queues TO millrace_operator;
GRANT SELECT ON TABLE millrace.queues TO millrace_viewer;
GRANT SELECT ON TABLE millrace.running_jobs TO millrace_operator;
GRANT SELECT ON TABLE millrace.running_jobs TO millrace_viewer;
GRANT SELECT ON TABLE millrace.schedule_runs TO millrace_operator;
GRANT SELECT ON TABLE millrace.schedule_runs TO millrace_viewer;
GRANT SELECT ON TABLE millrace.schedules TO millrace_operator;
GRANT SELECT ON TABLE millrace.schedules TO millrace_viewer;
GRANT SELECT ON TABLE millrace.storage TO millrace_operator;
GRANT SELECT ON TABLE millrace.storage TO millrace_viewer;
GRANT SELECT ON TABLE millrace.stuck_jobs TO millrace_operator;
GRANT SELECT ON TABLE millrace.stuck_jobs TO millrace_viewer;
GRANT SELECT ON TABLE notify.suppressions TO millrace_operator;
GRANT SELECT ON TABLE notify.suppressions TO millrace_viewer;
GRANT SELECT ON TABLE pipeline.builds TO millrace_operator;
GRANT SELECT ON TABLE pipeline.builds TO millrace_viewer;
GRANT SELECT ON TABLE pipeline.history TO millrace_operator;
GRANT SELECT ON TABLE pipeline.history TO millrace_viewer;
GRANT SELECT ON TABLE pipeline.queues TO millrace_operator;
GRANT SELECT ON TABLE pipeline.queues TO millrace_viewer;
GRANT SELECT ON TABLE pipeline.request_projects TO millrace_operator;
GRANT SELECT ON TABLE pipeline.request_projects TO millrace_viewer;
GRANT SELECT ON TABLE pipeline.requests TO millrace_operator;
GRANT SELECT ON TABLE pipeline.requests TO millrace_viewer;
