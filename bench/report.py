"""The results for people: tables that fit the terminal, plots; and what machine and settings they are of."""

import os
import pathlib
import platform
import shutil
import subprocess
import time

from bars import Bars
from plot import render

COLUMNS = {  # figure: (heading, format)
    "jobs_per_second": ("jobs/s", "{:,.0f}"), "ours_of_it": ("ours ÷ it", "{:,.2f}"),
    "of_perfect": ("of perfect", "{:.2f}"), "of_free": ("of free", "{:.2f}"), "of_quiet": ("of quiet", "{:.2f}"),
    "free": ("free jobs/s", "{:,.0f}"), "pinned_first": ("pinned, first", "{:,.0f}"),
    "milliseconds": ("ms", "{:.2f}"), "longest": ("longest ms", "{:.2f}"),
    "p50": ("p50 ms", "{:,.2f}"), "p95": ("p95 ms", "{:,.2f}"), "p99": ("p99 ms", "{:,.2f}"),
    "max": ("max ms", "{:,.1f}"),
    "sent": ("p50 until sent", "{:.2f}"), "heard": ("until heard", "{:.2f}"), "take": ("of the claim", "{:.2f}"),
    "of_smallest": ("of smallest", "{:.2f}"),
    "p50_first": ("p50 first", "{:,.2f}"), "p99_first": ("p99 first", "{:,.2f}"), "p50_last": ("p50 last", "{:,.2f}"),
    "p99_last": ("p99 last", "{:,.2f}"), "growth": ("p99 grows", "{:.2f}"),
    "p99_first_apart": ("without stalls, first", "{:,.2f}"), "p99_last_apart": ("last", "{:,.2f}"),
    "growth_apart": ("grows", "{:.2f}"), "apart": ("of all", "{:.3f}"),
    "queries": ("commits/s each", "{:.2f}"), "processor": ("CPU %", "{:.2f}"),
    "server_processor": ("server CPU %", "{:.2f}"),
    "wal_enqueue": ("log B enqueue", "{:,.0f}"), "wal_drain": ("log B drain", "{:,.0f}"),
    "wal_each": ("WAL B", "{:,.0f}"),
    "commits": ("commits/job", "{:.4f}"), "cpu_workers": ("worker s/100k", "{:.2f}"),
    "cpu_server": ("server s/100k", "{:.2f}"), "memory": ("peak MB", "{:.0f}"), "dead_rows": ("dead rows", "{:,.0f}"),
    "megabytes": ("tables MB", "{:,.1f}"), "jobs": ("of jobs", "{:,.0f}"),
}
GAP = 2
SETTINGS = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_sync_method", "shared_buffers",
            "max_wal_size", "autovacuum", "checkpoint_timeout")


def cell(row, name):
    return COLUMNS[name][1].format(row[name]) if row.get(name) is not None else ""


def table(title, rows, width=None):
    """Lines; what does not fit beside one another goes below one another."""
    width = width or shutil.get_terminal_size((120, 24)).columns
    first = max(len(row["what"]) for row in rows)
    lines = ["", title]
    columns = [(name, max(len(COLUMNS[name][0]), *(len(cell(row, name)) for row in rows)))
               for name in COLUMNS if any(row.get(name) is not None for row in rows)]
    while columns:
        taken, used = [], 2 + first
        while columns and (not taken or used + GAP + columns[0][1] <= width):
            used += GAP + columns[0][1]
            taken.append(columns.pop(0))
        if len(lines) > 2:
            lines.append("")
        lines.append("  " + " " * first + "".join(f"{COLUMNS[name][0]:>{GAP + wide}}" for name, wide in taken))
        lines += [f"  {row['what']:<{first}}" + "".join(f"{cell(row, name):>{GAP + wide}}" for name, wide in taken)
                  for row in rows]
    return lines


def draw(plots, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, plot in plots.items():
        (folder / f"{name}.svg").write_text(plot.svg() if isinstance(plot, Bars) else render(plot))
    return [folder / f"{name}.svg" for name in plots]


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("model name", "Model")):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def sync_microseconds(folder):
    """What one durable write of a page costs here, as a median: the floor of every single commit."""
    path = folder / "millrace-bench-sync"
    waits = []
    with open(path, "wb", buffering=0) as file:
        for _ in range(200):
            file.write(b"x" * 8192)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            waits.append(time.perf_counter() - began)
    path.unlink()
    return 1e6 * sorted(waits)[len(waits) // 2]


def machine(server, options, versions):
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) / 1e6
    settings = {name: server.sql(f"show {name}", database="postgres")[0][0] for name in SETTINGS}
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
                            cwd=pathlib.Path(__file__).parent).stdout.strip()
    return {"processor": processor(), "cores": os.cpu_count(), "memory_gb": round(memory, 1),
            "kernel": platform.release(),
            "fdatasync_us": round(sync_microseconds(pathlib.Path("/var/tmp")), 1), "load": list(os.getloadavg()),
            "commit": commit, "versions": versions, "settings": settings, "options": options}
