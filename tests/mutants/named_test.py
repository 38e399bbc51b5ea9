"""Runs one named test of a tree against one template database, and says whether it passed.

    sql FILE              a file of tests/sql
    race SPEC             a spec of tests/race, as it stands: its rules stay in
    random_operations     tests/race/random_operations.py, a few seconds; schedules likewise
    engine|storage|unit FILTER    GoogleTest

A test that gives no verdict of its own within its time has neither passed nor failed.
"""

import importlib.machinery
import importlib.util
import os
import re
import signal
import subprocess

LIMIT_SECONDS = 60
BUILT = ("engine", "handlers", "storage", "unit")
PROGRAMS = ("random_operations", "schedules")


class NoVerdict(Exception):
    pass


def run(command, tree, environment, limit=LIMIT_SECONDS):
    """(exit status, output); the command and its children get no longer than the limit."""
    process = subprocess.Popen(command, cwd=tree, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
    try:
        output, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise NoVerdict(f"no verdict within {limit} s") from None
    return process.returncode, output


def environment_for(template, tree):
    admin = "host={PGHOST} port={PGPORT} user={PGUSER} dbname=postgres".format(**os.environ)
    return os.environ | {"MILLRACE_TEST_TEMPLATE": template, "MILLRACE_TEST_ADMIN": admin,
                         "MILLRACE_TEST_CLUSTER": str(tree / "tests/support/cluster.sh")}


def complaint_of(test, template, tree, programs):
    """None when the test has passed, else what it complained of first."""
    kind, _, name = test.partition(" ")
    environment = environment_for(template, tree)
    if kind == "sql" and (tree / "tests/sql" / name).is_file():
        prove = ["prove", "--verbose", "--exec", "tests/support/pgtap_file.sh", f"tests/sql/{name}"]
        status, output = run(prove, tree, environment)
        first = re.search(r"^not ok \d+ - (.*)", output, re.MULTILINE) or re.search(r"(ERROR: .*)", output)
    elif kind == "race" and (tree / f"tests/race/{name}.spec").is_file():
        return complaint_of_spec(name, template, tree)
    elif test in PROGRAMS:
        operate = ["/usr/bin/python3", f"tests/race/{test}.py", "--seconds", "4"]
        status, output = run(operate, tree, environment)
        first = re.search(r"^    (.+)$", output, re.MULTILINE)
    elif kind in BUILT and name:
        status, output = run([programs / f"tests_{kind}", f"--gtest_filter={name}"], tree, environment)
        if status == 0 and not re.search(r"\[  PASSED  \] [1-9]", output):
            raise NoVerdict("no such test")
        first = re.search(r": Failure\n(.*\n.*)", output)
    else:
        raise NoVerdict("no such test")
    if status == 0:
        return None
    return " ".join(first[1].split()) if first else f"exit status {status}"


def complaint_of_spec(name, template, tree):
    loader = importlib.machinery.SourceFileLoader("race_of_the_copy", str(tree / "tests/race/run"))
    race = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(race)
    race.clone(race.FIXTURE, template)
    try:
        race.psql(race.FIXTURE, "-f", str(tree / "tests/race/fixture.sql"))
        printed = race.print_of(race.isolationtester(), name).splitlines()
    finally:
        race.psql("postgres", text=f"drop database if exists {race.FIXTURE} with (force);")
    wanted = (tree / f"tests/race/expected/{name}.out").read_text().splitlines()
    if printed == wanted:
        return None
    pairs = zip(printed, wanted)
    return next((f"prints '{is_}', not '{should}'" for is_, should in pairs if is_ != should), "prints less or more")
