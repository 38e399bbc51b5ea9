"""Line charts over time as SVG, which any browser shows: no scripts, no fonts but the reader's own.

    svg = render(Chart("Latency", "ms", [Line("p99", points, BLUE)], shades=[(600, 900)], shade_name="snapshot held"))

A point is (seconds, value); a value of None, or one that a logarithmic axis cannot show, leaves a gap in its line.
"""

import dataclasses
import math
from xml.sax.saxutils import escape

BLUE, RED, GREEN = "#0072b2", "#d55e00", "#009e73"  # told apart by colour-blind readers too
WIDTH, HEIGHT = 860, 360
LEFT, RIGHT, BOTTOM = 84, 20, 52  # margins of the plotted area; the top depends on the legend
TITLE_SIZE, TEXT_SIZE = 16, 12
LETTER = 0.62  # of the font's size: wider than most letters of most fonts
LEGEND_TOP, LEGEND_ROW, LEGEND_MARK, LEGEND_GAP = 44, 18, 24, 22
MOST_X_TICKS, MOST_Y_TICKS = 10, 6
MINUTE_STEPS = (1 / 12, 1 / 6, 1 / 4, 1 / 2, 1, 2, 5, 10, 15, 30, 60, 120, 240)


@dataclasses.dataclass
class Line:
    name: str
    points: list
    colour: str
    dashed: bool = False


@dataclasses.dataclass
class Chart:
    title: str
    unit: str
    lines: list
    shades: list = dataclasses.field(default_factory=list)  # (from, to) in seconds
    shade_name: str = ""
    logarithmic: bool = False

    def shows(self, value):
        return value is not None and math.isfinite(value) and (value > 0 or not self.logarithmic)

    def values(self):
        return [value for line in self.lines for _, value in line.points if self.shows(value)]

    def last_second(self):
        ends = [at for line in self.lines for at, _ in line.points] + [end for _, end in self.shades]
        return max(ends, default=0) or 1


def text_width(text, size=TEXT_SIZE):
    return len(text) * size * LETTER


def linear_ticks(most):
    """From 0 to the first round number that is not below `most`."""
    rough = (most or 1) / MOST_Y_TICKS
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    return [step * index for index in range(max(1, math.ceil(most / step - 1e-9)) + 1)]


def logarithmic_ticks(least, most):
    """Powers of ten, with 2 and 5 between them where there are few, from below `least` to above `most`."""
    bottom, top = math.floor(math.log10(least)), math.ceil(math.log10(most))
    top = max(top, bottom + 1)
    every = math.ceil((top - bottom) / MOST_Y_TICKS)
    factors = (1, 2, 5) if top - bottom <= 2 else (1,)
    ticks = [factor * 10.0 ** power for power in range(bottom, top, every) for factor in factors]
    return ticks + [10.0 ** (bottom + math.ceil((top - bottom) / every) * every)]


def minute_ticks(seconds):
    """Seconds of the ticks, and how a tick is written: minutes, or minutes and seconds where it takes them."""
    minutes = seconds / 60
    step = next((step for step in MINUTE_STEPS if minutes / step <= MOST_X_TICKS), minutes / MOST_X_TICKS)
    ticks = [60 * step * index for index in range(math.floor(minutes / step + 1e-9) + 1)]
    if step >= 1:
        return ticks, lambda second: f"{second / 60:.0f}"
    return ticks, lambda second: f"{int(second + 0.5) // 60}:{int(second + 0.5) % 60:02}"


def number(value):
    """Short, and different for different ticks: 0.005, 2.5, 20, 1,500, 20 M."""
    if value >= 1e6:
        return f"{value / 1e6:,.10g} M"
    return f"{value:,.10g}"


