"""What worker processes cost that have nothing to do."""

import time

from measures import by_turns


def once(bench, contestant, processes):
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
            figures["queries"] = (contestant.commits() - commits) / each
    finally:
        crew.stop()
    return figures


def measure(bench):
    rows = []
    for processes in (1, 2) if bench.quick else (1, 4, 16, 32):
        here = bench.contestants("millrace", *(("graphile-tuned", "pgboss-tuned", "bullmq-tuned") if processes == 1
                                               else ()))
        figures = by_turns(bench, f"idle, {processes} processes", here,
                           lambda contestant: once(bench, contestant, processes))
        rows += [{"what": f"{contestant.title}, {processes}", "key": contestant.key, "processes": processes,
                  **figures[contestant.key]} for contestant in here]
    return rows, {}
