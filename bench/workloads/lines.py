"""JSON Lines by `millrace enqueue`, and the same chunks by COPY into a temporary table."""

import os
import subprocess
import time

from measures import median

CHUNK = 1000


def timed(server, jobs, command, lines):
    """Jobs a second of a command that enqueues what it reads."""
    began = time.monotonic()
    subprocess.run(command, input=lines, text=True, check=True, env=server.environment, stdout=subprocess.DEVNULL)
    return jobs / (time.monotonic() - began)


def measure(bench):
    server = bench.server
    payloads = [f'{{"to": "someone{n}@example.org", "subject": "hello there"}}' for n in range(bench.jobs)]
    copied = ["create temp table incoming (place int generated always as identity, payload jsonb)"
              " on commit delete rows;"]
    for first in range(0, bench.jobs, CHUNK):
        copied += ["begin;", "copy incoming (payload) from stdin;", *payloads[first:first + CHUNK], "\\.",
                   "select cardinality(millrace.enqueue_many('work', 'noop', array_agg(payload order by place)))"
                   " from incoming;", "commit;"]
    ways = {"millrace enqueue: arrays": ([os.environ["MILLRACE_BINARY"], "enqueue", "work", "noop"], payloads),
            "psql: COPY to a temporary table": (["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1"], copied)}
    rows = []
    for what, (command, lines) in ways.items():
        text = "\n".join(lines) + "\n"
        rates, wal = [], []
        for _ in range(bench.runs):
            server.reset()
            before = server.wal()
            rates.append(timed(server, bench.jobs, command, text))
            wal.append((server.wal() - before) / bench.jobs)
        rows.append({"what": what, "jobs_per_second": median(rates), "wal_enqueue": median(wal)})
    return rows, {}
