"""What is said to the worker's HTTP endpoint and to the dashboard, and the status of the one answer that either may give;
HANG_UP is none.
"""

import random

GOOD = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
FORBIDDEN, LENGTH, LARGE_BODY, NO_FORM, TOO_OFTEN, BUSY = 403, 411, 413, 415, 429, 503
OK, BAD, MISSING, METHOD, LONG_URI, NO_RANGE, LARGE_HEAD, HANG_UP = 200, 400, 404, 405, 414, 416, 431, 0


def request(line="GET /healthz HTTP/1.1", *headers, body=""):
    return "\r\n".join([line, "Host: x", *headers, "", ""]) + body


def path(text):
    return request(f"GET {text} HTTP/1.1")


LINES = {
    "nothing": ("", HANG_UP), "an empty line": ("\r\n", BAD), "half a word": ("GE", HANG_UP),
    "a method alone": ("GET\r\n\r\n", BAD),
    "no version": ("GET /healthz\r\n\r\n", BAD), "half a line": ("GET /healthz HT", HANG_UP),
    "no end": ("GET /healthz HTTP/1.1\r\n", HANG_UP),
    "half a header": ("GET /healthz HTTP/1.1\r\nHost", HANG_UP), "two spaces": (request("GET  /healthz HTTP/1.1"), OK),
    "a lower-case method": (request("get /healthz HTTP/1.1"), BAD),
    "an unknown method": (request("BREW / HTTP/1.1"), BAD),
    "HTTP/0.9": (request("GET /healthz HTTP/0.9"), BAD), "HTTP/2.0": (request("GET /healthz HTTP/2.0"), BAD),
    "HTTP/1.10": (request("GET /healthz HTTP/1.10"), BAD), "four words": (request("GET /healthz HTTP/1.1 x"), BAD),
    "the preface of HTTP/2": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", BAD),
    "line feeds alone": (GOOD.replace("\r", ""), BAD), "no host": ("GET /healthz HTTP/1.1\r\n\r\n", OK),
    "a TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), HANG_UP),
    "SSH": ("SSH-2.0-x\r\n", BAD),
    "zero bytes": (bytes(1000), HANG_UP), "bytes of 255": (b"\xff" * 1000, HANG_UP),
    "PostgreSQL": (b"\x00\x00\x00\x08\x04\xd2\x16\x2f", HANG_UP),
    "SMTP": ("EHLO x\r\n", BAD), "JSON": ('{"a": 1}\r\n\r\n', BAD), "a line of 100 kB": ("G" * 100_000, LARGE_HEAD),
}

PATHS = {
    "/": MISSING, "/healthz/": MISSING, "/Healthz": MISSING, "//healthz": MISSING, "/healthz/..": MISSING,
    "/./healthz": MISSING,
    "/../../etc/passwd": MISSING, "/%2e%2e/healthz": MISSING, "/healthz%00": MISSING, "/healthz%0d%0aX:%20y": MISSING,
    "/healthz;x": MISSING, "/%68ealthz": OK, "/healthz?a=1&b=%00": OK, "/healthz?" + "x" * 5000: OK, "/healthz#a": OK,
    "*": MISSING,
    "http://evil.example/healthz": MISSING, "healthz": MISSING, "/healthz%": MISSING, "/%ff%fe": MISSING,
    "/%zz": MISSING,
    "/metrics/../healthz": MISSING, "/" + "a" * 8000: MISSING, "/" + "a" * 10_000: LONG_URI,
    "/" + "a" * 100_000: LARGE_HEAD,
    "/" + "../" * 2000: MISSING,
    "/?" + "a=1&" * 2000: MISSING, "/<script>alert(1)</script>": MISSING,
    "/'; drop table x; --".replace(" ", "+"): MISSING,
    "/$(id)": MISSING, "/h\u0435althz": MISSING, "/\x1b[2J": MISSING, "/\x01": MISSING,
}

METHODS = {"POST": METHOD, "PUT": METHOD, "DELETE": METHOD, "PATCH": METHOD, "OPTIONS": METHOD, "TRACE": METHOD,
           "CONNECT": METHOD,
           "HEAD": OK, "HEADER": BAD, "GETGET": BAD, "-": BAD, "\u0413ET": BAD, "G\x00T": BAD}

