"""Hostile values for each type of argument: what SQL says, and what the oracle in domains.py is told of it.

`meaning` is the value as Python has it, or Unreadable with the SQLSTATE by which the server itself refuses the text.
"""

import collections
import random

Value = collections.namedtuple("Value", "label sql meaning")
Unreadable = collections.namedtuple("Unreadable", "sqlstate")
Span = collections.namedtuple("Span", "seconds has_negative_part", defaults=(False,))
Items = collections.namedtuple("Items", "items dims")

DAY = 86400
MONTH, YEAR = 30 * DAY, 360 * DAY  # as PostgreSQL compares intervals
# Compares as nothing, and would lead out of the range of times.
WILD = "71582788 months -2147483640 days"
NOT_UTF8 = Value("not UTF-8", r"E'a\xff'", Unreadable("22021"))
ZERO_BYTE = Value("a zero byte", r"E'a\000'", Unreadable("22021"))


def quote(text):
    return "'" + text.replace("'", "''") + "'"


TEXTS = {
    "empty": "", "a space": " ", "spaces around": " mail ", "capitals": "MAIL", "48 letters": "q" * 48,
    "49 letters": "q" * 49, "100 letters": "k" * 100, "101 letters": "k" * 101, "200 letters": "n" * 200,
    "201 letters": "n" * 201, "256 letters": "h" * 256, "501 letters": "p" * 501, "601 letters": "i" * 601,
    "1001 letters": "r" * 1001, "2001 letters": "u" * 2001, "4001 letters": "d" * 4001,
    "a million letters": "m" * 10**6,
    "2000 characters of four bytes": "\U0001f600" * 2000, "control characters": "a\x01\x02\x1f\x7fb",
    "an escape sequence": "\x1b[2Jmail", "a line feed": "mail\n", "two lines": "mail\nmail", "CRLF": "a\r\nBcc: b@c",
    "a tab": "ma\til", "next line U+0085": "ma\u0085il", "a quote": "'", "closes a literal": "mail'); drop table x; --",
    "a union": "' union select 1 --", "dollar quotes": "$$; drop schema millrace cascade; $$",
    "a comment": "mail/*", "a format": "%s%n%L%I$1", "a backslash": "\\",
    "shell": "$(touch x); `id` | cat > y & z",
    "a leading dash": "-x", "an option": "--upload-pack=touch x", "a traversal": "../../etc/passwd",
    "a traversal inside": "a/../../b", "an absolute path": "/etc/passwd", "a look-alike": "m\u0430il",
    "right to left": "ma\u202eil", "zero width": "ma\u200bil", "combining": "ma\u0301il", "an emoji": "\U0001f4a9",
    "the word null": "null", "wildcards": "*?[a]", "JSON": '{"a":1}', "an ext transport": "ext::sh -c id",
    "an address with a password": "https://user:secret@example.org/a.git", "a number": "17", "HEAD": "HEAD",
    "a lock": "main.lock", "a range": "main..next", "a commit": "a" * 40, "a commit in capitals": "A" * 40,
    "a short commit": "a" * 39,
}


def texts(seed):
    dice = random.Random(seed)
    alphabet = "az09_.-/@:~^?*[]\\'\"$%&;|<>(){} \t\r\n\x01\x1b\x7fäß\u0430\u202e\U0001f4a9"
    made = {f"random {n}": "".join(dice.choices(alphabet, k=dice.randint(1, 120))) for n in range(12)}
    listed = [Value(label, quote(text), text) for label, text in (TEXTS | made).items()]
    return [Value("null", "null", None), NOT_UTF8, ZERO_BYTE, *listed]


def whole_numbers(bits):
    def of(seed):
        least, most = -2**(bits - 1), 2**(bits - 1) - 1
        dice = random.Random(seed)
        fine = [least, -1, 0, 1, 9, 10, 11, 60, 61, 100, 101, 1000, 1001, 10000, 10001, 100001, 67108865, most]
        fine += [dice.randint(least, most) for _ in range(4)]
        listed = [Value(str(n), quote(str(n)), n) for n in fine]
        for n in (least - 1, most + 1, 10**30):
            listed.append(Value(str(n), quote(str(n)), Unreadable("22003")))
        for text in ("", "abc", "1.5", "1e3", "NaN", "0x10", "--1", "1 2", "１"):
            listed.append(Value(repr(text), quote(text), Unreadable("22P02")))
        return [Value("null", "null", None), NOT_UTF8, *listed]
    return of


