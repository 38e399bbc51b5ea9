"""What every crash test needs: a database of its own, worker processes, and a server that may be stopped hard.

Nothing sleeps to let something happen: `wait_for` polls a condition, with a deadline that only a failure reaches. Every
test ends with `finish`: one further job must be completed, so that nothing is left stuck.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

CLUSTER = os.environ["MILLRACE_TEST_CLUSTER"]
CLUSTER_NAME = os.environ["MILLRACE_TEST_CLUSTER_NAME"]
TEMPLATE = os.environ["MILLRACE_TEST_TEMPLATE"]
BINARY = os.environ["MILLRACE_BINARY"]
DEADLINE_SECONDS = 60
LEASE = "2s"


class Lost(Exception):
    """psql could not be answered: the server is down, or cut the connection."""


def psql(text, database, tolerant=False):
    done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-F", "|", "-v", "ON_ERROR_STOP=1", "-d", database], input=text,
                          capture_output=True, text=True)
    if done.returncode == 0:
        return done.stdout.strip().splitlines()
    if tolerant:
        raise Lost(done.stderr)
    raise AssertionError(done.stderr)


def wait_for(what, condition):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        try:
            value = condition()
        except Lost:
            value = None
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {DEADLINE_SECONDS} s in vain for {what}")


class Worker:
    def __init__(self, name, database, slots, settings):
        self.name = name
        self.log = tempfile.NamedTemporaryFile("w+", prefix=f"millrace-{name}-", suffix=".log")
        self.process = subprocess.Popen(
            [BINARY, "worker", "--name", name, "--queue", f"work={slots}", "--lease", LEASE, *settings],
            env=os.environ | {"PGDATABASE": database}, stdout=self.log, stderr=self.log)

    def send(self, number):
        self.process.send_signal(number)

    def wait(self):
        return self.process.wait(timeout=DEADLINE_SECONDS)

    def text(self):
        with open(self.log.name) as log:
            return log.read()


class CrashTest(unittest.TestCase):
    def setUp(self):
        self.workers = []
        self.database = "crash_" + re.sub(r"\W", "_", self._testMethodName)[-50:]
        psql(f'drop database if exists "{self.database}" with (force);', "postgres")
        psql(f'create database "{self.database}" template {TEMPLATE};', "postgres")
        self.sql("select millrace.adopt(); select millrace.create_queue('work', retry_base => '100 ms');")

    def tearDown(self):
        outcome = self._outcome.result
        failed = any(case is self for case, _ in outcome.failures + outcome.errors)
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.send(signal.SIGKILL)
                worker.send(signal.SIGCONT)
                worker.process.wait()
            if failed:
                print(f"--- log of {worker.name}\n{worker.text()[-4000:]}", file=sys.stderr)
        psql(f'drop database if exists "{self.database}" with (force);', "postgres")

    # -- verbs ---------------------------------------------------------------------------------------------------

    def sql(self, text):
        return psql(text, self.database)

    def number(self, text):
        return int(psql(text, self.database, tolerant=True)[0])

    def enqueue(self, kind, payload, options=""):
        return int(self.sql(f"select millrace.enqueue('work', '{kind}', '{payload}'{options})")[0])

    def enqueue_many(self, amount, kind, payload):
        self.sql(f"select millrace.enqueue_many('work', '{kind}', array_fill('{payload}'::jsonb, array[{amount}]))")

    def start(self, name, slots=4, *settings):
        worker = Worker(name, self.database, slots, settings)
        self.workers.append(worker)
        return worker

    def state(self, job):
        rows = psql(f"select state, coalesce(worker, ''), attempt from millrace.jobs where id = {job}", self.database,
                    tolerant=True)
        return tuple(rows[0].split("|")) if rows else None

    def wait_for_state(self, job, state, worker):
        wait_for(f"job {job} {state} by {worker}", lambda: (self.state(job) or ())[:2] == (state, worker))

    def wait_for_completed(self, amount):
        wait_for(f"{amount} completed jobs", lambda: self.number("select sum(completed) from millrace.queues") >= amount)

    # -- what must hold at the end -------------------------------------------------------------------------------

    def assert_each_once(self, amount):
        """Every job enqueued has one outcome, it is `completed`, and nothing is left anywhere else."""
        self.assertEqual(self.sql("select state, count(*) from millrace.jobs group by state"), [f"completed|{amount}"])
        self.assertEqual(self.sql("select count(*), count(distinct job_id) from millrace.finished"),
                         [f"{amount}|{amount}"])
        self.assertEqual(self.sql("select (select count(*) from millrace.ready) + (select count(*) from millrace.running)"
                                  " + (select count(*) from millrace.scheduled)"), ["0"])
        self.assertEqual(self.sql("select sum(available), sum(scheduled), sum(running), sum(completed)"
                                  " from millrace.queues"), [f"0|0|0|{amount}"])

    def finish(self):
        """One further job is completed: by a worker that is there, or by a new one."""
        if all(worker.process.poll() is not None for worker in self.workers):
            self.start("last")
        job = self.enqueue("noop", "{}")
        wait_for("a further job", lambda: self.state(job)[0] == "completed")
