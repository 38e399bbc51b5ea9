-- register_schema, payload_schemas: the JSON Schema of a kind's payloads. Workers check a payload before its handler
-- runs; one that breaks a rule is discarded (running → dead letter), because it would break it the next time, too.
--
-- The server keeps the schema and checks its outline: that it is an object of bounded size and depth, whose references
-- stay within it. What the keywords mean is known to the program, which checks it before it registers it
-- (`millrace schemas set`); workers that are given one which they do not understand put the kind's jobs off.
--
-- Arguments  kind     1 … 100 characters
--            schema   an object: at most 64 KiB of text, 64 levels; null: any payload, as before the first
--            kinds    of which to know the schemas, at most 1000; null: of all
--            known    the version that the caller has; null: none
-- Locks      the kind's row.
-- Raises     MR005 bad_argument.
-- Rows       1, and one of operator_action.

create or replace function millrace.register_schema(kind text, schema jsonb)
returns text  -- registered, changed, unchanged or removed
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    outcome text;
    before jsonb;
begin
    perform millrace.check_kind('register_schema', kind);
    perform millrace.check_schema(schema);
    if schema is not null then
        insert into millrace.kind as k (name, created_at) values (register_schema.kind, millrace.now())
        on conflict (name) do nothing;
    end if;
    select k.payload_schema into before from millrace.kind k where k.name = register_schema.kind for no key update;
    outcome := case when before is not distinct from schema then 'unchanged'
                    when schema is null then 'removed'
                    when before is null then 'registered'
                    else 'changed' end;
    if outcome <> 'unchanged' then
        update millrace.kind k set payload_schema = schema where k.name = register_schema.kind;
        perform pg_notify('millrace:chores', 'schemas');
        perform millrace.audit('register_schema', jsonb_build_object('kind', kind, 'outcome', outcome), 1);
    end if;
    return outcome;
end
$$;

-- What enum, const, default and examples hold are values, which may look like references and are none.
create or replace function millrace.check_schema(schema jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    most_bytes constant int := 65536;
    most_levels constant int := 64;
    wrong text;
begin
    if jsonb_typeof(schema) <> 'object' then
        wrong := 'a JSON object';
    elsif octet_length(schema::text) > most_bytes then
        wrong := format('at most %s bytes of text, not %s', most_bytes, octet_length(schema::text));
    elsif schema is not null then
        with recursive part(value, level, is_value) as (
            select schema, 1, false
            union all
            select c.value, p.level + 1,
                   p.is_value or coalesce(c.key in ('enum', 'const', 'default', 'examples'), false)
              from part p
             cross join lateral (
                   select m.key, m.value
                     from jsonb_each(case when jsonb_typeof(p.value) = 'object' then p.value else '{}' end) m
                   union all
                   select null, e.value
                     from jsonb_array_elements(case when jsonb_typeof(p.value) = 'array' then p.value else '[]' end) e
                   ) c
             where jsonb_typeof(c.value) in ('object', 'array') and p.level <= most_levels)
        select case when max(p.level) > most_levels then format('at most %s levels', most_levels)
                    else min(format('references that begin with "#", not %L', left(p.value ->> '$ref', 100)))
                         filter (where not p.is_value and jsonb_typeof(p.value -> '$ref') = 'string'
                                   and p.value ->> '$ref' not like '#%') end
          into wrong
          from part p;
    end if;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'register_schema: bad schema',
            hint = format('Allowed for schema: %s. `millrace schemas check` says all that is wrong.', wrong);
    end if;
end
$$;

-- For workers, who ask again and again: the schemas only when they are not those that the caller has.
create or replace function millrace.payload_schemas(
    kinds text[] default null, known text default null,
    out version text,
    out schemas jsonb)  -- by kind; null: still those of the known version
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if cardinality(kinds) > 1000 then
        raise exception using errcode = 'MR005', message = 'payload_schemas: bad kinds',
            hint = 'Allowed for kinds: at most 1000 of them, or null for all.';
    end if;
    select coalesce(jsonb_object_agg(k.name, k.payload_schema), '{}') into schemas
      from millrace.kind k
     where k.payload_schema is not null and (kinds is null or k.name = any (kinds));
    version := encode(sha256(convert_to(schemas::text, 'UTF8')), 'hex');
    if version = known then
        schemas := null;
    end if;
end
$$;
