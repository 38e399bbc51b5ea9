#!/usr/bin/env python3
"""Tables, bars and targets from figures that are given: what fits, what is drawn, what counts as met."""

import sys
import unittest
import xml.etree.ElementTree

from bars import Bars
from commits import apart_from_stalls
from measures import by_turns, medians, percentiles
from plot import WIDTH
from report import COLUMNS, table
from targets import judged

SVG = "{http://www.w3.org/2000/svg}"


def drains(**rates):
    """Results of a drain with 1 process, as bench.py writes them."""
    rows = [{"what": key, "key": key.replace("_", "-"), "processes": 1, "jobs_per_second": rate, "wal": 900,
             "memory": 18, "cpu_workers": 1, "cpu_server": 2}
            for key, rate in rates.items()]
    return {"drain": {"rows": rows}}


def verdict(results, what):
    return next((found for found in judged(results) if found["what"].startswith(what)), None)


class Turns:
    """What by_turns needs of a run; `order` is who was measured when."""

    def __init__(self, runs):
        self.runs, self.order, self.progress, self.quick = runs, [], self, False

    def say(self, text):
        pass

    def clear(self):
        pass


class Contestant:
    def __init__(self, key):
        self.key = self.title = key


class Report(unittest.TestCase):
    def test_no_line_of_a_table_is_wider_than_the_terminal_and_no_column_is_lost(self):
        rows = [{"what": "somebody, as installed", **{name: 12345.678 for name in COLUMNS}},
                {"what": "nobody", "jobs": 1}]
        for width in (60, 80, 120, 200):
            lines = table("a title", rows, width)
            self.assertLessEqual(max(map(len, lines)), width)
            for heading, _ in COLUMNS.values():
                self.assertIn(heading, "\n".join(lines))

    def test_a_figure_that_is_missing_is_an_empty_cell(self):
        lines = table("a title", [{"what": "one", "jobs": 5, "commits": None}, {"what": "other"}], 80)
        self.assertEqual([line.split() for line in lines[2:]], [["of", "jobs"], ["one", "5"], ["other"]])

    def test_bars_are_as_long_as_their_values(self):
        drawn = xml.etree.ElementTree.fromstring(
            Bars("a & b", "jobs/s", "processes", {"one <x>": [("1", 100), ("2", 50)], "other": [("1", 25)]}).svg())
        bars = [found for found in drawn.iter(SVG + "rect") if found.get("class") == "bar"]
        wide = [float(bar.get("width")) for bar in bars]
        self.assertAlmostEqual(wide[0] / wide[1], 2, places=2)
        self.assertAlmostEqual(wide[0] / wide[2], 4, places=2)
        self.assertTrue(all(float(bar.get("x")) + float(bar.get("width")) < WIDTH for bar in bars))
        self.assertIn("one <x>", [text.text for text in drawn.iter(SVG + "text")])

    def test_a_target_is_met_at_its_bound_and_not_beside_it(self):
        for rate, met in ((650, True), (649, False)):
            found = verdict(drains(millrace=rate, limit=1000), "drain, 1 process")
            self.assertEqual((found["met"], found["measured"]), (met, rate / 1000))
        rows = drains(millrace=1, limit=1)
        for wal, met in ((1000, True), (1001, False)):
            rows["drain"]["rows"][0]["wal"] = wal
            self.assertEqual(verdict(rows, "WAL bytes")["met"], met)

    def test_what_was_not_measured_is_not_judged(self):
        self.assertEqual(judged({"machine": {}}), [])
        self.assertIsNone(verdict(drains(millrace=5), "drain ÷ graphile"))

    def test_of_several_settings_the_worst_decides(self):
        results = drains(millrace=400, graphile_tuned=100)
        for row in drains(millrace=300, graphile_tuned=200)["drain"]["rows"]:
            results["drain"]["rows"].append(row | {"processes": 2})
        found = verdict(results, "drain ÷ graphile")
        self.assertEqual((found["measured"], found["met"]), (1.5, False))

    def test_contestants_take_turns_and_each_begins_a_run(self):
        bench = Turns(3)
        told = by_turns(bench, "x", [Contestant(key) for key in "abc"],
                        lambda one: bench.order.append(one.key) or {"n": len(bench.order), "none": None})
        self.assertEqual("".join(bench.order), "abcbcacab")
        self.assertEqual(told, {"a": {"n": 6}, "b": {"n": 4}, "c": {"n": 5}})

    def test_waits_that_overlap_a_stall_are_told_apart(self):
        commits = [(100, 1), (150, 30), (200, 9.9), (300, 10)]  # so from 120 to 150, and from 290 to 300
        free = [(110, 50), (119, 10), (155, 4), (200, 50), (290, 90), (400, 100)]
        hit = [(130, 5), (150, 2), (160, 200), (291, 1)]
        waits = sorted(free + hit)
        self.assertEqual(apart_from_stalls(waits, commits), free)
        self.assertEqual(apart_from_stalls(waits, []), waits)

    def test_medians_and_percentiles(self):
        self.assertEqual(medians([{"a": 1, "b": 5}, {"a": 9, "b": None}, {"a": 3, "b": 5}]), {"a": 3})
        self.assertEqual(percentiles(range(100)), {"p50": 50, "p95": 95, "p99": 99, "max": 99})
        self.assertEqual(percentiles([]), {})


if __name__ == "__main__":
    program = unittest.main(exit=False)
    failed = len(program.result.failures + program.result.errors)
    print(f"{program.result.testsRun - failed} passed, {failed} failed")
    sys.exit(1 if failed or not program.result.testsRun else 0)
