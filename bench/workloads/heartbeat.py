"""What the renewal of a lease costs with few and with 10,000 jobs in flight."""

import time

from contestants import Millrace
from measures import percentiles

BEATS = 200


def measure(bench):
    rows = []
    for jobs in (10, 500 if bench.quick else 10_000):
        server, millrace = bench.server, Millrace(bench.server)
        millrace.reset()
        millrace.fill(jobs)
        connection = server.connect("bench heartbeat")
        cursor = connection.cursor()
        cursor.execute("select millrace.open_session('bench', '{work}', lease => '1 hour')")
        session = cursor.fetchone()[0]
        cursor.execute("select count(*) from millrace.claim(%s, 'work', 10000)", (session,))
        running = cursor.fetchone()[0]
        millrace.calm()
        log, waits = server.wal(), []
        for _ in range(BEATS):
            began = time.monotonic()
            cursor.execute("select millrace.heartbeat(%s)", (session,))
            waits.append(1000 * (time.monotonic() - began))
        rows.append({"what": f"a heartbeat, {running:,} jobs in flight", "in_flight": running, **percentiles(waits),
                     "wal_each": (server.wal() - log) / BEATS})
        connection.close()
    return rows, {}
