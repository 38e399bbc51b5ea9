#!/usr/bin/env python3
"""The program behind pgbouncer in transaction mode: it does what it does without, and leaves nothing behind."""

import pathlib
import subprocess
import sys
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from pooler import Pooler  # noqa: E402
from program import BINARY, WorkerProcessTest, free_port, main  # noqa: E402

DONE, FAILED, USAGE, NOTHING = 0, 1, 2, 3
# What a person sets in a session, and the next client of a pooled connection would find.
SETTINGS = ("select setting from pg_settings where name in ('search_path', 'role', 'lock_timeout',"
            " 'default_transaction_isolation', 'client_encoding') order by name")


class BehindAPooler(WorkerProcessTest):
    """With one connection to the server, so that whatever stays in it is seen."""

    def setUp(self):
        super().setUp()
        self.pooler = Pooler(self, self.database, connections=1)
        self.direct, self.environment = self.environment, self.environment | self.pooler.here

    def pooled(self, statement):
        done = subprocess.run(["psql", "-X", "-A", "-t", "-c", statement], env=self.environment, capture_output=True,
                              text=True, check=True)
        return done.stdout

    def assert_same_as_without(self, *words):
        through = self.run_millrace(*words)
        self.environment, behind = self.direct, self.environment
        without = self.run_millrace(*words)
        self.environment = behind
        self.assertIn(through.status, (DONE, NOTHING), through.err)
        self.assertEqual((through.status, through.out, through.err), (without.status, without.out, without.err), words)
        return through


class Empty(BehindAPooler):
    template = None

    def test_is_migrated(self):
        before = self.pooled(SETTINGS)
        planned = self.assert_same_as_without("migrate", "--dry-run").out.splitlines()
        done = self.expect(self.run_millrace("migrate", "up"), DONE).out.splitlines()
        self.assertEqual(done, [line.replace("would apply", "applied") for line in planned])
        self.assert_same_as_without("migrate", "status", "--json")
        self.assertEqual(self.pooled(SETTINGS), before, "what stays is the next client's")


class Installed(BehindAPooler):
    def setUp(self):
        super().setUp()
        self.before = self.pooled(SETTINGS)
        self.expect(self.run_millrace("queues", "create", "mail"), DONE)


class Commands(Installed):
    def test_shows_what_it_shows_without(self):
        lines = "".join(f'{{"n": {n}}}\n' for n in range(2500))
        self.expect(self.run_millrace("enqueue", "mail", "noop", lines=lines), DONE)
        self.expect(self.run_millrace("queues", "pause", "mail"), DONE)
        for words in (("jobs", "list", "--limit", "5", "--json"), ("jobs", "list", "--state", "running"), ("kinds",),
                      ("schedules",), ("forks",), ("worker", "--check", "--queue", "mail", "--listen", "off",
                                                  "--log-level", "warning")):
            self.assert_same_as_without(*words)
        for words in (("queues",), ("queues", "--json"), ("top", "--once"), ("top", "--once", "--json")):
            self.assertIn("mail", self.expect(self.run_millrace(*words), DONE).out)
        self.assertIn('Did you mean "mail"?', self.expect(self.run_millrace("enqueue", "mial", "noop"), FAILED).err)
        found = self.run_millrace("doctor", "--json")
        self.assertIn(found.status, (DONE, FAILED), found.err)
        self.assertEqual(found.err, "")
        self.assertEqual(self.sql("select available from millrace.queues"), "2500")
        self.assertEqual(self.pooled(SETTINGS), self.before)

    def test_completes_names(self):
        script = ("source <(millrace completion bash); COMP_WORDS=(millrace queues pause ma); COMP_CWORD=3; _millrace;"
                  ' printf "%s\\n" "${COMPREPLY[@]}"')
        paths = f"{pathlib.Path(BINARY).parent}:{self.environment['PATH']}"
        done = subprocess.run(["bash", "--norc", "-c", script], env=self.environment | {"PATH": paths}, text=True,
                              capture_output=True, check=True)
        self.assertEqual(done.stdout, "mail\n")
        self.assertEqual(self.pooled(SETTINGS), self.before)

    def test_works_and_empties_a_queue_by_looking(self):
        lines = "{}\n" * 300
        self.expect(self.run_millrace("enqueue", "mail", "noop", lines=lines), DONE)
        process = self.start("--queue", "mail=4", "--listen", "off", "--poll-interval", "200ms")
        self.wait_until("select state, count(*) from millrace.jobs group by 1", "completed|300")
        later = self.expect(self.run_millrace("enqueue", "mail", "noop"), DONE).out.strip()
        self.wait_until(f"select state from millrace.jobs where id = {later}", "completed")
        process.terminate()
        self.assertEqual(self.finish(process)[0], DONE)
        self.assertEqual(self.sql("select state from millrace.workers"), "closed")


class Listening(Installed):
    """A worker whose one connection that listens goes around the pooler."""

    def setUp(self):
        super().setUp()
        self.around = f"host={self.direct['PGHOST']} port={self.direct['PGPORT']}"

    def test_is_woken_through_a_connection_of_its_own(self):
        process = self.start("--queue", "mail", "--poll-interval", "1h", "--database-listen-url", self.around)
        self.wait_until("select signal_raised from millrace.queues", "t")
        job = self.expect(self.run_millrace("enqueue", "mail", "noop"), DONE).out.strip()
        self.wait_until(f"select state from millrace.jobs where id = {job}", "completed")
        process.terminate()
        self.assertEqual(self.finish(process)[0], DONE)

    def test_is_checked_for_being_there_and_the_same_database(self):
        check = ("worker", "--check", "--queue", "mail", "--database-listen-url")
        self.expect(self.run_millrace(*check, self.around), DONE)
        self.assertIn("connection", self.expect(self.run_millrace(*check, "host=127.0.0.1 port=1"), FAILED).err)
        other = f"{self.database}_other"
        self.admin(f"create database {other} template {self.template}")
        self.addCleanup(self.admin, f"drop database {other}")
        ran = self.expect(self.run_millrace(*check, f"{self.around} dbname={other}"), USAGE)
        self.assertIn("another database", ran.err)


class Served(BehindAPooler):
    command = "serve"

    def test_are_settings_of_users(self):
        self.sql("select notify.define_type('shop.sale', 'shop', 'A sale begins')")
        port, token = free_port(), "t" * 32
        process = self.start("--http-listen", f"127.0.0.1:{port}", MILLRACE_API_TOKENS=token)
        self.assertIn("http listening", process.stderr.readline())
        request = urllib.request.Request(f"http://127.0.0.1:{port}/api/notify/users/ada/config", method="PUT",
                                         data=b'{"delivery_mode": "digest"}',
                                         headers={"Authorization": f"Bearer {token}",
                                                  "Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            self.assertIn(b'"delivery_mode": "digest"', answer.read())
        process.terminate()
        self.assertEqual(self.finish(process)[0], DONE)


if __name__ == "__main__":
    main()
