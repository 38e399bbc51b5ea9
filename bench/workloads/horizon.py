"""Drains before and after millions of jobs with the vacuum horizon pinned: by an old snapshot, by an idle writer.

And with nobody who pins it: a drain after two million jobs differs from the first for other reasons, too.
"""

import time

from holders import idle_writer, nobody, old_snapshot
from measures import by_turns, drain

KEYS = ("millrace", "bare", "graphile-tuned", "pgboss-tuned", "pgq")
MOST_SECONDS = 120  # a contestant that has decayed is not made to drain all of them


def once(bench, contestant, hold):
    """Free, then so many jobs with the horizon pinned, and how fast the last of them were."""
    jobs = bench.jobs
    free = drain(contestant, jobs, 1)["jobs_per_second"]
    holder = hold(contestant.server)
    try:
        began, passed, rates = time.monotonic(), 0, []
        while passed < bench.pinned_jobs and (not rates or time.monotonic() < began + MOST_SECONDS):
            rates.append(drain(contestant, jobs, 1, afresh=False)["jobs_per_second"])
            passed += jobs
    finally:
        holder.close()
    return {"free": free, "pinned_first": rates[0], "jobs_per_second": rates[-1], "of_free": rates[-1] / free,
            "jobs": passed, "dead_rows": contestant.dead_rows()}


def measure(bench):
    rows = []
    for what, hold, keys in (("nobody", nobody, KEYS[:1]), ("old snapshot", old_snapshot, KEYS),
                             ("idle writer", idle_writer, KEYS[:1])):
        here = bench.contestants(*keys)
        figures = by_turns(bench, f"horizon, {what}", here, lambda contestant: once(bench, contestant, hold))
        rows += [{"what": f"{contestant.title}, {what}", "key": contestant.key, "holder": what,
                  **figures[contestant.key]} for contestant in here]
    return rows, {}
