"""SQL: every function that a role may execute, with every argument replaced by every hostile value of its type.

A refused call is committed like any other, and so is one of a function that only reads: the checksums of all tables,
taken after each function, prove that neither has changed anything. A call that is legal is rolled back.
"""

import contextlib

import psycopg2

import notify_rules
import rules
import schedule_rules
import workload_rules
from calls import CALLS, READS
from fixture import PRODUCT_ROLES, SCHEMAS, STRANGER, connect, run
from judge import Answer, changes, sql_complaint
from values import GENERATORS, Unreadable, typed

FUNCTIONS = """
select format('%%s.%%s', n.nspname, p.proname), pg_get_function_identity_arguments(p.oid),
       coalesce(p.proargnames[1:p.pronargs], '{}'),
       array(select format_type(t, null) from unnest(p.proargtypes::oid[]) with ordinality u(t, place) order by place),
       array(select r from unnest(%s::text[]) r where has_function_privilege(r, p.oid, 'execute'))
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
 where n.nspname = any (%s) order by 1"""

LEDGER = {"millrace.migration", "millrace.function_set"}


class Callers:
    """A connection for each role."""

    def __init__(self, database):
        self.roles = [*PRODUCT_ROLES, STRANGER]
        self.connections = {role: connect(database.name, role) for role in self.roles}

    def close(self):
        for connection in self.connections.values():
            connection.close()

    def answer(self, role, statement, keeps):
        connection = self.connections[role]
        connection.autocommit = keeps
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
            return Answer(None)
        except psycopg2.Error as error:
            said = error.diag
            return Answer(error.pgcode or "closed", said.message_primary or str(error), said.message_hint or "",
                          said.context or "")
        finally:
            if not keeps and not connection.closed:
                connection.rollback()


def call_of(function, arguments):
    return f"select * from {function}({', '.join(f'{name} => {text}' for name, text in arguments.items())})"


class Group:
    """The calls of one function, and what was wrong with their answers."""

    def __init__(self, area, role):
        self.area, self.role = area, role
        self.refused, self.legal, self.wrong, self.triples = 0, 0, [], set()

    def expect(self, statement, sqlstate, word, keeps=True, role=None, label=""):
        answer = self.area.callers.answer(role or self.role, self.area.database.filled(statement),
                                          keeps or sqlstate is not None)
        complaint = sql_complaint(answer, sqlstate, word)
        if complaint:
            self.wrong.append(f"{label or statement[:200]}: {complaint}")
        elif sqlstate:
            self.refused += 1
        else:
            self.legal += 1

    def try_argument(self, function, fine, name, type_name, domain, keeps):
        for value in GENERATORS[type_name](self.area.seed):
            if isinstance(value.meaning, Unreadable):
                sqlstate, word = value.meaning.sqlstate, ""
            else:
                sqlstate, word = domain(value.meaning) or (None, "")
            self.expect(call_of(function, fine | {name: typed(value, type_name)}), sqlstate, word, keeps,
                        label=f"{function}, {name} => {value.label}")
            if sqlstate:
                self.triples.add((function, name, f"{sqlstate} {word}"))


