-- revalidate: an operator does not believe a verdict, or wants one where there is none.
--
--     succeeded, failed, cancelled, superseded ──► accepted, as a new attempt that nothing supersedes
--
-- What is not green is set aside and stays in pipeline.history; from now on there is no verdict. What is green stands:
-- if the whole commit is, only its projects that are not are built again: its build of the attempt before is analyzed
-- once more, and `run` of the job says that this is of the new one. A green commit cannot be revalidated, because the
-- last green may be it, and the bookmark only moves forward.
--
-- Arguments  uri     of a commit that has been reported
--            reason  1 … 1,000 characters, for whoever reads the history
-- Locks      the row of pipeline.queue.
-- Raises     MR003 unknown_queue, MR005 bad_argument, MR007 invalid_transition.
-- Rows       1 per verdict and project of the commit, those of one enqueue, and one of operator_action.

create or replace function pipeline.revalidate(queue text, uri text, reason text)
returns int  -- the attempt that begins
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    known pipeline.queue;
    again pipeline.request;
    graph_of text;
    is_green boolean;
    wrong text;
begin
    perform pipeline.known_queue(queue);
    select q.* into known from pipeline.queue q where q.name = revalidate.queue for update;
    select r.* into again
      from pipeline.request_uri u
      join pipeline.request r on r.queue = u.queue and r.number = u.request
     where u.queue = known.name and u.uri = revalidate.uri;
    wrong := case
        when again.number is null then 'uri: a commit that was reported, pipeline.requests has them'
        when reason is null or length(reason) not between 1 and 1000 then 'reason: 1 to 1000 characters'
    end;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'revalidate: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    is_green := pipeline.is_green(queue, uri);
    if again.state in ('accepted', 'processing') or again.analyzed_at is not null and again.completed_at is null then
        raise exception using errcode = 'MR007', message = format('request %s of %L is being validated', again.number,
                                                                  known.name),
            hint = 'Wait for its end.';
    elsif is_green and again.state = 'succeeded'
          and not exists (select from pipeline.doubted_projects(again)) then
        raise exception using errcode = 'MR007',
            message = format('request %s of %L is green', again.number, known.name),
            hint = 'What is green stays green: if it should not be, report a commit that is not.';
    end if;

    insert into pipeline.superseded_fact (queue, uri, project, attempt, degree, is_flaky, request, created_at,
                                          superseded_at, superseded_by, reason)
    select f.queue, f.uri, f.project, again.attempt, f.degree, f.is_flaky, f.request, f.created_at, millrace.now(),
           session_user, revalidate.reason
      from pipeline.validation_fact f
     where f.queue = known.name and f.uri = again.uri and f.degree > 0;
    delete from pipeline.validation_fact f where f.queue = known.name and f.uri = again.uri and f.degree > 0;
    update pipeline.request r
       set attempt = r.attempt + 1, first_run = r.runs + 1, runs = r.runs + 1, version = r.version + 1, reason = null,
           completed_at = null,
           analyzed_at = case when is_green then r.analyzed_at end,
           finished_at = case when is_green then r.finished_at end,
           state = case when is_green then 'succeeded' else 'accepted' end
     where r.queue = known.name and r.number = again.number;
    if is_green then
        update pipeline.request_project p set state = 'pending'
         where p.queue = known.name and p.request = again.number
           and p.project in (select d.project from pipeline.doubted_projects(again) d);
        select b.id into graph_of from pipeline.build b
         where b.queue = known.name and b.request = again.number and b.project = '' and b.uri is null
         order by b.run desc limit 1;
    else
        delete from pipeline.request_project p where p.queue = known.name and p.request = again.number;
        delete from pipeline.bisect b where b.queue = known.name and b.request = again.number;
    end if;
    perform millrace.enqueue(known.job_queue, case when is_green then 'pipeline.analyze' else 'pipeline.process' end,
                             jsonb_strip_nulls(jsonb_build_object(
                                 'queue', known.name, 'request', again.number, 'build', graph_of,
                                 'run', case when is_green then again.runs + 1 end)));
    perform millrace.audit('pipeline.revalidate',
                           jsonb_build_object('pipeline_queue', known.name, 'request', again.number, 'uri', again.uri,
                                              'attempt', again.attempt + 1, 'reason', reason), 1);
    return again.attempt + 1;
end
$$;

-- Touched, and not found green.
create or replace function pipeline.doubted_projects(of_request pipeline.request)
returns table (project text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select p.project
      from pipeline.request_project p
     where p.queue = of_request.queue and p.request = of_request.number
       and not exists (select
                         from pipeline.validation_fact f
                        where f.queue = p.queue and f.uri = of_request.uri and f.project = p.project and f.degree = 0)
$$;
