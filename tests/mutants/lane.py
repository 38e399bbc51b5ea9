"""The two lanes that plant bugs: SQL, and the worker. Each has a copy of the tree.

The cluster is the SQL lane's first, which tests one bug at a time, because a transaction that is open elsewhere holds
the low-water. Meanwhile the worker lane compiles.
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import threading
import time

import mutant as planted
import named_test
import tree as copies

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOME = ROOT / "build" / "mutants"
BUILD, PROGRAMS = HOME / "build", HOME / "programs"
SOUND, MUTANT = "mutants_sound", "mutants_mutant"  # template databases
FIRST_BUILD_SECONDS, BUILD_SECONDS = 1500, 180
PROGRAMS_AT_A_TIME = 6
CMAKE = ["cmake", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=None", "-DCMAKE_CXX_FLAGS=-O0 -g0",
         "-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=gold"]


class Lane(threading.Thread):
    """Plants one bug after the other in a copy of its own, and puts a line per verdict into `said`."""

    def __init__(self, mutants, said):
        super().__init__(daemon=True)
        self.copy = copies.Tree(ROOT, HOME / self.name_of_copy)
        self.mutants, self.said = mutants, said
        self.tests = sorted({test for mutant in mutants for test in mutant.tests})
        self.sound = set()  # tests that pass while nothing is broken
        self.done = threading.Event()

    def run(self):
        try:
            if self.mutants:
                self.plant_all()
        except Exception as error:  # pylint: disable=broad-except
            self.said.put((False, f"{self.name_of_copy}: {text_of(error)}", 0, []))
        finally:
            self.done.set()
            self.said.put(None)

    def verdict(self, name, judge, *arguments):
        began = time.monotonic()
        try:
            holds, text, why = True, *judge(*arguments)
        except Exception as error:  # pylint: disable=broad-except
            holds, text, why = False, text_of(error), []
        self.said.put((holds, f"{name}{': ' if text else ''}{text}", time.monotonic() - began, why))

    def expect_to_pass(self, test, build=None):
        complaint = named_test.complaint_of(test, SOUND, self.copy.path, build)
        if complaint is not None:
            raise named_test.NoVerdict(f"fails although nothing is broken: {complaint}")
        self.sound.add(test)
        return "", []

    def expect_to_fail(self, mutant, template, build=None):
        unsound = [test for test in mutant.tests if test not in self.sound]
        if unsound:
            raise named_test.NoVerdict(f"no verdict, for {unsound[0]} fails without it")
        complaints = {test: named_test.complaint_of(test, template, self.copy.path, build) for test in mutant.tests}
        blind = [test for test, complaint in complaints.items() if complaint is None]
        if blind:
            raise named_test.NoVerdict(f"SURVIVES {', '.join(blind)}")
        return ", ".join(complaints), [f"{test}: {complaint}" for test, complaint in complaints.items()]


class SqlLane(Lane):
    name_of_copy = "sql"

    def plant_all(self):
        for test in self.tests:
            self.verdict(test, self.expect_to_pass, test)
        for mutant in self.mutants:
            self.verdict(mutant.name, self.plant, mutant)

    def plant(self, mutant):
        with self.copy.broken_by(mutant):
            install(self.copy.path, MUTANT)
            try:
                return self.expect_to_fail(mutant, MUTANT)
            finally:
                drop(MUTANT)


class WorkerLane(Lane):
    """Compiles while the SQL is tested, and keeps the programs. They are run when the cluster is free, several at a
    time: most of them wait for a deadline."""

    name_of_copy = "worker"

    def __init__(self, mutants, said, before):
        super().__init__(mutants, said)
        self.targets = sorted({f"tests_{test.split()[0]}" for test in self.tests})
        self.before = before  # the lane that has the cluster first

    def plant_all(self):
        if not (BUILD / "build.ninja").exists():
            subprocess.run([*CMAKE, "-S", self.copy.path, "-B", BUILD], check=True, capture_output=True, text=True)
        built = []
        shutil.rmtree(PROGRAMS, ignore_errors=True)
        sound = self.build("sound", FIRST_BUILD_SECONDS)
        for mutant in self.mutants:
            try:
                with self.copy.broken_by(mutant):
                    built.append((mutant, self.build(mutant.name)))
            except (planted.BadPatch, named_test.NoVerdict) as error:
                self.said.put((False, f"{mutant.name}: {error}", 0, []))
        self.before.done.wait()
        with concurrent.futures.ThreadPoolExecutor(PROGRAMS_AT_A_TIME) as some:
            for test in self.tests:
                some.submit(self.verdict, test, self.expect_to_pass, test, sound)
        with concurrent.futures.ThreadPoolExecutor(PROGRAMS_AT_A_TIME) as some:
            for mutant, programs in built:
                some.submit(self.verdict, mutant.name, self.expect_to_fail, mutant, SOUND, programs)

    def build(self, name, limit=BUILD_SECONDS):
        status, output = named_test.run(["nice", "ninja", "-C", BUILD, *self.targets], ROOT, os.environ, limit)
        if status != 0:
            error = re.search(r"^.*error: .*", output, re.MULTILINE)
            raise planted.BadPatch(f"it does not compile: {error[0] if error else output[-300:]}")
        kept = PROGRAMS / name
        kept.mkdir(parents=True)
        for program in self.targets:
            shutil.copy2(BUILD / program, kept)
        return kept


def text_of(error):
    return str(getattr(error, "stderr", None) or error).strip()


def psql(database, *words):
    return subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, *words], check=True,
                          capture_output=True, text=True)


def drop(database):
    psql("postgres", "-c", "set client_min_messages = warning",
         "-c", f"drop database if exists {database} with (force)")


def install(copy, database):
    """The functions of this copy upon the migrations of the unbroken one."""
    drop(database)
    psql("postgres", "-c", f"create database {database} template {SOUND}")
    done = subprocess.run(["psql", "-X", "-q", "-d", database, "-f", "sql/install.sql"], cwd=copy, check=False,
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise planted.BadPatch(f"its SQL cannot be installed: {done.stderr.strip().splitlines()[0]}")


def make_sound_template(copy):
    drop(SOUND)
    psql("postgres", "-c", f"create database {SOUND}")
    psql(SOUND, "-c", "create extension pgtap")
    subprocess.run(["psql", "-X", "-q", "-d", SOUND, "-f", "sql/install.sql"], cwd=copy.path, check=True,
                   capture_output=True, text=True)


def lanes_of(mutants, said):
    def is_sql(mutant):
        of_worker = {file.startswith("worker/") for file in mutant.files}
        by_program = {test.split()[0] in named_test.BUILT for test in mutant.tests}
        if len(of_worker | by_program) != 1:
            raise planted.BadPatch(f"{mutant.name}: SQL is tested by sql and race, the worker by GoogleTests")
        return of_worker == {False}
    sql = SqlLane([mutant for mutant in mutants if is_sql(mutant)], said)
    return sql, WorkerLane([mutant for mutant in mutants if not is_sql(mutant)], said, sql)
