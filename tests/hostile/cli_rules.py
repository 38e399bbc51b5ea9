"""Bad command lines, settings, files and lines of JSON. Every flag and every setting that the help names has its cases.

A case is (words or text, exit status, word of the complaint).
"""

from judge import FAILED, NOTHING, USAGE
from values import TEXTS

NO_NUMBERS = ["", "abc", "-1", "1.5", "1e3", "0x1", " 1", "1 ", "+1", "99999999999999999999", "2147483648", "１", "NaN",
              "inf", "1\n", "$(id)", "1;2", "1\x1b[2J", b"\xff", "-"]
NO_DURATIONS = ["", "abc", "-1s", "1", "1.5s", "1 s", "1S", "1m", "1w", "99999999999999999999s", "100001d", "1e3s", "s",
                "1s\n", "1h30min", "inf", "１s", "1s;id", b"1\xff", "1s\x1b[2J"]
NO_CHOICES = ["", "x", "ON", "on ", "on,off", "none\n", "\x1b[2J", b"\xff", "json;id", "d\u0435bug"]

# A text that the command line can carry: no zero byte, less than the system's limit for one word.
WORDS = {label: text for label, text in TEXTS.items() if len(text.encode()) < 100000}
MALFORMED_JSON = ["{", "{'a': 1}", "[1,]", "NaN", "{} {}", "01", '"\\ud800"', '"\\x41"', '"a\nb"', '{"a" 1}', "tru",
                  b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\x80"', "\x1b[2J", '{"a": 1', "]", "Infinity", "-", '"', "nul",
                  "+1", ".5"]


def refused(values, flag, *words, status=USAGE, word=None):
    return [([*words, f"--{flag}=".encode() + (value if isinstance(value, bytes) else value.encode())], status,
             f"--{flag}" if word is None else word) for value in values]


def number(flag, *words, outside=()):
    return refused([*NO_NUMBERS, *map(str, outside)], flag, *words)


def duration(flag, *words):
    return refused(NO_DURATIONS, flag, *words)


def switch(flag, *words):
    return refused(["", "1", "true", "no"], flag, *words, word="takes no value") + [
        ([*words, f"--{flag}", f"--{flag}"], USAGE, "given twice")]


def value_of(flag, *words):
    """What is wrong with the flag itself."""
    return [([*words, f"--{flag}"], USAGE, "needs a value"),
            ([*words, f"--{flag}=1", f"--{flag}=1"], USAGE, "given twice")]


ENQUEUE = ("enqueue", "mail", "noop")
UNIQUE = (*ENQUEUE, "{}", "--unique-key=k")
MANY = ("jobs", "cancel", "--queue=mail")
CREATE = ("queues", "create", "fresh")
LIMIT = ("queues", "limit", "mail", "customer/7", "2")
SCHEDULE = ("schedules", "create", "fresh", "@daily", "mail", "noop")
GATE = ("pipeline", "gate", "mono/main", "head-1")
EMAILS, PREVIEW = ("notify", "emails"), ("notify", "preview", "cl.comment.created")
BAD_TIMES = ["", "abc", "2026-02-30", "294277-01-01", "25:00", "'; drop table x; --", "NaN", b"\xff"]

# command: {flag: cases}; "" stands for the words of the command.
MAILER = ["--smtp-url=smtp://127.0.0.1:1", "--smtp-from=a@example.org", "--smtp-security=none"]

