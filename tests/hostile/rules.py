"""The contract's refusals by hand: what exactly is refused, and how.

RULES   function, argument, rule, call, SQLSTATE, a word of the message; <words> are filled in by fixture.py
STATES  rule, what is done before in the same transaction, function, call, SQLSTATE, word
LEGAL   function, what is legal although it looks odd, call
"""

from values import WILD, quote

SHA = "a" * 40
WILD_2 = WILD + " 2 seconds"


def of(function, *rows):
    """The rows of one function: argument, rule, what is between the parentheses, SQLSTATE, word."""
    return [(function, argument, rule, f"{function}({inside})", sqlstate, word)
            for argument, rule, inside, sqlstate, word in rows]


def enqueue_rules(function, payload):
    """What both forms of enqueue refuse alike."""
    def row(argument, rule, policy, sqlstate="MR005", word=None):
        return argument, rule, f"'mail', 'x', {payload}, {policy}", sqlstate, word or f"bad {argument}"
    return of(
        function,
        ("queue", "null", f"null, 'x', {payload}", "MR003", "unknown queue null"),
        ("queue", "empty", f"'', 'x', {payload}", "MR003", "unknown queue ''"),
        ("queue", "never created", f"'nowhere', 'x', {payload}", "MR003", "unknown queue 'nowhere'"),
        ("queue", "in capitals", f"'MAIL', 'x', {payload}", "MR003", "unknown queue 'MAIL'"),
        ("queue", "SQL", f"'mail''; drop table x; --', 'x', {payload}", "MR003", "unknown queue"),
        ("kind", "null", f"'mail', null, {payload}", "MR005", "bad kind"),
        ("kind", "empty", f"'mail', '', {payload}", "MR005", "bad kind"),
        ("kind", "101 characters", f"'mail', repeat('k', 101), {payload}", "MR005", "bad kind"),
        row("priority", "null", "priority => null"),
        row("priority", "below 0", "priority => -1"),
        row("priority", "above 9", "priority => 10"),
        row("priority", "no number", "priority => 'x'", "22P02", "invalid input syntax"),
        row("run_at", "beside a delay", "run_at => now(), delay => '1 s'"),
        row("run_at", "the end of time", "run_at => 'infinity'"),
        row("run_at", "more than ten years ahead", "run_at => now() + interval '11 years'"),
        row("run_at", "no such day", "run_at => '2026-02-30'", "22008", "out of range"),
        row("delay", "negative", "delay => '-1 second'"),
        row("delay", "more than ten years", "delay => '10 years 1 second'"),
        row("delay", "parts that cancel each other", f"delay => '{WILD}'"),
        row("max_attempts", "0", "max_attempts => 0"),
        row("max_attempts", "1001", "max_attempts => 1001"),
        row("max_attempts", "beyond a smallint", "max_attempts => 32768"),
        row("max_attempts", "beyond an int", "max_attempts => '2147483648'", "22003", "out of range"),
        row("timeout", "0", "timeout => '0'"),
        row("timeout", "negative", "timeout => '-1 second'"),
        row("timeout", "more than 30 days", "timeout => '30 days 1 second'"),
        row("timeout", "parts that cancel each other", f"timeout => '{WILD_2}'"),
        row("traceparent", "empty", "traceparent => ''"),
        row("traceparent", "in capitals", f"traceparent => '00-{'A' * 32}-{'b' * 16}-01'"),
        row("traceparent", "a line behind it", f"traceparent => E'00-{'a' * 32}-{'b' * 16}-01\\n'"),
        row("traceparent", "a header behind it", f"traceparent => E'00-{'a' * 32}-{'b' * 16}-01\\r\\nX: 1'"),
        row("retry_delays", "none", "retry_delays => '{}'"),
        row("retry_delays", "a null", "retry_delays => '{1 s,NULL}'"),
        row("retry_delays", "negative", "retry_delays => '{1 s,-1 s}'"),
        row("retry_delays", "more than 365 days", "retry_delays => '{366 days}'"),
        row("retry_delays", "101", "retry_delays => array_fill(interval '1 s', array[101])"),
        row("retry_delays", "two dimensions", "retry_delays => '{{1 s},{1 s}}'"),
        row("retry_delays", "from zero", "retry_delays => '[0:0]={1 s}'"),
        row("retry_delays", "parts that cancel each other", f"retry_delays => array[interval '{WILD}']"),
        row("expires_at", "now", "expires_at => millrace.now()"),
        row("expires_at", "the beginning of time", "expires_at => '-infinity'"),
        row("expires_at", "the end of time", "expires_at => 'infinity'"),
        row("expires_at", "before run_at", "delay => '1 h', expires_at => millrace.now() + interval '1 h'"),
        row("concurrency_key", "empty", "concurrency_key => ''"),
        row("concurrency_key", "201 characters", "concurrency_key => repeat('k', 201)"),
    )


