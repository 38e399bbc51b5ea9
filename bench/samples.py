"""One look at a queue under load: counts, latencies, sizes, memory, processor time. It must not be a load itself."""

import os
import pathlib
import re
import time
import urllib.request

NARROW = ("ready", "running", "scheduled", "queue_delta", "queue_count", "lane", "low_water", "worker")
HISTORY = ("job", "finished")
# A row is stamped shortly before its commit: an interval is looked at when this much has passed since.
COMMITTED_AFTER = "1 second"
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
METRICS_SECONDS = 5

COUNTS = """select enqueued, completed, available + scheduled + running, dead,
                   pg_current_wal_insert_lsn() - '0/0', clock_timestamp() - %s::interval
              from millrace.queues"""
# BRIN finds the rows of the interval; each job is one probe of its key. A delayed job was late on purpose.
LATENCIES = """
with done as materialized (
    select f.job_id, f.stored_on, f.finished_at
      from millrace.finished f
     where f.finished_at > %s and f.finished_at <= %s
)
select percentile_cont(array[0.5, 0.99, 1]) within group (
           order by 1000 * extract(epoch from d.finished_at - j.enqueued_at))
  from done d
 cross join lateral (select j.enqueued_at
                       from millrace.job j
                      where j.id = d.job_id and j.stored_on = d.stored_on and j.payload @> '{"delayed": false}'
                     offset 0) j"""
SIZES = """
select t.name, sum(pg_relation_size(p.relid)), sum(pg_indexes_size(p.relid)), sum(s.n_dead_tup)
  from unnest(%s) t(name)
 cross join lateral (select ('millrace.' || t.name)::regclass as relid
                     union  -- of a table without partitions it returns nothing
                     select relid from pg_partition_tree(('millrace.' || t.name)::regclass)) p
  join pg_stat_all_tables s on s.relid = p.relid
 group by t.name"""


def processor_seconds(pid, with_reaped=False):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15 if with_reaped else 13])) / TICKS_PER_SECOND


def parent(pid):
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def server_seconds(postmaster):
    """Of all server processes: those that live, and through the postmaster those that have ended."""
    total = processor_seconds(postmaster, with_reaped=True)
    for path in pathlib.Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                if parent(path.name) == postmaster:
                    total += processor_seconds(path.name)
            except (FileNotFoundError, ProcessLookupError):
                pass  # it ended meanwhile
    return total


def machine_seconds():
    """Of all processors while they were not idle; guests are counted as user time already."""
    user, nice, system, _, _, *interrupts = map(int, pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:9])
    return (user + nice + system + sum(interrupts)) / TICKS_PER_SECOND


def resident_bytes(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def metrics_of(port):
    """What a worker says of itself: jobs that ended, by outcome, and what should never have to happen."""
    page = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=METRICS_SECONDS).read().decode()
    values = {}
    for name, labels, value in re.findall(r"^(\w+)(\{.*?\})? (\S+)$", page, re.MULTILINE):
        outcome = re.search(r'outcome="(\w+)"', labels)
        if name == "millrace_jobs_total" and outcome:
            values[outcome[1]] = values.get(outcome[1], 0) + int(float(value))
        elif name in ("millrace_leases_lost_total", "millrace_db_reconnects_total"):
            values[name.removeprefix("millrace_").removesuffix("_total")] = int(float(value))
    return values


class Sampler:
    """`workers` are (process, port). The first sample begins the first interval."""

    def __init__(self, connection, workers):
        self.cursor, self.workers = connection.cursor(), workers
        # The tables are new and their statistics lag behind: no plan may read all of them.
        self.cursor.execute("set jit = off; set enable_hashjoin = off; set enable_mergejoin = off;"
                            "set enable_seqscan = off; set application_name = 'soak sampler'")
        self.postmaster = parent(connection.info.backend_pid)
        self.last = None

    def take(self, began, period, pinned):
        taken = time.monotonic()
        self.cursor.execute(COUNTS, (COMMITTED_AFTER,))
        enqueued, finished, backlog, dead, wal, seen_until = self.cursor.fetchone()
        sample = {"seconds": taken - began, "period": period, "pinned": pinned, "enqueued": enqueued,
                  "finished": finished, "backlog": backlog, "dead": dead, "wal": int(wal),
                  "server_seconds": server_seconds(self.postmaster), "own_seconds": time.process_time(),
                  "machine_seconds": machine_seconds(),
                  "worker_seconds": [processor_seconds(process.pid) for process, _ in self.workers],
                  "resident": [resident_bytes(process.pid) for process, _ in self.workers],
                  "metrics": [metrics_of(port) for _, port in self.workers], "tables": self.sizes()}
        if self.last:
            sample |= self.since_last(sample, seen_until)
        self.last, self.seen_until = sample, seen_until
        sample["look_seconds"] = time.monotonic() - taken
        return sample

    def since_last(self, sample, seen_until):
        elapsed = sample["seconds"] - self.last["seconds"]
        finished = sample["finished"] - self.last["finished"]
        self.cursor.execute(LATENCIES, (self.seen_until, seen_until))
        p50, p99, most = self.cursor.fetchone()[0] or (None, None, None)
        return {"enqueued_per_second": (sample["enqueued"] - self.last["enqueued"]) / elapsed,
                "finished_per_second": finished / elapsed, "p50": p50, "p99": p99, "max": most,
                "wal_per_job": (sample["wal"] - self.last["wal"]) / finished if finished else None}

    def sizes(self):
        self.cursor.execute(SIZES, (list(NARROW + HISTORY),))
        return {name: {"table": int(table), "indexes": int(indexes), "dead_rows": int(dead)}
                for name, table, indexes, dead in self.cursor}
