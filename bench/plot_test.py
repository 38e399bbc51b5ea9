#!/usr/bin/env python3
"""What bench/plot.py draws, read back from its SVG: places, ticks, gaps, and that no two texts overlap."""

import math
import sys
import unittest
import xml.etree.ElementTree

from plot import BLUE, GREEN, HEIGHT, LETTER, RED, TEXT_SIZE, WIDTH, Chart, Line, render

SVG = "{http://www.w3.org/2000/svg}"


def read(chart):
    return xml.etree.ElementTree.fromstring(render(chart))


def elements(drawn, name, kind=None):
    return [found for found in drawn.iter(SVG + name) if kind is None or found.get("class") == kind]


def places(drawn):
    """The points of each line, in the order of the lines."""
    return [[tuple(map(float, place.split(","))) for place in found.get("points").split()]
            for found in elements(drawn, "polyline", "line")]


def box(text):
    """(left, top, right, bottom) of a text, a little larger than any usual font draws it."""
    size = float(text.get("font-size", TEXT_SIZE))
    wide, x, y = len(text.text) * size * LETTER, float(text.get("x")), float(text.get("y"))
    left = x - {"end": wide, "middle": wide / 2}.get(text.get("text-anchor"), 0)
    if text.get("transform"):  # upright: rotated about its middle
        return x - size, y - wide / 2, x + size * 0.3, y + wide / 2
    return left, y - size * 0.8, left + wide, y + size * 0.25


