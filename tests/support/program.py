"""The millrace program in a database of its own, for tests of what a person sees.

Environment: MILLRACE_BINARY, MILLRACE_TEST_TEMPLATE, and PGHOST, PGPORT, PGUSER of the server.
"""

import fcntl
import json
import os
import pty
import random
import select
import socket
import struct
import subprocess
import sys
import termios
import time
import unittest
import uuid

BINARY = os.environ["MILLRACE_BINARY"]
PATIENCE_SECONDS = 30


def free_port():
    """Below those that clients are given, so that none has it before it is listened on."""
    while True:
        try:
            with socket.create_server(("127.0.0.1", random.randint(10_000, 30_000))) as server:
                return server.getsockname()[1]
        except OSError:
            continue


class Ran:
    """What a finished process printed, and its exit status."""

    def __init__(self, status, out, err=""):
        self.status, self.out, self.err = status, out, err

    @property
    def json(self):
        return json.loads(self.out)


class ProgramTest(unittest.TestCase):
    """Each test has a clone of the template database, which is dropped afterwards."""

    template = os.environ.get("MILLRACE_TEST_TEMPLATE")

    def setUp(self):
        self.database = f"millrace_e2e_{uuid.uuid4().hex[:12]}"
        self.admin(f"create database {self.database}" + (f" template {self.template}" if self.template else ""))
        self.addCleanup(self.admin, f"drop database {self.database} with (force)")
        self.environment = os.environ | {"PGDATABASE": self.database}
        if self.template:
            self.sql("select millrace.adopt()")

    def admin(self, statement):
        self.sql(statement, database="postgres")

    def sql(self, statement, database=None):
        done = subprocess.run(["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement,
                               "-d", database or self.database], capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return done.stdout.strip()

    def run_millrace(self, *words, lines=None, **variables):
        """`lines` become standard input; without them it is /dev/null."""
        source = {"stdin": subprocess.DEVNULL} if lines is None else {"input": lines}
        done = subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=PATIENCE_SECONDS,
                              env=self.environment | variables, **source)
        return Ran(done.returncode, done.stdout, done.stderr)

    def run_on_terminal(self, *words, columns=80, stdin=subprocess.DEVNULL, **variables):
        """As a person would see it: standard output and error on one terminal."""
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        environment = {name: value for name, value in self.environment.items() if name != "NO_COLOR"} | variables
        process = subprocess.Popen([BINARY, *words], stdin=stdin, stdout=follower, stderr=follower, env=environment)
        os.close(follower)
        seen = b""
        while select.select([leader], [], [], PATIENCE_SECONDS)[0]:
            try:
                part = os.read(leader, 65536)
            except OSError:  # how Linux says that the other side has been closed
                break
            if not part:
                break
            seen += part
        os.close(leader)
        return Ran(process.wait(PATIENCE_SECONDS), seen.decode().replace("\r\n", "\n"))

    def expect(self, ran, status):
        self.assertEqual(ran.status, status, f"\nout: {ran.out}\nerr: {ran.err}")
        return ran

    def wait_until(self, statement, expected, patience=PATIENCE_SECONDS):
        deadline = time.monotonic() + patience
        while (value := self.sql(statement)) != expected:
            if time.monotonic() > deadline:
                self.fail(f"{statement}: {value!r} instead of {expected!r}")
            select.select([], [], [], 0.02)


class WorkerProcessTest(ProgramTest):
    """Starts `millrace worker`, or another command that stays, and ends what a test has left running."""

    command = "worker"

    def start(self, *words, **variables):
        process = subprocess.Popen([BINARY, self.command, *words], env=self.environment | variables,
                                   stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stderr.close()

    def finish(self, process):
        """Exit status and log lines, each of which must be a JSON object."""
        _, log = process.communicate(timeout=PATIENCE_SECONDS)
        return process.returncode, [json.loads(line) for line in log.splitlines()]


def main():
    """Runs the caller's tests, and says how many in the form that the test runner reads."""
    program = unittest.main(module="__main__", exit=False, verbosity=1)
    failed = len(program.result.failures) + len(program.result.errors)
    print(f"{program.result.testsRun - failed} passed, {failed} failed")
    sys.exit(1 if failed or not program.result.testsRun else 0)
