"""A worker that serves its endpoints, or `millrace serve`, and what it says to raw bytes."""

import contextlib
import json
import select
import socket
import subprocess
import tempfile
import time

from program import BINARY, PATIENCE_SECONDS, Program

HALF_A_REQUEST_SECONDS = 0.05
HEALTHY = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_until(holds, what):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := holds()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain: {what}")
        select.select([], [], [], 0.02)
    return found


class Worker:
    """`log` is a file: a pipe that nobody reads would stop the worker."""

    def __init__(self, database, *words, queue="mail", command="worker", variables=None):
        self.port = free_port()
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [BINARY, command, f"--http-listen=127.0.0.1:{self.port}", f"--worker-queue={queue}=2",
             "--worker-poll-interval=20ms", *words],
            env=Program(database).environment | (variables or {}), stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log)

    def text(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def errors(self):
        return [line for line in self.text().splitlines() if not line.startswith("{")
                or json.loads(line)["level"] == "error"]

    def is_healthy(self):
        return self.ask(HEALTHY).startswith(b"HTTP/1.1 200 OK") and self.process.poll() is None

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS)

    def ask(self, data):
        """All that comes back. Whoever has sent half a request hangs up soon: the server would wait for the rest."""
        received = b""
        with contextlib.suppress(OSError), self.connect() as connection:
            with contextlib.suppress(OSError):
                connection.sendall(data)
            patience = PATIENCE_SECONDS if b"\r\n\r\n" in data else HALF_A_REQUEST_SECONDS
            if not select.select([connection], [], [], patience)[0]:
                connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                received += part
        return received

    def page(self, path):
        return self.ask(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    def stop(self):
        self.process.terminate()
        try:
            return self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


@contextlib.contextmanager
def worker(database, *words, **options):
    started = Worker(database, *words, **options)
    try:
        wait_until(started.is_healthy, "its health")
        yield started
    finally:
        started.stop()
        started.log.close()
