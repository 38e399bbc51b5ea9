#!/usr/bin/env python3
"""`millrace serve`: the API for users' settings, and the page behind a mail's unsubscribe address.

Requests that follow the description go through another's proxy (Prism), which compares every answer with it.
"""

import base64
import concurrent.futures
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from urllib.parse import quote

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from program import PATIENCE_SECONDS, WorkerProcessTest, free_port, main  # noqa: E402

DONE, USAGE = 0, 2
TOKEN, OTHER_TOKEN = "t" * 32, "u" * 40
SECRET, OLD_SECRET = "s" * 32, "o" * 32
PRISM = HERE.parent / "support" / "npm" / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"


class Answer:
    def __init__(self, reply):
        self.status, self.headers, self.text = reply.status, reply.headers, reply.read().decode()

    @property
    def json(self):
        return json.loads(self.text)


class Api(WorkerProcessTest):
    command = "serve"

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.server = self.start("--http-listen", f"127.0.0.1:{self.port}", MILLRACE_API_TOKENS=f"{OTHER_TOKEN},{TOKEN}",
                                 MILLRACE_UNSUBSCRIBE_SECRETS=f"{SECRET},{OLD_SECRET}")
        self.wait_for(self.port)
        self.sql("select notify.define_type('shop.sale', 'shop', 'A sale begins'),"
                 "       notify.define_type('account.reset', 'account', 'A password is reset', system_required => true)")

    def wait_for(self, port):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                select.select([], [], [], 0.02)

    def ask(self, method, path, body=None, port=None, token=TOKEN, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=PATIENCE_SECONDS)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    @staticmethod
    def link(username, event_type, secret=SECRET):
        """As mails bear it; made here from the format's description."""
        subject = base64.urlsafe_b64encode(f"{username}\0{event_type}".encode()).rstrip(b"=").decode()
        seal = hmac.new(secret.encode(), f"millrace unsubscribe\nv1.{subject}".encode(), hashlib.sha256).digest()
        return f"/unsubscribe/v1.{subject}." + base64.urlsafe_b64encode(seal).rstrip(b"=").decode()

    def refused(self, answer, status, code, *words):
        self.assertEqual(answer.status, status, answer.text)
        error = answer.json["error"]
        self.assertEqual(set(error), {"code", "message", "hint"})
        self.assertEqual(error["code"], code)
        for word in words:
            self.assertIn(word, f"{error['message']} {error['hint']}")


