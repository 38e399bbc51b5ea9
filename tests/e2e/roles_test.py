#!/usr/bin/env python3
"""config/roles.sql: its roles can do what each of them is for, and what another is for they cannot."""

import pathlib
import subprocess
import sys
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from program import WorkerProcessTest, main  # noqa: E402

ROLES = pathlib.Path(__file__).resolve().parents[2] / "config/roles.sql"
DONE, FAILED, USAGE = 0, 1, 2


class Roles(WorkerProcessTest):
    def setUp(self):
        super().setUp()
        self.prefix = f"e2e_{uuid.uuid4().hex[:8]}"
        self.app, self.worker, self.oncall, self.viewer = (
            f"{self.prefix}_{name}" for name in ("app", "worker", "oncall", "viewer"))
        self.addCleanup(self.admin, f"drop role if exists {self.app}, {self.worker}, {self.oncall}, {self.viewer}")
        self.addCleanup(self.admin, "revoke pg_read_all_stats from millrace_owner")  # as other tests expect it
        for _ in range(2):
            subprocess.run(["psql", "-X", "-q", "-d", self.database, "-v", f"prefix={self.prefix}", "-f", ROLES],
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.sql("select millrace.create_queue('work')")

    def tell(self, role, *words, status=DONE):
        return self.expect(self.run_millrace(*words, PGUSER=role), status)

    def test_do_each_its_own(self):
        job = self.tell(self.app, "enqueue", "work", "noop").out.strip()
        process = self.start("--queue", "work", PGUSER=self.worker)
        self.wait_until(f"select state from millrace.jobs where id = {job}", "completed")
        self.tell(self.oncall, "queues", "pause", "work")
        self.assertIn("work", self.tell(self.viewer, "queues").out)
        self.assertIn("work", self.tell(self.viewer, "top", "--once").out)
        found = self.run_millrace("doctor", PGUSER=self.viewer)
        self.assertIn(found.status, (DONE, FAILED), found.err)
        self.assertNotIn("pg_read_all_stats", found.out)
        process.terminate()
        self.assertEqual(self.finish(process)[0], DONE)

    def test_do_not_each_other_s(self):
        for role, words in ((self.app, ("queues", "pause", "work")), (self.app, ("jobs", "list")),
                            (self.worker, ("queues", "pause", "work")), (self.viewer, ("enqueue", "work", "noop")),
                            (self.viewer, ("queues", "pause", "work"))):
            self.assertIn("permission denied", self.tell(role, *words, status=FAILED).err)
        self.assertIn("permission denied", self.tell(self.app, "worker", "--queue", "work", status=FAILED).err)

    def test_on_call_see_and_end_what_others_do(self):
        process = self.start("--queue", "work", PGUSER=self.worker)
        self.wait_until("select signal_raised from millrace.queues", "t")
        theirs = f" from pg_stat_activity where usename = '{self.worker}' and query <> '' and state is not null"
        seen = self.psql_as(self.oncall, "select count(*) > 0" + theirs)
        self.assertEqual(seen, "t")
        self.assertEqual(self.psql_as(self.viewer, "select count(*)" + theirs), "0")
        ended = self.psql_as(self.oncall, f"select bool_and(pg_terminate_backend(pid)) {theirs}")
        self.assertEqual(ended, "t")
        process.terminate()
        self.assertEqual(self.finish(process)[0], DONE)

    def psql_as(self, role, statement):
        return subprocess.run(["psql", "-X", "-A", "-t", "-q", "-c", statement], env=self.environment | {"PGUSER": role},
                              check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main()
