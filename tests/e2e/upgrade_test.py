#!/usr/bin/env python3
"""From one release to the next: the schema is upgraded while workers of the previous release hold jobs, then both work.

The previous release's SQL and the statements of its program are in previous/.
"""

import json
import os
import pathlib
import select
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from previous_release import ARCHIVE, OldSession, install, read_statements  # noqa: E402
from program import PATIENCE_SECONDS, WorkerProcessTest, free_port, main  # noqa: E402

DONE, FAILED = 0, 1
JOBS = 200
UPGRADED = "the schema has been upgraded by a newer release, this one works on until it is replaced"
# Jobs of a queue that were completed, and how often jobs were.
COMPLETED = """select (select count(distinct job_id) from millrace.finished where outcome = 'completed')
                      || ' ' || (select count(*) from millrace.finished)"""


class Upgrade(WorkerProcessTest):
    template = None

    def install_previous(self):
        with tempfile.TemporaryDirectory() as folder:
            install(ARCHIVE, folder, self.database)
        self.sql("""do $$ begin
                        if to_regrole('millrace_e2e_worker') is null then
                            create role millrace_e2e_worker login in role millrace_worker;
                        end if;
                    exception when duplicate_object or unique_violation then null;
                    end $$""")

    def old_session(self):
        session = OldSession(f"dbname={self.database} user=millrace_e2e_worker", read_statements()["statements"])
        self.addCleanup(session.close)
        return session

    def ledger(self):
        return self.sql("""select (select count(*) from millrace.migration) || ' ' || checksum
                             from millrace.function_set""")


class OldWorker(Upgrade):
    """A worker of the previous release, as its statements."""

    def setUp(self):
        super().setUp()
        self.install_previous()
        self.sql("select millrace.create_queue('work'), millrace.create_queue('mine', retry_base => '1 hour')")
        self.sql(f"select millrace.enqueue('work', 'noop') from generate_series(1, {JOBS})")
        self.sql(f"select millrace.enqueue('mine', 'noop', priority => 1 + i % 3) from generate_series(1, {JOBS}) i")
        self.old = self.old_session()
        self.worker = self.call("millrace.open_session", "old", "{work,mine}", "host", 1, "0", "30 seconds", "{noop}")

    def call(self, function, *values):
        """The first value of the first row."""
        rows = self.old.call(function, *values)
        return rows[0][0] if rows else None

    def claim(self, queue, most):
        """[(id, fence), …]"""
        return [(row[0], row[1]) for row in self.old.call("millrace.claim", self.worker, queue, most)]

    def settle(self, jobs, *columns):
        """Those whose lease was lost."""
        ids, fences = ("{" + ",".join(part) + "}" for part in zip(*jobs))
        return [row[0] for row in self.old.call("millrace.settle_many", ids, fences, *columns)]

    def upgrade(self):
        self.expect(self.run_millrace("migrate", "up"), DONE)

    def test_goes_on_while_the_schema_is_upgraded_and_new_workers_join(self):
        early = self.claim("work", 20) + self.claim("mine", 20)
        self.upgrade()
        self.assertIsNotNone(self.call("millrace.heartbeat", self.worker, "f"))
        late = self.claim("work", 20)
        self.assertEqual((len(early), len(late)), (40, 20))
        process = self.start("--queue", "work=4")
        self.wait_until("select completed from millrace.queues where name = 'work'", str(JOBS - 40))
        self.assertEqual(self.settle(early), [], "claimed before the upgrade, settled after it")
        self.assertEqual(self.settle(early), [], "and once more, as after a lost answer")
        self.assertEqual(self.settle(late), [])
        self.assertEqual(self.settle([(late[0][0], "1")]), [late[0][0]], "no other fence settles it")
        while held := self.claim("mine", 50):
            self.assertEqual(self.settle(held), [])
        self.wait_until(COMPLETED, f"{2 * JOBS} {2 * JOBS}")
        self.assertEqual(self.sql("select count(*) from millrace.jobs where attempt <> 1"), "0")
        self.assertEqual(self.call("millrace.close_session", self.worker), "0")
        process.terminate()
        self.assertEqual(self.finish(process)[0], DONE)

    def test_settles_in_every_way_on_the_upgraded_schema(self):
        held = self.claim("mine", 6)
        self.upgrade()
        self.sql(f"select millrace.cancel({held[5][0]})")
        self.assertEqual([row[1] for row in self.old.call("millrace.cancel_requests", self.worker)], [held[5][0]])
        lost = self.settle(held, "{completed,failed,snoozed,released,discarded,cancelled}",
                           "{NULL,e,NULL,NULL,e,asked}", "{NULL,NULL,1 hour,NULL,NULL,NULL}", '{"{\\"n\\": 1}",NULL,NULL,NULL,NULL,NULL}',
                           json.dumps([{"after": int(held[0][0]), "queue": "work", "kind": "noop", "payload": {},
                                        "priority": 5, "delay": "0"}]))
        self.assertEqual(lost, [])
        states = self.sql(f"""select string_agg(state, ' ' order by id) from millrace.jobs
                               where id in ({','.join(job for job, _ in held)})""")
        expected = dict(zip((int(job) for job, _ in held),
                            ("completed", "scheduled", "scheduled", "available", "discarded", "cancelled")))
        self.assertEqual(states, " ".join(expected[job] for job in sorted(expected)))
        self.assertEqual(self.sql("select count(*) from millrace.job j join millrace.jobs using (id)"
                                  " where jobs.queue = 'work'"), str(JOBS + 1), "the successor is there")

    def test_gives_back_what_it_holds_and_is_reaped_on_the_upgraded_schema(self):
        self.claim("mine", 7)
        self.upgrade()
        self.assertEqual(self.call("millrace.close_session", self.worker), "7")
        self.worker = self.call("millrace.open_session", "again", "{mine}", "host", 1, "0", "1 second", "{noop}")
        held = self.claim("mine", 5)
        self.sql("update millrace.worker set lease_expires_at = millrace.now() - interval '1 hour'"
                 f" where id = {self.worker}")
        reaper = self.start("--queue", "work=1")
        self.wait_until("select running from millrace.queues where name = 'mine'", "0")
        self.assertEqual(len(self.settle(held)), 5, "they are others' by now")
        reaper.terminate()
        self.assertEqual(self.finish(reaper)[0], DONE)

    def test_does_its_chores_on_the_upgraded_schema(self):
        self.sql("select millrace.enqueue('mine', 'noop', delay => '1 millisecond')")
        self.upgrade()
        for function, *values in (("millrace.promote", 1000, "t"), ("millrace.tick_schedules", 100),
                                  ("millrace.reap", 100), ("millrace.advance_low_water", "{work,mine}"),
                                  ("millrace.fold_counts",),
                                  ("millrace.maintain_partitions", 7), ("millrace.prune", 1000),
                                  ("notify.upkeep", "1 minute"), ("millrace.raise_signal", "work"),
                                  ("millrace.lower_signal", "work"), ("millrace.next_token", "work"),
                                  ("millrace.payload_schemas", "{noop}", 0)):
            with self.subTest(function):
                self.old.call(function, *values)
        self.assertEqual(len(self.claim("mine", 1000)), JOBS + 1, "what was delayed has been promoted")


