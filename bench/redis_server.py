"""A throw-away Redis that writes each command to the disk before it answers, as a PostgreSQL commit does."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from samples import processor_seconds

START_SECONDS = 20
SETTINGS = {"port": "0", "appendonly": "yes", "appendfsync": "always", "save": "", "maxmemory-policy": "noeviction",
            "auto-aof-rewrite-percentage": "0"}  # so that the file's size is what was written


class Redis:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-bench-", dir="/var/tmp"))
        self.socket = self.folder / "socket"
        words = [word for name, value in SETTINGS.items() for word in (f"--{name}", value)]
        self.process = subprocess.Popen(["redis-server", *words, "--dir", self.folder, "--unixsocket", self.socket],
                                        stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while not self.socket.exists() or self.ask("ping") != "PONG":
            if time.monotonic() > deadline or self.process.poll() is not None:
                sys.exit("redis-server did not start")
            time.sleep(0.02)
        self.version = dict(line.split(":", 1) for line in self.ask("info", "server").splitlines()
                            if ":" in line)["redis_version"].strip()

    def ask(self, *words):
        return subprocess.run(["redis-cli", "-s", self.socket, *words], capture_output=True, text=True,
                              env=os.environ).stdout.strip()

    def clear(self):
        self.ask("flushall")

    def log_bytes(self):
        return sum(path.stat().st_size for path in self.folder.glob("appendonlydir/*"))

    def seconds(self):
        return processor_seconds(self.process.pid)

    def memory(self):
        lines = dict(line.split(":", 1) for line in self.ask("info", "memory").splitlines() if ":" in line)
        return int(lines["used_memory"])

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)
