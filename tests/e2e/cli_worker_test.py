#!/usr/bin/env python3
"""`millrace worker` as a process: how it starts, what it refuses, and how it ends."""

import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from program import WorkerProcessTest, main  # noqa: E402

DONE, FAILED, USAGE = 0, 1, 2
FOREVER = """'{"until_stopped": true}'"""


class Worker(WorkerProcessTest):
    def setUp(self):
        super().setUp()
        self.sql("select millrace.create_queue('work'), millrace.create_queue('email')")

    def enqueue_and_hold(self):
        job = self.sql(f"select millrace.enqueue('work', 'wait', {FOREVER})")
        self.wait_until(f"select state from millrace.jobs where id = {job}", "running")
        return job

    def test_runs_the_builtin_kinds(self):
        self.sql("""select millrace.enqueue('work', 'noop'), millrace.enqueue('work', 'wait', '{"ms": 1}'),
                    millrace.enqueue('work', 'fail', '{"error": "as asked"}', max_attempts => 1)""")
        process = self.start("--queue", "work=2")
        self.wait_until("select string_agg(state, ' ' order by id) from millrace.jobs", "completed completed discarded")
        self.assertEqual(self.sql("select error from millrace.dead_letters"), "as asked")
        process.terminate()
        self.assertEqual(self.finish(process)[0], DONE)

    def test_gives_unfinished_jobs_back_at_the_first_signal_and_no_attempt_is_counted(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            process = self.start("--queue", "work=1", "--drain-timeout", "0s")
            job = self.enqueue_and_hold()
            process.send_signal(number)
            self.assertEqual(self.finish(process)[0], DONE)
            self.assertEqual(self.sql(f"select state || attempt from millrace.jobs where id = {job}"), "available0")
            self.assertEqual(self.sql("select state from millrace.workers order by id desc limit 1"), "closed")
            self.sql(f"select millrace.cancel({job})")

    def test_stops_a_job_that_is_cancelled(self):
        process = self.start("--queue", "work=1")
        job = self.enqueue_and_hold()
        cancelled = self.expect(self.run_millrace("jobs", "cancel", str(job), "--json"), DONE).json
        self.assertEqual(cancelled[0]["state"], "cancelling")
        self.wait_until(f"select state from millrace.jobs where id = {job}", "cancelled")
        process.terminate()
        status, log = self.finish(process)
        self.assertEqual(status, DONE)
        stopped = [line for line in log if line["message"] == "attempt stopped"]
        self.assertEqual([(line["reason"], line["steps"]) for line in stopped], [("cancelled", "asked")])

    def test_lets_running_jobs_end_within_the_drain_timeout(self):
        job = self.sql("""select millrace.enqueue('work', 'wait', '{"ms": 4000}')""")
        process = self.start("--queue", "work=1", "--drain-timeout", "20s")
        self.wait_until(f"select state from millrace.jobs where id = {job}", "running")
        process.terminate()
        self.assertEqual(self.finish(process)[0], DONE)
        self.assertEqual(self.sql(f"select state from millrace.jobs where id = {job}"), "completed")

    def test_ends_at_once_at_the_second_signal(self):
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            process = self.start("--queue", "work=1", "--drain-timeout", "1h")
            job = self.enqueue_and_hold()
            process.send_signal(number)
            self.wait_until("select count(*) from millrace.workers where state = 'draining'", "1")
            process.send_signal(number)
            self.assertEqual(self.finish(process)[0], status)
            self.assertEqual(self.sql(f"select state from millrace.jobs where id = {job}"), "running")
            self.sql("select millrace.close_session(id) from millrace.workers where state = 'draining'")
            self.sql(f"select millrace.cancel({job})")

    def test_leaves_the_queue_email_alone_while_there_is_no_mail_server(self):
        job = self.sql("select millrace.enqueue('email', 'email.send')")
        done = self.sql("select millrace.enqueue('work', 'noop')")
        process = self.start("--queue", "work", "--queue", "email")
        self.wait_until(f"select state from millrace.jobs where id = {done}", "completed")
        process.terminate()
        status, log = self.finish(process)
        self.assertEqual(status, DONE)
        self.assertEqual(self.sql(f"select state || attempt from millrace.jobs where id = {job}"), "available0")
        self.assertTrue([line for line in log if line["level"] == "error" and line.get("queue") == "email"])

        alone = self.expect(self.run_millrace("worker", "--queue", "email"), FAILED)
        self.assertIn("smtp.url", alone.err)

    def test_leaves_the_queue_email_alone_while_its_mail_server_cannot_work(self):
        job = self.sql("select millrace.enqueue('email', 'email.send')")
        done = self.sql("select millrace.enqueue('work', 'noop')")
        bad = ["--smtp-url", "smtp://mail.example.org", "--smtp-from", "nobody"]
        process = self.start("--queue", "work", "--queue", "email", *bad)
        self.wait_until(f"select state from millrace.jobs where id = {done}", "completed")
        process.terminate()
        status, log = self.finish(process)
        self.assertEqual(status, DONE)
        self.assertEqual(self.sql(f"select state || attempt from millrace.jobs where id = {job}"), "available0")
        told = [line for line in log if line["level"] == "error" and line.get("queue") == "email"]
        self.assertIn("smtp.from", told[0]["reason"])
        alone = self.expect(self.run_millrace("worker", "--queue", "email", *bad), FAILED)
        self.assertIn("smtp.from", alone.err)
        self.expect(self.run_millrace("worker", "--check", "--queue", "work", *bad), USAGE)

    def test_refuses_to_start_without_a_queue_or_with_one_that_there_is_not(self):
        self.assertIn("--queue NAME", self.expect(self.run_millrace("worker"), USAGE).err)
        self.assertIn("--queue work", self.expect(self.run_millrace("worker", "work"), USAGE).err)
        self.assertIn("create_queue", self.expect(self.run_millrace("worker", "--queue", "elsewhere"), FAILED).err)
        self.assertIn('Did you mean "work"?', self.expect(self.run_millrace("worker", "--queue", "wrok"), FAILED).err)

    def test_can_be_checked_before_it_is_started(self):
        ran = self.expect(self.run_millrace("worker", "--check", "--queue", "work=3"), DONE)
        self.assertIn("would serve work with 3 slots", ran.out)
        self.assertIn("cannot run email.send", ran.out)
        self.assertEqual(self.sql("select count(*) from millrace.workers"), "0")
        mailer = ["--smtp-url", "smtp://mail.example.org", "--smtp-from", "a@example.org"]
        self.assertIn("can run email.send", self.run_millrace("worker", "--check", "--queue", "email", *mailer).out)
        self.expect(self.run_millrace("worker", "--check", "--queue", "work", PGHOST="/nowhere"), FAILED)
        self.expect(self.run_millrace("worker", "--check", "--queue", "work", "--smtp-url", "smtp://h",
                                      "--smtp-ca-file", "/nowhere.pem"), USAGE)

    def test_is_told_by_a_check_what_it_would_be_refused_at_its_start(self):
        check = ("worker", "--check", "--queue", "work")
        ran = self.expect(self.run_millrace("worker", "--check", "--queue", "work", "--queue", "wrok"), FAILED)
        self.assertIn("unknown queue 'wrok'", ran.err)
        self.assertIn('Did you mean "work"?', ran.err)
        for role in ("millrace_viewer", "millrace_enqueuer"):
            ran = self.expect(self.run_millrace(*check, PGOPTIONS=f"-c role={role}"), FAILED)
            self.assertIn("permission denied", ran.err)
        self.expect(self.run_millrace(*check, PGOPTIONS="-c role=millrace_worker"), DONE)
        self.sql("update millrace.installation set database_name = 'production', database_oid = 1")
        self.assertIn("millrace adopt", self.expect(self.run_millrace(*check), FAILED).err)
        told = self.expect(self.run_millrace(*check, "--json"), FAILED).json
        self.assertEqual((told["is_fit"], told["kinds"]), (False, []))
        self.assertIn("millrace adopt", str(told["databases"]))
        self.assertEqual(self.sql("select count(*) from millrace.workers"), "0")

    def test_is_checked_for_programs(self):
        told = self.expect(self.run_millrace("worker", "--check", "--json", "--queue", "work=3"), DONE).json
        self.assertEqual((told["is_fit"], told["databases"], told["queues"], told["traces"]),
                         (True, [{"name": None, "problem": None, "remedy": None}], [{"name": "work", "slots": 3}], None))
        problems = {each["kind"]: each["problem"] for each in told["kinds"]}
        self.assertIsNone(problems["noop"])
        self.assertIn("smtp.url", problems["email.send"])
        told = self.expect(self.run_millrace("worker", "--check", "--json", "--queue", "work", PGHOST="/nowhere"), FAILED).json
        self.assertIn("no connection", told["databases"][0]["problem"])
        self.expect(self.run_millrace("worker", "--json", "--queue", "work"), USAGE)

    def test_needs_no_more_than_its_role(self):
        self.sql("""do $$ begin
                        if to_regrole('millrace_e2e_worker') is null then
                            create role millrace_e2e_worker login in role millrace_worker;
                        end if;
                    exception when duplicate_object or unique_violation then null;
                    end $$""")
        job = self.sql("select millrace.enqueue('work', 'noop')")
        self.environment["PGUSER"] = "millrace_e2e_worker"
        process = self.start("--queue", "work")
        self.wait_until(f"select state from millrace.jobs where id = {job}", "completed")
        process.terminate()
        self.assertEqual(self.finish(process)[0], DONE)


if __name__ == "__main__":
    main()