class Drawing:
    """One chart on its way to SVG: where things go, and the elements so far."""

    def __init__(self, chart):
        self.chart = chart
        self.elements = []
        self.legend = self.place_legend()
        self.top = LEGEND_TOP + LEGEND_ROW * (self.legend[-1][1] + 1 if self.legend else 0) + 8
        self.seconds = chart.last_second()
        values = chart.values()
        if chart.logarithmic:
            self.y_ticks = logarithmic_ticks(min(values, default=1), max(values, default=10))
        else:
            self.y_ticks = linear_ticks(max(values, default=1))

    def x(self, second):
        return LEFT + (WIDTH - LEFT - RIGHT) * second / self.seconds

    def y(self, value):
        scale = math.log10 if self.chart.logarithmic else float
        low, high = scale(self.y_ticks[0]), scale(self.y_ticks[-1])
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - self.top) * (scale(value) - low) / (high - low)

    def add(self, name, text=None, **attributes):
        written = "".join(f' {key.replace("_", "-")}="{escape(str(value), {chr(34): "&quot;"})}"'
                          for key, value in attributes.items())
        self.elements.append(f"<{name}{written}/>" if text is None else f"<{name}{written}>{escape(text)}</{name}>")

    def place_legend(self):
        """(left edge, row, line or None for the shade) for each entry; a row that is full is followed by another."""
        entries = [(line.name, line) for line in self.chart.lines]
        if self.chart.shades:
            entries.append((self.chart.shade_name, None))
        placed, left, row = [], LEFT, 0
        for name, line in entries:
            width = LEGEND_MARK + 6 + text_width(name)
            if left > LEFT and left + width > WIDTH - RIGHT:
                left, row = LEFT, row + 1
            placed.append((left, row, line))
            left += width + LEGEND_GAP
        return placed

    def draw_shades(self):
        for begin, end in self.chart.shades:
            self.add("rect", x=f"{self.x(begin):.1f}", y=f"{self.top:.1f}", width=f"{self.x(end) - self.x(begin):.1f}",
                     height=f"{HEIGHT - BOTTOM - self.top:.1f}", fill="#ece6d6", class_="shade")

    def draw_axes(self):
        for tick in self.y_ticks:
            at = f"{self.y(tick):.1f}"
            self.add("line", x1=LEFT, x2=WIDTH - RIGHT, y1=at, y2=at, stroke="#cccccc", stroke_width=1)
            self.add("text", number(tick), x=LEFT - 8, y=f"{self.y(tick) + 4:.1f}", text_anchor="end", class_="y")
        ticks, written = minute_ticks(self.seconds)
        for tick in ticks:
            at = f"{self.x(tick):.1f}"
            self.add("line", x1=at, x2=at, y1=HEIGHT - BOTTOM, y2=HEIGHT - BOTTOM + 5, stroke="#555555")
            self.add("text", written(tick), x=at, y=HEIGHT - BOTTOM + 19, text_anchor="middle", class_="x")
        self.add("line", x1=LEFT, x2=WIDTH - RIGHT, y1=HEIGHT - BOTTOM, y2=HEIGHT - BOTTOM, stroke="#555555")
        self.add("text", "minutes", x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 12, text_anchor="middle")
        middle = (self.top + HEIGHT - BOTTOM) / 2
        self.add("text", self.chart.unit, x=18, y=middle, text_anchor="middle", transform=f"rotate(-90 18 {middle})")

    def draw_line(self, line):
        strokes = {"stroke": line.colour, "stroke_width": 1.8, "fill": "none"}
        if line.dashed:
            strokes["stroke_dasharray"] = "5 3"
        for part in self.unbroken(line.points):
            places = [f"{self.x(second):.1f},{self.y(value):.1f}" for second, value in part]
            if len(places) == 1:  # a line of one point would be invisible
                left, top = places[0].split(",")
                self.add("circle", cx=left, cy=top, r=2, fill=line.colour)
            else:
                self.add("polyline", points=" ".join(places), class_="line", **strokes)

    def unbroken(self, points):
        part = []
        for second, value in points:
            if self.chart.shows(value):
                part.append((second, value))
            elif part:
                yield part
                part = []
        if part:
            yield part

    def draw_legend(self):
        for left, row, line in self.legend:
            baseline = LEGEND_TOP + LEGEND_ROW * row + 4
            if line is None:
                self.add("rect", x=left, y=baseline - 9, width=LEGEND_MARK, height=10, fill="#ece6d6", stroke="#aaaaaa")
            else:
                strokes = {"stroke_dasharray": "5 3"} if line.dashed else {}
                self.add("line", x1=left, x2=left + LEGEND_MARK, y1=baseline - 4, y2=baseline - 4, stroke=line.colour,
                         stroke_width=2.5, **strokes)
            name = line.name if line else self.chart.shade_name
            self.add("text", name, x=f"{left + LEGEND_MARK + 6:.1f}", y=baseline)

    def svg(self):
        self.add("rect", width=WIDTH, height=HEIGHT, fill="#ffffff")
        self.add("text", self.chart.title, x=LEFT, y=24, font_size=TITLE_SIZE, font_weight="bold")
        self.draw_legend()
        self.draw_shades()
        self.draw_axes()
        for line in self.chart.lines:
            self.draw_line(line)
        body = "\n".join(self.elements).replace(" class-=", " class=")
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
                f'height="{HEIGHT}" font-family="sans-serif" font-size="{TEXT_SIZE}" fill="#222222" role="img">\n'
                f"<title>{escape(self.chart.title)}</title>\n{body}\n</svg>\n")


def render(chart):
    return Drawing(chart).svg()
