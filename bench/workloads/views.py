"""How long an operator waits for `millrace.queues`, whatever lies in the tables; and whether its counts are true."""

import statistics
import sys
import time

PAYLOAD = '{"to": "someone@example.org", "subject": "hello there"}'
LOOKS = 31


def enqueue(server, jobs):
    server.sql(f"""do $$ begin
        for i in 1 .. {jobs // 10_000} loop
            perform millrace.enqueue_many('work', 'noop', array_fill('{PAYLOAD}'::jsonb, array[10000]),
                                          priority => i % 10);
            commit;
        end loop;
    end $$;""")


def pretend_to_have_finished(server, jobs):
    """Narrow rows and their counts, as so many completed jobs leave them; their wide rows the view does not read."""
    for first in range(0, jobs, 5_000_000):
        server.sql(f"""
            insert into millrace.finished (job_id, fence, claimed_at, finished_at, stored_on, queue_id, outcome,
                                           attempt)
            select -g, g, now(), now(), (now() at time zone 'utc')::date, q.id, 'completed', 1
              from millrace.queue q cross join generate_series({first + 1}, {min(first + 5_000_000, jobs)}) g;""")
    server.sql("insert into millrace.queue_delta (queue_id, enqueued, completed)"
               f" select id, {jobs}, {jobs} from millrace.queue;")


def look(server, what):
    connection = server.connect("bench views")
    cursor = connection.cursor()
    for chore in ("advance_low_water", "fold_counts"):
        cursor.execute(f"select millrace.{chore}()")
    cursor.execute("analyze millrace.ready, millrace.finished")
    waits = []
    for _ in range(LOOKS):
        began = time.monotonic()
        cursor.execute("select available, completed from millrace.queues where name = 'work'")
        counted = cursor.fetchone()
        waits.append(1000 * (time.monotonic() - began))
    cursor.execute("select (select count(*) from millrace.ready), (select count(*) from millrace.finished)")
    there = cursor.fetchone()
    connection.close()
    if counted != there:
        sys.exit(f"{what}: the view says {counted}, the tables {there}")
    return [{"what": what, "milliseconds": statistics.median(waits), "longest": max(waits)}]


def measure(bench):
    server = bench.server
    server.reset()
    rows = look(server, "an empty queue")
    ready, finished = (20_000, 100_000) if bench.quick else (10_000_000, 50_000_000)
    enqueue(server, ready // 10)
    rows += look(server, f"{ready // 10:,} jobs available")
    enqueue(server, ready - ready // 10)
    rows += look(server, f"{ready:,} jobs available")
    pretend_to_have_finished(server, finished)
    return rows + look(server, f"{ready:,} jobs available, {finished:,} finished"), {}
