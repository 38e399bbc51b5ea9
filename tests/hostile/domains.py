"""What each argument may be: an oracle written from the contract (sql/queue/errors.md and the files' headers).

A domain takes a value's meaning and returns None when the value is legal, else (SQLSTATE, word of the message). Each is
named after the argument that it complains of.
"""

import re
import unicodedata

from values import DAY, YEAR

KNOWN_QUEUES = {"mail", "small", "pipeline", "forks"}
KNOWN_GROUPS = {"default", "busy", "done", "told"}


def anything(_meaning):
    return None


def bad(word):
    return "MR005", f"bad {word}"


def either(is_fine, refusal):
    """A domain by a predicate."""
    return lambda meaning: None if is_fine(meaning) else refusal


def unless_null(domain):
    return lambda meaning: None if meaning is None else domain(meaning)


def matching(word, pattern, refusal=None):
    form = re.compile(pattern, re.ASCII)
    return either(lambda text: text is not None and form.fullmatch(text), refusal or bad(word))


def sized(word, most, least=0, unit=len):
    return either(lambda text: text is not None and least <= unit(text) <= most, bad(word))


def byte_length(text):
    return len(text.encode())


def one_of(word, *words):
    return either(lambda text: text in words, bad(word))


def between(word, least, most):
    return either(lambda number: number is not None and least <= number <= most, bad(word))


def span(word, least, most, above=None):
    """An interval of seconds, no part of it negative."""
    def is_fine(meaning):
        return (meaning is not None and not meaning.has_negative_part and least <= meaning.seconds <= most
                and (above is None or meaning.seconds > above))
    return either(is_fine, bad(word))


def unknown_queue(meaning):
    return None if meaning in KNOWN_QUEUES else ("MR003", "unknown queue")


def unknown_pipeline_queue(meaning):
    return None if meaning in ("mono/main", "mono/idle") else ("MR003", "unknown pipeline queue")


def unknown_fork(meaning):
    return None if meaning == "acme/site" else ("MR020", "unknown fork")


def unknown_run(_meaning):
    return "MR024", "unknown run"


def unknown_group(meaning):
    return None if meaning in KNOWN_GROUPS else ("MR022", "unknown digest group")


def subject(text):
    is_fine = (text is not None and 1 <= len(text) <= 900
               and not any(unicodedata.category(letter) == "Cc" for letter in text))
    return None if is_fine else bad("subject")


def document(meaning):
    """No generated document has a list of forks."""
    return None if meaning == ("object", 2) else bad("document")


def items(meaning):
    """No generated list has anything of a step in it; of none of them is more known than its kind and its length."""
    return None if meaning == ("array", 2) else bad("items")


def never(sqlstate, word):
    """No generated value is the right one."""
    return lambda _meaning: (sqlstate, word)


def not_null(word):
    return either(lambda meaning: meaning is not None, bad(word))


def payload(limit):
    def check(meaning):
        if meaning is None:
            return "MR005", "payload is null"
        return None if meaning[1] <= limit else ("MR004", "is too large")
    return check


def service_settings(meaning):
    """None of the generated documents is long enough to have all that a build service needs."""
    return None if meaning is not None and meaning[0] == "object" and meaning[1] == 83 else bad("settings")


def batch_payload(meaning):
    return payload(1048576)(meaning) or (None if meaning[0] == "object" else bad("payload"))


def rate(meaning):
    """Beside a burst, which is nothing without a rate."""
    if meaning is None:
        return bad("burst")
    found = re.fullmatch(r"([0-9]{1,9}(?:[.][0-9]{1,3})?) per (second|minute|hour|day)", meaning, re.ASCII)
    a_day = found and float(found[1]) * {"second": 86400, "minute": 1440, "hour": 24, "day": 1}[found[2]]
    return None if found and 1 <= a_day <= 864_000_000 else bad("rate")


def changes(meaning):
    """No generated document names a setting."""
    return None if meaning == ("object", 2) else bad("changes")


def settings(meaning):
    """No generated document names a setting."""
    return None if meaning == ("object", 2) else bad("settings")


def chosen(meaning):
    """No generated document is a filter."""
    return bad("filter")


def retry_delays(meaning):
    is_fine = (1 <= len(meaning.items) <= 100 and meaning.dims == f"[1:{len(meaning.items)}]"
               and set(meaning.items) <= {"1 second", "0"})
    return None if is_fine else bad("retry_delays")
def schema(meaning):
    """Of the generated documents, only objects are schemas; those of the catalogue are shallow."""
    return None if meaning is None or meaning[0] == "object" else bad("schema")


def replaces(meaning):
    """No generated array names what can be replaced."""
    return None if meaning is not None and not meaning.items else bad("replaces")


def payloads(meaning):
    if meaning is None:
        return "MR005", "payloads is null"
    if len(meaning.items) > 50000:
        return "MR010", "payloads in one call"
    return ("MR005", "payload is null") if None in meaning.items else None


def result(meaning):
    return None if meaning is None or meaning[1] <= 1048576 else bad("results")


def successors(meaning):
    """Of the generated documents only the empty array has no element without an "after"."""
    return None if meaning is None or meaning == ("array", 2) else bad("successors")


def session_queues(meaning):
    if meaning is None or not 1 <= len(meaning.items) <= 1000:
        return bad("queues")
    return queues(meaning)


