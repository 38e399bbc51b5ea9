"""HTTP: what http_rules.py says to a worker's endpoint, and to the dashboard of `millrace serve`. After each of them the
process must be well.

An answer is one answer, with the status that was expected, not much longer than the page, and repeats nothing of what
was asked.
"""

import contextlib
import re

import http_rules
from http_rules import (BAD, BUSY, FORBIDDEN, HANG_UP, LARGE_HEAD, LENGTH, LONG_URI, METHOD, MISSING, NO_FORM, NO_RANGE,
                        OK, TOO_OFTEN)
from judge import changes
from watched import HEALTHY, worker

REFUSALS = {BAD, MISSING, METHOD, LONG_URI, NO_RANGE, LARGE_HEAD, 411, 413}
ANYTHING_FINE = REFUSALS | {OK, HANG_UP}
MOST_BYTES = 64 * 1024
# What every worker writes, whether it is asked anything or not.
MAINTAINED = {"millrace." + table for table in ("worker", "low_water", "lane", "queue_signal", "queue_delta",
                                                "queue_count")} | {"notify.house"}
SILENT = 12  # more than the server has threads


def encoded(text):
    if isinstance(text, bytes):
        return text
    return text.encode("latin1") if all(ord(letter) < 256 for letter in text) else text.encode()


def answer_complaint(answer, expected):
    answer = answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    status = int(found[1]) if found else HANG_UP
    if status not in expected or bool(found) != bool(answer):
        return f"{status} instead of {sorted(expected)}: {answer[:100]!r}"
    if len(re.findall(rb"HTTP/1\.1 \d{3} ", answer)) > 1:
        return "more than one answer"
    return f"an answer of {len(answer)} bytes" if len(answer) > MOST_BYTES else None


def self_test():
    ok = b"HTTP/1.1 200 OK\r\n\r\nok\n"
    return [("a good answer passes", answer_complaint(ok, {OK}) is None),
            ("another status", answer_complaint(ok, {BAD}) is not None),
            ("a failure of the server", answer_complaint(b"HTTP/1.1 500 x\r\n\r\n", ANYTHING_FINE) is not None),
            ("two answers", answer_complaint(ok + ok, {OK}) is not None),
            ("an endless answer", answer_complaint(ok + b"x" * MOST_BYTES, {OK}) is not None),
            ("no HTTP", answer_complaint(b"hello", {HANG_UP}) is not None)]


def try_group(report, watched, title, cases):
    wrong, quiet = [], 0
    for label, data, expected in cases:
        complaint = answer_complaint(watched.ask(encoded(data)), expected)
        if not complaint and not watched.is_healthy():
            complaint = "the process is not well after it"
        quiet += expected == {OK}
        if complaint:
            wrong.append(f"{label[:80]}: {complaint}")
    report.triples |= {("http", title, label) for label, *_ in cases}
    report.group(f"http {title}", len(cases) - quiet, quiet, len({str(expected) for *_, expected in cases}), wrong)


def try_silence(report, watched):
    """Clients that say nothing, or half of it, and stay: whoever comes after them is answered all the same."""
    with contextlib.ExitStack() as stack:
        for number in range(SILENT):
            connection = stack.enter_context(watched.connect())
            connection.sendall(HEALTHY[:number * 3])
        report.group("http silent clients", SILENT, 0, 1, [] if watched.is_healthy() else ["nobody else is answered"])


def try_dashboard_to_look_at(report, database):
    with worker(database.name, "--dashboard-serve=on", command="serve") as watched:
        try_group(report, watched, "paths of the dashboard", [
            (path[:60] or "the overview", http_rules.at_home(f"GET /dashboard{path} HTTP/1.1"), {status})
            for path, status in http_rules.DASHBOARD_PATHS.items()])
        try_group(report, watched, "hosts of the dashboard", [
            (host[:60] or "none", f"GET /dashboard/workers HTTP/1.1\r\nHost: {host}\r\n\r\n", {status})
            for host, status in http_rules.DASHBOARD_HOSTS.items()])
        try_group(report, watched, "forms for a dashboard to look at", [
            (f"{path} {body[:40]!r}", http_rules.form(path, body), {FORBIDDEN})
            for path in ("/act", "/login", "/logout") for body in ("", http_rules.ORDER, "token=", "form_secret=")])
        return watched.errors(), watched.stop()


