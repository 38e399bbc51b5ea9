#!/usr/bin/env python3
"""Runs the areas of tests, each by its own runner, whose summary it prints; then one table and one line of totals.

    test.py [--preset PRESET] [--whole] [AREA...]

--whole also does what takes too long for each change: it plants all bugs, sends 10,000 mails, and builds the previous
release to upgrade from.

An area without a test fails, and so does a test that was skipped: nothing is left out silently. Every area that needs
PostgreSQL gets a private cluster and a template database, which each case clones. Race and horizon specs have a cluster
of their own, because a transaction that is open elsewhere holds the low-water; crash tests have one, because they stop
it. Races and hostile run in lanes, each with a cluster more: see lanes.py.
"""

import argparse
import contextlib
import fcntl
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import lanes  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[3]
CLUSTER = ROOT / "tests" / "support" / "cluster.sh"
AREA_LIMIT_SECONDS = 1800
MOST_COMPLAINTS = 20  # of an area, repeated at the end

# area: (cluster, its mode or None, command); the command's summary is parsed by `count`.
CTEST = ["ctest", "--test-dir", "{build}", "--output-on-failure", "--progress", "-j", "2", "-L"]
PROVE = ["prove", "--exec", "tests/support/pgtap_file.sh"]
HORIZON = [f"tests/sql/{name}" for name in ("low_water.sql", "pinned_horizon.sql", "pinned_keys.sql", "doctor.sql",
                                            "horizon_holders.sql", "horizon_standby.py")]
SQL = sorted({str(path.relative_to(ROOT)) for path in ROOT.glob("tests/sql/*.*")} - set(HORIZON))
AREAS = {
    "tidy": (None, None, ["python3", "tests/tidy/run.py"]),
    "unit": (None, None, [*CTEST, "^unit$"]),
    "sql": ("test", "--fast", [*PROVE, "-j", "2", *SQL]),
    "horizon": ("race", "--fast", [*PROVE, *HORIZON]),
    "race": ("race", "--fast", ["tests/race/run"]),
    "storage": ("test", "--fast", [*CTEST, "^storage$"]),
    "engine": ("test", "--fast", [*CTEST, "^engine$"]),
    "handlers": ("test", "--fast", [*CTEST, "^handlers$"]),
    "migration": ("test", "--fast", [*CTEST, "^migration$"]),
    "crash": ("crash", "--durable", ["tests/crash/run"]),
    "e2e": ("test", "--fast", ["tests/e2e/run"]),
    "docs": ("test", "--fast", ["python3", "tests/docs/run.py"]),
    "config": ("test", "--fast", ["tests/config/run"]),
    "package": (None, None, ["tests/package/run"]),
    "model": (None, None, ["tests/model/run"]),
    "mutants": ("race", "--fast", ["tests/mutants/run", "--eighth"]),
    "hostile": ("test", "--fast", ["tests/hostile/run"]),
    "chaos": (None, None, ["tests/chaos/test"]),  # makes servers of its own, to stop them
    "bench": (None, None, ["bench/test"]),  # the release build, a cluster of its own
    "fuzz": (None, None, ["tests/fuzz/run"]),
    "tsan": ("test", "--fast", ["tests/support/dev/test_tsan.sh"]),
    "demo": (None, None, ["./dev", "demo"]),  # the release build, on a cluster of its own
    "upgrade": ("test", "--fast", ["tests/upgrade/run"]),  # builds the previous release, from the history of this clone
}
ONLY_WHOLE = {"upgrade"}  # or by name
BOUNDS = {"--eighth"}  # what --whole leaves out of a command
WITHOUT_BUILD = {"tidy", "model", "bench", "fuzz", "demo"}


def run(command, **options):
    return subprocess.run(command, cwd=ROOT, check=True, **options)


