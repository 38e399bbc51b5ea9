"""What a chaos run happens in: two servers, a network, a pooler, workers, producers; and the records of all of it."""

import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import threading
import time

import psycopg2.extras

import checker
import faults
import leftovers
import load
import network
import servers
import workers

HERE = pathlib.Path(__file__).resolve().parent
DATABASE = "chaos"
PRODUCERS = 4
DRAIN_SECONDS = 120
WAL_VOLUME = "96m"


def sanitizer_of(binary):
    """The library that must be loaded before others, if this is a build with the address sanitizer."""
    linked = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout
    return next((word for word in linked.split() if "/libasan" in word), "")


class World:
    def __init__(self, seed, binary):
        self.random, self.binary, self.database = random.Random(seed), str(binary), DATABASE
        self.sanitizer = sanitizer_of(binary)
        leftovers.sweep()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=leftovers.PREFIX, dir=leftovers.PLACE))
        self.directory.chmod(0o755)
        self.owned = leftovers.claim(self.directory)
        self.lock, self.cancels, self.asked, self.complaints = threading.Lock(), set(), {}, []
        self.producing_ends = threading.Event()
        self.workers, self.actors, self.cable, self.proxy, self.pooler = [], [], None, None, None
        self.server = self.side = self.wal_volume = None
        self.is_root = os.geteuid() == 0

    # -- building and tearing down -------------------------------------------------------------------------------

    def build_side_log(self):
        self.side = servers.Server(self.directory / "side", settings="fsync = off\nsynchronous_commit = off\n")
        self.side.initialise()
        self.side.start()
        self.side.execute("create table event (id bigint generated always as identity, actor text, what text,"
                          " job bigint, fence bigint, attempt int, kind text)")
        self.side.execute("create table told (id bigint generated always as identity, token text, what text,"
                          " jobs bigint[])")
        self.side.execute("create table acknowledged (worker text, job bigint, fence bigint, outcome text)")
        self.told = self.side.connect().cursor()
        self.side_conninfo = f"host={self.side.directory} port={self.side.port} user=postgres dbname=postgres"

    def build(self, plant=None):
        if self.is_root:
            self.cable = network.Cable()
        here = self.cable.here if self.cable else "127.0.0.1"
        self.build_side_log()
        self.server = servers.Server(self.directory / "main", addresses=f"127.0.0.1,{here}")
        self.server.initialise()
        if self.is_root:
            self.put_wal_on_a_small_volume()
        self.server.start()
        self.install(self.server)
        if plant:
            plant(self)
        self.proxy = network.Proxy(here, servers.free_port(), (here, self.server.port))
        self.pooler = faults.Pooler(self, here, servers.free_port())
        self.clock = self.directory / "clock"
        self.shift_clock("+0")
        self.make_workers(here)

    def install(self, server):
        server.execute(f"create database {DATABASE}")
        server.run_file(DATABASE, "sql/install.sql")
        server.run_file(DATABASE, HERE / "history.sql")

    def put_wal_on_a_small_volume(self):
        self.wal_volume = self.directory / "wal"
        self.wal_volume.mkdir()
        network.run("mount", "-t", "tmpfs", "-o", f"size={WAL_VOLUME},mode=755", "none", self.wal_volume)
        wal = self.server.data / "pg_wal"
        shutil.copytree(wal, self.wal_volume / "pg_wal")
        shutil.rmtree(wal)
        wal.symlink_to(self.wal_volume / "pg_wal")
        subprocess.run(["chown", "-R", f"{servers.OWNER}:", self.wal_volume], check=True)
        subprocess.run(["chown", "-h", f"{servers.OWNER}:", wal], check=True)

    def make_workers(self, here):
        prefix = self.cable.prefix() if self.cable else []
        direct = f"host={here} port={self.server.port} user=chaos_worker dbname={DATABASE}"
        self.workers = [
            workers.Worker(self, "direct", direct, prefix=prefix),
            workers.Worker(self, "far", direct.replace(f"port={self.server.port}", f"port={self.proxy.port}"),
                           prefix=prefix),
            workers.Worker(self, "pooled", direct.replace(f"port={self.server.port}", f"port={self.pooler.port}"),
                           prefix=prefix, flags=["--worker.listen", "off", "--poll-interval", "100ms"]),
            workers.Worker(self, "ahead", direct, prefix=prefix, clock=self.clock),
        ]

    def tear_down(self, keep):
        self.producing_ends.set()
        for worker in self.workers:
            if worker.process and worker.process.poll() is None:
                worker.kill()
        if self.pooler:
            self.pooler.kill()
        for server in self.all_servers():
            server.stop()
        if self.cable:
            self.cable.remove()
        if self.wal_volume:
            subprocess.run(["umount", "-l", str(self.wal_volume)], check=False)
        self.owned.close()
        if keep:
            leftovers.keep(self.directory)
        else:
            shutil.rmtree(self.directory, ignore_errors=True)

    def all_servers(self):
        return [server for server in (self.server, self.side) if server]

    def shift_clock(self, shift):
        new = self.clock.with_suffix(".new")
        new.write_text(shift + "\n")
        new.replace(self.clock)

    # -- what actors say -----------------------------------------------------------------------------------------

    def connect(self):
        return self.server.connect(DATABASE)

    def note_enqueue(self, token, what, jobs):
        """What a producer knows of its transaction: the last word counts."""
        with self.lock:
            self.told.execute("insert into told (token, what, jobs) values (%s, %s, %s)", (token, what, jobs))

    def note_cancel(self, job):
        with self.lock:
            self.cancels.add(job)

    def note_asked(self, job, until):
        """It was asked to stop; all moves up to this number had begun by then."""
        with self.lock:
            self.asked[job] = until

    def complain(self, text):
        with self.lock:
            self.complaints.append(text)

    # -- running -------------------------------------------------------------------------------------------------

    def start(self):
        for worker in self.workers:
            worker.start()
        self.actors = [load.Producer(self, self.random.random(), number) for number in range(PRODUCERS)]
        self.actors += [load.Operator(self, self.random.random()), load.Pinner(self, self.random.random())]
        for actor in self.actors:
            actor.start()

    def drain(self):
        """Ends the producers and waits until nothing is left, or nothing moves any more. Returns the seconds."""
        began = moved = time.monotonic()
        self.producing_ends.set()
        for actor in self.actors:
            actor.join(timeout=30)
        self.query("select millrace.pause_schedule(name) from millrace.schedules")
        left = None
        while time.monotonic() - began < DRAIN_SECONDS and time.monotonic() - moved < 6 * workers.LEASE_SECONDS:
            before, left = left, self.server.execute_soon(
                "select (select count(*) from millrace.ready), (select count(*) from millrace.scheduled),"
                " (select count(*) from millrace.blocked), (select count(*) from millrace.running),"
                " (select count(*) from millrace.batch where finished_at is null),"
                " (select count(*) from chaos.history)", DATABASE)[0]
            if not any(left[:5]):
                break
            moved = moved if left == before else time.monotonic()
            time.sleep(0.2)
        return time.monotonic() - began

    def stop_workers(self):
        for worker in self.workers:
            status = worker.stop()
            if status != 0:
                self.complain(f"the worker {worker.name} ended with {status}")
            for line in worker.trouble():
                self.complain(line)
            settled = [(worker.name, *ack) for ack in worker.settled()]
            if not settled:
                self.complain(f"the worker {worker.name} has settled nothing: it proves nothing")
            psycopg2.extras.execute_values(self.told, "insert into acknowledged values %s", settled)
        # Sessions of killed workers, if no lease has run out since.
        deadline = time.monotonic() + 3 * workers.LEASE_SECONDS
        while self.query("select millrace.reap(), count(*) from millrace.worker where ended_at is null")[0][1]:
            if time.monotonic() > deadline:
                break
            time.sleep(0.2)

    def query(self, text):
        return self.server.execute_soon(text, DATABASE)

    def records(self):
        def numbers(text):
            return {row[0]: row[1] for row in self.query(text)}
        columns = ("available", "scheduled", "blocked", "running", "dead", "completed", "cancelled")
        states = dict(zip(("available", "scheduled", "blocked", "running", "discarded", "completed", "cancelled"), self.query(
            f"select {', '.join(columns)} from millrace.queues where name = 'work'")[0]))
        return checker.Records(
            history=[checker.Move(*row) for row in self.query(
                "select seq, xid::text, place, entered, job, fence, attempt from chaos.history")],
            enqueues={token: (what, jobs) for token, what, jobs in self.side.execute(
                "select distinct on (token) token, what, jobs from told order by token, id desc")},
            enqueued=numbers("select token, jobs from chaos.enqueued"),
            begins=self.side.execute("select job, fence from event where what = 'begin'"),
            ends=self.side.execute("select job, fence, what from event where what <> 'begin'"),
            acks=self.side.execute("select job, fence, outcome from acknowledged"),
            cancels=set(self.cancels),
            asked=dict(self.asked),
            schedules={name: range(first, until) for name, first, until in self.query(
                "select distinct on (s.name) s.name, floor(extract(epoch from s.created_at) / 60)::int + 1,"
                " (extract(epoch from d.next_run_at) / 60)::int"
                " from millrace.schedule s join millrace.schedule_due d on d.schedule_id = s.id"
                " order by s.name, d.version desc")},
            jobs={row[0]: checker.Job(*row) for row in self.query(
                "select j.id, j.kind, v.state, (j.payload ->> 'after')::bigint,"
                " coalesce((j.payload ->> 'length')::int, 0), j.concurrency_key, j.unique_key, j.batch_id,"
                " (j.payload #>> '{batch,id}')::bigint, j.payload ->> 'schedule',"
                " (extract(epoch from (j.payload ->> 'due')::timestamptz) / 60)::int"
                " from millrace.job j join millrace.jobs v using (id)")},
            finished=self.query("select job_id, fence, outcome::text from millrace.finished"),
            ledger=self.query("select job, fence from public.ledger"),
            counts=states,
            limits=load.LIMITS,
            batches=numbers("select id, members from millrace.batches"),
            open_sessions=self.query("select count(*) from millrace.worker where ended_at is null")[0][0])

    def completions(self):
        """When each job was completed, in seconds since the epoch."""
        return [float(row[0]) for row in self.query("select extract(epoch from finished_at) from millrace.finished"
                                                    " where outcome = 'completed' order by finished_at")]
