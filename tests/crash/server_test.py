"""What becomes of jobs when PostgreSQL is stopped hard, or cuts its connections."""

import json
import os
import subprocess
import unittest

import rig
from rig import CrashTest, psql

JOBS = 6000
RESTARTS = 3
STORMS = 10
ROUNDS = 10


def restart_server():
    subprocess.run([rig.CLUSTER, "restart", rig.CLUSTER_NAME], check=True, stdout=subprocess.DEVNULL)


class ServerStops(CrashTest):
    def doctor(self):
        done = subprocess.run([rig.BINARY, "doctor", "--json"], env=os.environ | {"PGDATABASE": self.database},
                              capture_output=True, text=True)
        return done.returncode, json.loads(done.stdout)

    def test_an_immediate_stop_under_load_loses_nothing_and_doubles_nothing(self):
        self.enqueue_many(JOBS, "wait", '{"ms": 10}')
        for name in ("one", "two"):
            self.start(name, 16)
        for restart in range(1, RESTARTS + 1):
            self.wait_for_completed(restart * JOBS // (RESTARTS + 3))
            restart_server()
        self.wait_for_completed(JOBS)
        self.finish()
        self.assert_each_once(JOBS + 1)
        self.assertTrue(all(worker.process.poll() is None for worker in self.workers), "the workers survived")
        rig.wait_for("the doctor to find nothing", lambda: self.doctor() == (0, []))
        self.sql("select millrace.create_schedule('nightly', '@daily', 'work', 'noop')")
        self.sql("select millrace.pause_schedule('nightly')")
        self.sql("update millrace.schedule_due set next_run_at = next_run_at - interval '9 days'")
        status, found = self.doctor()
        self.assertEqual((status, [row["severity"] for row in found]), (0, ["note"]), "notes are no illness")

    def test_the_holder_of_a_claim_that_a_crash_undid_is_refused(self):
        """An asynchronous claim is handed out, lost with the server, and handed out again under another fence."""
        psql("alter system set wal_writer_delay = '10s';", "postgres")
        psql("select pg_reload_conf();", "postgres")
        try:
            session = self.sql("select millrace.open_session('old', '{work}', lease => '1 hour')")[0]
            for _ in range(ROUNDS):
                job = self.enqueue("by.hand", "{}")
                claimed = self.sql(f"select job_id, fence from millrace.claim({session}, 'work', 1, async => true)")[0]
                restart_server()
                self.assertEqual(claimed.split("|")[0], str(job))
                self.assertEqual(self.state(job)[0], "available", "the claim was on disk: this proves nothing")
                heir = self.sql("select millrace.open_session('heir', '{work}', lease => '1 hour')")[0]
                again = self.sql(f"select job_id, fence from millrace.claim({heir}, 'work', 1)")[0]
                self.assertEqual(again.split("|")[0], str(job))
                self.assertNotEqual(again, claimed)
                stale, fence = claimed.split("|")[1], again.split("|")[1]
                self.assertEqual(self.sql(f"select millrace.settle_many(array[{job}], array[{stale}])"), [f"{{{job}}}"])
                self.assertEqual(self.state(job)[0], "running")
                self.assertEqual(self.sql(f"select millrace.settle_many(array[{job}], array[{fence}])"), ["{}"])
        finally:
            psql("alter system reset wal_writer_delay;", "postgres")
            psql("select pg_reload_conf();", "postgres")
        self.finish()
        self.assert_each_once(ROUNDS + 1)


class ConnectionsAreCut(CrashTest):
    def test_a_storm_of_terminated_backends_loses_nothing_and_doubles_nothing(self):
        self.enqueue_many(JOBS, "wait", '{"ms": 10}')
        for name in ("one", "two"):
            self.start(name, 16)
        for storm in range(1, STORMS + 1):
            self.wait_for_completed(storm * JOBS // (STORMS + 3))
            self.sql("select count(pg_terminate_backend(pid)) from pg_stat_activity"
                     " where datname = current_database() and application_name like 'millrace%'")
        self.wait_for_completed(JOBS)
        self.finish()
        self.assert_each_once(JOBS + 1)
        self.assertTrue(all(worker.process.poll() is None for worker in self.workers), "the workers survived")


if __name__ == "__main__":
    unittest.main()