def numerics(_seed):
    fine = {"0": 0, "1": 1, "-0.1": -0.1, "1.1": 1.1, "1e100": 1e100, "-1e100": -1e100, "0.000001": 1e-6, "1e-300": 0.1,
            "NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
    listed = [Value(text, quote(text), meaning) for text, meaning in fine.items()]
    listed += [Value(repr(text), quote(text), Unreadable("22P02")) for text in ("", "abc", "0,5", "1/2", "0x1")]
    return [Value("null", "null", None), Value("1e200000", "'1e200000'", Unreadable("22003")), NOT_UTF8, *listed]


def intervals(_seed):
    fine = {"0": Span(0), "-1 second": Span(-1, True), "1 microsecond": Span(1e-6), "1 second": Span(1),
            "10 milliseconds": Span(0.01), "9 milliseconds": Span(0.009), "1 hour": Span(3600),
            "1 hour 1 microsecond": Span(3600 + 1e-6), "1 day": Span(DAY), "1 day 1 second": Span(DAY + 1),
            "30 days": Span(30 * DAY), "30 days 1 second": Span(30 * DAY + 1), "10 years": Span(10 * YEAR),
            "10 years 1 day": Span(10 * YEAR + DAY), "178000000 years": Span(178000000 * YEAR),
            "-178000000 years": Span(-178000000 * YEAR, True), WILD: Span(0, True),
            WILD + " 2 seconds": Span(2, True), WILD + " 24:00:00": Span(DAY, True),
            "106751991 days -2562047784:00:00": Span(0, True), "1 day -1 second": Span(DAY - 1, True),
            "2147483647 days": Span(2147483647 * DAY)}
    listed = [Value(text, quote(text), meaning) for text, meaning in fine.items()]
    for text in ("", "abc", "infinity", "NaN", "1e400 s", "1 fortnight", "1; drop table x"):
        listed.append(Value(repr(text), quote(text), Unreadable("22007")))
    for text in ("99999999999 days", "P9999999999Y"):
        listed.append(Value(repr(text), quote(text), Unreadable("22015")))
    return [Value("null", "null", None), NOT_UTF8, *listed]


def times(_seed):
    """The meaning is in how many years that is, roughly: more than ten, or not at all."""
    fine = {"-infinity": -9999, "infinity": 9999, "epoch": -50, "4714-11-24 00:00+00 BC": -6700, "9999-12-31": 7900,
            "294276-12-31": 290000, "1970-01-01T00:00:00Z": -50, "now": 0, "tomorrow": 0.003}
    listed = [Value(text, quote(text), meaning) for text, meaning in fine.items()]
    for text in ("", "abc", "NaN", "2026-01-01'; drop table x; --"):
        listed.append(Value(repr(text), quote(text), Unreadable("22007")))
    for text in ("17", "2026-02-30", "294277-01-01", "4714-01-01 BC", "2026-01-01 25:00", "2026-13-01"):
        listed.append(Value(repr(text), quote(text), Unreadable("22008")))
    return [Value("null", "null", None), NOT_UTF8, *listed]


def booleans(_seed):
    listed = [Value(text, quote(text), text == "true") for text in ("true", "false")]
    listed += [Value(repr(text), quote(text), Unreadable("22P02")) for text in ("", "maybe", "2", "null", "тrue")]
    return [Value("null", "null", None), NOT_UTF8, *listed]


def documents(_seed):
    """JSON. The meaning is (its type, its size as text)."""
    fine = {"an empty object": "{}", "an empty array": "[]", "the null of JSON": "null", "a number": "17",
            "a string": '"x"', "true": "true", "an array of numbers": "[1]", "a key twice": '{"a": 1, "a": 2}',
            "a prototype": '{"__proto__": {"x": 1}}', "a large number": "1" + "0" * 1000, "an empty key": '{"": ""}',
            "a nest of 1000": "[" * 1000 + "]" * 1000, "CRLF inside": '"a\\r\\nBcc: b@c"',
            "SQL inside": '{"a": "\'; drop table x; --"}', "two million bytes": '"' + "x" * 2_000_000 + '"'}
    kinds = {"{": "object", "[": "array", '"': "string", "n": "null", "t": "boolean"}
    listed = [Value(label, quote(text), (kinds.get(text[0], "number"), len(text))) for label, text in fine.items()]
    for text in ("", "{", "{'a': 1}", "[1,]", "NaN", "Infinity", "undefined", "{} {}", "01", '"\\ud800"', '"\\udc00x"',
                 '"\\x41"', '"a\nb"', '{"a" 1}', "[1 2]", "\ufeff{}"):
        listed.append(Value(repr(text), quote(text), Unreadable("22P02")))
    listed.append(Value("\\u0000", quote('"\\u0000"'), Unreadable("22P05")))
    listed.append(Value("a number beyond numeric", "'1e200000'", Unreadable("22003")))
    nest = "(repeat('[', 200000) || repeat(']', 200000))::jsonb"
    return [Value("null", "null", None), NOT_UTF8, *listed, Value("a nest of 200000", nest, Unreadable("54001"))]


def arrays(elements):
    """`elements` are five texts that the type can read; the meaning is Items of texts, with their dimensions."""
    a, b, c, d, e = elements

    def of(_seed):
        def value(label, items, dims=None, sql=None):
            text = sql or "{" + ",".join("NULL" if item is None else '"%s"' % item.replace('"', '\\"')
                                         for item in items) + "}"
            return Value(label, quote(text), Items(items, dims or (f"[1:{len(items)}]" if items else None)))
        many = "array(select %s from generate_series(1, %d))"
        listed = [value("empty", []), value("one", [a]), value("another", [b]), value("a third", [c]),
                  value("a fourth", [d]), value("a fifth", [e]), value("a null", [None]),
                  value("a null among others", [a, None, b]), value("twice the same", [a, a]),
                  value("five", [a, b, c, d, e]), value("two dimensions", [a, b], "[1:2][1:1]",
                                                        '{{"%s"},{"%s"}}' % tuple(
                      x.replace('"', '\\"') for x in (a, b))),
                  value("from zero", [a], "[0:0]", '[0:0]={"%s"}' % a.replace('"', '\\"')),
                  value("from five", [a], "[5:5]", '[5:5]={"%s"}' % a.replace('"', '\\"'))]
        for label, text in (("open", "{"), ("no braces", "abc"), ("closed twice", "{}}"), ("ragged", "{{1,2},{3}}"),
                            ("mixed", "{1,{2}}"), ("dimensions that lie", "[1:3]={1}"), ("empty text", "")):
            listed.append(Value(label, quote(text), Unreadable("22P02")))
        for amount in (101, 1001, 50001):
            listed.append(Value(str(amount), many % (quote(a), amount), Items([a] * amount, f"[1:{amount}]")))
        return [Value("null", "null", None), NOT_UTF8, *listed]
    return of


def typed(value, type_name):
    """As an argument of that type."""
    return value.sql if value.sql == "null" else f"{value.sql}::{type_name}"


GENERATORS = {
    "text": texts, "integer": whole_numbers(32), "bigint": whole_numbers(64), "numeric": numerics,
    "interval": intervals, "timestamp with time zone": times, "boolean": booleans, "jsonb": documents,
    "text[]": arrays(["mail", "main", "completed", "snoozed", "-x"]),
    "bigint[]": arrays(["1", "-1", "0", "9223372036854775807", "17"]),
    "interval[]": arrays(["1 second", "-1 second", WILD, "11 years", "0"]),
    "jsonb[]": arrays(["{}", "null", "17", "[]", '{"a": 1}']),
}
