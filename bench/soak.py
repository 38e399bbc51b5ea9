#!/usr/bin/env python3
"""Keeps a steady load on two workers while an old snapshot is held half of the time. bench/README.md says more.

    soak.py [--minutes N] [--rate N] [--out DIR]

Prints a table and writes soak.json and SVG plots. Exits 1 if a job was lost, is left or was finished twice, or if a
worker died. Environment: MILLRACE_BINARY, set by `./dev soak`.
"""

import argparse
import contextlib
import fcntl
import json
import os
import pathlib
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request

import soak_report
from load import Load
from samples import Sampler
from server import Server, stop

WORKERS = 2
SLOTS = 16
SAMPLE_SECONDS = 5
SPANS = 12  # a minute has so many samples, and so a span, a twelfth of the run, has one sample for each minute
READY_SECONDS = 30
DRAIN_SECONDS = 60  # without a job finished meanwhile
LOOK_SECONDS = 0.2
LONGEST_NAPTIME_SECONDS = 60  # PostgreSQL's default


def period_of(span):
    """Free for one span, then pinned and free for two each, and free for the last: half of the time is pinned."""
    return (span + 1) // 2


def is_pinned(period):
    return period % 2 == 1


class Workers:
    """Worker processes with their logs in files, and the ports where they tell how they are."""

    def __init__(self, server, directory):
        self.logs = [directory / f"worker-{number}.log" for number in range(1, WORKERS + 1)]
        self.ports = free_ports(WORKERS)
        self.processes = []
        for log, port in zip(self.logs, self.ports):
            with open(log, "wb") as file:
                self.processes.append(server.worker(SLOTS, "--http-listen", f"127.0.0.1:{port}", "--log-level",
                                                    "warning", log=file))

    def wait_ready(self):
        deadline = time.monotonic() + READY_SECONDS
        for port, log in zip(self.ports, self.logs):
            while not is_ready(port):
                if self.dead() or time.monotonic() > deadline:
                    sys.exit(f"a worker did not get ready; see {log}")
                time.sleep(LOOK_SECONDS)

    def dead(self):
        return [f"worker {number} ended with status {process.returncode}"
                for number, process in enumerate(self.processes, 1) if process.poll() is not None]

    def end(self):
        """What went wrong when all were asked to end; one that had died before is not named again."""
        alive = [process for process in self.processes if process.poll() is None]
        return [f"a worker that was asked to end did so with status {status}" for status in stop(alive) if status]


def free_ports(amount):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(amount)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def is_ready(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=READY_SECONDS) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError):
        return False