@contextlib.contextmanager
def held(cluster, wait):
    """Another run in this checkout uses the same clusters. Yields whether this one is ours alone."""
    if cluster is None:
        yield True
        return
    with open(ROOT / "build" / f"{cluster}.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                yield False
                return
            print(f"waiting for another run that uses the cluster '{cluster}'", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield True


def environment_of(area, build, ready):
    """What a runner may rely on; `ready` holds what there is to say of the clusters that have been started."""
    cluster, mode, _ = AREAS[area]
    environment = os.environ | {
        "MILLRACE_BINARY": str(build / "millrace"),
        "MILLRACE_CHAOS_WORKER": str(build / "chaos_worker"),
        "MILLRACE_TEST_CLUSTER": str(CLUSTER),
        "LSAN_OPTIONS": f"suppressions={ROOT}/tests/support/leaks.supp:print_suppressions=0"}
    if cluster:
        if cluster not in ready:
            ready[cluster] = lanes.of_cluster(environment, cluster, mode)
        environment = ready[cluster]
    return environment


def count(output):
    """(passed, failed) as the runner's own summary says; a skipped test has not passed."""
    found = re.search(r"(\d+)% tests passed, (\d+) tests failed out of (\d+)", output)
    if found:
        failed = int(found[2]) + len(re.findall(r"^\s*\d+ - .* \((?:Skipped|Disabled)\)$", output, re.MULTILINE))
        return int(found[3]) - failed, failed
    found = re.search(r"Files=\d+, Tests=(\d+)", output)
    if found:
        failed = sum(int(n) for n in re.findall(r"Failed (\d+)/\d+ subtests", output))
        return int(found[1]) - failed, failed + len(re.findall(r"\.\. skipped", output))
    found = re.search(r"hold\.\s+(\d+) of (\d+), [\d.]+ s$", output, re.MULTILINE)
    if found:
        return int(found[1]), int(found[2]) - int(found[1])
    found = re.findall(r"^(\d+) passed, (\d+) failed$", output, re.MULTILINE)
    if found:
        return tuple(sum(int(pair[i]) for pair in found) for i in (0, 1))
    return 0, 0


def complaints_in(output):
    """The lines that say what failed, whichever runner printed them."""
    said = re.findall(r"^(?:not ok .*|(?:FAIL|ERROR): .*|\s+\d+ - .* \((?:Failed|Timeout|SEGFAULT|Subprocess aborted)\)"
                      r"|tests/\S+ .*Failed: \d+.*|stopped: .*)$", output, re.MULTILINE)
    return [line.strip()[:200] for line in said[:MOST_COMPLAINTS]]


def run_command(command, environment):
    """Shows what the command prints, without its progress; returns (its exit status, its output)."""
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)

    def stop():
        print(f"stopped: more than {AREA_LIMIT_SECONDS} s", flush=True)
        os.killpg(process.pid, signal.SIGKILL)

    watchdog = threading.Timer(AREA_LIMIT_SECONDS, stop)
    watchdog.start()
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if "\r" not in line and not re.match(r"\s*\d+/\d+ Test|\s+Start\s+\d+:|\[ *\d+%\]", line):
                print(line, end="", flush=True)
        return process.wait(), "".join(lines)
    finally:
        watchdog.cancel()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)


def run_area(area, build, ready, whole):
    print(f"\n── {area} " + "─" * (72 - len(area)), flush=True)
    began = time.monotonic()
    command = [part.format(build=build) for part in AREAS[area][2] if not whole or part not in BOUNDS]
    try:
        with held(AREAS[area][0], wait=True):
            status, output = run_command(command, environment_of(area, build, ready))
    except (subprocess.CalledProcessError, OSError) as error:
        status, output = 1, ""
        print(error, flush=True)
    passed, failed = count(output)
    if passed + failed == 0:
        print(f"{area}: no test found, or its runner did not say how many")
        failed = 1
    elif status != 0 and failed == 0:
        print(f"{area}: its runner failed with status {status}")
        failed = 1
    return passed, failed, time.monotonic() - began, complaints_in(output) if failed else []


def main():
    parser = argparse.ArgumentParser(prog="dev test", description=f"areas: {', '.join(AREAS)}; all, if none is named")
    parser.add_argument("--preset", default="dev", help="the build that is tested: dev (default), tsan")
    parser.add_argument("--whole", action="store_true",
                        help="all planted bugs, not an eighth of those in the SQL; 10,000 mails; the area upgrade")
    parser.add_argument("area", nargs="*")
    arguments = parser.parse_args()
    wanted = arguments.area or [area for area in AREAS if arguments.whole or area not in ONLY_WHOLE]
    unknown = [area for area in wanted if area not in AREAS]
    if unknown:
        parser.error(f"no area {', '.join(unknown)}; there are {', '.join(AREAS)}, and bare")
    if set(wanted) - WITHOUT_BUILD:
        if subprocess.run([ROOT / "tests/support/dev/build.sh", arguments.preset], check=False).returncode != 0:
            print("the build failed\n\n0 passed, 1 failed")
            return 1
    if arguments.whole:
        os.environ["MILLRACE_TEST_WHOLE"] = "1"
    ready = {}
    results = {}
    try:
        for area in wanted:
            results[area] = run_area(area, ROOT / "build" / arguments.preset, ready, arguments.whole)
    finally:
        for cluster in ready:
            with held(cluster, wait=False) as ours:
                if ours:
                    subprocess.run([CLUSTER, "stop", cluster], check=False, stdout=subprocess.DEVNULL)
    print("\n" + "─" * 76)
    for area, (passed, failed, seconds, complaints) in results.items():
        print(f"  {area:<12} {passed:>6} passed {failed:>5} failed {seconds:>8.1f} s")
        for complaint in complaints:
            print(f"      {complaint}")
    failed = sum(result[1] for result in results.values())
    print(f"\n{sum(result[0] for result in results.values())} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
