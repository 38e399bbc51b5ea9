#!/usr/bin/env python3
"""Writes what is made from something else: the dashboards in config/grafana, from the list of metrics in
docs/metrics.md and the panels of panels.py.

    pages.py            writes them
    pages.py --check    fails when one of them is not what would be written

Each metric of the list must be on a panel, and panels show no other: so neither the list nor a dashboard is left
behind.
"""

import argparse
import json
import pathlib
import re
import sys

from panels import ROWS

ROOT = pathlib.Path(__file__).resolve().parents[3]
METRICS = ROOT / "docs" / "metrics.md"
FOLDER = ROOT / "config" / "grafana"
WIDTH, HEIGHT, COLUMNS = 12, 8, 24
PROMETHEUS = {"type": "prometheus", "uid": "${source}"}
POSTGRES = {"type": "postgres", "uid": "${source}"}


def documented():
    """{name: (type, meaning)} of each metric in docs/metrics.md."""
    rows = re.findall(r"^\| `(millrace_\w+)` \| (gauge|counter|histogram) \| [^|]*\| (.+) \|$", METRICS.read_text(),
                      re.MULTILINE)
    return {name: (kind, plain(meaning)) for name, kind, meaning in rows}


def plain(markdown):
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", markdown).replace("`", "")


def metrics_of(query, known):
    """The names in an expression; the parts of a histogram go by its name."""
    for name in re.findall(r"\bmillrace_\w+", re.sub(r'"[^"]*"', "", query)):
        stem = re.sub(r"_(bucket|sum|count)$", "", name)
        yield stem if known.get(stem, ("",))[0] == "histogram" else name


def complaints(known):
    shown = {name for panels in ROWS.values() for panel in panels for query, _ in panel.queries
             for name in metrics_of(query, known)}
    for name in sorted(known.keys() - shown):
        yield f"{name}: documented, and on no panel of panels.py"
    for name in sorted(shown - known.keys()):
        yield f"{name}: on a panel, and not in {METRICS.relative_to(ROOT)}"
    for panels in ROWS.values():
        for panel in panels:
            if not panel.queries and not panel.sql:
                yield f"{panel.title}: asks nobody"
            if bool(panel.sql) != bool(panel.says):
                yield f"{panel.title}: what is asked in SQL needs words of its own (says)"


def meanings(panel, known):
    names = dict.fromkeys(name for query, _ in panel.queries for name in metrics_of(query, known))
    return "\n\n".join(f"{name}: {known[name][1]}" for name in names)


def graph(panel, known):
    targets = [{"refId": chr(ord("A") + place), "datasource": PROMETHEUS, "expr": query, "legendFormat": legend}
               for place, (query, legend) in enumerate(panel.queries)]
    return {"type": "timeseries", "title": panel.title, "description": meanings(panel, known),
            "datasource": PROMETHEUS, "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
            "targets": targets}


def table(panel):
    target = {"refId": "A", "datasource": POSTGRES, "format": "table", "rawQuery": True, "editorMode": "code",
              "rawSql": panel.sql}
    return {"type": "table", "title": panel.title, "description": panel.says, "datasource": POSTGRES,
            "fieldConfig": {"defaults": {}, "overrides": []}, "targets": [target]}


def placed(rows):
    """Panels two in a line, under the title of their row."""
    panels, line = [], 0
    for title, of_row in rows:
        panels.append({"type": "row", "title": title, "collapsed": False, "panels": [],
                       "gridPos": {"x": 0, "y": line, "w": COLUMNS, "h": 1}})
        line += 1
        for place, panel in enumerate(of_row):
            at = {"x": WIDTH * (place % 2), "y": line + HEIGHT * (place // 2), "w": WIDTH, "h": HEIGHT}
            panels.append(panel | {"gridPos": at})
        line += HEIGHT * ((len(of_row) + 1) // 2)
    return [panel | {"id": number} for number, panel in enumerate(panels, 1)]


def dashboard(uid, title, refresh, variables, rows):
    return {"uid": uid, "title": title, "tags": ["millrace"], "editable": True, "schemaVersion": 38, "version": 1,
            "refresh": refresh, "time": {"from": "now-6h", "to": "now"}, "timezone": "browser",
            "templating": {"list": variables}, "panels": placed(rows)}


def pages(known):
    """{path: text} of all that is written."""
    def source(kind):
        return {"name": "source", "label": "Source", "type": "datasource", "query": kind}
    queue = {"name": "queue", "label": "Queue", "type": "query", "datasource": PROMETHEUS, "refresh": 2,
             "query": "label_values(millrace_queue_depth, queue)", "multi": True, "includeAll": True, "allValue": ".*",
             "current": {"text": "All", "value": "$__all"}}
    by_metrics = [(title, [graph(panel, known) for panel in panels if panel.queries]) for title, panels in ROWS.items()]
    by_sql = [(title, [table(panel) for panel in panels if panel.sql]) for title, panels in ROWS.items()]
    made = {"metrics.json": dashboard("millrace-metrics", "millrace", "30s", [source("prometheus"), queue], by_metrics),
            "sql.json": dashboard("millrace-sql", "millrace, by SQL alone", "1m", [source("postgres")],
                                  [row for row in by_sql if row[1]])}
    return {FOLDER / name: json.dumps(page, indent=2, ensure_ascii=False) + "\n" for name, page in made.items()}


def main():
    parser = argparse.ArgumentParser(prog="dev pages", description="writes the dashboards in config/grafana")
    parser.add_argument("--check", action="store_true", help="changes nothing, and fails where something would change")
    only_checks = parser.parse_args().check
    known = documented()
    wrong = list(complaints(known))
    if not wrong:
        for path, text in pages(known).items():
            if only_checks and (not path.exists() or path.read_text() != text):
                wrong.append(f"{path.relative_to(ROOT)}: not as it would be written; run ./dev pages")
            elif not only_checks:
                path.write_text(text)
    for complaint in wrong:
        print(f"pages: {complaint}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
