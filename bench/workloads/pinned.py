"""A steady 2,000 jobs a second with the vacuum horizon pinned all the while: how long jobs wait, first and last.

Beside them a row of its own is committed again and again. Waits during which even that took long are also left out, so
that what the disk does is told from what dead rows do.
"""

from commits import Commits, apart_from_stalls
from holders import idle_writer, old_snapshot
from measures import paced, percentiles
from plot import BLUE, GREEN, RED, Chart, Line

RATE = 2000
WINDOWS = 30  # points of a line
PART = 0.2    # of the run: what is compared at its beginning and at its end
APART = ("p99_first_apart", "p99_last_apart", "growth_apart")
COLOURS = {"millrace": BLUE, "graphile-tuned": RED, "pgboss-tuned": GREEN}


def windows(waits):
    """[(second, p99)]: the run in equal parts."""
    begin, end = waits[0][0], waits[-1][0] + 1
    parts = [[] for _ in range(WINDOWS)]
    for at, wait in waits:
        parts[int((at - begin) / (end - begin) * WINDOWS)].append(wait)
    width = (end - begin) / 1000 / WINDOWS
    return [(width * (place + 1), percentiles(part).get("p99")) for place, part in enumerate(parts)]


def first_and_last(waits, suffix=""):
    size = max(1, int(PART * len(waits)))
    first, last = (percentiles([wait for _, wait in part]) for part in (waits[:size], waits[-size:]))
    return {f"p50_first{suffix}": first["p50"], f"p99_first{suffix}": first["p99"], f"p50_last{suffix}": last["p50"],
            f"p99_last{suffix}": last["p99"], f"growth{suffix}": last["p99"] / first["p99"]}


def measure(bench):
    rows, lines = [], []
    for what, hold, keys in (("old snapshot", old_snapshot, ("millrace", "graphile-tuned", "pgboss-tuned")),
                             ("idle writer", idle_writer, ("millrace",))):
        for contestant in bench.contestants(*keys):
            bench.progress.say(f"pinned: {contestant.title}, {what}, {bench.pinned_seconds:g} s")
            beside = []

            def begin(server, hold=hold, beside=beside):
                beside.append(Commits(server))
                return hold(server)
            waits = sorted(paced(contestant, RATE, bench.pinned_seconds, False, begin)[0])
            beside[0].close()
            calm = apart_from_stalls(waits, beside[0].taken)
            apart = first_and_last(calm, "_apart") if calm else {}
            rows.append({"what": f"{contestant.title}, {what}", "key": contestant.key, "holder": what,
                         **first_and_last(waits), **{name: apart.get(name) for name in APART},
                         "apart": len(calm) / len(waits), "jobs": len(waits), "dead_rows": contestant.dead_rows()})
            rows.append({"what": "a row by itself meanwhile", "key": "commits", "holder": what,
                         **first_and_last(beside[0].taken)})
            lines.append(Line(f"{contestant.title}, {what}", windows(waits), COLOURS[contestant.key],
                              dashed=what == "idle writer"))
    bench.progress.clear()
    return rows, {"pinned": Chart(f"p99 of the wait at {RATE:,} jobs/s, horizon pinned from the start", "ms", lines,
                                  logarithmic=True)}
