"""One job each 10 ms into an idle queue: from the call that enqueues to the handler's beginning.

Beside it what no worker can be faster than: a client of libpq with three connections, which enqueues, hears of it and
claims, and does nothing with the job; and the same with a bare NOTIFY and a statement that does nothing.
"""

import json
import subprocess

from contestants import CLAIM, OPEN, Millrace, program
from crew import MillraceCrew
from measures import by_turns, paced, percentiles


class ToTheStart(Millrace):
    """A kind whose result is the time at which its handler was called."""

    key, title = "millrace", "millrace worker"

    def crew(self, processes, slots=64, ms=0):
        crew = MillraceCrew(self.server, processes, slots, program("bench_worker"))
        crew.wait_for(lambda: self.server.look("select signal_raised from millrace.queues"), "falling asleep")
        return crew

    def pace(self, rate, seconds, single):
        return super().pace(rate, seconds, single, kind="bench.start")

    def waits(self, crew):
        rows = self.server.sql("""
            select (f.result ->> 'ms')::float8, (f.result ->> 'ms')::float8 - (j.payload ->> 'sent')::float8
              from millrace.finished f join millrace.job j on j.id = f.job_id and j.stored_on = f.stored_on
             order by 1""")
        return [(float(at), [float(wait)]) for at, wait in rows]


class Floor:
    """From the call that sends to the answer of the claim, and the steps between."""

    every = 10  # milliseconds
    key, title = "floor", "its statements, by a bare client"
    statements = (f"open={OPEN}", f"take={CLAIM.format(batch=1)}", "send=select millrace.enqueue('work', 'noop')",
                  "listen=listen \"millrace/work\"; select millrace.raise_signal('work')")

    def __init__(self, server):
        self.server = server

    def waits(self, jobs):
        self.server.reset()
        done = subprocess.run([program("bench_driver"), "rouse", f"jobs={jobs}", f"every={self.every}",
                               *self.statements], env=self.server.environment, capture_output=True, text=True,
                              check=True)
        steps = json.loads(done.stdout)
        return {**steps["taken"], **{name: steps[name]["p50"] for name in ("sent", "heard", "take")}}


class Notification(Floor):
    key, title = "notification", "NOTIFY and select 1, likewise"
    statements = ("take=select 1", "send=select pg_notify('bench', '')", "listen=listen bench")


def once(bench, contestant):
    if isinstance(contestant, Floor):
        return contestant.waits(bench.latency_jobs)
    return percentiles([wait for _, wait in paced(contestant, 100, bench.latency_jobs / 100, True)[0]])


def measure(bench):
    # Not pg-boss as installed, which takes one job each two seconds: 1,000 jobs would be half an hour.
    here = [ToTheStart(bench.server), Floor(bench.server), Notification(bench.server),
            *bench.contestants("graphile-tuned", "graphile", "pgboss-tuned", "bullmq-tuned")]
    figures = by_turns(bench, "latency", here, lambda contestant: once(bench, contestant))
    return [{"what": contestant.title, "key": contestant.key, **figures[contestant.key]} for contestant in here], {}
