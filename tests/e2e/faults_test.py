#!/usr/bin/env python3
"""GitHub and the build services when they are unwell, as WireMock plays it: the program as it is comes to the right
end, and asks for what changes something no more often than it must.

Who is asked says what happens: the mappings in wiremock/ have a fault for each fork and for each pipeline's name. One
slot, so that requests follow one another, most of them on a connection that is there already.
"""

import json
import os
import pathlib
import select
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from program import PATIENCE_SECONDS, WorkerProcessTest, main  # noqa: E402
from wiremock import WireMock  # noqa: E402

SERVER = None


def setUpModule():  # pylint: disable=invalid-name
    global SERVER  # pylint: disable=global-statement
    SERVER = WireMock()
    unittest.addModuleCleanup(SERVER.close)


class FaultTest(WorkerProcessTest):
    mappings = None

    def setUp(self):
        super().setUp()
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        SERVER.play(HERE / "wiremock" / self.mappings)

    def tearDown(self):
        self.assertEqual(SERVER.unexpected(), [])

    def wait_until_asked(self, method, path, times):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (asked := SERVER.count(method, path)) != times:
            if time.monotonic() > deadline:
                self.fail(f"{method} {path}: asked {asked} times instead of {times}")
            select.select([], [], [], 0.02)

    def failures(self, kind):
        """What went wrong with the jobs of this kind, once for each attempt that was counted."""
        return json.loads(self.sql("select coalesce(jsonb_agg(f.error order by f.failed_at), '[]')"
                                   "  from millrace.attempt_failure f join millrace.job j on j.id = f.job_id"
                                   f" where j.kind = '{kind}'"))

    def job(self, job):
        return self.sql(f"select state, attempt from millrace.jobs where id = {job}")

    def wake(self):
        self.sql("select millrace.retry(id) from millrace.jobs where state = 'scheduled'")

    def limit_first_attempt(self, job, method, path, times):
        """Wakes the job, which has a second then; but for that attempt, which the server is asked in, as long as it
        wants."""
        self.sql(f"update millrace.job set timeout = '1 second' where id = {job}")
        self.wake()
        self.wait_until_asked(method, path, times)
        self.sql(f"update millrace.job set timeout = '1 hour' where id = {job}")