def tie_rules(function, payload):
    """What is refused of a batch, by those that know batches."""
    start = f"'mail', 'x', {payload}"
    return of(
        function,
        ("batch", "never created", f"{start}, batch => -1", "MR013", "unknown batch -1"),
        ("batch", "closed", f"{start}, batch => <closed_batch>", "MR007", "is closed"),
        ("after_batch", "never created", f"{start}, after_batch => -1", "MR013", "unknown batch -1"),
        ("after_batch", "beside a delay", f"{start}, after_batch => <batch>, delay => '1 s'", "MR005",
         "bad after_batch"),
        ("after_batch", "beside a time", f"{start}, after_batch => <batch>, run_at => now() + interval '1 day'",
         "MR005", "bad after_batch"),
        ("after_batch", "of which it is a member", f"{start}, after_batch => <batch>, batch => <batch>", "MR005",
         "bad after_batch"),
    )


def unique_rules():
    start = "'mail', 'x', '{}'"
    return of(
        "millrace.enqueue_unique",
        ("unique_key", "null", f"{start}, null", "MR005", "bad unique_key"),
        ("unique_key", "empty", f"{start}, ''", "MR005", "bad unique_key"),
        ("unique_key", "201 characters", f"{start}, repeat('k', 201)", "MR005", "bad unique_key"),
        ("unique_until", "a word of ours", f"{start}, 'k', 'time'", "MR005", "bad unique_until"),
        ("unique_until", "in capitals", f"{start}, 'k', 'STARTED'", "MR005", "bad unique_until"),
        ("unique_for", "beside unique_until", f"{start}, 'k', 'started', '1 s'", "MR005", "bad unique_for"),
        ("replaces", "null", f"{start}, 'k', replaces => null", "MR005", "bad replaces"),
        ("replaces", "a null", f"{start}, 'k', replaces => '{{NULL}}'", "MR005", "bad replaces"),
        ("replaces", "a column", f"{start}, 'k', replaces => '{{payload,kind}}'", "MR005", "bad replaces"),
        ("payload", "beyond the queue's limit", "'small', 'x', to_jsonb(repeat('x', 99)), 'k'", "MR004", "101 bytes"),
        ("batch", "not for unique jobs", f"{start}, 'k', batch => 1", "42883", "does not exist"),
    ) + interval_rules("millrace.enqueue_unique", "unique_for", f"{start}, 'k', unique_for => %s",
                       {"0": "0", "negative": "-1 s", "more than ten years": "11 years"})


def batch_rules():
    return of(
        "millrace.create_batch",
        ("queue", "unknown", "'nowhere'", "MR003", "unknown queue"),
        ("kind", "empty", "'mail', ''", "MR005", "bad kind"),
        ("payload", "null", "'mail', 'x', null", "MR005", "payload is null"),
        ("payload", "an array", "'mail', 'x', '[]'", "MR005", "bad payload"),
        ("payload", "the null of JSON", "'mail', 'x', 'null'", "MR005", "bad payload"),
        ("payload", "beyond the queue's limit", "'small', 'x', jsonb_build_object('a', repeat('x', 99))", "MR004",
         "too large"),
        ("priority", "null", "'mail', 'x', '{}', null", "MR005", "bad priority"),
    ) + of("millrace.close_batch", ("batch", "null", "null", "MR013", "unknown batch null"),
           ("batch", "never created", "-1", "MR013", "unknown batch -1"))


def schema_rules():
    def row(rule, schema):
        return "schema", rule, f"'noop', {schema}", "MR005", "bad schema"
    return of(
        "millrace.register_schema",
        ("kind", "null", "null, '{}'", "MR005", "bad kind"), ("kind", "empty", "'', '{}'", "MR005", "bad kind"),
        ("kind", "101 characters", "repeat('k', 101), '{}'", "MR005", "bad kind"),
        row("the null of JSON", "'null'"), row("true", "'true'"), row("a list", "'[{}]'"),
        row("more than 64 KiB", "jsonb_build_object('title', repeat('x', 65536))"),
        row("65 levels", "(repeat('{\"not\":', 64) || '{}' || repeat('}', 64))::jsonb"),
        row("6000 levels", "jsonb_build_object('not', (repeat('[', 6000) || repeat(']', 6000))::jsonb)"),
        row("a reference to a host", "'{\"$ref\": \"http://example.org/a\"}'"),
        row("a reference to a file, deep inside", "'{\"allOf\": [{\"not\": {\"$ref\": \"file:///etc/passwd\"}}]}'"),
    ) + of("millrace.payload_schemas",
           ("kinds", "1001", "array_fill('k'::text, '{1001}')", "MR005", "bad kinds"))


