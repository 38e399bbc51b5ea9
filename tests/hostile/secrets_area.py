"""Secrets: canaries as passwords, payloads and headers, searched for wherever they do not belong.

First the search is shown to find one: a payload is looked for where it belongs.
"""

import json
import pathlib
import tempfile

from fixture import run
from judge import USAGE, leaks
from mail_server import mail_server
from program import Program
from watched import wait_until, worker

CANARIES = {"the database's password": "canary-db-4e1f", "the mail server's password": "canary-smtp-77c0",
            "a payload": "canary-payload-9b2d", "a header": "canary-header-30aa", "a mail's text": "canary-text-5d81"}
DATABASE, SMTP, PAYLOAD, HEADER, TEXT = CANARIES.values()

JOBS = {  # kind: payload; none of them can be done
    "noop": {"x": PAYLOAD}, "no.such.kind": {"x": PAYLOAD}, "wait": {"milliseconds": PAYLOAD},
    "forks.sync": {"fork": PAYLOAD}, "forks.run": {"group": [PAYLOAD]}, "forks.digest": {"run": PAYLOAD},
    "forks.stage": {"run": PAYLOAD}, "forks.search": {"upstream": PAYLOAD}, "forks.distribute": [PAYLOAD],
    "forks.rebase": PAYLOAD,
    "pipeline.ingest": {"queue": "mono/main", "x": PAYLOAD}, "pipeline.process": {"queue": "mono/main",
        "request": PAYLOAD},
    "pipeline.build": [PAYLOAD], "pipeline.run": PAYLOAD, "pipeline.record": {"x": [PAYLOAD]},
    "pipeline.buildsignal": {},
    "email.send": {"to": "ada@example.org", "subject": PAYLOAD, "text": TEXT},
}
BAD_MAILS = [{"to": "ada@example.org", "subject": HEADER + "\r\nBcc: eve@example.org", "text": TEXT},
             {"to": HEADER, "text": TEXT},
             {"to": {"address": "ada@example.org", "name": HEADER + "\n"}, "subject": "s", "text": TEXT},
             {"to": "ada@example.org", "from": HEADER, "subject": "s", "text": TEXT},
             {"to": "ada@example.org", "subject": "s", "text": TEXT, "unsubscribe_url": HEADER},
             {"to": "ada@example.org", "subject": "s", "text": TEXT, "attachments": [{"name": HEADER + "/", "type": "a/b",
                                                                                      "content": ""}]},
             {"to": "ada@example.org", "subject": "s", "text": TEXT, "attachments": [{"name": "a", "type": HEADER,
                                                                                      "content": HEADER + "!"}]},
             {"to": "ada@example.org", "subject": "s", "text": TEXT, "header": HEADER}, TEXT, [HEADER], None]

# The jobs' own rows hold what the jobs are about, and the canceller's reason is what he wrote.
BELONGS = {"millrace.job"}


UNDONE = """select count(*) from millrace.jobs
              where queue = 'mail' and state in ('available', 'running') and id <> <running> and kind <> 'no.such.kind'"""
# What is wrong with a payload costs no second attempt. A kind that nobody knows, and a mail that nobody takes, wait.
WAITING = {("no.such.kind", "available"), ("email.send", "scheduled"), ("noop", "completed")}
ENDS = """select kind, state, error from millrace.jobs
           where queue = 'mail' and id > <scheduled> and state <> 'cancelled'"""


def words_of(level):
    return [f"--log-level={level}", "--smtp-security=none", "--smtp-from=shop@example.org", "--smtp-username=shop"]


def enqueue_all(database):
    for kind, payload in [*JOBS.items(), *(("email.send", mail) for mail in BAD_MAILS)]:
        run(database.owner, "select millrace.enqueue('mail', %s, %s, max_attempts => 1)", kind, json.dumps(payload))


def tables_of(database):
    return {table: run(database.owner, f"select coalesce(string_agg(t::text, '\n'), '') from {table} t")[0][0]
            for table in database.tables if table not in BELONGS}


def activity(database):
    return str(run(database.owner, "select application_name, query, usename from pg_stat_activity where datname = %s "
                                   "and pid <> pg_backend_pid()", database.name))


