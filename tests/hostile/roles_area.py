"""Roles: who may do what, by trying everything in roles.manifest as a login of each role, and of none.

The manifest is the one place where rights are written down for people; sql/*/grants.sql must give those and no others.
What exists and is not in it fails, and so does what is in it and does not exist.
"""

import collections
import contextlib
import pathlib
import re
import uuid

import psycopg2

from calls import CALLS
from fixture import SCHEMAS, connect, run

MANIFEST = pathlib.Path(__file__).with_name("roles.manifest")
LETTERS = {"E": "millrace_enqueuer", "W": "millrace_worker", "O": "millrace_operator", "V": "millrace_viewer",
           "P": None}  # P: anybody at all
DENIED = "42501"
NO_TABLE = ("55000", "42809")  # views are told what they cannot do before they are asked for a right

Thing = collections.namedtuple("Thing", "kind name identity")

# A day's partition stands for all of them, and a table's row type is its table's matter.
THINGS = """
select 'schema', nspname::text, '' from pg_namespace where nspname = any (%(schemas)s)
union all
select 'function', format('%%s.%%s', n.nspname, p.proname),
       coalesce((select string_agg('null::' || format_type(t, null), ', ') from unnest(p.proargtypes::oid[]) t), '')
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = any (%(schemas)s)
union all
select case c.relkind when 'v' then 'view' when 'm' then 'view' when 'S' then 'sequence' else 'table' end,
       format('%%s.%%s', n.nspname, case when c.relispartition then regexp_replace(c.relname, '[0-9]{8}$', '<day>')
                                        else c.relname end), max(c.relname)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = any (%(schemas)s) and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') group by 1, 2
union all
select 'type', format('%%s.%%s', n.nspname, t.typname), ''
  from pg_type t join pg_namespace n on n.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid
 where n.nspname = any (%(schemas)s) and t.typcategory <> 'A' and (c.oid is null or c.relkind = 'c')
order by 1, 2"""


def read_manifest(text):
    """{(kind, name): letters}, and what is wrong with the file."""
    listed, wrong = {}, []
    for number, line in enumerate(text.splitlines(), 1):
        if not (words := line.split("#")[0].split()):
            continue
        kind, name, *letters = words
        if len(letters) != len(LETTERS) or any(given not in (".", letter) for given, letter in zip(letters, LETTERS)):
            wrong.append(f"roles.manifest:{number}: after the name, each of {' '.join(LETTERS)} or a dot in its place")
        elif (kind, name) in listed:
            wrong.append(f"roles.manifest:{number}: {kind} {name} stands there twice")
        listed[kind, name] = set(letters) - {"."}
    return listed, wrong


class Logins:
    """A login for each role with a schema of its own, and one that is a member of nothing."""

    def __init__(self, database):
        self.database, self.stem = database, f"millrace_login_{uuid.uuid4().hex[:8]}"
        self.connections = {}
        for letter, role in LETTERS.items():
            name = f"{self.stem}_{letter.lower()}"
            run(database.owner, f"create role {name} login" + (f" in role {role}" if role else ""))
            run(database.owner, f"create schema {name} authorization {name}")
            self.connections[letter] = psycopg2.connect(dbname=database.name, user=name)

    def close(self):
        for letter, connection in self.connections.items():
            name = f"{self.stem}_{letter.lower()}"
            connection.close()
            run(self.database.owner, f"drop schema {name} cascade")
            run(self.database.owner, f"drop role {name}")

    def sqlstate(self, letter, statement):
        """What is answered to it; nothing of it stays. None: it was done."""
        with contextlib.closing(self.connections[letter].cursor()) as cursor:
            try:
                cursor.execute(statement)
                return None
            except psycopg2.Error as error:
                return error.pgcode or "closed"
            finally:
                self.connections[letter].rollback()


def tries(thing, database, letter, stem):
    """(statement, whether whoever may use the thing may do this)."""
    schema, _, name = thing.name.partition(".")
    own = f"{stem}_{letter.lower()}"
    if thing.kind == "schema":
        return [(f"select {thing.name}.no_such_function()", True),
                (f"create table {thing.name}.x (a int)", False),
                (f"create function {thing.name}.x() returns int language sql as 'select 1'", False)]
    if thing.kind == "function":
        call = CALLS.get(thing.name)
        arguments = ", ".join(f"{argument} => {text}" for argument, (text, _) in call.arguments.items()) if call else (
            thing.identity)
        return [(f"select * from {thing.name}({database.filled(arguments)})", True)]
    if thing.kind == "type":
        return [(f"create table {own}.x (a {thing.name})", False)]
    relation = f"{schema}.{thing.identity}"
    if thing.kind == "sequence":
        return [(f"select nextval('{relation}')", False), (f"select last_value from {relation}", False),
                (f"select setval('{relation}', 1)", False)]
    is_keyed = database.one(f"select exists (select from pg_index i where i.indrelid = '{relation}'::regclass"
                            " and i.indisprimary)")
    column = database.one(f"select attname from pg_attribute where attrelid = '{relation}'::regclass and attnum > 0"
                          " and not attisdropped order by attidentity <> '' or attname = 'id', attnum limit 1")
    return [(f"select * from {relation} limit 1", True), (f"select count({column}) from {relation}", True),
            (f"insert into {relation} default values", False), (f"update {relation} set {column} = default", False),
            (f"delete from {relation}", False), (f"truncate {relation}", False),
            (f"lock table {relation} in row exclusive mode", False),
            *([(f"create table {own}.x (a int references {relation})", False)] if is_keyed else []),
            (f"create trigger x before insert on {relation} execute function suppress_redundant_updates_trigger()",
             False), (f"alter table {relation} owner to {own}", False), (f"drop table {relation}", False)]


