"""What a soak shows: a line while it runs, tables by period at its end, and the plots."""

import sys

import plot

MEGABYTE = 1e6
PLOTTED = {"ready": plot.BLUE, "running": plot.RED, "scheduled": plot.GREEN}
WORKER_COLOURS = (plot.BLUE, plot.RED)

# By the rows and so exact, after all of them are committed. A period ends where the next one begins.
PERIOD_LATENCIES = """
select percentile_cont(array[0.5, 0.99, 1]) within group (
           order by 1000 * extract(epoch from f.finished_at - j.enqueued_at))
  from millrace.finished f
  join millrace.job j on j.id = f.job_id and j.stored_on = f.stored_on
 where f.finished_at >= %s and f.finished_at < %s and j.payload @> '{"delayed": false}'"""


def clock(seconds):
    return f"{int(seconds + 0.5) // 60}:{int(seconds + 0.5) % 60:02}"


def state(pinned):
    return "pinned" if pinned else "free"


def bytes_of(sample, table):
    return sample["tables"][table]["table"] + sample["tables"][table]["indexes"]


def show_progress(sample, options, is_whole_minute):
    """One line that is written over on a terminal; else a line for each minute."""
    p99 = "-" if sample["p99"] is None else f"{sample['p99']:,.0f}"
    resident = " + ".join(f"{size / MEGABYTE:.0f}" for size in sample["resident"])
    line = (f"{clock(sample['seconds'])}/{options.minutes}:00 {state(sample['pinned']):6}"
            f" {sample['finished_per_second']:,.0f} jobs/s, backlog {sample['backlog']:,}, p99 {p99} ms,"
            f" workers {resident} MB")
    if sys.stdout.isatty():
        print(f"\r\033[K{line[:79]}", end="", flush=True)
    elif is_whole_minute:
        print(line, flush=True)


def periods_of(soak):
    """One entry per period; its first sample is the last of the period before."""
    periods = []
    for number, (begin, end) in enumerate(zip(soak.bounds, soak.bounds[1:])):
        inside = [index for index, sample in enumerate(soak.samples) if sample["period"] == number and index]
        if not inside:
            continue
        samples = soak.samples[inside[0] - 1:inside[-1] + 1]
        soak.clock.execute(PERIOD_LATENCIES, (begin, end))
        p50, p99, most = soak.clock.fetchone()[0] or (None, None, None)
        periods.append(summary(samples) | {"p50": p50, "p99": p99, "max": most})
    return periods


def summary(samples):
    first, last = samples[0], samples[-1]
    seconds = last["seconds"] - first["seconds"]
    finished = last["finished"] - first["finished"]
    tables = {name: {"first": bytes_of(first, name), "peak": max(bytes_of(sample, name) for sample in samples),
                     "last": bytes_of(last, name),
                     "dead_rows": max(sample["tables"][name]["dead_rows"] for sample in samples)}
              for name in last["tables"]}
    return {"pinned": last["pinned"], "from": first["seconds"], "to": last["seconds"],
            "jobs_per_second": finished / seconds, "most_backlog": max(sample["backlog"] for sample in samples),
            "wal_per_job": (last["wal"] - first["wal"]) / finished if finished else None,
            "cores": cores(first, last), "resident": [first["resident"], last["resident"]], "tables": tables}


def cores(first, last):
    """How many processors were busy with what. `others` has nothing to do with the soak: it disturbs it."""
    seconds = last["seconds"] - first["seconds"]
    busy = {name: (last[f"{name}_seconds"] - first[f"{name}_seconds"]) / seconds
            for name in ("server", "own", "machine")}
    busy["workers"] = (sum(last["worker_seconds"]) - sum(first["worker_seconds"])) / seconds
    others = max(0.0, busy["machine"] - busy["server"] - busy["own"] - busy["workers"])
    return {"server": busy["server"], "workers": busy["workers"], "soak": busy["own"], "others": others}


def write_table(head, rows):
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, *rows]:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  " + "  ".join([row[0].ljust(widths[0]), *cells]))