class Forks(FaultTest):
    mappings = "forks.json"
    ATTEMPTS = 4

    def setUp(self):
        super().setUp()
        self.sql(f"select millrace.create_queue('forks', max_attempts => {self.ATTEMPTS},"
                 "                              retry_base => '20 milliseconds', retry_cap => '50 milliseconds')")
        self.start("--queue", "forks=1", "--cache", str(self.scratch), "--github-token-variable", "A_TOKEN",
                   "--github-api-url", SERVER.url, A_TOKEN="ghp_" + "0" * 36)

    def enqueue(self, fork, delay="0"):
        self.sql(f"select forks.add_fork('acme/{fork}', provider => 'github', branches => '{{main}}')"
                 f" where not exists (select from forks.registry where repo = 'acme/{fork}')")
        return self.sql(f"select millrace.enqueue('forks', 'forks.sync', delay => '{delay}',"
                        f"                        payload => '{{\"fork\": \"acme/{fork}\", \"branch\": \"main\"}}')")

    def result(self, job):
        return self.sql(f"select concat_ws(' ', state, detail) from forks.results where job = {job}")

    @staticmethod
    def asked(fork):
        return SERVER.count("POST", f"/repos/acme/{fork}/merge-upstream")

    def test_what_had_no_whole_answer_is_asked_once_more(self):
        merged = "current perhaps by an attempt that was interrupted"
        for fork, result, failure in (
                ("unavailable", "updated fast-forward", "^GitHub answered 503: No server is currently available$"),
                ("reset", merged, "^no answer of GitHub: the connection broke before there was an answer$"),
                ("empty", merged, "^no answer of GitHub: the connection broke before there was an answer$"),
                ("malformed", merged, "^no answer of GitHub: "),
                ("garbage", merged, "^no answer of GitHub: ")):
            with self.subTest(fork):
                well = self.enqueue("well")  # leaves a connection
                self.wait_until(f"select state from millrace.jobs where id = {well}", "completed")
                job = self.enqueue(fork)
                self.wait_until(f"select state from forks.results where job = {job}", result.split()[0])
                self.assertEqual((self.result(job), self.job(job)), (result, "completed|2"))
                self.assertRegex(self.failures("forks.sync")[-1], failure)
                self.assertEqual(self.asked(fork), 2)
        self.assertEqual(len(self.failures("forks.sync")), 5)

    def test_an_answer_that_takes_too_long_is_no_answer(self):
        job = self.enqueue("slow", delay="1 hour")
        self.limit_first_attempt(job, "POST", "/repos/acme/slow/merge-upstream", 1)
        self.wait_until(f"select count(*) from forks.results where job = {job}", "1")
        self.assertEqual(self.result(job), "current perhaps by an attempt that was interrupted")
        self.assertEqual(self.failures("forks.sync"), ["timed out after 1 s: no answer of GitHub: was asked to stop"])
        self.assertEqual((self.job(job), self.asked("slow")), ("completed|2", 2))

    def test_one_that_never_answers_has_failed_after_the_last_attempt(self):
        job = self.enqueue("down")
        self.wait_until("select count(*) from millrace.dead_letters", "1")
        self.assertRegex(self.result(job), "^failed no answer of GitHub: ")
        self.assertEqual((self.job(job), self.asked("down")), (f"discarded|{self.ATTEMPTS}", self.ATTEMPTS))

    def test_a_limit_is_waited_for_by_all_and_costs_no_attempt(self):
        job = self.enqueue("limited")
        for number, hours in enumerate((2, 5, 8), 1):  # X-RateLimit-Reset, and Retry-After with 403 and with 429
            at_rest = f"until between now() + interval '{hours - 1} hours' and now() + interval '{hours} hours'"
            self.wait_until(f"select count(*) from forks.token_pauses where {at_rest}", "1")
            self.wait_until(f"select state, attempt, run_at > now() + interval '{hours - 1} hours'"
                            f"  from millrace.jobs where id = {job}", "scheduled|0|t")
            self.assertEqual(self.asked("limited"), number)
            other = self.enqueue("well")
            self.wait_until(f"select state, attempt from millrace.jobs where id = {other}", "scheduled|0")
            self.sql(f"select millrace.cancel({other}); update forks.token_pause set until = 'epoch'")
            self.wake()
        self.wait_until(f"select state from millrace.jobs where id = {job}", "completed")
        self.assertEqual((self.result(job), self.job(job)), ("updated fast-forward", "completed|1"))
        self.assertEqual((self.asked("limited"), self.asked("well"), self.failures("forks.sync")), (4, 0, []))

    def test_a_run_comes_to_its_digest_and_no_file_is_written_twice(self):
        self.sql("""
            select forks.add_fork('acme/distributed', provider => 'github', branches => '{main}'),
                   forks.change_fork('acme/distributed', '{"upstream_org": "up", "upstream_repo": "hub",
                                                           "upstream_track": "main", "install_forward_port": true}'),
                   forks.configure_group('default', '{"template_path": "port.yml", "template": "on: push"}')""")
        run = self.sql("select forks.start_run('default')")
        self.wait_until(f"select state from forks.runs where id = {run}", "finished")
        self.assertEqual(self.sql(f"select fork, state, ahead is null from forks.run_items({run})"),
                         "acme/distributed|updated|t", "what it differs by is not known")
        self.assertEqual(self.sql("select string_agg(concat_ws(' ', step, item, state), ', ' order by step)"
                                  f"  from forks.run_steps({run})"), "distribute created, search 7 found")
        self.assertEqual((len(self.failures("forks.distribute")), len(self.failures("forks.search"))), (1, 2))
        self.assertEqual(SERVER.count("PUT", ".*"), 1)
        self.assertEqual((SERVER.count("POST", ".*"), SERVER.count("GET", "/search/issues")), (1, 3))
        self.assertRegex(self.sql("select subject from forks.digests"), r"^acme digest \d{4}-\d\d-\d\d — 1 MIG$")


