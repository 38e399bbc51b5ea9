-- announce, seek_culprit, bisect_step, rerun_build: what follows from a verdict, and how sure it is.
--
--     a head breaks, heads before it have no firm verdict ──► searching ──► found | given up
--
-- The commits between the last green request and the broken one are suspects, unless one of them is green: those that
-- were superseded, called off, have failed closed, are flaky or not built yet. Each step builds
-- the one in their middle, at priority 9, in a run of the broken request: no verdict comes of it. If what is broken
-- stays broken, n commits and the head take as many builds as n + 1 can be halved, and flaky_reruns more for each that
-- is red: one that is green then was not to blame. A search ends without a culprit when its budget is spent or a build
-- has no end.
--
-- rerun_build: a build that has failed is built again before its verdict, as often as flaky_reruns says. Red and then
-- green is flaky, which is not green.
--
-- Locks   the row of pipeline.queue.
-- Raises  MR003 unknown_queue, MR005 bad_argument.
-- Rows    1 to 3, and those of an event.

-- After a fact was created, and the bookmark has moved: the promotion branch follows, its project is settled, a search
-- may begin, and the event is told.
create or replace function pipeline.announce(queue text, request bigint, project text)
returns int  -- sinks that are told
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    known pipeline.queue;
begin
    perform pipeline.known_queue(queue);
    select q.* into known from pipeline.queue q where q.name = announce.queue for update;
    if not exists (select
                     from pipeline.request r
                     join pipeline.validation_fact f on f.queue = r.queue and f.uri = r.uri
                    where r.queue = known.name and r.number = announce.request and f.project = announce.project) then
        raise exception using errcode = 'MR005', message = 'announce: bad request',
            hint = 'Allowed for request: one of this queue that has a verdict on this project.';
    end if;
    if project = '' then
        perform pipeline.seek_culprit(queue, request);
        -- One after the other: the last of them finds the last green, and the branch is never moved back.
        perform millrace.enqueue(known.job_queue, 'pipeline.promote', jsonb_build_object('queue', known.name),
                                 concurrency_key => 'pipeline.promote/' || known.name)
          where known.promotion_ref is not null and known.last_green_request = announce.request;
    else
        perform pipeline.settle_project(queue, request, project, 'recorded');
    end if;
    return pipeline.publish_fact(queue, request, project);
end
$$;

-- What became of a promotion: moved, was_there or vanished.
create or replace function pipeline.note_promotion(queue text, uri text, outcome text)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform pipeline.known_queue(queue);
    if outcome is null or outcome not in ('moved', 'was_there', 'vanished') then
        raise exception using errcode = 'MR005', message = 'note_promotion: bad outcome',
            hint = 'Allowed for outcome: moved, was_there, vanished.';
    end if;
    update pipeline.queue q
       set promotions_vanished = q.promotions_vanished + (outcome = 'vanished')::int,
           promoted_uri = case outcome when 'vanished' then q.promoted_uri else note_promotion.uri end,
           version = q.version + 1
     where q.name = note_promotion.queue;
end
$$;

