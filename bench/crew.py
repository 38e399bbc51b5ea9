"""The worker processes of one contestant during one measurement: their pace, processor time and memory."""

import pathlib
import subprocess
import sys
import tempfile
import threading
import time

from samples import processor_seconds
from server import stop

PATIENCE_SECONDS = 600
LOOK_SECONDS = 0.01


def peak_bytes(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


class Crew:
    """Processes that exist. `span(jobs)` waits until so many jobs are settled: (first, last) in seconds since 1970."""

    def __init__(self, processes):
        self.processes = processes
        self.cpu_before = self.cpu_now()

    def cpu_now(self):
        return sum(processor_seconds(process.pid) for process in self.processes)

    def cpu(self):
        return self.cpu_now() - self.cpu_before

    def peak_megabytes(self):
        return max(peak_bytes(process.pid) for process in self.processes) / 1e6

    def wait_for(self, condition, what):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            dead = [process for process in self.processes if process.poll() is not None]
            if dead:
                sys.exit(f"a worker ended with status {dead[0].returncode}, {what}")
            if time.monotonic() > deadline:
                sys.exit(f"not within {PATIENCE_SECONDS} s: {what}")
            time.sleep(LOOK_SECONDS)

    def stop(self):
        stop(self.processes)


class MillraceCrew(Crew):
    """Looks at the queue's folded counts, which follow at most a second later; the times come from the rows."""

    def __init__(self, server, processes, slots, program=None):
        self.server = server
        # Jobs after it are this crew's: what an earlier one was given is finished.
        self.first_id = server.look("select coalesce(max(job_id), 0) from millrace.finished")
        self.before = server.look("select completed from millrace.queues")
        super().__init__([server.worker(slots, program=program) for _ in range(processes)])

    def go(self):
        """They have begun already."""

    def span(self, jobs):
        self.looked = 0.0

        def done():
            if time.monotonic() < self.looked + 0.1:
                return False
            self.looked = time.monotonic()
            return self.server.look("select completed from millrace.queues") >= self.before + jobs
        self.wait_for(done, "draining millrace's queue")
        row = self.server.look(f"""
            select array[extract(epoch from min(claimed_at)), extract(epoch from max(finished_at))]::float8[]
              from millrace.finished where job_id > {self.first_id}""")
        return row[0], row[1]


class DriverCrew(Crew):
    """Processes that tell of their progress on standard output, and begin and end with their standard input."""

    def __init__(self, command, processes, environment, is_settled):
        self.is_settled = is_settled
        self.errors = tempfile.TemporaryFile("w+")
        self.ready, self.counts, self.first, self.last, self.waits = [False] * processes, [0] * processes, [], 0.0, []
        started = [subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                    stderr=self.errors) for _ in range(processes)]
        self.readers = [threading.Thread(target=self.read, args=pair, daemon=True) for pair in enumerate(started)]
        for reader in self.readers:
            reader.start()
        super().__init__(started)
        self.wait_for(lambda: all(self.ready), "getting ready")

    def wait_for(self, condition, what):
        try:
            super().wait_for(condition, what)
        except SystemExit as reason:
            self.errors.seek(0)
            sys.exit(f"{reason}: {self.errors.read()[-2000:]}")

    def read(self, index, process):
        for line in process.stdout:
            word, *values = line.split()
            if word == "ready":
                self.ready[index] = True
            elif word == "first":
                self.first.append(float(values[0]) / 1000)
            elif word == "count":
                self.counts[index], self.last = int(values[0]), max(self.last, float(values[1]) / 1000)
            elif word == "waits":
                self.waits.append((float(values[0]), [float(value) for value in values[1:]]))

    def go(self):
        self.before = sum(self.counts)
        self.cpu_before = self.cpu_now()
        for process in self.processes:
            process.stdin.write("\n")
            process.stdin.flush()

    def span(self, jobs):
        """The last handler's end, or when nothing was left in the tables if that is seen to be later."""
        self.wait_for(lambda: sum(self.counts) - self.before >= jobs, f"draining, {sum(self.counts)} of {jobs}")
        last = self.last
        if not self.is_settled():
            def settled():
                self.seen = time.time()
                return self.is_settled()
            self.wait_for(settled, "settling")
            last = self.seen
        return min(self.first), last

    def stop(self):
        for process in self.processes:
            process.stdin.close()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for reader in self.readers:
            reader.join()