def work_through(database, level, style):
    """Everything that a worker has said and shown while it worked at jobs that fail."""
    enqueue_all(database)
    places = {}
    with mail_server() as (port, heard):
        variables = {"MILLRACE_SMTP_URL": f"smtp://127.0.0.1:{port}", "MILLRACE_SMTP_PASSWORD": SMTP,
                     "PGPASSWORD": DATABASE,
                     "MILLRACE_DATABASE_URL": f"password={DATABASE} dbname={database.name}"}
        with worker(database.name, *words_of(level), f"--log-format={style}", variables=variables) as watched:
            wait_until(lambda: heard, "the worker's password at the mail server")
            wait_until(lambda: database.one(database.filled(UNDONE)) == 0, "the jobs' ends")
            for page in ("/healthz", "/readyz", "/metrics", f"/{HEADER}", f"/metrics?{HEADER}"):
                places[f"{page[:9]} ({level})"] = watched.page(page)
            watched.ask(f"GET /readyz HTTP/1.1\r\nAuthorization: {HEADER}\r\nX-{HEADER}: x\r\n\r\n".encode())
            places[f"pg_stat_activity ({level})"] = activity(database)
            watched.stop()
            places[f"log ({level}, {style})"] = watched.text()
    if not any(SMTP in password for password in heard):
        raise AssertionError("the mail server has not been told the password: there was nothing to leak")
    return places


def refusals(folder):
    """(words, variables, stdin) of what is refused, with a canary in it."""
    def file(text, mode=0o600):
        path = pathlib.Path(folder) / str(len(list(pathlib.Path(folder).iterdir())))
        path.write_text(text)
        path.chmod(mode)
        return ["queues", "--config", str(path)]
    urls = [f"postgresql://u:{DATABASE}@[::1", f"postgresql://u:x@{DATABASE}@h/d", f"postgresql://u:{DATABASE}/x@h/d",
            f"postgresql://u:%zz{DATABASE}@h/d", f"password=x {DATABASE}", f"password={DATABASE} x",
            f"password='{DATABASE}",
            f"postgresql://u:{DATABASE}@127.0.0.1:1/d", f"host=127.0.0.1 port=1 password={DATABASE}",
            f"password {DATABASE}",
            f"postgresql://u:{DATABASE}@h/d?sslmode=x", f"postgresql://u@h/d?password={DATABASE}%", f"{DATABASE}=x"]
    texts = [f"[smtp]\npassword {SMTP}\n", f"[smtp]\npassword: {SMTP}\n", f"[smtp]\npassword {SMTP} = x\n", f"{SMTP}\n",
             f"[smtp]\npassword = {SMTP} # mine\n", f"[smtp\npassword = {SMTP}\n", f"[smtp]\npasword = {SMTP}\n",
             f"[smtp]\npassword = {SMTP}\npassword = {SMTP}\nusername = u\n", f"[smtp]\npassword =\n{SMTP}\n",
             f"[smtp]\nurl = smtp://u:{SMTP}@h\n", f"[database]\nurl = postgresql://u:{SMTP}@[::1\n",
             f"[trace]\nheader = {SMTP}\n", f"[trace]\nendpoint = http://u:{SMTP}@h/x\n",
             f"[smtp]\ntoken = {SMTP}\n", f"[dashboard]\ntoken = {SMTP}\n",
             f"[unsubscribe]\nsecrets = {SMTP}\n", f"[unsubscribe]\nsecrets {SMTP}\n"]
    flags = [[f"--smtp-password={SMTP}", "queues"], ["--smtp-password", SMTP, "queues"],
             [f"--smtp-pasword={SMTP}", "queues"], [f"--smtp-token={SMTP}", "queues"],
             [f"--dashboard-token={SMTP}", "queues"], [f"--dashboard-tokn={SMTP}", "queues"],
             [f"--unsubscribe-secrets={SMTP}", "queues"], [f"--unsubscribe-secret={SMTP}", "queues"],
             [f"--trace-header=Authorization: {SMTP}", "queues"], [f"--trace-endpoint=http://h/x?{SMTP}", "queues"],
             ["worker", "--check", "--queue=mail", f"--smtp-url=smtp://u:{SMTP}@h:1"],
             ["queues", f"--database-url=postgresql://u:{SMTP}@h/d"],
             ["queues", f"--database-url=password={SMTP} port=x"],
             ["worker", "--check", "--queue=mail", f"--database=east=postgresql://u:{SMTP}@h/d"],
             ["worker", "--check", "--queue=mail", f"--databas=east=postgresql://u:{SMTP}@h/d"]]
    lines = f'{{"a": "{PAYLOAD}"}}\n{{"a": "{PAYLOAD}", }}\n'.encode()
    # What stands before = there is a database's name, and no secret.
    several = [(["worker", "--check", "--queue=mail"], {"MILLRACE_WORKER_DATABASE": given}, None)
               for url in urls for given in (f"east={url}", url, f"east=dbname=x;{url}")
               if not f";{given}".endswith(f";{DATABASE}=x")]
    listening = ["worker", "--check", "--queue=mail"]
    return ([(["queues"], {"MILLRACE_DATABASE_URL": url}, None) for url in urls] + several
            + [(listening, {"MILLRACE_DATABASE_LISTEN_URL": url}, None) for url in urls]
            + [(file(text), None, None) for text in texts] + [(flag, None, None) for flag in flags]
            + [(file(f"[smtp]\npassword = {SMTP}\n", 0o644), None, None),
               (["enqueue", "mail", "noop"], None, lines),
               (["enqueue", "mail", "noop", f'{{"a": "{PAYLOAD}", }}'], None, None),
               (["enqueue", "small", "noop"], None, json.dumps(PAYLOAD * 20).encode())])


