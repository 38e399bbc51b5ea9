#!/usr/bin/env python3
"""SIGHUP: a worker and `millrace serve` take over what can change, name what needs a restart, and lose no job."""

import json
import os
import pathlib
import pty
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from program import BINARY, PATIENCE_SECONDS, WorkerProcessTest, free_port, main  # noqa: E402

DONE = 0
FOREVER = """'{"until_stopped": true}'"""
NOT_RELOADED = "settings not reloaded, all stay as they were"
NEED_RESTART = "settings have changed that need a restart"


class Reload(WorkerProcessTest):
    def setUp(self):
        super().setUp()
        self.sql("select millrace.create_queue('work')")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, text):
        """The file of settings, which is replaced as editors do it, so that nobody reads half of it."""
        (self.folder / "new").write_text(text)
        os.chmod(self.folder / "new", 0o600)
        os.replace(self.folder / "new", self.folder / "millrace.conf")
        return str(self.folder / "millrace.conf")

    def reload(self, process, *messages):
        """Sends SIGHUP and returns the lines of the log with these messages, which are waited for in this order."""
        process.send_signal(signal.SIGHUP)
        return [self.read_until(process, message) for message in messages]

    def read_until(self, process, message):
        for line in process.stderr:
            if json.loads(line)["message"] == message:
                return json.loads(line)
        return self.fail(f"the process ended without {message!r}")


