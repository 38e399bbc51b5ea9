"""Notifications: the calls, the domains of their arguments, and the refusals by hand. As calls.py and rules.py."""

import re
import unicodedata

import domains as d
from rules import interval_rules, limit_rules, of
from values import DAY, YEAR

NAME = "[a-z0-9][a-z0-9_.-]{0,99}"
LEASE = {"fence": ("<fence>", d.lost_lease), "job_id": ("<running>", d.lost_lease)}


def is_plain(text):
    return not any(unicodedata.category(c) == "Cc" for c in text)


def is_username(text):
    return text is not None and 1 <= len(text) <= 200 and is_plain(text)


def is_address(text):
    return (text is not None and d.byte_length(text) <= 254 and is_plain(text)
            and not any(c.isspace() or c in '<>",;' for c in text)
            and re.fullmatch("[^@]{1,64}@[^@/]*[^@/.]", text) is not None
            and all(re.fullmatch("[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+", atom) for atom in text.split("@")[0].split("."))
            and ".." not in text and "@." not in text
            and re.search(r"=\?.*\?.*\?", text.split("@")[0]) is None)


def is_sender(text):
    named = re.fullmatch(".*<([^<]*)>", text.strip(" "))
    return d.byte_length(text) <= 500 and is_plain(text) and is_address(named[1] if named else text.strip(" "))


def username(word="username"):
    return d.either(is_username, d.bad(word))


def recipients(meaning):
    if meaning is None or (meaning.dims and "][" in meaning.dims) or not all(map(is_username, meaning.items)):
        return d.bad("recipients")
    return ("MR010", "recipients in one call") if len(meaning.items) > 10000 else None


def reviewers(meaning):
    return None if recipients(meaning) is None else recipients(meaning) if recipients(meaning)[0] == "MR010" \
        else d.bad("reviewers")


def data(meaning):
    return None if meaning is None or (meaning[0] == "object" and meaning[1] <= 1048576) else d.bad("data")


ANY, EVENT_TYPE = ("'x'", d.anything), ("'cl.comment.created'", d.never("MR030", "unknown event type"))
USER = ("'ada'", username())
LOCALE = ("'de'", d.matching("locale", "[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2}|-[0-9]{3})?"))
SUBJECT = ("'S'", d.either(lambda text: text and d.byte_length(text) <= 998 and is_plain(text), d.bad("subject")))
ADDRESS, REASON = ("'a@example.org'", d.either(is_address, d.bad("address"))), ("'because'", d.sized("reason", 500, 1))
TRUTH = d.not_null
DEDUP_KEY = ("null", d.unless_null(d.sized("dedup_key", 200, least=1)))

