"""A steady 2,000 jobs a second with the vacuum horizon pinned all the while: how long jobs wait, first and last."""

from holders import idle_writer, old_snapshot
from measures import paced, percentiles
from plot import BLUE, GREEN, RED, Chart, Line

RATE = 2000
WINDOWS = 30  # points of a line
PART = 0.2    # of the run: what is compared at its beginning and at its end
COLOURS = {"millrace": BLUE, "graphile-tuned": RED, "pgboss-tuned": GREEN}


def windows(waits):
    """[(second, p99)]: the run in equal parts."""
    begin, end = waits[0][0], waits[-1][0] + 1
    parts = [[] for _ in range(WINDOWS)]
    for at, wait in waits:
        parts[int((at - begin) / (end - begin) * WINDOWS)].append(wait)
    width = (end - begin) / 1000 / WINDOWS
    return [(width * (place + 1), percentiles(part).get("p99")) for place, part in enumerate(parts)]


def measure(bench):
    rows, lines = [], []
    for what, hold, keys in (("old snapshot", old_snapshot, ("millrace", "graphile-tuned", "pgboss-tuned")),
                             ("idle writer", idle_writer, ("millrace",))):
        for contestant in bench.contestants(*keys):
            bench.progress.say(f"pinned: {contestant.title}, {what}, {bench.pinned_seconds:g} s")
            waits = sorted(paced(contestant, RATE, bench.pinned_seconds, False, hold)[0])
            size = max(1, int(PART * len(waits)))
            first, last = (percentiles([wait for _, wait in part]) for part in (waits[:size], waits[-size:]))
            rows.append({"what": f"{contestant.title}, {what}", "key": contestant.key, "holder": what,
                         "p50_first": first["p50"], "p99_first": first["p99"], "p50_last": last["p50"],
                         "p99_last": last["p99"], "growth": last["p99"] / first["p99"], "jobs": len(waits),
                         "dead_rows": contestant.dead_rows()})
            lines.append(Line(f"{contestant.title}, {what}", windows(waits), COLOURS[contestant.key],
                              dashed=what == "idle writer"))
    bench.progress.clear()
    return rows, {"pinned": Chart(f"p99 of the wait at {RATE:,} jobs/s, horizon pinned from the start", "ms", lines,
                                  logarithmic=True)}
