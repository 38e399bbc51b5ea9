"""pgbouncer in transaction mode, before the server of PGHOST, PGPORT and PGUSER."""

import os
import pathlib
import select
import shutil
import socket
import subprocess
import tempfile
import time

from program import PATIENCE_SECONDS, free_port


class Pooler:
    """Serves one database until the test ends, with so many connections to the server; who comes is PGUSER."""

    def __init__(self, test, database, connections=2):
        self.directory = tempfile.TemporaryDirectory()
        self.port = free_port()
        settings = pathlib.Path(self.directory.name, "pgbouncer.ini")
        settings.write_text(
            f"[databases]\n{database} = host={os.environ['PGHOST']} port={os.environ['PGPORT']}"
            f" user={os.environ['PGUSER']}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\n"
            f"unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = {connections}\n")
        os.chmod(self.directory.name, 0o755)
        program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
        user = ["setpriv", "--reuid", "millrace-dev", "--regid", "millrace-dev", "--clear-groups"]
        self.process = subprocess.Popen([*(user if os.geteuid() == 0 else []), program, settings],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        test.addCleanup(self.stop)
        self.here = {"PGHOST": "127.0.0.1", "PGPORT": str(self.port)}  # libpq's variables, for who comes by it
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.answers():
            if time.monotonic() > deadline:
                raise AssertionError("the pooler does not answer")
            select.select([], [], [], 0.02)

    def answers(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.directory.cleanup()
