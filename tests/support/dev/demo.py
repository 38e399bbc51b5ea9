#!/usr/bin/env python3
"""The demonstration: real mail and 10,000 jobs, two workers, one of them killed; a fork brought up to date, a commit
validated, a digest of both by mail; then everything is checked.

What it says comes from the tables, the repositories and the SMTP server, never from a worker's log. Exit status 1
unless every check holds. Runs on a private cluster (cluster.sh) that it empties first; --keep leaves all of it running, until the
next run or --stop, which `./dev clean` asks for.

Environment: MILLRACE_BINARY, MILLRACE_NODE, set by `./dev demo`.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from demo_repositories import BRANCH, VALIDATION, Repositories

HERE = pathlib.Path(__file__).resolve().parent
CLUSTER = HERE.parent / "cluster.sh"
SMTP_SERVER = HERE.parent / "smtp" / "server.mjs"
KEPT = HERE.parents[2] / "build" / "demo.json"  # what --keep has left running
DATABASE = "millrace_demo"
SMALL_JOBS = 10_000
JOB_MILLISECONDS = 10
MAILS = 24
SLOTS = 64
LEASE_SECONDS = 3
HELD_AT_LEAST = 50
PATIENCE_SECONDS = 60  # for any one thing that is waited for

COLOURS = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOURS else text


def say(text=""):
    print(text, flush=True)


def step(text):
    say(f"\n{paint('1;36', '▸ ' + text)}")


class Failure(Exception):
    pass


def wait_for(what, condition):
    """Polls until the condition yields something true, and returns it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise Failure(f"waited {PATIENCE_SECONDS} s in vain for {what}")


def is_ours(process_id):
    """False when it has ended; another process may have its number by now."""
    try:
        command = pathlib.Path(f"/proc/{process_id}/cmdline").read_bytes()
    except OSError:
        return False
    return SMTP_SERVER.name.encode() in command or b"--worker.name" in command


def end_kept():
    """Ends what an earlier run has kept: its worker would take the jobs of the next one."""
    if not KEPT.exists():
        return
    kept = json.loads(KEPT.read_text())
    for process_id in filter(is_ours, kept["processes"]):
        os.kill(process_id, signal.SIGTERM)
    wait_for("the processes of an earlier demo to end", lambda: not any(map(is_ours, kept["processes"])))
    shutil.rmtree(kept["scratch"], ignore_errors=True)
    KEPT.unlink()


def cluster_environment():
    subprocess.run([CLUSTER, "start", "demo", "--durable"], check=True, stdout=subprocess.DEVNULL)
    lines = subprocess.run([CLUSTER, "env", "demo"], check=True, capture_output=True, text=True).stdout.splitlines()
    pairs = (line.removeprefix("export ").split("=", 1) for line in lines if "=" in line)
    return os.environ | {name: value.strip("'\"") for name, value in pairs}


