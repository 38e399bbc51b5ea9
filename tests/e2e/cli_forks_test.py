#!/usr/bin/env python3
"""`millrace forks` as a person and as a script meet it: a file of forks, runs, and what is told of them."""

import pathlib
import signal
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from program import WorkerProcessTest, main  # noqa: E402

DONE, FAILED, NOTHING = 0, 1, 3
FILE = """\
groups:
  - name: weekly
    recipients: [ada@example.org]
forks:
  - repo: acme/gadget
    origin_url: /srv/gadget.git
    upstream_url: /srv/up.git
    branches: [main]
    digest_group: weekly
"""


class ForksTest(WorkerProcessTest):
    def setUp(self):
        super().setUp()
        self.sql("select millrace.create_queue('forks', max_attempts => 1), millrace.create_queue('email')")

    def forks(self, *words, lines=None):
        return self.run_millrace("forks", *words, lines=lines)


class Files(ForksTest):
    def imported(self, text, *flags):
        return self.expect(self.forks("import", "-", *flags, lines=text), DONE)

    def test_are_imported_and_exported(self):
        dry = self.imported(FILE, "--dry-run")
        self.assertRegex(dry.out, r"group +weekly +created\b")
        self.assertRegex(dry.out, r"fork +acme/gadget +created\b")
        self.assertEqual(dry.err, "nothing was changed: a dry run\n")
        self.expect(self.forks(), NOTHING)
        self.assertEqual(self.imported(FILE).err, "")
        self.assertEqual(self.imported(FILE).out, "all as it is in the file\n")
        row, = self.expect(self.forks("list", "--json"), DONE).json
        self.assertEqual(row, {"repo": "acme/gadget", "provider": "git", "branches": ["main"], "group": "weekly",
                               "queue": "forks", "enabled": True})
        self.assertEqual(self.imported(self.expect(self.forks("export"), DONE).out).out, "all as it is in the file\n")

    def test_say_what_they_change_from_what_to_what(self):
        self.imported(FILE)
        text = FILE.replace("[main]", "[main, 17.0]").replace("[ada@example.org]", "[]")
        for flags in (["--dry-run"], []):
            said = self.imported(text, *flags).out
            self.assertIn('branches: ["main"] → ["main","17.0"]', said)
            self.assertIn('recipients: ["ada@example.org"] → []', said)
        changed = self.imported(FILE, "--dry-run", "--json").json
        self.assertEqual([(row["name"], row["outcome"], row["changed"]) for row in changed],
                         [("weekly", "changed", {"recipients": {"from": [], "to": ["ada@example.org"]}}),
                          ("acme/gadget", "changed", {"branches": {"from": ["main", "17.0"], "to": ["main"]}})])

    def test_are_refused_with_file_and_line_and_nothing_is_imported(self):
        twice = FILE + FILE[FILE.index("  - repo"):]
        with tempfile.NamedTemporaryFile("w+", suffix=".yml") as file:
            for text, line, key in ((FILE.replace("repo: acme/gadget\n    ", ""), 5, "repo"),
                                    (FILE.replace("    branches: [main]\n", ""), 5, "branches"), (twice, 10, "repo"),
                                    (FILE.replace("branches:", "branch:"), 8, "branch"),
                                    (FILE.replace("weekly\n    rec", "weekly\n    cron: often\n    rec"), 3, "cron")):
                file.seek(0)
                file.truncate()
                file.write(text)
                file.flush()
                ran = self.expect(self.forks("import", file.name), FAILED)
                self.assertIn(f"{file.name}:{line}: bad {key}; nothing was imported\n", ran.err)
                self.assertEqual(ran.out, "")
        self.expect(self.forks(), NOTHING)


class Runs(ForksTest):
    def setUp(self):
        super().setUp()
        self.forks("import", "-", lines=FILE)

    def work_until(self, statement, expected):
        with tempfile.TemporaryDirectory() as cache:
            worker = self.start("--queue", "forks=2", "--cache", cache)
            self.wait_until(statement, expected)
            worker.send_signal(signal.SIGTERM)
            self.assertEqual(self.finish(worker)[0], DONE)

    def test_are_planned_started_shown_and_told_of(self):
        plan = self.expect(self.forks("start", "weekly", "--dry-run"), DONE)
        self.assertRegex(plan.out, r"sync +acme/gadget +main\n")
        self.assertEqual(plan.err, "nothing was started: a dry run\n")
        self.expect(self.forks("runs"), NOTHING)
        run = self.expect(self.forks("start", "weekly"), DONE).out.removeprefix("started run ").strip()
        self.assertIn(f"run {run} of digest group 'weekly' is active", self.expect(self.forks("start", "weekly"), FAILED).err)
        pending, = self.expect(self.forks("runs", "--json"), DONE).json
        self.assertEqual((pending["id"], pending["state"], pending["pending"]), (int(run), "running", 1))
        self.expect(self.forks("digest", run), NOTHING)
        self.assertIn("1 branch of 1 fork: 1 pending", self.expect(self.forks("digest", run, "--preview"), DONE).out)

        self.work_until("select state from forks.runs", "finished")
        shown = self.expect(self.forks("show", run), DONE).out
        self.assertRegex(shown, rf"{run} +weekly +finished\b")
        self.assertRegex(shown, r"sync +acme/gadget +main +– +failed\b")
        item, = self.expect(self.forks("show", run, "--json"), DONE).json
        self.assertEqual((item["fork"], item["state"], item["divergence"]), ("acme/gadget", "failed", None))
        told = self.expect(self.forks("digest", run, "--json"), DONE).json
        self.assertRegex(told["subject"], r"^acme digest \d{4}-\d\d-\d\d — ⚠️ 1 sync fail$")
        self.assertEqual((told["run"], told["failures"]), (int(run), 1))
        self.assertEqual(self.expect(self.forks("digest", run), DONE).out, told["text"])
        self.assertEqual(self.expect(self.forks("digest", run, "--html"), DONE).out, told["html"])
        self.assertTrue(told["html"].startswith("<!DOCTYPE html>"))
        self.assertRegex(told["text"], r"acme/gadget main: failed: git ls-remote exited with 128")
        self.assertEqual(self.expect(self.forks("resume", run), DONE).out, f"enqueued 1 jobs of run {run}\n")
        self.assertEqual(self.expect(self.forks("cancel", run, "--json"), DONE).json["run"], int(run))

    def test_are_not_needed_for_one_fork(self):
        self.assertRegex(self.expect(self.forks("sync", "acme/gadget"), DONE).out, r"^JOB\s+\d+\s*$")
        row, = self.expect(self.forks("sync", "acme/gadget", "main", "--json"), DONE).json
        self.assertEqual(self.sql(f"select payload->>'branch' from millrace.jobs where id = {row['job']}"), "main")
        self.assertIn('Did you mean "acme/gadget"?', self.expect(self.forks("sync", "acme/gadgte"), FAILED).err)


if __name__ == "__main__":
    main()
