"""Schedules: the calls, the domains of their arguments, and the refusals by hand. As calls.py and rules.py."""

import domains as d
from rules import interval_rules, limit_rules, of
from values import DAY

KNOWN = ("'yearly'", d.never("MR014", "unknown schedule"))
CRON = ("'@daily'", d.never("MR005", "bad cron"))
TIME_ZONE = ("'Europe/Berlin'", d.never("MR005", "bad time_zone"))


# function: (whether a fine call changes a row, its arguments)
CALLS = {
    "next_runs": (False, {"cron": CRON, "time_zone": TIME_ZONE,
                          "after": ("null", d.unless_null(d.either(lambda years: years <= 10, d.bad("after")))),
                          "n": ("5", d.between("n", 1, 1000))}),
    "create_schedule": (True, {
        "name": ("'fresh'", d.matching("name", "[a-z0-9][a-z0-9_.-]{0,99}")), "cron": CRON,
        "queue": ("'mail'", d.unknown_queue), "kind": ("'noop'", d.kind), "payload": ("'{}'", d.payload(1048576)),
        "time_zone": TIME_ZONE, "misfire": ("'all'", d.one_of("misfire", "skip", "once", "all")),
        "jitter": ("'1 minute'", d.span("jitter", 0, DAY)), "priority": ("5", d.between("priority", 0, 9)),
        "max_attempts": ("null", d.unless_null(d.max_attempts)), "timeout": ("null", d.timeout),
        "due_key": ("null", d.unless_null(d.sized("due_key", 100, least=1)))}),
    "drop_schedule": (True, {"name": KNOWN}),
    "pause_schedule": (True, {"name": KNOWN}),
    "resume_schedule": (False, {"name": KNOWN}),  # it is not paused
    "run_schedule_now": (True, {"name": KNOWN}),
    "tick_schedules": (False, {"max_jobs": ("1", d.between("max_jobs", 1, 1000))}),  # nothing is due
}


def cron_rules():
    wrong = {"null": "null", "empty": "''", "four fields": "'* * * *'", "seconds": "'0 * * * * *'",
             "at the start of the server": "'@reboot'", "minute 60": "'60 * * * *'", "hour 24": "'0 24 * * *'",
             "day 0": "'0 0 0 * *'", "day 32": "'0 0 32 * *'", "month 13": "'0 0 1 13 *'",
             "day of week 8": "'0 0 * * 8'", "a step of 0": "'*/0 * * * *'",
             "a step beyond the field": "'*/90 * * * *'",
             "a step of a value": "'5/15 * * * *'", "backwards": "'30-10 * * * *'", "an empty item": "'1,,2 * * * *'",
             "a name in a field of numbers": "'jan * * * *'", "an unknown name": "'0 0 * * fry'",
             "negative": "'-1 * * * *'", "a fraction": "'1.5 * * * *'", "the last day": "'0 0 L * *'",
             "the 30th of February": "'0 0 30 2 *'", "the 31st of short months": "'0 0 31 4,6,9,11 *'",
             "201 characters": "repeat(' ', 192) || '0 0 * * *'", "two lines": "E'0 0\\n* * *'",
             "a number of many digits": "'00000000000000000000 * * * *'", "other digits": "'\uff11 * * * *'"}
    return of("millrace.next_runs", *(("cron", rule, text, "MR005", "bad cron") for rule, text in wrong.items())) + of(
        "millrace.create_schedule", *(("cron", rule, f"'n', {text}, 'mail', 'x'", "MR005", "bad cron")
                                      for rule, text in wrong.items()))


def zone_rules():
    wrong = {"null": "null", "an abbreviation": "'CEST'", "an abbreviation that is a name": "'CET'",
             "an offset": "'UTC+3'", "a number": "'+02:00'", "in small letters": "'europe/berlin'",
             "a traversal": "'../../etc/passwd'", "SQL": "'UTC''; drop table x; --'"}
    return of("millrace.next_runs", *(("time_zone", rule, f"'@daily', {text}", "MR005", "bad time_zone")
                                      for rule, text in wrong.items())) + of(
        "millrace.create_schedule", *(("time_zone", rule, f"'n', '@daily', 'mail', 'x', time_zone => {text}", "MR005",
                                       "bad time_zone") for rule, text in wrong.items()))