class Demo:
    def __init__(self):
        self.environment = cluster_environment()
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="millrace-demo-"))
        self.mailbox = self.scratch / "mailbox.jsonl"
        self.processes = []
        self.checks = []

    # -- parts ---------------------------------------------------------------------------------------------------

    def sql(self, text, database=DATABASE, user=None):
        """Runs plain SQL through psql and returns the rows of the last statement, split into fields."""
        command = ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", database]
        if user:
            command += ["-U", user]
        done = subprocess.run(command, input=text, capture_output=True, text=True, env=self.environment)
        if done.returncode != 0:
            raise Failure(f"psql: {done.stderr.strip()}")
        return [line.split("\t") for line in done.stdout.splitlines() if line]

    def number(self, text):
        return int(self.sql(text)[0][0])

    def start(self, name, command, environment=None, **options):
        # A session of its own and nothing of our terminal or pipe: it may outlive us.
        with open(self.scratch / f"{name}.log", "w") as log:
            process = subprocess.Popen(command, env=self.environment | (environment or {}), start_new_session=True,
                                       **{"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log} | options)
        self.processes.append(process)
        return process

    def prepare_database(self):
        self.sql(f"drop database if exists {DATABASE} with (force);", database="postgres")
        self.sql(f"create database {DATABASE};", database="postgres")
        self.environment["PGDATABASE"] = DATABASE
        subprocess.run([os.environ["MILLRACE_BINARY"], "migrate", "up"], check=True, env=self.environment,
                       stdout=subprocess.DEVNULL)
        self.sql("""
            do $$ declare wanted record; begin
                for wanted in values ('demo_app', 'millrace_enqueuer'), ('demo_operator', 'millrace_operator'),
                                     ('alder', 'millrace_worker'), ('birch', 'millrace_worker') loop
                    if to_regrole(wanted.column1) is null then
                        execute format('create role %I login in role %I', wanted.column1, wanted.column2);
                    end if;
                end loop;
            end $$;
            create table orders (id int primary key, customer text not null);
            grant insert on orders to demo_app;
            select millrace.create_queue('mail');
            select millrace.create_queue('work');
            select millrace.create_queue('forks');
            select millrace.create_queue('pipeline');""")

    def start_mail_server(self):
        command = [os.environ["MILLRACE_NODE"], SMTP_SERVER, "--security", "starttls", "--out", self.mailbox]
        server = self.start("smtp", command, stdout=subprocess.PIPE, text=True)
        return json.loads(server.stdout.readline())

    def start_worker(self, name, smtp, *queues):
        return self.start(
            name,
            [os.environ["MILLRACE_BINARY"], "worker", "--worker.name", name,
             *(word for queue in queues for word in ("--queue", queue)), "--worker.lease", f"{LEASE_SECONDS}s",
             "--smtp.url", f"smtp://localhost:{smtp['port']}", "--smtp.ca_file", smtp["ca_file"],
             "--smtp.from", "millrace <demo@example.org>", "--worker.cache", self.scratch / "cache"],
            environment={"PGUSER": name})  # a member of millrace_worker, with no right on any table

    def received(self):
        return [json.loads(line) for line in self.mailbox.read_text().splitlines()] if self.mailbox.exists() else []

    def check(self, holds, text):
        self.checks.append(bool(holds))
        say(f"  {paint('32', '✓') if holds else paint('1;31', '✗')} {text}")

    # -- acts ----------------------------------------------------------------------------------------------------

    def enqueue(self):
        transaction = f"""
begin;
insert into orders select n, 'customer' || n || '@example.org' from generate_series(1, {MAILS}) n;
select millrace.enqueue('mail', 'email.send', jsonb_build_object(
         'to', o.customer, 'subject', 'Your order ' || o.id || ' ✓', 'text', 'Grüße, order ' || o.id || '.',
         'html', '<p>Order <b>' || o.id || '</b></p>'))
  from orders o;
select millrace.enqueue_many('work', 'wait', array_fill('{{"ms": {JOB_MILLISECONDS}}}'::jsonb, array[{SMALL_JOBS}]));
commit;"""
        say(paint("2", "\n".join("    " + line for line in transaction.strip().splitlines())))
        self.sql("begin; select millrace.enqueue_many('work', 'wait', array_fill('{}'::jsonb, array[500])); rollback;",
                 user="demo_app")
        self.sql("grant select on orders to demo_app;")
        self.sql(transaction, user="demo_app")

    def wait_until_alder_holds_enough(self):
        """Looks every millisecond, from inside the server: the jobs are soon gone."""
        self.sql(f"""
            do $$ begin
                while (select count(*) < {HELD_AT_LEAST} from millrace.jobs
                        where state = 'running' and worker = 'alder')
                loop
                    if clock_timestamp() > now() + interval '{PATIENCE_SECONDS} s' then
                        raise 'alder never held {HELD_AT_LEAST} running jobs';
                    end if;
                    perform pg_sleep(0.001);
                end loop;
            end $$;""")

    def kill_one(self, victim):
        """Kills the victim, which holds many jobs; returns the ids of those that it held."""
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        # What its connections had already sent may still be carried out; afterwards nothing of it moves any more.
        wait_for("the killed worker's connections to end", lambda: self.number(
            "select count(*) from pg_stat_activity where usename = 'alder'") == 0)
        return {row[0] for row in self.sql(
            "select id from millrace.jobs where state = 'running' and worker = 'alder'")}

    def synchronise_and_validate(self, repositories):
        """Asks for both in plain SQL, and waits for the last of the jobs that follow from it."""
        self.sql(f"""
            select forks.add_fork('demo/millrace', '{repositories.fork}', '{repositories.upstream}', '{{{BRANCH}}}');
            select pipeline.create_queue('millrace/{BRANCH}', remote => '{repositories.upstream}', ref => '{BRANCH}',
                                         command => array{VALIDATION}, poll_accepted => '100 ms',
                                         poll_running => '100 ms');""", user="demo_operator")
        requests = f"select forks.sync_now('demo/millrace');\nselect pipeline.poll('millrace/{BRANCH}');"
        say(paint("2", "\n".join("    " + line for line in requests.splitlines())))
        self.sql(requests, user="demo_operator")
        wait_for("the fork to be synchronised", lambda: self.number("select count(*) from forks.results"))
        wait_for("the commit's verdict", lambda: self.number("select count(*) from pipeline.history"))
        wait_for("the jobs of both to end", lambda: self.number(
            "select sum(available + scheduled + running) from millrace.queues where name in ('forks', 'pipeline')") == 0)

    def mail_digest(self):
        """One mail about both, written by the database from what it has recorded."""
        self.sql("""
            select millrace.enqueue('mail', 'email.send', jsonb_build_object(
                     'to', 'team@example.org',
                     'subject', format('%s fork updated, %s commit green', f.updated, p.green),
                     'text', f.lines || e'\n' || p.lines))
              from (select count(*) filter (where state = 'updated') as updated,
                           string_agg(format('%s %s: %s, %s -> %s', fork, branch, state, left(before_sha, 12),
                                             left(after_sha, 12)), e'\n') as lines
                      from forks.results) f,
                   (select count(*) filter (where degree = 0) as green,
                           string_agg(format('%s: degree %s at %s', queue, trim_scale(degree), right(uri, 40)),
                                      e'\n') as lines
                      from pipeline.history) p;""", user="demo_operator")
        return wait_for("the digest to arrive", lambda: next(
            (mail for mail in self.received() if mail["to"][0]["address"] == "team@example.org"), None))

    def show_workloads(self, before, repositories):
        digest = self.mail_digest()
        (strategy, reason, took), = self.sql("""
            select r.build_strategy, coalesce(b.reason, 'exit status ' || b.exit_code),
                   round(extract(epoch from b.finished_at - b.started_at), 1)
              from pipeline.builds b join pipeline.requests r on r.queue = b.queue""")
        say(f"\n  fork demo/millrace {BRANCH}: {before[:12]} → {repositories.tip(repositories.fork)[:12]}")
        say(f"  commit {repositories.tip(repositories.upstream)[:12]}: {' '.join(VALIDATION)}, built {strategy}: "
            f"{reason} after {took} s")
        say(f"  the digest as received: {digest['subject']!r}")
        say(paint("2", "\n".join("    " + line for line in digest["text"].strip().splitlines())))

    def verify_workloads(self, before, repositories):
        head = repositories.tip(repositories.upstream)
        self.check(before != head and repositories.tip(repositories.fork) == head,
                   "the fork's branch was behind, and is where the upstream's is")
        self.check(self.sql("select state, before_sha, after_sha from forks.results") == [["updated", before, head]],
                   "its synchronisation is recorded with the commits before and after")
        self.check(self.sql("select degree = 0, is_last_green from pipeline.history") == [["t", "t"]],
                   "one commit was validated: degree 0, recorded once")
        green = self.sql(f"select pipeline.latest_green('millrace/{BRANCH}')")
        self.check(green and green[0][0].endswith(head), f"{BRANCH} is green at that commit")
        digests = [mail for mail in self.received() if mail["to"][0]["address"] == "team@example.org"]
        self.check(len(digests) == 1 and before[:12] in digests[0]["text"] and head in digests[0]["text"],
                   "the team has one digest, and it names the commits")
        self.check(self.number("select count(*) from millrace.attempt_failure f join millrace.jobs j on j.id = f.job_id"
                               " where j.queue in ('forks', 'pipeline')") == 0, "all of it at the first attempt")

    def show_progress(self):
        total = SMALL_JOBS + MAILS

        def finished():
            done = self.number("select sum(completed) from millrace.queues where name in ('mail', 'work')")
            if COLOURS:
                bar = "█" * (40 * done // total)
                print(f"\r  {bar:<40} {done:>6} of {total}", end="", flush=True)
            return done >= total
        wait_for("all jobs to be completed", finished)
        if COLOURS:
            say()

    def report(self, held):
        say()
        say("  worker   completed   first attempts   taken over")
        for name, completed, first, later in self.sql("""
                select worker, count(*), count(*) filter (where attempt = 1), count(*) filter (where attempt > 1)
                  from millrace.jobs where state = 'completed' group by worker order by worker"""):
            say(f"  {name:<8} {completed:>9} {first:>16} {later:>12}")
        rate, = self.sql("""
            select round(count(*) / extract(epoch from max(finished_at) - min(claimed_at)))
              from millrace.jobs where queue = 'work' and state = 'completed' and attempt = 1""")[0]
        say(f"\n  {rate} small jobs a second; each waits {JOB_MILLISECONDS} ms, {SLOTS} at a time in each worker")
        first = next(iter(self.received()), None)
        if first:
            say(f"  a mail as received: {first['subject']!r} for {first['to'][0]['address']}, {first['messageId']}")

    def verify(self, held):
        mails = [mail for mail in self.received() if mail["to"][0]["address"].startswith("customer")]
        wanted = {f"customer{n}@example.org": f"Your order {n} ✓" for n in range(1, MAILS + 1)}
        got = {mail["to"][0]["address"]: mail["subject"] for mail in mails}
        self.check(got == wanted and len(mails) == MAILS, f"the SMTP server has {len(mails)} mails, one for each order")
        self.check(all("Grüße" in mail["text"] and "<b>" in mail["html"] for mail in mails),
                   "each with its text and its html as written")
        self.check(len({mail["messageId"] for mail in mails}) == MAILS, "each with a Message-ID of its own")

        total = SMALL_JOBS + MAILS
        states = {state: int(count) for state, count in
                  self.sql("select state, count(*) from millrace.jobs where kind in ('wait', 'email.send')"
                           " group by state")}
        total += 1  # the digest
        self.check(states == {"completed": total}, f"nothing lost: {states} of {total} enqueued")
        self.check(self.number("select count(*) - count(distinct job_id) from millrace.finished") == 0,
                   "nothing twice: no job has two outcomes")
        self.check(self.number("select count(*) from millrace.job where kind = 'wait'") == SMALL_JOBS,
                   "the rolled-back enqueue left nothing")
        self.check(len(held) >= HELD_AT_LEAST, f"the killed worker held {len(held)} running jobs")
        ids = ",".join(held)
        self.check(self.number(f"select count(*) from millrace.jobs where id in ({ids}) and worker = 'birch'"
                               " and attempt = 2 and state = 'completed'") == len(held),
                   "each of them was completed by the other worker, at its second attempt")
        self.check(self.number("select count(*) from millrace.ready") + self.number(
            "select count(*) from millrace.running") == 0, "nothing is left waiting or running")

    def run(self, keep):
        began = time.monotonic()
        step("A PostgreSQL cluster of our own, the schema, an SMTP server")
        self.prepare_database()
        smtp = self.start_mail_server()
        say(f"  {self.sql('select version()')[0][0].split(' (')[0]}, fsync {self.sql('show fsync')[0][0]}; "
            f"SMTP with STARTTLS on port {smtp['port']}")
        step(f"One transaction: {MAILS} orders, {MAILS} mails, {SMALL_JOBS:,} small jobs. Plain SQL:")
        self.enqueue()
        step("Two workers, alder and birch; alder will not live long")
        # Mails are not for alder: one that is sent but not yet settled would be sent again (at least once).
        alder = self.start_worker("alder", smtp, f"work={SLOTS}")
        wait_for("alder's session", lambda: self.number("select count(*) from millrace.workers"))
        self.start_worker("birch", smtp, f"work={SLOTS}", "mail=4", "forks=2", "pipeline=2")
        self.wait_until_alder_holds_enough()
        held = self.kill_one(alder)
        say(f"  kill -9: alder held {paint('1', len(held))} running jobs; its lease of {LEASE_SECONDS} s runs out now")
        self.show_progress()
        self.report(held)
        step("A fork that is behind its upstream, and a commit to be validated: this repository's own")
        repositories = Repositories(self.scratch)
        before = repositories.tip(repositories.fork)
        for line in repositories.news():
            say(f"  {BRANCH} of the fork lacks {line[:90]}")
        self.synchronise_and_validate(repositories)
        self.show_workloads(before, repositories)
        step("Read from the SMTP server, the repositories and the tables")
        self.verify(held)
        self.verify_workloads(before, repositories)
        good = all(self.checks)
        say(f"\n{paint('1;32', 'All checks hold.') if good else paint('1;31', 'NOT all checks hold.')}"
            f"  {sum(self.checks)} of {len(self.checks)}, {time.monotonic() - began:.1f} s")
        if keep:
            say("\nStill running: the cluster, birch and the SMTP server. Look around with\n\n"
                "    ./dev psql -c 'table millrace.queues'\n    eval \"$(./dev env)\"; millrace jobs list\n\n"
                "and end it with ./dev clean.")
        return good

    def keep(self):
        running = [process.pid for process in self.processes if process.poll() is None]
        KEPT.write_text(json.dumps({"processes": running, "scratch": str(self.scratch)}))

    def stop(self):
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
        subprocess.run([CLUSTER, "stop", "demo"], check=False, stdout=subprocess.DEVNULL)


def main():
    end_kept()
    if sys.argv[1:] == ["--stop"]:
        return 0
    keep = sys.argv[1:] == ["--keep"]
    if sys.argv[1:] and not keep:
        print("usage: dev demo [--keep]", file=sys.stderr)
        return 2
    demo = Demo()
    good = False
    try:
        good = demo.run(keep)
    except (Failure, OSError) as failure:
        say(f"\n{paint('1;31', 'The demo failed:')} {failure}\nThe workers' logs are in {demo.scratch}.")
    finally:
        if keep and good:
            demo.keep()
        else:
            demo.stop()
            if good:
                shutil.rmtree(demo.scratch, ignore_errors=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