class Builds:
    """What is alike for all build services."""

    mappings = "builds.json"

    def begin(self, name, poll="10 milliseconds"):
        """A pipeline queue of that name, and a worker; the commit that is to be validated."""
        self.queue = f"{name}/main"
        repository = self.scratch / f"{name}.git"
        environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}

        def git(*words):
            return subprocess.run(["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", *words],
                                  cwd=repository, check=True, capture_output=True, text=True,
                                  env=environment).stdout.strip()

        repository.mkdir()
        git("init", "--quiet", "--bare")
        commit = git("commit-tree", git("hash-object", "-t", "tree", "-w", "/dev/null"), "-m", "one")
        git("update-ref", "refs/heads/main", commit)
        self.uri = f"git://localhost{str(repository).removesuffix('.git')}/ref/main/{commit}"
        self.sql(f"""
            select millrace.create_queue('builds', max_attempts => 10, retry_base => '20 milliseconds',
                                         retry_cap => '50 milliseconds');
            select pipeline.create_queue('{self.queue}', '{repository}', 'main', '{{true}}', job_queue => 'builds',
                                         poll_accepted => '{poll}', poll_running => '{poll}');
            select pipeline.use_service('{self.queue}', '{self.runner}', jsonb_build_object(
                       'token_env', 'PIPELINE_TOKEN', 'base_url', '{SERVER.url}', {self.place(name)}));
            select pipeline.ingest('{self.queue}', '{self.uri}')""")
        self.start("--queue", "builds=1", "--cache", str(self.scratch / "cache"), PIPELINE_TOKEN="a-token")

    def wait_until_green(self):
        self.wait_until(f"select pipeline.is_green('{self.queue}', '{self.uri}')", "t")
        self.assertEqual(self.sql("select id, status from pipeline.build"), f"{self.prefix}/7|succeeded")

    def wait_until_build_runs(self):
        """And nobody looks at it."""
        self.wait_until("select b.status, j.state from pipeline.build b, millrace.jobs j"
                        " where j.kind = 'pipeline.buildsignal'", "running|scheduled")

    def wait_until_failed_closed(self, kind):
        """A dead letter of this kind at its first attempt."""
        self.wait_until("select kind, attempt from millrace.dead_letters", f"{kind}|1")
        self.assertEqual(self.sql("select state from pipeline.request"), "failed")
        self.assertEqual(self.sql("select count(*) from pipeline.validation_fact"), "0", "no verdict")

    def test_what_may_pass_is_asked_again_until_there_is_an_answer(self):
        self.begin("faulty")
        self.wait_until_green()
        broke = "the connection broke before there was an answer"
        for kind, failures in (("pipeline.build", ("answered 503", broke, "answered 502", broke, "", "")),
                               ("pipeline.buildsignal", ())):  # which waits, and counts no attempt
            found = self.failures(kind)
            self.assertEqual(len(found), len(failures), found)
            for failure, words in zip(found, failures):
                self.assertRegex(failure, f"^{self.name}, [A-Z]+ [^ ]+: {words}")
        self.assertEqual(SERVER.count("POST", self.trigger), 7, "once for each attempt")
        self.assertEqual(self.sql("select count(*) from millrace.dead_letters"), "0")

    def test_a_limit_is_waited_for(self):
        self.begin("limited")
        for kind, attempt, least, most in (("pipeline.build", 1, "25 minutes", "31 minutes"),
                                           ("pipeline.buildsignal", 0, "55 minutes", "61 minutes")):
            self.wait_until(f"select run_at between now() + interval '{least}' and now() + interval '{most}'"
                            f"  from millrace.jobs where kind = '{kind}' and attempt = {attempt}", "t")
            self.wake()
        self.wait_until_green()
        self.assertEqual(SERVER.count("POST", self.trigger), 2)
        self.assertRegex(" ".join(self.failures("pipeline.build")), "answered 429: .*Too many requests")

    def test_an_answer_that_takes_too_long_is_no_answer(self):
        self.begin("slow", poll="1 hour")
        self.wait_until_build_runs()
        job = self.sql("select id from millrace.jobs where kind = 'pipeline.buildsignal'")
        self.limit_first_attempt(job, "GET", self.look, 2)
        self.wait_until_green()
        self.assertRegex("; ".join(self.failures("pipeline.buildsignal")),
                         f"^timed out after 1 s: {self.name}, GET [^ ]*: was asked to stop$")
        self.assertEqual((SERVER.count("POST", self.trigger), SERVER.count("GET", self.look)), (1, 3))

    def test_what_lasts_is_a_dead_letter_at_once(self):
        self.begin("closed")
        self.wait_until_failed_closed("pipeline.build")
        self.assertEqual(SERVER.count("ANY", ".*"), 1)

    def test_a_build_that_is_forgotten_is_a_dead_letter_at_once(self):
        self.begin("forgotten")
        self.wait_until_failed_closed("pipeline.buildsignal")
        self.wait_until("select status from pipeline.build", "cancelled")
        self.assertEqual((SERVER.count("POST", self.trigger), SERVER.count("GET", self.look)), (1, 1))

    def test_a_build_is_called_off_as_often_as_it_takes(self):
        self.begin("unwanted", poll="1 hour")
        self.wait_until_build_runs()
        self.sql("select millrace.cancel(id) from millrace.jobs where kind = 'pipeline.buildsignal'")
        self.wait_until("select status, reason from pipeline.build", "cancelled|called off")
        self.assertEqual((SERVER.count("ANY", f"{self.look}/cancel"), len(self.failures("pipeline.calloff"))), (3, 2))


class GithubActions(Builds, FaultTest):
    runner, prefix, name = "github_actions", "github", "GitHub"
    trigger, look = ".*/dispatches", ".*/runs/7"

    @staticmethod
    def place(name):
        return f"'repository', 'acme/{name}', 'workflow', 'v.yml', 'ref', 'main'"


class Buildkite(Builds, FaultTest):
    runner, prefix, name = "buildkite", "buildkite", "Buildkite"
    trigger, look = ".*/builds", ".*/builds/7"

    @staticmethod
    def place(name):
        return f"'organization', 'acme', 'pipeline', '{name}', 'branch', 'main'"


if __name__ == "__main__":
    main()
