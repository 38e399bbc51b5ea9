#!/usr/bin/env python3
"""What `millrace worker` shows to those who watch it: its HTTP endpoints and its log."""

import json
import pathlib
import select
import signal
import sys
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from program import PATIENCE_SECONDS, WorkerProcessTest, free_port, main  # noqa: E402

DONE, FAILED = 0, 1
FOREVER = """'{"until_stopped": true}'"""
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CANARY = "canary-7f3a"


class Watched(WorkerProcessTest):
    def setUp(self):
        super().setUp()
        self.sql("select millrace.create_queue('work')")
        self.port = free_port()

    def start(self, *words, **variables):
        return super().start("--queue", "work=1", "--http-listen", f"127.0.0.1:{self.port}", *words, **variables)

    def ask(self, path):
        """Status and text; (None, "") while nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except urllib.error.URLError:
            return None, ""

    def ask_until(self, path, status, text=""):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self.ask(path)
            if answer[0] == status and text in answer[1]:
                return answer[1]
            if time.monotonic() > deadline:
                self.fail(f"{path}: {answer} instead of {status} {text}")
            select.select([], [], [], 0.02)

    def test_answers_while_the_database_is_away_and_is_ready_when_it_has_come(self):
        name, self.database = self.database, "postgres"
        self.sql(f"alter database {name} rename to {name}_away")
        process = self.start()
        self.ask_until("/healthz", 200, "ok")
        status, report = self.ask("/readyz")
        self.assertEqual(status, 503)
        self.assertEqual({obstacle["what"] for obstacle in json.loads(report)["not_ready"]}, {"database", "worker"})
        self.assertNotIn(name, report)
        self.assertIn("millrace_database_reachable 0", self.ask("/metrics")[1])
        self.sql(f"alter database {name}_away rename to {name}")
        self.database = name
        self.ask_until("/readyz", 200)
        process.terminate()
        self.assertEqual(self.finish(process)[0], DONE)

    def test_is_ready_until_it_drains(self):
        process = self.start("--drain-timeout", "1h")
        report = json.loads(self.ask_until("/readyz", 200))
        self.assertEqual(report["not_ready"], [])
        self.assertIn("email.send", [unavailable["kind"] for unavailable in report["unavailable_kinds"]])

        job = self.sql(f"select millrace.enqueue('work', 'wait', {FOREVER})")
        self.wait_until(f"select state from millrace.jobs where id = {job}", "running")
        process.terminate()
        self.assertIn("is draining", self.ask_until("/readyz", 503))
        self.assertEqual(self.ask("/healthz")[0], 200)
        process.terminate()
        self.assertEqual(self.finish(process)[0], 128 + signal.SIGTERM)
        self.assertEqual(self.ask("/healthz")[0], None)

    def test_says_in_health_metrics_and_log_that_it_takes_no_mail(self):
        job = self.sql("select millrace.enqueue('work', 'email.send')")
        for words, reason in (([], "smtp.url"), (["--smtp-url", "smtp://h", "--smtp-from", "nobody"], "smtp.from")):
            process = self.start(*words)
            report = json.loads(self.ask_until("/readyz", 200))
            told = {kind["kind"]: kind["reason"] for kind in report["unavailable_kinds"]}
            self.assertIn(reason, told["email.send"])
            page = self.ask_until("/metrics", 200, 'millrace_kind_available{kind="noop"} 1')
            self.assertIn('millrace_kind_available{kind="email.send"} 0', page)
            self.assertNotIn("millrace_mail_deliveries_total", page)
            process.terminate()
            status, log = self.finish(process)
            self.assertEqual(status, DONE)
            self.assertTrue([line for line in log if line.get("kind") == "email.send" and reason in line["reason"]])
        self.assertEqual(self.sql(f"select state || attempt from millrace.jobs where id = {job}"), "available0")

    def test_counts_what_became_of_mails(self):
        # Nobody listens there: the server's trouble, and no attempt is counted.
        job = self.sql("""select millrace.enqueue('work', 'email.send',
                                                   '{"to": "ada@example.org", "subject": "s", "text": "t"}')""")
        process = self.start("--smtp-url", f"smtp://127.0.0.1:{free_port()}", "--smtp-from", "shop@example.org")
        page = self.ask_until("/metrics", 200, 'millrace_mail_deliveries_total{verdict="unserved"} 1')
        self.assertIn('millrace_mail_deliveries_total{verdict="ambiguous"} 0', page)
        self.assertIn('millrace_kind_available{kind="email.send"} 1', page)
        self.wait_until(f"select state || attempt from millrace.jobs where id = {job}", "scheduled0")
        process.terminate()
        self.assertEqual(self.finish(process)[0], DONE)

    def test_counts_what_it_has_done(self):
        process = self.start()
        self.sql("select millrace.enqueue('work', 'noop'), millrace.enqueue('work', 'fail', max_attempts => 1)")
        self.ask_until("/metrics", 200, 'millrace_jobs_total{queue="work",kind="noop",outcome="completed"} 1')
        self.ask_until("/metrics", 200, 'millrace_jobs_total{queue="work",kind="fail",outcome="failed"} 1')
        page = self.ask_until("/metrics", 200, 'millrace_queue_depth{queue="work",state="dead"} 1')
        for result in ("updated", "current", "conflict", "skipped", "failed"):
            self.assertIn(f'millrace_fork_branches_total{{result="{result}"}} 0', page)
        process.terminate()
        self.assertEqual(self.finish(process)[0], DONE)

    def test_logs_a_failed_attempt_with_all_that_identifies_it_and_nothing_of_its_payload(self):
        job = self.sql(f"""select millrace.enqueue('work', 'fail', '{{"error": "{CANARY}"}}', max_attempts => 1,
                                                   traceparent => '00-{TRACE}-00f067aa0ba902b7-01')""")
        process = self.start("--name", "alder", "--log-level", "debug")
        self.wait_until(f"select state from millrace.jobs where id = {job}", "discarded")
        process.terminate()
        status, log = self.finish(process)
        self.assertEqual(status, DONE)
        lines = [line for line in log if line.get("job") == int(job) and line["level"] != "debug"]
        self.assertEqual(len(lines), 1, log)
        expected = {"level": "warning", "message": "last attempt failed", "queue": "work", "kind": "fail",
                    "attempt": 1, "max_attempts": 1, "worker": "alder", "trace": TRACE}
        self.assertEqual(lines[0] | expected, lines[0])
        self.assertNotIn(CANARY, json.dumps(log))

    def test_refuses_a_port_that_another_worker_has(self):
        process = self.start()
        self.ask_until("/readyz", 200)
        ran = self.expect(self.run_millrace("worker", "--queue", "work", "--http-listen", f"127.0.0.1:{self.port}"),
                          FAILED)
        self.assertIn(f"cannot listen on 127.0.0.1:{self.port}", ran.err)
        self.assertEqual(self.ask("/readyz")[0], 200)
        process.terminate()
        self.assertEqual(self.finish(process)[0], DONE)


if __name__ == "__main__":
    main()
