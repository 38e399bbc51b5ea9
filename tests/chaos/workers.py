"""Worker processes of a chaos run, each with a way to the database of its own, and what their logs say."""

import json
import os
import signal
import subprocess

SLOTS = 4
LEASE_SECONDS = 3
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


class Worker:
    """One place where a worker runs: started again there after it was killed."""

    def __init__(self, world, name, conninfo, *, prefix=(), flags=(), clock=None):
        self.world, self.name, self.conninfo = world, name, conninfo
        self.prefix, self.flags, self.clock = list(prefix), list(flags), clock
        self.logs, self.process, self.starts = [], None, 0

    def start(self):
        self.starts += 1
        self.logs.append(self.world.directory / f"{self.name}-{self.starts}.log")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "MILLRACE"))}
        environment["ASAN_OPTIONS"] = "detect_leaks=0"  # leaks are the other tests' business; they end in SIGKILL here
        preload = []
        if self.clock is not None:
            environment |= {"FAKETIME_NO_CACHE": "1", "FAKETIME_TIMESTAMP_FILE": str(self.clock),
                            "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
            # For the worker only: `ip` hangs under it.
            preload = ["env", f"LD_PRELOAD={self.world.sanitizer} {FAKETIME}"]
        with open(self.logs[-1], "wb") as log:
            self.process = subprocess.Popen(
                [*self.prefix, *preload, self.world.binary, self.world.side_conninfo, "--name", self.name, "--queue",
                 f"work={SLOTS}", "--lease", f"{LEASE_SECONDS}s", "--poll-interval", "500ms", "--drain-timeout", "5s",
                 "--database-url", self.conninfo, *self.flags], stdout=log, stderr=log, env=environment)

    def send(self, number):
        if self.process.poll() is None:
            self.process.send_signal(number)

    def kill(self):
        self.send(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """Drains. What it says is its exit status."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        try:
            return self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.kill()
            return "did not stop"

    def settled(self):
        """(job, fence, outcome) of each settle that this worker was told had been accepted."""
        for log in self.logs:
            with open(log, encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    if '"settled"' not in line:
                        continue
                    try:
                        said = json.loads(line)
                    except json.JSONDecodeError:
                        continue  # the process was killed while it wrote
                    yield said["job"], said["fence"], said["outcome"]

    def trouble(self):
        """Lines that no fault excuses."""
        for log in self.logs:
            text = log.read_text(encoding="utf-8", errors="replace")
            for sign in ("ERROR: AddressSanitizer", "runtime error:", "terminate called", "the worker gave up"):
                if sign in text:
                    at = text.index(sign)
                    yield f"{log.name}: {text[at:at + 300]}"