# function: (whether a fine call changes a row, its arguments)
CALLS = {
    "define_type": (True, {
        "code": ("'fresh'", d.matching("code", NAME)), "category": ("'fresh'", d.matching("category", NAME)),
        "description": ("'Fresh'", d.sized("description", 500, least=1)), "priority": ("5", d.between("priority", 0, 9)),
        "queue": ("'mail'", d.matching("queue", d.QUEUE_NAME, ("MR003", "unknown queue"))),
        "system_required": ("false", TRUTH("system_required")), "default_enabled": ("true", TRUTH("default_enabled")),
        "expires_after": ("null", d.unless_null(d.span("expires_after", 1, 10 * YEAR)))}),
    "set_sender": (True, {
        "category": ("'digest'", d.never("MR005", "bad category")),
        "sender": ("'a@example.org'", d.unless_null(d.either(is_sender, d.bad("sender"))))}),
    "types": (False, {}),
    "put_template": (True, {
        "event_type": EVENT_TYPE, "locale": LOCALE, "subject": SUBJECT,
        "body_text": ("'T'", d.sized("body_text", 262144, least=1, unit=d.byte_length)),
        "body_html": ("null", d.unless_null(d.sized("body_html", 262144, unit=d.byte_length)))}),
    "drop_template": (False, {"event_type": ANY, "locale": ANY}),
    "template_of": (False, {"event_type": ANY, "locale": ANY}),
    "should_send": (False, {"username": ANY, "event_type": ANY}),
    "config": (False, {"username": USER}),
    "configure": (True, {"username": USER, "changes": ("'{\"enabled\": false}'", d.changes)}),
    "unsubscribe": (True, {"username": USER, "event_type": EVENT_TYPE}),
    "html_escape": (False, {"text": ANY}),
    "emit": (True, {
        "event_type": EVENT_TYPE, "actor": ("null", d.unless_null(username("actor"))),
        "recipients": ("'{a@example.org}'", recipients), "subject": SUBJECT,
        "body_text": ("'T'", d.either(lambda text: text and d.byte_length(text) <= 1048576, d.bad("body_text"))),
        "body_html": ("null", d.unless_null(d.sized("body_text", 1048575, unit=d.byte_length))),
        "data": ("null", data), "dedup_key": DEDUP_KEY}),
    "cl_comment_created": (True, {
        "cl_link": ("'https://example.org/1'", d.matching("cl_link", "https?://[^/].{0,1990}")),
        "author": ("'ada'", username("author")), "reviewers": ("'{}'", reviewers),
        "actor": ("'bob'", username("actor")),
        "comment": ("'fine'", d.sized("comment", 262144, least=1, unit=d.byte_length)), "dedup_key": DEDUP_KEY}),
    "suppress": (True, {"address": ADDRESS, "reason": REASON}),
    "unsuppress": (False, {"address": ANY}), "is_suppressed": (False, {"address": ANY}),
    "bounced": (True, {"address": ADDRESS, "reason": REASON, "permanent": ("true", TRUTH("permanent"))}),
    "message_of": (False, LEASE), "digest_of": (False, LEASE), "digest_to": (False, LEASE),
    "record_delivery": (False, {  # the job has no email
        **LEASE, "outcome": ("'sent'", d.one_of("outcome", "sent")),
        "reason": ("null", d.anything), "message_id": ("null", d.anything), "reply": ("null", d.anything),
        "redirected_to": ("null", d.anything), "sent_to": ("null", d.anything)}),
    "find_emails": (False, {
        "username": ("null", d.anything), "type": ("null", d.anything),
        "status": ("null", d.unless_null(d.one_of("status", "sent"))), "since": ("null", d.anything),
        "until": ("null", d.anything), "max_rows": ("10", d.between("max_rows", 1, 10000))}),
    "status_by_job": (False, {"job_id": ("<running>", d.anything), "is_known_to_have_failed": ("false", d.anything)}),
    "set_up": (True, {"queue": ("'mail'", d.matching("name", d.QUEUE_NAME)),
                      "retention": ("'30 days'", d.span("retention", DAY, 10 * YEAR))}),
    "set_queue_owner": (True, {"queue": ("'mail'", d.unknown_queue),
                               "username": ("'ada'", d.unless_null(username()))}),
    "upkeep": (True, {"max_rows": ("1000", d.between("max_rows", 1, 100000)),
                      "at_most_every": ("'0'", d.span("at_most_every", 0, DAY))}),
    "overview": (False, {}),
    "erase_user": (True, {"username": USER, "dry_run": ("false", TRUTH("dry_run"))}),
}

TYPE = "'cl.comment.created'"
BAD_USERS = {"null": "null", "empty": "''", "201 characters": "repeat('u', 201)", "a line feed": "E'ada\\nbob'"}
BAD_SUBJECTS = {"null": "null", "empty": "''", "a header behind it": "E'S\\r\\nBcc: eve@example.org'",
                "999 bytes": "repeat('s', 999)", "1000 bytes of few characters": "repeat('ä', 500)"}
BAD_ADDRESSES = {"null": "null", "empty": "''", "no @": "'ada'", "two @": "'a@b@c'", "nothing before it": "'@b.org'",
                 "nothing behind it": "'a@'", "a trailing dot": "'a@b.'", "65 before it": "repeat('a', 65) || '@b.org'",
                 "255 bytes": "'a@' || repeat('b', 253)", "a name": "'Ada <ada@example.org>'",
                 "a second recipient": "'a@b.org,eve@example.org'", "a line feed": "E'a@b.org\\nBcc: c@d'",
                 "a space": "'a b@c.org'", "a leading dot": "'.a@b.org'", "a dot before the @": "'a.@b.org'",
                 "two dots": "'a..b@c.org'", "an umlaut before it": "'jörg@b.org'", "a comment": "'a(b)@c.org'",
                 "encoded text": "'=?utf-8?q?a?=@b.org'"}


