-- payload_schemas.sql: schemas are registered, changed and removed; which are refused; what workers are told.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(33);

create function pg_temp.nested(levels int)
returns jsonb
language sql
as $$ select (repeat('{"not":', levels - 1) || '{}' || repeat('}', levels - 1))::jsonb $$;
-- So many bytes of text.
create function pg_temp.sized(bytes int)
returns jsonb
language sql
as $$ select jsonb_build_object('title', repeat('x', bytes - octet_length('{"title": ""}'))) $$;

-- What register_schema does.
set local role millrace_operator;
select is(millrace.register_schema('mail', null), 'unchanged', 'there is nothing to remove');
reset role;
select is_empty('select from millrace.kind', 'and a kind of which there is nothing to say gets no row');
set local role millrace_operator;
select is(millrace.register_schema('mail', '{"type": "object"}'), 'registered', 'the first schema of a kind');
select is(millrace.register_schema('mail', '{"type":"object"}'), 'unchanged', 'the same again');
select is(millrace.register_schema('mail', '{"type": "array"}'), 'changed', 'another one');
select is(millrace.register_schema('mail', null), 'removed', 'null removes it');
select is(millrace.register_schema('mail', null), 'unchanged', 'once');
reset role;
select results_eq($$ select detail ->> 'kind', detail ->> 'outcome' from millrace.operator_action
                      where action = 'register_schema' order by ctid $$,
                  $$ values ('mail', 'registered'), ('mail', 'changed'), ('mail', 'removed') $$,
                  'what has changed is in the book, and nothing else');
select is((select at from millrace.operator_action where action = 'register_schema' order by ctid limit 1),
          millrace.now(), 'with its time');
update millrace.kind set max_attempts = 3, paused_at = millrace.now() where name = 'mail';
select is(millrace.register_schema('mail', '{"type": "object"}'), 'registered', 'again');
select row_eq($$ select max_attempts, paused_at from millrace.kind where name = 'mail' $$,
              row(3::smallint, millrace.now()), 'what else is known of the kind stays');

-- What it refuses.
select throws_ok(format('select millrace.register_schema(%L, %L)', kind, '{}'), 'MR005',
                 'register_schema: bad kind', 'no kind: ' || coalesce(left(kind, 3), 'null'))
  from (values (null), (''), (repeat('k', 101))) v(kind);
select throws_ok(format('select millrace.register_schema(%L, %L)', 'x', schema), 'MR005',
                 'register_schema: bad schema', 'no schema: ' || left(schema::text, 40))
  from (values ('true'::jsonb), ('null'), ('[]'), ('"{}"'), ('7'), (pg_temp.sized(65537)), (pg_temp.nested(65)),
               ('{"$ref": "http://example.org/schema"}'), ('{"properties": {"a": {"items": [{"$ref": "b.json"}]}}}')
       ) v(schema);
select lives_ok(format('select millrace.register_schema(%L, %L)', 'y', schema), 'a schema: ' || left(schema::text, 40))
  from (values (pg_temp.sized(65536)), (pg_temp.nested(64)), ('{"$ref": "#/$defs/a", "$defs": {"a": {}}}'),
               ('{"const": {"$ref": "http://example.org"}, "properties": {"$ref": {"type": "string"}}}')) v(schema);
select is((select count(*) from millrace.kind where name = 'x'), 0::bigint, 'what is refused leaves no kind');

-- What workers are told.
select millrace.register_schema('y', '{"type": "null"}') as y, millrace.register_schema('z', '{"type": "string"}') as z
\gset
set local role millrace_worker;
select is(schemas, '{"mail": {"type": "object"}, "y": {"type": "null"}}', 'the schemas of the kinds they ask for')
  from millrace.payload_schemas('{mail,y,none}');
select version from millrace.payload_schemas('{mail,y,none}') \gset
select row_eq(format('select version, schemas from millrace.payload_schemas(%L, %L)', '{mail,y,none}', :'version'),
              row(:'version'::text, null::jsonb), 'nothing, if those are the ones they have');
reset role;
select millrace.register_schema('z', null) as z \gset
select is((select p.schemas from millrace.payload_schemas('{mail,y,none}', :'version') p), null,
          'another kind is not theirs');
select millrace.register_schema('y', null) as y \gset
select is((select p.schemas from millrace.payload_schemas('{mail,y,none}', :'version') p),
          '{"mail": {"type": "object"}}', 'and those of now, if they have changed');
select throws_ok($$ select millrace.payload_schemas(array_fill('k'::text, '{1001}')) $$, 'MR005',
                 'payload_schemas: bad kinds', 'of a thousand kinds at most');

select * from finish();
rollback;
