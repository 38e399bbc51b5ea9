"""A mixed load at a steady pace: one client enqueues, one worker process runs the jobs, for a minute each."""

from measures import by_turns, paced, percentiles

RATE = 2000


def once(bench, contestant):
    waits, crew = paced(contestant, RATE, bench.steady_seconds, False)
    span = max(at for at, _ in waits) - min(at for at, _ in waits)
    return {"jobs_per_second": 1000 * len(waits) / max(span, 1), **percentiles([wait for _, wait in waits]),
            "jobs": len(waits)}


def measure(bench):
    here = bench.contestants("millrace", "graphile-tuned", "pgboss-tuned", "bullmq-tuned")
    figures = by_turns(bench, "steady", here, lambda contestant: once(bench, contestant))
    return [{"what": f"{contestant.title}, {RATE:,} jobs/s", "key": contestant.key, **figures[contestant.key]}
            for contestant in here], {}