def configure_rules():
    def row(rule, changes, word):
        return "changes", rule, f"'mail', '{changes}'", "MR005", word
    return of(
        "millrace.configure_queue",
        ("name", "unknown", "'nowhere', '{}'", "MR003", "unknown queue"),
        ("changes", "null", "'mail', null", "MR005", "bad changes"),
        row("an array", "[]", "bad changes"), row("an unknown setting", '{"color": 1}', "no setting 'color'"),
        row("the name", '{"name": "x"}', "no setting"), row("the pause", '{"paused_at": "2020-01-01"}', "no setting"),
        row("one good and one bad", '{"key_limit": 2, "max_running": 0}', "bad max_running"),
        row("a number in words", '{"max_running": "many"}', "bad changes: invalid input syntax"),
        row("half a job", '{"max_running": 1.5}', "bad changes: invalid input syntax"),
        row("beyond an int", '{"max_running": 2147483648}', "bad changes: value"),
        row("an object for an interval", '{"timeout": {"a": 1}}', "bad changes: invalid input syntax"),
        row("a negative part", '{"timeout": "%s"}' % WILD_2, "bad timeout"),
        row("null for what needs a value", '{"retention": null}', "bad retention"),
        *(row(f"a rate of {rate}", '{"rate": "%s"}' % rate, "bad rate")
          for rate in ("14", "0 per day", "10001 per second", "0.999 per day", "NaN per second",
                       "1 per second; drop table millrace.job")),
        row("a rate that is a number", '{"rate": 14}', "bad rate"),
        row("a burst of 0", '{"rate": "1 per second", "burst": 0}', "bad burst"),
        row("a burst beyond 100,000", '{"rate": "1 per second", "burst": 100001}', "bad burst"),
        row("a burst without a rate", '{"burst": 5}', "bad burst"),
        row("a key's rate of 0", '{"key_rate": "0 per day"}', "bad key_rate"),
        row("a key's burst without a rate", '{"key_burst": 5}', "bad key_burst"),
        row("a cap below the base", '{"retry_base": "1 hour", "retry_cap": "1 s"}', "bad retry_cap"),
        row("another history", '{"history": "some"}', "bad history"), row("no history", '{"history": null}', "bad history"),
        row("dead letters for an hour", '{"dead_letter_retention": "1 hour"}', "bad dead_letter_retention"),
    ) + of(
        "millrace.configure_kind",
        ("kind", "null", "null, '{}'", "MR005", "bad kind"), ("kind", "empty", "'', '{}'", "MR005", "bad kind"),
        ("kind", "101 characters", "repeat('k', 101), '{}'", "MR005", "bad kind"),
        ("changes", "null", "'k', null", "MR005", "bad changes"), row("an array", "[]", "bad changes"),
        row("a setting of queues", '{"key_limit": 1}', "no setting 'key_limit'"),
        row("the pause", '{"paused_at": "2020-01-01"}', "no setting"),
        row("one good and one bad", '{"max_attempts": 2, "timeout": "0"}', "bad timeout"),
        row("no attempt", '{"max_attempts": 0}', "bad max_attempts"),
        row("a negative part", '{"timeout": "%s"}' % WILD_2, "bad timeout"),
        row("a base of days", '{"retry_base": "2 days"}', "bad retry_base"),
        row("a cap below the base", '{"retry_base": "1 hour", "retry_cap": "1 s"}', "bad retry_cap"),
        row("no delays", '{"retry_delays": []}', "bad retry_delays"),
        row("a delay that is null", '{"retry_delays": [null]}', "bad retry_delays"),
        row("a delay of an array", '{"retry_delays": [["1 s"]]}', "bad retry_delays"),
        row("delays in words", '{"retry_delays": ["soon"]}', "bad changes: invalid input syntax"),
    ) + of("millrace.limit_key", ("queue", "unknown", "'nowhere', 'k', 1", "MR003", "unknown queue"),
           ("key", "null", "'mail', null, 1", "MR005", "bad key"),
           ("key", "empty", "'mail', '', 1", "MR005", "bad key"),
           ("max_held", "0", "'mail', 'k', 0", "MR005", "bad max_held"),
           ("rate", "no time", "'mail', 'k', 1, '14'", "MR005", "bad rate"),
           ("rate", "0", "'mail', 'k', null, '0 per hour'", "MR005", "bad rate"),
           ("burst", "0", "'mail', 'k', 1, '1 per hour', 0", "MR005", "bad burst"),
           ("burst", "without a rate", "'mail', 'k', 1, burst => 3", "MR005", "bad burst"),
           ("max_held", "1000001", "'mail', 'k', 1000001", "MR005", "bad max_held")
    ) + [rule for verb in ("pause_kind", "resume_kind")
         for rule in of(f"millrace.{verb}", ("kind", "null", "null", "MR005", "bad kind"),
                        ("kind", "empty", "''", "MR005", "bad kind"),
                        ("kind", "too long", "repeat('k', 101)", "MR005", "bad kind"))
    ] + [rule for verb in ("pause_queue", "resume_queue")
         for rule in of(f"millrace.{verb}", ("name", "null", "null", "MR003", "unknown queue null"),
                        ("name", "unknown", "'nowhere'", "MR003", "unknown queue 'nowhere'"))]


