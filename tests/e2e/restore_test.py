#!/usr/bin/env python3
"""Backup and restore: queues dumped by pg_dump, and restored by pg_restore into another cluster.

The old server is far ahead of the new one: its marks are beyond whatever is enqueued there.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from program import WorkerProcessTest, main  # noqa: E402

CLUSTER = os.environ["MILLRACE_TEST_CLUSTER"]
NAME = "restored"
DONE, FAILED = 0, 1
# What somebody does who knows the check but not its reason.
AT_HOME = """update millrace.installation i
                set system_identifier = c.system_identifier, database_oid = d.oid, table_oid = i.tableoid
               from pg_control_system() c, pg_database d where d.datname = current_database()"""
UNFINISHED = "select count(*) from millrace.jobs where state <> 'completed'"
# Jobs, those that were completed, and how often.
COMPLETED = """select (select count(*) from millrace.job),
                      (select count(distinct f.job_id) from millrace.finished f where f.outcome = 'completed'),
                      (select count(*) from millrace.finished)"""


class Restore(WorkerProcessTest):
    @classmethod
    def setUpClass(cls):
        subprocess.run([CLUSTER, "start", NAME, "--fast"], check=True, stdout=subprocess.DEVNULL)
        cls.addClassCleanup(subprocess.run, [CLUSTER, "destroy", NAME], check=True)
        lines = subprocess.run([CLUSTER, "env", NAME], check=True, capture_output=True, text=True).stdout.splitlines()
        cls.there = dict(line.removeprefix("export ").split("=", 1) for line in lines)

    def setUp(self):
        super().setUp()
        self.sql("select millrace.create_queue('work', retry_base => '100 ms')")
        # 20,000 transactions, as a server has seen that has been in use
        self.sql("do $$ begin for i in 1 .. 20000 loop perform pg_current_xact_id(); commit; end loop; end $$")
        self.sql("select millrace.enqueue('work', 'noop') from generate_series(1, 30)")
        self.session = int(self.sql("select millrace.open_session('old', '{work}')"))
        self.held = self.sql(f"select job_id, fence from millrace.claim({self.session}, 'work', 10)").splitlines()[:5]
        for job, fence in (line.split("|") for line in self.held):
            self.sql(f"select millrace.complete({fence}, {job})")
        self.sql("select millrace.enqueue('work', 'noop', delay => '1 second') from generate_series(1, 5)")
        for _ in range(2):
            self.sql("select millrace.advance_low_water()")

    def restore(self):
        """5 jobs are completed, 5 run, 20 are available and 5 scheduled; from here on the test is at the other cluster."""
        with tempfile.NamedTemporaryFile(suffix=".dump") as dump:
            subprocess.run(["pg_dump", "--format=custom", f"--file={dump.name}", self.database], check=True)
            roles = subprocess.run(["pg_dumpall", "--roles-only"], check=True, capture_output=True, text=True).stdout
            self.move()
            # the roles are shared by all tests of the cluster, and may be there
            subprocess.run(["psql", "-X", "-q", "-d", "postgres"], input=roles, text=True, check=True,
                           capture_output=True)
            self.admin(f"create database {self.database}")
            subprocess.run(["pg_restore", "--exit-on-error", f"--dbname={self.database}", dump.name], check=True)

    def move(self):
        """psql and millrace take the server from the environment; cleanups run in the reverse order."""
        for variable, value in self.there.items():
            self.addCleanup(os.environ.__setitem__, variable, os.environ[variable])
            os.environ[variable] = value
        self.environment |= self.there
        self.addCleanup(self.admin, f"drop database {self.database} with (force)")

    def enqueue_more(self):
        self.sql("select millrace.enqueue('work', 'noop') from generate_series(1, 10)")

    def run_all(self):
        process = self.start("--queue", "work=4", "--lease", "2s")
        self.wait_until(UNFINISHED, "0")
        process.terminate()
        self.assertEqual(self.finish(process)[0], DONE)

    def test_a_restored_queue_runs_nothing_until_it_is_adopted(self):
        self.restore()
        self.enqueue_more()
        refused = self.expect(self.run_millrace("worker", "--queue", "work"), FAILED)
        self.assertIn("millrace adopt", refused.err)
        with self.assertRaisesRegex(AssertionError, "millrace adopt"):  # by a session that was restored, too
            self.sql(f"select * from millrace.claim({self.session}, 'work')")
        finding = self.run_millrace("doctor").out
        self.assertIn("millrace adopt", finding)
        self.assertEqual(self.sql("select count(*) from millrace.finished"), "5")

    def test_without_the_reset_new_jobs_are_missed(self):
        self.restore()
        self.sql(AT_HOME)
        self.enqueue_more()
        session = self.sql("select millrace.open_session('new', '{work}')")
        handed = int(self.sql(f"select count(*) from millrace.claim({session}, 'work', 1000)"))
        self.assertEqual(handed, 20)  # those that were enqueued at the old server

    def test_once_adopted_every_job_runs_exactly_once(self):
        self.restore()
        self.enqueue_more()
        for _ in range(2):  # whoever is in doubt does it again
            self.expect(self.run_millrace("adopt"), DONE)
        with self.assertRaisesRegex(AssertionError, "MR002|has ended"):
            self.sql(f"select millrace.heartbeat({self.session})")
        self.enqueue_more()
        self.run_all()
        self.assertEqual(self.sql(COMPLETED), "55|55|55")
        # those that ran when the dump was made were taken back, and nothing else was tried again
        self.assertEqual(self.sql("select attempt, count(*) from millrace.finished group by 1 order by 1"), "1|50\n2|5")

    def test_a_database_that_was_renamed_is_where_it_was(self):
        self.admin(f"alter database {self.database} rename to {self.database}_renamed")
        self.addCleanup(self.admin, f"alter database {self.database}_renamed rename to {self.database}")
        self.sql("select millrace.open_session('new', '{work}')", database=f"{self.database}_renamed")


if __name__ == "__main__":
    main()
