#!/usr/bin/env python3
"""Workers without our program: docs/examples/worker.py and worker.psql, killed, stopped, and behind a pooler."""

import pathlib
import select
import signal
import subprocess
import sys
import tempfile
import time

import psycopg2

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from pooler import Pooler  # noqa: E402
from program import PATIENCE_SECONDS, ProgramTest, main  # noqa: E402

EXAMPLES = ROOT / "docs/examples"


def wait_for(what, condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE_SECONDS} s in vain for {what}")
        time.sleep(0.02)
    return value


class WorkerTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.sql("select millrace.create_queue('mail');"
                 " create table ledger (job_id bigint not null, worker text not null)")

    def number(self, statement):
        return int(self.sql(statement))

    def enqueue(self, amount, payload="{}", kind="ledger.add"):
        self.sql(f"select millrace.enqueue_many('mail', '{kind}', array_fill('{payload}'::jsonb, array[{amount}]))")

    def start(self, name, example=EXAMPLES / "worker.py", **variables):
        process = subprocess.Popen(["/usr/bin/python3", example, "mail", name], text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, env=self.environment | variables)
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        return process

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=PATIENCE_SECONDS)[0]
        self.assertEqual(process.returncode, 0, said)
        return said

    def wait_for_written(self, amount):
        wait_for(f"{amount} lines of the ledger", lambda: self.number("select count(*) from ledger") >= amount)

    def assert_each_once(self, amount):
        self.assertEqual(self.sql("select count(*), count(distinct job_id) from ledger"), f"{amount}|{amount}")
        self.assertEqual(self.sql("select state, count(*) from millrace.jobs group by state"), f"completed|{amount}")