class Soak:
    def __init__(self, server, options):
        self.server, self.options = server, options
        self.workers = Workers(server, options.out)
        self.stir = threading.Event()  # set by what ends the run early
        self.samples, self.bounds, self.problems = [], [], []
        self.holder = None

    def run(self):
        self.workers.wait_ready()
        self.clock = self.server.connect("soak clock").cursor()
        sampler = Sampler(self.server.connect("soak sampler"), list(zip(self.workers.processes, self.workers.ports)))
        load = Load(self.server.connect("soak load"), self.options.rate, self.stir)
        began = time.monotonic()
        self.samples.append(sampler.take(began, 0, False))
        self.turn_to(0)
        load.start()
        try:
            self.sample_all(sampler, load, began)
        finally:
            load.end()
            self.let_go()
        self.furthest_behind = load.furthest_behind
        self.drain()
        self.bounds.append(self.server_time())
        self.account(load.enqueued)
        self.problems += self.workers.dead()
        self.problems += self.workers.end()

    def sample_all(self, sampler, load, began):
        for number in range(1, SPANS * self.options.minutes + 1):
            period = period_of((number - 1) // self.options.minutes)
            if period != len(self.bounds) - 1:
                self.turn_to(period)
            self.stir.wait(max(0.0, began + SAMPLE_SECONDS * number - time.monotonic()))
            if load.failure or self.workers.dead():
                self.problems += [load.failure] if load.failure else []
                return
            try:
                self.samples.append(sampler.take(began, period, is_pinned(period)))
            except OSError as error:
                self.problems.append(f"a worker could not be looked at: {error}")
                return
            soak_report.show_progress(self.samples[-1], self.options, is_whole_minute=number % SPANS == 0)

    def turn_to(self, period):
        self.bounds.append(self.server_time())
        self.let_go()
        if is_pinned(period):
            self.holder = self.server.connect("soak old snapshot")
            self.holder.set_session(isolation_level="repeatable read", autocommit=False)
            self.holder.cursor().execute("select count(*) from millrace.queue")

    def let_go(self):
        if self.holder:
            self.holder.close()
            self.holder = None

    def server_time(self):
        self.clock.execute("select clock_timestamp()")
        return self.clock.fetchone()[0]

    def drain(self):
        """Until nothing waits or runs, or nothing has moved for long."""
        seen, deadline = None, 0
        while True:
            self.clock.execute("select completed, available + scheduled + running from millrace.queues")
            completed, left = self.clock.fetchone()
            if completed != seen:
                seen, deadline = completed, time.monotonic() + DRAIN_SECONDS
            if left == 0 or time.monotonic() > deadline:
                return
            time.sleep(LOOK_SECONDS)

    def account(self, enqueued):
        """By the rows, not by the counts that are kept: each job that was enqueued is finished, once."""
        self.clock.execute("set work_mem = '128MB'")
        self.clock.execute("""
            select (select count(*) from millrace.job), f.rows, f.jobs,
                   (select count(*) from millrace.ready) + (select count(*) from millrace.scheduled)
                       + (select count(*) from millrace.running), (select count(*) from millrace.dead_letter),
                   (select completed from millrace.queues)
              from (select count(*) as rows, count(distinct job_id) as jobs
                      from millrace.finished where outcome = 'completed') f""")
        stored, rows, jobs, left, dead, counted = self.clock.fetchone()
        self.totals = {"enqueued": enqueued, "stored": stored, "finished": jobs, "left": left, "dead": dead}
        wrong = {f"jobs enqueued: {enqueued:,}, but stored: {stored:,}": stored != enqueued,
                 f"jobs enqueued, but not finished: {enqueued - jobs:,}": jobs != enqueued,
                 f"jobs finished more than once: {rows - jobs:,}": rows != jobs,
                 f"jobs left in narrow tables: {left:,}": left, f"dead letters: {dead:,}": dead,
                 f"millrace.queues counts {counted:,} finished jobs, but there are {rows:,}": counted != rows}
        self.problems += [problem for problem, holds in wrong.items() if holds]


@contextlib.contextmanager
def alone():
    """Another soak of this checkout would use the same cluster."""
    with open(__file__) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("soak: another one is running in this checkout")
        yield


def prepare(server, options):
    """However short the run, autovacuum looks at the tables some times in each period."""
    naptime = max(1, min(LONGEST_NAPTIME_SECONDS, SAMPLE_SECONDS * options.minutes // 2))
    server.reset()
    server.sql(f"alter system set autovacuum_naptime = {naptime}; select pg_reload_conf();")
    return {"cores": os.cpu_count(), "server": server.value("select version()"), "autovacuum_naptime": naptime,
            "workers": WORKERS, "slots": SLOTS}


def measure(options):
    server = Server("soak", fresh=True)
    soak = None
    try:
        machine = prepare(server, options)
        soak = Soak(server, options)
        soak.run()
        periods = soak_report.periods_of(soak)
    finally:
        if soak:
            soak.workers.end()
        server.destroy()
    results = {"options": {"minutes": options.minutes, "rate": options.rate}, "machine": machine,
               "totals": soak.totals, "problems": soak.problems, "periods": periods, "samples": soak.samples}
    (options.out / "soak.json").write_text(json.dumps(results, indent=1, default=str) + "\n")
    soak_report.show(results, soak.furthest_behind)
    soak_report.plot_all(results, options.out)
    return soak.problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, default=30, help="of load, not counting the drain (30)")
    parser.add_argument("--rate", type=int, default=2000, help="jobs enqueued a second (2000)")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/soak"), help="where to (build/soak)")
    options = parser.parse_args()
    if options.minutes < 1 or options.rate < 1:
        parser.error("--minutes and --rate are 1 or more")
    options.out.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the cluster goes away
    with alone():
        try:
            problems = measure(options)
        except KeyboardInterrupt:
            sys.exit(130)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