-- Nothing where the branch was broken before, where nothing has been green, or when there is no budget.
create or replace function pipeline.seek_culprit(queue text, request bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    known constant pipeline.queue := pipeline.known_queue(queue);
    last_good bigint;
    head text;
begin
    select max(f.request) into last_good
      from pipeline.validation_fact f
     where f.queue = known.name and f.project = '' and f.degree = 0 and f.request < seek_culprit.request;
    select r.uri into head
      from pipeline.request r
      join pipeline.validation_fact f on f.queue = r.queue and f.uri = r.uri and f.project = ''
     where r.queue = known.name and r.number = seek_culprit.request and f.degree > 0 and not f.is_flaky;
    if known.bisect_budget = 0 or last_good is null or head is null
       or exists (select
                    from pipeline.validation_fact f
                   where f.queue = known.name and f.project = '' and f.degree > 0 and not f.is_flaky
                     and f.request > last_good and f.request < seek_culprit.request) then
        return;
    end if;
    insert into pipeline.bisect (queue, request, good, bad, budget, started_at)
    values (known.name, seek_culprit.request, last_good, seek_culprit.request, known.bisect_budget, millrace.now())
    on conflict on constraint bisect_pkey do nothing;
    if not found then
        return;
    elsif exists (select from pipeline.suspects(known.name, last_good, seek_culprit.request)) then
        perform millrace.enqueue(known.job_queue, 'pipeline.bisect',
                                 jsonb_build_object('queue', known.name, 'request', seek_culprit.request),
                                 priority => 9);
    else
        update pipeline.bisect b set state = 'found', culprit_uri = head, finished_at = millrace.now()
         where b.queue = known.name and b.request = seek_culprit.request;
    end if;
end
$$;

create or replace function pipeline.suspects(queue text, good bigint, bad bigint)
returns table (number bigint, uri text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select r.number, r.uri
      from pipeline.request r
     where r.queue = suspects.queue and r.number > good and r.number < bad
       and not exists (select
                         from pipeline.validation_fact f
                        where f.queue = r.queue and f.uri = r.uri and f.project = '' and f.degree = 0)
     order by r.number
$$;

-- Takes in how the last build of the search ended, and asks for the next.
create or replace function pipeline.bisect_step(queue text, request bigint)
returns text  -- searching, found, given up; null: there is no search
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    known pipeline.queue;
    search pipeline.bisect;
    building text;
    ended text;
    failures int;
    numbers bigint[];
begin
    perform pipeline.known_queue(queue);
    select q.* into known from pipeline.queue q where q.name = bisect_step.queue for update;
    select b.* into search from pipeline.bisect b where b.queue = known.name and b.request = bisect_step.request;
    if search.state is distinct from 'searching' then
        return search.state;
    elsif search.building is not null then
        select b.status, b.uri into ended, building from pipeline.build b
         where b.queue = known.name and b.request = bisect_step.request and b.project = '' and b.run = search.run;
        if ended is null or ended in ('accepted', 'running') then
            return 'searching';  -- asked for before
        end if;
        select count(*) into failures
          from pipeline.build b
          join pipeline.request r on r.queue = b.queue and r.number = b.request and b.run >= r.first_run
         where b.queue = known.name and b.request = bisect_step.request and b.project = '' and b.uri = building
           and b.status = 'failed';
        search.builds := search.builds + 1;
        if ended = 'succeeded' then
            search.good := search.building;
        elsif ended = 'cancelled' then
            search.state := 'given up';
        elsif failures > known.flaky_reruns then
            search.bad := search.building;
        end if;
        if ended <> 'failed' or failures > known.flaky_reruns then
            search.building := null;  -- else the same once more
        end if;
    end if;
    select array_agg(s.number order by s.number) into numbers
      from pipeline.suspects(known.name, search.good, search.bad) s;
    if search.state = 'searching' and numbers is null then
        search.state := 'found';
        select r.uri into search.culprit_uri from pipeline.request r
         where r.queue = known.name and r.number = search.bad;
    elsif search.builds >= search.budget then
        search.state := 'given up';
    end if;
    if search.state = 'searching' then
        search.building := coalesce(search.building, numbers[(cardinality(numbers) + 1) / 2]);
        update pipeline.request r set runs = r.runs + 1, version = r.version + 1
         where r.queue = known.name and r.number = bisect_step.request
        returning r.runs into search.run;
        perform millrace.enqueue(known.job_queue, 'pipeline.build',
                                 jsonb_build_object('queue', known.name, 'request', bisect_step.request,
                                                    'run', search.run, 'uri', r.uri), priority => 9)
           from pipeline.request r
          where r.queue = known.name and r.number = search.building;
    end if;
    update pipeline.bisect b
       set (good, bad, builds, building, run, state, culprit_uri, finished_at)
         = (search.good, search.bad, search.builds, search.building, search.run, search.state, search.culprit_uri,
            case when search.state <> 'searching' then millrace.now() end)
     where b.queue = known.name and b.request = bisect_step.request;
    perform pipeline.publish_culprit(search) where search.state = 'found';
    return search.state;
end
$$;

create or replace function pipeline.publish_culprit(search pipeline.bisect)
returns int
language sql
set search_path = pg_catalog, pg_temp
as $$
    select pipeline.publish(r.queue,
                            format('pipeline/culprit.found/request/%s/%s%s', r.queue, r.number,
                                   case when r.attempt > 1 then '~' || r.attempt end),
                            'culprit.found',
                            jsonb_build_object('queue', r.queue, 'request', format('request/%s/%s', r.queue, r.number),
                                               'uri', r.uri, 'project', '', 'verdict', 'broken',
                                               'culprit_uri', search.culprit_uri, 'culprit_request', search.bad,
                                               'builds', search.builds), true)
      from pipeline.request r
     where r.queue = search.queue and r.number = search.request
$$;

-- The run that repeats a build that has failed.
create or replace function pipeline.rerun_build(queue text, id text)
returns int  -- null: the failure stands
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    known pipeline.queue;
    failed pipeline.build;
    of_request pipeline.request;
begin
    perform pipeline.known_queue(queue);
    select q.* into known from pipeline.queue q where q.name = rerun_build.queue for update;
    select b.* into failed from pipeline.build b where b.queue = known.name and b.id = rerun_build.id;
    select r.* into of_request from pipeline.request r where r.queue = known.name and r.number = failed.request;
    if failed.rerun_as is not null then
        return failed.rerun_as;
    elsif failed.status is distinct from 'failed' or failed.uri is not null or failed.run < of_request.first_run
          or failed.project = '' and of_request.state <> 'processing'
          or (select count(*)
                from pipeline.build b
               where b.queue = known.name and b.request = failed.request and b.project = failed.project
                 and b.uri is null and b.run >= of_request.first_run) > known.flaky_reruns then
        return null;
    end if;
    update pipeline.request r set runs = r.runs + 1, version = r.version + 1
     where r.queue = known.name and r.number = failed.request;
    update pipeline.build b set rerun_as = of_request.runs + 1, version = b.version + 1
     where b.queue = known.name and b.id = failed.id;
    return of_request.runs + 1;
end
$$;