def session_kinds(meaning):
    return None if meaning is None or (len(meaning.items) <= 1000 and None not in meaning.items) else bad("kinds")


def queues(meaning):
    return None if meaning is None or KNOWN_QUEUES.issuperset(meaning.items) else ("MR003", "unknown queue")


def settled_ids(meaning):
    """The fence is that of one job; whatever other id is shown with it is not held by it."""
    if meaning is None:
        return bad("job_ids")
    if not meaning.items:
        return None
    if len(meaning.items) > 1000:
        return "MR010", "in one call"
    if meaning.dims != f"[1:{len(meaning.items)}]" or None in meaning.items:
        return bad("job_ids")
    return None if len(meaning.items) == 1 else bad("fences")


def one_for_the_job(word, is_fine):
    """An array beside one job: null, or of one element that is fine."""
    def check(meaning):
        if meaning is None:
            return None
        return None if meaning.dims == "[1:1]" and is_fine(meaning.items[0]) else bad(word)
    return check


def outcomes(meaning):
    if meaning is not None and meaning.dims == "[1:1]" and meaning.items[0] == "snoozed":
        return bad("delays")  # of which there are none
    return one_for_the_job("outcomes", lambda outcome: outcome == "completed")(meaning)


def max_age(meaning):
    """Somebody has looked at the branch when the fixture was made, and nobody since."""
    return span("max_age", 0, 10 * YEAR, above=0)(meaning) or (
        None if meaning.seconds >= 3600 else ("MR007", "nobody has looked"))


def max_validation(meaning):
    """The time limit that is given beside it is ten minutes."""
    return span("max_validation", 0, 30 * DAY, above=0)(meaning) or span("time_limit", 600, 30 * DAY)(meaning)


def last_green_request(number):
    """There is one request, its URI is given, and nothing has been green."""
    if number is None or number > 1:
        return bad("last_green_request")
    if number < 0:
        return "MR007", "cannot become"
    return bad("last_green_uri") if number == 0 else None


def fences(meaning):
    return None if meaning is not None and meaning.dims == "[1:1]" and meaning.items[0] is not None else bad("fences")


def is_branch(text):
    return (text is not None and 1 <= byte_length(text) <= 200
            and not any(c in " ~^:?*[\\" or unicodedata.category(c) == "Cc" for c in text)
            and not re.search(r"\.\.|@\{|//|^/|/\Z|\.\Z|^-|^(@|HEAD)\Z", text)
            and not re.search(r"(^|/)\.|\.lock(/|\Z)", text))


def is_remote(text):
    return (text is not None and byte_length(text) <= 2000
            and not any(c.isspace() or unicodedata.category(c) == "Cc" for c in text)
            and re.match(r"((https?://|git://|ssh://([A-Za-z0-9._~]+@)?)(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)"
                         r"(:[0-9]{1,5})?/.|(file://)?/[^/])", text, re.ASCII) is not None)


branch = either(is_branch, bad("branch"))


def remote(word):
    return either(is_remote, bad(word))


def branches(meaning):
    is_fine = (meaning is not None and meaning.dims is not None and "][" not in meaning.dims
               and len(meaning.items) <= 100 and all(is_branch(item) for item in meaning.items)
               and len(set(meaning.items)) == len(meaning.items))
    return None if is_fine else bad("branches")


def command(meaning):
    is_fine = (meaning is not None and meaning.dims is not None and "][" not in meaning.dims
               and len(meaning.items) <= 1000 and None not in meaning.items)
    return None if is_fine else bad("command")


def history(meaning):
    return None if meaning is not None and len(meaning.items) <= 1000 else bad("uris")


def repo(meaning):
    if meaning == "acme/site":
        return "MR021", "exists"
    return matching("repo", r"(?!.*/\.{1,2}\Z)[A-Za-z0-9][A-Za-z0-9_.-]{0,99}/[A-Za-z0-9_.-]{1,100}")(meaning)


def commit(word):
    return matching(word, "[0-9a-f]{40}([0-9a-f]{24})?")


QUEUE_NAME = "[a-z0-9][a-z0-9_.-]{0,47}"


def new_queue(meaning):
    return ("MR008", "exists") if meaning in KNOWN_QUEUES else matching("name", QUEUE_NAME)(meaning)


kind = sized("kind", 100, least=1)
run_at = unless_null(either(lambda years: years <= 10, bad("run_at")))
committed_at = unless_null(either(lambda years: abs(years) != 9999, bad("committed_at")))
expires_at = unless_null(either(lambda years: 0 < years <= 20, bad("expires_at")))
delay = unless_null(span("delay", 0, 10 * YEAR))
timeout = unless_null(span("timeout", 0, 30 * DAY, above=0))
max_attempts = between("max_attempts", 1, 1000)
traceparent = unless_null(matching("traceparent", "[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"))
unknown_batch = never("MR013", "unknown batch")
concurrency_key = unless_null(sized("concurrency_key", 200, least=1))
unknown_job = never("MR006", "unknown job")
lost_lease = either(lambda meaning: False, ("MR001", "lease lost"))
ended_session = never("MR002", "has ended")
error = sized("errors", 10**9, least=1)
project = sized("project", 500, unit=byte_length)
degree = either(lambda number: number is not None and 0 <= number <= 1, bad("degree"))
