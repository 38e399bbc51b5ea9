"""What is said to the worker's HTTP endpoint, and the status of the one answer that it may give; HANG_UP is none."""

import random

GOOD = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
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


def mutated(dice):
    """A request with some of its bytes replaced, removed, doubled or cut off."""
    data = bytearray(dice.choice([GOOD, request("POST /metrics HTTP/1.1", "Content-Length: 3", body="abc"),
                                  path("/readyz?x=1"),
                                  request("GET /metrics HTTP/1.1", "Transfer-Encoding: chunked",
                                          body=CHUNKS[0])]).encode())
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


def mutations(seed, amount):
    dice = random.Random(seed)
    return [mutated(dice) for _ in range(amount)]
