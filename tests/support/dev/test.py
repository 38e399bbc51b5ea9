#!/usr/bin/env python3
"""Runs the areas of tests, each by its own runner, whose summary it prints; then one table and one line of totals.

    test.py [AREA...]

An area without a test fails: nothing is skipped silently. Every area that needs PostgreSQL gets a private cluster and a
template database, which each case clones. Race specs and crash tests have clusters of their own, because a transaction
that is open elsewhere holds the low-water, and because they stop the server.
"""

import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
CLUSTER = ROOT / "tests" / "support" / "cluster.sh"
BUILD = ROOT / "build" / "dev"
TEMPLATE = "millrace_template"
TIMEOUT_SECONDS = 1800

# area: (cluster, its mode or None, command); the command's summary is parsed by `count`.
CTEST = ["ctest", "--test-dir", str(BUILD), "--output-on-failure", "--progress", "-j", "2", "-L"]
AREAS = {
    "tidy": (None, None, ["python3", "tests/tidy/run.py"]),
    "unit": (None, None, [*CTEST, "^unit$"]),
    "sql": ("test", "--fast", ["prove", "-j", "2", "--ext", ".sql", "--exec", "tests/support/pgtap_file.sh", "tests/sql/"]),
    "race": ("race", "--fast", ["tests/race/run"]),
    "storage": ("test", "--fast", [*CTEST, "^storage$"]),
    "engine": ("test", "--fast", [*CTEST, "^engine$"]),
    "handlers": ("test", "--fast", [*CTEST, "^handlers$"]),
    "migration": ("test", "--fast", [*CTEST, "^migration$"]),
    "crash": ("crash", "--durable", ["tests/crash/run"]),
    "e2e": ("test", "--fast", ["tests/e2e/run"]),
    "docs": ("test", "--fast", ["python3", "tests/docs/run.py"]),
}
WITHOUT_BUILD = {"tidy"}


def run(command, **options):
    return subprocess.run(command, cwd=ROOT, check=True, **options)


def cluster_environment(name, mode):
    run([CLUSTER, "start", name, mode], stdout=subprocess.DEVNULL)
    lines = run([CLUSTER, "env", name], capture_output=True, text=True).stdout.splitlines()
    return dict(line.removeprefix("export ").split("=", 1) for line in lines)


def make_template(environment):
    def psql(database, text):
        run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database], input=text, text=True, env=environment,
            stdout=subprocess.DEVNULL)
    psql("postgres", f"drop database if exists {TEMPLATE} with (force);")
    psql("postgres", f"create database {TEMPLATE};")
    psql(TEMPLATE, "create extension pgtap;")
    run([BUILD / "millrace", "migrate", "up"], env=environment | {"PGDATABASE": TEMPLATE}, stdout=subprocess.DEVNULL)


def environment_of(area, ready):
    cluster, mode, _ = AREAS[area]
    environment = os.environ | {"MILLRACE_BINARY": str(BUILD / "millrace"), "MILLRACE_TEST_CLUSTER": str(CLUSTER)}
    if cluster:
        if cluster not in ready:
            connection = cluster_environment(cluster, mode)
            make_template(environment | connection)
            ready[cluster] = connection
        connection = ready[cluster]
        environment |= connection | {
            "MILLRACE_TEST_CLUSTER_NAME": cluster,
            "MILLRACE_TEST_TEMPLATE": TEMPLATE,
            "MILLRACE_TEST_ADMIN": f"host={connection['PGHOST']} port={connection['PGPORT']} "
                                   f"user={connection['PGUSER']} dbname=postgres"}
    return environment


def count(output):
    """(passed, failed) as the runner's own summary says."""
    found = re.search(r"(\d+)% tests passed, (\d+) tests failed out of (\d+)", output)
    if found:
        return int(found[3]) - int(found[2]), int(found[2])
    found = re.search(r"Files=\d+, Tests=(\d+)", output)
    if found:
        failed = sum(int(n) for n in re.findall(r"Failed (\d+)/\d+ subtests", output))
        return int(found[1]) - failed, failed
    found = re.findall(r"^(\d+) passed, (\d+) failed$", output, re.MULTILINE)
    if found:
        return tuple(sum(int(pair[i]) for pair in found) for i in (0, 1))
    return 0, 0


def run_area(area, ready):
    print(f"\n── {area} " + "─" * (72 - len(area)), flush=True)
    began = time.monotonic()
    process = subprocess.Popen(AREAS[area][2], cwd=ROOT, env=environment_of(area, ready), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "\r" not in line and not re.match(r"\s*\d+/\d+ Test|\s+Start\s+\d+:|\[ *\d+%\]", line):
            print(line, end="", flush=True)
    status = process.wait()
    passed, failed = count("".join(lines))
    if passed + failed == 0:
        print(f"{area}: no test found, or its runner did not say how many")
        failed = 1
    elif status != 0 and failed == 0:
        failed = 1
    return passed, failed, time.monotonic() - began


def main():
    wanted = sys.argv[1:] or list(AREAS)
    unknown = [area for area in wanted if area not in AREAS]
    if unknown:
        print(f"dev test: no area {', '.join(unknown)}; there are {', '.join(AREAS)}", file=sys.stderr)
        return 2
    if set(wanted) - WITHOUT_BUILD:
        if subprocess.run([ROOT / "tests/support/dev/build.sh", "dev"], check=False).returncode != 0:
            print("the build failed\n\n0 passed, 1 failed")
            return 1
    ready = {}
    results = {}
    try:
        for area in wanted:
            results[area] = run_area(area, ready)
    finally:
        for cluster in ready:
            subprocess.run([CLUSTER, "stop", cluster], check=False, stdout=subprocess.DEVNULL)
    print("\n" + "─" * 76)
    for area, (passed, failed, seconds) in results.items():
        print(f"  {area:<12} {passed:>6} passed {failed:>5} failed {seconds:>8.1f} s")
    failed = sum(result[1] for result in results.values())
    print(f"\n{sum(result[0] for result in results.values())} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
