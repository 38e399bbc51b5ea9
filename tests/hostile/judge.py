"""What counts as a good answer to a bad call. run tries each judgement on samples that it must refuse."""

import collections
import re

Answer = collections.namedtuple("Answer", "sqlstate message hint context", defaults=("", "", ""))

LONGEST_MESSAGE = 400
# The server reads arguments before a function begins. What it refuses is none of our doing, and clear enough.
READING = {"22P02", "22P05", "22003", "22007", "22008", "22009", "22015", "22021", "42883", "42501", "54001"}
INSIDE = re.compile(r"function (millrace|forks|pipeline|notify)\.")


def sql_complaint(answer, sqlstate, word):
    """None if `answer` is what was expected: SQLSTATE None is success; else what is wrong with it."""
    said = f"{answer.sqlstate}: {answer.message[:120]}"
    if answer.sqlstate != sqlstate:
        return f"{said if answer.sqlstate else 'accepted'} instead of {sqlstate or 'success'}"
    if sqlstate is None:
        return None
    if word not in answer.message:
        return f"{said} does not say {word!r}"
    if not sqlstate.startswith("MR"):
        if sqlstate not in READING:
            return f"{said} is no refusal"
        return f"{said} comes from inside a function" if INSIDE.search(answer.context) else None
    if not answer.hint:
        return f"{said} has no hint"
    return f"a message of {len(answer.message)} characters" if len(answer.message) > LONGEST_MESSAGE else None


Ran = collections.namedtuple("Ran", "status out err")

DONE, FAILED, USAGE, NOTHING = 0, 1, 2, 3
CLI_LIMIT = 4096  # of bytes on standard error


def is_plain(text):
    """One line of UTF-8 without anything that a terminal would act upon."""
    return not re.search("[\x00-\x1f\x7f-\x9f\ufffd]", text)


def cli_complaint(ran, status, word):
    """A refusal is `error: what` and perhaps `  hint: what to do`, two plain lines at most. A word of None: what was
    refused stands in the table that was asked for."""
    error = ran.err.decode(errors="replace")
    if ran.status != status:
        return f"status {ran.status} instead of {status}: {error[:200]!r}"
    if re.search("AddressSanitizer|LeakSanitizer|runtime error:|terminate called|what\\(\\)", error):
        return f"crashed: {error[:200]!r}"
    if status in (DONE, NOTHING):
        return None
    if len(ran.err) > CLI_LIMIT:
        return f"{len(ran.err)} bytes of complaint"
    if word is None:
        return None
    lines = [line for line in error.removesuffix("\n").split("\n") if not line.startswith("{")]
    if not 1 <= len(lines) <= 2 or not lines[0].startswith("error: ") or not all(is_plain(line) for line in lines):
        return f"not one plain line and a hint: {error[:200]!r}"
    if word not in lines[0]:
        return f"{lines[0][:200]!r} does not say {word!r}"
    # Settings carry their remedy in the sentence that follows the complaint.
    if len(lines) == 1 and not re.search(r"\. [A-Z`].*[.?]$", lines[0]):
        return f"no hint: {lines[0][:200]!r}"
    return None


def changes(before, after):
    """The tables whose rows are not what they were."""
    return sorted(table for table in before.keys() | after.keys() if before.get(table) != after.get(table))


def leaks(canaries, places):
    """(canary, place) for each text or bytes in which a secret is found."""
    found = []
    for place, content in places.items():
        content = content.encode() if isinstance(content, str) else content
        found += [(name, place) for name, secret in canaries.items() if secret.encode() in content]
    return found


def self_test():
    """(what, whether it is refused) for each sample; two of them are good and must pass."""
    good = Answer("MR005", "enqueue: bad kind", "Allowed for kind: …", "PL/pgSQL function millrace.admit(text)")
    usage = Ran(USAGE, b"", b"error: unknown flag --x\n  hint: millrace help jobs\n")

    def sql(**wrong):
        return sql_complaint(good._replace(**wrong), "MR005", "bad kind") is not None

    def cli(**wrong):
        return cli_complaint(usage._replace(**wrong), USAGE, "unknown flag") is not None

    leaky = Answer("22008", "timestamp out of range", "", "PL/pgSQL function millrace.admit(text) line 1")
    return [
        ("a good refusal passes", not sql()),
        ("an internal error", sql(sqlstate="XX000")),
        ("an error of another kind", sql(sqlstate="MR003")),
        ("an error without a hint", sql(hint="")),
        ("an error that names another argument", sql(message="enqueue: bad queue")),
        ("an error that repeats a long argument", sql(message="bad kind " + "x" * 1000)),
        ("a call that is accepted", sql(sqlstate=None)),
        ("an error from inside a function", sql_complaint(leaky, "22008", "") is not None),
        ("a constraint violation", sql_complaint(Answer("23502", "null value"), "23502", "") is not None),
        ("a refusal of what is legal", sql_complaint(good, None, "") is not None),
        ("a good complaint passes", not cli()),
        ("another exit status", cli(status=FAILED)),
        ("a crash", cli(status=-11)),
        ("a complaint without a hint", cli(err=b"error: unknown flag --x\n")),
        ("a complaint of several lines", cli(err=b"error: unknown flag a\nb\nc\n  hint: help\n")),
        ("an escape sequence", cli(err=b"error: unknown flag \x1b[2J\n  hint: help\n")),
        ("a complaint that is not UTF-8", cli(err=b"error: unknown flag \xff\n  hint: help\n")),
        ("a complaint without end", cli(err=b"error: unknown flag " + b"x" * 9999 + b"\n  hint: help\n")),
        ("a sanitizer's report", cli(err=usage.err + b"==1==ERROR: AddressSanitizer: heap\n")),
        ("a changed checksum", changes({"a": "1", "b": "2"}, {"a": "1", "b": "3"}) == ["b"]),
        ("a table that is gone", changes({"a": "1"}, {}) == ["a"]),
        ("equal checksums pass", changes({"a": "1"}, {"a": "1"}) == []),
        ("a leaked canary", leaks({"password": "secret"}, {"log": "x secret y", "page": b""}) == [("password", "log")]),
    ]
