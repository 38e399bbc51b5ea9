#!/usr/bin/env python3
"""Mail from a job to a mailbox, through postfix and read back from dovecot by IMAP."""

import base64
import json
import pathlib
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import mta  # noqa: E402
from program import WorkerProcessTest, free_port, main  # noqa: E402

DONE, FAILED, USAGE = 0, 1, 2
BODY, NAME = "canary-body-52c1", "canary-file-07ae"
EVERY_BYTE = bytes(range(256))
MAIL = {
    "to": {"address": "ada@bücher.example", "name": "Ada, Gräfin"},
    "subject": "Rechnung № 17 für Ärger ✓ " + "日本語" * 20,
    "text": f"Grüße.\n.\n..\nFrom here\n{BODY}",
    "html": f"<p>Grüße: <b>{BODY}</b></p>",
    "reply_to": "orders@example.org",
    "unsubscribe_url": "https://example.org/u?t=v1.YQBi.c",
    "attachments": [{"name": "Rechnung für März.pdf", "type": "application/pdf",
                     "content": base64.b64encode(EVERY_BYTE).decode()},
                    {"name": f"{NAME}.csv", "type": "text/csv; charset=utf-8", "content": "w6Q7Yg=="}]}


class MailServerTest(WorkerProcessTest):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(mta.MailServer())

    def settings(self, security="starttls", **more):
        words = {"url": self.server.url(security), "from": "Der Läden <shop@bücher.example>",
                 "ca_file": str(self.server.ca_file), "username": mta.USER, **more}
        return [word for name, value in words.items() for word in (f"--smtp-{name.replace('_', '-')}", value)]

    def enqueue(self, mail, **policy):
        more = "".join(f", {name} => {value}" for name, value in policy.items())
        return self.sql(f"select millrace.enqueue('email', 'email.send', $json${json.dumps(mail)}$json${more})")

    def setUp(self):
        super().setUp()
        self.sql("select millrace.create_queue('email')")

    def test_a_mail_arrives_as_it_was_meant(self):
        job = self.enqueue(MAIL)
        process = self.start("--queue", "email", *self.settings(), MILLRACE_SMTP_PASSWORD=mta.PASSWORD)
        self.wait_until(f"select state from millrace.jobs where id = {job}", "completed")
        result = json.loads(self.sql(f"select result from millrace.jobs where id = {job}"))
        mail = next(mail for mail in self.server.mails("ada", 1) if mail["message-id"] == result["message_id"])
        self.assertEqual(mail["delivered-to"], "ada@xn--bcher-kva.example")
        self.assertEqual([(a.display_name, a.addr_spec) for a in mail["to"].addresses],
                         [("Ada, Gräfin", "ada@xn--bcher-kva.example")])
        self.assertEqual([(a.display_name, a.addr_spec) for a in mail["from"].addresses],
                         [("Der Läden", "shop@xn--bcher-kva.example")])
        self.assertEqual(mail["reply-to"], "orders@example.org")
        self.assertEqual(mail["subject"], MAIL["subject"])
        self.assertEqual(mail["auto-submitted"], "auto-generated")
        self.assertEqual(mail["list-unsubscribe"], "<https://example.org/u?t=v1.YQBi.c>")
        self.assertEqual(mail["list-unsubscribe-post"], "List-Unsubscribe=One-Click")
        self.assertIsNotNone(mail["date"].datetime)
        self.assertIn("ESMTPSA", mail["received"])  # with TLS and authentication: RFC 3848
        self.assertIn("queued as", result["reply"])
        self.assertEqual(mail.get_content_type(), "multipart/mixed")
        self.assertEqual(mail.get_body(("plain",)).get_content().splitlines(), MAIL["text"].split("\n"))
        self.assertEqual(mail.get_body(("html",)).get_content().strip(), MAIL["html"])
        files = [(part.get_filename(), part.get_content_type(), part.get_payload(decode=True))
                 for part in mail.iter_attachments()]
        self.assertEqual(files, [("Rechnung für März.pdf", "application/pdf", EVERY_BYTE),
                                 (f"{NAME}.csv", "text/csv", "ä;b".encode())])
        process.terminate()
        self.assertEqual(self.finish(process)[0], DONE)

    def test_a_recipient_whom_nobody_knows_is_that_mail_s_own_dead_letter(self):
        bad = self.enqueue(MAIL | {"to": "nobody@example.org"})
        good = self.enqueue(MAIL | {"to": "bob@example.org"})
        process = self.start("--queue", "email", *self.settings("tls"), MILLRACE_SMTP_PASSWORD=mta.PASSWORD)
        self.wait_until(f"select string_agg(state, ' ' order by id) from millrace.jobs where id in ({bad}, {good})",
                        "discarded completed")
        self.assertIn("550 5.1.1", self.sql(f"select error from millrace.dead_letters where job_id = {bad}"))
        process.terminate()
        self.assertEqual(self.finish(process)[0], DONE)

    def test_a_wrong_password_buries_no_mail(self):
        job = self.enqueue(MAIL | {"to": "bob@example.org"}, max_attempts=1)
        process = self.start("--queue", "email", *self.settings(), MILLRACE_SMTP_PASSWORD="canary-of-another")
        self.wait_until(f"select state || attempt from millrace.jobs where id = {job}", "scheduled0")
        process.terminate()
        status, log = self.finish(process)
        self.assertEqual(status, DONE)
        self.assertIn("535 5.7.8", next(line for line in log if line["message"] == "mail deliveries pause")["reason"])

    def test_send_test_tells_each_step(self):
        for security in ("starttls", "tls"):
            for way in ("plain", "login", "cram-md5", "auto"):
                ran = self.run_millrace("notify", "send-test", "--to", "bob@example.org", *self.settings(security, auth=way),
                                        MILLRACE_SMTP_PASSWORD=mta.PASSWORD)
                self.expect(ran, DONE)
                steps = {line[:14].strip(): line[15:] for line in ran.out.splitlines()}
                self.assertIn("220 mail.example.org", steps["connected"])
                self.assertIn("TLSv1.3", steps["encrypted"])
                if way != "auto":
                    self.assertEqual(steps["authenticated"], f"{way.upper()} as {mta.USER}")
                self.assertRegex(steps["accepted"], "^250 2.0.0 Ok: queued as ")
                self.assertIn("@xn--bcher-kva.example>", steps["message id"])
        self.assertEqual(self.server.mails("bob", 8)[-1]["subject"], "A test of millrace ✓")

    def test_send_test_fails_with_the_reason(self):
        def send(status, reason, *more, to="bob@example.org", password=mta.PASSWORD, **changed):
            ran = self.expect(self.run_millrace("notify", "send-test", "--to", to, *self.settings(**changed), *more,
                                                MILLRACE_SMTP_PASSWORD=password), status)
            self.assertIn(reason, ran.err)
            self.assertNotIn("canary", ran.out + ran.err)
            return ran
        self.assertIn("encrypted", send(FAILED, "535 5.7.8", password="canary-of-another").out)
        send(FAILED, "550 5.1.1", to="nobody@example.org")
        send(FAILED, "smtp.ca_file", ca_file="/etc/ssl/certs/ca-certificates.crt")
        send(USAGE, "the address has no @", to="nobody")
        send(USAGE, "smtp.from", **{"from": "nobody"})
        self.expect(self.run_millrace("notify", "send-test", "--to", "bob@example.org"), USAGE)
        self.expect(self.run_millrace("notify", "send-test"), USAGE)
        self.expect(self.run_millrace("notify"), USAGE)
        done = self.run_millrace("notify", "send-test", "--json", "--to", "nobody@example.org", *self.settings(),
                                 MILLRACE_SMTP_PASSWORD=mta.PASSWORD)
        told = self.expect(done, FAILED).json
        self.assertEqual((told["verdict"], told["code"], told["login"]), ("rejected", 550, "CRAM-MD5"))

    def test_metrics_tell_what_became_of_notifications(self):
        port = free_port()

        def metrics():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
                return dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if line[0] != "#")

        def emit(subject, user):
            self.sql(f"select notify.emit('cl.comment.created', null, '{{{user}@example.org}}', '{subject}', 'T')")
        emit("unknown", "nobody")
        emit("suppressed", "cid")
        self.sql("select notify.suppress('cid@example.org', 'complained')")
        process = self.start("--queue", "email", "--http-listen", f"127.0.0.1:{port}", *self.settings(),
                             MILLRACE_SMTP_PASSWORD=mta.PASSWORD)
        emit("welcome", "bob")
        statement = "select string_agg(status, ' ' order by id) from notify.emails"
        self.wait_until(statement, "failed skipped sent")
        told = metrics()
        self.assertEqual(told["millrace_notifications_sent_total"], "1")
        self.assertEqual(told['millrace_notifications_skipped_total{reason="suppressed"}'], "1")
        self.assertEqual(told['millrace_notifications_failed_total{reason="refused"}'], "1")
        self.assertEqual(told['millrace_notifications_failed_total{reason="put off"}'], "0")
        self.assertEqual(told["millrace_notification_seconds_count"], "1")
        self.assertEqual(told['millrace_notification_seconds_bucket{le="86400"}'], "1")
        self.assertEqual(told["millrace_notifications_oldest_age_seconds"], "0")
        self.sql("select millrace.pause_queue('email')")
        emit("held", "bob")
        deadline = time.monotonic() + 30
        while not float(metrics()["millrace_notifications_oldest_age_seconds"]) > 0:
            self.assertLess(time.monotonic(), deadline)
        process.terminate()
        self.assertEqual(self.finish(process)[0], DONE)

    def test_a_worker_without_a_mail_server_keeps_notifications_up(self):
        self.sql("select millrace.create_queue('work')")
        self.sql("select notify.emit('cl.comment.created', null, '{bob@example.org}', 'S', 'T')")
        self.sql("select millrace.cancel(job) from notify.emails")
        process = self.start("--queue", "work", "--queue", "email")
        self.wait_until("select outcome from notify.delivery", "cancelled")
        process.terminate()
        self.assertEqual(self.finish(process)[0], DONE)

    def test_neither_log_nor_tables_hold_a_secret(self):
        """The payload of a job that may still be sent is in the job's own row, and nowhere else."""
        token = "canary-token-93b0"
        jobs = [self.enqueue(MAIL), self.enqueue(MAIL | {"to": "nobody@example.org"}),
                self.enqueue(MAIL | {"subject": f"{BODY}\r\nBcc: eve@example.org"}), self.enqueue(MAIL | {"misspelt": BODY})]
        logs = []
        for words, variables in (
                (self.settings(), {"MILLRACE_SMTP_PASSWORD": mta.PASSWORD}),
                (self.settings(), {"MILLRACE_SMTP_PASSWORD": "canary-of-another"}),
                (self.settings(auth="xoauth2"), {"MILLRACE_SMTP_TOKEN": token})):
            waiting = self.enqueue(MAIL)
            process = self.start("--queue", "email", "--log-level", "debug", *words, **variables)
            self.wait_until(f"select state in ('completed', 'scheduled') from millrace.jobs where id = {waiting}", "t")
            self.wait_until(f"select count(*) from millrace.jobs where id = any('{{{','.join(jobs)}}}') "
                            "and state in ('completed', 'discarded')", "4")
            process.terminate()
            _, log = process.communicate(timeout=30)
            logs.append(log)
        dump = subprocess.run(["pg_dump", "--inserts", "-d", self.database], capture_output=True, text=True, check=True)
        for canary in (mta.PASSWORD, "canary-of-another", token,
                       *(base64.b64encode(secret.encode()).decode().rstrip("=") for secret in (mta.PASSWORD, token))):
            self.assertNotIn(canary, "".join(logs) + dump.stdout)
        for canary in (BODY, NAME):
            self.assertNotIn(canary, "".join(logs))
        # Where the text of a mail is: in the rows of the jobs themselves, which erasure and retention reach.
        self.assertEqual({line.split()[2].rstrip("0123456789_") for line in dump.stdout.splitlines() if BODY in line},
                         {"millrace.job"})


if __name__ == "__main__":
    main()
