"""Single commits of 8 clients while a worker runs their jobs: with the wake-up, and without any."""

from contestants import PAYLOAD, Millrace
from crew import MillraceCrew
from measures import by_turns
from workloads.enqueue import MILLRACE, Way, drive

CLIENTS = 8
QUIET = "select millrace.enqueue('work', 'noop', $1::jsonb, wake => false)"
ALWAYS = "select pg_notify('bench', ''), millrace.enqueue('work', 'noop', $1::jsonb, wake => false)"


def once(bench, way):
    millrace = way.into
    millrace.reset()
    crew = MillraceCrew(bench.server, 1, 64)
    try:
        crew.wait_for(lambda: bench.server.look("select signal_raised from millrace.queues"), "falling asleep")
        told = way.run(millrace, bench.single_jobs)
        crew.span(told["jobs"])
    finally:
        crew.stop()
    return {"jobs_per_second": told["jobs"] / told["seconds"], "p50": told["p50"], "p99": told["p99"],
            "max": told["max"]}


def measure(bench):
    def by_sql(sql):
        return lambda into, jobs: drive(bench.server, "enqueue", clients=CLIENTS, jobs=jobs, batch=1, payload=PAYLOAD,
                                        sql=sql)
    millrace = Millrace(bench.server)
    here = [Way("quiet", "enqueue(… wake => false)", millrace, by_sql(QUIET)),
            Way("wake", "enqueue(…)", millrace, by_sql(MILLRACE)),
            Way("always", "a NOTIFY in each commit, to compare", millrace, by_sql(ALWAYS))]
    figures = by_turns(bench, "notify", here, lambda way: once(bench, way))
    return [{"what": f"{way.title}, {CLIENTS} clients", "key": way.key,
             "of_quiet": figures[way.key]["jobs_per_second"] / figures["quiet"]["jobs_per_second"], **figures[way.key]}
            for way in here], {}
