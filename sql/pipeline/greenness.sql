-- greenness: is this commit green, what else is known of it, and which is the latest that is green?
--
-- A commit without a fact is not green: absence never opens a gate.
--
--     verdict   green    degree 0
--               broken   degree above 0
--               flaky    built more than once, and not with one result: not green
--               none     nobody has validated it (yet)
--
-- Arguments  uri      of a commit; gate takes the id of the commit, too, by which a URI ends
--            project  '' for the whole repository
--            max_age  how long ago somebody must have looked at the branch last
-- Locks      none.
-- Raises     MR003 unknown_queue; gate: MR005 bad_argument, MR007 invalid_transition (nobody looks at the branch).

-- Whether that commit has been validated, with degree 0.
create or replace function pipeline.is_green(queue text, uri text, project text default '')
returns boolean
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform pipeline.known_queue(queue);
    return exists (select
                     from pipeline.validation_fact f
                    where f.queue = is_green.queue and f.uri = is_green.uri and f.project = is_green.project
                      and f.degree = 0);
end
$$;

-- By the order of ingestion, not by that of the verdicts: what was validated late does not pass for newer.
create or replace function pipeline.latest_green(queue text, project text default '')
returns text  -- the URI; null: nothing has been green
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    asked constant pipeline.queue := pipeline.known_queue(queue);
begin
    if project = '' then
        return asked.last_green_uri;
    end if;
    return (select f.uri
              from pipeline.validation_fact f
             where f.queue = latest_green.queue and f.project = latest_green.project and f.degree = 0
             order by f.request desc
             limit 1);
end
$$;

-- One row for the whole repository (project ''), one for each project that the commit touches, and one with the roll-up
-- (project null): its verdict is none until the last project is recorded. No row: nobody has reported that commit.
create or replace function pipeline.greenness(queue text, uri text)
returns table (project text, verdict text, degree numeric, recorded_at timestamptz)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform pipeline.known_queue(queue);
    return query
    with asked as (
        select r.queue, r.number, r.uri, r.completed_at, pipeline.roll_up(r.queue, r.number) as roll_up
          from pipeline.request_uri u
          join pipeline.request r on r.queue = u.queue and r.number = u.request
         where u.queue = greenness.queue and u.uri = greenness.uri
    ), named as (
        select a.queue, a.uri, '' as project from asked a
         union
        select a.queue, a.uri, p.project from asked a
          join pipeline.request_project p on p.queue = a.queue and p.request = a.number
         union
        select f.queue, f.uri, f.project from asked a
          join pipeline.validation_fact f on f.queue = a.queue and f.uri = a.uri
    )
    select n.project, pipeline.verdict(f.degree, f.is_flaky), trim_scale(f.degree), f.created_at
      from named n
      left join pipeline.validation_fact f on f.queue = n.queue and f.uri = n.uri and f.project = n.project
     union all
    select null, pipeline.verdict(a.roll_up, false), trim_scale(a.roll_up), a.completed_at from asked a
     order by 1 nulls last;
end
$$;

-- What is known of a commit that was superseded: the verdict on the first later head whose (base, head] holds it, as
-- the source control has listed that, and the green ones around it. What a rewrite of history has dropped is held by
-- none, and neither is what was superseded before anything was green: nobody has asked then. A build in full has no
-- base. A commit that has a verdict of its own is covered by that.
create or replace function pipeline.coverage(queue text, uri text)
returns table (covered_by text, verdict text, degree numeric, base_uri text, previous_green text, next_green text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    asked pipeline.request;
begin
    perform pipeline.known_queue(queue);
    select r.* into asked
      from pipeline.request_uri u
      join pipeline.request r on r.queue = u.queue and r.number = u.request
     where u.queue = coverage.queue and u.uri = coverage.uri;
    if not found then
        return;
    end if;
    return query
    select c.uri, coalesce(c.verdict, 'none'), trim_scale(c.degree), c.base_uri,
           (select f.uri from pipeline.validation_fact f
             where f.queue = asked.queue and f.project = '' and f.degree = 0 and f.request < asked.number
             order by f.request desc limit 1),
           (select f.uri from pipeline.validation_fact f
             where f.queue = asked.queue and f.project = '' and f.degree = 0 and f.request > asked.number
             order by f.request limit 1)
      from (values (1)) once(n)
      left join lateral (
          select h.uri, h.base_uri, f.degree, pipeline.verdict(f.degree, f.is_flaky) as verdict
            from pipeline.validation_fact f
            join pipeline.request h on h.queue = f.queue and h.number = f.request
            left join pipeline.request_uri b on b.queue = h.queue and b.uri = h.base_uri
           where f.queue = asked.queue and f.project = '' and f.request >= asked.number
             and (f.request = asked.number or asked.number = any (h.holds))
             and coalesce(b.request, 0) < asked.number
           order by f.request
           limit 1) c on true;
end
$$;

-- What `millrace pipeline gate` asks.
create or replace function pipeline.gate(
    queue text, commit text, project text default '', max_age interval default null)
returns table (verdict text, uri text, state text, is_final boolean)  -- false: worth waiting for
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    asked constant pipeline.queue := pipeline.known_queue(queue);
    looked timestamptz;
    uris text[];
    wrong text;
begin
    wrong := case
        when commit is null or octet_length(commit) not between 1 and 2000 then 'commit: a URI, or the id of a commit'
        when project is null then 'project: a name, or '''' for the whole repository'
        when max_age <= interval '0' or max_age > interval '10 years'
          or to_char(max_age, 'YYYYMMDDHH24MISSUS') ~ '-'  -- queue/create_queue.sql
            then 'max_age: more than 0, up to 10 years, no part negative, or null'
    end;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'gate: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    select l.at into looked from pipeline.look l where l.queue = asked.name;
    if coalesce(looked, '-infinity') < millrace.now() - max_age then
        raise exception using errcode = 'MR007',
            message = format('nobody has looked at the branch of %L for longer than %s', asked.name, max_age),
            hint = 'A verdict could be outdated: see to the polls (the jobs pipeline.ingest), or leave max_age out.';
    end if;
    uris := array(select u.uri
                    from pipeline.request_uri u
                   where u.queue = asked.name and u.uri = gate.commit);
    if uris = '{}' and gate.commit ~ '^[0-9a-f]{7,64}$' then
        uris := array(select u.uri
                        from pipeline.request_uri u
                       where u.queue = asked.name and u.uri like '%/' || gate.commit || '%'
                         and u.uri ~ ('/' || gate.commit || '[0-9a-f]*$')
                       order by u.request
                       limit 2);
    end if;
    if cardinality(uris) > 1 then
        raise exception using errcode = 'MR005', message = 'gate: bad commit',
            hint = format('Allowed for commit: one that is meant by no other; %s begins more than one.', commit);
    end if;
    return query
    select pipeline.verdict(f.degree, f.is_flaky), r.uri, r.state,
           f.degree is not null or r.state in ('superseded', 'cancelled') or r.state = 'failed' and r.reason is not null
           or gate.project <> '' and r.completed_at is not null
      from pipeline.request_uri u
      join pipeline.request r on r.queue = u.queue and r.number = u.request
      left join pipeline.validation_fact f on f.queue = r.queue and f.uri = r.uri and f.project = gate.project
     where u.queue = asked.name and u.uri = uris[1];
end
$$;