def emit_rules():
    fine = f"{TYPE}, null, '{{ada}}', 'S', 'T'"
    return of(
        "notify.emit",
        ("event_type", "null", "null, null, '{ada}', 'S', 'T'", "MR030", "unknown event type NULL"),
        ("event_type", "never defined", "'nothing', null, '{ada}', 'S', 'T'", "MR030", "unknown event type 'nothing'"),
        ("event_type", "in capitals", f"upper({TYPE}), null, '{{ada}}', 'S', 'T'", "MR030", "unknown event type"),
        *(("actor", rule, f"{TYPE}, {name}, '{{ada}}', 'S', 'T'", "MR005", "bad actor")
          for rule, name in BAD_USERS.items() if rule != "null"),
        *(("recipients", rule, f"{TYPE}, null, array[{name}]::text[], 'S', 'T'", "MR005", "bad recipients")
          for rule, name in BAD_USERS.items()),
        ("recipients", "no array", f"{TYPE}, null, null, 'S', 'T'", "MR005", "bad recipients"),
        ("recipients", "two dimensions", f"{TYPE}, null, '{{{{a}},{{b}}}}', 'S', 'T'", "MR005", "bad recipients"),
        ("recipients", "10001", f"{TYPE}, null, array_fill('a'::text, '{{10001}}'), 'S', 'T'", "MR010", "10001"),
        *(("subject", rule, f"{TYPE}, null, '{{ada}}', {text}, 'T'", "MR005", "bad subject")
          for rule, text in BAD_SUBJECTS.items()),
        ("body_text", "none", f"{TYPE}, null, '{{ada}}', 'S'", "MR005", "bad body_text"),
        ("body_text", "more than a MiB with html", f"{TYPE}, null, '{{ada}}', 'S', repeat('x', 524289),"
         " repeat('x', 524288)", "MR005", "bad body_text"),
        ("data", "an array", f"{fine}, data => '[]'", "MR005", "bad data"),
        ("data", "the null of JSON", f"{fine}, data => 'null'", "MR005", "bad data"),
        ("data", "more than a MiB", f"{fine}, data => jsonb_build_object('a', repeat('x', 1048576))", "MR005",
         "bad data"),
        ("dedup_key", "empty", f"{fine}, dedup_key => ''", "MR005", "bad dedup_key"),
        ("dedup_key", "201 characters", f"{fine}, dedup_key => repeat('k', 201)", "MR005", "bad dedup_key"),
    ) + of(
        "notify.cl_comment_created",
        ("cl_link", "a script", "'javascript:alert(1)', 'a', '{}', 'b', 'c'", "MR005", "bad cl_link"),
        ("cl_link", "no host", "'https:///a', 'a', '{}', 'b', 'c'", "MR005", "bad cl_link"),
        ("cl_link", "two lines", "E'https://a\\nb', 'a', '{}', 'b', 'c'", "MR005", "bad cl_link"),
        ("author", "null", "'https://a', null, '{}', 'b', 'c'", "MR005", "bad author"),
        ("actor", "null", "'https://a', 'a', '{}', null, 'c'", "MR005", "bad actor"),
        ("reviewers", "null", "'https://a', 'a', null, 'b', 'c'", "MR005", "bad reviewers"),
        ("reviewers", "two dimensions", "'https://a', 'a', '{{a},{b}}', 'b', 'c'", "MR005", "bad reviewers"),
        ("comment", "empty", "'https://a', 'a', '{}', 'b', ''", "MR005", "bad comment"),
        ("comment", "more than 256 KiB", "'https://a', 'a', '{}', 'b', repeat('c', 262145)", "MR005", "bad comment"))