FLAGS = {
    "enqueue": {
        "priority": number("priority", *ENQUEUE, outside=(10,)) + value_of("priority", *ENQUEUE),
        "run-at": (refused(BAD_TIMES, "run-at", *ENQUEUE, status=FAILED, word="")
                   + refused(["infinity", "2200-01-01"], "run-at", *ENQUEUE, status=FAILED, word="bad run_at")),
        "delay": duration("delay", *ENQUEUE) + refused(["5000d"], "delay", *ENQUEUE, status=FAILED, word="bad delay"),
        "max-attempts": number("max-attempts", *ENQUEUE, outside=(0, 1001)),
        "timeout": duration("timeout", *ENQUEUE) + refused(["0s", "31d"], "timeout", *ENQUEUE, status=FAILED,
                                                           word="bad timeout"),
        "concurrency-key": refused(["", "k" * 201], "concurrency-key", *ENQUEUE, status=FAILED,
                                   word="bad concurrency_key")
        + refused([b"\xff"], "concurrency-key", *ENQUEUE, status=FAILED, word="invalid byte sequence"),
        "traceparent": refused(["", "x", "00-" + "G" * 32 + "-" + "0" * 16 + "-01"], "traceparent", *ENQUEUE,
                               status=FAILED, word="bad traceparent")
        + refused([b"\xff"], "traceparent", *ENQUEUE, status=FAILED, word="invalid byte sequence"),
        "expires-at": (refused(BAD_TIMES, "expires-at", *ENQUEUE, status=FAILED, word="")
                       + refused(["infinity", "2000-01-01"], "expires-at", *ENQUEUE, status=FAILED,
                                 word="bad expires_at")),
        "unique-key": refused(["", "k" * 201], "unique-key", *ENQUEUE, "{}", status=FAILED, word="bad unique_key")
        + refused([b"\xff"], "unique-key", *ENQUEUE, "{}", status=FAILED, word="invalid byte sequence")
        + [([*ENQUEUE, "-", "--unique-key=k"], USAGE, "is for one job")],
        "unique-until": refused(["", "x", "STARTED", "finished ", "st\u0430rted"], "unique-until", *UNIQUE,
                                word="unknown time for --unique-until")
        + [([*ENQUEUE, "--unique-until=started"], USAGE, "goes with --unique-key")],
        "unique-for": duration("unique-for", *UNIQUE)
        + refused(["0s", "5000d"], "unique-for", *UNIQUE, status=FAILED, word="bad unique_for")
        + refused(["1s"], "unique-for", *UNIQUE, "--unique-until=started", status=FAILED, word="bad unique_for")
        + [([*ENQUEUE, "--unique-for=1s"], USAGE, "goes with --unique-key")],
        "replaces": refused(["", "x", "payload,", "payload,PRIORITY", "{payload}", "\x1b[2J"], "replaces", *UNIQUE,
                            word="unknown part for --replaces")
        + [([*ENQUEUE, "--replaces=payload"], USAGE, "goes with --unique-key")],
        "json": switch("json", *ENQUEUE),
        "check": switch("check", *ENQUEUE),
        "": [(["enqueue"], USAGE, "needs a queue"), (["enqueue", "mail"], USAGE, "needs a queue"),
             (["enqueue", "mail", "a", "{}", "x"], USAGE, "needs a queue"),
             (["enqueue", "mail", "noop", "--no-such"], USAGE, "unknown flag"),
             (["enqueue", b"\xff", "noop"], FAILED, "invalid byte sequence"),
             (["enqueue", "mail", b"\xff"], FAILED, "invalid byte sequence"),
             (["enqueue", "mail", ""], FAILED, "bad kind"), (["enqueue", "mail", "k" * 101], FAILED, "bad kind"),
             ([*ENQUEUE, "[" * 60000 + "]" * 60000], FAILED, "stack depth"),
             ([*ENQUEUE, '"\\u0000"'], FAILED, "Unicode"),
             (["enqueue", "small", "noop", '"' + "x" * 100 + '"'], FAILED, "too large"),
             *(([*ENQUEUE, text], USAGE, "not JSON") for text in ["", *MALFORMED_JSON] if text != "-")],
    },
    "jobs": {
        "queue": refused([b"\xff"], "queue", "jobs", status=FAILED, word="invalid byte sequence")
        + refused([""], "queue", "jobs", "cancel", "--yes", word="--queue is empty"),
        "kind": refused([b"\xff"], "kind", "jobs", status=FAILED, word="invalid byte sequence")
        + refused([""], "kind", "jobs", "cancel", "--yes", word="--kind is empty"),
        "state": refused(["x", "RUNNING", "running ", "run\x1b[2J", "'", "r\u0443nning"], "state", "jobs",
                         word="unknown state")
        + refused([""], "state", "jobs", "replay", "--yes", word="--state is empty")
        + refused(["completed", "discarded"], "state", *MANY, status=FAILED, word="bad filter"),
        "error": refused([""], "error", *MANY, word="--error is empty")
        + refused(["e" * 1001], "error", *MANY, status=FAILED, word="bad filter"),
        "older-than": duration("older-than", *MANY) + refused(["5000d"], "older-than", *MANY, status=FAILED,
                                                             word="bad filter"),
        "newer-than": duration("newer-than", *MANY) + refused(["5000d"], "newer-than", *MANY, status=FAILED,
                                                             word="bad filter"),
        "max": number("max", *MANY, "--all", outside=(0, 1000000001)), "all": switch("all", "jobs", "cancel", "--queue=mail"),
        "limit": number("limit", "jobs", outside=(0, 100001)),
        "yes": switch("yes", "jobs"), "dry-run": switch("dry-run", "jobs"), "json": switch("json", "jobs"),
        "": [(["jobs", "drop"], USAGE, "unknown verb"), (["jobs", "LIST"], USAGE, "unknown verb"),
             (["jobs", "list", "1"], USAGE, "takes filters"), (["jobs", "show"], USAGE, "one job's number"),
             (["jobs", "show", "1", "2"], USAGE, "one job's number"), (["jobs", "explain"], USAGE, "one job's number"), (["jobs", "show", "999999999"], NOTHING, ""),
             (["jobs", "cancel"], USAGE, "needs job numbers"),
             (["jobs", "cancel", "1", "--queue", "mail"], USAGE, "needs"),
             (["jobs", "cancel", "--queue", "mail"], USAGE, "needs --queue"),
             (["jobs", "cancel", "--all"], USAGE, "needs --queue"), (["jobs", "discard", "1"], USAGE, "needs --queue"),
             (["jobs", "cancel", "--queue", "nowhere", "--all"], FAILED, "unknown queue"),
             (["jobs", "cancel", "999999999"], NOTHING, ""), (["jobs", "replay", "999999999"], NOTHING, ""),
             (["jobs", "retry", "<done>"], FAILED, None), (["jobs", "cancel", "<done>"], FAILED, None),
             *((["jobs", verb, number], USAGE, "not a job's number") for verb in ("show", "explain", "cancel", "retry", "replay",
                                                                                "discard")
               for number in NO_NUMBERS if number not in ("2147483648",))],
    },
    "queues": {
        "max-attempts": number("max-attempts", *CREATE, outside=(0, 1001)),
        "timeout": duration("timeout", *CREATE) + refused(["0s", "31d"], "timeout", *CREATE, status=FAILED,
                                                          word="bad timeout"),
        "retry-base": duration("retry-base", *CREATE) + refused(["0s", "2d"], "retry-base", *CREATE, status=FAILED,
                                                                word="bad retry_base"),
        "retry-cap": duration("retry-cap", *CREATE) + refused(["1ms", "31d"], "retry-cap", *CREATE, status=FAILED,
                                                              word="bad retry_cap"),
        "max-payload-bytes": number("max-payload-bytes", *CREATE, outside=(1, 67108865)),
        "retention": duration("retention", *CREATE) + refused(["1h", "4000d"], "retention", *CREATE, status=FAILED,
                                                              word="bad retention"),
        "max-running": number("max-running", *CREATE, outside=(0, 1000001)),
        "key-limit": number("key-limit", *CREATE, outside=(0, 1000001)),
        "over": duration("over", "queues", "list") + refused(["0s", "99ms", "61min"], "over", "queues", "list"),
        "rate": value_of("rate", *LIMIT) + refused(["", "14", "0 per second", "2 per week", "2  per day", "\x1b[2J"],
                                                   "rate", *LIMIT, status=FAILED, word="bad rate")
        + refused([b"\xff"], "rate", *LIMIT, status=FAILED, word="invalid byte sequence"),
        "burst": number("burst", *LIMIT, "--rate=1 per day", outside=(0, 100001))
        + refused(["2"], "burst", *LIMIT, status=FAILED, word="bad burst"),
        "json": switch("json", "queues"),
        "": [(["queues", "limit"], USAGE, "needs a queue, a key"), (["queues", "limit", "mail"], USAGE, "needs a queue"),
             (["queues", "limits", "mail", "work"], USAGE, "one queue at most"), (["queues", "list", "mail"], USAGE, "no names"),
             (["queues", "limits", "nowhere"], NOTHING, "no such queue"),
             (["queues", "limit", "nowhere", "k", "1"], FAILED, "unknown queue"),
             *((["queues", "limit", "mail", key, "1"], FAILED, "bad key") for key in ("", "k" * 201)),
             (["queues", "limit", "mail", b"\xff", "1"], FAILED, "invalid byte sequence"),
             *((["queues", "limit", "mail", "k", limit], USAGE, "write a whole number")
               for limit in (*(number for number in NO_NUMBERS if isinstance(number, str)), "0", "1000001", "None")),
             (["queues", "create"], USAGE, "needs a name"), (["queues", "drop"], USAGE, "unknown verb"),
             (["queues", "create", b"\xff"], FAILED, "invalid byte sequence"),
             (["queues", "create", "mail"], FAILED, "exists"),
             (["queues", "pause"], USAGE, "needs a name"), (["queues", "resume"], USAGE, "needs a name"),
             (["queues", "set"], USAGE, "needs a name"), (["queues", "set", "mail"], USAGE, "needs a name"),
             *((["queues", "set", "mail", word], USAGE, "SETTING=VALUE") for word in ("", "=", "=1", "max_running")),
             (["queues", "set", "mail", "no_such=1"], FAILED, "no setting"),
             (["queues", "set", "mail", "max_running=0"], FAILED, "bad max_running"),
             (["queues", "set", "mail", "max_running=ten"], FAILED, "bad changes"),
             (["queues", "set", "mail", "rate=14"], FAILED, "bad rate"),
             (["queues", "set", "mail", "rate=1 per day", "burst=0"], FAILED, "bad burst"),
             (["queues", "set", "mail", "key_limit=none"], FAILED, "bad key_limit"),
             (["queues", "set", "mail", "max_attempts=3", "timeout=-1s"], FAILED, "bad timeout")],
    },
    "kinds": {
        "json": switch("json", "kinds"),
        "": [(["kinds", "drop"], USAGE, "unknown verb"), (["kinds", "list", "noop"], USAGE, "takes no kinds"),
             (["kinds", "pause"], USAGE, "needs a kind"), (["kinds", "resume"], USAGE, "needs a kind"),
             (["kinds", "pause", ""], FAILED, "bad kind"), (["kinds", "resume", "k" * 101], FAILED, "bad kind"),
             (["kinds", "set"], USAGE, "needs a kind"), (["kinds", "set", "noop"], USAGE, "needs a kind"),
             *((["kinds", "set", "noop", word], USAGE, "SETTING=VALUE") for word in ("", "=", "=1", "timeout")),
             (["kinds", "set", "noop", "no_such=1"], FAILED, "no setting"),
             (["kinds", "set", "noop", "max_attempts=0"], FAILED, "bad max_attempts"),
             (["kinds", "set", "noop", "max_attempts=ten"], FAILED, "bad changes"),
             (["kinds", "set", "noop", "retry_delays=10 s"], FAILED, "bad changes"),
             (["kinds", "set", "noop", "max_attempts=3", "timeout=-1s"], FAILED, "bad timeout"),
             (["kinds", "set", b"\xff", "max_attempts=3"], FAILED, "invalid byte sequence")],
    },
    "schedules": {
        "time-zone": refused(["", "CET", "UTC+3", "europe/berlin", "../../etc/passwd", "'"], "time-zone", *SCHEDULE,
                             status=FAILED, word="bad time_zone")
        + refused([b"\xff"], "time-zone", *SCHEDULE, status=FAILED, word="invalid byte sequence"),
        "misfire": refused(["", "x", "ALL", "once ", "all\x1b[2J", "\u0430ll"], "misfire", *SCHEDULE,
                           word="unknown misfire"),
        "jitter": duration("jitter", *SCHEDULE) + refused(["25h"], "jitter", *SCHEDULE, status=FAILED,
                                                          word="bad jitter"),
        "due-key": refused(["", "k" * 101], "due-key", *SCHEDULE, status=FAILED, word="bad due_key")
        + refused([b"\xff"], "due-key", *SCHEDULE, status=FAILED, word="invalid byte sequence"),
        "priority": number("priority", *SCHEDULE, outside=(10,)),
        "max-attempts": number("max-attempts", *SCHEDULE, outside=(0, 1001)),
        "timeout": duration("timeout", *SCHEDULE) + refused(["0s", "31d"], "timeout", *SCHEDULE, status=FAILED,
                                                            word="bad timeout"),
        "next": number("next", "schedules", "show", "yearly", outside=(0, 1001)), "json": switch("json", "schedules"),
        "": [(["schedules", "drop"], USAGE, "unknown verb"), (["schedules", "list", "yearly"], USAGE, "takes no names"),
             (["schedules", "show"], USAGE, "one schedule's name"),
             (["schedules", "show", "yearly", "x"], USAGE, "one schedule's name"),
             (["schedules", "show", "yearl"], NOTHING, ""), (["schedules", "show", "none"], NOTHING, ""),
             *((["schedules", verb], USAGE, "needs a name") for verb in ("pause", "resume", "run", "remove")),
             *((["schedules", verb, "yearl"], FAILED, "unknown schedule 'yearl'")
               for verb in ("pause", "resume", "run", "remove")),
             (["schedules", "create", "fresh", "@daily", "mail"], USAGE, "schedules create needs"),
             ([*SCHEDULE, "{}", "x"], USAGE, "schedules create needs"),
             (["schedules", "create", "fresh", "0", "0", "*", "*", "*"], USAGE, "needs a name"),
             (["schedules", "create", "fresh", "60 * * * *", "mail", "noop"], FAILED, "bad cron"),
             (["schedules", "create", "fresh", "", "mail", "noop"], FAILED, "bad cron"),
             (["schedules", "create", "fresh", "@daily", "nowhere", "noop"], FAILED, "unknown queue"),
             (["schedules", "create", "fresh", "@daily", "mail", ""], FAILED, "bad kind"),
             *(([*SCHEDULE, text], USAGE, "not JSON") for text in ["", *MALFORMED_JSON] if text != "-")],
    },
    "schemas": {
        "json": switch("json", "schemas"),
        "": [(["schemas", "drop"], USAGE, "unknown verb"), (["schemas", "list", "noop"], USAGE, "takes no kinds"),
             (["schemas", "show"], USAGE, "needs one kind"), (["schemas", "show", "a", "b"], USAGE, "needs one kind"),
             (["schemas", "show", "none"], NOTHING, ""), (["schemas", "remove", "none"], NOTHING, ""),
             (["schemas", "remove"], USAGE, "needs one kind"), (["schemas", "set", "noop"], USAGE, "a kind and a file"),
             (["schemas", "check"], USAGE, "needs one file"), (["schemas", "remove", "a", "b"], USAGE, "needs one kind"),
             *((["schemas", verb, *kind, file], USAGE, word)
               for verb, kind in (("check", ()), ("set", ("noop",)))
               for file, word in (("/no/such", "cannot read"), ("", "cannot read"), ("/", "cannot read"),
                                  ("/dev/zero", "longer than"), ("\x1b[2J", "cannot read"))),
             (["schemas", "check", "/dev/null"], FAILED, "not JSON"), (["schemas", "check", "-"], FAILED, "not JSON"),
             (["schemas", "set", "noop", "/dev/null"], FAILED, "not JSON"),
             (["schemas", "set", b"\xff", "/dev/null"], FAILED, "not JSON")],
    },
    "notify": {
        "user": value_of("user", *EMAILS) + refused([b"\xff"], "user", *EMAILS, status=FAILED,
                                                    word="invalid byte sequence"),
        "type": value_of("type", *EMAILS) + refused([b"\xff"], "type", *EMAILS, status=FAILED,
                                                    word="invalid byte sequence"),
        "status": value_of("status", *EMAILS) + refused(["", "SENT", "sent ", "lost", "s\u0435nt"], "status", *EMAILS,
                                                        status=FAILED, word="bad status"),
        "limit": number("limit", *EMAILS, outside=(0, 10001)),
        "locale": value_of("locale", *PREVIEW) + refused(["", "none", "../en"], "locale", *PREVIEW, status=NOTHING,
                                                         word=""),
        "data": value_of("data", *PREVIEW) + refused(["", "[]", "1", "null", *MALFORMED_JSON], "data", *PREVIEW,
                                                     word="--data"),
        "to": [(["notify", "send-test", "--to"], USAGE, "needs a value"),
               *((["notify", "send-test", "--to", to, *MAILER], USAGE, word)
                 for to, word in (("", "has no @"), ("x", "has no @"), ("a@b\r\nBcc: c@d", "the address"),
                                  ("a@b>", "the address"), ("ä@b", "the address"), (b"\xff@b", "the address"),
                                  (b"a@\xff", "the address"), ("a@b,c@d", "the address"))),
               (["notify", "send-test", "--to=a@b", *MAILER], FAILED, "delivers nothing for us")],
        "json": switch("json", *EMAILS),
        "yes": switch("yes", "notify", "erase", "ada"),
        "reason": [(["notify", "suppress", "a@b.org", "--reason"], USAGE, "needs a value"),
                   *((["notify", "suppress", "a@b.org", f"--reason={text}"], FAILED, "bad reason")
                     for text in ("", "r" * 501)),
                   (["notify", "suppress", "a@b.org", b"--reason=\xff"], FAILED, "invalid byte sequence")],
        "": [*((["notify", verb, *words], USAGE, f"needs one {what}")
               for verb, what in (("suppress", "address"), ("unsuppress", "address"), ("erase", "user"))
               for words in ([], ["a@b.org", "c@d.org"])),
             *((["notify", "suppress", address], FAILED, "bad address")
               for address in ("", "x", "a@b@c", "a@b\r\nBcc: c@d", "Ada <a@b.org>")),
             (["notify", "suppressed", "x"], USAGE, "takes no words"), (["notify", "erase", ""], FAILED, "bad username"),
             (["notify", "erase", "--yes", "a\nb"], FAILED, "bad username"),
             (["notify", "unsuppress", "nobody@example.org"], NOTHING, ""), (["notify", "suppressed"], NOTHING, ""),
             (["notify"], USAGE, "needs a verb"), (["notify", "send"], USAGE, "unknown verb"),
             (["notify", "send-test"], USAGE, "--to"), (["notify", "send-tset"], USAGE, "send-test"),
             (["notify", "send-test", "a@b"], USAGE, "takes no words"),
             (["notify", "send-test", "--to=a@b"], USAGE, "smtp.url"),
             (["notify", "types", "x"], USAGE, "takes no words"), ([*EMAILS, "x"], USAGE, "takes no words"),
             (["notify", "preview"], USAGE, "needs one event type"),
             ([*PREVIEW, "x"], USAGE, "needs one event type"), (["notify", "preview", "none"], NOTHING, "")],
    },
    "forks": {
        "dry-run": switch("dry-run", "forks", "import", "/dev/null"), "preview": switch("preview", "forks", "digest", "1"),
        "html": switch("html", "forks", "digest", "1"), "json": switch("json", "forks"),
        "limit": number("limit", "forks", "runs", outside=(0, 1001)),
        "": [(["forks", "drop"], USAGE, "unknown verb"), (["forks", "list", "acme/site"], USAGE, "takes no words"),
             (["forks", "import"], USAGE, "needs one file"), (["forks", "import", "a", "b"], USAGE, "needs one file"),
             *((["forks", verb], USAGE, "one run's number") for verb in ("show", "cancel", "resume", "digest")),
             *((["forks", verb, number], USAGE, "not a run's number") for verb in ("show", "cancel", "resume", "digest")
               for number in NO_NUMBERS if number != "2147483648"),
             (["forks", "show", "999999999"], NOTHING, ""), (["forks", "digest", "999999999"], NOTHING, ""),
             (["forks", "digest", "<busy_run>"], NOTHING, ""),
             (["forks", "cancel", "999999999"], FAILED, "unknown run"),
             (["forks", "cancel", "<done_run>"], FAILED, "has finished"),
             (["forks", "resume", "<busy_run>"], FAILED, "has not finished"),
             (["forks", "start"], USAGE, "one group"),
             (["forks", "start", "none", "--dry-run"], FAILED, "unknown digest group"), (["forks", "start", "busy"], FAILED, "is active"),
             (["forks", "sync"], USAGE, "needs a fork"), (["forks", "sync", "acme/site", "next"], FAILED, "bad branch"),
             (["forks", "enable"], USAGE, "the names of forks"), (["forks", "disable", "acme/none"], FAILED, "unknown fork"),
             *((["forks", "import", file], USAGE, word)
               for file, word in (("/no/such", "cannot read"), ("", "cannot read"), ("/", "cannot read"),
                                  ("/dev/zero", "longer than")))],
    },
    "pipeline": {
        "queue": value_of("queue", "pipeline", "log", "command/1")
        + refused(["", "nowhere"], "queue", "pipeline", "log", "command/1", status=NOTHING, word="no build")
        + refused([b"\xff"], "queue", "pipeline", "log", "command/1", status=FAILED, word="invalid byte sequence"),
        "follow": switch("follow", "pipeline", "log", "command/9"),
        "dry-run": switch("dry-run", "pipeline", "apply", "/dev/null"), "json": switch("json", "pipeline"),
        "wait": switch("wait", *GATE), "limit": number("limit", "pipeline", "status", "mono/main", outside=(0, 1001)),
        "timeout": duration("timeout", *GATE, "--wait") + [([*GATE, "--timeout=1s"], USAGE, "goes with --wait")],
        "max-age": duration("max-age", *GATE) + refused(["0s"], "max-age", *GATE, status=FAILED, word="bad max_age"),
        "project": value_of("project", *GATE)
        + refused([b"\xff"], "project", *GATE, status=FAILED, word="invalid byte sequence"),
        "reason": value_of("reason", "pipeline", "revalidate", "mono/main", "head-1")
        + refused(["", "r" * 1001], "reason", "pipeline", "revalidate", "mono/main", "head-1", status=FAILED,
                  word="bad reason"),
        "": [(["pipeline", "log"], USAGE, "needs a build"), (["pipeline", "log", "a", "b"], USAGE, "takes one build"),
             (["pipeline", "log", ""], USAGE, "takes one build"), (["pipeline", "log", "none"], NOTHING, "no build"),
             (["pipeline", "log", b"\xff"], FAILED, "invalid byte sequence"),
             (["pipeline", "drop"], USAGE, "unknown verb"), (["pipeline", "status", "a", "b"], USAGE, "one pipeline queue"),
             (["pipeline", "status", "nowhere"], NOTHING, ""), (["pipeline", "export", "x"], USAGE, "takes no words"),
             (["pipeline", "gate", "mono/main"], USAGE, "a pipeline queue and a commit"),
             (["pipeline", "gate", "nowhere", "u"], FAILED, "unknown pipeline queue"),
             (["pipeline", "gate", "mono/main", ""], FAILED, "bad commit"),
             (["pipeline", "revalidate", "mono/main", "head-1"], USAGE, "needs --reason"),
             (["pipeline", "revalidate", "mono/main", "none", "--reason=why"], FAILED, "bad uri"),
             (["pipeline", "revalidate", "mono/main", "head-1", "--reason=why"], FAILED, "is being validated"),
             (["pipeline", "apply"], USAGE, "needs one file"),
             *((["pipeline", "apply", file], USAGE, word)
               for file, word in (("/no/such", "cannot read"), ("", "cannot read"), ("/", "cannot read"),
                                  ("/dev/zero", "longer than")))],
    },
    "migrate": {
        "dry-run": switch("dry-run", "migrate"), "json": switch("json", "migrate"),
        "": [(["migrate", "up", "now"], USAGE, "takes no words")],
    },
    "adopt": {"json": switch("json", "adopt"), "": [(["adopt", "--force"], USAGE, "unknown flag")]},
    "doctor": {"json": switch("json", "doctor"), "": [(["doctor", "--force"], USAGE, "unknown flag")]},
    "top": {
        "interval": duration("interval", "top") + refused(["0s", "99ms", "61min"], "interval", "top"),
        "once": switch("once", "top"), "json": switch("json", "top"),
        "": [(["top", "--force"], USAGE, "unknown flag")],
    },
    "completion": {"": [(["completion"], USAGE, "needs a shell"), (["completion", "fish"], USAGE, "unknown verb"),
                        (["completion", "bash", "zsh"], USAGE, "takes no words"),
                        (["completion", "words", "--", b"\xff", b"\xff"], NOTHING, ""),
                        (["completion", "words", "--", "queues", "pause", b"\xff"], NOTHING, ""),
                        (["completion", "words", "--", "--database-url=x", "queues", "pause", ""], FAILED,
                         "bad connection string")]},
    "worker": {
        "check": switch("check", "worker", "--queue=mail")
        + [(["worker", "--check", "--queue=nowhere"], FAILED, "unknown queue")],
        "json": switch("json", "worker", "--queue=mail", "--check")
        + [(["worker", "--queue=mail", "--json"], USAGE, "goes with --check")],
        "config": [(["worker", "--config"], USAGE, "no value")],  # and what config_area tries
        "": [(["worker"], USAGE, "no queue"), (["worker", "--check"], USAGE, "no queue"),
             (["worker", "--queue=mail", "--no-such=1"], USAGE, "unknown flag")],
    },
    "serve": {
        "config": [(["serve", "--config"], USAGE, "no value")],
        "": [(["serve"], USAGE, "nowhere to serve"), (["serve", "--http-listen=127.0.0.1:1"], USAGE, "nothing to serve"),
             (["serve", "--no-such=1"], USAGE, "unknown flag")],
    },
    "help": {"": [(["help", "me"], USAGE, "unknown command")]},
}

