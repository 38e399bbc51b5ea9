#!/usr/bin/env python3
"""What `millrace worker` and `millrace serve` tell systemd, over the socket that it would give them."""

import pathlib
import select
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from program import PATIENCE_SECONDS, WorkerProcessTest, free_port, main  # noqa: E402

DONE = 0
READY, STOPPING, ALIVE = "READY=1", "STOPPING=1", "WATCHDOG=1"


class Supervised(WorkerProcessTest):
    def setUp(self):
        super().setUp()
        self.sql("select millrace.create_queue('work')")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.environment["NOTIFY_SOCKET"] = f"{folder.name}/notify"
        self.systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.systemd.close)
        self.systemd.bind(self.environment["NOTIFY_SOCKET"])

    def hear(self, patience=PATIENCE_SECONDS):
        """The next message; nothing when none comes in time."""
        heard = select.select([self.systemd], [], [], patience)[0]
        return self.systemd.recv(1000).decode() if heard else None

    def hear_until(self, message):
        heard, deadline = [], time.monotonic() + PATIENCE_SECONDS
        while not heard or heard[-1] != message:
            self.assertLess(time.monotonic(), deadline, f"{message} has not come, but {heard}")
            heard.append(self.hear())
            self.assertIsNotNone(heard[-1], f"{message} has not come, but {heard}")
        return heard


class Worker(Supervised):
    def test_is_ready_when_it_holds_a_session_alive_while_it_works_and_stopping_at_a_signal(self):
        process = self.start("--queue", "work=1", WATCHDOG_USEC="200000")
        self.assertEqual(self.hear(), READY)
        self.assertEqual(self.sql("select state from millrace.workers"), "alive")
        began = time.monotonic()
        self.assertEqual([self.hear() for _ in range(10)], [ALIVE] * 10)
        self.assertLess(time.monotonic() - began, PATIENCE_SECONDS)
        process.terminate()
        self.assertLessEqual(set(self.hear_until(STOPPING)), {ALIVE, STOPPING})
        self.assertEqual(self.finish(process)[0], DONE)

    def test_is_alive_while_it_drains(self):
        job = self.sql("""select millrace.enqueue('work', 'wait', '{"until_stopped": true}')""")
        process = self.start("--queue", "work=1", "--drain-timeout", "1h", WATCHDOG_USEC="1000000")
        self.hear_until(READY)
        self.wait_until(f"select state from millrace.jobs where id = {job}", "running")
        process.terminate()
        self.hear_until(STOPPING)
        self.assertEqual([self.hear() for _ in range(5)], [ALIVE] * 5)

    def test_is_not_ready_while_its_database_is_away(self):
        name, self.database = self.database, "postgres"
        self.sql(f"alter database {name} rename to {name}_away")
        process = self.start("--queue", "work=1")
        line = process.stderr.readline()
        self.assertIn("cannot connect", line)
        self.assertIsNone(self.hear(patience=0))
        self.sql(f"alter database {name}_away rename to {name}")
        self.database = name
        self.assertEqual(self.hear(), READY)
        process.terminate()
        self.assertEqual(self.hear(), STOPPING, "no signs of life were asked for")
        self.assertEqual(self.finish(process)[0], DONE)

    def test_is_ready_and_alive_while_one_of_its_databases_is_away(self):
        process = self.start("--database", "away=dbname=no_such_database", "--database", f"here=dbname={self.database}",
                             "--queue", "work=1", "--lease", "1s", WATCHDOG_USEC="200000")
        self.assertEqual(self.hear(), READY)
        self.assertEqual([self.hear() for _ in range(10)], [ALIVE] * 10)
        process.terminate()
        self.assertLessEqual(set(self.hear_until(STOPPING)), {ALIVE, STOPPING})
        self.assertEqual(self.finish(process)[0], DONE)

    def test_works_where_nobody_listens(self):
        self.systemd.close()
        job = self.sql("select millrace.enqueue('work', 'noop')")
        process = self.start("--queue", "work=1")
        self.wait_until(f"select state from millrace.jobs where id = {job}", "completed")
        process.terminate()
        status, log = self.finish(process)
        self.assertEqual(status, DONE)
        self.assertEqual(len([line for line in log if line["message"] == "cannot tell the supervisor"]), 1)


class Server(Supervised):
    command = "serve"

    def serve(self, **variables):
        self.port = free_port()
        return self.start("--http-listen", f"127.0.0.1:{self.port}", MILLRACE_API_TOKENS="0" * 64, **variables)

    def test_is_ready_when_it_listens(self):
        process = self.serve()
        self.assertEqual(self.hear(), READY)
        socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS).close()
        process.terminate()
        self.assertEqual(self.hear(), STOPPING)
        self.assertEqual(self.finish(process)[0], DONE)

    def test_is_alive_while_it_listens_whatever_its_database_does(self):
        process = self.serve(WATCHDOG_USEC="1000000")
        self.assertEqual(self.hear(), READY)
        self.assertEqual([self.hear() for _ in range(3)], [ALIVE] * 3)
        name, self.database = self.database, "postgres"
        self.sql(f"alter database {name} rename to {name}_away")
        with self.assertRaisesRegex(urllib.error.HTTPError, "503"):
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=PATIENCE_SECONDS)
        self.assertEqual([self.hear() for _ in range(5)], [ALIVE] * 5)
        self.sql(f"alter database {name}_away rename to {name}")
        process.terminate()
        self.assertLessEqual(set(self.hear_until(STOPPING)), {ALIVE, STOPPING})
        self.assertEqual(self.finish(process)[0], DONE)


if __name__ == "__main__":
    main()