def many_rules():
    """What acts on many jobs."""
    def row(rule, chosen):
        return "filter", rule, f"'mail', '{chosen}'", "MR005", "bad filter"
    rules = []
    for function in ("retry_many", "replay_many", "cancel_many", "discard_many"):
        rules += of(
            f"millrace.{function}",
            ("queue", "null", "null, '{}'", "MR003", "unknown queue null"),
            ("queue", "unknown", "'nowhere', '{}'", "MR003", "unknown queue 'nowhere'"),
            ("filter", "null", "'mail', null", "MR005", "bad filter"),
            row("an array", "[]"), row("nothing", "{}"), row("an unknown key", '{"color": 1}'),
            row("not all", '{"all": false}'), row("all and more", '{"all": true, "kind": "noop"}'),
            row("a kind that is null", '{"kind": null}'), row("a kind that is empty", '{"kind": ""}'),
            row("a kind of 101 characters", '{"kind": "%s"}' % ("k" * 101)),
            row("an error that is an array", '{"error": ["%"]}'), row("an error that is empty", '{"error": ""}'),
            row("an age in words", '{"older_than": "long"}'), row("a negative age", '{"newer_than": "-1 s"}'),
            row("an age of parts that cancel each other", '{"older_than": "%s"}' % WILD),
            row("an age that is null", '{"older_than": null}'), row("an age that is an object", '{"older_than": {}}'),
            row("no jobs", '{"jobs": []}'), row("a job in words", '{"jobs": ["one"]}'),
            row("a job that is null", '{"jobs": [null]}'), row("jobs that are an object", '{"jobs": {"1": 1}}'),
            ("max_jobs", "0", "'mail', '{\"all\": true}', 0", "MR005", "bad max_jobs"),
            ("max_jobs", "10001", "'mail', '{\"all\": true}', 10001", "MR005", "bad max_jobs"))
    return rules + of(
        "millrace.cancel_many", row("a state that has ended", '{"state": "completed"}'),
        ("reason", "1001 characters", "'mail', '{\"all\": true}', reason => repeat('r', 1001)", "MR005", "bad reason")
    ) + of("millrace.replay_many", row("a state", '{"state": "available"}'))


def limit_rules(function, argument, most):
    """A number from 1 to `most`."""
    return of(function,
              (argument, "null", "null::int", "MR005", f"bad {argument}"),
              (argument, "0", "0", "MR005", f"bad {argument}"),
              (argument, "negative", "-1", "MR005", f"bad {argument}"),
              (argument, "one too many", str(most + 1), "MR005", f"bad {argument}"))


def interval_rules(function, argument, call, ranges):
    rules = ranges | {"parts that cancel each other": WILD_2}
    return of(function, *((argument, rule, call % quote(text), "MR005", f"bad {argument}")
                          for rule, text in rules.items()),
              (argument, "no interval", call % "'soon'", "22007", "invalid input syntax"))


def session_rules():
    opened = "millrace.open_session"
    return of(
        opened,
        ("name", "null", "null, '{mail}'", "MR005", "bad name"), ("name", "empty", "'', '{mail}'", "MR005", "bad name"),
        ("name", "201 characters", "repeat('n', 201), '{mail}'", "MR005", "bad name"),
        ("queues", "null", "'w', null", "MR005", "bad queues"), ("queues", "none", "'w', '{}'", "MR005", "bad queues"),
        ("queues", "a null", "'w', '{mail,NULL}'", "MR003", "unknown queue null"),
        ("queues", "an unknown one", "'w', '{mail,nowhere}'", "MR003", "unknown queue 'nowhere'"),
        ("queues", "1001", "'w', array_fill('mail'::text, '{1001}')", "MR005", "bad queues"),
        ("host", "256 characters", "'w', '{mail}', repeat('h', 256)", "MR005", "bad host"),
        ("version", "101 characters", "'w', '{mail}', version => repeat('v', 101)", "MR005", "bad version"),
        ("kinds", "a null", "'w', '{mail}', kinds => '{a,NULL}'", "MR005", "bad kinds"),
        ("kinds", "1001", "'w', '{mail}', kinds => array_fill('k'::text, '{1001}')", "MR005", "bad kinds"),
    ) + interval_rules(opened, "lease", "'w', '{mail}', lease => %s", {
        "less than a second": "999 milliseconds", "more than an hour": "1 hour 1 second", "negative": "-30 seconds"},
    ) + of(opened, ("lease", "null", "'w', '{mail}', lease => null", "MR005", "bad lease")
    ) + of("millrace.heartbeat", ("session", "null", "null", "MR002", "session null has ended"),
           ("session", "never opened", "4711", "MR002", "session 4711 has ended"),
           ("session", "closed", "<closed_session>", "MR002", "has ended")
    ) + of("millrace.close_session", ("session", "null", "null", "MR002", "session null has ended"),
           ("session", "negative", "-1", "MR002", "session -1 has ended"),
           ("session", "closed", "<closed_session>", "MR002", "has ended")
    ) + of("millrace.claim", ("session", "null", "null, 'mail'", "MR002", "session null has ended"),
           ("session", "closed", "<closed_session>, 'mail'", "MR002", "has ended"),
           ("queue", "null", "<session>, null", "MR003", "unknown queue null"),
           ("queue", "unknown", "<session>, 'nowhere'", "MR003", "unknown queue"),
           ("max_jobs", "null", "<session>, 'mail', null", "MR005", "bad max_jobs"),
           ("max_jobs", "0", "<session>, 'mail', 0", "MR005", "bad max_jobs"),
           ("max_jobs", "10001", "<session>, 'mail', 10001", "MR005", "bad max_jobs"))


