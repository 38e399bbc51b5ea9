"""PostgreSQL servers of a chaos run: made, stopped hard, suspended, promoted and thrown away.

PostgreSQL refuses to run as root: for root its files and processes belong to millrace-dev, which `./dev setup` makes.
"""

import os
import pathlib
import pwd
import random
import shutil
import signal
import socket
import subprocess
import time

import psycopg2

ROOT = pathlib.Path(__file__).resolve().parents[2]
OWNER = "millrace-dev" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
START_SECONDS = 60

SETTINGS = """
unix_socket_directories = '{socket}'
port = {port}
listen_addresses = '{addresses}'
max_connections = 130
superuser_reserved_connections = 10
max_prepared_transactions = 10
shared_buffers = 128MB
max_wal_size = 32MB
min_wal_size = 5MB
wal_level = replica
wal_log_hints = on
hot_standby = on
include_if_exists = 'synchronous.conf'
log_min_messages = warning
logging_collector = off
"""


def bin_directory():
    return subprocess.run(["pg_config", "--bindir"], check=True, capture_output=True, text=True).stdout.strip()


BIN = pathlib.Path(bin_directory())
if not (BIN / "initdb").exists():
    BIN = pathlib.Path("/usr/lib/postgresql/15/bin")


def as_owner(*words, check=True, **options):
    prefix = ["setpriv", "--reuid", OWNER, "--regid", OWNER, "--clear-groups"] if os.geteuid() == 0 else []
    done = subprocess.run([*prefix, *map(str, words)], cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, **options)
    if check and done.returncode != 0:
        raise RuntimeError(f"{words[0]}: {done.stdout[-2000:]}")
    return done


def free_port():
    """Below those that clients are given, so that none has it while the server is away."""
    while True:
        port = random.randint(10_000, 30_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def make_directory(path):
    path.mkdir(mode=0o755)
    shutil.chown(path, OWNER)


class Server:
    """One data directory. `settings` are further lines of its configuration."""

    def __init__(self, directory, addresses="", settings=""):
        self.directory, self.data, self.port = directory, directory / "data", free_port()
        make_directory(directory)
        self.configuration = SETTINGS.format(socket=directory, port=self.port, addresses=addresses) + settings

    def initialise(self):
        as_owner(BIN / "initdb", "-D", self.data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--auth=trust",
                 "--wal-segsize=1")
        with open(self.data / "pg_hba.conf", "a", encoding="utf-8") as rules:
            rules.write("host all all 192.0.2.0/24 trust\nhost replication all 127.0.0.1/32 trust\n")
        self.configure()

    def clone(self, primary):
        """Makes its data directory a copy of a running primary's, as its standby."""
        shutil.rmtree(self.data, ignore_errors=True)
        as_owner(BIN / "pg_basebackup", "-h", "127.0.0.1", "-p", primary.port, "-U", "postgres", "-D", self.data, "-R",
                 "--checkpoint=fast", "-X", "stream")
        (self.data / "synchronous.conf").unlink(missing_ok=True)
        self.configure()

    def wait_for_standby(self):
        """From here on a commit returns when the standby has it on disk, too."""
        (self.data / "synchronous.conf").write_text("synchronous_standby_names = '*'\n")
        self.execute("select pg_reload_conf()")
        deadline = time.monotonic() + START_SECONDS
        while self.execute("select sync_state from pg_stat_replication") != [("sync",)]:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.directory.name}: no synchronous standby")
            time.sleep(0.05)

    def configure(self):
        (self.data / "postgresql.conf").write_text(self.configuration)

    def start(self, check=True):
        # The server must not hold the pipe that its starter's output goes to.
        return as_owner(BIN / "pg_ctl", "-D", self.data, "-l", self.directory / "server.log", "-w", "-t", START_SECONDS,
                        "start", check=check).returncode == 0

    def stop(self, mode="immediate"):
        if (self.data / "postmaster.pid").exists():
            self.resume()
        as_owner(BIN / "pg_ctl", "-D", self.data, "-m", mode, "-w", "-t", START_SECONDS, "stop", check=False)

    def promote(self):
        as_owner(BIN / "pg_ctl", "-D", self.data, "-w", "-t", START_SECONDS, "promote")

    def is_running(self):
        return as_owner(BIN / "pg_ctl", "-D", self.data, "status", check=False).returncode == 0

    def send(self, number):
        """To the postmaster and all its children."""
        pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
        for process in [pid, *map(int, children)]:
            try:
                os.kill(process, number)
            except ProcessLookupError:
                pass

    def suspend(self):
        self.send(signal.SIGSTOP)

    def resume(self):
        self.send(signal.SIGCONT)

    def connect(self, database="postgres", user="postgres"):
        connection = psycopg2.connect(host=str(self.directory), port=self.port, dbname=database, user=user,
                                      connect_timeout=5)
        connection.autocommit = True
        return connection

    def execute(self, text, values=None, database="postgres"):
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(text, values)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def execute_soon(self, text, database="postgres", patience=60):
        """The server may be away for a while."""
        deadline = time.monotonic() + patience
        while True:
            try:
                return self.execute(text, database=database)
            except psycopg2.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def run_file(self, database, path):
        done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.directory, "-p", str(self.port),
                               "-U", "postgres", "-d", database, "-f", path], cwd=ROOT, capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
