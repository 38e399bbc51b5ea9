-- build_services: the build runners `github_actions` and `buildkite`, which drive a service by its REST interface.
--
-- What cannot work is refused when it is written. A token is never part of it: `token_env` names a variable of the
-- worker's environment, which begins with PIPELINE_, so that nobody can name the one that bears a password.
--
-- Arguments  runner    github_actions: repository, workflow, ref, token_env and, unless it is GitHub's own, base_url
--                      buildkite: organization, pipeline, branch, token_env and, likewise, base_url
-- Locks   the row of the pipeline queue: no build is triggered meanwhile.
-- Raises  MR003 unknown_queue, MR005 bad_argument; MR007 while a build of another runner is under way.
-- Rows    1, and one of operator_action.

-- What is wrong with these settings; null when nothing is.
create or replace function pipeline.service_complaint(runner text, settings jsonb)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when runner is null or runner not in ('github_actions', 'buildkite') then 'runner: github_actions, buildkite'
        when settings is null or jsonb_typeof(settings) <> 'object' then 'settings: a JSON object'
        when exists (select from jsonb_each(settings) s where jsonb_typeof(s.value) <> 'string')
            then 'settings: texts alone'
        when settings - known.keys <> '{}' then 'settings: ' || array_to_string(known.keys, ', ')
        when (settings ->> 'token_env' ~ '^PIPELINE_[A-Z0-9_]{1,90}$') is not true
            then 'settings: token_env: the name of a variable, beginning with PIPELINE_'
        when coalesce(settings ->> 'base_url', 'https://a')
                 !~ '^https?://[A-Za-z0-9.:[%-]+(][A-Za-z0-9.:%-]*)?(/[A-Za-z0-9._~%-]+)*$'
             or octet_length(settings ->> 'base_url') > 1000
            then 'settings: base_url: http:// or https://, a host and perhaps a path, without a slash at its end'
        when exists (select from jsonb_each_text(settings) s
                      where s.key <> 'base_url' and s.value ~ '(^|/)[.]+(/|$)')
            then 'settings: names, none of them dots alone'
        when runner = 'github_actions' then case
            when (settings ->> 'repository' ~ '^[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}$') is not true
                then 'settings: repository: owner/name'
            when (settings ->> 'workflow' ~ '^[A-Za-z0-9._-]{1,200}$') is not true
                then 'settings: workflow: the name of its file, or its number'
            when forks.is_branch(settings ->> 'ref') is not true then 'settings: ref: a branch'
        end
        when (settings ->> 'organization' ~ '^[A-Za-z0-9._-]{1,200}$') is not true
            then 'settings: organization: its slug'
        when (settings ->> 'pipeline' ~ '^[A-Za-z0-9._-]{1,200}$') is not true then 'settings: pipeline: its slug'
        when forks.is_branch(settings ->> 'branch') is not true then 'settings: branch: a branch'
    end
      from (select case runner when 'buildkite' then '{organization,pipeline,branch,token_env,base_url}'::text[]
                               else '{repository,workflow,ref,token_env,base_url}'::text[] end) known(keys)
$$;

-- Builds that are triggered from now on are that service's.
create or replace function pipeline.use_service(queue text, runner text, settings jsonb)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    changed constant text := (pipeline.known_queue(queue)).name;
    wrong constant text := pipeline.service_complaint(runner, settings);
begin
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'use_service: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    perform from pipeline.queue q where q.name = changed for update;
    if exists (select from pipeline.build b
                where b.queue = changed and b.status in ('accepted', 'running')) then
        raise exception using errcode = 'MR007',
            message = format('a build of %L is under way; its runner cannot be changed', changed),
            hint = 'Wait for its end, or cancel it.';
    end if;
    update pipeline.queue q
       set build_runner = use_service.runner,
           runner_settings = jsonb_build_object('base_url', case use_service.runner
                                                            when 'buildkite' then 'https://api.buildkite.com'
                                                            else 'https://api.github.com' end) || use_service.settings
     where q.name = changed;
    perform millrace.audit('pipeline.use_service',
                           jsonb_build_object('pipeline_queue', changed, 'runner', use_service.runner), 1);
end
$$;

-- How the build runner is configured; none without a pipeline queue of that name.
create or replace function pipeline.runner_settings(queue text)
returns jsonb
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select q.runner_settings from pipeline.queue q where q.name = runner_settings.queue
$$;