def short(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def megabytes(size):
    return f"{size / MEGABYTE:.1f}"


def label(period):
    return f"{clock(period['from']):>5} {state(period['pinned'])}"


def show(results, furthest_behind):
    if sys.stdout.isatty():
        print("\r\033[K", end="")
    options, totals, periods = results["options"], results["totals"], results["periods"]
    print(f"\nsoak: {options['minutes']} min at {options['rate']:,} jobs/s, an old snapshot held while pinned\n")
    write_table(["period", "jobs/s", "p50 ms", "p99 ms", "max ms", "backlog", "WAL B/job",
                 "cores: server", "workers", "others"],
                [[label(period), short(period["jobs_per_second"]), short(period["p50"], 1), short(period["p99"], 1),
                  short(period["max"]), short(period["most_backlog"]), short(period["wal_per_job"]),
                  *(short(period["cores"][who], 2) for who in ("server", "workers", "others"))] for period in periods])
    print("\nMB of memory, and of tables with their indexes: first → peak → last\n")
    tables = ["ready", "running", "scheduled", "queue_delta"]
    write_table(["period", *(f"worker {number}" for number in (1, 2)), *tables],
                [[label(period), *(f"{megabytes(first)} → {megabytes(last)}"
                                   for first, last in zip(*period["resident"])),
                  *(" → ".join(megabytes(period["tables"][name][when]) for when in ("first", "peak", "last"))
                    for name in tables)] for period in periods])
    looks = [sample["look_seconds"] for sample in results["samples"]]
    print(f"\nenqueued {totals['enqueued']:,}, finished {totals['finished']:,};"
          f" the load was never more than {furthest_behind:,} jobs behind;"
          f" a sample took {max(looks):.2f} s at most")
    for number, metrics in enumerate(results["samples"][-1]["metrics"], 1):
        print(f"worker {number}: {metrics.get('completed', 0):,} jobs by the last sample,"
              f" leases lost {metrics.get('leases_lost', 0)}, reconnects {metrics.get('db_reconnects', 0)}")
    for problem in results["problems"]:
        print(f"not ok  {problem}")
    if not results["problems"]:
        print("ok  no job was lost or left, none finished twice, and no worker died")


def charts_of(results):
    samples = results["samples"]
    shades = [(period["from"], period["to"]) for period in results["periods"] if period["pinned"]]

    def line(name, value, colour, dashed=False):
        return plot.Line(name, [(sample["seconds"], value(sample)) for sample in samples], colour, dashed)

    def of(key):
        return lambda sample: sample.get(key)

    def size(table, part):
        return lambda sample: sample["tables"][table][part] / MEGABYTE

    def resident(index):
        return lambda sample: sample["resident"][index] / MEGABYTE

    def chart(title, unit, lines, logarithmic=False):
        return plot.Chart(title, unit, lines, shades, "old snapshot held", logarithmic)

    return {
        "throughput": chart("Throughput", "jobs per second", [
            line("enqueued", of("enqueued_per_second"), plot.BLUE, dashed=True),
            line("finished", of("finished_per_second"), plot.RED)]),
        "latency": chart("Latency, from enqueued to finished", "milliseconds", [
            line("p50", of("p50"), plot.GREEN), line("p99", of("p99"), plot.BLUE),
            line("max", of("max"), plot.RED)], logarithmic=True),
        "memory": chart("Resident memory of the workers", "megabytes", [
            line(f"worker {index + 1}", resident(index), colour) for index, colour in enumerate(WORKER_COLOURS)]),
        "tables": chart("Size of the narrow tables", "megabytes", [
            line(f"{name}: {part}", size(name, part), colour, dashed=part == "indexes")
            for name, colour in PLOTTED.items() for part in ("table", "indexes")]),
    }


def plot_files(results):
    return {f"{name}.svg": plot.render(chart) for name, chart in charts_of(results).items()}


def plot_all(results, directory):
    for name, text in plot_files(results).items():
        (directory / name).write_text(text)
