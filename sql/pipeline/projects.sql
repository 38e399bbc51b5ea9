-- projects: which project a target belongs to.
--
-- The projects of a pipeline queue have an order, and each has rules in theirs: the first rule that fits decides. A
-- rule looks at the name of a target, or at the paths that the target names as its own, with a glob or a regular
-- expression:
--
--     {"target": "//web/**"}   {"path": "web/**"}   {"target_regex": "^//web[:/]"}   {"path_regex": "^web/"}
--
-- In a glob "*" is any text without "/", "**" any text, "?" any character but "/"; a name matches as a whole. A target
-- that no rule fits belongs to the project `unmapped`.
--
-- Locks   none.
-- Raises  nothing; a complaint is a text.

create or replace function pipeline.glob_pattern(glob text)
returns text  -- a regular expression
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select '^' || string_agg(case part
                                 when '**' then '.*'
                                 when '*' then '[^/]*'
                                 when '?' then '[^/]'
                                 else case when part ~ '[].+^$(){}|[]' or part = chr(92) then chr(92) || part
                                           else part end
                             end, '' order by place) || '$'
      from (select found[1] as part, place
              from regexp_matches(glob, '[*][*]|.', 'g') with ordinality m(found, place)) parts
$$;

set local client_min_messages = warning;
drop function if exists pipeline.project_of(text, text, text[]);
drop function if exists pipeline.rule_fits(jsonb, text, text[]);
reset client_min_messages;

-- The targets that were built, with their projects. What is no target is passed over. One pattern is tried on all
-- targets before the next: PostgreSQL remembers 32 that it has compiled.
create or replace function pipeline.targets_of(queue text, graph jsonb)
returns table (target text, status text, project text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with rule as materialized (
        select row_number() over (order by p.position, r.place) as rank, p.name as owner, of.key as kind,
               case when of.key ~ 'regex' then of.pattern else pipeline.glob_pattern(of.pattern) end as pattern
          from pipeline.project p,
               jsonb_array_elements(p.rules) with ordinality r(rule, place),
               jsonb_each_text(r.rule) of(key, pattern)
         where p.queue = targets_of.queue
    ), built as materialized (
        select t.place, t.element ->> 'name' as name, t.element ->> 'status' as ended, t.element -> 'paths' as paths
          from jsonb_array_elements(case when jsonb_typeof(graph -> 'targets') = 'array'
                                         then graph -> 'targets' else '[]' end) with ordinality t(element, place)
         where jsonb_typeof(t.element -> 'name') = 'string' and t.element ->> 'status' in ('passed', 'failed')
    ), path as materialized (
        select t.place, p.path
          from built t,
               jsonb_array_elements_text(case when jsonb_typeof(t.paths) = 'array' then t.paths else '[]' end) p(path)
    ), fitting as (
        select f.place, min(r.rank) as rank
          from rule r,
               lateral (select t.place from built t where r.kind like 'target%' and t.name ~ r.pattern
                        union all
                        select p.place from path p where r.kind like 'path%' and p.path ~ r.pattern offset 0) f
         group by f.place
    )
    select t.name, t.ended, coalesce(r.owner, 'unmapped')
      from built t
      left join fitting f on f.place = t.place
      left join rule r on r.rank = f.rank
     order by t.place;
end
$$;

create or replace function pipeline.rule_complaint(rule jsonb)
returns text
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    kind text;
    pattern text;
begin
    if jsonb_typeof(rule) <> 'object' or (select count(*) from jsonb_object_keys(rule)) <> 1
       or not rule ?| '{target,path,target_regex,path_regex}' then
        return 'projects: rules: each with one of target, path, target_regex, path_regex';
    end if;
    select r.key, r.value #>> '{}' into kind, pattern from jsonb_each(rule) r;
    if jsonb_typeof(rule -> kind) <> 'string' or length(pattern) not between 1 and 500 then
        return format('projects: rules: %s: a text of 1 to 500 characters', kind);
    end if;
    perform '' ~ case when kind ~ 'regex' then pattern else pipeline.glob_pattern(pattern) end;
    return null;
exception when invalid_regular_expression then
    return format('projects: rules: %s: not a regular expression that PostgreSQL reads', kind);
end
$$;

-- What is wrong with projects as they are configured: [{"name": …, "rules": […]}].
create or replace function pipeline.projects_complaint(projects jsonb)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when jsonb_typeof(projects) <> 'array' or jsonb_array_length(projects) > 1000
            then 'projects: a list of up to 1000'
        when exists (select from jsonb_array_elements(projects) p
                      where jsonb_typeof(p) <> 'object' or p - '{name,rules}'::text[] <> '{}')
            then 'projects: each an object with name and rules'
        when exists (select from jsonb_array_elements(projects) p
                      where (jsonb_typeof(p -> 'name') = 'string' and p ->> 'name' <> 'unmapped'
                             and p ->> 'name' ~ '^[a-z0-9][a-z0-9_.-]{0,99}$') is not true)
            then 'projects: name: 1 to 100 of a-z, 0-9, "_", "." and "-", first a letter or digit; not unmapped'
        when (select count(distinct p ->> 'name') < count(*) from jsonb_array_elements(projects) p)
            then 'projects: each name once'
        when exists (select from jsonb_array_elements(projects) p
                      where case when jsonb_typeof(p -> 'rules') = 'array'
                                 then jsonb_array_length(p -> 'rules') not between 1 and 100 else true end)
            then 'projects: rules: a list of 1 to 100'
        else (select min(pipeline.rule_complaint(r))
                from jsonb_array_elements(projects) p, jsonb_array_elements(p -> 'rules') r)
    end
$$;
