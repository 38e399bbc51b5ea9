"""Single commits from 1, 4 and 8 clients, each with what its library offers; then in bulk, and by COPY."""

import json
import subprocess
import sys

from bars import Bars
from contestants import PAYLOAD, program
from measures import by_turns

CLIENTS = (1, 4, 8)
BULK_CLIENTS, BULK = 2, 1000
BARE = "insert into bare (payload) values ($1)"
MILLRACE = "select millrace.enqueue('work', 'noop', $1::jsonb)"
BARE_MANY = "insert into bare (payload) select unnest($1::jsonb[])"
MILLRACE_MANY = "select cardinality(millrace.enqueue_many('work', 'noop', $1::jsonb[]))"
GRAPHILE = "select id from graphile_worker.add_job('noop', $1::json)"
PGQ = "select pgq.insert_event('work', 'noop', $1)"
INCOMING = "create temp table incoming (payload jsonb) on commit delete rows"
COPY = "copy incoming (payload) from stdin"
THEN = "select cardinality(millrace.enqueue_many('work', 'noop', array_agg(payload))) from incoming"


def drive(server, role, **settings):
    words = [f"{name}={value}" for name, value in settings.items()]
    done = subprocess.run([program("bench_driver"), role, *words], env=server.environment, capture_output=True,
                          text=True)
    if done.returncode != 0:
        sys.exit(f"bench_driver {role}: {done.stderr}")
    return json.loads(done.stdout)


class Way:
    """One way to enqueue: into what, and how."""

    def __init__(self, key, title, into, run):
        self.key, self.title, self.into, self.run = key, title, into, run


def ways(bench, clients, batch):
    """Of single jobs where batch is 1, else in calls of so many."""
    many = batch > 1

    def by_sql(sql):
        return lambda into, jobs: drive(bench.server, "enqueue", clients=clients, jobs=jobs, batch=batch,
                                        payload=PAYLOAD, sql=sql)

    def by_library(into, jobs):
        return into.do("enqueue", clients=clients, jobs=jobs, batch=batch, payload=PAYLOAD)

    def by_copy(into, jobs):
        return drive(bench.server, "copy", clients=clients, jobs=jobs, batch=batch, payload=PAYLOAD, open=INCOMING,
                     copy=COPY, then=THEN)
    found = bench.by_key("millrace", "bare", "graphile-tuned", "pgboss-tuned", "bullmq-tuned", "pgq")
    all_ways = [("millrace", "millrace: " + ("enqueue_many()" if many else "enqueue()"), "millrace",
                 by_sql(MILLRACE_MANY if many else MILLRACE)),
                ("bare", "bare INSERT" + (" … unnest" if many else ""), "bare", by_sql(BARE_MANY if many else BARE)),
                ("graphile", "graphile-worker: " + ("addJobs" if many else "addJob"), "graphile-tuned", by_library),
                ("pgboss", "pg-boss: " + ("insert" if many else "send"), "pgboss-tuned", by_library),
                ("bullmq", "BullMQ: " + ("addBulk" if many else "add"), "bullmq-tuned", by_library)]
    if many:
        all_ways.append(("copy", "millrace: COPY, then enqueue_many()", "millrace", by_copy))
    else:
        all_ways += [("graphile-sql", "graphile-worker: add_job() by the same driver", "graphile-tuned",
                      by_sql(GRAPHILE)),
                     ("pgq", "PgQ: insert_event()", "pgq", by_sql(PGQ))]
    return [Way(key, title, found[into], run) for key, title, into, run in all_ways if into in found]


def measured(way, jobs):
    into = way.into
    into.reset()
    into.calm()
    commits, log, cpu = into.commits(), into.log_bytes(), into.server_seconds()
    told = way.run(into, jobs)
    done = told.pop("jobs")
    figures = {"jobs_per_second": done / told.pop("seconds"), **told, "wal_enqueue": (into.log_bytes() - log) / done,
               "cpu_server": 100_000 / done * (into.server_seconds() - cpu), "jobs": done}
    if commits is not None:
        figures["commits"] = (into.commits() - commits) / done
    return figures


def measure(bench):
    rows, bars = [], {}
    plans = [(clients, 1, bench.single_jobs) for clients in (CLIENTS[:1] if bench.quick else CLIENTS)]
    plans.append((BULK_CLIENTS, min(BULK, bench.jobs // 4), bench.jobs))
    for clients, batch, jobs in plans:
        here = ways(bench, clients, batch)
        name = f"single, {clients} clients" if batch == 1 else f"{batch:,} a call, {clients} clients"
        figures = by_turns(bench, f"enqueue, {name}", here, lambda way: measured(way, jobs))
        for way in here:
            row = {"what": f"{way.title}, {clients}" if batch == 1 else way.title, "key": way.key, "clients": clients,
                   "batch": batch, **figures[way.key]}
            row["ours_of_it"] = figures["millrace"]["jobs_per_second"] / row["jobs_per_second"]
            rows.append(row)
            if batch == 1:
                bars.setdefault(way.title, []).append((str(clients), row["jobs_per_second"]))
    return rows, {"enqueue": Bars("Enqueue, one commit a job", "jobs/s", "clients", bars)}
