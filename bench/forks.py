#!/usr/bin/env python3
"""A run of fork synchronisation against a forge on this host that takes its time: `./dev bench forks`.

    forks.py [--forks N] [--branches N] [--slots N] [--delay SECONDS] [--quick] [--json FILE]

One worker. Each branch is two calls, to bring it up to date and to compare it with its upstream; planning the run is
counted too. Calls divided by what the slots could make at best, with nothing but the forge's delay, is the share.
Environment: MILLRACE_BINARY, set by `./dev bench`.
"""

import argparse
import json
import pathlib
import sys
import tempfile
import time

from server import Server, stop

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "support"))
from github import Forge  # noqa: E402  pylint: disable=wrong-import-position

PATIENCE_SECONDS = 600
TARGET = 200  # calls a second, with 16 slots and 50 ms


def memory_kib(pid):
    return int(pathlib.Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0])


def run_all(server, forge, options):
    """(seconds, KiB of memory after a tenth of the branches, and at the end)"""
    server.reset()
    names = ",".join(f"{10 + n}.0" for n in range(options.branches))
    server.sql(f"""
        select forks.add_fork('org-' || n || '/hub', provider => 'github', branches => '{{{names}}}', queue => 'work'),
               forks.change_fork('org-' || n || '/hub', '{{"upstream_org": "up", "upstream_repo": "hub"}}')
          from generate_series(1, {options.forks}) n;
        select forks.configure_group('default', '{{"queue": "work"}}')""")
    total = options.forks * options.branches
    with tempfile.TemporaryDirectory() as cache:
        server.environment["BENCH_TOKEN"] = "ghp_" + "0" * 36
        worker = server.worker(options.slots, "--cache", cache, "--github-token-variable", "BENCH_TOKEN",
                               "--github-api-url", forge.url)
        started = time.monotonic()
        server.sql("select forks.start_run('default')")
        early = None
        while server.look("select count(*) from forks.digest") == 0:
            if time.monotonic() - started > PATIENCE_SECONDS or worker.poll() is not None:
                sys.exit("the run did not come to its end")
            if early is None and len(forge.asked) > total / 5:
                early = memory_kib(worker.pid)
            time.sleep(0.05)
        seconds = time.monotonic() - started
        late = memory_kib(worker.pid)
        stop([worker])
    if server.value("select updated from forks.runs") != str(total) or len(forge.asked) != 2 * total:
        sys.exit("not every branch was brought up to date with two calls")
    return seconds, early, late


def main():
    parser = argparse.ArgumentParser(prog="dev bench forks")
    parser.add_argument("--forks", type=int, default=1000)
    parser.add_argument("--branches", type=int, default=3)
    parser.add_argument("--slots", type=int, default=16)
    parser.add_argument("--delay", type=float, default=0.05, help="seconds of an answer")
    parser.add_argument("--quick", action="store_true", help="20 forks: shows that it works, no figures")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    if options.quick:
        options.forks = 20
    server = Server("bench_forks", fresh=True)
    forge = Forge(delay_seconds=options.delay)
    try:
        seconds, early, late = run_all(server, forge, options)
    finally:
        forge.close()
        server.destroy()
    calls = 2 * options.forks * options.branches
    row = {"calls": calls, "seconds": seconds, "calls_per_second": calls / seconds,
           "share": calls / seconds / (options.slots / options.delay), "memory_early_kib": early, "memory_kib": late}
    print(f"{calls} calls in {seconds:.1f} s: {row['calls_per_second']:.0f} a second, {row['share']:.0%} of what"
          f" {options.slots} slots could make; memory {(early or 0) / 1024:.0f} MiB early, {late / 1024:.0f} MiB at the end")
    if options.json:
        options.json.write_text(json.dumps(row, indent=2) + "\n")
    if not options.quick:
        print(f"{row['calls_per_second']:.0f} calls/s; the target is {TARGET}: "
              f"{'met' if row['calls_per_second'] >= TARGET else 'not met'}")


if __name__ == "__main__":
    main()