# verb: what comes behind it, and the flags that it does something with. Every other flag of its command it refuses: who
# gives it believes in an effect.
CHANGE = ("1", "queue kind state error older-than newer-than all max yes dry-run json")
VERBS = {
    "jobs": {"list": ("", "queue kind state error older-than newer-than limit json"), "show": ("1", "json"),
             "explain": ("1", "json"), "cancel": CHANGE, "retry": CHANGE, "replay": CHANGE, "discard": CHANGE},
    "queues": {"list": ("", "over json"), "limits": ("mail", "json"), "limit": ("mail k 1", "rate burst json"), "set": ("mail key_limit=2", "json"), "pause": ("mail", "json"),
               "resume": ("mail", "json"),
               "create": ("fresh", "max-attempts timeout retry-base retry-cap max-payload-bytes retention max-running"
                                   " key-limit json")},
    "kinds": {"list": ("", "json"), "set": ("noop max_attempts=3", "json"), "pause": ("noop", "json"),
              "resume": ("noop", "json")},
    "schedules": {"list": ("", "json"), "show": ("yearly", "next json"), "pause": ("yearly", "json"),
                  "resume": ("yearly", "json"), "run": ("yearly", "json"), "remove": ("yearly", "json"),
                  "create": ("fresh @daily mail noop",
                             "time-zone misfire jitter due-key priority max-attempts timeout json")},
    "schemas": {"list": ("", "json"), "show": ("noop", "json"), "check": ("/dev/null", "json"),
                "set": ("noop /dev/null", "json"), "remove": ("noop", "json")},
    "notify": {"types": ("", "json"), "emails": ("", "user type status limit json"), "erase": ("ada", "yes json"),
               "preview": ("cl.comment.created", "locale data json"), "suppress": ("a@b.org", "reason json"),
               "unsuppress": ("a@b.org", "json"), "suppressed": ("", "limit json"), "send-test": ("", "to json")},
    "forks": {"list": ("", "json"), "import": ("/dev/null", "dry-run json"), "export": ("", ""),
              "enable": ("acme/site", "json"), "disable": ("acme/site", "json"), "sync": ("acme/site", "json"),
              "start": ("busy", "dry-run json"), "runs": ("", "limit json"), "show": ("1", "json"),
              "cancel": ("1", "json"), "resume": ("1", "json"), "digest": ("1", "preview html json")},
    "pipeline": {"status": ("", "limit json"), "apply": ("/dev/null", "dry-run json"), "export": ("", ""),
                 "gate": ("mono/main head-1", "project wait timeout max-age json"),
                 "revalidate": ("mono/main head-1", "reason json"), "log": ("command/1", "queue follow")},
    "migrate": {"up": ("", "dry-run json"), "status": ("", "json")},
    "completion": {"bash": ("", ""), "zsh": ("", ""), "words": ("", "")},
}
SWITCHES = {"all", "dry-run", "follow", "html", "json", "preview", "wait", "yes"}