def settle_one_rules():
    rules = []
    for verb, rest in (("complete", ""), ("fail", ", 'e'"), ("snooze", ", '1 s'"), ("discard", ", 'e'")):
        rules += of(f"millrace.{verb}",
                    ("fence", "null", f"null, <running>{rest}", "MR005", "bad fences"),
                    ("fence", "of nobody", f"0, <running>{rest}", "MR001", "does not hold"),
                    ("fence", "of an earlier claim", f"<spent_fence>, <running>{rest}", "MR001", "does not hold"),
                    ("job_id", "null", f"<fence>, null{rest}", "MR005", "bad job_ids"),
                    ("job_id", "unknown", f"<fence>, -1{rest}", "MR001", "does not hold job -1"),
                    ("job_id", "that waits", f"<fence>, <waiting>{rest}", "MR001", "does not hold"))
    for verb in ("fail", "discard"):
        rules += of(f"millrace.{verb}", ("error", "null", "<fence>, <running>, null", "MR005", "bad errors"),
                    ("error", "empty", "<fence>, <running>, ''", "MR005", "bad errors"))
    rules += interval_rules("millrace.fail", "delays", "<fence>, <running>, 'e', %s",
                            {"negative": "-1 second", "more than ten years": "11 years"})
    rules += interval_rules("millrace.snooze", "delays", "<fence>, <running>, %s",
                            {"negative": "-1 second", "more than ten years": "11 years"})
    return rules + of("millrace.snooze", ("delays", "null", "<fence>, <running>, null", "MR005", "bad delays")) + of(
        "millrace.complete", ("results", "more than a MiB", "<fence>, <running>, to_jsonb(repeat('x', 1048577))",
                              "MR005",
                              "bad results")) + of(
        "millrace.assert_lease", ("fence", "null", "null, <running>", "MR001", "fence null"),
        ("fence", "of an earlier claim", "<spent_fence>, <running>", "MR001", "lease lost"),
        ("job_id", "null", "<fence>, null", "MR001", "job null"))