def run_area(database, _seed, report):
    program = Program(database.name)
    for level, style in (("debug", "json"), ("info", "human"), ("warning", "json"), ("error", "human")):
        places = work_through(database, level, style)
        found = leaks(CANARIES, places)
        report.group(f"secrets while a worker works at level {level}", len(JOBS) + len(BAD_MAILS), 0, len(CANARIES),
                     [f"{name} in {place}" for name, place in found])

    ends = run(database.owner, database.filled(ENDS))
    report.check("bad payloads are dead letters that say why",
                 sorted({f"{kind} is {state}: {error}" for kind, state, error in ends
                         if (kind, state) not in WAITING and (state != "discarded" or not error or "\n" in error)}))

    dead = {kind for kind, state, _ in ends if state == "discarded"}
    report.check("every kind has refused a payload",
                 [f"{kind} has refused none" for kind in sorted(JOBS.keys() - dead - {"noop", "no.such.kind"})])
    rows = {"millrace.job": run(database.owner, "select string_agg(t::text, '\n') from millrace.job t")[0][0]}
    report.check("the search finds payloads where they belong",
                 sorted({"a payload", "a header", "a mail's text"} - {name for name, _ in leaks(CANARIES, rows)}))
    report.check("secrets in tables", [f"{name} in {table}" for name, table in leaks(CANARIES, tables_of(database))])

    shown = {f"millrace {' '.join(words)}": b"".join(program.run(words)[1:]) for words in (
        ["jobs", "list", "--json", "--limit=1000"], ["jobs", "list"], ["queues"], ["queues", "--json"],
        ["migrate", "status"],
        ["jobs", "cancel", "--queue=mail"], ["worker", "--check", "--queue=mail"])}
    report.check("secrets in what the program shows", [f"{name} in {place}" for name, place in leaks(CANARIES, shown)])

    with tempfile.TemporaryDirectory() as folder:
        asked = refusals(folder)
        answers = program.run_all(asked)
    said = {f"{words}, {variables}": ran.out + ran.err for (words, variables, _), ran in zip(asked, answers)}
    wrong = [f"{name} in {place}" for name, place in leaks(CANARIES, said)]
    wrong += [f"{words}: accepted" for (words, *_), ran in zip(asked, answers) if ran.status not in (1, USAGE)]
    report.group("secrets in refusals of the command line", len(asked), 0, len(CANARIES), wrong)
