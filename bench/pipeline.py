#!/usr/bin/env python3
"""Requests a second through all stages of the pipeline, with a runner that is instant: `./dev bench pipeline`.

    pipeline.py [--requests N] [--runs N] [--slots N] [--quick] [--json FILE]

All is real but the runner: a repository that git is asked about, two workers, a durable server. The build of this runner
has ended when it is triggered: pipeline.trigger_command is replaced by a function that writes the end into the book and
enqueues no command. Each pipeline queue has one slot and is told of its next head when the one before is through, so
that none is superseded. The variants take turns in each run:

    1, 10, 100 queues     green: git says each time whether the last green is an ancestor of the head, and when the head
                          was committed
    broken                nothing is ever green, so git is not asked: what the stages cost by themselves
    project               each head touches one project, which is built too: three more stages
    bare chains           no pipeline: five jobs that do nothing, each enqueued by the settle of the one before. So
                          many requests a second five such jobs allow, whatever the stages do

Times come from the rows: from the report of the first head to the end of the last request's analyze.

Environment: MILLRACE_BINARY.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from contestants import program
from measures import medians, percentiles
from samples import parent, processor_seconds, server_seconds
from server import Server, stop

VARIANTS = {"1 queue": (1, True, False), "10 queues": (10, True, False), "100 queues": (100, True, False),
            "100, broken": (100, False, False), "100, project": (100, True, True)}
WORKERS = 2
PATIENCE_SECONDS = 600
LOOK_SECONDS = 0.01
SELDOM_SECONDS = 0.2  # where nothing waits for the look
TARGET = 300  # requests a second
CHAIN = 5  # process, build, buildsignal, record, analyze
BARE = "bare chains"
JUDGED = ("1 queue", "100 queues")  # with git, as it is used
SIDE_BY_SIDE = 0.9  # what 100 queues reach, at least, of what 10 do

RUNNER = """
create or replace function pipeline.trigger_command(
    queue text, request bigint, project text, base_uri text, head_uri text, run int default 1)
returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    minted constant text := concat_ws('/', 'command', request, nullif(project, ''));
begin
    insert into pipeline.command_run (queue, id, request, project, base_uri, head_uri, argv, time_limit, status,
                                      target_graph, created_at, finished_at)
    values (trigger_command.queue, minted, trigger_command.request, trigger_command.project, trigger_command.base_uri,
            trigger_command.head_uri, '{true}', '1 hour', %(status)s,
            case when project = '' then %(graph)s::jsonb end, millrace.now(), millrace.now())
    on conflict on constraint command_run_pkey do nothing;
    return minted;