class SqlArea:
    def __init__(self, database, seed, report):
        self.database, self.seed, self.report = database, seed, report
        self.callers = Callers(database)
        self.sums = database.checksums()

    def finish(self, title, group):
        """Compares all tables with what they were, and says what came of the group."""
        after = self.database.checksums()
        group.wrong += [f"{table} has changed" for table in changes(self.sums, after)]
        self.sums = after
        self.report.group(title, group.refused, group.legal, len({rule for *_, rule in group.triples}), group.wrong)
        self.report.triples |= group.triples

    def try_function(self, name, arguments, types, roles):
        call = CALLS[name]
        group = Group(self, roles[0])
        if list(call.arguments) != arguments:
            group.wrong.append(f"its arguments are {arguments}, calls.py has {list(call.arguments)}")
            self.finish(name, group)
            return
        fine = {argument: typed_text(text, type_name)
                for (argument, (text, _)), type_name in zip(call.arguments.items(), types)}
        keeps = call.answers == READS
        group.expect(call_of(name, fine), None, "", keeps)
        for (argument, (_, domain)), type_name in zip(call.arguments.items(), types):
            group.try_argument(name, fine, argument, type_name, domain, keeps)
        group.expect(call_of(name, fine | {"no_such_argument": "1"}), "42883", "does not exist")
        group.expect(f"select {name}({', '.join(['null'] * (len(arguments) + 1))})", "42883", "does not exist")
        for role in self.callers.roles:
            if role not in roles:
                group.expect(call_of(name, fine), "42501", "permission denied", role=role)
                group.triples.add((name, "role", f"as {role}"))
        self.finish(name, group)

    def try_private_function(self, name, identity, types):
        group = Group(self, None)
        call = f"select {name}({', '.join(f'null::{type_name}' for type_name in types)})"
        for role in self.callers.roles:
            group.expect(call, "42501", "permission denied", role=role)
        group.triples.add((f"{name}({identity})", "role", "private"))
        return group

    def try_functions(self):
        listed = run(self.database.owner, FUNCTIONS, list(PRODUCT_ROLES), list(SCHEMAS))
        public = {name for name, *_, roles in listed if roles}
        self.report.check("every function that a role may execute has a case",
                          [f"{name} has none" for name in sorted(public - CALLS.keys())]
                          + [f"{name} is no such function" for name in sorted(CALLS.keys() - public)])
        private = Group(self, None)
        for name, identity, arguments, types, roles in listed:
            if roles and name in CALLS:
                self.try_function(name, arguments, types, roles)
            elif not roles:
                one = self.try_private_function(name, identity, types)
                private.refused += one.refused
                private.wrong += one.wrong
                private.triples |= one.triples
        self.finish("functions that no role may execute", private)

    def try_tables(self):
        """No role has a right on a table but to read the ledger of migrations."""
        group = Group(self, None)
        for table in self.database.tables:
            for role in self.callers.roles:
                for verb in (f"select 1 from {table}", f"delete from {table}", f"insert into {table} default values",
                             f"truncate {table}", f"comment on table {table} is 'x'", f"drop table {table}",
                             f"create trigger t before insert on {table} execute function millrace.now()"):
                    may_read = verb.startswith("select") and table in LEDGER and role != STRANGER
                    group.expect(verb, None if may_read else "42501", "", role=role)
                group.triples.add((table, "role", f"as {role}"))
        self.finish("tables", group)

    def try_rules(self):
        """The table of rules.py, of which each row says exactly what is refused and how."""
        roles = {name: roles[0] for name, _, _, _, roles in
                 run(self.database.owner, FUNCTIONS, list(PRODUCT_ROLES), list(SCHEMAS)) if roles}
        group = Group(self, None)
        every_rule = rules.RULES + schedule_rules.RULES + workload_rules.RULES + notify_rules.RULES
        for function, argument, rule, call, sqlstate, word in every_rule:
            group.expect(f"select * from {call}", sqlstate, word, role=roles[function],
                         label=f"{function}, {argument}, {rule}")
            group.triples.add((function, argument, rule))
        for rule, settings, function, call, sqlstate, word in rules.STATES:
            self.try_in_state(group, settings, roles[function], call, sqlstate, word)
            group.triples.add((function, "transaction", rule))
        for function, rule, call in rules.LEGAL + schedule_rules.LEGAL + workload_rules.LEGAL + notify_rules.LEGAL:
            group.expect(f"select * from {call}", None, "", keeps=False, role=roles[function],
                         label=f"{function}, {rule}")
        doubled = len(every_rule) - len({row[:3] for row in every_rule})
        group.wrong += [f"{doubled} rules stand there twice"] if doubled else []
        self.report.explicit = len(every_rule) + len(rules.STATES)
        self.finish("rules with their exact SQLSTATE", group)

    def try_in_state(self, group, settings, role, call, sqlstate, word):
        connection = self.callers.connections[role]
        connection.autocommit = False
        try:
            with contextlib.suppress(psycopg2.Error), connection.cursor() as cursor:
                for setting in settings:
                    cursor.execute(self.database.filled(setting))
                group.expect(f"select * from {call}", sqlstate, word, keeps=False, role=role)
        finally:
            connection.rollback()


def typed_text(text, type_name):
    return text if text == "null" else f"{text}::{type_name}"


def run_area(database, seed, report):
    area = SqlArea(database, seed, report)
    try:
        area.try_functions()
        area.try_rules()
        area.try_tables()
    finally:
        area.callers.close()