def foreign_flags(command):
    """Every flag of a command with every verb that does nothing with it."""
    return [([command, verb, *words.split(), f"--{flag}" if flag in SWITCHES else f"--{flag}=1"], USAGE,
             f"does nothing with --{flag}")
            for verb, (words, own) in VERBS.get(command, {}).items()
            for flag in FLAGS[command] if flag and flag not in own.split()]


FLAG_LIKE = {"a leading dash", "an option"}

# Where one word of WORDS stands, status, complaint, the labels of those that are fine there. Each word is tried in
# every third place; which ones, the seed says.
WORD_PLACES = {
    "millrace WORD": (["{}"], USAGE, "unknown command", FLAG_LIKE | {"empty"}),
    "millrace help WORD": (["help", "{}"], USAGE, "unknown command", FLAG_LIKE),
    "millrace enqueue WORD": (["enqueue", "--", "{}", "noop"], FAILED, "unknown queue", set()),
    "millrace jobs WORD": (["jobs", "--", "{}"], USAGE, "unknown verb", set()),
    "millrace jobs show WORD": (["jobs", "show", "--", "{}"], USAGE, "not a job's number", {"a number"}),
    "millrace jobs cancel --queue=WORD": (["jobs", "cancel", "--all", "--queue={}"], FAILED, "unknown queue", {"empty"}),
    "millrace jobs list --kind=WORD": (["jobs", "list", "--queue=none", "--kind={}"], NOTHING, "", {"empty"}),
    "millrace queues create WORD": (["queues", "create", "--", "{}"], FAILED, "bad name",
                                    {"48 letters", "the word null", "a number", "a lock", "a range", "a commit",
                                     "a short commit"}),
    "millrace pipeline log WORD": (["pipeline", "log", "--", "{}"], NOTHING, "no build", {"empty"}),
    "millrace queues pause WORD": (["queues", "pause", "--", "{}"], FAILED, "unknown queue", set()),
    "millrace queues limits WORD": (["queues", "limits", "--", "{}"], NOTHING, "", set()),
    "millrace queues limit WORD": (["queues", "limit", "--", "{}", "k", "1"], FAILED, "unknown queue", set()),
    "millrace queues set WORD": (["queues", "set", "--", "{}", "key_limit=1"], FAILED, "unknown queue", set()),
    "millrace kinds WORD": (["kinds", "--", "{}"], USAGE, "unknown verb", set()),
    "millrace schedules WORD": (["schedules", "--", "{}"], USAGE, "unknown verb", set()),
    "millrace schedules create WORD": (["schedules", "create", "--", "{}", "@daily", "mail", "noop"], FAILED, "bad name",
                                       {"48 letters", "49 letters", "100 letters", "the word null", "a number",
                                        "a lock", "a range", "a commit", "a short commit"}),
    "millrace schedules pause WORD": (["schedules", "pause", "--", "{}"], FAILED, "unknown schedule", set()),
    "millrace schedules remove WORD": (["schedules", "remove", "--", "{}"], FAILED, "unknown schedule", set()),
    "millrace schedules show WORD": (["schedules", "show", "--", "{}"], NOTHING, "", set()),
    "millrace schemas WORD": (["schemas", "--", "{}"], USAGE, "unknown verb", set()),
    "millrace schemas show WORD": (["schemas", "show", "--", "{}"], NOTHING, "", set()),
    "millrace notify WORD": (["notify", "--", "{}"], USAGE, "unknown verb", set()),
    "millrace notify suppress WORD": (["notify", "suppress", "--", "{}"], FAILED, "bad address", set()),
    "millrace notify unsuppress WORD": (["notify", "unsuppress", "--", "{}"], NOTHING, "", set()),
    "millrace notify preview WORD": (["notify", "preview", "--", "{}"], NOTHING, "", set()),
    "millrace forks WORD": (["forks", "--", "{}"], USAGE, "unknown verb", set()),
    "millrace forks show WORD": (["forks", "show", "--", "{}"], USAGE, "not a run's number", {"a number"}),
    "millrace forks start WORD": (["forks", "start", "--", "{}"], FAILED, "unknown digest group", set()),
    "millrace forks sync WORD": (["forks", "sync", "--", "{}"], FAILED, "unknown fork", set()),
    "millrace pipeline WORD": (["pipeline", "--", "{}"], USAGE, "unknown verb", set()),
    "millrace pipeline gate WORD": (["pipeline", "gate", "--", "{}", "u"], FAILED, "unknown pipeline queue", set()),
    "millrace pipeline status WORD": (["pipeline", "status", "--", "{}"], NOTHING, "", set()),
    "millrace migrate WORD": (["migrate", "--", "{}"], USAGE, "unknown verb", set()),
    "millrace notify send-test --to=WORD": (["notify", "send-test", "--to={}", *MAILER], USAGE, "the address", set()),
    "millrace adopt WORD": (["adopt", "--", "{}"], USAGE, "takes no words", set()),
    "millrace top WORD": (["top", "--", "{}"], USAGE, "takes no words", set()),
    "millrace completion WORD": (["completion", "--", "{}"], USAGE, "unknown verb", set()),
    "millrace completion words WORD": (["completion", "words", "--", "{}"], NOTHING, "", {"empty"}),
    "millrace completion words queues pause WORD": (["completion", "words", "--", "queues", "pause", "{}"], NOTHING, "",
                                                    {"empty"}),
    "millrace doctor WORD": (["doctor", "--", "{}"], USAGE, "takes no words", set()),
    "millrace serve WORD": (["serve", "--", "{}"], USAGE, "takes no words", set()),
    "millrace worker WORD": (["worker", "--", "{}"], USAGE, "takes no words", set()),
}