def settings_rules():
    def row(rule, changes, word, sqlstate="MR005"):
        return "changes", rule, f"'ada', '{changes}'", sqlstate, word
    rules = of(
        "notify.configure",
        *(("username", rule, f"{name}, '{{}}'", "MR005", "bad username") for rule, name in BAD_USERS.items()),
        ("changes", "null", "'ada', null", "MR005", "bad changes"), row("an array", "[]", "bad changes"),
        row("an unknown field", '{"color": 1}', "no field 'color'"),
        row("the name", '{"username": "eve"}', "no field 'username'"),
        row("an address that is none", '{"email": "ada"}', "bad email"),
        row("an address of a number", '{"email": 1}', "bad email"),
        row("a word for true", '{"enabled": "yes"}', "bad enabled"),
        row("an unknown mode", '{"delivery_mode": "weekly"}', "bad delivery_mode"),
        row("no mode", '{"delivery_mode": null}', "bad delivery_mode"),
        row("hour 24", '{"digest_hour": 24}', "bad digest_hour"),
        row("half an hour", '{"digest_hour": 7.5}', "bad digest_hour"),
        row("an hour as text", '{"digest_hour": "7"}', "bad digest_hour"),
        row("an abbreviated zone", '{"time_zone": "CEST"}', "bad time_zone"),
        row("no zone", '{"time_zone": null}', "bad time_zone"),
        row("a word for a language", '{"locale": "german"}', "bad locale"),
        row("a traversal", '{"locale": "../de"}', "bad locale"),
        row("preferences in a list", '{"preferences": []}', "bad preferences"),
        row("a preference of 1", '{"preferences": {"cl.comment.created": 1}}', "bad preferences"),
        row("an unknown type", '{"preferences": {"nothing": true}}', "unknown event type 'nothing'", "MR030"),
    )
    for verb, rest in (("config", ""), ("erase_user", "")):
        rules += of(f"notify.{verb}", *(("username", rule, name + rest, "MR005", "bad username")
                                        for rule, name in BAD_USERS.items()))
    return rules + of(
        "notify.unsubscribe",
        *(("username", rule, f"{name}, {TYPE}", "MR005", "bad username") for rule, name in BAD_USERS.items()),
        ("event_type", "null", "'ada', null", "MR030", "unknown event type NULL"),
        ("event_type", "unknown", "'ada', 'nothing'", "MR030", "unknown event type 'nothing'"))


def type_rules():
    define = "notify.define_type"
    names = {"null": "null", "empty": "''", "101 characters": "repeat('n', 101)", "a capital": "'News'",
             "a leading dash": "'-n'", "a space": "'a b'", "a line feed behind it": "E'n\\n'"}
    return of(
        define, *(("code", rule, f"{name}, 'c', 'd'", "MR005", "bad code") for rule, name in names.items()),
        *(("category", rule, f"'c', {name}, 'd'", "MR005", "bad category") for rule, name in names.items()),
        ("description", "null", "'c', 'c', null", "MR005", "bad description"),
        ("description", "501 characters", "'c', 'c', repeat('d', 501)", "MR005", "bad description"),
        ("priority", "null", "'c', 'c', 'd', null", "MR005", "bad priority"),
        ("priority", "10", "'c', 'c', 'd', 10", "MR005", "bad priority"),
        ("queue", "null", "'c', 'c', 'd', queue => null", "MR003", "unknown queue null"),
        ("system_required", "null", "'c', 'c', 'd', system_required => null", "MR005", "bad system_required"),
        ("default_enabled", "null", "'c', 'c', 'd', default_enabled => null", "MR005", "bad default_enabled"),
    ) + interval_rules(define, "expires_after", "'c', 'c', 'd', expires_after => %s",
                       {"0": "0", "negative": "-1 s", "more than ten years": "11 years"}) + of(
        "notify.set_sender", ("category", "unknown", "'nothing', null", "MR005", "bad category"),
        ("sender", "no address", "'digest', 'Ada'", "MR005", "bad sender"),
        ("sender", "an address that does not end", "'digest', 'Ada <a@b.org'", "MR005", "bad sender"),
        ("sender", "a header behind it", "'digest', E'a@b\\r\\nBcc: c@d'", "MR005", "bad sender")
    ) + of(
        "notify.put_template", ("event_type", "unknown", "'nothing', 'de', 'S', 'T'", "MR030", "unknown event type"),
        ("locale", "null", f"{TYPE}, null, 'S', 'T'", "MR005", "bad locale"),
        ("locale", "in capitals", f"{TYPE}, 'DE', 'S', 'T'", "MR005", "bad locale"),
        *(("subject", rule, f"{TYPE}, 'de', {text}, 'T'", "MR005", "bad subject")
          for rule, text in BAD_SUBJECTS.items()),
        ("body_text", "null", f"{TYPE}, 'de', 'S', null", "MR005", "bad body_text"),
        ("body_text", "nothing in both", f"{TYPE}, 'de', 'S', '', ''", "MR005", "bad body_text"),
        ("body_text", "more than 256 KiB", f"{TYPE}, 'de', 'S', repeat('x', 262145)", "MR005", "bad body_text"),
        ("body_html", "more than 256 KiB", f"{TYPE}, 'de', 'S', 'T', repeat('x', 262145)", "MR005", "bad body_html"))


