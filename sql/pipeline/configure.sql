-- settings_of, configure_queue: how a pipeline queue is configured, and how that is changed.
--
-- What is wrong is refused, and nothing is changed then. A build that has been triggered goes on as it was configured;
-- the source control is asked anew at every stage, so that a remote that has moved is found where it is now.
--
-- Arguments  settings  an object with some of
--     remote, ref, job_queue, max_concurrent, max_validation, poll_accepted, poll_running
--                    as in create_queue
--     runner         {"name": "command"}, or a service with what it needs, see build_services.sql
--     command, time_limit, memory_limit, output_limit, disk_limit
--                    of the runner `command`, as in create_queue and limit_command; null for any other. Who changes
--                    the runner need not say so, and begins with those of a new pipeline queue
--     promotion_ref  a branch other than ref that follows the last green; null: none
--     flaky_reruns   how often a build that has failed is repeated before the verdict, 0 … 10
--     bisect_budget  builds that a search for a culprit may take, 0 … 100; 0: no search
--     projects       [{"name": …, "rules": […]}] in their order, see projects.sql
--     sinks          [{"name": …, "kind": …}], see hooks.sql
--     owners         usernames of the email workload, who hear of changes: a sink `owners` of kind email
--     poll           a cron expression for how often the source control is asked; null: somebody else reports heads
-- Locks      the row of pipeline.queue; of its schedule.
-- Raises     MR003 unknown_queue, MR005 bad_argument, MR007 invalid_transition for another runner while a build is
--            under way, and what create_schedule raises.
-- Rows       1, and 1 per project and sink; those of one enqueue per new slot.

-- With every setting, for configure_queue and for people.
create or replace function pipeline.settings_of(queue text)
returns jsonb
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set intervalstyle = postgres
as $$
declare
    known constant pipeline.queue := pipeline.known_queue(queue);
begin
    return jsonb_build_object(
        'remote', known.source_settings -> 'remote', 'ref', known.source_settings -> 'ref',
        'runner', jsonb_build_object('name', known.build_runner)
                  || case known.build_runner when 'command' then '{}' else known.runner_settings end,
        'command', known.runner_settings -> 'argv', 'time_limit', known.runner_settings -> 'time_limit',
        'memory_limit', known.runner_settings -> 'memory_limit', 'disk_limit', known.runner_settings -> 'disk_limit',
        'output_limit', coalesce(known.runner_settings -> 'output_limit',
                                 pipeline.blank_command(jsonb_build_object('name', known.build_runner))
                                 -> 'output_limit'),
        'job_queue', known.job_queue, 'max_concurrent', known.max_concurrent, 'max_validation', known.max_validation,
        'poll_accepted', known.poll_accepted, 'poll_running', known.poll_running,
        'promotion_ref', known.promotion_ref, 'flaky_reruns', known.flaky_reruns,
        'bisect_budget', known.bisect_budget,
        'projects', coalesce((select jsonb_agg(jsonb_build_object('name', p.name, 'rules', p.rules) order by p.position)
                                from pipeline.project p where p.queue = known.name), '[]'),
        'sinks', coalesce((select jsonb_agg(s.settings || jsonb_build_object('name', s.name, 'kind', s.kind,
                                                                             'tells', s.tells) order by s.name)
                             from pipeline.sink s where s.queue = known.name and s.name <> 'owners'), '[]'),
        'owners', coalesce((select s.settings -> 'recipients'
                              from pipeline.sink s where s.queue = known.name and s.name = 'owners'), '[]'),
        'poll', (select s.cron from millrace.schedule s where s.name = pipeline.schedule_of(known.name)));
end
$$;

-- Names of schedules are shorter than those of pipeline queues, and know no slash.
create or replace function pipeline.schedule_of(queue text)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select case when queue ~ '^[a-z0-9_.-]{1,80}$' then 'pipeline.' || queue
                else 'pipeline.' || left(replace(queue, '/', '.'), 50) || '.' || left(md5(queue), 12) end
$$;

create or replace function pipeline.configure_queue(name text, settings jsonb)
returns text[]  -- the settings that have changed
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set intervalstyle = postgres
as $$
declare
    before jsonb;
    wanted jsonb;
    wrong text;
    changed text[];
