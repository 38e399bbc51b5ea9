"""Grouped bars as SVG: for each name a bar for each of a few settings. Lines over time are plot.py's."""

import dataclasses
from xml.sax.saxutils import escape

from plot import LEGEND_GAP, TEXT_SIZE, TITLE_SIZE, WIDTH, number, text_width

COLOURS = ("#0072b2", "#56b4e9", "#009e73", "#e69f00")
BAR, GAP, TOP, RIGHT = 12, 12, 62, 110
LEFT_EDGE = 12


@dataclasses.dataclass
class Bars:
    title: str
    unit: str
    setting: str                # what the bars of a group differ in
    groups: dict                # name: [(setting, value)]

    def svg(self):
        settings = list(dict.fromkeys(setting for bars in self.groups.values() for setting, _ in bars))
        left = LEFT_EDGE + max((text_width(name) for name in self.groups), default=0) + 10
        most = max((value for bars in self.groups.values() for _, value in bars), default=1) or 1
        elements, top = [], TOP
        for name, bars in self.groups.items():
            middle = top + BAR * len(bars) / 2 + 4
            elements.append(text(left - 8, middle, name, anchor="end"))
            for setting, value in bars:
                wide = max(1.0, (WIDTH - RIGHT - left) * value / most)
                colour = COLOURS[settings.index(setting) % len(COLOURS)]
                elements.append(f'<rect x="{left:.1f}" y="{top}" width="{wide:.1f}" height="{BAR - 2}" fill="{colour}"'
                                ' class="bar"/>')
                elements.append(text(left + wide + 6, top + BAR - 3, number(round(value)), size=10))
                top += BAR
            top += GAP
        return frame(f"{self.title}, {self.unit}", self.legend(settings) + elements, top + 8)

    def legend(self, settings):
        elements, left = [text(LEFT_EDGE, 48, self.setting + ":")], LEFT_EDGE + text_width(self.setting) + 16
        for place, setting in enumerate(settings):
            colour = COLOURS[place % len(COLOURS)]
            elements.append(f'<rect x="{left:.1f}" y="39" width="16" height="10" fill="{colour}"/>')
            elements.append(text(left + 22, 48, setting))
            left += 22 + text_width(setting) + LEGEND_GAP
        return elements


def text(x, y, written, anchor="start", size=TEXT_SIZE):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(written)}</text>'


def frame(title, elements, height):
    body = "\n".join(elements)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'font-family="sans-serif" fill="#222222" role="img">\n<title>{escape(title)}</title>\n'
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n'
            f'<text x="{LEFT_EDGE}" y="24" font-size="{TITLE_SIZE}" font-weight="bold">{escape(title)}</text>\n'
            f"{body}\n</svg>\n")
