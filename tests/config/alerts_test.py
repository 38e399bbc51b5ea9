#!/usr/bin/env python3
"""The alert rules: sound, each fires when it should and only then, knows its metrics, and leads to its runbook."""

import pathlib
import re
import subprocess
import sys
import time
import unittest
import urllib.request

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "tests" / "support" / "dev")]
import pages  # noqa: E402
from program import PATIENCE_SECONDS, WorkerProcessTest, free_port, main  # noqa: E402

RULES = ROOT / "config" / "prometheus" / "alerts.yml"
RUNBOOKS = ROOT / "docs" / "runbooks.md"
METRICS = ROOT / "docs" / "metrics.md"
CASES = ROOT / "tests" / "config" / "alerts"
SEVERITIES = {"critical", "warning"}
PARTS = ("What it means.", "Look.", "Do.", "It is over when")
PROMETHEUS_OWN = {"up"}
WORDS = {"absent", "and", "delta", "histogram_quantile", "increase", "max", "max_over_time", "or", "rate", "sum",
         "unless"}


def promtool(*words, text=None):
    """What it complains of; empty when all is well."""
    done = subprocess.run(["promtool", *words], input=text, capture_output=True, text=True, cwd=ROOT)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def alerts():
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def series_of(expression):
    """Whatever stands where a metric's name may: neither a label, nor a function, nor a text."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|\b(by|on|without|ignoring) \([^)]*\)', " ", expression)
    return set(re.findall(r"[a-zA-Z_:]\w*", bare)) - WORDS


def sections():
    """{anchor: text} of the runbooks, by their headings."""
    parts = re.split(r"^##+ (.+)$", RUNBOOKS.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-"): text
            for title, text in zip(parts[1::2], parts[2::2])}


class Alerts(unittest.TestCase):
    def test_are_sound_rules(self):
        self.assertEqual(promtool("check", "rules", str(RULES)), "")

    def test_fire_when_they_should_and_only_then(self):
        for name in (rule["alert"] for rule in alerts()):
            with self.subTest(name):
                case = CASES / f"{name}.yml"
                self.assertTrue(case.exists(), f"no {case.relative_to(ROOT)}")
                self.assertEqual(promtool("test", "rules", str(case)), "")
                expected = [[bool(at["exp_alerts"]) for at in each["alert_rule_test"] if at["alertname"] == name]
                            for each in yaml.safe_load(case.read_text())["tests"]]
                self.assertTrue(any(True in times for times in expected), "is never seen to fire")
                self.assertTrue(any(times and True not in times for times in expected), "is never seen to be silent")

    def test_name_metrics_that_are_documented(self):
        known = pages.documented()
        for rule in alerts():
            for name in series_of(rule["expr"]) - PROMETHEUS_OWN:
                self.assertIn(next(pages.metrics_of(name, known), name), known, rule["alert"])

    def test_know_a_metric_from_a_label(self):
        self.assertEqual(series_of('sum by (a) (rate(b_total{c="d"}[5m])) > 1 and on (e) f'), {"b_total", "f"})

    def test_say_how_grave_it_is_and_in_words(self):
        for rule in alerts():
            self.assertIn(rule["labels"]["severity"], SEVERITIES, rule["alert"])
            self.assertRegex(rule["annotations"]["summary"], r"^[A-Z].*\.$", rule["alert"])

    def test_lead_to_a_section_that_says_what_to_do(self):
        known = sections()
        for rule in alerts():
            page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
            self.assertEqual(ROOT / page, RUNBOOKS)
            self.assertEqual(anchor, rule["alert"].lower())
            self.assertEqual([part for part in PARTS if f"**{part}" not in known.get(anchor, "")], [], rule["alert"])

    def test_have_what_the_runbooks_speak_of(self):
        names = {rule["alert"] for rule in alerts()}
        self.assertEqual(set(re.findall(r"^## (Millrace\w+)$", RUNBOOKS.read_text(), re.MULTILINE)), names)
        self.assertEqual({case.stem for case in CASES.glob("*.yml")}, names)
        inside = re.findall(r"\]\(#([\w-]+)\)", RUNBOOKS.read_text())
        self.assertEqual([anchor for anchor in inside if anchor not in sections()], [])

    def test_are_listed_with_their_severity(self):
        listed = re.findall(r"^\| `(Millrace\w+)` \| (\w+) \|", METRICS.read_text(), re.MULTILINE)
        self.assertEqual(sorted(listed), sorted((rule["alert"], rule["labels"]["severity"]) for rule in alerts()))


# Not on this page: of pipelines before there is one (tests/engine/endpoints_test.cpp), of `millrace serve` ever.
ELSEWHERE = ("millrace_pipeline_", "millrace_api_")


class Page(WorkerProcessTest):
    def test_of_a_worker_is_as_prometheus_wants_it(self):
        self.sql("select millrace.create_queue('work')")
        job = self.sql("select millrace.enqueue('work', 'noop')")
        port = free_port()
        self.start("--queue", "work=1", "--http-listen", f"127.0.0.1:{port}",
                   "--smtp-url", f"smtp://127.0.0.1:{free_port()}", "--smtp-from", "shop@example.org",
                   "--trace-endpoint", f"http://127.0.0.1:{free_port()}/v1/traces")
        self.wait_until(f"select state from millrace.jobs where id = {job}", "completed")
        page, deadline = "", time.monotonic() + PATIENCE_SECONDS
        while "millrace_jobs_total" not in page and time.monotonic() < deadline:  # counted after its settle
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_SECONDS) as answer:
                page = answer.read().decode()
        known = {name for name in pages.documented() if not name.startswith(ELSEWHERE)}
        self.assertEqual(set(re.findall(r"^# TYPE (\w+)", page, re.MULTILINE)), known)
        self.assertEqual(promtool("check", "metrics", text=page), "")


if __name__ == "__main__":
    main()