def overlaps(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def tick_values(drawn, kind):
    """{value: place} of an axis, from what is written at its ticks."""
    values = {}
    for text in elements(drawn, "text", kind):
        written = text.text.replace(",", "")
        if kind == "x":
            minutes, _, seconds = written.partition(":")
            values[60 * int(minutes) + int(seconds or 0)] = float(text.get("x"))
        else:
            values[float(written.removesuffix(" M")) * (1e6 if written.endswith("M") else 1)] = float(text.get("y")) - 4
    return values


class Plot(unittest.TestCase):
    def test_a_point_is_drawn_where_the_ticks_say(self):
        for seconds in (60, 120, 600, 1800, 36000):
            for most in (0.004, 1, 99, 2000, 2e8):
                with self.subTest(seconds=seconds, most=most):
                    drawn = read(Chart("a", "b", [Line("c", [(0, 0), (seconds / 2, most)], BLUE)], [(0, seconds)]))
                    x, y = tick_values(drawn, "x"), tick_values(drawn, "y")
                    per_second = (x[max(x)] - x[0]) / max(x)
                    per_unit = (y[max(y)] - y[0]) / max(y)
                    (_, (right, top)), = places(drawn)
                    self.assertAlmostEqual(right, x[0] + per_second * seconds / 2, delta=0.3)
                    self.assertAlmostEqual(top, y[0] + per_unit * most, delta=0.3)
                    self.assertGreaterEqual(max(y), most)

    def test_a_logarithmic_axis_has_equal_steps_for_equal_ratios(self):
        for least, most in ((1, 10), (3, 8000), (0.02, 5e6), (7, 7)):
            with self.subTest(least=least, most=most):
                drawn = read(Chart("a", "b", [Line("c", [(0, least), (60, most)], BLUE)], logarithmic=True))
                y = tick_values(drawn, "y")
                self.assertLessEqual(min(y), least)
                self.assertGreaterEqual(max(y), most)
                (_, first), (_, last) = places(drawn)[0]
                decade = (y[min(y)] - y[max(y)]) / math.log10(max(y) / min(y))
                self.assertAlmostEqual(first - last, decade * math.log10(most / least), delta=0.3)
                self.assertAlmostEqual(y[min(y)] - first, decade * math.log10(least / min(y)), delta=0.3)

    def test_what_cannot_be_shown_is_a_gap(self):
        points = [(0, 1), (5, 2), (10, None), (15, 3), (20, 0), (25, 5), (30, 6)]
        drawn = read(Chart("a", "b", [Line("c", points, BLUE)], logarithmic=True))
        self.assertEqual([len(part) for part in places(drawn)], [2, 2])
        self.assertEqual(len(elements(drawn, "circle")), 1)
        linear = read(Chart("a", "b", [Line("c", points, BLUE)]))
        self.assertEqual([len(part) for part in places(linear)], [2, 4])

    def test_a_chart_without_values_is_still_a_chart(self):
        for logarithmic in (False, True):
            drawn = read(Chart("a", "b", [Line("c", [(0, None)], BLUE)], logarithmic=logarithmic))
            self.assertEqual(places(drawn), [])
            self.assertGreaterEqual(len(tick_values(drawn, "y")), 2)

    def test_shades_span_their_seconds(self):
        drawn = read(Chart("a", "b", [Line("c", [(0, 1), (120, 1)], BLUE)], [(30, 60), (90, 120)], "held"))
        x = tick_values(drawn, "x")
        per_second = (x[120] - x[0]) / 120
        spans = [(float(found.get("x")), float(found.get("width"))) for found in elements(drawn, "rect", "shade")]
        self.assertEqual(len(spans), 2)
        for (left, width), begin in zip(spans, (30, 90)):
            self.assertAlmostEqual(left, x[0] + per_second * begin, delta=0.2)
            self.assertAlmostEqual(width, per_second * 30, delta=0.2)

    def test_names_may_contain_what_xml_forbids(self):
        drawn = read(Chart('a < b & "c"', "<ms>", [Line("x & y", [(0, 1)], '"red"')], [(0, 1)], "<held>"))
        texts = [text.text for text in elements(drawn, "text")]
        for wanted in ('a < b & "c"', "<ms>", "x & y", "<held>"):
            self.assertIn(wanted, texts)

    def test_no_two_texts_overlap_and_none_leaves_the_picture(self):
        names = ["p50", "p99", "max", "ready: table", "ready: indexes", "running: table", "running: indexes",
                 "scheduled: table", "scheduled: indexes"]
        for seconds in (5, 60, 120, 180, 300, 900, 1800, 3600, 5400, 36000):
            for most in (0, 0.003, 0.7, 9.99, 2500, 123456, 987654321):
                for count in (1, 3, 9):
                    for logarithmic in (False, True):
                        lines = [Line(name, [(0, 0.01), (seconds, most)], GREEN) for name in names[:count]]
                        chart = Chart("Bytes of the narrow tables", "megabytes", lines, [(0, seconds / 3)],
                                      "old snapshot held", logarithmic)
                        with self.subTest(seconds=seconds, most=most, count=count, logarithmic=logarithmic):
                            self.look_for_overlaps(read(chart))

    def look_for_overlaps(self, drawn):
        boxes = [(text.text, box(text)) for text in elements(drawn, "text")]
        for index, (name, one) in enumerate(boxes):
            self.assertTrue(one[0] >= 0 and one[1] >= 0 and one[2] <= WIDTH and one[3] <= HEIGHT, f"{name}: {one}")
            for other_name, other in boxes[index + 1:]:
                self.assertFalse(overlaps(one, other), f"{name!r} and {other_name!r}")

    def test_ticks_are_written_differently_and_rise(self):
        for seconds in (5, 60, 90, 1800):
            drawn = read(Chart("a", "b", [Line("c", [(0, 1), (seconds, 33)], RED)]))
            for kind in ("x", "y"):
                written = [text.text for text in elements(drawn, "text", kind)]
                self.assertEqual(len(written), len(set(written)))
                self.assertLessEqual(len(written), 12)


if __name__ == "__main__":
    program = unittest.main(exit=False)
    broken = [test for test, _ in program.result.failures + program.result.errors]
    failed = len({getattr(test, "test_case", test).id() for test in broken})  # one test may fail for many charts
    print(f"{program.result.testsRun - failed} passed, {failed} failed")
    sys.exit(1 if failed or not program.result.testsRun else 0)
