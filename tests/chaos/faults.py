"""What can go wrong, each for a while. A fault is a generator: it breaks something, yields, and mends it."""

import contextlib
import os
import shutil
import signal
import subprocess
import time

import psycopg2

from workers import LEASE_SECONDS

STORMS = 5
SECONDS_TO_COME_BACK = 60
DISK_IS_FULL = "No space left on device"
MOST_SEGMENTS = 200  # of 1 MB: twice the volume
IDLE_CONNECTIONS = 300
WORKERS_BACKENDS = ("select count(pg_terminate_backend(pid)) from pg_stat_activity"
                    " where application_name like 'millrace %' and usename = 'chaos_worker'")


def kill(world):
    """kill -9 of a worker"""
    victim = world.random.choice(world.workers)
    victim.kill()
    yield 1.0
    victim.start()


def suspend(world):
    """SIGSTOP of a worker past its lease"""
    victim = world.random.choice(world.workers)
    victim.send(signal.SIGSTOP)
    yield LEASE_SECONDS + 1.5
    victim.send(signal.SIGCONT)


def terminate(world):
    """storms of pg_terminate_backend"""
    for _ in range(STORMS):
        with contextlib.suppress(psycopg2.Error):
            world.server.execute(WORKERS_BACKENDS, database=world.database)
        yield 0.3


def stop(world):
    """immediate stop of PostgreSQL"""
    world.server.stop("immediate")
    yield 1.0
    world.server.start()


def freeze(world):
    """SIGSTOP of all of PostgreSQL, past the lease"""
    world.server.suspend()
    yield LEASE_SECONDS + 1.5
    world.server.resume()


def disk(world):
    """no space on the volume of the WAL"""
    ballast = world.wal_volume / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * 4096)
    # There are segments in store; they are used up, so that it happens now.
    log = world.server.directory / "server.log"
    full_before = log.read_text(errors="replace").count(DISK_IS_FULL)
    with contextlib.suppress(psycopg2.Error):
        for _ in range(MOST_SEGMENTS):
            world.server.execute("select pg_logical_emit_message(false, 'chaos', repeat('x', 1000000))")
    yield 4.0
    ballast.unlink()
    for _ in range(SECONDS_TO_COME_BACK):  # as an init system would, once there is space
        with contextlib.suppress(psycopg2.Error):
            world.server.execute("select 1")
            break
        if not world.server.is_running():
            world.server.start(check=False)
        yield 1.0
    if log.read_text(errors="replace").count(DISK_IS_FULL) == full_before:
        world.complain("the disk was never full: this proves nothing")


def cut(world):
    """network cut: nothing passes"""
    world.cable.filter("drop")
    yield 4.0
    world.cable.mend()


def reject(world):
    """network answers with resets"""
    world.cable.filter("tcp flags & rst == 0 reject with tcp reset")  # else it would drop its own resets
    yield 3.0
    world.cable.mend()


def loss(world):
    """one packet in five is lost"""
    world.cable.filter("numgen random mod 100 < 20 drop")
    yield 5.0
    world.cable.mend()


def latency(world):
    """100 ms each way, for one worker"""
    world.proxy.delay = 0.1
    yield 5.0
    world.proxy.delay = 0.0


def connections(world):
    """300 idle connections take all there are"""
    with contextlib.suppress(psycopg2.Error):
        world.server.execute(WORKERS_BACKENDS, database=world.database)
    idle = []
    for _ in range(IDLE_CONNECTIONS):
        with contextlib.suppress(psycopg2.Error):
            idle.append(world.server.connect(world.database, "chaos_idler"))
    yield 3.0
    for connection in idle:
        connection.close()


def clock(world):
    """a worker's clock jumps: two hours ahead, a day back"""
    for shift in ("+2h", "-1d", "+0"):
        world.shift_clock(shift)
        yield 1.5


def pooler(world):
    """kill -9 of pgbouncer"""
    world.pooler.kill()
    yield 2.0
    world.pooler.start()


ALL = {fault.__name__: fault for fault in
       (kill, suspend, terminate, stop, freeze, disk, cut, reject, loss, latency, connections, clock, pooler)}
NEED_ROOT = {"disk", "cut", "reject", "loss"}


class Pooler:
    """pgbouncer in transaction mode, before the server's socket."""

    def __init__(self, world, address, port):
        self.world, self.port, self.process = world, port, None
        self.file = world.directory / "pgbouncer.ini"
        self.file.write_text(
            f"[databases]\n{world.database} = host={world.server.directory} port={world.server.port}"
            f" user=chaos_worker\n[pgbouncer]\n"
            f"listen_addr = {address}\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
            f"pool_mode = transaction\ndefault_pool_size = 20\nserver_login_retry = 1\n")
        self.start()

    def start(self):
        program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
        user = ["setpriv", "--reuid", "millrace-dev", "--regid", "millrace-dev", "--clear-groups"]
        with open(self.world.directory / "pgbouncer.log", "ab") as log:
            self.process = subprocess.Popen([*(user if os.geteuid() == 0 else []), program, str(self.file)], stdout=log,
                                            stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()


def inject(world, name):
    """Lets one fault happen. Returns (its beginning, its end) by time.time(), which the server shares."""
    began = time.time()
    for seconds in ALL[name](world):
        time.sleep(seconds)
    return began, time.time()