NO_COMMANDS = [
    ([b"\xff\xfe"], USAGE, "unknown command"), (["--no-such"], USAGE, "unknown setting"),
    (["-x"], USAGE, "unknown setting"),
    (["--version=1"], USAGE, "unknown setting"), (["--log-level"], USAGE, "no value")]

MAIL_SERVER = {"smtp.url": "smtp://127.0.0.1:1", "smtp.from": "a@example.org", "smtp.security": "none"}
NO_URLS = ["", "http://x", "smtp:/x", "smtp://", "smtp://a b", "smtp://u:p@x", "smtp://x:0", "smtp://x:65536",
           "smtp://x:y",
           "smtp://x/path", "SMTP://x", "smtp://x\r\ny", "smtp://[::1", "-oProxy", "smtp://x:99999999999999999999"]
NO_ADDRESSES = ["", "x", "127.0.0.1", ":1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x", "[::1:1",
                "a b:1",
                "http://127.0.0.1:1", "127.0.0.1:1\n", "127.0.0.1:-1", "/tmp/socket", "OFF",
                "127.0.0.1:99999999999999999999"]
NO_QUEUES = ["", "Mail", "-x", "mail=", "mail=0", "mail=1001", "mail=-1", "mail=x", "mail=1=2", "a b", "q" * 49, "../x",
             "m\u0430il", "mail=99999999999999999999", "mail\n", "mail;id", b"\xff", "mail=1.5", "\x1b[2J"]
