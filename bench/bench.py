#!/usr/bin/env python3
"""Measures the queue beside others on a throw-away durable cluster. bench/README.md says how to read it.

    bench.py [WORKLOAD…] [--against LIST] [--jobs N] [--runs N] [--minutes N] [--quick] [--json FILE] [--out FOLDER]
    bench.py --again FILE          the tables of an earlier run, from its JSON

Environment: MILLRACE_BINARY and MILLRACE_NODE, set by `./dev bench`.
"""

import argparse
import importlib
import json
import pathlib
import shutil
import signal
import subprocess
import sys

import report
import targets
from contestants import KEYS, ON_POSTGRES, BullMq
from measures import Progress
from redis_server import Redis
from server import Server

HERE = pathlib.Path(__file__).resolve().parent
WORKLOADS = ("enqueue", "drain", "latency", "steady", "handlers", "horizon", "pinned", "backlog", "keys", "heartbeat",
             "idle", "notify", "atomic", "lines", "views")
ONLY_WHEN_NAMED = {"views"}  # ten minutes, and 15 GB of disk
OURS = {"millrace"}


class Bench:
    """What a workload is told: sizes, and who takes part."""

    def __init__(self, server, options):
        self.server, self.quick, self.runs = server, options.quick, options.runs
        self.jobs, self.against = options.jobs, options.against
        self.progress, self.redis = Progress(), None
        quick = options.quick
        self.single_jobs = 80 if quick else options.jobs // 10
        self.latency_jobs = 30 if quick else 1_000
        self.steady_seconds = 1 if quick else 60
        self.pinned_seconds = 60 * options.minutes
        self.pinned_jobs = options.jobs * (1 if quick else 10)
        self.idle_seconds = 1 if quick else 60
        self.settling_seconds = 0.2 if quick else 40

    def contestants(self, *keys, are_all_quick=False):
        """Of these, ours and those that were asked for, in this order. A quick run is content with the first two,
        but where it is to show that each peer works."""
        wanted = [key for key in keys if key in OURS or key in self.against]
        wanted = wanted[:2] if self.quick and not are_all_quick else wanted
        known = {contestant.key: contestant for contestant in ON_POSTGRES}
        return [known[key](self.server) if key in known else self.on_redis() for key in wanted]

    def by_key(self, *keys):
        return {contestant.key: contestant for contestant in self.contestants(*keys, are_all_quick=True)}

    def on_redis(self):
        self.redis = self.redis or Redis()
        return BullMq(self.server, self.redis)

    def end(self):
        if self.redis:
            self.redis.stop()


def versions():
    found = json.loads((HERE / "peers/package.json").read_text())["dependencies"]
    if shutil.which("redis-server"):
        found["redis"] = subprocess.run(["redis-server", "--version"], capture_output=True, text=True).stdout.split()[2]
    queried = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "postgresql-15-pgq3"], capture_output=True,
                             text=True)
    return found | {"pgq": queried.stdout or "none"}


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", metavar="workload", help=", ".join(WORKLOADS) + "; by default all but "
                        + ", ".join(ONLY_WHEN_NAMED))
    parser.add_argument("--against", metavar="LIST", default=",".join(KEYS), help="who takes part beside millrace: of "
                        + ", ".join(key for key in KEYS if key not in OURS) + "; by default all of them; none")
    parser.add_argument("--jobs", type=int, help="of a drain; 200,000")
    parser.add_argument("--runs", type=int, help="whose medians are told; 3")
    parser.add_argument("--minutes", type=float, help="of the pinned steady load; 10")
    parser.add_argument("--quick", action="store_true",
                        help="few jobs, one run, nothing durable: shows that it works, not how fast")
    parser.add_argument("--json", type=pathlib.Path, help="where all figures go")
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parent / "build/bench", help="where the plots go")
    parser.add_argument("--again", type=pathlib.Path, metavar="FILE", help="shows the figures of an earlier run")
    options = parser.parse_args()
    unknown = set(options.workloads) - set(WORKLOADS)
    if unknown:
        parser.error(f"unknown workload {', '.join(sorted(unknown))}; there are {', '.join(WORKLOADS)}")
    options.against = set(options.against.split(",")) - {"none", ""}
    if options.against - set(KEYS):
        parser.error(f"unknown: {', '.join(sorted(options.against - set(KEYS)))}; there are {', '.join(KEYS)}, none")
    usual = (200, 1, 1 / 30) if options.quick else (200_000, 3, 10.0)
    for name, default in zip(("jobs", "runs", "minutes"), usual):
        if getattr(options, name) is None:
            setattr(options, name, default)
        elif getattr(options, name) <= 0:
            parser.error(f"--{name} must be more than 0")
    return options


def show_again(results):
    for name, result in results.items():
        if "rows" in result:
            print("\n".join(report.table(name, result["rows"])), flush=True)
    verdicts = targets.judged(results)
    if verdicts:
        print("\n".join(targets.lines(verdicts)))


def run(options):
    name, mode = ("bench_quick", "--fast") if options.quick else ("bench", "--durable")
    server = Server(name, fresh=True, mode=mode)
    told = {name: sorted(value) if isinstance(value, set) else str(value) for name, value in vars(options).items()}
    results, drawn = {"machine": report.machine(server, told, versions())}, []
    bench = Bench(server, options)
    try:
        for name in options.workloads or [name for name in WORKLOADS if name not in ONLY_WHEN_NAMED]:
            rows, plots = importlib.import_module(f"workloads.{name}").measure(bench)
            results[name] = {"rows": rows}
            print("\n".join(report.table(name, rows)), flush=True)
            drawn += report.draw(plots, options.out)
            save(options, results)
    finally:
        bench.progress.clear()
        bench.end()
        server.destroy()
    results["targets"] = {"verdicts": targets.judged(results)}
    save(options, results)
    if results["targets"]["verdicts"]:
        print("\n".join(targets.lines(results["targets"]["verdicts"])))
    for path in drawn:
        print(path)


def save(options, results):
    """After each workload: a long run that is interrupted has measured something."""
    if options.json:
        options.json.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")


def main():
    options = read_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped then too
    if options.again:
        show_again(json.loads(options.again.read_text()))
    else:
        run(options)


if __name__ == "__main__":
    sys.exit(main())
