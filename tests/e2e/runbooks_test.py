#!/usr/bin/env python3
"""Rehearsals: what wakes people is made to happen, and then done about it what docs/runbooks.md says, word for word.

Here queues, jobs and the database; workers, and mail and forks, have files of their own beside this one.
"""

import os
import pathlib
import re
import sys
import tempfile
import time

import psycopg2

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "tests/chaos")]
import servers  # noqa: E402  pylint: disable=wrong-import-position
from program import BINARY, PATIENCE_SECONDS, main  # noqa: E402  pylint: disable=wrong-import-position
from rehearsal import DONE, OnOneServer, Rehearsal, blocks, section  # noqa: E402  pylint: disable=wrong-import-position


class Queues(OnOneServer):
    def test_a_stuck_worker(self):
        worker = self.start("--queue", "mail=2", "--drain-timeout", "0s")
        jobs = self.enqueue("wait", '{"ms": 3600000}', 2).strip("{}").split(",")
        self.wait_until("select count(*) from millrace.running_jobs", "2")
        self.enqueue("noop", amount=3)
        said = self.follow("MillraceQueueStuck")
        self.assertEqual(said[0].count("| wait"), 2)
        worker.terminate()  # systemctl restart
        self.assertEqual(self.finish(worker)[0], DONE)
        self.assertEqual(self.sql("select count(*) from millrace.jobs where state = 'available' and attempt = 0"), "5")
        worker = self.start("--queue", "mail=2")
        self.wait_until("select count(*) from millrace.running_jobs", "2")
        for job in jobs:
            self.on_call("MillraceQueueStuck", "millrace jobs cancel 17", "17", job)
        self.wait_until(self.completed(), "3")
        self.wait_until("select count(*) from millrace.jobs where kind = 'wait' and state = 'cancelled'", "2")
        self.type("millrace queues set mail timeout='10 minutes'")
        self.assertIsNone(worker.poll())

    def test_other_sessions_are_seen_and_ended_with_the_rights_that_the_page_asks_for(self):
        roles, = (line for block in blocks("Before you begin", "console") for line in block.splitlines()
                  if line.startswith("grant"))
        login, worker = (f"{name}_{self.database[-8:]}" for name in ("oncall", "worker"))
        for name, membership in ((login, roles.replace("oncall", login)),
                                 (worker, f"grant millrace_worker to {worker}")):
            self.sql(f"create role {name} login; {membership}")
            self.addCleanup(self.sql, f"drop role {name}")
        self.start("--queue", "mail=2", PGUSER=worker)
        self.wait_until("select count(*) from millrace.workers where state = 'alive'", "1")
        self.addCleanup(setattr, self, "environment", self.environment)
        self.environment = self.environment | {"PGUSER": login}
        sessions = "pg_stat_activity where application_name like 'millrace %' and datname = current_database()"
        self.assertIn("millrace ", self.type(f"psql -X -c \"select application_name from {sessions} and state <> 'active'\""))
        self.assertRegex(self.type(f"psql -X -c \"select pg_terminate_backend(pid) from {sessions} limit 1\""), r"\n t\n")

    def test_a_queue_that_grows(self):
        self.type("millrace queues pause mail")
        self.start("--queue", "mail=2")
        job = self.enqueue("noop", amount=200).strip("{}").split(",")[0]
        said = self.follow("MillraceQueueBehind", job)
        self.assertRegex(said[0], r"mail +\| +200 ")
        self.assertIn("paused", said[0])
        self.type("millrace queues resume mail")
        self.wait_until(self.completed(), "200")

    def test_a_flood_of_dead_letters(self):
        self.enqueue("noop", amount=1200)
        session = self.sql("select millrace.open_session('release 7', '{mail}')")
        self.sql(f"select millrace.discard(fence, job_id, '401 token expired') from millrace.claim({session}, 'mail', 1000)")
        said = self.follow("MillraceDeadLetterFlood")
        self.assertRegex(said[0], r"noop +\| 401 token expired +\| +1000")
        self.start("--queue", "mail")
        self.wait_until("select count(*) from millrace.workers where name <> 'release 7' and state = 'alive'", "1")
        self.assertEqual(self.sql("select available, running, completed from millrace.queues"), "200|0|0", "it is paused")
        self.assertIn("null", self.on_call("MillraceDeadLetterFlood", "millrace queues set mail max_running=1"))
        self.on_call("MillraceDeadLetterFlood", "millrace queues resume")
        self.wait_until(self.completed(), "200")
        self.assertIn("completed", self.on_call("MillraceDeadLetterFlood", "millrace jobs list"))
        self.on_call("MillraceDeadLetterFlood", "millrace queues set mail max_running=none")
        self.on_call("MillraceDeadLetterFlood", "millrace jobs replay --queue", "email.send", "noop")
        self.wait_until("select completed, dead from millrace.queues", "1200|0")

    def test_a_pinned_horizon(self):
        holder = psycopg2.connect(dbname=self.database, host=os.environ["PGHOST"], port=os.environ["PGPORT"],
                                  user=os.environ["PGUSER"], application_name="a report of last year")
        self.addCleanup(holder.close)
        holder.set_session("repeatable read")
        holder.cursor().execute("select count(*) from millrace.job")
        seen = self.follow("The vacuum horizon is pinned")
        self.assertIn("a report of last year", seen[0])
        named = "from millrace.horizon_holders where application = 'a report of last year'"
        remedy = self.sql(f"select remedy {named}")
        self.sql(re.search(r"select pg_terminate_backend\(\d+\)", remedy)[0])
        self.wait_until(f"select count(*) {named}", "0")
        self.assertNotIn("a report of last year", self.follow("The vacuum horizon is pinned")[0])

    def test_a_disk_that_fills(self):
        slot = "left_behind_" + self.database[-8:]
        self.sql(f"select pg_create_physical_replication_slot('{slot}', true)")
        self.addCleanup(self.sql, f"select pg_drop_replication_slot(slot_name) from pg_replication_slots"
                                  f" where slot_name = '{slot}'")
        self.assertIn(slot, self.follow("The disk fills")[0])
        self.sql(f"select pg_drop_replication_slot('{slot}')")
        self.assertNotIn(slot, self.follow("The disk fills")[0])
        self.assertEqual(self.sql("select retention from millrace.queue where name = 'mail'"), "2 days")

    def fail(self, kind, outcome, amount):
        """Jobs of the kind that have failed so, by a worker of which no more is known."""
        self.enqueue(kind, amount=amount)
        session = self.sql("select millrace.open_session('release 7', '{mail}')")
        self.sql(f"select millrace.{outcome} from millrace.claim({session}, 'mail', {amount})")

    def test_jobs_that_fail(self):
        self.fail("email.send", "fail(fence, job_id, '421 try again later', '1 hour')", 3)
        said = self.follow("MillraceJobsFail")
        self.assertRegex(said[0], r"421 try again later +\| +3 ")
        self.assertEqual(self.sql("select count(*) from millrace.kinds_aside"), "0", "the kind is not paused any more")
        retry, = re.findall("^millrace jobs retry .*'", "\n".join(blocks("MillraceJobsFail", "sh")), re.MULTILINE)
        self.type(f"{retry} --yes")
        self.assertEqual(self.sql("select available from millrace.queues"), "3")

    def test_dead_letters(self):
        self.fail("email.send", "discard(fence, job_id, '421 try again later')", 2)
        self.fail("email.send", "discard(fence, job_id, '550 no such user here')", 3)
        job = self.sql("select min(job_id) from millrace.dead_letters")
        said = self.follow("MillraceDeadLetters", job)
        self.assertIn("550 no such user here", said[0])
        self.assertEqual(self.sql("select available, dead from millrace.queues"), "2|3", "the cause of two has gone")
        self.on_call("MillraceDeadLetters", "millrace jobs discard")
        self.assertEqual(self.sql("select available, dead from millrace.queues"), "2|0")

    def test_attempts_that_time_out(self):
        self.type("millrace queues set mail timeout='8 seconds'")
        self.enqueue("wait", '{"until_stopped": true}')
        self.start("--queue", "mail=2")
        self.wait_until("select count(*) from millrace.running_jobs", "1")
        self.assertRegex(self.follow("MillraceAttemptsTimeOut")[0], r"mail +\| wait +\| +1 ")
        self.wait_until("select failed > 0 from millrace.queues where name = 'mail'", "t")
        self.assertEqual(self.sql("select timeout from millrace.queue where name = 'mail'"), "00:10:00")

    def test_a_lock_that_holds_everybody_up(self):
        holder = psycopg2.connect(dbname=self.database, host=os.environ["PGHOST"], port=os.environ["PGPORT"],
                                  user=os.environ["PGUSER"], application_name="a report of last year")
        self.addCleanup(holder.close)
        holder.cursor().execute("lock table millrace.running in share mode")
        self.enqueue("noop")
        self.start("--queue", "mail=2")
        self.wait_until("select count(*) > 0 from pg_stat_activity where datname = current_database()"
                        "   and application_name like 'millrace claimer%' and wait_event_type = 'Lock'", "t")
        self.assertRegex(self.follow("MillraceHeartbeatLate")[0], r"millrace claimer.* Lock +\| relation")
        found = re.search(r"\n +(\d+) .*a report of last year", self.follow("MillraceClaimsSlow")[0])
        self.assertIn("select pg_terminate_backend(PID)", section("MillraceClaimsSlow"))
        self.sql(f"select pg_terminate_backend({found[1]})")
        self.wait_until(self.completed(), "1")

    def test_a_host_that_vanished(self):
        vanished = psycopg2.connect(dbname=self.database, host=os.environ["PGHOST"], port=os.environ["PGPORT"],
                                    user=os.environ["PGUSER"], application_name="millrace slot")
        self.addCleanup(vanished.close)
        vanished.cursor().execute("select 1")
        title = "A host vanished, and its jobs do not come back"
        found = re.search(r"\n +(\d+) .*idle in transaction", self.follow(title)[0])
        self.assertIn("select pg_terminate_backend(PID)", section(title))
        self.sql(f"select pg_terminate_backend({found[1]})")
        self.assertIn("(0 rows)", self.follow(title)[0])


