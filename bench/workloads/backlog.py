"""How long a claim of 100 takes, with few jobs and with very many that wait."""

import time

from contestants import Millrace
from measures import percentiles

CLAIMS, AT_ONCE = 300, 100


def claims(server, amount):
    """Milliseconds of each claim; a settle follows each, so that nothing but the backlog differs."""
    connection = server.connect("bench claims")
    cursor = connection.cursor()
    cursor.execute("select millrace.open_session('bench', '{work}', lease => '1 hour')")
    session = cursor.fetchone()[0]
    cursor.execute("prepare one_claim as select job_id, fence, payload from millrace.claim($1, 'work', $2, true)")
    waits = []
    for _ in range(amount):
        began = time.monotonic()
        cursor.execute("execute one_claim (%s, %s)", (session, AT_ONCE))
        waits.append(1000 * (time.monotonic() - began))
        jobs = cursor.fetchall()
        cursor.execute("select millrace.settle_many(%s, %s)", ([job[0] for job in jobs], [job[1] for job in jobs]))
    connection.close()
    return waits


def measure(bench):
    sizes = (1_000, 5_000) if bench.quick else (20_000, 1_000_000, 10_000_000)
    amount = 10 if bench.quick else CLAIMS // 3 * 2
    millrace, rows = Millrace(bench.server), []
    for size in sizes:  # the claims take less than the smallest size
        bench.progress.say(f"backlog: {size:,}")
        millrace.reset()
        millrace.fill(size)
        millrace.calm()
        runs = [claims(bench.server, amount // bench.runs) for _ in range(bench.runs)]
        rows.append({"what": f"claim of {AT_ONCE}, {size:,} jobs wait", "backlog": size,
                     **percentiles([wait for run in runs for wait in run])})
    for row in rows:
        row["of_smallest"] = row["p50"] / rows[0]["p50"]
    bench.progress.clear()
    return rows, {}