def settle_many_rules():
    one = "array[<running>], array[<fence>]"

    def row(argument, rule, rest):
        return argument, rule, f"{one}, {rest}", "MR005", f"bad {argument}"

    def after(rule, rest):
        return "successors", rule, f"{one}, successors => '{rest}'", "MR005", "bad successors"
    return of(
        "millrace.settle_many",
        ("job_ids", "null", "null, '{1}'", "MR005", "bad job_ids"),
        ("job_ids", "a null", "'{NULL}', '{1}'", "MR005", "bad job_ids"),
        ("job_ids", "one twice", "'{1,1}', '{1,2}'", "MR005", "bad job_ids"),
        ("job_ids", "two dimensions", "'{{1,2}}', '{1,2}'", "MR005", "bad job_ids"),
        ("job_ids", "counted from zero", "'[0:0]={1}', '{1}'", "MR005", "bad job_ids"),
        ("job_ids", "1001", "array_fill(1, '{1001}')::bigint[], '{1}'", "MR010", "1001 jobs"),
        ("fences", "null", "'{1}', null", "MR005", "bad fences"),
        ("fences", "a null", "'{1}', '{NULL}'", "MR005", "bad fences"),
        ("fences", "too few", "'{1,2}', '{1}'", "MR005", "bad fences"),
        ("fences", "too many", "'{1}', '{1,2}'", "MR005", "bad fences"),
        ("fences", "counted from two", "'{1}', '[2:2]={1}'", "MR005", "bad fences"),
        row("outcomes", "too few", "'{}'"), row("outcomes", "a null", "'{NULL}'"),
        row("outcomes", "unknown", "'{done}'"),
        row("outcomes", "in capitals", "'{COMPLETED}'"),
        ("outcomes", "cancelled by nobody", f"{one}, '{{cancelled}}'", "MR007", "nobody has cancelled"),
        row("errors", "null for a failure", "'{failed}'"), row("errors", "empty for a failure", "'{failed}', '{\"\"}'"),
        row("errors", "too many", "'{failed}', '{a,b}'"), row("errors", "two dimensions", "'{failed}', '{{a}}'"),
        row("delays", "null for a snooze", "'{snoozed}'"), row("delays", "negative", "'{snoozed}', null, '{-1 s}'"),
        row("delays", "more than ten years", "'{snoozed}', null, '{11 years}'"),
        row("delays", "parts that cancel each other", "'{snoozed}', null, '{%s}'" % WILD),
        row("delays", "too many", "'{snoozed}', null, '{1 s,1 s}'"),
        row("results", "too many", "null, null, null, '{1,2}'"),
        row("results", "more than a MiB", "null, null, null, array[to_jsonb(repeat('x', 1048577))]"),
        after("no array", "{}"), after("a text", '"x"'), after("no objects", "[1]"), after("a null", "[null]"),
        after("of no job", "[{}]"), after("of another job", '[{"after": -5, "queue": "mail", "kind": "x"}]'),
        after("of a job as text", '[{"after": "<running>", "queue": "mail", "kind": "x"}]'),
        after("of half a job", '[{"after": <running>.5, "queue": "mail", "kind": "x"}]'),
        after("an unknown key", '[{"after": <running>, "queue": "mail", "kind": "x", "run": 1}]'),
        after("a priority in words", '[{"after": <running>, "queue": "mail", "kind": "x", "priority": "high"}]'),
        after("a broken priority", '[{"after": <running>, "queue": "mail", "kind": "x", "priority": 1.5}]'),
        after("a huge priority", '[{"after": <running>, "queue": "mail", "kind": "x", "priority": 99999999999}]'),
        after("a delay in words", '[{"after": <running>, "queue": "mail", "kind": "x", "delay": "soon"}]'),
        after("a delay beyond intervals", '[{"after": <running>, "queue": "mail", "kind": "x", "delay": "9e99 s"}]'),
        after("a delay that is an object", '[{"after": <running>, "queue": "mail", "kind": "x", "delay": {"a": 1}}]'),
        ("successors", "a priority above 9", one + ", successors => '[{\"after\": <running>, \"queue\": \"mail\", "
         "\"kind\": \"x\", \"priority\": 10}]'", "MR005", "bad priority"),
        ("successors", "no queue", one + ", successors => '[{\"after\": <running>, \"kind\": \"x\"}]'", "MR003",
         "unknown queue null"),
        ("successors", "no kind", one + ", successors => '[{\"after\": <running>, \"queue\": \"mail\"}]'", "MR005",
         "bad kind"),
        ("successors", "too large a payload", one + ", successors => jsonb_build_array(jsonb_build_object('after', "
         "<running>, 'queue', 'small', 'kind', 'x', 'payload', repeat('x', 101)))", "MR004", "too large"),
        ("successors", "1001", one + ", successors => (select jsonb_agg('{\"after\": <running>}'::jsonb) from "
         "generate_series(1, 1001))", "MR005", "bad successors"),
    )


def report_rules():
    rules = []
    for verb, rest in (("set_progress", "50"), ("log_line", "'began'")):
        rules += of(f"millrace.{verb}",
                    ("fence", "null", f"null, <running>, {rest}", "MR001", "fence null"),
                    ("fence", "of an earlier claim", f"<spent_fence>, <running>, {rest}", "MR001", "lease lost"),
                    ("job_id", "null", f"<fence>, null, {rest}", "MR001", "job null"),
                    ("job_id", "that waits", f"<fence>, <waiting>, {rest}", "MR001", "does not hold"),
                    ("job_id", "that is done", f"<spent_fence>, <done>, {rest}", "MR001", "does not hold"))
    return rules + of(
        "millrace.set_progress",
        ("percent", "null", "<fence>, <running>, null", "MR005", "bad percent"),
        ("percent", "negative", "<fence>, <running>, -1", "MR005", "bad percent"),
        ("percent", "101", "<fence>, <running>, 101", "MR005", "bad percent"),
        ("message", "1001 characters", "<fence>, <running>, 1, repeat('m', 1001)", "MR005", "bad message")) + of(
        "millrace.log_line",
        ("text", "null", "<fence>, <running>, null", "MR005", "bad text"),
        ("text", "empty", "<fence>, <running>, ''", "MR005", "bad text"),
        ("text", "2001 characters", "<fence>, <running>, repeat('t', 2001)", "MR005", "bad text"))


def operator_rules():
    rules = []
    for verb in ("retry", "replay", "cancel"):
        rules += of(f"millrace.{verb}", ("job_id", "null", "null", "MR006", "unknown job null"),
                    ("job_id", "never enqueued", "-1", "MR006", "unknown job -1"),
                    ("job_id", "beyond all", "9223372036854775807", "MR006", "unknown job"),
                    ("job_id", "beyond a bigint", "'9223372036854775808'", "22003", "out of range"),
                    ("job_id", "completed", "<done>", "MR007", "is completed"))
    return rules + of(
        "millrace.retry", ("job_id", "discarded", "<dead>", "MR007", "is discarded"),
        ("job_id", "running", "<running>", "MR007", "is running")) + of(
        "millrace.replay", ("job_id", "running", "<running>", "MR007", "is running"),
        ("job_id", "scheduled", "<scheduled>", "MR007", "is scheduled")) + of(
        "millrace.cancel", ("job_id", "discarded", "<dead>", "MR007", "is discarded"),
        ("reason", "1001 characters", "<waiting>, repeat('r', 1001)", "MR005", "bad reason"))


