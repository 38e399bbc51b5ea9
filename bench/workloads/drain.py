"""No-op jobs that are already there, through 1, 2 and 4 worker processes of each contestant."""

from bars import Bars
from measures import by_turns, drain, enough

PROCESSES = (1, 2, 4)
KEYS = ("millrace", "limit", "bare", "graphile-tuned", "graphile", "pgboss-tuned", "pgboss", "bullmq-tuned", "pgq")


def measure(bench):
    rows, by_processes = [], {}
    for processes in (1, 2) if bench.quick else PROCESSES:
        here = [contestant for contestant in bench.contestants(*KEYS, are_all_quick=processes == 1)
                if processes <= contestant.most_processes]
        figures = by_turns(bench, f"drain, {processes} processes", here,
                           lambda contestant: drain(contestant, enough(contestant, bench.jobs), processes),
                           lambda contestant: drain(contestant, enough(contestant, bench.jobs // 10), processes))
        ours = figures["millrace"]["jobs_per_second"]
        for contestant in here:
            row = {"what": f"{contestant.title}, {processes}", "key": contestant.key, "processes": processes,
                   **figures[contestant.key]}
            row["ours_of_it"] = ours / row["jobs_per_second"]
            rows.append(row)
            by_processes.setdefault(contestant.title, []).append((str(processes), row["jobs_per_second"]))
    return rows, {"drain": Bars("Drain of no-op jobs", "jobs/s", "worker processes", by_processes)}
