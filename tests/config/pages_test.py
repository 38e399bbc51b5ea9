#!/usr/bin/env python3
"""The dashboards: as they would be written now, every expression can be read by Prometheus, every query by a viewer."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "tests" / "support" / "dev")]
import pages  # noqa: E402
from panels import ROWS  # noqa: E402
from program import ProgramTest, main  # noqa: E402


def targets(name):
    page = json.loads((ROOT / "config" / "grafana" / name).read_text())
    return [(panel["title"], target) for panel in page["panels"] for target in panel.get("targets", [])]


class Dashboards(unittest.TestCase):
    def test_are_as_they_would_be_written(self):
        done = subprocess.run([sys.executable, pages.__file__, "--check"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_show_every_metric_and_none_that_is_not_documented(self):
        known = pages.documented()
        self.assertEqual(list(pages.complaints(known)), [])
        gone = dict(list(known.items())[1:])
        self.assertEqual(len(list(pages.complaints(gone))), 1)
        self.assertEqual(len(list(pages.complaints(known | {"millrace_new_total": ("counter", "")}))), 1)

    def test_are_not_changed_by_a_check(self):
        patch = unittest.mock.patch.object
        with tempfile.TemporaryDirectory() as name:
            empty = pathlib.Path(name)
            with patch(pages, "FOLDER", empty), patch(pages, "ROOT", empty), patch(sys, "stderr"), \
                    patch(sys, "argv", ["pages.py", "--check"]):
                self.assertEqual(pages.main(), 1)
            self.assertEqual(list(empty.iterdir()), [])

    def test_ask_what_prometheus_can_read(self):
        rules = [{"record": f"panel:{place}", "expr": target["expr"].replace("$__rate_interval", "5m")}
                 for place, (_, target) in enumerate(targets("metrics.json"))]
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            json.dump({"groups": [{"name": "panels", "rules": rules}]}, file)
            file.flush()
            done = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertGreater(len(rules), len(ROWS))

    def test_have_no_two_panels_in_one_place(self):
        for name in ("metrics.json", "sql.json"):
            page = json.loads((ROOT / "config" / "grafana" / name).read_text())
            places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in page["panels"]]
            self.assertEqual(len(places), len(set(places)))


class Queries(ProgramTest):
    def test_are_for_a_viewer_to_ask(self):
        self.sql("select millrace.create_queue('work'), millrace.enqueue('work', 'noop')")
        asked = targets("sql.json")
        self.assertGreater(len(asked), len(ROWS))
        for title, target in asked:
            with self.subTest(title):
                self.sql(f"set role millrace_viewer; {target['rawSql']}")


if __name__ == "__main__":
    main()