def create_queue_rules():
    create = "millrace.create_queue"
    bad_names = {"null": "null", "empty": "''", "49 characters": "repeat('q', 49)", "a capital": "'Mail'",
                 "a leading dash": "'-mail'", "a leading dot": "'.mail'", "a space": "'e mail'", "a quote": "'e''mail'",
                 "a line feed behind it": "E'mail\\n'", "a look-alike": "'m\u0430il'", "a slash": "'../mail'"}
    rules = of(create, *(("name", rule, name, "MR005", "bad name") for rule, name in bad_names.items()),
               ("name", "taken", "'mail'", "MR008", "queue 'mail' exists"),
               ("max_attempts", "0", "'q', max_attempts => 0", "MR005", "bad max_attempts"),
               ("max_attempts", "beyond a smallint", "'q', max_attempts => 65537", "MR005", "bad max_attempts"),
               ("max_payload_bytes", "1", "'q', max_payload_bytes => 1", "MR005", "bad max_payload_bytes"),
               ("max_payload_bytes", "more than 64 MiB", "'q', max_payload_bytes => 67108865", "MR005",
                "bad max_payload_bytes"))
    ranges = {"timeout": {"0": "0", "more than 30 days": "31 days", "negative": "-1 s"},
              "retry_base": {"0": "0", "more than a day": "25 hours"}, "retention": {"less than a day": "23:59:59",
                                                                                  "more than ten years": "11 years"},
              "retry_cap": {"less than retry_base": "4 seconds", "more than 30 days": "31 days"}}
    for argument, texts in ranges.items():
        cap = ", retry_cap => '30 days'" if argument == "retry_base" else ""
        rules += interval_rules(create, argument, f"'q', {argument} => %s{cap}", texts)
    return rules


RULES = (
    enqueue_rules("millrace.enqueue", "'{}'") + enqueue_rules("millrace.enqueue_many", "'{1,2}'") + session_rules()
    + tie_rules("millrace.enqueue", "'{}'") + tie_rules("millrace.enqueue_many", "'{1,2}'") + unique_rules()
    + batch_rules() + configure_rules() + many_rules() + schema_rules()
    + settle_one_rules() + settle_many_rules() + operator_rules() + report_rules() + create_queue_rules()
    + limit_rules("millrace.promote", "max_jobs", 10000) + limit_rules("millrace.reap", "max_jobs", 10000)
    + limit_rules("millrace.prune", "max_rows", 100000) + limit_rules("millrace.maintain_partitions", "days_ahead", 60)
    + of("millrace.enqueue", ("payload", "null", "'mail', 'x', null", "MR005", "payload is null"),
         ("payload", "beyond the queue's limit", "'small', 'x', to_jsonb(repeat('x', 99))", "MR004", "101 bytes"),
         ("payload", "no JSON", "'mail', 'x', '{'", "22P02", "invalid input syntax"),
         ("payload", "a lone surrogate", "'mail', 'x', '\"\\ud800\"'", "22P02", "invalid input syntax"),
         ("payload", "\\u0000", "'mail', 'x', '\"\\u0000\"'", "22P05", "unsupported Unicode"),
         ("payload", "not UTF-8", "'mail', 'x', E'\"\\xff\"'", "22021", "invalid byte sequence"))
    + of("millrace.enqueue_many", ("payloads", "null", "'mail', 'x', null", "MR005", "payloads is null"),
         ("payloads", "a null", "'mail', 'x', '{1,NULL}'", "MR005", "payload is null"),
         ("payloads", "50001", "'mail', 'x', array_fill('1'::jsonb, '{50001}')", "MR010", "50001 payloads"),
         ("payloads", "one beyond the limit", "'small', 'x', array['1', to_jsonb(repeat('x', 99))]", "MR004",
          "101 bytes"))
    + of("millrace.advance_low_water", ("queues", "a null", "'{NULL}'", "MR003", "unknown queue null"),
         ("queues", "unknown", "'{mail,nowhere}'", "MR003", "unknown queue 'nowhere'"))
    + [rule for verb in ("poke", "raise_signal", "lower_signal", "next_token")
       for rule in of(f"millrace.{verb}", ("queue", "null", "null", "MR003", "unknown queue null"),
                      ("queue", "unknown", "'nowhere'", "MR003", "unknown queue 'nowhere'"))]
)

