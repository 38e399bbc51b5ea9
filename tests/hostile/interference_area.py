"""Interference: what a caller's session can do to the functions it calls: settings, and namesakes of what they use.

Every function is called in a quiet session and in each hostile one. The answer and all tables must come out the same,
or the call must end in one of the errors that the setting is meant to cause. Time stands still, random numbers and
sequences begin anew for each call, and positions, which are transaction numbers, are left out of the comparison.
"""

import contextlib
import os
import pathlib
import subprocess

import psycopg2

import rules
import workload_rules
from calls import CALLS
from fixture import PRODUCT_ROLES, SCHEMAS, connect, run
from namesakes import plant_namesakes
from settings import SETTINGS, Setting

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLOCK = ROOT / "tests/support/sql/fake_clock.sql"

COLUMNS = """
select format('%%I.%%I', n.nspname, c.relname), string_agg(format('t.%%I', a.attname), ', ' order by a.attnum)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
 where n.nspname = any (%s) and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0
   and not a.attisdropped and a.atttypid not in ('xid8'::regtype, 'xid8[]'::regtype)
 group by 1 order by 1"""

FIRST_ROLE = """
select format('%%s.%%s', n.nspname, p.proname),
       (select r from unnest(%s::text[]) with ordinality u(r, place)
         where has_function_privilege(r, p.oid, 'execute') order by place limit 1)
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = any (%s)"""


class Session:
    """One connection in one state; each call is rolled back."""

    def __init__(self, area, prepare):
        self.area = area
        self.connection = connect(area.database.name)
        prepare(self.connection)
        self.connection.autocommit = False

    def close(self):
        self.connection.close()

    def sqlstate(self, role, call):
        """None, or the error that it ends in."""
        return self.outcome(role, call, whole=False)[0]

    def outcome(self, role, call, whole=True):
        """(SQLSTATE or None, answer, all tables); of an error its message."""
        try:
            with self.connection.cursor() as cursor:
                return None, *self.answer(cursor, role, call, whole)
        except psycopg2.Error as error:  # of the steps around the call, too: a time-out may meet any of them
            return error.pgcode or "closed", None, error.diag.message_primary
        finally:
            self.connection.rollback()

    def answer(self, cursor, role, call, whole):
        if whole:
            run(self.area.database.owner, self.area.reset_sequences)
            cursor.execute("select pg_catalog.setseed(0.5)")
        cursor.execute(f"set local role {role}")
        cursor.execute(f"select pg_catalog.row_to_json(r)::pg_catalog.text from (select * from {call}) r")
        answer = sorted(text for text, in cursor.fetchall())
        cursor.execute("set constraints all immediate")
        cursor.execute("reset role")
        cursor.execute("reset all; set search_path = pg_catalog, pg_temp")
        cursor.execute(self.area.dump if whole else "select 1")
        return answer, sorted(cursor.fetchall())  # a parallel plan gives them in any order


