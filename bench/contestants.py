"""Who is measured: each can be installed afresh, filled with jobs and set to work. README.md says what each promises.

`share` is the part of the usual jobs that a slow one gets, so that a run ends; `most_processes` is 1 where its design
lets one consumer read a queue.
"""

import json
import os
import pathlib
import subprocess
import sys
import threading
import time

from crew import DriverCrew, MillraceCrew
from samples import parent, server_seconds

HERE = pathlib.Path(__file__).resolve().parent
PAYLOAD = '{"to": "someone@example.org", "subject": "hello."}'  # 50 bytes
SLOTS = 64
LIMIT_BATCH, BARE_BATCH = 500, 500
PACE_SECONDS = 0.02
FILL_BATCH = 1000
CLAIM = ("select job_id, fence, kind, priority, attempt, max_attempts, payload, traceparent,"
         " (extract(epoch from timeout) * 1000)::bigint,"
         " (date_part('epoch', millrace.now() - enqueued_at) * 1000000)::bigint"
         " from millrace.claim($1, 'work', {batch}, async => true)")  # what worker/storage sends
SETTLE = "select unnest(millrace.settle_many($1::bigint[], $2::bigint[]))"
OPEN = "select millrace.open_session('limit', '{work}', lease => '1 hour')"


def program(name):
    return str(pathlib.Path(os.environ["MILLRACE_BINARY"]).parent / name)


class OnPostgres:
    """What all contestants have in common whose jobs lie in the benchmark's PostgreSQL."""

    share, most_processes, tables = 1.0, 99, "public"

    def __init__(self, server):
        self.server = server
        self.environment = server.environment

    def log_bytes(self):
        return self.server.wal()

    def commits(self):
        return int(self.server.look("select xact_commit from pg_stat_database where datname = current_database()"))

    def server_seconds(self):
        if self.server.watching is None:
            self.server.look("select 1")
        return server_seconds(parent(self.server.watching.info.backend_pid))

    def dead_rows(self):
        return int(self.server.look("select coalesce(sum(n_dead_tup), 0) from pg_stat_user_tables"))

    def megabytes(self):
        return float(self.server.look(f"""
            select coalesce(sum(pg_total_relation_size(c.oid)), 0) / 1e6
              from pg_class c where c.relnamespace = '{self.tables}'::regnamespace and c.relkind in ('r', 'm')"""))

    def calm(self):
        """And statistics, as autovacuum would have them a minute later: no contestant is to plan in the dark."""
        self.server.sql("analyze; checkpoint;")


class Millrace(OnPostgres):
    key, title, tables = "millrace", "millrace worker", "millrace"

    def reset(self):
        self.server.reset()

    def fill(self, jobs, kind="noop", payload=PAYLOAD):
        left = jobs % FILL_BATCH
        self.server.sql(f"""do $$ begin
            for i in 1 .. {jobs // FILL_BATCH} loop
                perform millrace.enqueue_many('work', '{kind}', array_fill('{payload}'::jsonb, array[{FILL_BATCH}]));
                commit;
            end loop;
            perform millrace.enqueue_many('work', '{kind}', array_fill('{payload}'::jsonb, array[{left}]))
              where {left} > 0;
        end $$;""")

    def crew(self, processes, slots=SLOTS, ms=0):
        return MillraceCrew(self.server, processes, slots)

    def fill_slow(self, jobs, ms):
        self.fill(jobs, "wait", f'{{"ms": {ms}, "to": "someone@example.org, hello"}}')

    def pace(self, rate, seconds, single, kind="noop"):
        return Pace(self.server, rate, seconds, single, kind)

    def waits(self, crew):
        """Sent → settled, which is later than the handler's beginning."""
        rows = self.server.sql(f"""
            select 1000 * extract(epoch from f.finished_at),
                   1000 * extract(epoch from f.finished_at) - (j.payload ->> 'sent')::float8
              from millrace.finished f join millrace.job j on j.id = f.job_id and j.stored_on = f.stored_on
             where f.job_id > {crew.first_id} order by f.finished_at""")
        return [(float(at), [float(wait)]) for at, wait in rows]


class Pace(threading.Thread):
    """Enqueues at a steady rate: single jobs, or what is due every 20 ms in one call. `wait` as a process has."""

    def __init__(self, server, rate, seconds, single, kind):
        super().__init__(daemon=True)
        self.rate, self.seconds, self.single, self.kind = rate, seconds, single, kind
        self.connection, self.failure = server.connect("bench pace"), None
        self.start()

    def run(self):
        try:
            self.keep_pace(self.connection.cursor())
        except Exception as error:  # told by wait()
            self.failure = error

    def keep_pace(self, cursor):
        began, sent, total = time.monotonic(), 0, int(self.rate * self.seconds)
        while sent < total:
            due = min(total, int(self.rate * (time.monotonic() - began)) + 1) - sent
            while due > 0:
                amount = 1 if self.single else min(due, FILL_BATCH)
                payloads = [f'{{"sent": {1000 * time.time():.3f}}}'] * amount
                if self.single:
                    cursor.execute("select millrace.enqueue('work', %s, %s)", (self.kind, payloads[0]))
                else:
                    cursor.execute("select 1 from millrace.enqueue_many('work', %s, %s::jsonb[])",
                                   (self.kind, payloads))
                due, sent = due - amount, sent + amount
            elapsed = time.monotonic() - began
            next_at = sent / self.rate if self.single else PACE_SECONDS * (int(elapsed / PACE_SECONDS) + 1)
            time.sleep(max(0.0, next_at - elapsed))

    def wait(self):
        self.join()
        self.connection.close()
        if self.failure:
            sys.exit(f"enqueuing failed: {self.failure}")
        return 0