STATES = [
    ("this transaction has written", ["reset role; create table millrace.x (); set role millrace_worker"],
     "millrace.advance_low_water", "millrace.advance_low_water()", "MR007", "already written"),
    ("repeatable read", ["set transaction isolation level repeatable read"], "millrace.advance_low_water",
     "millrace.advance_low_water()", "MR007", "is repeatable read"),
    ("serializable", ["set transaction isolation level serializable"], "millrace.advance_low_water",
     "millrace.advance_low_water()", "MR007", "is serializable"),
    ("repeatable read", ["set transaction isolation level repeatable read"], "millrace.open_session",
     "millrace.open_session('w', '{mail}')", "MR007", "is repeatable read"),
    ("repeatable read", ["set transaction isolation level repeatable read"], "millrace.close_batch",
     "millrace.close_batch(<batch>)", "MR007", "is repeatable read"),
    ("serializable", ["set transaction isolation level serializable"], "millrace.close_batch",
     "millrace.close_batch(<batch>)", "MR007", "is serializable"),
    ("restored elsewhere", ["reset role; update millrace.installation set system_identifier = 1;"
                            "set role millrace_worker"],
     "millrace.open_session", "millrace.open_session('w', '{mail}')", "MR011", "another place"),
    ("cloned to another database", ["reset role; update millrace.installation set database_oid = 1;"
                                    "set role millrace_worker"],
     "millrace.open_session", "millrace.open_session('w', '{mail}')", "MR011", "another place"),
    ("restored to other tables", ["reset role; update millrace.installation set table_oid = 1;"
                                  "set role millrace_worker"],
     "millrace.claim", "millrace.claim(1, 'mail')", "MR011", "another place"),
    ("restored in mid-session", ["reset role; update millrace.installation set system_identifier = 1;"
                                 "set role millrace_worker"],
     "millrace.heartbeat", "millrace.heartbeat(1)", "MR011", "another place"),
]

LEGAL = [
    ("millrace.enqueue", "a kind of 100 look-alikes", "millrace.enqueue('mail', repeat('\u0430', 100))"),
    ("millrace.enqueue", "a kind that is SQL", "millrace.enqueue('mail', '''; drop table millrace.job; --')"),
    ("millrace.enqueue", "due before time began", "millrace.enqueue('mail', 'x', run_at => '-infinity')"),
    ("millrace.enqueue", "due at once", "millrace.enqueue('mail', 'x', delay => '0')"),
    ("millrace.enqueue", "ten years", "millrace.enqueue('mail', 'x', delay => '10 years', timeout => '30 days')"),
    ("millrace.enqueue", "exactly the limit", "millrace.enqueue('small', 'x', to_jsonb(repeat('x', 98)))"),
    ("millrace.enqueue", "a deep nest",
     "millrace.enqueue('mail', 'x', (repeat('[', 4000) || repeat(']', 4000))::jsonb)"),
    ("millrace.enqueue_many", "nothing", "millrace.enqueue_many('mail', 'x', '{}')"),
    ("millrace.enqueue_many", "two dimensions", "millrace.enqueue_many('mail', 'x', '{{1,2},{3,4}}')"),
    ("millrace.settle_many", "nothing", "millrace.settle_many('{}', null)"),
    ("millrace.settle_many", "successors of a job that is lost",
     "millrace.settle_many('{5}', '{5}', successors => '[{\"after\": 5}]')"),
    ("millrace.settled_as", "nulls", "millrace.settled_as(null, null)"),
    ("millrace.cancel", "a job that runs", "millrace.cancel(<running>, repeat('r', 1000))"),
    ("millrace.cancel_requests", "of nobody", "millrace.cancel_requests(null)"),
    ("millrace.log_line", "two thousand characters",
     "millrace.log_line(<fence>, <running>, repeat('\U0001f600', 2000))"),
    ("millrace.promote", "since ever", "millrace.promote(1, '-infinity')"),
    ("millrace.enqueue", "a key of 200 look-alikes",
     "millrace.enqueue('mail', 'x', concurrency_key => repeat('\u0430', 200))"),
    ("millrace.enqueue", "a batch that has finished", "millrace.enqueue('mail', 'x', after_batch => <closed_batch>)"),
    ("millrace.enqueue_unique", "a key that is SQL",
     "millrace.enqueue_unique('mail', 'x', '{}', '''; drop table millrace.job; --')"),
    ("millrace.enqueue_unique", "a name twice",
     "millrace.enqueue_unique('mail', 'x', '{}', 'k', replaces => '{payload,payload}')"),
    ("millrace.close_batch", "a batch that is closed", "millrace.close_batch(<closed_batch>)"),
    ("millrace.configure_queue", "no change", "millrace.configure_queue('mail', '{}')"),
    ("millrace.configure_queue", "null for no limit", "millrace.configure_queue('mail', '{\"max_running\": null}')"),
    ("millrace.configure_queue", "the lowest rate, the largest burst",
     "millrace.configure_queue('mail', '{\"rate\": \"1.000 per day\", \"burst\": 100000}')"),
    ("millrace.configure_queue", "the highest rate",
     "millrace.configure_queue('mail', '{\"rate\": \"864000000 per day\", \"burst\": null}')"),
    ("millrace.limit_key", "none of its own", "millrace.limit_key('mail', 'never seen', null)"),
    ("millrace.limit_key", "a rate and no limit", "millrace.limit_key('mail', 'k', null, '0.042 per hour')"),
    ("millrace.retry", "a job that is there already", "millrace.retry(<waiting>)"),
]