HEADERS = {
    "another host": (["Host: evil.example"], OK), "an empty host": (["Host:"], OK),
    "a header of 100 kB": (["X: " + "x" * 100_000], BAD), "500 headers": ([f"X-{n}: {n}" for n in range(500)], OK),
    "20000 headers": ([f"X-{n}: {n}" for n in range(20_000)], BAD), "no colon": (["nonsense"], OK),
    "no name": ([": x"], OK),
    "a space before the colon": (["X : y"], OK), "a folded line": (["X: a", " b"], OK),
    "a zero byte": (["X: a\x00b"], OK),
    "not UTF-8": ([b"X: \xff".decode("latin1")], OK), "an escape": (["X: \x1b[2J"], OK),
    "a length of -1": (["Content-Length: -1"], OK), "a length of words": (["Content-Length: x"], OK),
    "a length beyond all": (["Content-Length: 99999999999999999999999"], OK),
    "two lengths": (["Content-Length: 1", "Content-Length: 2"], OK),
    "a length that never comes": (["Content-Length: 1000"], OK),
    "the most ranges": (["Range: bytes=" + ",".join(["0-"] * 2600)], OK),
    "chunked": (["Transfer-Encoding: chunked"], OK),
    "chunked and a length": (["Transfer-Encoding: chunked", "Content-Length: 5"], OK),
    "chunked twice": (["Transfer-Encoding: chunked, chunked"], OK),
    "an unknown transfer": (["Transfer-Encoding: x"], OK), "an expectation": (["Expect: 100-continue"], OK),
    "an upgrade": (["Connection: Upgrade", "Upgrade: websocket"], OK),
    "h2c": (["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"], OK),
    "compression": (["Accept-Encoding: gzip, br, *;q=0"], OK), "a range": (["Range: bytes=0-0"], OK),
    "a backward range": (["Range: bytes=5-1"], NO_RANGE), "a range beyond": (["Range: bytes=99999-"], OK),
    "a range of -1": (["Range: bytes=-1"], OK), "1000 ranges": (["Range: bytes=" + ",".join(["0-"] * 1000)], OK),
    "a range beyond numbers": (["Range: bytes=99999999999999999999-"], NO_RANGE),
    "a range of words": (["Range: bytes=a-b"], NO_RANGE),
    "a cookie": (["Cookie: a=" + "b" * 4000], OK), "a password": (["Authorization: Basic " + "x" * 4000], OK),
    "a proxy": (["X-Forwarded-For: " + "1.1.1.1, " * 500], OK),
    "keep alive": (["Connection: keep-alive", "Keep-Alive: timeout=99999"], OK),
}

CHUNKS = ["zz\r\nx\r\n0\r\n\r\n", "-1\r\nx\r\n", "ffffffffffffffffffff\r\nx", "5\r\nab", "0\r\n", "0\r\n\r\n",
          "1;" + "x" * 9000 + "\r\na\r\n0\r\n\r\n",
          "\r\n", "7fffffff\r\n" + "a" * 10_000]

HOME = "Host: localhost"
FORM = "Content-Type: application/x-www-form-urlencoded"


def at_home(line, *headers, body=""):
    return "\r\n".join([line, HOME, *headers, "", ""]) + body


def form(path, body, *headers):
    return at_home(f"POST /dashboard{path} HTTP/1.1", FORM, f"Content-Length: {len(body)}", *headers, body=body)


