#!/usr/bin/env python3
"""Mails a second through one connection and through several, to a server on this host, and what an emit costs:
`./dev bench mail`.

    mail.py [--mails N] [--runs N] [--quick] [--json FILE]

One worker with as many slots as connections; the variants take turns in each run, and the ratio is that of the medians.
The server is one thread of Node, which reads and throws away: the CPU seconds that it took say whether it was the limit.
Times come from the rows themselves. An emit is one statement and its commit, timed by the client that sends it, to
users who have an address and no settings; half a second of them is made for nothing first. Environment:
MILLRACE_BINARY and MILLRACE_NODE, set by `./dev bench`.
"""

import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from server import Server, stop

MAIL_SERVER = pathlib.Path(__file__).resolve().parent.parent / "tests/support/smtp/server.mjs"
CONNECTIONS = (1, 2, 4, 8)
RECIPIENTS = (1, 10, 100, 1_000)
EMITS = 30  # of each size, whose median is told
PATIENCE_SECONDS = 600
TICKS = os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def mail_server():
    words = ["--security", "none", "--discard", "--until-stdin-closes"]
    with subprocess.Popen([os.environ.get("MILLRACE_NODE", "node"), MAIL_SERVER, *words], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as process:
        yield process.pid, json.loads(process.stdout.readline())["port"]
        process.stdin.close()


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def send(server, mails, connections):
    """(mails a second, CPU seconds of the mail server, of the worker)"""
    server.reset()
    server.sql(f"""select cardinality(millrace.enqueue_many('work', 'email.send', array_agg(jsonb_build_object(
                       'to', 'r' || i || '@example.org', 'subject', 'Mail ' || i, 'text', repeat('Text. ', 100)))))
                     from generate_series(1, {mails}) i""")
    with mail_server() as (pid, port):
        worker = server.worker(connections, "--smtp-url", f"smtp://127.0.0.1:{port}", "--smtp-security", "none",
                               "--smtp-from", "shop@example.org")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while int(server.value("select completed from millrace.queues")) < mails:
            if time.monotonic() > deadline or worker.poll() is not None:
                sys.exit("the mails were not sent")
            time.sleep(0.05)
        cpu = cpu_seconds(pid), cpu_seconds(worker.pid)
        stop([worker])
    seconds = float(server.value("select extract(epoch from max(finished_at) - min(claimed_at)) from millrace.finished"))
    return mails / seconds, *cpu


def emit_costs(server, emits):
    """[(recipients, milliseconds an emit)]"""
    server.reset()
    server.sql(f"""select millrace.create_queue('email');
                   select count(notify.configure('user' || i, jsonb_build_object('email', 'user' || i || '@example.org')))
                     from generate_series(1, {RECIPIENTS[-1]}) i;
                   analyze;""")
    cursor = server.connect("bench emit").cursor()

    def emit(recipients):
        began = time.monotonic()
        cursor.execute("select pending from notify.emit('cl.comment.created', null, (select array_agg('user' || i)"
                       " from generate_series(1, %s) i), 'A comment', 'Text.')", (recipients,))
        taken = time.monotonic() - began
        if cursor.fetchone()[0] != recipients:
            sys.exit("emit has not told everybody")
        return 1000 * taken

    deadline = time.monotonic() + 0.5
    while time.monotonic() < deadline:
        emit(RECIPIENTS[0])
    return [(recipients, statistics.median(emit(recipients) for _ in range(emits))) for recipients in RECIPIENTS]


def show(mails, rows, emitted, runs):
    print(f"{mails} mails, medians of {runs}\n\nconnections  mails/s  ratio  CPU s server  CPU s worker")
    for row in rows:
        print(f"{row['connections']:>11} {row['mails_per_second']:>8.0f} {row['ratio']:>6.2f} "
              f"{row['mail_server_cpu']:>13.2f} {row['worker_cpu']:>13.2f}")
    print("\nrecipients  ms an emit  µs a recipient")
    for recipients, taken in emitted:
        print(f"{recipients:>10} {taken:>11.2f} {1000 * taken / recipients:>15.1f}")


def main():
    parser = argparse.ArgumentParser(prog="dev bench mail")
    parser.add_argument("--mails", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="500 mails, once: shows that it works, no figures")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    if options.quick:
        options.mails, options.runs = 500, 1
    server = Server("bench_mail", fresh=True)
    try:
        measured = {connections: [] for connections in CONNECTIONS}
        for _ in range(options.runs):
            for connections in CONNECTIONS:
                measured[connections].append(send(server, options.mails, connections))
        emitted = emit_costs(server, 2 if options.quick else EMITS)
    finally:
        server.destroy()
    rows = [{"connections": connections, **{name: statistics.median(run[i] for run in runs) for i, name in
                                            enumerate(("mails_per_second", "mail_server_cpu", "worker_cpu"))}}
            for connections, runs in measured.items()]
    for row in rows:
        row["ratio"] = row["mails_per_second"] / rows[0]["mails_per_second"]
    show(options.mails, rows, emitted, options.runs)
    if options.json:
        options.json.write_text(json.dumps({"mails": rows, "emits": emitted}, indent=2) + "\n")


if __name__ == "__main__":
    main()
