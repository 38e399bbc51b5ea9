"""What the project has set itself, and whether a run reached it: computed from its figures, a report and no verdict."""


def find(results, workload, **wanted):
    """The first row of a workload with these values, or None."""
    rows = results.get(workload, {}).get("rows", [])
    return next((row for row in rows if all(row.get(name) == value for name, value in wanted.items())), None)


def rate(results, workload, **wanted):
    row = find(results, workload, **wanted)
    return row and row["jobs_per_second"]


def ratio(results, workload, peer, setting, values):
    """The least of ours ÷ the peer's over these settings; None where one of them was not measured."""
    found = []
    for value in values:
        ours, theirs = (rate(results, workload, key=key, **{setting: value}) for key in ("millrace", peer))
        if ours and theirs:
            found.append(ours / theirs)
    return min(found, default=None)


def share(part, whole):
    return part / whole if part and whole else None


def value(row, name):
    return row.get(name) if row else None


def cost_growth(results):
    """CPU of workers and server for a job with 4 processes ÷ with 1."""
    rows = [find(results, "drain", key="millrace", processes=processes) for processes in (1, 4)]
    costs = [row and row["cpu_workers"] + row["cpu_server"] for row in rows]
    return share(costs[1], costs[0])


def pinned_drains(results):
    rows = [row for row in results.get("horizon", {}).get("rows", []) if row["key"] == "millrace"]
    return [row for row in rows if row["holder"] != "nobody"]


def pinned_drain(results):
    return min((row["of_free"] for row in pinned_drains(results)), default=None)


def pinned_beside_nobody(results):
    """After as many jobs, of which nobody kept the dead rows."""
    rows = pinned_drains(results)
    beside = rate(results, "horizon", key="millrace", holder="nobody")
    return share(min((row["jobs_per_second"] for row in rows), default=None), beside)


def pinned_growth(results, figure="growth"):
    rows = [row for row in results.get("pinned", {}).get("rows", []) if row["key"] == "millrace"]
    return max((row[figure] for row in rows if row.get(figure) is not None), default=None)


def single(results, peers):
    """The stricter of several peers and numbers of clients."""
    found = [ratio(results, "enqueue", peer, "clients", (1, 4, 8)) for peer in peers]
    return min((one for one in found if one), default=None)


def bulk(results, peer):
    return share(*(rate(results, "enqueue", key=key, batch=1000) for key in ("millrace", peer)))


PROCESSES = (1, 2, 4)
TARGETS = [  # what, ">=" or "<=", how much, from the results
    ("drain ÷ graphile-worker's best, equal processes", ">=", 2.0,
     lambda r: ratio(r, "drain", "graphile-tuned", "processes", PROCESSES)),
    ("drain ÷ pg-boss's best, equal processes", ">=", 4.0,
     lambda r: ratio(r, "drain", "pgboss-tuned", "processes", PROCESSES)),
    ("drain ÷ BullMQ durable, equal processes", ">=", 7.0,
     lambda r: ratio(r, "drain", "bullmq-tuned", "processes", PROCESSES)),
    ("drain, 1 process ÷ its statements alone", ">=", 0.65,
     lambda r: share(rate(r, "drain", key="millrace", processes=1), rate(r, "drain", key="limit", processes=1))),
    ("single enqueue ÷ pg-boss", ">=", 4.0, lambda r: single(r, ["pgboss"])),
    ("single enqueue ÷ graphile-worker, its library", ">=", 4.0, lambda r: single(r, ["graphile"])),
    ("single enqueue ÷ graphile-worker, same driver", ">=", 4.0, lambda r: single(r, ["graphile-sql"])),
    ("single enqueue ÷ bare INSERT", ">=", 0.85, lambda r: single(r, ["bare"])),
    ("bulk enqueue ÷ graphile-worker", ">=", 1.5, lambda r: bulk(r, "graphile")),
    ("COPY ÷ bare INSERT … unnest", ">=", 0.6,
     lambda r: share(rate(r, "enqueue", key="copy"), rate(r, "enqueue", key="bare", batch=1000))),
    ("WAL bytes per job, whole life", "<=", 1000,
     lambda r: value(find(r, "drain", key="millrace", processes=1), "wal")),
    ("idle: enqueue to handler, p50 ms", "<=", 1.0, lambda r: value(find(r, "latency", key="millrace"), "p50")),
    ("idle: enqueue to handler, p99 ms", "<=", 4.0, lambda r: value(find(r, "latency", key="millrace"), "p99")),
    ("commit rate with wake-up ÷ without", ">=", 0.9, lambda r: value(find(r, "notify", key="wake"), "of_quiet")),
    ("pinned drain ÷ free", ">=", 0.85, pinned_drain),
    ("pinned drain ÷ one after as many jobs, unpinned", ">=", 0.85, pinned_beside_nobody),
    ("pinned steady load: growth of p99", "<=", 1.5, pinned_growth),
    ("the same, while a commit takes less than 10 ms", "<=", 1.5, lambda r: pinned_growth(r, "growth_apart")),
    ("claim, 10 M waiting ÷ 20k", "<=", 1.3, lambda r: value(find(r, "backlog", backlog=10_000_000), "of_smallest")),
    ("worker's peak MB at 64 slots", "<=", 40,
     lambda r: value(find(r, "drain", key="millrace", processes=1), "memory")),
    ("an idle worker's commits/s", "<=", 1.0, lambda r: value(find(r, "idle", key="millrace", processes=1), "queries")),
    ("an idle worker's CPU %", "<=", 0.1, lambda r: value(find(r, "idle", key="millrace", processes=1), "processor")),
    ("CPU per job, 4 processes ÷ 1", "<=", 1.0, cost_growth),
]


def judged(results):
    """[{what, relation, target, measured, met}] of what was measured; the others are left out."""
    found = []
    for what, relation, target, compute in TARGETS:
        measured = compute(results)
        if measured is not None:
            met = measured >= target if relation == ">=" else measured <= target
            found.append({"what": what, "relation": relation, "target": target, "measured": measured, "met": met})
    return found


def lines(verdicts):
    width = max(len(verdict["what"]) for verdict in verdicts)
    signs = {">=": "≥", "<=": "≤"}
    return ["", "targets", *(f"  {verdict['what']:<{width}}  {signs[verdict['relation']]} {verdict['target']:<6g}"
                             f"{verdict['measured']:>12,.2f}  {'met' if verdict['met'] else 'not met'}"
                             for verdict in verdicts)]
