"""Handlers that write a row in the transaction that settles their job: a commit each, where others share one."""

import sys

from contestants import SLOTS, Millrace, program
from crew import MillraceCrew
from measures import by_turns, drain


class Atomic(Millrace):
    key, title = "atomic", "a row written and settled in one transaction"

    def reset(self):
        super().reset()
        self.server.sql("create table public.effect (job bigint not null);")

    def fill(self, jobs):
        super().fill(jobs, "bench.effect")

    def crew(self, processes, slots=SLOTS, ms=0):
        return MillraceCrew(self.server, processes, slots, program("bench_worker"))


def once(contestant, jobs):
    figures = drain(contestant, jobs, 1)
    if contestant.key == "atomic" and contestant.server.look("select count(*) from public.effect") != jobs:
        sys.exit("atomic: not one row for each job")
    return figures


def measure(bench):
    jobs = max(100, bench.jobs // 10)
    here = [Millrace(bench.server), Atomic(bench.server)]
    figures = by_turns(bench, "atomic", here, lambda contestant: once(contestant, jobs))
    return [{"what": {"millrace": "settled apart, many at a time"}.get(contestant.key, contestant.title),
             "key": contestant.key, **figures[contestant.key]} for contestant in here], {}
