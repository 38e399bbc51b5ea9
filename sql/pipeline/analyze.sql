-- analyze_request, settle_project: which projects a head touches, and what became of each.
--
--     (nothing) ──analyze_request──► pending, and a build of its own ──settle_project──► recorded | cancelled | failed
--     the last of them is no longer pending ──► the request is complete
--
-- A project is touched when a target that was built is its own (projects.sql): passed or failed, not skipped. Its
-- build has a priority of 6: the verdict on a whole head comes before. Analyzed again, a request keeps what it has, but
-- for what a revalidation wants anew.
--
-- The request's roll-up is the part of its projects that are not green: one without a fact, because its build was
-- cancelled or its stage is a dead letter, counts as broken.
--
-- Arguments  build    of the whole repository, with the target graph that it wrote; without one no project is touched
-- Locks      the row of pipeline.queue.
-- Raises     MR003 unknown_queue, MR005 bad_argument, MR007 invalid_transition.
-- Rows       1 per project, and those of one enqueue each.

create or replace function pipeline.analyze_request(queue text, request bigint, build text)
returns int  -- projects that are to be built
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    known pipeline.queue;
    of_request pipeline.request;
    graph jsonb;
    counts jsonb;
    touched record;
    amount int := 0;
begin
    perform pipeline.known_queue(queue);
    select b.target_graph into graph from pipeline.build b
     where b.queue = analyze_request.queue and b.id = analyze_request.build
       and b.request = analyze_request.request and b.project = '' and b.uri is null;
    if not found then
        raise exception using errcode = 'MR005', message = 'analyze_request: bad build',
            hint = 'Allowed for build: a build of the whole repository of this request.';
    end if;
    -- Before anything is locked: many targets of many projects take their time.
    if graph is not null and exists (select
                                       from pipeline.request r
                                      where r.queue = analyze_request.queue and r.number = analyze_request.request
                                        and r.analyzed_at is null) then
        select jsonb_object_agg(p.project, p.counts) into counts
          from (select t.project, jsonb_build_array(count(*), count(*) filter (where t.status = 'failed')) as counts
                  from pipeline.targets_of(analyze_request.queue, graph) t
                 group by t.project) p;
    end if;
    select q.* into known from pipeline.queue q where q.name = analyze_request.queue for update;
    select r.* into of_request from pipeline.request r
     where r.queue = analyze_request.queue and r.number = analyze_request.request;
    if of_request.analyzed_at is null then
        insert into pipeline.request_project (queue, request, project, targets, broken)
        select analyze_request.queue, analyze_request.request, c.key, (c.value ->> 0)::int, (c.value ->> 1)::int
          from jsonb_each(counts) c
        on conflict on constraint request_project_pkey do nothing;
        update pipeline.request r set analyzed_at = millrace.now(), version = r.version + 1
         where r.queue = analyze_request.queue and r.number = analyze_request.request;
    end if;
    for touched in
        select p.project
          from pipeline.request_project p
         where p.queue = analyze_request.queue and p.request = analyze_request.request and p.state = 'pending'
         order by p.project
    loop
        perform millrace.enqueue(known.job_queue, 'pipeline.build',
                                 jsonb_build_object('queue', known.name, 'request', analyze_request.request,
                                                    'project', touched.project, 'run', of_request.first_run),
                                 priority => 6);
        amount := amount + 1;
    end loop;
    perform pipeline.complete_request(queue, request);
    return amount;
end
$$;

-- What became of one project. The first word stands.
create or replace function pipeline.settle_project(queue text, request bigint, project text, state text)
returns boolean  -- false: it was settled before
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    is_first boolean;
begin
    perform pipeline.known_queue(queue);
    if state is null or state not in ('recorded', 'cancelled', 'failed') then
        raise exception using errcode = 'MR005', message = 'settle_project: bad state',
            hint = 'Allowed for state: recorded, cancelled, failed.';
    end if;
    update pipeline.request_project p set state = settle_project.state
     where p.queue = settle_project.queue and p.request = settle_project.request
       and p.project = settle_project.project and p.state = 'pending';
    is_first := found;
    perform pipeline.complete_request(queue, request) where is_first;
    return is_first;
end
$$;

create or replace function pipeline.complete_request(queue text, request bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update pipeline.request r set completed_at = millrace.now(), version = r.version + 1
     where r.queue = $1 and r.number = $2 and r.analyzed_at is not null and r.completed_at is null
       and not exists (select
                         from pipeline.request_project p
                        where p.queue = $1 and p.request = $2 and p.state = 'pending');
end
$$;

-- 0: all its projects are green … 1: none is; null while it is not complete, or touches none.
create or replace function pipeline.roll_up(queue text, request bigint)
returns numeric
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select round(count(*) filter (where f.degree is distinct from 0)::numeric / nullif(count(*), 0), 5)
      from pipeline.request r
      join pipeline.request_project p on p.queue = r.queue and p.request = r.number
      left join pipeline.validation_fact f on f.queue = r.queue and f.uri = r.uri and f.project = p.project
     where r.queue = $1 and r.number = $2 and r.completed_at is not null
$$;

-- What the build of a whole repository has found out of its targets.
create or replace function pipeline.set_target_graph(queue text, id text, graph jsonb)
returns boolean  -- false: there is no such build, or it has one
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    -- The runners allow 16 MiB without a space between the words, which jsonb puts there.
    most_bytes constant int := 33554432;
begin
    if graph is null or jsonb_typeof(graph -> 'targets') is distinct from 'array'
       or octet_length(graph::text) > most_bytes then
        raise exception using errcode = 'MR005', message = 'set_target_graph: bad graph',
            hint = format('Allowed for graph: an object with a list targets, up to %s bytes.', most_bytes);
    end if;
    update pipeline.build b set target_graph = set_target_graph.graph
     where b.queue = set_target_graph.queue and b.id = set_target_graph.id and b.target_graph is null;
    return found;
end
$$;
