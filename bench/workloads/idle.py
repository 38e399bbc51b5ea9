"""What worker processes cost that have nothing to do.

A database that nobody uses commits, too: autovacuum looks at each table that was filled. That is measured first, and
taken off.
"""

import time

from measures import by_turns


def commits_of_nobody(bench):
    """A second, of a database with an empty queue."""
    contestant = bench.contestants("millrace")[0]
    contestant.reset()
    time.sleep(bench.settling_seconds)
    commits = contestant.commits()
    time.sleep(bench.idle_seconds)
    return (contestant.commits() - commits) / bench.idle_seconds


def once(bench, contestant, processes, nobody):
    contestant.reset()
    crew = contestant.crew(processes)
    try:
        crew.go()
        time.sleep(bench.settling_seconds)  # a worker looks more often until it has been idle for half a minute
        contestant.server_seconds()
        commits, cpu, server_cpu = contestant.commits(), crew.cpu(), contestant.server_seconds()
        began = time.monotonic()
        time.sleep(bench.idle_seconds)
        elapsed = time.monotonic() - began
        each = elapsed * processes
        figures = {"processor": 100 * (crew.cpu() - cpu) / each,
                   "server_processor": 100 * (contestant.server_seconds() - server_cpu) / each,
                   "memory": crew.peak_megabytes()}
        if commits is not None:
            figures["queries"] = max(0.0, contestant.commits() - commits - nobody * elapsed) / each
    finally:
        crew.stop()
    return figures


def measure(bench):
    nobody = commits_of_nobody(bench)
    rows = [{"what": "the database alone", "key": "nobody", "queries": nobody}]
    for processes in (1, 2) if bench.quick else (1, 4, 16, 32):
        here = bench.contestants("millrace", *(("graphile-tuned", "pgboss-tuned", "bullmq-tuned") if processes == 1
                                               else ()))
        figures = by_turns(bench, f"idle, {processes} processes", here,
                           lambda contestant: once(bench, contestant, processes, nobody))
        rows += [{"what": f"{contestant.title}, {processes}", "key": contestant.key, "processes": processes,
                  **figures[contestant.key]} for contestant in here]
    return rows, {}
