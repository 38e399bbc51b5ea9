#!/usr/bin/env python3
"""Rehearsals: what wakes people is made to happen, and then done about it what docs/runbooks.md says, word for word.

A section's `sh` blocks are run as they stand, but for the number of a job. `console` blocks are those of a person who is
at the right host; a rehearsal picks the line that it needs and puts its own names in.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import psycopg2

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "tests/chaos")]
import servers  # noqa: E402  pylint: disable=wrong-import-position
from program import BINARY, PATIENCE_SECONDS, WorkerProcessTest, main  # noqa: E402  pylint: disable=wrong-import-position

PAGE = (ROOT / "docs/runbooks.md").read_text()
SMTP_SERVER = ROOT / "tests/support/smtp/server.mjs"
DONE, FAILED = 0, 1


def blocks(title, kind):
    """Of the section: the commands of its blocks of that kind."""
    section = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^##+ |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    shown = re.sub(r"<!--.*?-->", "", section[1], flags=re.DOTALL)
    return re.findall(rf"^```{kind}\n(.*?)^```$", shown, re.MULTILINE | re.DOTALL)


class MailServer:
    """Wants a token; on a port that stays the same, however often it is stopped and started."""

    def __init__(self, token, port=0):
        words = ["--user", "shop", "--auth", "XOAUTH2", "--password", token, "--port", str(port), "--until-stdin-closes"]
        self.process = subprocess.Popen([os.environ["MILLRACE_NODE"], SMTP_SERVER, *words], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        ready = json.loads(self.process.stdout.readline())
        self.port, self.ca_file = ready["port"], ready["ca_file"]

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(PATIENCE_SECONDS)
            self.process.stdout.close()


class Rehearsal(WorkerProcessTest):

    def type(self, commands):
        """As a person would, into a shell; what it says."""
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], env=self.environment, capture_output=True,
                              text=True, timeout=PATIENCE_SECONDS, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, f"{commands}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def follow(self, title, job=None):
        """Runs the section's commands in their order; what each block said."""
        return [self.type(re.sub(r"(explain|show) \d+", rf"\1 {job}", commands)) for commands in blocks(title, "sh")]

    def on_call(self, title, start, name="", ours=""):
        """One line of the section's console blocks, with a name of our own in it."""
        line, = (line for block in blocks(title, "console") for line in block.splitlines() if line.startswith(start))
        self.assertIn(name, line)
        return self.type(line.replace(name, ours) if name else line)

    def enqueue(self, kind, payload="{}", amount=1):
        return self.sql(f"select millrace.enqueue_many('mail', '{kind}', array_fill('{payload}'::jsonb, array[{amount}]))")

    def completed(self):
        return "select completed from millrace.queues where name = 'mail'"


class OnOneServer(Rehearsal):
    def setUp(self):
        super().setUp()
        self.environment["PATH"] = f"{pathlib.Path(BINARY).parent}:{os.environ['PATH']}"
        self.sql("select millrace.create_queue('mail')")

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

    def mail_worker(self, server, token_file):
        self.sql("select millrace.create_queue('email')")
        self.smtp = ["--smtp-url", f"smtp://localhost:{server.port}", "--smtp-ca-file", server.ca_file, "--smtp-from",
                     "Shop <shop@example.org>", "--smtp-auth", "xoauth2", "--smtp-username", "shop", "--smtp-token-file",
                     token_file]
        return self.start("--queue", "email", *self.smtp)

    def send_test(self, title):
        command, = (line for block in blocks(title, "console") for line in block.splitlines() if "send-test" in line)
        return self.run_millrace(*command.split()[1:], *self.smtp)  # as_worker brings the settings

    def wait_for_mail(self, job, state):
        self.wait_until(f"select state from millrace.jobs where id = {job}", state)

    def send_mail(self):
        mail = '{"to": "ada@example.org", "subject": "Hello", "text": "Hello"}'
        return self.sql(f"select millrace.enqueue('email', 'email.send', '{mail}')")

    def token_file(self, token):
        file = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "token"
        file.touch(0o600)
        file.write_text(token)
        return file

    def test_mail_is_down(self):
        server = MailServer("good")
        kept = shutil.copy(server.ca_file, self.enterContext(tempfile.TemporaryDirectory()))  # it goes with the server
        server.ca_file = kept
        worker = self.mail_worker(server, self.token_file("good"))
        self.wait_for_mail(self.send_mail(), "completed")
        server.stop()
        job = self.send_mail()
        self.wait_for_mail(job, "scheduled")
        ran = self.expect(self.send_test("MillraceMailDown"), FAILED)
        self.assertNotIn("connected", ran.out)
        self.assertIn("email.send", self.follow("MillraceMailDown")[0])
        again = MailServer("good", server.port)
        self.addCleanup(again.stop)
        shutil.copy(again.ca_file, kept)  # it makes a new one at each start; the worker reads it for each connection
        self.wait_for_mail(job, "completed")
        worker.terminate()
        _, log = self.finish(worker)
        self.assertIn("mail deliveries pause", [line["message"] for line in log])
        self.assertEqual(self.sql(f"select attempt from millrace.jobs where id = {job}"), "1", "no attempt was counted")

    def test_a_token_has_expired(self):
        server = MailServer("new")
        self.addCleanup(server.stop)
        file = self.token_file("old")
        worker = self.mail_worker(server, file)
        job = self.send_mail()
        self.wait_for_mail(job, "scheduled")
        ran = self.expect(self.send_test("A token has expired"), FAILED)
        self.assertIn("encrypted", ran.out)
        self.assertNotIn("authenticated", ran.out)
        file.write_text("new")
        self.wait_for_mail(job, "completed")
        self.expect(self.send_test("A token has expired"), DONE)
        worker.terminate()
        _, log = self.finish(worker)
        self.assertIn("mail server serves again", [line["message"] for line in log])


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
        both = (f"host=127.0.0.1,127.0.0.1 port={self.primary.port},{self.standby.port} user=postgres dbname=postgres"
                " target_session_attrs=read-write connect_timeout=2")
        self.start("--queue", "mail", "--lease", "2s", "--database-url", both)
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


if __name__ == "__main__":
    main()
