#!/usr/bin/env python3
"""`millrace pipeline` as a person and a deployment use it: what it prints, and the exit status that a gate goes by.

The verdicts are written by hand: how they come about is in tests/handlers.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from program import BINARY, PATIENCE_SECONDS, ProgramTest, main  # noqa: E402

DONE, FAILED, NOTHING, BROKEN, NO_VERDICT, FLAKY = 0, 1, 3, 10, 11, 12


class PipelineTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.sql("select millrace.create_queue('pipeline');"
                 "select pipeline.create_queue('shop/main', '/srv/shop.git', 'main', '{make}');"
                 "select pipeline.ingest('shop/main', 'u1')")

    def verdict(self, degree, is_flaky="false", project=""):
        self.sql(f"""
            update pipeline.request set state = '{'succeeded' if degree == 0 else 'failed'}', build_strategy = 'full';
            select pipeline.create_fact('shop/main', 'u1', '{project}', {degree}, 1, {is_flaky})""")

    def begin(self, *words):
        process = subprocess.Popen([BINARY, "pipeline", *words], env=self.environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, process)
        self.wait_until("select count(*) > 0 from pg_stat_activity where application_name like 'millrace%'"
                        f" and datname = '{self.database}'", "t")
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def pipeline(self, *words):
        return self.run_millrace("pipeline", *words)


class Gate(PipelineTest):
    def test_tells_each_verdict_by_its_exit_status(self):
        self.assertEqual(self.expect(self.pipeline("gate", "shop/main", "u1"), NO_VERDICT).out, "none (accepted): u1\n")
        self.assertEqual(self.expect(self.pipeline("gate", "shop/main", "u2"), NO_VERDICT).out, "none (never reported): u2\n")
        self.verdict(1, is_flaky="true")
        self.assertEqual(self.expect(self.pipeline("gate", "shop/main", "u1"), FLAKY).out, "flaky (failed): u1\n")
        self.verdict(1, project="web")
        self.assertEqual(self.expect(self.pipeline("gate", "shop/main", "u1", "--project", "web", "--json"), BROKEN).json,
                         {"verdict": "broken", "uri": "u1", "state": "failed"})

    def test_judges_nothing_when_nobody_looks_at_the_branch(self):
        self.verdict(0)
        self.expect(self.pipeline("gate", "shop/main", "u1", "--max-age", "1h"), DONE)
        self.sql("update pipeline.look set at = at - interval '2 hours'")
        self.assertIn("nobody has looked at the branch of 'shop/main'",
                      self.expect(self.pipeline("gate", "shop/main", "u1", "--max-age", "1h"), FAILED).err)

    def test_waits_until_there_is_a_verdict(self):
        for degree, status in ((0, DONE), (1, BROKEN)):
            waiting = self.begin("gate", "shop/main", "u1", "--wait")
            self.verdict(degree)
            out, _ = waiting.communicate(timeout=PATIENCE_SECONDS)
            self.assertEqual(waiting.returncode, status, out)
            self.sql("delete from pipeline.validation_fact; update pipeline.request set state = 'accepted'")

    def test_waits_on_when_its_connection_is_lost(self):
        waiting = self.begin("gate", "shop/main", "u1", "--wait")
        own = f"from pg_stat_activity where application_name like 'millrace%' and datname = '{self.database}'"
        lost = self.sql(f"select pid {own} and pg_terminate_backend(pid)")
        self.wait_until(f"select count(*) {own} and pid <> {lost}", "1")
        self.verdict(0)
        out, said = waiting.communicate(timeout=PATIENCE_SECONDS)
        self.assertEqual((waiting.returncode, out), (DONE, "green (succeeded): u1\n"), said)

    def test_waits_until_there_will_be_none(self):
        waiting = self.begin("gate", "shop/main", "u1", "--wait")
        self.sql("update pipeline.request set state = 'superseded'")
        out, _ = waiting.communicate(timeout=PATIENCE_SECONDS)
        self.assertEqual((waiting.returncode, out), (NO_VERDICT, "none (superseded): u1\n"))

    def test_waits_no_longer_than_it_was_told(self):
        ran = self.expect(self.pipeline("gate", "shop/main", "u1", "--wait", "--timeout", "1s"), NO_VERDICT)
        self.assertEqual(ran.err, "")

    def test_says_on_a_terminal_what_it_waits_for(self):
        seen = self.expect(self.run_on_terminal("pipeline", "gate", "shop/main", "u1", "--wait", "--timeout", "1s"), NO_VERDICT)
        self.assertRegex(seen.out, r"u1 is accepted; no verdict after \d+ ms of 1 s")
        self.assertTrue(seen.out.endswith("\r\x1b[Knone (accepted): u1\n"), seen.out)


class Notification(PipelineTest):
    """What somebody hears who listens: psql, which prints what it has heard after each command."""

    event = "pipeline/validation.recorded/request/shop/main/1/"

    def setUp(self):
        super().setUp()
        self.sql("""select pipeline.configure_queue('shop/main',
                        '{"sinks": [{"name": "log", "kind": "notify", "channel": "verdicts"}]}')""")
        self.verdict(1)
        self.sql("select pipeline.announce('shop/main', 1, '')")

    def heard(self):
        printed = self.sql(f"listen verdicts; select pipeline.tell('{self.event}', 'log')")
        found = re.search('notification "verdicts" with payload "(.*)" received', printed)
        return json.loads(found[1])

    def test_is_the_event(self):
        self.sql("update pipeline.event set at = '2026-03-01 12:00:00.25+00'")
        self.assertEqual(self.heard(), {
            "id": self.event, "source": "pipeline", "type": "validation.recorded", "version": 1,
            "timestamp_ms": 1772366400250,
            "payload": {"queue": "shop/main", "request": "request/shop/main/1", "uri": "u1", "project": "", "degree": 1,
                        "verdict": "broken", "verdict_before": "none", "strategy": "full", "base_uri": None,
                        "culprit_uri": None}})

    def test_is_the_id_alone_of_an_event_that_is_too_long(self):
        self.sql("update pipeline.event set payload = payload || jsonb_build_object('uri', repeat('u', 7999))")
        self.assertEqual(self.heard(), {"id": self.event})


class Log(PipelineTest):
    def setUp(self):
        super().setUp()
        self.sql("select pipeline.trigger_command('shop/main', 1, '', null, 'u1');"
                 "select pipeline.start_command('shop/main', 'command/1')")

    def write(self, attempt, start, text):
        self.sql(f"select pipeline.append_command_log('shop/main', 'command/1', {attempt}, {start}, E'{text}')")

    def finish(self):
        self.sql("select pipeline.finish_command('shop/main', 'command/1', 'failed', 'make exited with 2', 2, 'tail')")

    def test_is_followed_to_the_end_over_attempts(self):
        self.write(1, 0, r"one\n")
        followed = self.begin("log", "command/1", "-f")
        self.assertEqual(followed.stdout.readline(), "one\n")
        self.write(1, 4, r"two\n")
        self.assertEqual(followed.stdout.readline(), "two\n", "while it runs")
        self.sql("select pipeline.start_command('shop/main', 'command/1')")
        self.write(2, 0, r"again\x1b[31m\r50 %\n")
        self.finish()
        out, err = followed.communicate(timeout=PATIENCE_SECONDS)
        self.assertEqual(followed.returncode, DONE)
        self.assertEqual(out.splitlines()[-1], "50 %", "what a carriage return has written over is a line")
        self.assertNotIn("\x1b", out)
        self.assertEqual(err, "the worker was lost or stopped; attempt 2:\nmake exited with 2\n")

    def test_is_printed_as_far_as_it_is(self):
        self.write(1, 0, r"one\n")
        ran = self.expect(self.pipeline("log", "command/1"), DONE)
        self.assertEqual((ran.out, ran.err), ("one\n", ""))
        self.finish()
        self.assertEqual(self.expect(self.pipeline("log", "command/1"), DONE).err, "make exited with 2\n")

    def test_that_is_too_old_is_gone(self):
        self.finish()
        self.sql("update pipeline.command_run set is_log_gone = true")
        self.assertIn("the log is gone", self.expect(self.pipeline("log", "command/1", "-f"), NOTHING).err)

    def test_of_a_build_that_two_have_needs_the_pipeline_queue(self):
        self.sql("select pipeline.create_queue('site/main', '/srv/site.git', 'main', '{make}');"
                 "select pipeline.ingest('site/main', 'u1');"
                 "select pipeline.trigger_command('site/main', 1, '', null, 'u1')")
        self.assertIn("say --queue with one of shop/main, site/main", self.pipeline("log", "command/1").err)
        self.expect(self.pipeline("log", "command/1", "--queue", "site/main"), DONE)


class Operator(PipelineTest):
    def test_sees_pipeline_queues_and_their_requests(self):
        self.assertRegex(self.expect(self.pipeline(), DONE).out, r"shop/main +1 +0 +1 ")
        shown = self.expect(self.pipeline("status", "--json"), DONE).json
        self.assertEqual([(row["name"], row["waiting"], row["latest_request"]) for row in shown], [("shop/main", 1, 1)])
        self.verdict(1)
        shown = self.expect(self.pipeline("status", "shop/main", "--json"), DONE).json
        self.assertEqual([(row["number"], row["state"], row["verdict"], row["uri"]) for row in shown],
                         [(1, "failed", "broken", "u1")])

    def test_begins_another_attempt(self):
        self.verdict(1)
        self.assertEqual(self.expect(self.pipeline("revalidate", "shop/main", "u1", "--reason", "a full disk"), DONE).out,
                         "attempt 2 begins\n")
        self.expect(self.pipeline("gate", "shop/main", "u1"), NO_VERDICT)
        self.assertEqual(self.sql("select superseded_because from pipeline.history"), "a full disk")
        self.assertIn("is being validated",
                      self.expect(self.pipeline("revalidate", "shop/main", "u1", "--reason", "again"), FAILED).err)
        self.verdict(1)
        self.assertEqual(self.expect(self.pipeline("revalidate", "shop/main", "u1", "--reason", "b", "--json"), DONE).json,
                         {"attempt": 3})

    def test_keeps_all_runners_in_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "pipeline.yml"
            file.write_text("queues:\n"
                            "  - {name: shop/main, remote: /srv/shop.git, ref: main, command: [make], disk_limit: 4294967296}\n"
                            "  - name: site/main\n    remote: /srv/site.git\n    ref: main\n"
                            "    runner: {name: buildkite, organization: acme, pipeline: site, branch: main,"
                            " token_env: PIPELINE_T}\n")
            before = self.expect(self.pipeline("export"), DONE).out
            self.assertIn("site/main", self.expect(self.pipeline("apply", str(file), "--dry-run"), DONE).out)
            self.assertEqual(self.expect(self.pipeline("export"), DONE).out, before, "a dry run changes nothing")
            self.expect(self.pipeline("apply", str(file)), DONE)
            exported = self.expect(self.pipeline("export"), DONE).out
            self.assertIn("buildkite", exported)
            self.assertNotIn("null", exported)
            file.write_text(exported)
            self.assertEqual(self.expect(self.pipeline("apply", str(file)), DONE).out, "all as it is in the file\n")
            file.write_text("queues:\n  - name: site/main\n    remote: /srv/site.git\n    ref: main\n"
                            "    runner: {name: buildkite}\n")
            self.assertIn("pipeline.yml:5: bad runner", self.expect(self.pipeline("apply", str(file)), FAILED).err)


if __name__ == "__main__":
    main()