NO_SENDERS = ["", "x", "a b@c d", "a@b\r\nBcc: c@d", "a@b, c@d", "<a@b", "a@", "@b", "a@b\x00".replace("\x00", "\x01"),
              b"\xff@b"]

# setting: values that each of the three sources must refuse.
SETTINGS = {
    "worker.database": ["", "x", "=x", "x=", "X=y", "a b=x", "../x=y", "n" * 41 + "=x", "m\u0430il=x", b"\xff=x",
                        "\x1b[2J=x", "postgresql://h/d"],
    "worker.queue": NO_QUEUES, "worker.name": ["", "n" * 201, b"a\xffb"],
    "worker.prefetch": [*NO_NUMBERS, "10001"], "worker.lease": [*NO_DURATIONS, "999ms", "0s", "61min"],
    "worker.poll_interval": [*NO_DURATIONS, "9ms", "0s", "61min"], "worker.drain_timeout": [*NO_DURATIONS, "25h"],
    "worker.stop_grace": [*NO_DURATIONS, "0s", "99ms", "6min"],
    "worker.listen": NO_CHOICES, "worker.cache": ["", "relative", "./x", "~/x", "-x"], "http.listen": NO_ADDRESSES,
    "trace.endpoint": ["", "-x", "ftp://h/x", "http://", "http://h", "http://u:p@h/x", "http://h/a b", "http://h/x?y"],
    "trace.header": [], "trace.ca_file": [""],  # the header is a secret, likewise
    "log.format": NO_CHOICES, "log.level": NO_CHOICES, "smtp.url": NO_URLS, "smtp.security": NO_CHOICES,
    "smtp.username": [""], "smtp.password_file": ["", "/no/such", "/", "/dev/null"],
    "smtp.token_file": ["", "/no/such", "/", "/dev/null"], "smtp.ca_file": ["", "/no/such"],
    "smtp.from": NO_SENDERS, "smtp.helo": ["", "a b", "a\r\nMAIL FROM:<x>", "ä", "a;b", "a\x1b"],
    "smtp.connect_timeout": [*NO_DURATIONS, "999ms", "6min"], "smtp.total_timeout": [*NO_DURATIONS, "999ms", "31min"],
    "smtp.reply_timeout": [*NO_DURATIONS, "999ms", "61min"],
    "notify.redirect_all": [*NO_SENDERS, "Ada <a@b.org>"],
    "smtp.auth": NO_CHOICES,
    "smtp.token": [], "unsubscribe.secrets": [], "api.tokens": [], "dashboard.token": [],  # likewise
    "dashboard.serve": NO_CHOICES, "dashboard.payloads": NO_CHOICES,
    "dashboard.url": ["", "x", "http://a.b", "https://", "https://a b", "https://a/x", "https://u@h", "https://A.b",
                      "https://a:x", "https://-a", "https://a\n", b"\xff"],
    "dashboard.token_file": ["", "/no/such", "/", "/dev/null"],
    "unsubscribe.url": ["", "http://a.b", "https://", "https://a b", "https://a/?x", "https://a/<b>", "ftp://a.b"],
    "github.token_variable": ["", "lower", "A B", "A=B", "1A", "-A", "A" * 101, "A\n", "ghp_0123456789abcdef", b"\xff"],
    "github.ca_file": [""],
    "github.api_url": ["", "x", "http://example.org", "https://", "https://u:p@h", "https://h?x", "https://h#x",
                       "ftp://h", "https://h/a b", "https://h\n", "file:///etc/passwd", b"\xff"],
    "smtp.password": [],  # by what secrets_area tries: it is never taken from the command line
    "database.url": [""],  # and BAD_DATABASES
    "database.listen_url": [""],
}

