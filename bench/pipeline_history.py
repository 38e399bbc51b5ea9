#!/usr/bin/env python3
"""Validates the last commits of a repository one by one, while workers are killed, and draws what came of it.

    pipeline_history.py [--repository DIR] [--branch NAME] [--commits N] [--kill-every SECONDS] [--picture FILE]
                        [--json FILE] -- COMMAND...

The command is what `pipeline.create_queue` takes; without one, the program is configured and one target built. A bare
copy of the repository moves its branch forward by one commit as soon as the one before has a verdict. Two workers share
the work, and every so many seconds one of them, in turn, is killed and started again. In the end each commit must have
a verdict, no job may be left, and none may be a dead letter; else this exits with 1.

Environment: MILLRACE_BINARY.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time
from xml.sax.saxutils import escape

from server import Server, stop

ROOT = pathlib.Path(__file__).resolve().parents[1]
QUEUE = "history/main"
BUILD = ["sh", "-c", "cmake --preset release -DMILLRACE_TESTS=OFF"
                     " && cmake --build --preset release --target millrace_core && git init --quiet"
                     " && python3 tests/tidy/run.py"]  # which asks git for its files
WORKERS = 2
LOOK_SECONDS = 0.2
LEASE = "10s"  # how soon the job of a killed worker is given to the other
PATIENCE_SECONDS = 3600  # for one commit
GREEN, RED, GREY, INK = "#009e73", "#d55e00", "#999999", "#222222"


def git(*words, cwd=None):
    done = subprocess.run(["git", *words], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"git {words[0]}: {done.stderr}")
    return done.stdout


class Branch:
    """A bare copy whose branch moves when it is told to."""

    def __init__(self, folder, options):
        self.path = str(folder / "history.git")
        git("clone", "--quiet", "--bare", "--no-hardlinks", str(options.repository), self.path)
        listed = git("rev-list", "--first-parent", f"--max-count={options.commits}", f"refs/heads/{options.branch}",
                     cwd=self.path)
        self.commits = listed.split()[::-1]

    def move_to(self, commit):
        git("update-ref", "refs/heads/main", commit, cwd=self.path)


class Crew:
    """Workers of which one after the other is killed."""

    def __init__(self, server, cache, kill_every):
        self.server, self.cache, self.kill_every = server, cache, kill_every
        self.workers = [self.start() for _ in range(WORKERS)]
        self.kills, self.due = [], time.monotonic() + kill_every

    def start(self):
        return self.server.worker(1, "--queue", "pipeline=4", "--worker-cache", self.cache, "--worker-lease", LEASE)

    def tend(self):
        if self.kill_every and time.monotonic() >= self.due:
            victim = len(self.kills) % WORKERS
            self.workers[victim].kill()
            self.workers[victim].wait()
            self.kills.append(self.server.look("select extract(epoch from now())::float8"))
            self.workers[victim] = self.start()
            self.due = time.monotonic() + self.kill_every


def validate(server, branch, crew):
    """The bookmark's moves, as (seconds since 1970, index of the commit)."""
    bookmark = []
    for index, commit in enumerate(branch.commits):
        branch.move_to(commit)
        server.look(f"select 1 from pipeline.poll('{QUEUE}')")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while server.look("select count(*) from pipeline.history where project = ''") <= index:
            if time.monotonic() > deadline:
                sys.exit(f"{commit} has no verdict after {PATIENCE_SECONDS} s")
            crew.tend()
            time.sleep(LOOK_SECONDS)
        if server.look("select last_green_request from pipeline.queue") == index + 1:
            bookmark.append((server.look("select extract(epoch from now())::float8"), index))
        print(f"{index + 1}/{len(branch.commits)} {commit[:12]}", flush=True)
    return bookmark


