"""What becomes of jobs when their worker is killed, suspended or told to stop."""

import signal
import subprocess
import unittest

import rig
from rig import CrashTest, wait_for


class WorkerDies(CrashTest):
    def test_jobs_of_a_killed_worker_are_run_by_another(self):
        job = self.enqueue("wait", '{"ms": 600000}')
        victim = self.start("victim")
        self.wait_for_state(job, "running", "victim")
        victim.send(signal.SIGKILL)
        # The next attempt finds a job that ends: what it waits for is not the point.
        self.sql(f"update millrace.job set payload = '{{\"ms\": 1}}' where id = {job}")
        self.start("heir")
        wait_for("the heir to complete it", lambda: self.state(job) == ("completed", "heir", "2"))
        self.assertEqual(self.sql("select outcome, attempt from millrace.attempt_failure"), ["reaped|1"])
        self.assertEqual(self.sql("select state from millrace.workers where name = 'victim'"), ["lost"])
        self.finish()
        self.assert_each_once(2)

    def test_a_job_that_outlives_all_its_workers_becomes_a_dead_letter(self):
        job = self.enqueue("wait", '{"ms": 600000}', ", max_attempts => 2")
        for name in ("first", "second"):
            victim = self.start(name)
            self.wait_for_state(job, "running", name)
            victim.send(signal.SIGKILL)
        self.start("heir")
        wait_for("the dead letter", lambda: self.state(job)[0] == "discarded")
        self.assertRegex(self.sql("select error from millrace.dead_letters")[0], "lease expired: worker second")
        self.finish()


class WorkerSleeps(CrashTest):
    def test_a_suspended_worker_settles_nothing_after_its_job_was_finished_elsewhere(self):
        job = self.enqueue("wait", '{"ms": 4000}')
        zombie = self.start("zombie")
        self.wait_for_state(job, "running", "zombie")
        zombie.send(signal.SIGSTOP)
        self.start("healthy")
        wait_for("the healthy one to complete it", lambda: self.state(job) == ("completed", "healthy", "2"))
        before = self.sql("select * from millrace.finished")
        zombie.send(signal.SIGCONT)
        wait_for("the zombie to open another session",
                 lambda: self.number("select count(*) from millrace.workers where name = 'zombie'") == 2)
        self.assertEqual(self.sql("select * from millrace.finished"), before)
        self.assertEqual(self.sql("select sum(completed) from millrace.queues"), ["1"])
        self.workers[1].send(signal.SIGTERM)
        self.workers[1].wait()
        further = self.enqueue("noop", "{}")
        self.wait_for_state(further, "completed", "zombie")
        self.assert_each_once(2)


class WorkerIsToldToStop(CrashTest):
    def test_a_drained_worker_gives_back_what_it_has_not_finished_and_counts_no_attempt(self):
        endless = [self.enqueue("wait", '{"until_stopped": true}') for _ in range(2)]
        waiting = [self.enqueue("wait", '{"ms": 1}') for _ in range(3)]
        worker = self.start("leaver", 2, "--drain-timeout", "500ms")
        for job in endless:
            self.wait_for_state(job, "running", "leaver")
        worker.send(signal.SIGTERM)
        self.assertEqual(worker.wait(), 0, worker.text())
        for job in endless + waiting:
            self.assertEqual(self.state(job), ("available", "", "0"))
        self.assertEqual(self.sql("select state from millrace.workers"), ["closed"])
        self.sql("update millrace.job set payload = '{\"ms\": 1}'")
        self.start("heir")
        self.wait_for_completed(5)
        self.finish()
        self.assert_each_once(6)

    def test_a_running_job_may_end_within_the_drain_timeout(self):
        job = self.enqueue("wait", '{"ms": 4000}')
        worker = self.start("leaver", 2, "--drain-timeout", "30s")
        self.wait_for_state(job, "running", "leaver")
        worker.send(signal.SIGTERM)
        self.assertEqual(worker.wait(), 0, worker.text())
        self.assertEqual(self.state(job), ("completed", "leaver", "1"))
        self.finish()
        self.assert_each_once(2)

    def test_a_second_signal_ends_it_at_once_and_the_lease_does_the_rest(self):
        job = self.enqueue("wait", '{"until_stopped": true}')
        worker = self.start("hasty", 2, "--drain-timeout", "1h")
        self.wait_for_state(job, "running", "hasty")
        worker.send(signal.SIGTERM)
        wait_for("the drain", lambda: self.sql("select draining from millrace.workers") == ["t"])
        worker.send(signal.SIGTERM)
        self.assertNotEqual(worker.wait(), 0)
        self.sql("update millrace.job set payload = '{\"ms\": 1}'")
        self.start("heir")
        wait_for("the heir to complete it", lambda: self.state(job) == ("completed", "heir", "2"))
        self.finish()
        self.assert_each_once(2)


class DatabaseIsACopy(CrashTest):
    def test_a_worker_refuses_a_copied_database_until_it_is_adopted(self):
        self.sql("update millrace.installation set database_name = 'where_it_came_from', database_oid = 1")
        job = self.enqueue("noop", "{}")
        refused = self.start("careful")
        self.assertEqual(refused.wait(), 1)
        self.assertRegex(refused.text(), "millrace adopt")
        self.assertEqual(self.state(job), ("available", "", "0"))
        subprocess.run([rig.BINARY, "adopt"], check=True, env=rig.os.environ | {"PGDATABASE": self.database},
                       stdout=subprocess.DEVNULL)
        self.start("worker")
        self.wait_for_state(job, "completed", "worker")


if __name__ == "__main__":
    unittest.main()
