"""Handlers that take 1 and 20 ms, with 64 and 512 of them at once in one process."""

from measures import by_turns, drain, enough

SECONDS = 4  # of a perfect contestant


def measure(bench):
    rows = []
    for ms in (1, 20)[:1 if bench.quick else 2]:
        for slots in (64, 512)[:1 if bench.quick else 2]:
            perfect = 1000 * slots / ms
            jobs = max(200, min(bench.jobs, int(perfect * SECONDS)))
            here = bench.contestants("millrace", "graphile-tuned", "pgboss-tuned", "bullmq-tuned")
            figures = by_turns(bench, f"handlers of {ms} ms, {slots} slots", here,
                               lambda contestant: drain(contestant, enough(contestant, jobs), 1, slots=slots, ms=ms))
            rows += [{"what": f"{contestant.title}, {ms} ms, {slots}", "key": contestant.key, "ms": ms, "slots": slots,
                      "of_perfect": figures[contestant.key]["jobs_per_second"] / perfect,
                      **{name: figures[contestant.key][name] for name in ("jobs_per_second", "jobs", "cpu_workers",
                                                                          "cpu_server", "memory")}}
                     for contestant in here]
    return rows, {}