class InterferenceArea:
    def __init__(self, database, report):
        self.database, self.report = database, report
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database.name, "-f", CLOCK], check=True,
                       stdout=subprocess.DEVNULL)
        self.dump = " union all ".join(
            f"select '{table}', md5(coalesce(string_agg(r::text, ';' order by r::text), '')) from (select {columns}"
            f" from {table} t) r" for table, columns in run(database.owner, COLUMNS, list(SCHEMAS)))
        sequences = run(database.owner, "select c.oid from pg_class c where c.relkind = 'S'"
                        " and c.relnamespace::regnamespace::text = any (%s)", list(SCHEMAS))
        self.reset_sequences = "; ".join(f"select setval({oid}, 99000000)" for oid, in sequences)
        self.roles = {name: role for name, role in run(database.owner, FIRST_ROLE, list(PRODUCT_ROLES), list(SCHEMAS))
                      if role}
        self.calls = {name: self.database.filled(f"{name}(" + ", ".join(
            f"{argument} => {text}" for argument, (text, _) in call.arguments.items()) + ")")
            for name, call in CALLS.items()}
        with contextlib.closing(Session(self, lambda _: None)) as quiet:
            self.quiet = {name: quiet.outcome(self.roles[name], call) for name, call in self.calls.items()}
            again = {name: quiet.outcome(self.roles[name], call) for name, call in self.calls.items()}
        report.check("a call in a quiet session comes out the same twice, and well",
                     [f"{name}: {self.quiet[name]} and {again[name]}" for name in self.calls
                      if self.quiet[name] != again[name] or self.quiet[name][0]])

    def try_calls(self, title, prepare, setting):
        wrong = []
        with contextlib.closing(Session(self, prepare)) as session:
            for name, call in self.calls.items():
                complaint = self.complaint(name, session.outcome(self.roles[name], call), setting)
                wrong += [f"{name}: {complaint}"] if complaint else []
            if setting.reads:
                wrong += self.try_refusals(session)
        self.report.check(title, wrong)

    def complaint(self, name, outcome, setting):
        sqlstate, answer, tables = outcome
        _, quiet_answer, quiet_tables = self.quiet[name]
        if sqlstate:
            return None if sqlstate in setting.errors else f"{sqlstate}: {tables}"
        if tables != quiet_tables:
            return f"leaves another {', '.join(now[0] for now, then in zip(tables, quiet_tables) if now != then)}"
        if answer != quiet_answer and not setting.shows:
            return f"answers {answer} instead of {quiet_answer}"
        return None

    def try_refusals(self, session):
        """What is refused in a quiet session must be so in this one, by the same SQLSTATE."""
        wrong = []
        for function, argument, rule, call, sqlstate, _ in rules.RULES + workload_rules.RULES:
            if "\\" in call:
                continue  # the caller's own text has another meaning under some settings
            answer = session.sqlstate(self.roles[function], self.database.filled(call))
            if answer != sqlstate:
                wrong.append(f"{function}, {argument}, {rule}: {answer} instead of {sqlstate}")
        return wrong

    def try_settings(self):
        for setting in SETTINGS:
            def prepare(connection, text=setting.text):
                run(connection, text)
            self.try_calls(f"under {setting.text[:90]}", prepare, setting)

    def try_namesakes(self):
        plant_namesakes(connect(self.database.name), "pg_catalog, pg_temp", ["evil", "public"])
        for path in ("evil, public, pg_temp, pg_catalog, millrace", "pg_temp, evil"):
            def prepare(connection, path=path):
                plant_namesakes(connection, path)
            self.try_calls(f"among namesakes, search_path {path}", prepare, Setting(""))


INSTALLERS = {"psql": ["psql", "-X", "-q", "-f", "sql/install.sql"],
              "the program": [os.environ["MILLRACE_BINARY"], "migrate", "up"]}
FOREIGN = """
select distinct format('%s uses %s', pg_describe_object(d.classid, d.objid, d.objsubid),
                       pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid))
  from pg_depend d
 where (pg_identify_object(d.refclassid, d.refobjid, 0)).schema in ('public', 'evil')
   and pg_describe_object(d.classid, d.objid, d.objsubid) ~ ' (millrace|forks|pipeline|notify)[.]'"""


def try_installers(database, report):
    """Whoever installs finds an attacker's namesakes before PostgreSQL's own, and must not use one of them."""
    for name, command in INSTALLERS.items():
        wrong = []
        with database.clone() as clone:
            connection = connect(clone)
            plant_namesakes(connection, "pg_catalog, pg_temp", ["evil", "public"])
            run(connection, "drop schema millrace, forks, pipeline, notify cascade")
            run(connection, f"alter database {clone} set search_path = evil, public, pg_catalog")
            for _ in ("makes it", "makes it anew"):
                done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False,
                                      env=os.environ | {"PGDATABASE": clone})
                wrong += [done.stderr.strip()] if done.returncode or "captured" in done.stderr else []
            wrong += [said for said, in run(connection, FOREIGN)]
            connection.close()
        report.check(f"{name} installs among namesakes without using one", wrong)


def run_area(database, _seed, report):
    report.check("no function has a backslash, which standard_conforming_strings would take away", [
        name for name, in run(database.owner, "select oid::regproc::text from pg_proc where strpos(prosrc, chr(92)) > 0"
                              " and pronamespace::regnamespace::text = any (%s)", list(SCHEMAS))])
    area = InterferenceArea(database, report)
    area.try_settings()
    area.try_namesakes()
    try_installers(database, report)
