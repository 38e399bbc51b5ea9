"""A throw-away durable PostgreSQL cluster with one database, one queue `work`, and workers for it.

Environment: MILLRACE_BINARY.
"""

import os
import pathlib
import subprocess
import sys
import time

import psycopg2

CLUSTER = pathlib.Path(__file__).resolve().parent.parent / "tests" / "support" / "cluster.sh"
STOP_SECONDS = 45  # a worker gives its jobs back after 30


class Server:
    """`name` is both the cluster's and the end of the database's name. `fresh` leaves nothing of an earlier cluster."""

    def __init__(self, name, fresh=False, mode="--durable"):
        self.name = name
        self.database = f"millrace_{name}"
        if fresh:
            self.destroy()
        subprocess.run([CLUSTER, "start", name, mode], check=True, stdout=subprocess.DEVNULL)
        lines = subprocess.run([CLUSTER, "env", name], check=True, capture_output=True, text=True).stdout.splitlines()
        pairs = (line.removeprefix("export ").split("=", 1) for line in lines if "=" in line)
        self.environment = os.environ | {name: value.strip("'\"") for name, value in pairs}
        self.environment["PGDATABASE"] = self.database
        self.watching = None

    def sql(self, text, database=None):
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1",
                               "-d", database or self.database],
                              input=text, capture_output=True, text=True, env=self.environment)
        if done.returncode != 0:
            sys.exit(f"psql: {done.stderr}")
        return [line.split("\t") for line in done.stdout.splitlines() if line]

    def value(self, text):
        return self.sql(text)[0][0]

    def connect(self, purpose):
        """A connection that commits each statement by itself: what measures must not hold a snapshot."""
        connection = psycopg2.connect(host=self.environment["PGHOST"], port=self.environment["PGPORT"],
                                      user=self.environment["PGUSER"], dbname=self.database, application_name=purpose)
        connection.autocommit = True
        return connection

    def look(self, text):
        """One value over a connection that stays open: for looks during a measurement, which must cost little."""
        if self.watching is None:
            self.watching = self.connect("bench look")
        cursor = self.watching.cursor()
        cursor.execute(text)
        return cursor.fetchone()[0]

    def recreate(self):
        if self.watching is not None:
            self.watching.close()
            self.watching = None
        self.sql(f"drop database if exists {self.database} with (force);", database="postgres")
        self.sql(f"create database {self.database};", database="postgres")

    def reset(self):
        self.recreate()
        subprocess.run([os.environ["MILLRACE_BINARY"], "migrate", "up"], check=True, env=self.environment,
                       stdout=subprocess.DEVNULL)
        self.sql("select millrace.create_queue('work');")

    def wal(self):
        return int(self.value("select pg_current_wal_insert_lsn() - '0/0'"))

    def worker(self, slots, *extra, log=subprocess.DEVNULL, program=None):
        command = [program] if program else [os.environ["MILLRACE_BINARY"], "worker"]
        return subprocess.Popen([*command, "--queue", f"work={slots}", *extra],
                                env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)

    def stop(self):
        subprocess.run([CLUSTER, "stop", self.name], check=False, stdout=subprocess.DEVNULL)

    def destroy(self):
        subprocess.run([CLUSTER, "destroy", self.name], check=False, stdout=subprocess.DEVNULL)


def stop(processes):
    """Asks all of them to end, and ends those that do not within their drain timeout; their exit statuses."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
    return [process.wait() for process in processes]