def create_rules():
    create, fine = "millrace.create_schedule", "'n', '@daily', 'mail', 'x'"
    names = {"null": "null", "empty": "''", "101 characters": "repeat('n', 101)", "a capital": "'Nightly'",
             "a leading dash": "'-n'", "a space": "'a b'", "a line feed behind it": "E'n\\n'", "a slash": "'../n'"}
    return of(
        create, *(("name", rule, f"{name}, '@daily', 'mail', 'x'", "MR005", "bad name")
                  for rule, name in names.items()),
        ("queue", "null", "'n', '@daily', null, 'x'", "MR003", "unknown queue null"),
        ("queue", "unknown", "'n', '@daily', 'nowhere', 'x'", "MR003", "unknown queue 'nowhere'"),
        ("kind", "null", "'n', '@daily', 'mail', null", "MR005", "bad kind"),
        ("kind", "101 characters", "'n', '@daily', 'mail', repeat('k', 101)", "MR005", "bad kind"),
        ("payload", "null", f"{fine}, null", "MR005", "payload is null"),
        ("payload", "beyond the queue's limit", "'n', '@daily', 'small', 'x', to_jsonb(repeat('x', 99))", "MR004",
         "101 bytes"),
        ("misfire", "null", f"{fine}, misfire => null", "MR005", "bad misfire"),
        ("misfire", "unknown", f"{fine}, misfire => 'twice'", "MR005", "bad misfire"),
        ("jitter", "null", f"{fine}, jitter => null", "MR005", "bad jitter"),
        ("priority", "10", f"{fine}, priority => 10", "MR005", "bad priority"),
        ("max_attempts", "0", f"{fine}, max_attempts => 0", "MR005", "bad max_attempts"),
        ("due_key", "empty", f"{fine}, due_key => ''", "MR005", "bad due_key"),
        ("due_key", "101 characters", f"{fine}, due_key => repeat('k', 101)", "MR005", "bad due_key"),
        ("due_key", "of an array", f"{fine}, '[]', due_key => 'at'", "MR005", "bad due_key"),
        ("due_key", "that the payload has", f"{fine}, '{{\"at\": 1}}', due_key => 'at'", "MR005", "bad due_key"),
    ) + interval_rules(create, "jitter", f"{fine}, jitter => %s", {"negative": "-1 s", "more than a day": "25 hours"}
    ) + interval_rules(create, "timeout", f"{fine}, timeout => %s", {"0": "0", "more than 30 days": "31 days"})


RULES = (
    cron_rules() + zone_rules() + create_rules() + limit_rules("millrace.tick_schedules", "max_jobs", 1000)
    + of("millrace.next_runs", ("after", "in eleven years", "'@daily', after => now() + interval '11 years'", "MR005",
                                "bad after"), ("n", "null", "'@daily', n => null", "MR005", "bad n"),
         ("n", "0", "'@daily', n => 0", "MR005", "bad n"), ("n", "1001", "'@daily', n => 1001", "MR005", "bad n"))
    + [rule for verb in ("drop_schedule", "pause_schedule", "resume_schedule", "run_schedule_now")
       for rule in of(f"millrace.{verb}", ("name", "null", "null", "MR014", "unknown schedule NULL"),
                      ("name", "unknown", "'nowhere'", "MR014", "unknown schedule 'nowhere'"))]
)

LEGAL = [
    ("millrace.next_runs", "the 29th of February on a Sunday", "millrace.next_runs('0 0 29 2 */7', n => 20)"),
    ("millrace.next_runs", "since ever", "millrace.next_runs('@yearly', after => '-infinity', n => 1000)"),
    ("millrace.next_runs", "all fields in full", "millrace.next_runs('0-59 0-23 1-31 1-12 0-7')"),
    ("millrace.create_schedule", "a kind that is SQL",
     "millrace.create_schedule('n', '@daily', 'mail', '''; drop table millrace.job; --')"),
    ("millrace.create_schedule", "exactly the limits",
     "millrace.create_schedule(repeat('n', 100), '@daily', 'mail', 'x',"
     " jitter => '1 day', due_key => repeat('k', 100))"),
]
