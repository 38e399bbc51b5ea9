#!/usr/bin/env python3
"""Runs every workload in small and looks at what came out: each figure a number, each plot drawn, each peer there.

Environment: MILLRACE_BINARY and MILLRACE_NODE.
"""

import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

from bench import ONLY_WHEN_NAMED, WORKLOADS
from contestants import KEYS
from report import COLUMNS

HERE = pathlib.Path(__file__).resolve().parent
WAYS = {"graphile", "pgboss", "bullmq", "graphile-sql", "copy", "pgq", "bare"}  # to enqueue
PLOTS = {"drain", "enqueue", "pinned"}


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def that(self, holds, said):
        self.passed, self.failed = self.passed + bool(holds), self.failed + (not holds)
        if not holds:
            print(f"not ok  {said}")


def look_at_rows(checks, name, rows):
    for row in rows:
        wrong = [figure for figure in COLUMNS if figure in row
                 and not (isinstance(row[figure], (int, float)) and math.isfinite(row[figure]) and row[figure] >= 0)]
        shown = [figure for figure in COLUMNS if figure in row]
        checks.that(not wrong and shown, f"{name}, {row['what']}: {wrong or 'no figure'}")
        checks.that(row.get("jobs_per_second", 1) > 0, f"{name}, {row['what']}: nothing was done")


def look_at_plots(checks, folder):
    drawn = {path.stem: xml.etree.ElementTree.parse(path) for path in folder.glob("*.svg")}
    checks.that(set(drawn) == PLOTS, f"plots: {sorted(drawn)}")
    for name, plot in drawn.items():
        marks = [found for found in plot.iter() if found.get("class") in ("bar", "line")]
        checks.that(len(marks) > 1, f"{name}.svg: {len(marks)} bars and lines")


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        wanted = [name for name in WORKLOADS if name not in ONLY_WHEN_NAMED]
        done = subprocess.run([sys.executable, HERE / "bench.py", *wanted, "--quick", "--json", folder / "results.json",
                               "--out", folder], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        checks.that(done.returncode == 0, f"bench.py: {done.stderr[-2000:]}")
        if done.returncode == 0:
            results = json.loads((folder / "results.json").read_text())
            for name in wanted:
                look_at_rows(checks, name, results[name]["rows"])
            took_part = {row.get("key") for name in ("drain", "enqueue") for row in results[name]["rows"]}
            checks.that(took_part >= set(KEYS) | WAYS, f"not measured: {sorted((set(KEYS) | WAYS) - took_part)}")
            checks.that(len(results["targets"]["verdicts"]) > 15, f"targets: {results['targets']}")
            checks.that(results["machine"]["settings"]["fsync"] == "off", "a quick run need not be durable")
            look_at_plots(checks, folder)
            too_wide = [line for line in done.stdout.splitlines() if len(line) > 120 and not re.match("/", line)]
            checks.that(not too_wide, f"wider than 120: {too_wide[:1]}")
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