class Described(Api):
    """What the description promises, seen by a program that nobody here wrote."""

    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        description = pathlib.Path(directory.name) / "openapi.json"
        answer = self.ask("GET", "/api/openapi.json", token=None)
        self.assertEqual(answer.status, 200)
        description.write_text(answer.text)
        self.proxy_port = free_port()
        proxy = subprocess.Popen([os.environ["MILLRACE_NODE"], str(PRISM), "proxy", str(description),
                                  f"http://127.0.0.1:{self.port}", "--port", str(self.proxy_port), "--errors"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(proxy.wait)
        self.addCleanup(proxy.kill)
        self.wait_for(self.proxy_port)

    def through(self, method, path, body=None, **others):
        answer = self.ask(method, path, body, port=self.proxy_port, **others)
        self.assertNotIn("stoplight.io/prism", answer.text)
        return answer

    def test_every_answer_is_as_described(self):
        types = self.through("GET", "/api/notify/types")
        self.assertEqual(types.status, 200)
        self.assertIn({"code": "shop.sale", "category": "shop", "description": "A sale begins",
                       "system_required": False, "default_enabled": True}, types.json["types"])
        nobody = self.through("GET", "/api/notify/users/ada/config")
        self.assertEqual((nobody.status, nobody.json["enabled"], nobody.json["preferences"]), (200, True, {}))
        changed = self.through("PUT", "/api/notify/users/ada/config",
                               {"email": "ada@example.org", "delivery_mode": "digest", "digest_hour": 7,
                                "time_zone": "Europe/Berlin", "locale": "de-AT", "preferences": {"shop.sale": False}})
        self.assertEqual((changed.status, changed.json["preferences"]), (200, {"shop.sale": False}))
        self.assertEqual(self.through("GET", "/api/notify/users/ada/config").json, changed.json)
        self.refused(self.through("GET", "/api/notify/types", token="x" * 32), 401, "unauthorized")
        self.refused(self.through("PUT", "/api/notify/users/ada/config", {"preferences": {"no.such": True}}), 400,
                     "MR030", "no.such")
        self.refused(self.through("PUT", "/api/notify/users/ada/config", {"email": "nobody"}), 400, "MR005")
        link = self.link("ada", "shop.sale")
        self.assertEqual(self.through("GET", link, token=None).status, 200)
        self.assertEqual(self.through("POST", link, token=None, Content_Length="0").status, 200)
        self.assertEqual(self.through("GET", "/unsubscribe/v1.x.y", token=None).status, 404)


class Settings(Api):
    config = "/api/notify/users/ada/config"

    def test_unknown_fields_and_types_are_refused_by_name_and_nothing_is_half_done(self):
        before = self.ask("GET", self.config).json
        for changes, code, word in [({"emial": "a@b.c", "enabled": False}, "MR005", "emial"),
                                    ({"enabled": False, "preferences": {"shop.sail": True}}, "MR030", "shop.sail"),
                                    ({"enabled": False, "preferences": {"account.reset": False}}, "MR005",
                                     "account.reset"),
                                    ({"enabled": False, "digest_hour": 24}, "MR005", "digest_hour"),
                                    ({"enabled": False, "time_zone": "Mars/Olympus"}, "MR005", "time_zone"),
                                    ([], "MR005", "changes"), ({"email": "a\u0000@b.c"}, "22P05", "")]:
            with self.subTest(changes):
                self.refused(self.ask("PUT", self.config, changes), 400, code, word)
                self.assertEqual(self.ask("GET", self.config).json, before)

    def test_what_is_not_json_is_refused(self):
        for body in ["", "{", "nonsense", '{"enabled": tru}', b"\xff\xfe", "[" * 60_000]:
            with self.subTest(body[:20]):
                self.refused(self.ask("PUT", self.config, body), 400, "bad_json")
        self.refused(self.ask("PUT", self.config, "{}", Content_Type="text/plain"), 415, "unsupported_media_type")

    def test_a_body_is_bounded_and_its_length_is_said(self):
        self.assertEqual(self.ask("PUT", self.config, "[" + " " * 65_536).status, 413)
        self.assertEqual(self.ask("PUT", self.config, iter([]), Transfer_Encoding="chunked").status, 411)
        self.assertEqual(self.ask("PUT", self.config, "{}", Content_Encoding="gzip").status, 415)
        self.assertEqual(self.ask("PUT", self.config, "{}").status, 200)

    def test_who_shows_no_token_learns_nothing(self):
        for token in [None, "", "t" * 31, "t" * 33, TOKEN.upper(), "Bearer"]:
            for method, path in [("GET", "/api/notify/types"), ("GET", self.config), ("PUT", self.config)]:
                answer = self.ask(method, path, "{}" if method == "PUT" else None, token=token)
                self.refused(answer, 401, "unauthorized")
                self.assertEqual(answer.headers["WWW-Authenticate"], "Bearer")
        self.assertEqual(self.ask("GET", self.config, token=OTHER_TOKEN).status, 200)

    def test_there_is_nothing_else(self):
        for path in ["/", "/api", "/api/notify/users//config", "/api/notify/users/ada", "/metric", "/unsubscribe"]:
            self.refused(self.ask("GET", path), 404, "not_found")
        for method, path in [("DELETE", self.config), ("POST", self.config), ("PUT", "/api/notify/types"),
                             ("PUT", "/unsubscribe/x"), ("PATCH", self.config)]:
            answer = self.ask(method, path, "{}")
            self.refused(answer, 405, "method_not_allowed")
            self.assertIn("GET", answer.headers["Allow"])
        self.assertEqual(self.ask("GET", "/healthz", token=None).text, "ok\n")

    def test_any_username_is_a_user_of_its_own(self):
        names = ["ada@example.org", "a/b", "a%2Fb", "Ürsel", "' or 1=1 --", "config", "x" * 200]
        for index, name in enumerate(names):
            path = f"/api/notify/users/{quote(name, safe='')}/config"
            self.assertEqual(self.ask("PUT", path, {"digest_hour": index}).status, 200)
        for index, name in enumerate(names):
            path = f"/api/notify/users/{quote(name, safe='')}/config"
            self.assertEqual(self.ask("GET", path).json["digest_hour"], index)
        self.assertEqual(int(self.sql("select count(*) from notify.user_settings")), len(names))
        for bad, code in [("x" * 201, "MR005"), ("a%00b", "MR005"), ("a%0Ab", "MR005"), ("%ff", "22021")]:
            self.refused(self.ask("GET", f"/api/notify/users/{bad}/config"), 400, code)

    def test_survives_the_loss_of_its_connections(self):
        self.assertEqual(self.ask("GET", self.config).status, 200)
        self.sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'millrace api'"
                 "   and datname = current_database()")
        self.assertEqual(self.ask("GET", self.config).status, 200)
        name, self.database = self.database, "postgres"
        self.sql(f"alter database {name} allow_connections false")
        self.sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'millrace api'")
        answer = self.ask("GET", self.config)
        self.refused(answer, 503, "unavailable")
        self.assertEqual(answer.headers["Retry-After"], "5")
        self.sql(f"alter database {name} allow_connections true")
        self.database = name
        self.assertEqual(self.ask("GET", self.config).status, 200)

    def test_hangs_up_on_a_server_that_falls_silent(self):
        callers = 4
        with concurrent.futures.ThreadPoolExecutor(callers) as pool:
            ready = lambda: self.ask("GET", "/readyz", token=None).status  # noqa: E731
            for call in [pool.submit(self.ask, "GET", self.config) for _ in range(callers)]:
                self.assertEqual(call.result().status, 200)
            self.assertEqual(ready(), 200)
            silent = self.sql("select string_agg(pid::text, ' ') from pg_stat_activity"
                              " where application_name in ('millrace api', 'millrace probe')"
                              "   and datname = current_database()").split()
            self.assertGreaterEqual(len(silent), 2)
            for pid in map(int, silent):
                self.addCleanup(os.kill, pid, signal.SIGCONT)
                os.kill(pid, signal.SIGSTOP)
            calls = [pool.submit(self.ask, "GET", self.config) for _ in range(callers)]
            deadline = time.monotonic() + PATIENCE_SECONDS
            while ready() != 200:  # through a new connection
                self.assertLess(time.monotonic(), deadline)
            for call in calls:
                self.assertEqual(call.result().status, 200)
            self.assertEqual(self.ask("GET", self.config).status, 200)

    def test_who_waits_for_a_lock_is_put_off_and_stops_nobody_else(self):
        self.sql("select notify.configure('ada', '{\"digest_hour\": 7}')")
        holder = subprocess.Popen(["psql", "-X", "-q", "-d", self.database], stdin=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL, text=True)
        self.addCleanup(holder.communicate)
        holder.stdin.write("begin; select 1 from notify.user_settings where username = 'ada' for update;\n")
        holder.stdin.flush()
        waiting = ("select count(*) > 0 from pg_stat_activity where datname = current_database()"
                   "   and application_name = 'millrace api' and wait_event_type = 'Lock'")
        self.wait_until("select count(*) from pg_locks l join pg_database d on d.oid = l.database"
                        " where d.datname = current_database() and l.relation = 'notify.user_settings'::regclass"
                        "   and l.mode = 'RowShareLock'", "1")
        threads = 8
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            puts = [pool.submit(self.ask, "PUT", self.config, {"digest_hour": 8}) for _ in range(threads)]
            self.wait_until(waiting, "t")
            self.assertEqual(self.ask("GET", "/healthz", token=None).text, "ok\n")
            for put in puts:
                answer = put.result()
                self.refused(answer, 503, "unavailable", "busy")
                self.assertEqual(answer.headers["Retry-After"], "5")
            late = pool.submit(self.ask, "PUT", self.config, {"digest_hour": 8})
            self.wait_until(waiting, "t")
            self.server.send_signal(signal.SIGTERM)
            self.assertEqual(self.finish(self.server)[0], DONE)
            self.assertEqual(late.result().status, 503)
        self.assertEqual(self.sql("select notify.config('ada') -> 'digest_hour'"), "7")

    def test_ends_when_asked(self):
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(self.server)[0], DONE)