BAD_DATABASES = [  # value, status, word; each is given in the environment
    ("x", FAILED, "bad connection string"), ("host", FAILED, "bad connection string"),
    ("no_such_option=1", FAILED, "bad connection string"), ("host='open", FAILED, "bad connection string"),
    ("postgresql://[::1", FAILED, "bad connection string"), ("postgresql://u:p@ss@h/d", FAILED, "a host with an @"),
    ("postgresql://u:p/w@h/d", FAILED, "the port is no number"),
    ("postgresql://%zz@h/d", FAILED, "bad connection string"),
    ("postgresql://h/d?no_such=1", FAILED, "bad connection string"), ("port=99999999", FAILED, "no connection"),
    ("port=-1", FAILED, "the port is no number"), ("host=no.such.invalid", FAILED, "no connection"),
    ("host=/no/such", FAILED, "no connection"), ("dbname=no_such_database", FAILED, "no_such_database"),
    ("dbname='; drop database x; --'", FAILED, "does not exist"), ("user=no_such_role", FAILED, "no_such_role"),
    ("sslmode=bogus", FAILED, "no connection"), ("connect_timeout=x", FAILED, "no connection"),
    ("host=127.0.0.1 port=1", FAILED, "no connection"), ("dbname=a\nb", FAILED, "bad connection string"),
    ("dbname='\x1b[2J'", FAILED, "does not exist"), ("options='-c no_such=1'", FAILED, "no_such"),
    ("target_session_attrs=bogus", FAILED, "no connection"), ("client_encoding=bogus", FAILED, "no connection"),
]