class Contract(Upgrade):
    def test_has_each_statement_of_the_previous_program_take_and_give_the_same(self):
        self.install_previous()
        self.expect(self.run_millrace("migrate", "up"), DONE)
        session = OldSession(f"dbname={self.database}")
        self.addCleanup(session.close)
        statements = read_statements()["statements"]
        self.assertGreater(len(statements), 100)
        for each in statements:
            with self.subTest(each["sql"]):
                described = session.describe(each["sql"])
                self.assertIsNotNone(described, "it is not understood any more")
                self.assertEqual(described, (each["takes"], each["gives"]))

    def test_has_a_migration_wherever_functions_have_changed(self):
        """Only by a migration that it does not know can an old program tell that its functions are the older ones."""
        self.install_previous()
        before = self.ledger().split()
        self.expect(self.run_millrace("migrate", "up"), DONE)
        after = self.ledger().split()
        self.assertTrue(before[1] == after[1] or int(before[0]) < int(after[0]), "add a migration, if an empty one")


class OldProgram(Upgrade):
    """This program, when it is the older one."""

    def upgrade(self):
        self.sql("insert into millrace.migration (number, name, checksum) values (9999, '9999_later', 'x')")
        self.sql("update millrace.function_set set checksum = 'another'")

    def is_ready(self, port):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=PATIENCE_SECONDS).status == 200
        except (urllib.error.URLError, ConnectionError):
            return False

    def test_goes_on_and_stays_ready_and_is_not_started_again(self):
        self.expect(self.run_millrace("migrate", "up"), DONE)
        self.sql("select millrace.create_queue('work')")
        port = free_port()
        process = self.start("--queue", "work=2", "--http-listen", f"127.0.0.1:{port}")
        self.wait_until("select state from millrace.workers", "alive")
        self.assertTrue(self.is_ready(port))
        self.upgrade()
        said, deadline = b"", time.monotonic() + PATIENCE_SECONDS
        while UPGRADED.encode() not in said:  # it looks at most once a second, when it is asked
            self.assertTrue(self.is_ready(port))
            self.assertLess(time.monotonic(), deadline, said)
            if select.select([process.stderr], [], [], 0.1)[0]:
                said += os.read(process.stderr.fileno(), 65536)
        job = self.sql("select millrace.enqueue('work', 'noop')")
        self.wait_until(f"select state from millrace.jobs where id = {job}", "completed")
        for words in (("worker", "--queue", "work"), ("worker", "--check", "--queue", "work"), ("migrate", "up")):
            refused = self.expect(self.run_millrace(*words), FAILED)
            self.assertIn("9999_later", refused.out + refused.err)
            self.assertIn("Use the release that applied it, or a later one", refused.out + refused.err)
        self.assertTrue(self.is_ready(port))
        process.terminate()
        process.wait(PATIENCE_SECONDS)
        self.assertEqual(process.returncode, DONE)


if __name__ == "__main__":
    main()