class PythonWorker(WorkerTest):
    def test_what_a_killed_one_had_begun_is_finished_by_another_exactly_once(self):
        self.enqueue(10, '{"seconds": 0.05}')
        self.enqueue(1, '{"seconds": 3}')  # it is killed during this one
        self.enqueue(49, '{"seconds": 0.05}')
        victim = self.start("victim", LEASE_SECONDS="1")
        self.wait_for_written(10)
        wait_for("the next batch", lambda: self.number("select count(*) from millrace.running"))
        victim.kill()
        victim.wait()
        self.assertGreater(self.number("select count(*) from millrace.running"), 0)
        heir = self.start("heir", LEASE_SECONDS="1")
        self.wait_for_written(60)
        self.stop(heir)
        self.assert_each_once(60)
        self.assertEqual(self.sql("select count(distinct worker) from ledger"), "2")
        self.assertEqual(self.sql("select state from millrace.workers where name = 'victim'"), "lost")

    def test_one_that_sleeps_past_its_lease_keeps_the_job_it_has_asserted_and_drops_the_others(self):
        self.enqueue(1, '{"seconds": 4}')  # it is stopped during this one, however slow this machine is
        self.enqueue(9, '{"seconds": 0.1}')
        zombie = self.start("zombie", LEASE_SECONDS="1")
        wait_for("its claim", lambda: self.number("select count(*) from millrace.running") == 10)
        wait_for("its first job", lambda: self.number("select count(*) from pg_stat_activity"
                 f" where datname = '{self.database}' and query like 'insert into ledger%'"))
        zombie.send_signal(signal.SIGSTOP)
        heir = self.start("heir", LEASE_SECONDS="1")
        self.wait_for_written(9)
        self.assertEqual(self.sql("select count(*) from millrace.running"), "1")
        self.assertEqual(self.sql("select distinct worker from ledger"), "heir")
        zombie.send_signal(signal.SIGCONT)
        self.wait_for_written(10)
        self.stop(heir)
        self.assertIn("opens another session", self.stop(zombie))
        self.assert_each_once(10)

    def test_one_whose_connections_are_cut_opens_another_session_and_no_job_is_lost_or_run_twice(self):
        self.enqueue(40, '{"seconds": 0.05}')
        worker = self.start("survivor")
        for written in (10, 20):
            self.wait_for_written(written)
            self.admin(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{self.database}'")
        self.wait_for_written(40)
        self.assertEqual(self.stop(worker).count("opens another session"), 2)
        self.assert_each_once(40)
        self.assertEqual(self.sql("select state, count(*) from millrace.workers group by state"), "closed|3")

    def test_a_handler_that_loses_a_deadlock_or_waits_too_long_has_failed(self):
        self.sql("create function fails() returns trigger language plpgsql as $$ begin"
                 " raise exception using errcode = '40P01', message = 'deadlock detected'; end $$;"
                 " create trigger fails before insert on ledger for each row execute function fails()")
        self.enqueue(2)
        worker = self.start("loser")
        wait_for("both failed", lambda: self.number("select count(*) from millrace.jobs where state = 'scheduled'") == 2)
        self.stop(worker)
        self.assertEqual(self.sql("select distinct attempt, error from millrace.jobs"),
                         "1|DeadlockDetected: deadlock detected\nCONTEXT:  PL/pgSQL function fails() line 1 at RAISE")

    def test_stopped_it_finishes_the_job_at_hand_and_gives_back_the_rest_uncounted(self):
        self.enqueue(1, '{"seconds": 3}')  # it is stopped during this one
        self.enqueue(7, '{"seconds": 0.1}')
        worker = self.start("leaver")
        wait_for("a claim", lambda: self.number("select count(*) from millrace.running"))
        self.stop(worker)
        self.assertEqual(self.sql("select state from millrace.workers"), "closed")
        left = self.number("select count(*) from millrace.jobs where state = 'available' and attempt = 0")
        self.assertGreaterEqual(left, 6)
        self.assertEqual(self.number("select count(*) from ledger"), 8 - left)

    def test_a_failure_undoes_its_own_effects_only_and_an_unknown_kind_waits(self):
        self.enqueue(1)
        self.enqueue(1, kind="of a newer release")
        self.enqueue(1, '{"seconds": "soon"}')
        worker = self.start("mixed")
        wait_for("both settled", lambda: self.number("select count(*) from millrace.jobs where state in"
                                                     " ('completed', 'scheduled')") == 2)
        self.stop(worker)
        self.assertEqual(self.sql("select kind, state, attempt, error is null from millrace.jobs order by id"),
                         "ledger.add|completed|1|t\nof a newer release|available|0|t\nledger.add|scheduled|1|f")

    def test_a_notification_wakes_it(self):
        worker = self.start("sleeper", example=self.changed("0.005, 5,", "3600, 3600,"))
        wait_for("its flag", lambda: self.sql("select signal_raised from millrace.queues") == "t")
        self.enqueue(1)
        self.wait_for_written(1)
        self.stop(worker)

    def changed(self, said, instead):
        """A copy of the example that says something else."""
        text = (EXAMPLES / "worker.py").read_text()
        self.assertIn(said, text)
        copy = tempfile.NamedTemporaryFile("w", suffix=".py")
        self.addCleanup(copy.close)
        copy.write(text.replace(said, instead))
        copy.flush()
        return copy.name


class BehindAPooler(WorkerTest):
    def setUp(self):
        super().setUp()
        self.pooler = Pooler(self, self.database)

    def connect(self):
        connection = psycopg2.connect(dbname=self.database, host="127.0.0.1", port=self.pooler.port)
        self.addCleanup(connection.close)
        connection.autocommit = True
        return connection

    def test_three_workers_share_two_connections_and_one_is_killed(self):
        self.enqueue(300, '{"seconds": 0.02}')
        victim, *others = [self.start(name, LEASE_SECONDS="2", LISTEN="off", **self.pooler.here)
                           for name in ("victim", "second", "third")]
        wait_for("a job of the victim's", lambda: self.number("select count(*) from millrace.jobs"
                                                              " where state = 'running' and worker = 'victim'"))
        victim.kill()
        self.wait_for_written(300)
        for worker in others:
            self.stop(worker)
        self.assert_each_once(300)

    def test_listen_hears_nothing(self):
        listener, other = self.connect(), self.connect()
        listener.cursor().execute('listen "millrace/mail"')
        # Another client's transaction takes the connection that has listened, and it is its notification now.
        heard = []
        for client in (other, listener) * 5:
            client.cursor().execute("select pg_notify('millrace/mail', '')")
            client.poll()
            heard.append(len(client.notifies))
        self.assertGreater(len(other.notifies), 0, heard)
        self.sql("notify \"millrace/mail\"")
        other.cursor().execute("select 1")  # its answer comes after the notification, on the one connection
        waiting = select.select([listener], [], [], 0)[0]
        self.assertEqual(waiting, [], "no notification comes by itself: nothing is sent between transactions")

    def test_a_prepared_statement_is_lost_between_transactions(self):
        holder, other = self.connect(), self.connect()
        holder.cursor().execute("prepare claim as select 1")
        other.cursor().execute("begin")  # takes the connection on which it was prepared
        with self.assertRaisesRegex(psycopg2.Error, 'prepared statement "claim" does not exist'):
            holder.cursor().execute("execute claim")

    def test_the_psql_worker_empties_a_queue(self):
        self.enqueue(250)
        self.run_psql_worker(**self.pooler.here)
        self.assert_each_once(250)

    def run_psql_worker(self, **variables):
        done = subprocess.run(["psql", "-X", "-q", "-v", "queue=mail", "-f", EXAMPLES / "worker.psql"], text=True,
                              capture_output=True, env=self.environment | variables, timeout=PATIENCE_SECONDS)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    main()
