#!/usr/bin/env python3
"""`millrace migrate` on an empty database."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from program import ProgramTest, main  # noqa: E402

DONE, FAILED, USAGE = 0, 1, 2


class Migrate(ProgramTest):
    template = None

    def test_says_what_it_would_do_does_it_and_says_what_it_did(self):
        planned = self.expect(self.run_millrace("migrate", "--dry-run"), DONE).out.splitlines()
        self.assertEqual(self.sql("select to_regnamespace('millrace') is null"), "t")
        status = self.expect(self.run_millrace("migrate", "status", "--json"), DONE).json
        self.assertEqual({row["state"] for row in status}, {"pending"})

        done = self.expect(self.run_millrace("migrate", "up"), DONE).out.splitlines()
        self.assertEqual(done, [line.replace("would apply", "applied") for line in planned])
        status = self.expect(self.run_millrace("migrate", "status", "--json"), DONE).json
        self.assertEqual({row["state"] for row in status}, {"applied"})
        self.assertEqual(status[0]["number"], 1)
        self.assertIn("nothing to do", self.run_millrace("migrate").out)
        self.assertIn("nothing to do", self.run_millrace("migrate", "--dry-run").out)

    def test_says_the_same_to_programs(self):
        planned = self.expect(self.run_millrace("migrate", "--dry-run", "--json"), DONE).json
        self.assertEqual({row["outcome"] for row in planned}, {"would apply"})
        done = self.expect(self.run_millrace("migrate", "--json"), DONE).json
        self.assertEqual(done, [{"name": row["name"], "outcome": "applied"} for row in planned])
        self.assertEqual(self.run_millrace("migrate", "--json").json, [])
        self.assertEqual(self.run_millrace("migrate", "--dry-run", "--json").json, [])

    def test_refuses_what_does_not_fit_with_a_remedy(self):
        self.run_millrace("migrate")
        self.sql("update millrace.migration set checksum = 'x' where number = 1")
        for words in (["migrate", "up"], ["migrate", "--dry-run"], ["worker", "--queue", "q"]):
            ran = self.expect(self.run_millrace(*words), FAILED)
            self.assertIn("0001_", ran.err)
            self.assertIn("Restore migrations/0001_", ran.err)
        self.assertIn("changed after it was applied", self.expect(self.run_millrace("migrate", "status"), FAILED).out)

    def test_is_never_done_by_a_worker(self):
        ran = self.expect(self.run_millrace("worker", "--queue", "q"), FAILED)
        self.assertIn("no millrace schema", ran.err)
        self.assertIn("millrace migrate up", ran.err)
        self.assertEqual(self.sql("select to_regnamespace('millrace') is null"), "t")

    def test_takes_no_other_words(self):
        self.assertIn('did you mean "status"?', self.expect(self.run_millrace("migrate", "satus"), USAGE).err)
        self.expect(self.run_millrace("migrate", "up", "now"), USAGE)


if __name__ == "__main__":
    main()