def suppression_rules():
    rules = []
    for verb in ("suppress", "bounced"):
        rules += of(f"notify.{verb}", *(("address", rule, f"{address}, 'r'", "MR005", "bad address")
                                        for rule, address in BAD_ADDRESSES.items()),
                    ("reason", "null", "'a@b.org', null", "MR005", "bad reason"),
                    ("reason", "501 characters", "'a@b.org', repeat('r', 501)", "MR005", "bad reason"))
    return rules + of("notify.bounced", ("permanent", "null", "'a@b.org', 'r', null", "MR005", "bad permanent"))


def delivery_rules():
    rules = []
    for verb, rest in (("message_of", ""), ("digest_of", ""), ("digest_to", ""), ("record_delivery", ", 'sent'")):
        rules += of(f"notify.{verb}", ("fence", "null", f"null, <running>{rest}", "MR001", "lease lost"),
                    ("fence", "of another", f"<fence> + 1, <running>{rest}", "MR001", "lease lost"),
                    ("job_id", "null", f"<fence>, null{rest}", "MR001", "lease lost"),
                    ("job_id", "that waits", f"<fence>, <waiting>{rest}", "MR001", "lease lost"))
    held = "<fence>, <running>"
    return rules + of(
        "notify.record_delivery", ("outcome", "null", f"{held}, null", "MR005", "bad outcome"),
        ("outcome", "unknown", f"{held}, 'gone'", "MR005", "bad outcome"),
        ("outcome", "what a job says of itself", f"{held}, 'cancelled'", "MR005", "bad outcome"),
        ("reason", "none of a failure", f"{held}, 'failed'", "MR005", "bad reason"),
        ("reason", "none of what is skipped", f"{held}, 'skipped', ''", "MR005", "bad reason")
    ) + of("notify.find_emails", ("status", "unknown", "status => 'lost'", "MR005", "bad status"),
           ("max_rows", "null", "max_rows => null", "MR005", "bad max_rows"),
           ("max_rows", "0", "max_rows => 0", "MR005", "bad max_rows"),
           ("max_rows", "10001", "max_rows => 10001", "MR005", "bad max_rows")
    ) + of("notify.set_queue_owner", ("queue", "unknown", "'nowhere', 'ada'", "MR003", "unknown queue"),
           ("username", "empty", "'mail', ''", "MR005", "bad username")
    ) + of("notify.set_up", ("queue", "null", "null", "MR005", "bad name"), ("queue", "a capital", "'Mail'", "MR005",
                                                                             "bad name"),
           ("retention", "null", "retention => null", "MR005", "bad retention")
    ) + interval_rules("notify.set_up", "retention", "retention => %s",
                       {"less than a day": "23 hours", "more than ten years": "11 years"}
    ) + limit_rules("notify.upkeep", "max_rows", 100000
    ) + interval_rules("notify.upkeep", "at_most_every", "at_most_every => %s", {"more than a day": "25 hours"}
    ) + of("notify.upkeep", ("at_most_every", "null", "at_most_every => null", "MR005", "bad at_most_every")
    ) + of("notify.erase_user", ("dry_run", "null", "'ada', null", "MR005", "bad dry_run"))


RULES = emit_rules() + settings_rules() + type_rules() + suppression_rules() + delivery_rules()

LEGAL = [
    ("notify.emit", "to nobody", f"notify.emit({TYPE}, null, '{{}}', 'S', 'T')"),
    ("notify.emit", "html alone", f"notify.emit({TYPE}, null, '{{a@b.org}}', 'S', null, '<p>x</p>')"),
    ("notify.emit", "to the actor alone", f"notify.emit({TYPE}, 'a', '{{a,a}}', 'S', 'T')"),
    ("notify.emit", "SQL as a name", f"notify.emit({TYPE}, null, array['''; drop table notify.email; --'], 'S', 'T')"),
    ("notify.configure", "nothing", "notify.configure('ada', '{}')"),
    ("notify.config", "a name that is SQL", "notify.config('''; drop table x; --')"),
    ("notify.unsuppress", "null", "notify.unsuppress(null)"),
    ("notify.should_send", "nulls", "notify.should_send(null, null)"),
    ("notify.is_suppressed", "null", "notify.is_suppressed(null)"),
    ("notify.suppress", "an internationalised domain", "notify.suppress('a@bücher.example', 'r')"),
]