# Of one that is to look at only; small is a queue.
DASHBOARD_PATHS = {
    "": OK, "?x=<script>": OK, "/": MISSING, "//": MISSING, "/workers": OK, "/schedules": OK, "/style.css": OK,
    "/workers/": MISSING, "/Workers": MISSING, "/queues/small": OK, "/queues/": MISSING, "/queues": MISSING,
    "/queues/none": MISSING, "/queues/small/": MISSING, "/queues/%00": MISSING, "/queues/small%00": MISSING,
    "/queues/%ff%fe": MISSING, "/queues/../workers": MISSING, "/queues/%0d%0aX:%20y": MISSING,
    "/queues/" + "q" * 7000: MISSING, "/queues/'%20or%201=1--": MISSING, "/queues/%3Cscript%3E": MISSING,
    "/jobs/": MISSING, "/jobs/0": MISSING, "/jobs/-1": MISSING, "/jobs/999999999999": MISSING, "/jobs/1e3": MISSING,
    "/jobs/99999999999999999999999": MISSING, "/jobs/1%20or%201=1": MISSING, "/jobs/%31%00": MISSING,
    "/jobs/0x1": MISSING, "/jobs/+1": MISSING, "/login": METHOD, "/logout": METHOD, "/act": METHOD,
    "/act?action=pause_queue&of=small": METHOD, "/<script>alert(1)</script>": MISSING,
}
DASHBOARD_HOSTS = {
    "localhost:1": OK, "127.0.0.1": OK, "[::1]:9": OK, "": FORBIDDEN, "x": FORBIDDEN, "evil.example": FORBIDDEN,
    "localhost.evil.example": FORBIDDEN, "127.0.0.1.evil.example": FORBIDDEN, "[::1": FORBIDDEN, "[": FORBIDDEN,
    ":": FORBIDDEN, ":80": FORBIDDEN, "]:": FORBIDDEN, "localhost@evil.example": FORBIDDEN, "h" * 4000: FORBIDDEN,
    "<script>": FORBIDDEN,
}
# Of one with a token, which nobody here has.
ORDER = "action=pause_queue&of=small"
DASHBOARD_FORMS = {
    "an order": (form("/act", ORDER), FORBIDDEN), "a logout": (form("/logout", ""), FORBIDDEN),
    "an order with a cookie": (form("/act", ORDER, "Cookie: millrace_session=" + "0" * 32), FORBIDDEN),
    "an order with an empty cookie": (form("/act", ORDER, "Cookie: millrace_session="), FORBIDDEN),
    "an order with many cookies": (form("/act", ORDER, "Cookie: " + "; ".join(f"c{n}=1" for n in range(600))), FORBIDDEN),
    "an order with odd cookies": (form("/act", ORDER, "Cookie: ;;; =; millrace_session;  ;"), FORBIDDEN),
    "an order with its method hidden": (form("/act", ORDER + "&_method=PUT", "X-HTTP-Method-Override: GET"), FORBIDDEN),
    "an order as JSON": (at_home("POST /dashboard/act HTTP/1.1", "Content-Type: application/json", "Content-Length: 2",
                                 body="{}"), NO_FORM),
    "an order as text": (at_home("POST /dashboard/act HTTP/1.1", "Content-Type: text/plain", "Content-Length: 2",
                                 body="a="), NO_FORM),
    "an order of no type": (at_home("POST /dashboard/act HTTP/1.1", "Content-Length: 0"), NO_FORM),
    "an order put": (at_home("PUT /dashboard/act HTTP/1.1", FORM, "Content-Length: 0"), METHOD),
    "a login without a length": (at_home("POST /dashboard/login HTTP/1.1", FORM), LENGTH),
    "a login in chunks": (at_home("POST /dashboard/login HTTP/1.1", FORM, "Transfer-Encoding: chunked",
                                  body=CHUNKS[0]), LENGTH),
    "a login compressed": (form("/login", "token=x", "Content-Encoding: gzip"), NO_FORM),
    "a login of 100 kB": (form("/login", "token=" + "x" * 100_000), LARGE_BODY),
    "a page": (at_home("GET /dashboard HTTP/1.1"), FORBIDDEN),
    "a page by another name": (request("GET /dashboard HTTP/1.1"), FORBIDDEN),
    "a page with the token in its address": (at_home("GET /dashboard?token=" + "t" * 32 + " HTTP/1.1"), FORBIDDEN),
    "a page with the token as a bearer": (at_home("GET /dashboard HTTP/1.1", "Authorization: Bearer " + "t" * 32),
                                          FORBIDDEN),
}
# Refused, and after the tenth not even looked at.
DASHBOARD_LOGINS = ["", "token", "token=", "token=x", "token=%00", "token=x&token=y", "token=" + "t" * 31,
                    "token=" + "t" * 33, "token=%74%", "=&=&", "&" * 5000, "a=1&" * 1500, "token=\xff", "token=\x00",
                    "%" * 1000, "token=" + "x" * 7000]


TO_A_WORKER = [GOOD, request("POST /metrics HTTP/1.1", "Content-Length: 3", body="abc"), path("/readyz?x=1"),
               request("GET /metrics HTTP/1.1", "Transfer-Encoding: chunked", body=CHUNKS[0])]
TO_A_DASHBOARD = [form("/act", ORDER, "Cookie: millrace_session=" + "0" * 32), form("/login", "token=" + "x" * 32),
                  at_home("GET /dashboard/queues/small HTTP/1.1"), at_home("GET /dashboard/style.css HTTP/1.1")]


def mutated(dice, requests):
    """A request with some of its bytes replaced, removed, doubled or cut off."""
    data = bytearray(dice.choice(requests).encode())
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(data))
        change = dice.randrange(4)
        if change == 0:
            data[at] = dice.randrange(256)
        elif change == 1:
            del data[at:at + dice.randint(1, 5)]
        elif change == 2:
            data[at:at] = data[at:at + dice.randint(1, 40)]
        else:
            data[at:at] = dice.choice([b"\r\n", b"\r\n\r\n", b"\x00", b": ", b" ", b"%00", b"\xff\xfe",
                                       b"GET / HTTP/1.1\r\n\r\n"])
        data = data or bytearray(b"x")
    return bytes(data[:dice.randint(1, len(data))] if dice.random() < 0.2 else data)


def mutations(seed, amount, requests):
    dice = random.Random(seed)
    return [mutated(dice, requests) for _ in range(amount)]
