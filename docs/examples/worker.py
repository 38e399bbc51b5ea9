#!/usr/bin/env python3
"""A whole worker in Python: heartbeat, wake-up, settling in batches, a graceful stop. docs/sql_workers.md explains it.

    worker.py QUEUE NAME     PGHOST, PGDATABASE and their like say where; LISTEN=off behind a pooler in transaction mode
Handlers write into this database, in the very transaction that settles their job: effects happen exactly once.
"""
import os
import select
import signal
import sys
import threading

import psycopg

LEASE_SECONDS, LISTEN = float(os.environ.get("LEASE_SECONDS", "30")), os.environ.get("LISTEN", "on") == "on"
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, BATCH = 0.005, 5, 10
CHORES = ("reap", "promote", "advance_low_water", "fold_counts", "maintain_partitions", "prune")


def add_to_ledger(db, job, worker):
    db.execute("insert into ledger (job_id, worker) select %s, %s from pg_sleep(%s)",  # the sleep stands for some work
               (job.job_id, worker, job.payload.get("seconds", 0)))


HANDLERS = {"ledger.add": add_to_ledger}


def connect():
    # Statements are not prepared: a pooler in transaction mode would run them where they are unknown.
    return psycopg.connect("", autocommit=True, prepare_threshold=None, row_factory=psycopg.rows.namedtuple_row)


class Worker:
    def __init__(self, queue, name):
        self.queue, self.name, self.db, self.session = queue, name, None, None
        self.notified, self.stopping, (self.told, self.teller) = False, False, os.pipe()

    def stop(self, *_):
        self.stopping = True
        os.write(self.teller, b".")  # ends a select

    def call(self, function, *arguments):
        text = f"select * from millrace.{function}({', '.join(['%s'] * len(arguments))})"
        return self.db.execute(text, arguments).fetchall()

    def open(self):
        self.db = connect()
        if LISTEN:  # before the first claim: whatever comes after it is announced
            self.db.add_notify_handler(lambda _: setattr(self, "notified", True))
            self.db.execute(f'listen "millrace/{self.queue}"')
        if self.session:  # its last claim may have been granted and the answer lost: it gives back what it holds
            left, self.session = self.session, None
            self.call("close_session", left)
        self.session = self.call("open_session", self.name, [self.queue], os.uname().nodename, os.getpid(), None,
                                 f"{LEASE_SECONDS} seconds", list(HANDLERS))[0][0]

    def beat(self):
        """In a thread and by a connection of its own: no handler can hold it up."""
        db = None
        while True:
            select.select([], [], [], min(1, LEASE_SECONDS / 3))
            try:
                db = db or connect()
                db.execute("select millrace.heartbeat(%s, %s)", (self.session, self.stopping))
                for chore in CHORES:
                    db.execute(f"select millrace.{chore}()")
            except psycopg.Error:
                db = None  # when the session has ended, the next claim is told so, too

    def next_jobs(self):
        pause = FIRST_PAUSE_SECONDS
        while not self.stopping:
            self.notified = False
            if jobs := self.call("claim", self.session, self.queue, BATCH):
                return jobs
            self.call("raise_signal", self.queue)  # only those who have said so are notified
            ready = self.notified or select.select([self.told, *([self.db] if LISTEN else [])], [], [], pause)[0]
            pause = FIRST_PAUSE_SECONDS if ready else min(2 * pause, LONGEST_PAUSE_SECONDS)
        return []

    def attempt(self, job):
        """Outcome, error and delay. What a failed handler wrote is undone; a lost lease fails, and settles nothing."""
        try:
            with self.db.transaction():  # a savepoint, so that the batch survives an error
                self.call("assert_lease", job.fence, job.job_id)  # from here to the commit nobody can take the job
                HANDLERS[job.kind](self.db, job, self.name)
                self.db.execute("set constraints all immediate")  # at the commit it would be too late
            return "completed", None, None
        except Exception as error:
            if self.db.closed:  # the connection's fault, not the job's
                raise
            return "failed", f"{type(error).__name__}: {error}".replace("\0", " "), None

    def work(self, jobs):
        with self.db.transaction():
            done = [(job.job_id, job.fence, *self.attempt(job)) for job in jobs if not self.stopping]
            if done:
                self.call("settle_many", *map(list, zip(*done)))

    def run(self):
        threading.Thread(target=self.beat, daemon=True).start()
        while not self.stopping:
            try:
                self.open()
                while not self.stopping:
                    self.work(self.next_jobs())
                self.call("close_session", self.session)  # gives back what was not begun; no attempt is counted
            except psycopg.Error as error:
                if error.sqlstate != "MR002" and not isinstance(error, psycopg.OperationalError):
                    raise
                print(f"{self.name}: {error}; opens another session", file=sys.stderr, flush=True)
                select.select([self.told], [], [], 0 if error.sqlstate == "MR002" else 1)


example = Worker(*sys.argv[1:])
signal.signal(signal.SIGTERM, example.stop)
example.run()