end
$$"""
GRAPH = '{"targets": [{"name": "//a:all", "status": "passed"}]}'

# Heads of the pipeline queues whose last request is through.
REPORT = """
select count(pipeline.ingest(q.name, c.uri))
  from (select q.name, q.latest_request
          from pipeline.queue q
          left join pipeline.request r on r.queue = q.name and r.number = q.latest_request
         where q.latest_request < %(each)s and (r.queue is null or r.completed_at is not null)
         order by q.name) q
  join pg_temp.head c on c.number = q.latest_request + 1"""
WAITS = """
select count(*) filter (where wait_event_type = 'Lock'), count(*) filter (where state <> 'idle')
  from pg_stat_activity where application_name like 'millrace%' and datname = current_database()"""
CHAINS = """
select extract(epoch from max(f.finished_at) - min(f.claimed_at))::float8
  from millrace.finished f having count(*) = %s"""
TIMES = """
select extract(epoch from completed_at - accepted_at)::float8, extract(epoch from accepted_at)::float8,
       extract(epoch from completed_at)::float8 from pipeline.request"""


class Repository:
    """Linear, without content: what git is asked is answered by the commits."""

    def __init__(self, folder, commits):
        self.path = str(folder / "bench.git")
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", self.path], check=True)
        stream = "".join(f"commit refs/heads/main\ncommitter b <b@example.org> {1_700_000_000 + number} +0000\n"
                         f"data 1\nc\n" for number in range(commits))
        subprocess.run(["git", "-C", self.path, "fast-import", "--quiet"], input=stream, text=True, check=True)
        listed = subprocess.run(["git", "-C", self.path, "rev-list", "--reverse", "main"], check=True,
                                capture_output=True, text=True)
        self.commits = listed.stdout.split()
        self.prefix = f"git://localhost{self.path.removesuffix('.git')}/ref/main/"


class Run:
    def __init__(self, server, repository, folder, slots):
        self.server, self.repository, self.slots = server, repository, slots
        self.cache = str(folder / "cache")  # kept: the mirror is there after the first variant

    def prepare(self, queues, is_green, has_project):
        self.server.reset()
        connection = self.server.connect("bench pipeline")
        cursor = connection.cursor()
        cursor.execute(RUNNER, {"status": "succeeded" if is_green else "failed",
                                "graph": GRAPH if has_project else None})
        cursor.execute("create temp table head (number int primary key, uri text)")
        cursor.execute("insert into pg_temp.head select number, %s || uri from unnest(%s) with ordinality u(uri, number)",
                       (self.repository.prefix, self.repository.commits))
        cursor.execute("analyze pg_temp.head")
        cursor.execute("select pipeline.create_queue('bench/' || n, %s, 'main', '{true}', job_queue => 'work')"
                       "  from generate_series(1, %s) n", (self.repository.path, queues))
        return cursor

    def measure(self, requests, queues, is_green, has_project):
        cursor = self.prepare(queues, is_green, has_project)
        each = max(1, requests // queues)
        postmaster = parent(self.server.look("select pg_backend_pid()"))
        workers = [self.server.worker(self.slots, "--worker-cache", self.cache) for _ in range(WORKERS)]
        try:
            self.await_workers(cursor)
            before = self.cpu(workers, postmaster)
            waits, deadline = [], time.monotonic() + PATIENCE_SECONDS
            while True:
                cursor.execute(REPORT, {"each": each})
                cursor.execute("select count(*) from pipeline.request where completed_at is not null")
                if cursor.fetchone()[0] >= each * queues:
                    break
                if time.monotonic() > deadline or any(worker.poll() is not None for worker in workers):
                    sys.exit("the requests did not come through")
                cursor.execute(WAITS)
                waits.append(cursor.fetchone())
                time.sleep(LOOK_SECONDS)
            after = self.cpu(workers, postmaster)
        finally:
            stop(workers)
        return self.figures(cursor, before, after, waits)

    def measure_bare(self, requests):
        self.server.reset()
        cursor = self.server.connect("bench chains").cursor()
        cursor.execute("select millrace.enqueue('work', 'bench.chain', %s::text::jsonb) from generate_series(1, %s)",
                       (CHAIN - 1, requests))
        postmaster = parent(self.server.look("select pg_backend_pid()"))
        workers = [self.server.worker(self.slots, program=program("bench_worker")) for _ in range(WORKERS)]
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            before = self.cpu(workers, postmaster)
            while True:
                cursor.execute(CHAINS, (CHAIN * requests,))
                row = cursor.fetchone()
                if row:
                    break
                if time.monotonic() > deadline or any(worker.poll() is not None for worker in workers):
                    sys.exit("the chains did not come to their end")
                time.sleep(SELDOM_SECONDS)
            after = self.cpu(workers, postmaster)
        finally:
            stop(workers)
        return {"requests_per_second": requests / row[0],
                **{name: 1000 * (after[name] - before[name]) / requests for name in before}}

    def await_workers(self, cursor):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            cursor.execute("select count(*) from millrace.worker")
            if cursor.fetchone()[0] == WORKERS:
                return
            time.sleep(LOOK_SECONDS)
        sys.exit("the workers did not begin")

    @staticmethod
    def cpu(workers, postmaster):
        own = sum(processor_seconds(worker.pid) for worker in workers)
        return {"worker_ms": own, "server_ms": server_seconds(postmaster),
                "git_ms": sum(processor_seconds(worker.pid, with_reaped=True) for worker in workers) - own}

    @staticmethod
    def figures(cursor, before, after, waits):
        cursor.execute(TIMES)
        rows = cursor.fetchall()
        cursor.execute("select count(*) from millrace.jobs where state <> 'completed'")
        left = cursor.fetchone()[0]
        cursor.execute("select count(*) from pipeline.history where project = ''")
        if left or cursor.fetchone()[0] != len(rows):
            sys.exit(f"{left} jobs did not complete, or a request has no verdict")
        seconds = max(row[2] for row in rows) - min(row[1] for row in rows)
        took = percentiles([1000 * row[0] for row in rows])
        held, busy = sum(row[0] for row in waits), sum(row[1] for row in waits)
        return {"requests_per_second": len(rows) / seconds, "p50": took["p50"], "p99": took["p99"],
                "lock_waits": held / max(1, busy),
                **{name: 1000 * (after[name] - before[name]) / len(rows) for name in before}}


def show(rows, requests, runs):
    print(f"{requests} requests, medians of {runs}; CPU in ms per request; {os.cpu_count()} cores\n")
    print("variant        requests/s    p50 ms    p99 ms  CPU server  CPU worker  CPU git  waits for locks")
    for row in rows:
        if row["variant"] == BARE:
            print(f"{BARE:<13} {row['requests_per_second']:>11.0f} {'':>19} "
                  f"{row['server_ms']:>11.2f} {row['worker_ms']:>11.2f}")
            continue
        print(f"{row['variant']:<13} {row['requests_per_second']:>11.0f} {row['p50']:>9.0f} {row['p99']:>9.0f} "
              f"{row['server_ms']:>11.2f} {row['worker_ms']:>11.2f} {row['git_ms']:>8.2f} "
              f"{100 * row['lock_waits']:>14.1f} %")
    print()
    speed = {row["variant"]: row["requests_per_second"] for row in rows}
    for variant in JUDGED:
        print(f"{variant}: {speed[variant]:.0f} requests/s; the target is {TARGET}: "
              f"{'met' if speed[variant] >= TARGET else 'not met'}")
    ratio = speed["100 queues"] / speed["10 queues"]
    print(f"100 queues beside 10: {ratio:.2f} times as fast; the target is {SIDE_BY_SIDE}: "
          f"{'met' if ratio >= SIDE_BY_SIDE else 'not met'}")


def main():
    parser = argparse.ArgumentParser(prog="dev bench pipeline")
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--slots", type=int, default=8, help="of each of the two workers")
    parser.add_argument("--quick", action="store_true", help="100 requests, once: shows that it works, no figures")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    if options.quick:
        options.requests, options.runs = 100, 1
    with tempfile.TemporaryDirectory(prefix="millrace-bench-") as folder:
        folder = pathlib.Path(folder)
        repository = Repository(folder, options.requests)
        server = Server("bench_pipeline", fresh=True)
        try:
            run = Run(server, repository, folder, options.slots)
            run.measure(2, *VARIANTS["1 queue"])  # makes the mirror
            measured = {name: [] for name in (*VARIANTS, BARE)}
            for _ in range(options.runs):
                for name, (queues, is_green, has_project) in VARIANTS.items():
                    measured[name].append(run.measure(options.requests, queues, is_green, has_project))
                measured[BARE].append(run.measure_bare(options.requests))
        finally:
            server.destroy()
    rows = [{"variant": name, **medians(runs)} for name, runs in measured.items()]
    show(rows, options.requests, options.runs)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
