"""One job each 10 ms into an idle queue: from the call that enqueues to the handler's beginning."""

from contestants import Millrace, program
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


def measure(bench):
    # Not pg-boss as installed, which takes one job each two seconds: 1,000 jobs would be half an hour.
    here = [ToTheStart(bench.server),
            *bench.contestants("graphile-tuned", "graphile", "pgboss-tuned", "bullmq-tuned")]
    seconds = bench.latency_jobs / 100
    figures = by_turns(bench, "latency", here,
                       lambda contestant: percentiles([wait for _, wait in paced(contestant, 100, seconds, True)[0]]))
    return [{"what": contestant.title, "key": contestant.key, **figures[contestant.key]} for contestant in here], {}
