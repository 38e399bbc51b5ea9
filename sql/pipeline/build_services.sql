-- build_services: the build runners `github_actions` and `buildkite`, which drive a service by its REST interface; and
-- how a pipeline queue says which runner is its own.
--
-- Whichever it is, it is a setting like the others, `runner` of configure.sql. Those of the command (command,
-- time_limit and the limits of command_log.sql) are null for a service. A build that is under way keeps its runner.
--
-- What cannot work is refused when it is written. A token is never part of it: `token_env` names a variable of the
-- worker's environment, which begins with PIPELINE_, so that nobody can name the one that bears a password.
--
-- Arguments  runner    github_actions: repository, workflow, ref, token_env and, unless it is GitHub's own, base_url
--                      buildkite: organization, pipeline, branch, token_env and, likewise, base_url
-- Locks   as configure_queue: no build is triggered meanwhile.
-- Raises  MR003 unknown_queue, MR005 bad_argument; MR007 while a build of another runner is under way.
-- Rows    those of configure_queue, and one of operator_action.

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

-- The settings of the command when nobody has said anything of them.
create or replace function pipeline.blank_command(runner jsonb)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when runner ->> 'name' in ('github_actions', 'buildkite')
            then '{"command": null, "time_limit": null, "memory_limit": null, "output_limit": null,
                   "disk_limit": null}'::jsonb
        else '{"command": null, "time_limit": "01:00:00", "memory_limit": null, "output_limit": 67108864,
               "disk_limit": null}'
    end
$$;

-- With the address of the service itself, if it is to be found there.
create or replace function pipeline.whole_runner(runner jsonb)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select case runner ->> 'name'
               when 'github_actions' then '{"base_url": "https://api.github.com"}'::jsonb || runner
               when 'buildkite' then '{"base_url": "https://api.buildkite.com"}'::jsonb || runner
               else runner
           end
$$;

-- What is wrong with the runner among the settings of a pipeline queue; null when nothing is.
create or replace function pipeline.runner_complaint(s jsonb)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when jsonb_typeof(s -> 'runner') is distinct from 'object' then 'runner: an object with a name'
        when s #>> '{runner,name}' = 'command' then
            case when s -> 'runner' <> '{"name": "command"}' then 'runner: of command the name alone'
                 else coalesce(
                     pipeline.command_complaint(case jsonb_typeof(s -> 'command') when 'array' then
                                                    array(select jsonb_array_elements_text(s -> 'command')) end),
                     pipeline.command_limits_complaint((s ->> 'memory_limit')::bigint, (s ->> 'output_limit')::bigint,
                                                       (s ->> 'disk_limit')::bigint)) end
        when (s #>> '{runner,name}' in ('github_actions', 'buildkite')) is not true
            then 'runner: name: command, github_actions, buildkite'
        else coalesce(
            (select min(k || ': null, because the runner is none that has it')
               from jsonb_object_keys(pipeline.blank_command(s -> 'runner')) k
              where s -> k <> 'null'),
            regexp_replace(pipeline.service_complaint(s #>> '{runner,name}', (s -> 'runner') - 'name'),
                           '^settings', 'runner'))
    end
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
    perform pipeline.configure_queue(changed, jsonb_build_object('runner', settings
                                                                           || jsonb_build_object('name', runner)));
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
