#!/usr/bin/env python3
"""Rehearsals of what docs/runbooks.md says of mail and of forks: see runbooks_test.py."""

import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from github import Forge  # noqa: E402  pylint: disable=wrong-import-position
from program import main  # noqa: E402  pylint: disable=wrong-import-position
from rehearsal import FAILED, MailServer, OnOneHost, section  # noqa: E402  pylint: disable=wrong-import-position


class Mail(OnOneHost):
    def start_worker_of(self, server, token):
        self.authority, self.token = self.folder / "authority.pem", self.write("token", token)
        shutil.copy(server.ca_file, self.authority)  # the server's own goes with it
        self.sql("select millrace.create_queue('email')")
        self.start_unit(f"[worker]\nqueue = email\n[smtp]\nurl = smtp://localhost:{server.port}\nauth = xoauth2\n"
                        f"ca_file = {self.authority}\nusername = shop\ntoken_file = {self.token}\n"
                        "from = Shop <shop@example.org>\n")

    def wait_for_mail(self, job, state):
        self.wait_until(f"select state from millrace.jobs where id = {job}", state)

    def send_mail(self):
        mail = '{"to": "ada@example.org", "subject": "Hello", "text": "Hello"}'
        return self.sql(f"select millrace.enqueue('email', 'email.send', '{mail}')")

    def test_mail_is_down(self):
        server = MailServer("good")
        self.addCleanup(server.stop)
        self.start_worker_of(server, "good")
        self.wait_for_mail(self.send_mail(), "completed")
        server.stop()
        job = self.send_mail()
        self.wait_for_mail(job, "scheduled")
        self.assertNotIn("connected", self.as_worker("MillraceMailDown", "as_worker", FAILED))
        self.assertIn("email.send", self.follow("MillraceMailDown")[0])
        self.assertIn("mail deliveries pause", self.on_call("MillraceMailDown", "journalctl"))
        again = MailServer("good", server.port)
        self.addCleanup(again.stop)
        shutil.copy(again.ca_file, self.authority)  # it makes a new one at each start; the worker reads it for each connection
        self.wait_for_mail(job, "completed")
        self.wait_for_log("mail server serves again")
        self.assertEqual(self.sql(f"select attempt from millrace.jobs where id = {job}"), "1", "no attempt was counted")

    def test_a_token_has_expired(self):
        server = MailServer("new")
        self.addCleanup(server.stop)
        self.start_worker_of(server, "old")
        job = self.send_mail()
        self.wait_for_mail(job, "scheduled")
        said = self.as_worker("A token has expired", "as_worker", FAILED)
        self.assertIn("encrypted", said)
        self.assertNotIn("authenticated", said)
        self.token.write_text("new")
        self.wait_for_mail(job, "completed")
        self.as_worker("A token has expired", "as_worker")
        self.wait_for_log("mail server serves again")

    def test_notifications_are_late(self):
        server = MailServer("good")
        self.addCleanup(server.stop)
        self.start_worker_of(server, "good")
        self.type("millrace queues pause email")
        self.sql("select notify.set_up('email')")
        self.sql("select notify.define_type('order.sent', 'orders', 'An order of yours is on its way')")
        self.sql("select notify.emit('order.sent', actor => 'bob', recipients => '{ada@example.org}', subject => 'Hello',"
                 "                   body_text => 'Hello')")
        self.assertRegex(self.follow("MillraceNotificationsLate")[0], r"email +\| +1 .*\| 20\d\d-")
        self.assertIn("Is the queue paused, resume it.", " ".join(section("MillraceNotificationsLate").split()))
        self.type("millrace queues resume email")
        self.wait_until("select status from notify.emails", "sent")


class Forks(OnOneHost):
    def setUp(self):
        super().setUp()
        self.is_expired = False
        self.forge = Forge(lambda *_: (401, {"message": "Bad credentials"}, {}) if self.is_expired else None)
        self.addCleanup(self.forge.close)
        self.sql("select millrace.create_queue('forks', max_attempts => 2, retry_base => '20 ms', retry_cap => '100 ms'),"
                 "       millrace.create_queue('email'), forks.add_fork('acme/fork-1', provider => 'github', branches => '{main}')")
        self.settings = ("[worker]\nqueue = forks=2\n"
                         f"[github]\ntoken_variable = GITHUB_TOKEN\napi_url = {self.forge.url}\n")

    def start_run(self):
        command, = {word for word in section("A token has expired").split("`") if word.startswith("millrace forks start")}
        self.type(command.replace("GROUP", "default"))
        return self.sql("select max(id) from forks.runs")

    def wait_for_run(self, run, state):
        self.wait_until(f"select state from forks.runs where id = {run}", state)

    def test_a_token_of_github_has_expired(self):
        self.is_expired = True
        self.start_unit(self.settings, GITHUB_TOKEN="ghp_old")
        run = self.start_run()
        self.wait_for_run(run, "finished")
        self.assertRegex(self.on_call("A token has expired", "millrace forks runs"), rf"\b{run}\b.*finished")
        self.assertEqual(self.sql(f"select failed from forks.runs where id = {run}"), "1")
        self.assertIn("401", self.sql("select text from forks.digests"))
        self.configure(self.settings, GITHUB_TOKEN="ghp_new")
        self.systemctl("restart")
        self.is_expired = False
        run = self.start_run()
        self.wait_for_run(run, "finished")
        self.assertEqual(self.sql(f"select updated, failed from forks.runs where id = {run}"), "1|0")

    def lose_digest(self):
        """A run whose last job, the digest, is a dead letter; the job."""
        self.sql("select millrace.pause_kind('forks.digest')")
        self.start_run()
        self.wait_until("select count(*) from millrace.jobs where kind = 'forks.digest' and state = 'available'", "1")
        self.systemctl("stop")
        self.sql("select millrace.resume_kind('forks.digest')")
        session = self.sql("select millrace.open_session('release 7', '{forks}')")
        self.sql(f"select millrace.discard(fence, job_id, 'template missing') from millrace.claim({session}, 'forks')")
        self.sql(f"select millrace.close_session({session})")
        return self.sql("select max(job_id) from millrace.dead_letters where kind = 'forks.digest'")

    def test_a_digest_did_not_come(self):
        title = "A digest of forks did not come"
        self.start_unit(self.settings, GITHUB_TOKEN="ghp_good")
        job = self.lose_digest()
        self.assertIn("template missing", "".join(self.follow(title)))
        self.assertIn("`millrace jobs replay ID`", section(title))
        self.type(f"millrace jobs replay {job}")
        self.systemctl("start")
        self.wait_until("select string_agg(state, ' ' order by id) from forks.runs", "finished")
        self.lose_digest()
        self.systemctl("start")
        self.wait_for_run(self.start_run(), "finished")
        self.assertEqual(self.sql("select string_agg(state, ' ' order by id) from forks.runs"), "finished given up finished")
        given_up = self.sql("select id from forks.runs where state = 'given up'")
        self.assertIn("1 branch of 1 fork", self.type(f"millrace forks digest {given_up} --preview"))


if __name__ == "__main__":
    main()