def drain(server, crew):
    """A verdict is there before the job that wrote it is settled, and jobs after it may be under way."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while server.look("select count(*) from millrace.jobs where state in ('available', 'scheduled', 'blocked',"
                      " 'running')") and time.monotonic() < deadline:
        crew.tend()
        time.sleep(LOOK_SECONDS)


def rows_of(server):
    found = server.sql("""
        select r.number, right(r.uri, 40), f.degree = 0, extract(epoch from r.accepted_at),
               extract(epoch from f.created_at), (select max(c.attempt) from pipeline.command_run c
                                                   where c.queue = r.queue and c.request = r.number)
          from pipeline.request r join pipeline.validation_fact f using (queue, uri)
         where f.project = '' order by r.number""")
    return [{"request": int(number), "commit": commit, "green": green == "t", "from": float(begin), "to": float(end),
             "attempts": int(attempts)} for number, commit, green, begin, end, attempts in found]


def problems_of(server, branch, rows):
    if [row["commit"] for row in rows] != branch.commits:
        yield f"{len(rows)} verdicts in order for {len(branch.commits)} commits"
    for state, amount in server.sql("select state, count(*) from millrace.jobs where state <> 'completed' group by 1"):
        yield f"{amount} jobs are {state}"


def picture(rows, bookmark, kills):
    """A row for each commit, from its report to its verdict; the steps of the bookmark; a mark for each kill."""
    left, top, width, step = 110, 46, 720, 14
    begin = min(row["from"] for row in rows)
    span = max(row["to"] for row in rows) - begin or 1
    height = top + len(rows) * step + 40

    def x(at):
        return round(left + (at - begin) / span * width, 1)

    def text(at, y, words, anchor="start"):
        return f'<text x="{at}" y="{y}" fill="{INK}" text-anchor="{anchor}">{escape(words)}</text>'

    green = sum(row["green"] for row in rows)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 20} {height}" font-family="sans-serif"'
           ' font-size="10">', f'<rect width="{left + width + 20}" height="{height}" fill="white"/>',
           text(left, 16, f"{len(rows)} commits, {green} green, {len(rows) - green} broken; {len(kills)} workers killed;"
                          f" {sum(row['attempts'] - 1 for row in rows)} commands repeated"),
           text(left, 32, "bar: from report to verdict; line: the bookmark; dotted: a worker is killed")]
    for at in kills:
        out.append(f'<line x1="{x(at)}" x2="{x(at)}" y1="{top}" y2="{height - 30}" stroke="{GREY}"'
                   ' stroke-dasharray="1 3"/>')
    for index, row in enumerate(rows):
        y = top + index * step
        out.append(text(left - 8, y + 10, row["commit"][:12], "end"))
        out.append(f'<rect x="{x(row["from"])}" y="{y + 2}" width="{max(x(row["to"]) - x(row["from"]), 2):.1f}"'
                   f' height="{step - 5}" fill="{GREEN if row["green"] else RED}"/>')
    points = []
    for at, index in bookmark:
        y = top + index * step + step / 2
        points += [f"{x(at)},{points[-1].split(',')[1]}"] if points else []
        points.append(f"{x(at)},{y}")
    out.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{INK}" stroke-width="1.5"/>')
    out.append(text(left, height - 12, "0"))
    out.append(text(left + width, height - 12, f"{span / 60:.1f} min", "end"))
    return "\n".join([*out, "</svg>"]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--repository", type=pathlib.Path, default=ROOT)
    parser.add_argument("--branch", default="main")
    parser.add_argument("--commits", type=int, default=50)
    parser.add_argument("--kill-every", type=float, default=60, help="seconds; 0: never")
    parser.add_argument("--picture", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("command", nargs="*", default=BUILD)
    options = parser.parse_args()

    server = Server("history", fresh=True, mode="--fast")
    try:
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            branch = Branch(folder, options)
            server.reset()
            words = ", ".join("'" + word.replace("'", "''") + "'" for word in options.command)
            server.sql(f"""
                select millrace.create_queue('pipeline');
                select pipeline.create_queue('{QUEUE}', '{branch.path}', 'main', array[{words}],
                    poll_accepted => '200 ms', poll_running => '200 ms');""")
            crew = Crew(server, str(folder / "cache"), options.kill_every)
            try:
                bookmark = validate(server, branch, crew)
                drain(server, crew)
            finally:
                stop(crew.workers)
            rows = rows_of(server)
            problems = list(problems_of(server, branch, rows))
    finally:
        server.destroy()
    if options.json:
        options.json.write_text(json.dumps({"rows": rows, "bookmark": bookmark, "kills": crew.kills}, indent=1))
    if options.picture:
        options.picture.write_text(picture(rows, bookmark, crew.kills))
    print(f"{len(rows)} verdicts, {sum(row['green'] for row in rows)} green, {len(crew.kills)} workers killed,"
          f" {sum(row['attempts'] - 1 for row in rows)} commands repeated")
    for problem in problems:
        print(f"problem: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
