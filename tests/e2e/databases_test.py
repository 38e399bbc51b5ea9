#!/usr/bin/env python3
"""One worker process for several databases: each is a millrace for itself, and none ends because of another."""

import json
import pathlib
import select
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from program import PATIENCE_SECONDS, WorkerProcessTest, free_port, main  # noqa: E402

DONE, FAILED, USAGE = 0, 1, 2
FOREVER = """'{"until_stopped": true}'"""


class Databases(WorkerProcessTest):
    """East and west, each with a queue `work`."""

    def setUp(self):
        super().setUp()
        self.west = self.database
        self.prepare()
        super().setUp()  # another one
        self.east = self.database
        self.prepare()
        self.port = free_port()
        self.words = ["--database", f"east=dbname={self.east}", "--database", f"west=dbname={self.west}", "--queue",
                      "work=2", "--http-listen", f"127.0.0.1:{self.port}"]
        self.environment |= {"PGDATABASE": "postgres"}  # which is neither of them

    def prepare(self):
        self.sql("select millrace.create_queue('work')")

    def enqueue(self, database, kind="noop", payload="'{}'"):
        return self.sql(f"select millrace.enqueue('work', '{kind}', {payload})", database)

    def await_value(self, database, statement, expected):
        self.database = database
        self.wait_until(statement, expected)

    def await_state(self, database, job, state):
        self.await_value(database, f"select state from millrace.jobs where id = {job}", state)

    def move(self, name, to):
        """A database that is moved away is away."""
        self.admin(f"alter database {name} with allow_connections false")
        self.admin(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self.admin(f"alter database {name} rename to {to}")
                return self.admin(f"alter database {to} with allow_connections true")
            except AssertionError as busy:
                if time.monotonic() > deadline or "being accessed" not in str(busy):
                    raise

    def ask(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()
        except OSError:
            return None, ""

    def ask_until(self, path, condition):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition(answer := self.ask(path)):
            self.assertLess(time.monotonic(), deadline, answer)
            select.select([], [], [], 0.02)
        return answer[1]

    def await_ready(self):
        self.ask_until("/readyz", lambda answer: answer[0] == 200)

    def end_well(self, process):
        process.terminate()
        status, log = self.finish(process)
        self.assertEqual(status, DONE)
        return log

    @staticmethod
    def said(log):
        return {(line["message"], line.get("database")) for line in log}

    def test_runs_the_jobs_of_both_and_tells_them_apart(self):
        process = self.start(*self.words)
        self.await_ready()
        jobs = [(database, self.enqueue(database)) for database in (self.east, self.west, self.east)]
        for database, job in jobs:
            self.await_state(database, job, "completed")
        done = 'millrace_jobs_total{queue="work",kind="noop",outcome="completed",database="'
        page = self.ask_until("/metrics", lambda answer: f'{done}east"}} 2\n' in answer[1])
        self.assertIn(f'{done}west"}} 1\n', page)
        types = [line for line in page.splitlines() if line.startswith("# TYPE")]
        self.assertEqual(len(types), len(set(types)), "no family twice")
        said = self.said(self.end_well(process))
        self.assertLessEqual({("stopped", "east"), ("stopped", "west"), ("http listening", None)}, said)
        for database in (self.east, self.west):
            self.assertEqual(self.sql("select state from millrace.workers", database), "closed")

    def test_goes_on_with_the_others_while_one_is_away(self):
        process = self.start(*self.words)
        self.await_ready()
        waits = self.enqueue(self.west)
        self.await_state(self.west, waits, "completed")
        self.move(self.west, f"{self.west}_away")
        report = self.ask_until("/readyz", lambda answer: answer[0] == 503)
        self.assertEqual({obstacle["database"] for obstacle in json.loads(report)["not_ready"]}, {"west"})
        self.assertNotIn(self.west, report, "nothing of its address")
        self.await_state(self.east, self.enqueue(self.east), "completed")
        self.assertIn('millrace_database_reachable{database="east"} 1\n', self.ask("/metrics")[1])
        self.move(f"{self.west}_away", self.west)
        self.await_state(self.west, self.enqueue(self.west), "completed")
        self.await_ready()
        self.end_well(process)

    def test_begins_with_those_that_are_there(self):
        self.move(self.west, f"{self.west}_away")
        process = self.start(*self.words)
        self.await_state(self.east, self.enqueue(self.east), "completed")
        self.assertEqual(self.ask("/readyz")[0], 503)
        self.move(f"{self.west}_away", self.west)
        self.await_state(self.west, self.enqueue(self.west), "completed")
        self.await_ready()
        self.end_well(process)

    def test_drains_all(self):
        process = self.start(*self.words, "--drain-timeout", "0s")
        jobs = [(database, self.enqueue(database, "wait", FOREVER)) for database in (self.east, self.west)]
        for database, job in jobs:
            self.await_state(database, job, "running")
        self.end_well(process)
        for database, job in jobs:
            self.assertEqual(self.sql(f"select state || attempt from millrace.jobs where id = {job}", database),
                             "available0")

    def test_tries_one_that_refuses_it_again_while_the_others_work(self):
        self.sql("alter table millrace.function_set rename to other", self.west)
        process = self.start(*self.words)
        self.await_state(self.east, self.enqueue(self.east), "completed")
        report = json.loads(self.ask("/readyz")[1])
        self.assertEqual({obstacle["database"] for obstacle in report["not_ready"]}, {"west"})
        self.sql("alter table millrace.other rename to function_set", self.west)
        self.await_state(self.west, self.enqueue(self.west), "completed")
        self.await_ready()
        self.assertIn(("work for this database has failed, trying again", "west"), self.said(self.end_well(process)))

    def test_goes_on_with_the_others_when_the_work_for_one_fails(self):
        process = self.start(*self.words, "--lease", "1s")
        self.await_ready()
        self.sql("update millrace.installation set system_identifier = system_identifier + 1", self.west)
        refused = self.enqueue(self.west)
        self.ask_until("/readyz", lambda answer: answer[0] == 503)
        self.await_state(self.east, self.enqueue(self.east), "completed")
        self.sql("select millrace.adopt()", self.west)
        self.await_state(self.west, refused, "completed")
        self.await_ready()
        self.assertIn(("work for this database has failed, trying again", "west"), self.said(self.end_well(process)))

    def test_ends_when_all_have_refused_it(self):
        process = self.start(*self.words, "--queue", "unknown")
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
        self.assertEqual(process.returncode, FAILED)
        lines = said.splitlines()
        self.assertIn("unknown queue", lines[-2] + lines[-1], "for people")
        log = [json.loads(line) for line in lines if line.startswith("{")]
        self.assertIn("work for this database has failed", {line["message"] for line in log})
        for database in (self.east, self.west):
            self.assertEqual(self.sql("select count(*) from millrace.workers where state <> 'closed'", database), "0")

    def test_does_not_take_one_database_for_two(self):
        words = [*self.words, "--database", f"again=dbname={self.east}"]
        checked = self.expect(self.run_millrace("worker", "--check", *words), FAILED)
        self.assertIn("database again is the same as east", checked.err)
        process = self.start(*words)
        self.await_state(self.west, self.enqueue(self.west), "completed")
        self.await_state(self.east, self.enqueue(self.east), "completed")
        self.ask_until("/readyz", lambda answer: answer[1].count('"database"') == 1)
        log = self.end_well(process)
        reasons = {line["reason"] for line in log if line["message"].startswith("work for this database has failed")}
        self.assertEqual(len(reasons), 1)
        self.assertIn("this is the database that is served as ", reasons.pop())

    def test_ends_though_one_has_not_answered_yet(self):
        holder = subprocess.Popen(["psql", "-X", "-q", "-d", self.west], stdin=subprocess.PIPE, text=True)
        self.addCleanup(holder.wait)
        self.addCleanup(holder.stdin.close)
        holder.stdin.write("begin; lock table millrace.migration;\n")
        holder.stdin.flush()
        self.await_value(self.west, "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted"
                                    " and relation = 'millrace.migration'::regclass", "1")
        process = self.start(*self.words)
        self.await_value(self.west, "select count(*) from pg_stat_activity where application_name = 'millrace start'"
                                    " and wait_event_type = 'Lock' and datname = current_database()", "1")
        self.await_state(self.east, self.enqueue(self.east), "completed")
        self.end_well(process)

    def test_takes_over_new_settings_for_all(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        config = pathlib.Path(folder.name) / "millrace.conf"
        config.write_text("[worker]\nqueue = work=1\ndrain_timeout = 0s\n")
        process = self.start(*self.words[:4], "--http-listen", f"127.0.0.1:{self.port}", "--config", str(config))
        self.await_ready()
        for database in (self.east, self.west):
            for _ in range(3):
                self.enqueue(database, "wait", FOREVER)
            self.await_value(database, "select running from millrace.queues", "1")
        config.write_text("[worker]\nqueue = work=3\ndrain_timeout = 0s\ndatabase = north=dbname=x\n")
        process.send_signal(signal.SIGHUP)
        for database in (self.east, self.west):
            self.await_value(database, "select running from millrace.queues", "3")
        self.end_well(process)

    def test_is_checked_for_all(self):
        checked = self.expect(self.run_millrace("worker", "--check", *self.words), DONE)
        self.assertIn("database east is fine\ndatabase west is fine\n", checked.out)
        self.assertIn("would serve work with 2 slots", checked.out)
        absent = ["--database", "north=dbname=no_such host=127.0.0.1 port=1"]
        checked = self.expect(self.run_millrace("worker", "--check", *absent, *self.words), FAILED)
        self.assertIn("database north: no connection", checked.err)
        self.assertIn("database east is fine\ndatabase west is fine\n", checked.out)
        both = self.run_millrace("worker", "--check", *self.words, MILLRACE_DATABASE_URL=f"dbname={self.east}")
        self.assertIn("database.url is set, too", self.expect(both, USAGE).err)


if __name__ == "__main__":
    main()