class Worker(Reload):
    def test_takes_over_what_can_change_while_jobs_run(self):
        self.sql(f"select millrace.enqueue('work', 'wait', {FOREVER}) from generate_series(1, 5)")
        config = self.write("[worker]\nqueue = work=2\ndrain_timeout = 1h\n")
        process = self.start("--config", config)
        self.wait_until("select running from millrace.queues", "2")
        held = "select string_agg(job_id || ':' || fence, ' ' order by job_id) from millrace.running"
        before = self.sql(held)
        self.write("[worker]\nqueue = work=3\ndrain_timeout = 0s\n[log]\nlevel = warning\n")
        told, = self.reload(process, "settings reloaded")
        self.assertEqual(told["changed"], "worker.queue, worker.drain_timeout, log.level")
        self.wait_until("select running from millrace.queues", "3")
        after = self.sql(held)
        self.assertTrue(after.startswith(before), f"{before} ran on: {after}")
        self.assertEqual(self.sql("select count(*) || min(state) from millrace.workers"), "1alive")
        process.terminate()
        status, log = self.finish(process)
        self.assertEqual(status, DONE, "the drain timeout is that of the new file")
        self.assertEqual({line["level"] for line in log}, {"warning"})
        self.assertEqual(self.sql("select count(*) from millrace.jobs where state = 'available' and attempt = 0"), "5")

    def test_names_what_needs_a_restart_each_time_and_goes_on_as_it_was(self):
        config = self.write("[worker]\nqueue = work=1\n")
        process = self.start("--config", config)
        self.wait_until("select state from millrace.workers", "alive")
        self.write("[worker]\nqueue = work=1\nqueue = elsewhere\nlease = 1min\nprefetch = 5\n")
        for changed in ("worker.prefetch", "none"):
            told, warned = self.reload(process, "settings reloaded", NEED_RESTART)
            self.assertEqual(told["changed"], changed)
            self.assertEqual((warned["level"], warned["settings"]), ("warning", "worker.queue, worker.lease"))
        self.run_one_job_and_end(process)

    def test_leaves_everything_as_it_is_when_the_file_is_wrong(self):
        config = self.write("[worker]\nqueue = work=1\n")
        process = self.start("--config", config)
        self.wait_until("select state from millrace.workers", "alive")
        for wrong, word in (("[worker]\nqueue = work=9\nleese = 1s\n", "Did you mean worker.lease?"),
                            ("[worker]\nqueue = work=9\nqueue = x=0\n", "from 1 to 1000"),
                            ("nonsense\n", "cannot be read")):
            self.write(wrong)
            refused, = self.reload(process, NOT_RELOADED)
            self.assertEqual(refused["level"], "error")
            self.assertIn(word, refused["reason"])
        os.remove(config)
        self.assertIn("millrace.conf", self.reload(process, NOT_RELOADED)[0]["reason"])
        self.write("[worker]\nqueue = work=1\n")
        told, = self.reload(process, "settings reloaded")
        self.assertEqual(told["changed"], "none", "nothing of them was taken over")
        self.run_one_job_and_end(process)

    def test_reloads_while_its_database_is_away_and_works_by_the_new_settings_when_it_is_back(self):
        self.sql(f"select millrace.enqueue('work', 'wait', {FOREVER}) from generate_series(1, 3)")
        config = self.write("[worker]\nqueue = work=1\ndrain_timeout = 0s\n")
        name, self.database = self.database, "postgres"
        self.sql(f"alter database {name} rename to {name}_away")
        process = self.start("--config", config)
        self.assertIn("cannot connect", process.stderr.readline())
        self.write("[worker]\nqueue = work=3\ndrain_timeout = 0s\n")
        self.reload(process, "settings reloaded")
        self.sql(f"alter database {name}_away rename to {name}")
        self.database = name
        self.wait_until("select running from millrace.queues", "3")
        process.terminate()
        self.assertEqual(self.finish(process)[0], DONE)

    def test_ignores_it_while_it_drains(self):
        config = self.write("[worker]\nqueue = work=1\ndrain_timeout = 1h\n")
        job = self.sql(f"select millrace.enqueue('work', 'wait', {FOREVER})")
        process = self.start("--config", config)
        self.wait_until("select running from millrace.queues", "1")
        process.terminate()
        self.wait_until("select state from millrace.workers", "draining")
        process.send_signal(signal.SIGHUP)
        self.sql(f"select millrace.cancel({job})")
        self.wait_until(f"select state from millrace.jobs where id = {job}", "cancelled")
        self.assertEqual(self.finish(process)[0], DONE, "it is not the second signal")

    def test_drains_when_the_terminal_that_it_was_started_on_has_gone(self):
        leader, follower = pty.openpty()
        process = subprocess.Popen([BINARY, "worker", "--config", self.write("[worker]\nqueue = work=1\n")],
                                   env=self.environment, stdin=subprocess.DEVNULL, stderr=follower)
        self.addCleanup(process.kill)
        os.close(follower)
        self.wait_until("select state from millrace.workers", "alive")
        os.close(leader)
        process.send_signal(signal.SIGHUP)
        self.assertEqual(process.wait(PATIENCE_SECONDS), DONE)
        self.assertEqual(self.sql("select state from millrace.workers"), "closed")

    def test_tells_systemd_that_it_reloads_and_that_it_is_done(self):
        self.environment["NOTIFY_SOCKET"] = str(self.folder / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(self.environment["NOTIFY_SOCKET"])
            systemd.settimeout(PATIENCE_SECONDS)
            process = self.start("--config", self.write("[worker]\nqueue = work=1\n"))
            self.assertEqual(systemd.recv(1000), b"READY=1")
            self.write("nonsense\n")
            self.reload(process, NOT_RELOADED)
            self.assertRegex(systemd.recv(1000).decode(), r"^RELOADING=1\nMONOTONIC_USEC=\d+$")
            self.assertEqual(systemd.recv(1000), b"READY=1")

    def run_one_job_and_end(self, process):
        job = self.sql("select millrace.enqueue('work', 'noop')")
        self.wait_until(f"select state from millrace.jobs where id = {job}", "completed")
        process.terminate()
        self.assertEqual(self.finish(process)[0], DONE)


class Server(Reload):
    command = "serve"

    def status_of(self, port, token):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/api/notify/types",
                                         headers={"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                return answer.status
        except urllib.error.HTTPError as refusal:
            return refusal.code

    def test_takes_over_another_token(self):
        port, old, new = free_port(), "1" * 64, "2" * 64
        config = self.write(f"[http]\nlisten = 127.0.0.1:{port}\n[api]\ntokens = {old}\n")
        process = self.start("--config", config)
        self.read_until(process, "http listening")
        self.assertEqual((self.status_of(port, old), self.status_of(port, new)), (200, 401))
        self.write(f"[http]\nlisten = 127.0.0.1:{port}\n[worker]\nlease = 1s\n[api]\ntokens = {new}\n")
        self.assertEqual(self.reload(process, "settings reloaded")[0]["changed"], "api.tokens")
        self.assertEqual((self.status_of(port, old), self.status_of(port, new)), (401, 200))
        self.write(f"[http]\nlisten = 127.0.0.1:{port}\n")
        self.assertIn("MILLRACE_API_TOKENS", self.reload(process, NOT_RELOADED)[0]["reason"])
        self.assertEqual(self.status_of(port, new), 200)
        process.terminate()
        self.assertEqual(self.finish(process)[0], DONE)


if __name__ == "__main__":
    main()