class Watched(Api):
    def readiness(self):
        answer = self.ask("GET", "/readyz", token=None)
        return answer.status, [obstacle["what"] for obstacle in answer.json["not_ready"]]

    def number(self, series):
        page = self.ask("GET", "/metrics", token=None)
        self.assertEqual((page.status, page.headers["Content-Type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
        self.assertNotIn("ada", page.text)
        found = [line.rsplit(" ", 1)[1] for line in page.text.splitlines() if line.startswith(series + " ")]
        return float(found[0]) if found else None

    def requests(self, resource, status):
        return self.number(f'millrace_api_requests_total{{resource="{resource}",status="{status}"}}')

    def test_counts_its_requests_by_what_they_asked_for_and_its_answer(self):
        self.assertIsNone(self.requests("types", 200))
        for _ in range(2):
            self.ask("GET", "/api/notify/types")
        self.ask("PUT", "/api/notify/users/ada/config", {"emial": "a@b.c"})
        self.ask("GET", "/api/notify/users/ada/config", token=None)
        self.ask("GET", self.link("ada", "shop.sale"), token=None)
        self.ask("GET", "/nothing/ada", token=None)
        self.ask("GET", "/healthz", token=None)
        for resource, status, number in (("types", 200, 2), ("config", 400, 1), ("config", 401, 1),
                                         ("unsubscribe", 200, 1), ("none", 404, 1)):
            self.assertEqual(self.requests(resource, status), number, (resource, status))
        self.assertEqual(self.ask("GET", "/metrics", token=None).text.count("millrace_api_requests_total{"), 5)

    def test_is_ready_while_its_database_is_there(self):
        self.assertEqual(self.readiness(), (200, []))
        self.assertEqual(self.number("millrace_database_reachable"), 1)
        name, self.database = self.database, "postgres"
        self.sql(f"alter database {name} allow_connections false")
        self.sql(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.readiness() != (503, ["database"]) and time.monotonic() < deadline:
            select.select([], [], [], 0.02)  # it is looked at once a second
        self.assertEqual(self.number("millrace_database_reachable"), 0)
        self.assertEqual(self.ask("GET", "/healthz", token=None).status, 200)
        self.sql(f"alter database {name} allow_connections true")
        self.database = name
        while self.readiness() != (200, []) and time.monotonic() < deadline:
            select.select([], [], [], 0.02)
        self.assertEqual(self.readiness(), (200, []))

    def test_is_only_looked_at(self):
        for path in ("/readyz", "/metrics"):
            answer = self.ask("POST", path, "{}")
            self.assertEqual((answer.status, answer.headers["Allow"]), (405, "GET, HEAD"))


class Unsubscribe(Api):
    def preferences(self, username):
        return json.loads(self.sql(f"select notify.config('{username}') -> 'preferences'"))

    def test_a_post_ends_one_subscription_without_a_login_and_may_be_repeated(self):
        self.sql("select notify.define_type('shop.news', 'shop', 'News')")
        link = self.link("ada <b>", "shop.sale")
        page = self.ask("GET", link, token=None)
        self.assertEqual(page.status, 200)
        self.assertIn("ada &lt;b&gt;", page.text)
        self.assertIn("default-src 'none'", page.headers["Content-Security-Policy"])
        self.assertEqual(self.preferences("ada <b>"), {}, "looking changes nothing")
        for _ in range(2):
            done = self.ask("POST", link, "List-Unsubscribe=One-Click", token=None,
                            Content_Type="application/x-www-form-urlencoded")
            self.assertEqual(done.status, 200)
            self.assertEqual(self.preferences("ada <b>"), {"shop.sale": False})

    def test_any_form_of_post_will_do(self):
        for content_type, body in [("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; "
                                    'name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'), ("", "")]:
            self.assertEqual(self.ask("POST", self.link("bob", "shop.sale"), body, token=None,
                                      Content_Type=content_type).status, 200)
        self.assertEqual(self.preferences("bob"), {"shop.sale": False})

    def test_an_older_secret_is_still_believed_and_another_is_not(self):
        self.assertEqual(self.ask("POST", self.link("old", "shop.sale", OLD_SECRET), "", token=None).status, 200)
        self.assertEqual(self.ask("POST", self.link("eve", "shop.sale", "e" * 32), "", token=None).status, 404)
        genuine = self.link("ada", "shop.sale")
        for forged in [genuine[:-1], genuine + "A", genuine.replace("v1.", "v2."), genuine.swapcase(),
                       genuine.rsplit(".", 1)[0] + ".", "/unsubscribe/"]:
            self.assertEqual(self.ask("POST", forged, "", token=None).status, 404, forged)
        self.assertEqual(self.preferences("ada"), {})

    def test_what_cannot_be_switched_off_says_so(self):
        answer = self.ask("POST", self.link("ada", "account.reset"), "", token=None)
        self.assertEqual(answer.status, 400)
        self.assertIn("cannot be switched off", answer.text)


class Start(WorkerProcessTest):
    def refused_with(self, words, *expected, **variables):
        ran = self.run_millrace("serve", *words, **variables)
        self.assertEqual(ran.status, USAGE, ran.err)
        for text in expected:
            self.assertIn(text, ran.err)

    def test_what_makes_no_sense_is_refused(self):
        self.refused_with([], "--http-listen", MILLRACE_API_TOKENS=TOKEN)
        self.refused_with(["--http-listen", "127.0.0.1:1"], "MILLRACE_API_TOKENS", "MILLRACE_UNSUBSCRIBE_SECRETS")
        self.refused_with(["--http-listen", "127.0.0.1:1"], "32 to 1024", MILLRACE_API_TOKENS="short")
        self.refused_with(["--http-listen", "127.0.0.1:1", "--api-tokens", TOKEN], "environment")


if __name__ == "__main__":
    main()