def try_dashboard_with_a_token(report, database, seed):
    with worker(database.name, "--dashboard-serve=on", command="serve",
                variables={"MILLRACE_DASHBOARD_TOKEN": "t" * 32}) as watched:
        try_group(report, watched, "forms of the dashboard", [
            (label, data, {status}) for label, (data, status) in http_rules.DASHBOARD_FORMS.items()])
        try_group(report, watched, "mutated requests to the dashboard", [
            (repr(data), data, ANYTHING_FINE | {FORBIDDEN, LENGTH, NO_FORM, TOO_OFTEN, BUSY})
            for data in http_rules.mutations(seed, 200, http_rules.TO_A_DASHBOARD)])
        try_group(report, watched, "logins to the dashboard", [
            (body[:40], http_rules.form("/login", body), {FORBIDDEN, TOO_OFTEN}) for body in http_rules.DASHBOARD_LOGINS])
        return watched.errors(), watched.stop()


def run_dashboard(database, seed, report):
    before = database.checksums()
    ends = [try_dashboard_to_look_at(report, database), try_dashboard_with_a_token(report, database, seed)]
    report.check("http: the dashboards end in good order and have logged no error",
                 [error for errors, _ in ends for error in errors] + [f"status {end}" for _, end in ends if end])
    report.check("http: no request to a dashboard has changed a table", changes(before, database.checksums()))


def run_area(database, seed, report):
    def exactly(cases):
        """Of half a request the server may see no more than that its client has gone."""
        return [(label, data, {status} if b"\r\n\r\n" in encoded(data) else {status, BAD, HANG_UP})
                for label, (data, status) in cases.items()]

    report.check("http: the judge refuses its samples", [f"accepts {what}" for what,
                                                         refused in self_test() if not refused])
    before = database.checksums()
    with worker(database.name, "--log-level=debug", queue="small") as watched:
        try_group(report, watched, "request lines", exactly(http_rules.LINES))
        for page in ("/healthz", "/readyz", "/metrics"):
            try_group(report, watched, f"methods of {page}", [
                (method, http_rules.request(f"{method} {page} HTTP/1.1"), {status})
                for method, status in http_rules.METHODS.items()])
            try_group(report, watched, f"headers for {page}", [
                (label, http_rules.request(f"GET {page} HTTP/1.1", *headers), {status})
                for label, (headers, status) in http_rules.HEADERS.items()])
        try_group(report, watched, "paths", [(path, http_rules.path(path), {status})
                                             for path, status in http_rules.PATHS.items()])
        try_group(report, watched, "chunks", [
            (f"{method} {chunk}", http_rules.request(f"{method} /healthz HTTP/1.1", "Transfer-Encoding: chunked",
                                                     body=chunk),
             {METHOD} if method == "POST" else {OK}) for chunk in http_rules.CHUNKS for method in ("GET", "POST")])
        try_group(report, watched, "pipelined requests", [
            (f"{amount} at once", http_rules.GOOD * amount, {OK}) for amount in (2, 10, 1000)])
        try_group(report, watched, "mutated requests", [(repr(data), data, ANYTHING_FINE)
                                                        for data in http_rules.mutations(seed, 200, http_rules.TO_A_WORKER)])
        try_silence(report, watched)
        errors = watched.errors()
        status = watched.stop()
    report.check("http: the worker ends in good order and has logged no error",
                 errors + ([f"status {status}"] if status else []))
    touched = [table for table in changes(before, database.checksums()) if table not in MAINTAINED]
    report.check("http: no request has changed a table", touched)
    run_dashboard(database, seed, report)