begin
    perform pipeline.known_queue(name);
    perform from pipeline.queue q where q.name = configure_queue.name for update;
    before := pipeline.settings_of(name);
    perform forks.check_keys('configure_queue', 'settings', settings,
                             array(select b from jsonb_object_keys(before) b order by b));
    wanted := before || settings;
    if wanted #> '{runner,name}' is distinct from before #> '{runner,name}' then
        wanted := before || pipeline.blank_command(settings -> 'runner') || settings;
    end if;
    wrong := coalesce(pipeline.shape_complaint(settings), pipeline.settings_complaint(wanted));
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'configure_queue: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    wanted := wanted || jsonb_build_object('runner', pipeline.whole_runner(wanted -> 'runner'));
    if wanted -> 'runner' <> before -> 'runner'
       and exists (select
                     from pipeline.build b
                    where b.queue = configure_queue.name and b.status in ('accepted', 'running')) then
        raise exception using errcode = 'MR007',
            message = format('a build of %L is under way; its runner cannot be changed', name),
            hint = 'Wait for its end, or cancel it.';
    end if;
    perform millrace.queue_id(wanted ->> 'job_queue');
    perform pipeline.write_settings(name, before, wanted);
    wanted := pipeline.settings_of(name);
    changed := array(select k from jsonb_object_keys(wanted) k where wanted -> k <> before -> k order by k);
    if changed <> '{}' then
        perform millrace.audit('pipeline.configure_queue',
                               jsonb_build_object('pipeline_queue', name, 'changed', changed), 1);
    end if;
    return changed;
end
$$;

-- What is given has the right type; null only where that means something.
create or replace function pipeline.shape_complaint(settings jsonb)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    given record;
begin
    for given in select k.key, k.value, jsonb_typeof(k.value) as type from jsonb_each(settings) k
    loop
        if given.type = 'null' and given.key in ('command', 'time_limit', 'memory_limit', 'output_limit', 'disk_limit',
                                                 'promotion_ref', 'poll') then
            continue;
        elsif given.key in ('max_concurrent', 'flaky_reruns', 'bisect_budget') then
            if given.value::text !~ '^[0-9]{1,6}$' then
                return given.key || ': a whole number';
            end if;
        elsif given.key in ('memory_limit', 'output_limit', 'disk_limit') then
            if given.value::text !~ '^[0-9]{1,15}$' then
                return given.key || ': a whole number of bytes';
            end if;
        elsif given.key in ('time_limit', 'max_validation', 'poll_accepted', 'poll_running') then
            begin
                perform (given.value #>> '{}')::interval;
            exception when data_exception then
                return given.key || ': a duration, such as 20 minutes';
            end;
            if given.type <> 'string' then
                return given.key || ': a duration, such as 20 minutes';
            end if;
        elsif given.key in ('command', 'owners') then
            if given.type <> 'array' then
                return given.key || ': a list of texts';
            elsif exists (select from jsonb_array_elements(given.value) w where jsonb_typeof(w) <> 'string') then
                return given.key || ': a list of texts';
            end if;
        elsif given.key in ('remote', 'ref', 'job_queue', 'promotion_ref', 'poll') then
            if given.type <> 'string' then
                return given.key || ': a text';
            end if;
        end if;
    end loop;
    return null;
end
$$;

-- As create_queue judges, and the rest.
create or replace function pipeline.settings_complaint(s jsonb)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        pipeline.limits_complaint((s ->> 'max_concurrent')::int, (s ->> 'max_validation')::interval,
                                  coalesce((s ->> 'time_limit')::interval,
                                           case when s #>> '{runner,name}' <> 'command'  -- which has no such limit
                                                then (s ->> 'max_validation')::interval end),
                                  (s ->> 'poll_accepted')::interval, (s ->> 'poll_running')::interval),
        pipeline.git_complaint(s ->> 'remote', s ->> 'ref'),
        pipeline.runner_complaint(s),
        case when s ->> 'promotion_ref' is not null
                  and (not forks.is_branch(s ->> 'promotion_ref') or s ->> 'promotion_ref' = s ->> 'ref')
             then 'promotion_ref: the name of a branch other than ref, or null' end,
        case when (s ->> 'flaky_reruns')::int > 10 then 'flaky_reruns: 0 to 10' end,
        case when (s ->> 'bisect_budget')::int > 100 then 'bisect_budget: 0 to 100' end,
        pipeline.projects_complaint(s -> 'projects'),
        pipeline.sinks_complaint(s -> 'sinks'),
        case when s -> 'sinks' @> '[{"name": "owners"}]' then 'sinks: name: not owners, which is a setting' end,
        case when s -> 'owners' <> '[]' and pipeline.recipients_complaint(s -> 'owners') is not null
             then 'owners: up to 100 usernames of the email workload' end)
