#!/usr/bin/env python3
"""Rehearsals of what docs/runbooks.md says of workers, and docs/operations.md of their host: see runbooks_test.py."""

import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from program import PATIENCE_SECONDS, main  # noqa: E402  pylint: disable=wrong-import-position
from rehearsal import FAILED, USAGE, MailServer, OnOneHost, section  # noqa: E402  pylint: disable=wrong-import-position

SERVES = "[worker]\nname = ours\nqueue = mail=2\nlease = 2s\n"
HOURS = '{"ms": 3600000}'


class Workers(OnOneHost):
    def start_that_fails(self, settings, **secrets):
        self.configure(settings, **secrets)
        self.systemctl("start")
        self.assertEqual(self.unit.wait(PATIENCE_SECONDS), FAILED)
        return self.on_call("MillraceNoWorker", "journalctl")

    def test_no_worker(self):
        self.enqueue("noop")
        stranger = "stranger_" + self.database[-8:]
        self.sql(f"create role {stranger} login")
        self.addCleanup(self.admin, f"drop role {stranger}")
        self.assertRegex(self.start_that_fails(SERVES, PGUSER=stranger), "error: permission denied")
        self.assertRegex(self.start_that_fails(SERVES.replace("mail", "mial")), "error: unknown queue 'mial'")
        self.assertIn("0", self.follow("MillraceNoWorker")[-1])
        self.start_unit(SERVES)
        self.wait_until(self.completed(), "1")
        said = self.follow("MillraceNoWorker")
        self.assertRegex(said[0], r"ours .* alive")
        self.assertRegex(said[-1], r"\n +1\n")

    def test_a_setting_that_is_wrong(self):
        self.configure(SERVES + "leese = 1s\n")
        self.assertIn("worker.leese", self.as_worker("MillraceKindLost", "as_worker", USAGE))

    def test_a_worker_that_is_down(self):
        self.start_unit(SERVES)
        self.assertIn("ok", self.curl("MillraceWorkerDown"))
        self.unit.kill()
        self.unit.wait()
        self.type(self.line("MillraceWorkerDown", "curl", "9477", str(self.port)), status=7)  # curl's: nobody listens
        self.systemctl("start")
        self.wait_until("select count(*) from millrace.workers where state = 'alive' and pid = " + str(self.unit.pid), "1")
        self.assertIn("ok", self.curl("MillraceWorkerDown"))

    def test_a_lease_that_is_lost(self):
        self.start_unit(SERVES)
        self.enqueue("wait", HOURS)
        self.wait_until("select worker from millrace.running_jobs", "ours")
        self.unit.send_signal(signal.SIGSTOP)
        self.start("--queue", "mail=2", "--lease", "2s", "--name", "other")
        self.wait_until("select worker from millrace.running_jobs", "other")
        self.unit.send_signal(signal.SIGCONT)
        self.wait_for_log("lease lost")
        self.assertIn("lease lost", self.on_call("MillraceLeaseLost", "journalctl"))
        self.assertEqual(self.sql("select attempt from millrace.running_jobs"), "2", "an attempt was counted")

    def test_jobs_that_are_reaped(self):
        self.start_unit(SERVES)
        self.enqueue("email.send")
        self.enqueue("wait", HOURS, 2)
        self.wait_until("select count(*) from millrace.running_jobs", "2")
        self.unit.kill()
        self.start("--queue", "mail=2", "--lease", "2s", "--name", "other")
        self.wait_until("select count(*) from millrace.running_jobs where worker = 'other' and attempt = 2", "2")
        self.assertRegex(self.follow("MillraceJobsReaped")[0], rf"ours .*\| +{self.unit.pid} ")
        self.assertEqual(self.sql("select count(*) from millrace.kind where paused_at is not null"), "0")

    def test_a_kind_that_is_lost(self):
        server = MailServer("hunter2", auth="PLAIN")
        self.addCleanup(server.stop)
        settings = (f"{SERVES}[smtp]\nurl = smtp://localhost:{server.port}\nca_file = {server.ca_file}\nusername = shop\n"
                    "from = Shop <shop@example.org>\n")
        self.start_unit(settings, MILLRACE_SMTP_PASSWORD="hunter2")
        self.assertNotIn("email.send", self.curl("MillraceKindLost"))
        self.configure(settings)
        self.systemctl("restart")
        self.wait_until_alive()
        self.enqueue("email.send", '{"to": "ada@example.org", "subject": "Hello", "text": "Hello"}')
        self.wait_until("select kind, handled_by from millrace.kinds_aside", "email.send|0")
        self.assertIn("email.send", self.curl("MillraceKindLost"))
        self.assertIn("MILLRACE_SMTP_PASSWORD", self.as_worker("MillraceKindLost", "as_worker", USAGE))
        self.assertRegex(self.follow("MillraceKindLost")[0], r"mail +\| email.send +\| +0 ")
        self.configure(settings, MILLRACE_SMTP_PASSWORD="hunter2")
        self.as_worker("MillraceKindLost", "as_worker")
        self.systemctl("restart")
        self.wait_until(self.completed(), "1")
        self.assertNotIn("email.send", self.curl("MillraceKindLost"))
        self.assertIn("(0 rows)", self.follow("MillraceKindLost")[0])

    def test_a_queue_that_is_not_served(self):
        self.sql("select millrace.create_queue('email'), millrace.create_queue('other')")
        self.enqueue("noop")
        self.start_unit("[worker]\nqueue = other\nqueue = email\n")
        self.wait_for_log("queue not served")  # email, for there is no mail server
        said = self.follow("MillraceQueueNotServed")
        self.assertRegex(said[0], r"\(0 rows\)[^$]*\| no worker ")
        self.assertRegex(said[1], "mail +1 ")
        self.assertIn("`queue = mail=4`", section("MillraceQueueNotServed"))
        self.configure("[worker]\nqueue = other\nqueue = mail=4\n")
        self.systemctl("restart")
        self.wait_until(self.completed(), "1")

    def test_connections_that_are_lost(self):
        self.start_unit(SERVES)
        self.sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'millrace %'"
                 "   and datname = current_database()")
        self.wait_for_log("connection restored")
        self.assertIn("heartbeat", self.on_call("MillraceReconnects", "journalctl"))
        self.follow("MillraceReconnects")

    def test_a_database_that_is_unreachable(self):
        self.start_unit(SERVES)
        self.assertIn('"ready":true', self.curl("MillraceDatabaseUnreachable"))
        self.admin(f"alter database {self.database} allow_connections false")
        self.addCleanup(self.admin, f"alter database {self.database} allow_connections true")
        self.admin(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{self.database}'")
        self.wait_for_log("cannot connect")
        self.wait_for_answer("MillraceDatabaseUnreachable", '{"ready":false,"not_ready":[{"what":"database"')
        self.assertIn("not currently accepting connections", self.on_call("MillraceDatabaseUnreachable", "journalctl"))
        self.admin(f"alter database {self.database} allow_connections true")
        self.enqueue("noop")
        self.wait_until(self.completed(), "1")
        self.wait_for_answer("MillraceDatabaseUnreachable", '"ready":true')
        self.assertRegex(self.follow("MillraceDatabaseUnreachable")[0], r"\n f +\|")

    def test_a_database_that_was_cloned(self):
        self.enqueue("noop")
        copy = f"{self.database}_copy"
        self.admin(f"create database {copy} template {self.database}")
        self.addCleanup(self.admin, f"drop database {copy} with (force)")
        self.database = self.environment["PGDATABASE"] = copy
        self.assertIn("millrace adopt", self.start_that_fails(SERVES))
        self.assertEqual(self.sql(self.completed()), "0")
        self.assertIn(copy, self.follow("The database was restored or cloned")[0])
        self.start_unit(SERVES)
        self.wait_until(self.completed(), "1")


class Hosts(OnOneHost):
    """What docs/operations.md says of a unit, beside the runbooks."""

    def says(self, words):
        self.assertIn(words, " ".join(section("Under systemd", "operations").split()))
        return words

    def test_a_host_is_drained(self):
        self.start_unit(SERVES)
        self.enqueue("wait", '{"ms": 5000}', 2)
        self.wait_until("select count(*) from millrace.running_jobs", "2")
        self.start("--queue", "mail=2", "--name", "other")
        self.wait_until("select count(*) from millrace.workers where state = 'alive'", "2")
        self.enqueue("noop", amount=100)
        self.says("`systemctl disable --now millrace-worker`")
        self.systemctl("stop")
        left = self.sql(self.says("select name, host from millrace.workers where state in ('alive', 'draining')"))
        self.assertRegex(left, r"^other\|[^\n]+$")
        self.wait_until(self.completed(), "102")
        self.assertEqual(self.sql("select count(*) from millrace.jobs where attempt <> 1"), "0")

    def test_more_time_is_given_before_a_drain(self):
        self.start_unit(SERVES + "drain_timeout = 0s\n")
        self.enqueue("wait", '{"ms": 1500}')
        self.wait_until("select count(*) from millrace.running_jobs", "1")
        self.says("set `drain_timeout` and `systemctl reload millrace-worker`")
        self.configure(SERVES + "drain_timeout = 1h\n")
        self.systemctl("reload")
        self.wait_for_log("settings reloaded")
        self.systemctl("stop")
        self.assertEqual(self.sql(self.completed()), "1")

    def test_a_password_is_changed(self):
        server = MailServer("old", auth="PLAIN")
        self.addCleanup(lambda: server.stop())  # whichever it is by then
        file, authority = self.write("password", "old"), self.folder / "authority.pem"
        authority.write_bytes(pathlib.Path(server.ca_file).read_bytes())
        self.sql("select millrace.create_queue('email')")
        self.start_unit(f"[worker]\nqueue = email\n[smtp]\nurl = smtp://localhost:{server.port}\nca_file = {authority}\n"
                        f"username = shop\npassword_file = {file}\nfrom = Shop <shop@example.org>\n")
        mail = '{"to": "ada@example.org", "subject": "Hello", "text": "Hello"}'
        completed = "select completed from millrace.queues where name = 'email'"
        self.sql(f"select millrace.enqueue('email', 'email.send', '{mail}')")
        self.wait_until(completed, "1")
        server.stop()
        server = MailServer("new", server.port, auth="PLAIN")
        authority.write_bytes(pathlib.Path(server.ca_file).read_bytes())  # it makes a new one at each start
        self.sql(f"select millrace.enqueue('email', 'email.send', '{mail}')")
        self.wait_for_log("mail deliveries pause")
        self.says("one that stands in a file (`smtp.password_file`, `dashboard.token_file`;")
        self.write("password", "new")
        self.systemctl("reload")
        self.wait_until(completed, "2")


if __name__ == "__main__":
    main()