def complaint(thing, letter, statement, may, answer):
    if may and answer == DENIED:
        return f"{thing.kind} {thing.name}: {letter} may not, the manifest says it may: {statement}"
    if not may and answer not in (DENIED, *(NO_TABLE if thing.kind == "view" else ())):
        return f"{thing.kind} {thing.name}: {letter} may ({answer or 'done'}), not so the manifest: {statement}"
    if may and thing.kind != "schema" and answer is not None:
        return f"{thing.kind} {thing.name}: {letter} got {answer}: {statement}"
    return None


class RolesArea:
    def __init__(self, database, report):
        self.database, self.report = database, report
        self.things = [Thing(*row) for row in run_with(database.owner, THINGS, {"schemas": list(SCHEMAS)})]
        self.manifest, self.wrong = read_manifest(MANIFEST.read_text())

    def compare(self):
        there = {(thing.kind, thing.name) for thing in self.things}
        for kind, name in sorted(there - self.manifest.keys()):
            self.wrong.append(f"{kind} {name} is not in tests/hostile/roles.manifest. Decide who may use it, give it in"
                              f" grants.sql, and add a line:  {kind} {name}  E W O V P  (a dot for who may not)")
        for kind, name in sorted(self.manifest.keys() - there):
            self.wrong.append(f"{kind} {name} is in tests/hostile/roles.manifest and does not exist: take the line out")
        doubled = [name for (kind, name), times in
                   collections.Counter((thing.kind, thing.name) for thing in self.things).items() if times > 1]
        self.wrong += [f"{name} has two forms: a call of it is ambiguous" for name in doubled]
        self.wrong += [f"{name} has no call in tests/hostile/calls.py" for (kind, name), letters in
                       self.manifest.items() if kind == "function" and letters and name not in CALLS]
        self.report.check(f"roles.manifest names each of {len(there)} objects of {', '.join(SCHEMAS)}", self.wrong)

    def try_all(self):
        logins = Logins(self.database)
        wrong, tried = collections.defaultdict(list), collections.Counter()
        try:
            for thing in self.things:
                letters = self.manifest.get((thing.kind, thing.name), set())
                for letter in LETTERS:
                    for statement, is_use in tries(thing, self.database, letter, logins.stem):
                        may = is_use and letter in letters
                        if not may and thing.kind == "function":  # refused whatever the arguments
                            statement = f"select {thing.name}({thing.identity})"
                        found = complaint(thing, letter, statement, may, logins.sqlstate(letter, statement))
                        wrong[thing.kind] += [found] if found else []
                        tried[thing.kind] += 1
        finally:
            logins.close()
        for kind, amount in sorted(tried.items()):
            self.report.check(f"each role may do with a {kind} what the manifest says: {amount} attempts", wrong[kind])

    def membership(self):
        """Rights that are written down beside the manifest would escape it."""
        ours = ["millrace_owner", *filter(None, LETTERS.values())]
        members = run(self.database.owner,
                      "select format('%%s is a member of %%s', m.member::regrole, m.roleid::regrole)"
                      " from pg_auth_members m where m.member::regrole::text = any (%s)", ours)
        self.report.check("no role of ours is a member of another", [said for said, in members])


def run_with(connection, statement, arguments):
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        return cursor.fetchall()


def self_test():
    """(what, whether it is refused) for each sample."""
    thing, statement = Thing("function", "millrace.x", ""), "select millrace.x()"
    return [("a right that is missing", complaint(thing, "E", statement, True, DENIED)),
            ("a right too many", complaint(thing, "E", statement, False, None)),
            ("a call that fails otherwise", complaint(thing, "E", statement, True, "MR005")),
            ("a line with a letter out of its place", read_manifest("function a.b W E O V P")[1]),
            ("a line that stands there twice", read_manifest("type a.b . . . . .\ntype a.b . . . . .")[1])]


def run_area(database, _seed, report):
    report.check("the judge of rights refuses its samples", [what for what, refused in self_test() if not refused])
    area = RolesArea(database, report)
    area.compare()
    area.membership()
    area.try_all()