class Statements(OnPostgres):
    """A driver that does nothing but run statements, pipelined, on two connections."""

    settle, batch = None, LIMIT_BATCH

    def crew(self, processes, slots=None, ms=0):
        command = [program("bench_driver"), "work", "connections=2", f"open={self.open}", f"claim={self.claim}"]
        if self.settle:
            command.append(f"settle={self.settle}")
        return DriverCrew(command, processes, self.environment, lambda: True)


class Limit(Statements):
    key, title, tables = "limit", "millrace's statements alone", "millrace"
    open, claim, settle = OPEN, CLAIM.format(batch=LIMIT_BATCH), SETTLE
    reset, fill = Millrace.reset, Millrace.fill


class Bare(Statements):
    key, title = "bare", "bare table, deleted by 500"
    open = "select 0"
    claim = f"""delete from bare where ctid = any (array(select ctid from bare order by id limit {BARE_BATCH}
                for update skip locked)) and $1::int = 0 returning id, payload"""

    def reset(self):
        self.server.recreate()
        self.server.sql("create table bare (id bigint generated always as identity primary key, payload jsonb not null,"
                        " enqueued_at timestamptz not null default now());")

    def fill(self, jobs):
        self.server.sql(f"insert into bare (payload) select '{PAYLOAD}' from generate_series(1, {jobs});")


class Pgq(Statements):
    key, title, most_processes, tables = "pgq", "PgQ, ticks of 1,000", 1, "pgq"
    open = "select 0"
    claim = """select e.ev_id, b.id, e.ev_data
                 from (select pgq.next_batch('work', 'bench') as id where $1::int = 0) b
                cross join lateral pgq.get_batch_events(b.id) e where b.id is not null"""
    settle = "select pgq.finish_batch(($2::bigint[])[1]) where $1::bigint[] is not null"

    def reset(self):
        self.server.recreate()
        self.server.sql("create extension pgq; select pgq.create_queue('work');"
                        " select pgq.register_consumer('work', 'bench');")

    def fill(self, jobs):
        """A batch is what lies between two ticks. The first, empty one is finished here."""
        self.server.sql(f"""do $$ begin
            for filled in 0 .. {jobs - 1} by {FILL_BATCH} loop
                perform pgq.insert_event('work', 'noop', '{PAYLOAD}')
                   from generate_series(1, least({FILL_BATCH}, {jobs} - filled));
                commit;
                perform pgq.force_tick('work');
                perform pgq.ticker('work');
                commit;
            end loop;
        end $$;""")

    def crew(self, processes, slots=None, ms=0):
        command = [program("bench_driver"), "work", "connections=1", f"open={self.open}", f"claim={self.claim}",
                   f"settle={self.settle}"]
        return DriverCrew(command, processes, self.environment, lambda: True)


class NodePeer(OnPostgres):
    """A library for Node, by peers/driver.mjs."""

    def command(self, role, **settings):
        words = [f"{name}={value}" for name, value in settings.items()]
        return [os.environ["MILLRACE_NODE"], str(HERE / "peers/driver.mjs"), self.key, role, *words]

    def do(self, role, **settings):
        done = subprocess.run(self.command(role, **settings), env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{self.key} {role}: {done.stderr[-2000:]}")
        return json.loads(done.stdout) if role == "enqueue" else None

    def reset(self):
        self.server.recreate()
        self.do("setup")

    def fill(self, jobs, payload=PAYLOAD):
        self.do("fill", jobs=jobs, payload=payload)

    def fill_slow(self, jobs, ms):
        self.fill(jobs)

    def crew(self, processes, slots=None, ms=0):
        settings = {"ms": ms} | ({"concurrency": slots} if slots else {})
        return DriverCrew(self.command("work", **settings), processes, self.environment, self.is_settled)

    def pace(self, rate, seconds, single):
        return subprocess.Popen(self.command("pace", rate=rate, seconds=seconds, single=int(single)),
                                env=self.environment)

    def waits(self, crew):
        return crew.waits


class Graphile(NodePeer):
    key, title, share, tables = "graphile", "graphile-worker, as installed", 0.1, "graphile_worker"

    def is_settled(self):
        return not self.server.look("select exists (select from graphile_worker._private_jobs)")


class GraphileTuned(Graphile):
    key, title, share = "graphile-tuned", "graphile-worker, tuned", 1.0


class PgBoss(NodePeer):
    key, title, share, tables = "pgboss", "pg-boss, as installed", 0.00005, "pgboss"

    def is_settled(self):
        return not self.server.look("""
            select exists (select from pgboss.job where name = 'work' and state < 'completed')""")


class PgBossTuned(PgBoss):
    key, title, share = "pgboss-tuned", "pg-boss, tuned", 1.0


class BullMq(NodePeer):
    key, title = "bullmq-tuned", "BullMQ, each write on disk"
    share = 0.25

    def __init__(self, server, redis):
        super().__init__(server)
        self.redis = redis
        self.environment = server.environment | {"BENCH_REDIS": str(redis.socket)}

    def reset(self):
        self.redis.clear()
        self.do("setup")

    def is_settled(self):
        return self.redis.ask("llen", "bull:work:active") == "0" and self.redis.ask("llen", "bull:work:wait") == "0"

    def log_bytes(self):
        return self.redis.log_bytes()

    def server_seconds(self):
        return self.redis.seconds()

    def megabytes(self):
        return self.redis.memory() / 1e6

    def calm(self):
        pass

    commits = dead_rows = lambda self: None


ON_POSTGRES = (Millrace, Limit, Bare, GraphileTuned, Graphile, PgBossTuned, PgBoss, Pgq)
KEYS = [contestant.key for contestant in (*ON_POSTGRES, BullMq)]
