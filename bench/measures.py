"""Figures of one measurement, and how those of several runs become one: each figure's median, contestants by turns."""

import statistics
import sys

WARM_UP_SHARE = 0.2  # a contestant that gets fewer jobs than this takes its time over them: it is not sent ahead


def median(values):
    return statistics.median(values)


def percentiles(values):
    ordered = sorted(values)
    return {name: ordered[min(len(ordered) - 1, int(share * len(ordered)))]
            for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1))} if ordered else {}


def medians(runs):
    """A figure that a run lacks is left out of all."""
    names = [name for name in runs[0] if all(run.get(name) is not None for run in runs)]
    return {name: median([run[name] for run in runs]) for name in names}


class Progress:
    """One line on a terminal, nothing elsewhere."""

    def __init__(self):
        self.shown = sys.stderr.isatty()

    def say(self, text):
        if self.shown:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

    def clear(self):
        self.say("")


def by_turns(bench, what, contestants, measure, warm_up=None):
    """{key: medians}. Each run measures all of them, beginning with another one, so that a noisy minute hits all."""
    results = {contestant.key: [] for contestant in contestants}
    if warm_up and not bench.quick:
        for contestant in contestants:
            if getattr(contestant, "share", 1) < WARM_UP_SHARE:
                continue
            bench.progress.say(f"{what}: {contestant.title}, warm-up")
            warm_up(contestant)
    for run in range(bench.runs):
        first = run % len(contestants)
        for contestant in contestants[first:] + contestants[:first]:
            bench.progress.say(f"{what}: {contestant.title}, run {run + 1} of {bench.runs}")
            results[contestant.key].append(measure(contestant))
    bench.progress.clear()
    return {key: medians(runs) for key, runs in results.items()}


def enough(contestant, jobs):
    """As many of these jobs as this one gets: in a run of 200,000 never fewer than 10."""
    return max(2, jobs // 20_000, int(jobs * contestant.share))


def drain(contestant, jobs, processes, afresh=True, **how):
    """Enqueues, then lets so many processes at it: a figure of each kind."""
    if afresh:
        contestant.reset()
    log = contestant.log_bytes()
    if "ms" in how:
        contestant.fill_slow(jobs, how["ms"])
    else:
        contestant.fill(jobs)
    filled = contestant.log_bytes()
    contestant.calm()
    commits, log_before, cpu = contestant.commits(), contestant.log_bytes(), contestant.server_seconds()
    crew = contestant.crew(processes, **how)
    try:
        crew.go()
        first, last = crew.span(jobs)
        cpu_server, cpu_workers = contestant.server_seconds() - cpu, crew.cpu()
        log_drained, memory = contestant.log_bytes(), crew.peak_megabytes()
    finally:
        crew.stop()
    each = 100_000 / jobs
    figures = {"jobs_per_second": jobs / max(last - first, 1e-6), "wal_enqueue": (filled - log) / jobs,
               "wal_drain": (log_drained - log_before) / jobs, "cpu_workers": each * cpu_workers,
               "cpu_server": each * cpu_server, "memory": memory, "dead_rows": contestant.dead_rows(),
               "megabytes": contestant.megabytes(), "jobs": jobs}
    figures["wal"] = figures["wal_enqueue"] + figures["wal_drain"]
    if commits is not None:
        figures["commits"] = (contestant.commits() - commits) / jobs
    return figures


def paced(contestant, rate, seconds, single, hold=None, **how):
    """A steady load: the waits as [(epoch ms, ms)], in the order of their ends, and when it began."""
    contestant.reset()
    crew = contestant.crew(1, **how)
    holder = None
    try:
        crew.go()
        holder = hold(contestant.server) if hold else None
        pacer = contestant.pace(rate, seconds, single)
        if pacer.wait() != 0:
            sys.exit(f"{contestant.key}: the load failed")
        crew.span(int(rate * seconds))
    finally:
        if holder:
            holder.close()
        crew.stop()
    return [(at, wait) for at, waits in contestant.waits(crew) for wait in waits], crew
