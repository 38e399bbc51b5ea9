#!/usr/bin/env python3
"""Measures the queue on a throw-away durable cluster and prints ratios of one run. bench/README.md says how to read it.

    bench.py [drain] [latency] [horizon] [lines] [keys] [views] [--jobs N] [--runs N] [--quick] [--json FILE]

Times come from the rows themselves (claimed_at, finished_at: one clock, the server's), WAL from the server's position.
Environment: MILLRACE_BINARY, set by `./dev bench`.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from server import Server, stop
from views import measure_views

PAYLOAD = '{"to": "someone@example.org", "subject": "hello there"}'
SLOTS = 64
LIMIT_BATCH = 500
PATIENCE_SECONDS = 600


def fill(server, jobs):
    server.sql(f"""do $$ begin
        for i in 1 .. {jobs // 1000} loop
            perform millrace.enqueue_many('work', 'noop', array_fill('{PAYLOAD}'::jsonb, array[1000]),
                                          priority => i % 3);
            commit;
        end loop;
    end $$;""")
    server.sql("checkpoint;")


def wait_completed(server, total):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while int(server.value("select completed from millrace.queues")) < total:
        if time.monotonic() > deadline:
            sys.exit(f"the queue was not drained within {PATIENCE_SECONDS} s")
        time.sleep(0.1)


def drained(server, first_id, jobs):
    seconds = float(server.value(f"""
        select extract(epoch from max(finished_at) - min(claimed_at)) from millrace.finished where job_id > {first_id}"""))
    return jobs / seconds


def drain_once(server, jobs, workers):
    """Enqueues, then lets the workers at it; jobs a second, and bytes of WAL per job of each half."""
    first_id = int(server.value("select coalesce(max(id), 0) from millrace.job"))
    before = int(server.value("select completed from millrace.queues"))
    wal = server.wal()
    fill(server, jobs)
    enqueued = server.wal()
    processes = [server.worker(SLOTS) for _ in range(workers)]
    wait_completed(server, before + jobs)
    settled = server.wal()
    stop(processes)
    return {"rate": drained(server, first_id, jobs), "wal_enqueue": (enqueued - wal) / jobs,
            "wal_drain": (settled - enqueued) / jobs}


def limit_once(server, jobs):
    """The same claim and settle statements from a driver that does nothing else: two connections of pgbench."""
    first_id = int(server.value("select coalesce(max(id), 0) from millrace.job"))
    fill(server, jobs)
    session = server.value("select millrace.open_session('limit', '{work}', lease => '1 hour')")
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(f"""select coalesce(array_agg(job_id), '{{}}') as ids, coalesce(array_agg(fence), '{{}}') as fences
  from millrace.claim({session}, 'work', {LIMIT_BATCH}, true) \\gset
select millrace.settle_many(':ids', ':fences');
""")
        script.flush()
        subprocess.run(["pgbench", "-n", "-f", script.name, "-c", "2", "-j", "2", "-t", str(jobs // LIMIT_BATCH // 2 + 2),
                        server.database], check=True, env=server.environment, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    return drained(server, first_id, jobs)


def median(values):
    return statistics.median(values)


def measure_drain(server, options):
    rows = []
    server.reset()
    drain_once(server, options.jobs // 4, 1)  # warm-up
    limit = median([limit_once(server, options.jobs) for _ in range(options.runs)])
    for workers in (1, 2):
        runs = [drain_once(server, options.jobs, workers) for _ in range(options.runs)]
        rate = median([run["rate"] for run in runs])
        rows.append({"what": f"drain, {workers} worker process{'es' if workers > 1 else ''}", "jobs_per_second": rate,
                     "of_limit": rate / limit, "wal_enqueue": median([run["wal_enqueue"] for run in runs]),
                     "wal_drain": median([run["wal_drain"] for run in runs])})
    rows.insert(0, {"what": "the same statements, minimal driver, 2 connections", "jobs_per_second": limit,
                    "of_limit": 1.0})
    return rows


def measure_horizon(server, options):
    """The same drain before and while an old snapshot is held, the latter again and again."""
    server.reset()
    drain_once(server, options.jobs // 4, 1)  # warm-up
    free = median([drain_once(server, options.jobs, 1)["rate"] for _ in range(options.runs)])
    holder = subprocess.Popen(["psql", "-X", "-q", "-d", server.database], stdin=subprocess.PIPE, text=True,
                              env=server.environment, stdout=subprocess.DEVNULL)
    holder.stdin.write("begin isolation level repeatable read;\nselect count(*) from millrace.job;\n")
    holder.stdin.flush()
    rows = [{"what": "horizon free", "jobs_per_second": free, "of_free": 1.0}]
    for turn in range(1, options.pinned_turns + 1):
        rate = drain_once(server, options.jobs, 1)["rate"]
        rows.append({"what": f"old snapshot held, after {turn * options.jobs:,} jobs", "jobs_per_second": rate,
                     "of_free": rate / free})
    holder.stdin.close()
    holder.wait()
    return rows


def measure_keys(server, options):
    """Jobs without a key, alone and beside twice as many that wait for two keys; then jobs of many keys."""
    jobs = options.jobs // 4
    rates = {"alone": [], "beside": [], "keys": []}

    def keyed(many, keys):
        server.sql(f"""do $$ begin
            for i in 1 .. {many // 1000} loop
                perform millrace.enqueue_many('work', 'noop', array_fill('{PAYLOAD}'::jsonb, array[{1000 // min(keys, 100)}]),
                                              concurrency_key => format('key %s', (i * 100 + k) % {keys}))
                   from generate_series(1, {min(keys, 100)}) k;
                commit;
            end loop;
        end $$;""")

    def rate_of(condition):
        return float(server.value(f"""
            select count(*) / extract(epoch from max(f.finished_at) - min(f.claimed_at))
              from millrace.finished f join millrace.job j on j.id = f.job_id and j.stored_on = f.stored_on
             where {condition}"""))

    for _ in range(options.runs):
        for what in rates:
            server.reset()
            if what == "beside":
                keyed(2 * jobs, 2)
            if what == "keys":
                keyed(jobs, 10_000)
            else:
                fill(server, jobs)
            processes = [server.worker(SLOTS)]
            deadline = time.monotonic() + PATIENCE_SECONDS
            while int(server.value("""
                    select count(*) from millrace.finished f
                      join millrace.job j on j.id = f.job_id and j.stored_on = f.stored_on
                     where j.concurrency_key is null or %s""" % ("true" if what == "keys" else "false"))) < jobs:
                if time.monotonic() > deadline:
                    sys.exit(f"the jobs were not done within {PATIENCE_SECONDS} s")
                time.sleep(0.2)
            stop(processes)
            rates[what].append(rate_of("true" if what == "keys" else "j.concurrency_key is null"))
    alone = median(rates["alone"])
    return [{"what": f"{jobs:,} jobs without a key", "jobs_per_second": alone, "of_free": 1.0},
            {"what": f"the same beside {2 * jobs:,} jobs of two keys, limit 1", "of_free": median(rates["beside"]) / alone,
             "jobs_per_second": median(rates["beside"])},
            {"what": f"{jobs:,} jobs of 10,000 keys, limit 1", "of_free": median(rates["keys"]) / alone,
             "jobs_per_second": median(rates["keys"])}]


def measure_latency(server, options):
    """One job every 10 ms into an idle queue: from the enqueue to the claim, by the server's clock."""
    server.reset()
    process = server.worker(SLOTS)
    deadline = time.monotonic() + 30
    while server.value("select signal_raised from millrace.queues") != "t" and time.monotonic() < deadline:
        time.sleep(0.1)
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(f"select millrace.enqueue('work', 'noop', '{PAYLOAD}');\n\\sleep 10 ms\n")
        script.flush()
        subprocess.run(["pgbench", "-n", "-f", script.name, "-c", "1", "-t", str(options.latency_jobs),
                        server.database],
                       check=True, env=server.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_completed(server, options.latency_jobs)
    stop([process])
    names = ("p50", "p95", "p99", "max")
    values = server.sql("""
        select percentile_cont(array[0.5, 0.95, 0.99, 1]) within group (
                   order by 1000 * extract(epoch from f.claimed_at - j.enqueued_at))
          from millrace.finished f join millrace.job j on j.id = f.job_id and j.stored_on = f.stored_on""")[0][0]
    return [{"what": f"enqueue to claim, one job each 10 ms, {name}", "milliseconds": float(value)}
            for name, value in zip(names, values.strip("{}").split(","))]


def timed(server, jobs, command, lines):
    """Jobs a second of a command that enqueues what it reads."""
    began = time.monotonic()
    subprocess.run(command, input=lines, text=True, check=True, env=server.environment, stdout=subprocess.DEVNULL)
    return jobs / (time.monotonic() - began)


def measure_lines(server, options):
    """JSON Lines by `millrace enqueue`, and the same chunks by COPY into a temporary table."""
    chunk = 1000
    payloads = [f'{{"to": "someone{n}@example.org", "subject": "hello there"}}' for n in range(options.jobs)]
    copied = ["create temp table incoming (place int generated always as identity, payload jsonb) on commit delete rows;"]
    for first in range(0, options.jobs, chunk):
        copied += ["begin;", "copy incoming (payload) from stdin;", *payloads[first:first + chunk], "\\.",
                   "select cardinality(millrace.enqueue_many('work', 'noop', array_agg(payload order by place)))"
                   " from incoming;", "commit;"]
    ways = {"millrace enqueue: arrays": ([os.environ["MILLRACE_BINARY"], "enqueue", "work", "noop"], payloads),
            "psql: COPY to a temporary table": (["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1"], copied)}
    rows = []
    for what, (command, lines) in ways.items():
        text = "\n".join(lines) + "\n"
        rates, wal = [], []
        for _ in range(options.runs):
            server.reset()
            before = server.wal()
            rates.append(timed(server, options.jobs, command, text))
            wal.append((server.wal() - before) / options.jobs)
        rows.append({"what": what, "jobs_per_second": median(rates), "wal_enqueue": median(wal)})
    return rows


WORKLOADS = {"drain": measure_drain, "latency": measure_latency, "horizon": measure_horizon, "lines": measure_lines,
             "keys": measure_keys, "views": measure_views}
ONLY_WHEN_NAMED = {"views"}  # ten minutes, and 15 GB of disk
COLUMNS = {"jobs_per_second": ("jobs/s", "{:,.0f}"), "of_limit": ("of limit", "{:.2f}"), "of_free": ("of free", "{:.2f}"),
           "milliseconds": ("ms", "{:.2f}"), "longest": ("longest", "{:.2f}"), "wal_enqueue": ("WAL B enqueue", "{:.0f}"),
           "wal_drain": ("WAL B drain", "{:.0f}")}


def show(title, rows):
    used = [key for key in COLUMNS if any(key in row for row in rows)]
    width = max(len(row["what"]) for row in rows)
    print(f"\n{title}\n  {'':<{width}} " + " ".join(f"{COLUMNS[key][0]:>14}" for key in used))
    for row in rows:
        cells = (COLUMNS[key][1].format(row[key]) if key in row else "" for key in used)
        print(f"  {row['what']:<{width}} " + " ".join(f"{cell:>14}" for cell in cells), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", metavar="workload", help=", ".join(WORKLOADS) + "; by default all but "
                        + ", ".join(ONLY_WHEN_NAMED))
    parser.add_argument("--jobs", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="few jobs, one run: shows that it works, not how fast")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    unknown = set(options.workloads) - set(WORKLOADS)
    if unknown:
        parser.error(f"unknown workload {', '.join(sorted(unknown))}; there are {', '.join(WORKLOADS)}")
    if options.quick:
        options.jobs, options.runs = 4_000, 1
    options.pinned_turns = 2 if options.quick else 5
    options.latency_jobs = 50 if options.quick else 1_000

    server = Server("bench")
    results = {"machine": {"cores": os.cpu_count(), "jobs": options.jobs, "runs": options.runs, "slots": SLOTS}}
    try:
        for name in options.workloads or [name for name in WORKLOADS if name not in ONLY_WHEN_NAMED]:
            results[name] = WORKLOADS[name](server, options)
            how = "median" if name in ONLY_WHEN_NAMED else (
                f"{options.jobs:,} jobs, {SLOTS} slots a process, median of {options.runs}")
            show(f"{name} ({how})", results[name])
        results["machine"]["server"] = server.sql("select version()", database="postgres")[0][0]
    finally:
        server.stop()
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