BAD_VARIABLES = [
    ({"MILLRACE_WORKER_LEASES": "1s"}, USAGE, "unknown setting"),
    ({"MILLRACE_SMTP_PASSWRD": "x"}, USAGE, "unknown setting"),
    ({"MILLRACE_LOG_\x1b[2J": "x"}, USAGE, "unknown setting"), ({"MILLRACE_HTTP_": "x"}, USAGE, "unknown setting"),
    ({"MILLRACE_CONFIG": "/no/such"}, USAGE, "MILLRACE_CONFIG"), ({"MILLRACE_CONFIG": "/"}, USAGE, "cannot read"),
    ({"MILLRACE_CONFIG": "/dev/zero"}, USAGE, "cannot read"), ({"PGPORT": "x"}, FAILED, "no connection"),
    ({"PGSERVICE": "no_such"}, FAILED, ""), ({"PGSSLMODE": "bogus"}, FAILED, "no connection"),
    ({"PGOPTIONS": "-c no_such=1"}, FAILED, "no_such"), ({"PGUSER": "no_such_role"}, FAILED, "no_such_role"),
]

BAD_FILES = {  # what the file holds: word of the complaint
    b"lease = 30s\n": "unknown setting lease", b"[worker\nlease = 30s\n": "", b"[worker]\nlease\n": "",
    b"[worker]\nlease = 30s # half a minute\n": "a comment behind a value",
    b"[worker]\nLease = 30s\n": "unknown setting",
    b"[nowhere]\nlease = 30s\n": "unknown setting", b"[worker]\nleases = 30s\n": "Did you mean worker.lease",
    b"\x00\x01\x02\xff\xfe": "", b"\xef\xbb\xbf[worker]\nlease = 30s\n": "", b"[]\nx = 1\n": "", b"= 1\n": "",
    b"{}\n": "",
    b"[worker]\n= 30s\n": "", b"[worker]\nlease = 30s\nlease = soon\n": "soon", b"x" * 300_000: "longer than",
    b"[worker]\nlease = " + b"9" * 100_000 + b"s\n": "lease", b"[worker]\nlease = 30s\x00\n": "lease",
    b"[worker]\nlease = \x1b[2J\n": "lease", b"[worker]\nlease = 30\xff\n": "lease", b"<xml/>\n": "",
    b"[worker]\nname = a\n[worker]\nprefetch = -x\n": "worker.prefetch",
    b"[http]\nlisten = off\n[smtp]\nurl = x\n": "smtp.url",
    b"[smtp]\nusername = a\n": "smtp.url is not", b"!include /etc/passwd\n": "",
}

BAD_SCHEMAS = [  # what is on standard input, word
    (b"", "not JSON"), (b"{", "not JSON"), (b'"\xff"', "not JSON"), (b"[]", "a schema is an object"),
    (b"[" * 1000, "deeper than"), (b'{"typ": "object"}', 'did you mean "type"?'), (b'{"$ref": "#"}', "back to itself"),
    (b'{"$ref": "http://127.0.0.1/x"}', "within this one"), (b'{"$ref": "file:///etc/passwd"}', "within this one"),
    (b'{"pattern": "(a"}', "RE2"), (b'{"pattern": "(?=a)"}', "RE2"), (b'{"maxLength": -1}', "0 or more"),
    (b'{"multipleOf": 0}', "above 0"), (b'{"\\u001b[2J": 1}', "unknown keyword"), (b'{"enum": []}', "list of values"),
    (b'{"maximum": 1e999}', "not JSON"), (b" " * 1048577, "longer than"),
]

BAD_LINES = [  # what is on standard input, status, word
    (b"", NOTHING, ""), (b"\n\n \r\n", NOTHING, ""), (b'{"a": 1}\n{bad}\n', FAILED, "line 2: not JSON"),
    (b"{}\n\n{}\n[1,]\n", FAILED, "line 4: not JSON"), (b'"\xff"\n', FAILED, "line 1: not JSON"),
    (b"\x00\n", FAILED, "line 1"),
    (b'{}\n"a\x00b"\n', FAILED, "line 2"), (b'{}\n"\\u0000"\n', FAILED, "line 2: unsupported Unicode"),
    (b'{}\n"\\ud800"\n', FAILED, "line 2: not JSON"), (b"{} {}\n", FAILED, "line 1: not JSON"),
    (b"{", FAILED, "line 1"),
    (b"\xff\xfe{\x00}\x00", FAILED, "line 1: not JSON"), (b"'; drop table x; --\n", FAILED, "line 1: not JSON"),
    (b"\x1b[2J\n", FAILED, "line 1: not JSON"), (b"[" * 200_000 + b"]" * 200_000 + b"\n", FAILED,
                                                 "line 1: stack depth"),
    (b"{}\n" * 500 + b"oops\n", FAILED, "line 501: not JSON"), (b"[" * 1_000_000, FAILED, "line 1: not JSON"),
    (b"1e999999\n", FAILED, "line 1"), (b"{}\n1" + b"0" * 200_000 + b"\n", FAILED, "line 2"),
]