class Failover(Rehearsal):
    """On a primary of its own, which is lost, and its standby."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="millrace-failover-")))
        self.folder.chmod(0o755)
        self.primary, self.standby = (servers.Server(self.folder / name, addresses="127.0.0.1") for name in ("one", "two"))
        for server in (self.primary, self.standby):
            self.addCleanup(server.stop)
        self.primary.initialise()
        self.primary.start()
        self.environment = os.environ | {"PGHOST": "127.0.0.1", "PGUSER": "postgres", "PGDATABASE": "postgres",
                                         "PATH": f"{pathlib.Path(BINARY).parent}:{os.environ['PATH']}"}
        self.turn_to(self.primary)
        self.type("millrace migrate up && millrace queues create mail")
        self.standby.clone(self.primary)
        self.standby.start()

    def workers_of_both(self):
        """The settings of a worker that goes where writes are taken."""
        both = (f"host=127.0.0.1,127.0.0.1 port={self.primary.port},{self.standby.port} user=postgres dbname=postgres"
                " target_session_attrs=read-write connect_timeout=2")
        return ["--queue", "mail", "--lease", "2s", "--database-url", both]

    def turn_to(self, server):
        self.environment["PGPORT"] = str(server.port)

    def sql(self, statement, database=None):
        return self.type(f"psql -X -A -t -q -v ON_ERROR_STOP=1 <<'END'\n{statement}\nEND").strip()

    def replayed(self):
        wanted = self.sql("select pg_current_wal_lsn()")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.standby.execute(f"select pg_last_wal_replay_lsn() >= '{wanted}'") != [(True,)]:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def test_the_primary_is_lost(self):
        self.start(*self.workers_of_both())
        self.enqueue("noop", amount=50)
        self.wait_until(self.completed(), "50")
        self.enqueue("wait", '{"ms": 500}', 50)
        self.replayed()
        self.primary.stop()
        self.turn_to(self.standby)
        self.assertRegex(self.follow("The primary is lost")[0], r"\n t +\|")
        self.on_call("The primary is lost", "psql -X -c \"select pg_promote()\"")
        self.wait_until(self.completed(), "100")
        self.assertRegex(self.follow("The primary is lost")[0], r"\n f +\|")

    def test_the_primary_moves_on_purpose(self):
        """As docs/operations.md says: a clean stop, a promotion; whoever names one host is restarted, nobody adopts."""
        self.start(*self.workers_of_both())
        alone = self.start("--queue", "mail", "--lease", "2s")
        self.enqueue("noop", amount=50)
        self.wait_until(self.completed(), "50")
        self.enqueue("wait", '{"ms": 500}', 50)
        self.assertIn("`pg_ctl stop -m fast`", " ".join(section("Under systemd", "operations").split()))
        self.primary.stop("fast")
        self.turn_to(self.standby)
        self.on_call("The primary is lost", "psql -X -c \"select pg_promote()\"")
        self.wait_until(self.completed(), "100")
        alone.kill()
        self.start("--queue", "mail", "--name", "restarted")
        self.wait_until("select count(*) from millrace.workers where name = 'restarted' and state = 'alive'", "1")


class Password(OnOneServer):
    def test_the_password_of_the_database_is_changed_in_its_file_alone(self):
        """PGPASSFILE is read for each connection; docs/operations.md: to change a secret."""
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="millrace-password-")))
        folder.chmod(0o755)
        server = servers.Server(folder / "server", addresses="127.0.0.1")
        self.addCleanup(server.stop)
        server.initialise()
        rules = server.data / "pg_hba.conf"
        rules.write_text("host all clerk all scram-sha-256\n" + rules.read_text())
        server.start()
        self.environment |= {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": "postgres", "PGDATABASE": "postgres"}
        self.type("millrace migrate up && millrace queues create mail")
        server.execute("create role clerk login password 'old' in role millrace_worker")
        file = folder / "pgpass"
        file.touch(0o600)
        file.write_text("*:*:*:clerk:old\n")
        self.start("--queue", "mail", PGUSER="clerk", PGPASSFILE=str(file))
        count = "select count(*) from millrace.jobs where state = 'completed'"
        for done, password in enumerate(("old", "new"), 1):
            server.execute(f"alter role clerk password '{password}'")
            file.write_text(f"*:*:*:clerk:{password}\n")
            server.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'clerk'")
            server.execute("select millrace.enqueue('mail', 'noop')")
            deadline = time.monotonic() + PATIENCE_SECONDS
            while server.execute(count) != [(done,)]:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.02)


if __name__ == "__main__":
    main()