$$;

create or replace function pipeline.write_settings(queue text, before jsonb, s jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set intervalstyle = postgres
as $$
begin
    update pipeline.queue q
       set source_settings = q.source_settings || jsonb_build_object('remote', s -> 'remote', 'ref', s -> 'ref'),
           build_runner = s #>> '{runner,name}',
           runner_settings = case s #>> '{runner,name}' when 'command' then jsonb_strip_nulls(jsonb_build_object(
                                      'argv', s -> 'command', 'time_limit', (s ->> 'time_limit')::interval,
                                      'memory_limit', s -> 'memory_limit', 'output_limit', s -> 'output_limit',
                                      'disk_limit', s -> 'disk_limit'))
                                  else (s -> 'runner') - 'name' end,
           job_queue = s ->> 'job_queue', max_concurrent = (s ->> 'max_concurrent')::int,
           max_validation = (s ->> 'max_validation')::interval, poll_accepted = (s ->> 'poll_accepted')::interval,
           poll_running = (s ->> 'poll_running')::interval, promotion_ref = s ->> 'promotion_ref',
           flaky_reruns = (s ->> 'flaky_reruns')::int, bisect_budget = (s ->> 'bisect_budget')::int,
           version = q.version + 1
     where q.name = write_settings.queue;
    -- Nobody else tells those who wait at a closed gate of slots that there have not been before.
    perform millrace.enqueue(s ->> 'job_queue', 'pipeline.process',
                             jsonb_build_object('queue', r.queue, 'request', r.number))
       from pipeline.request r
      where r.queue = write_settings.queue and r.state = 'accepted'
      order by r.attempt > 1 desc, r.number desc
      limit greatest(0, (s ->> 'max_concurrent')::int - (before ->> 'max_concurrent')::int);
    delete from pipeline.project p where p.queue = write_settings.queue;
    insert into pipeline.project (queue, name, position, rules)
    select write_settings.queue, p.project ->> 'name', p.place, p.project -> 'rules'
      from jsonb_array_elements(s -> 'projects') with ordinality p(project, place);
    delete from pipeline.sink k where k.queue = write_settings.queue;
    insert into pipeline.sink (queue, name, kind, settings, tells)
    select write_settings.queue, k ->> 'name', k ->> 'kind', k - '{name,kind,tells}'::text[],
           coalesce(k ->> 'tells', 'everything')
      from jsonb_array_elements(s -> 'sinks') k
     union all
    select write_settings.queue, 'owners', 'email', jsonb_build_object('recipients', s -> 'owners'), 'changes'
     where s -> 'owners' <> '[]';
    if exists (select from pipeline.sink k where k.queue = write_settings.queue and k.kind = 'email')
       and not exists (select from notify.event_type t where t.code = 'pipeline.verdict') then
        perform notify.define_type('pipeline.verdict', 'pipeline', 'A branch breaks, or is green again.');
    end if;
    if s -> 'poll' = before -> 'poll' and s -> 'job_queue' = before -> 'job_queue' then
        return;
    elsif s ->> 'poll' is not null then
        perform millrace.create_schedule(pipeline.schedule_of(queue), s ->> 'poll', s ->> 'job_queue',
                                         'pipeline.ingest', jsonb_build_object('queue', queue), misfire => 'skip');
    elsif before ->> 'poll' is not null then
        perform millrace.drop_schedule(pipeline.schedule_of(queue));
    end if;
end
$$;
