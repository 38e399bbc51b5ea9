#!/usr/bin/env python3
"""The dashboard of `millrace serve`, in a real browser: what it shows, what its buttons do, and that nothing runs.

Whatever a person or a program may write into a job is written as script; the browser then says whether any of it ran.
"""

import concurrent.futures
import http.client
import json
import pathlib
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from browser import Browser  # noqa: E402
from program import PATIENCE_SECONDS, WorkerProcessTest, free_port, main  # noqa: E402

DONE = 0
TOKEN, OTHER_TOKEN = "t" * 32, "u" * 32
FORM = "application/x-www-form-urlencoded"
SCRIPT = """"><script>document.title='ran';alert(1)</script><img src=x onerror="document.title='ran'">'</td></style>"""
PAYLOAD = "canary-payload"
RAN = "document.title === 'ran' || document.querySelectorAll('script, img, iframe, object, [onerror]').length > 0"


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


class Dashboard(WorkerProcessTest):
    command = "serve"
    settings = {"MILLRACE_DASHBOARD_TOKEN": TOKEN}
    role = "millrace_operator"

    def setUp(self):
        super().setUp()
        self.sql("select millrace.create_queue('mail', max_attempts => 1), millrace.create_queue('idle')")
        self.port = free_port()
        self.login_role = f"{self.database}_role"
        self.admin(f"create role {self.login_role} login in role {self.role}")
        self.addCleanup(self.admin, f"drop role {self.login_role}")
        self.server = self.serve(self.port, PGUSER=self.login_role, **self.settings)

    def serve(self, port, *words, host="127.0.0.1", **variables):
        process = self.start("--http-listen", f"{host}:{port}", "--dashboard-serve", "on", "--log-format", "json",
                             *words, **variables)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return process
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                select.select([], [], [], 0.02)

    def address(self, path=""):
        return f"http://127.0.0.1:{self.port}/dashboard{path}"

    def browser(self, **options):
        browser = Browser(**options)
        self.addCleanup(browser.close)
        return browser

    def logged_in(self, **options):
        browser = self.browser(**options)
        browser.open(self.address())
        browser.type("#token", TOKEN)
        browser.press("form.login button")
        return browser

    def ask(self, method, path, fields=None, cookie=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if cookie:
            headers["Cookie"] = cookie
        body = None if fields is None else urllib.parse.urlencode(fields)
        if body is not None:
            headers.setdefault("Content-Type", FORM)
        try:
            connection.request(method, "/dashboard" + path, body, headers)
            answer = connection.getresponse()
            return answer, answer.read().decode()
        finally:
            connection.close()

    def has_counted(self, resource, status):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=PATIENCE_SECONDS) as page:
            return f'requests_total{{resource="{resource}",status="{status}"}} ' in page.read().decode()

    def job(self, state="discarded", kind="shop.order", error="421 greylisted", payload="{}"):
        """A job that got there as jobs do."""
        job = self.sql(f"select millrace.enqueue('mail', {quoted(kind)}, {quoted(payload)})")
        if state == "available":
            return job
        session = self.sql("select millrace.open_session('worker <b>', array['mail'], version => '1.0<i>')")
        fence = self.sql(f"select fence from millrace.claim({session}, 'mail')")
        if state == "discarded":
            self.sql(f"select millrace.fail({fence}, {job}, {quoted(error)})")
        return job


class Shown(Dashboard):
    def test_a_person_on_call_finds_what_is_wrong_first(self):
        job = self.job()
        browser = self.logged_in()
        text = browser.text()
        self.assertEqual(browser.url(), self.address())
        self.assertIn(self.database, text)
        self.assertLess(text.index("doctor"), text.index("Queues"))
        self.assertLess(text.index("Queues"), text.index("Workers:"))
        browser.press("a[href='/dashboard/queues/mail']")
        self.assertIn("421 greylisted", browser.text())
        browser.press(f"a[href='/dashboard/jobs/{job}']")
        text = browser.text()
        for word in ("dead letter", "421 greylisted", "shop.order", "discarded"):
            self.assertIn(word, text)
        browser.press("a[href='/dashboard/workers']")
        self.assertIn("worker <b>", browser.text())
        self.sql("select millrace.create_schedule('nightly', '0 3 * * *', 'mail', 'shop.report')")
        browser.press("a[href='/dashboard/schedules']")
        self.assertIn("nightly", browser.text())
        self.assertEqual(browser.complaints(), [])

    def test_buttons_do_what_they_say_and_it_is_recorded(self):
        dead, other, waiting = self.job(), self.job(), self.job("available")
        self.sql("select millrace.create_schedule('nightly', '0 3 * * *', 'idle', 'shop.report')")
        state = "select state from millrace.jobs where id = "
        browser = self.logged_in()
        browser.press("a[href='/dashboard/queues/mail']")
        browser.press("button[aria-label='Pause: mail']")
        self.assertIn("paused since", browser.text())
        self.assertEqual(self.sql("select paused_at is not null from millrace.queues where name = 'mail'"), "t")
        browser.press("button[aria-label='Resume: mail']")
        self.assertEqual(self.sql("select paused_at is null from millrace.queues where name = 'mail'"), "t")
        browser.press(f"button[aria-label='Replay: {dead}']")
        self.assertEqual((browser.url(), self.sql(state + dead)), (self.address(f"/jobs/{dead}"), "available"))
        browser.open(self.address(f"/jobs/{other}"))
        browser.press(f"button[aria-label='Discard for good: {other}']")
        self.assertEqual(self.sql(state + other), "cancelled")
        browser.open(self.address(f"/jobs/{waiting}"))
        browser.press(f"button[aria-label='Cancel: {waiting}']")
        self.assertEqual(self.sql(state + waiting), "cancelled")
        browser.press("a[href='/dashboard/schedules']")
        browser.press("button[aria-label='Run now: nightly']")
        self.assertEqual(self.sql("select count(*) from millrace.jobs where kind = 'shop.report'"), "1")
        browser.open(browser.url())  # loaded again, as a person does it: a change is not repeated
        self.assertEqual(self.sql("select count(*) from millrace.jobs where kind = 'shop.report'"), "1")
        done = self.sql("select string_agg(action, ' ' order by at) from millrace.operator_actions "
                        f"where who = '{self.login_role}'")
        self.assertEqual(done, "pause_queue resume_queue replay discard_many cancel run_schedule_now")
        self.server.send_signal(signal.SIGTERM)
        status, lines = self.finish(self.server)
        changed = [line["action"] for line in lines if line["message"] == "changed from the dashboard"]
        self.assertEqual((status, len(changed)), (DONE, 6))

    def test_what_cannot_be_done_is_said(self):
        job = self.job()
        browser, second = self.logged_in(), self.logged_in()
        for window in (browser, second):
            window.open(self.address(f"/jobs/{job}"))
        browser.press(f"button[aria-label='Replay: {job}']")
        second.press(f"button[aria-label='Discard for good: {job}']")
        self.assertIn("no dead letter", second.text())
        self.assertEqual(self.sql(f"select state from millrace.jobs where id = {job}"), "available")

    def test_it_is_readable_on_a_telephone_by_day_and_by_night(self):
        self.job(error="x" * 5000)
        for dark in (False, True):
            browser = self.logged_in(width=360, dark=dark)
            for path in ("", "/queues/mail", "/workers", "/schedules"):
                browser.open(self.address(path))
                self.assertLessEqual(browser.evaluate("document.documentElement.scrollWidth"), 360, path)
                missing = "[...document.querySelectorAll('table')].filter(table => !table.caption).length"
                self.assertEqual(browser.evaluate(missing), 0)
            ground = browser.evaluate("getComputedStyle(document.body).backgroundColor")
            self.assertEqual(ground, "rgb(20, 23, 26)" if dark else "rgb(255, 255, 255)")

    def test_payloads_are_shown_only_when_the_settings_say_so(self):
        job = self.job(payload=json.dumps({"to": PAYLOAD}))
        browser = self.logged_in()
        browser.open(self.address(f"/jobs/{job}"))
        self.assertNotIn(PAYLOAD, browser.evaluate("document.documentElement.outerHTML"))
        self.port = free_port()
        self.serve(self.port, "--dashboard-payloads", "on", PGUSER=self.login_role)
        self.assertIn(PAYLOAD, self.ask("GET", f"/jobs/{job}")[1])


class Hostile(Dashboard):
    def test_nothing_that_a_job_carries_is_run(self):
        job = self.job(kind=SCRIPT[:100], error=SCRIPT * 3, payload=json.dumps({SCRIPT: SCRIPT}))
        self.job("running", kind="<script>alert(1)</script>")
        self.sql(f"select millrace.configure_kind({quoted(SCRIPT[:100])}, '{{\"max_attempts\": 3}}')")
        self.sql(f"select millrace.create_schedule('nightly', '0 3 * * *', 'mail', {quoted(SCRIPT[:100])})")
        self.port = free_port()
        self.serve(self.port, "--dashboard-payloads", "on", PGUSER=self.login_role, **self.settings)
        browser = self.logged_in()
        for path in ("", "/queues/mail", f"/jobs/{job}", "/workers", "/schedules",
                     "/queues/" + urllib.parse.quote(SCRIPT), "/" + urllib.parse.quote(SCRIPT)):
            browser.open(self.address(path))
            self.assertFalse(browser.evaluate(RAN), path)
        browser.open(self.address(f"/jobs/{job}"))
        self.assertIn(SCRIPT[:60], browser.text())
        self.assertEqual((browser.dialogs(), browser.complaints()), ([], []))

    def test_the_policy_stops_what_the_escaping_would_miss(self):
        browser = self.logged_in()
        browser.evaluate("(() => { const s = document.createElement('script'); s.textContent = 'document.title=\"ran\"';"
                         " document.body.append(s); })()")
        self.assertNotEqual(browser.evaluate("document.title"), "ran")
        self.assertNotEqual(browser.complaints(), [], "and it says so")

    def test_a_page_of_another_site_changes_nothing(self):
        """It posts a form that it wrote itself, to the right address, from a browser that is logged in."""
        browser = self.logged_in()
        foreign = (f"<form method=post action='{self.address('/act')}'><input name=action value=pause_queue>"
                   "<input name=of value=mail><input name=form_secret value=guessed></form>")
        browser.open("data:text/html," + urllib.parse.quote(foreign))
        browser.forget_loads()
        browser.evaluate("document.forms[0].submit()")
        browser.wait_for("Page.loadEventFired")
        self.assertIn("Log in", browser.text(), "the cookie stays at home")
        self.assertEqual(self.sql("select count(*) from millrace.queues where paused_at is not null"), "0")
        browser.press("p a")
        self.assertIn("Log out", browser.text(), "and is shown again from a page of ours")

    def test_the_cookie_alone_changes_nothing(self):
        answer, _ = self.ask("POST", "/login", {"token": TOKEN})
        cookie = answer.headers["Set-Cookie"].split(";")[0]
        order = {"action": "pause_queue", "of": "mail"}
        for more in ({}, {"form_secret": ""}, {"form_secret": "0" * 32}):
            self.assertEqual(self.ask("POST", "/act", order | more, cookie)[0].status, 403)
        self.assertEqual(self.sql("select count(*) from millrace.queues where paused_at is not null"), "0")
        _, page = self.ask("GET", "/queues/mail", cookie=cookie)
        secret = page.split('form_secret" value="')[1].split('"')[0]
        self.assertEqual(self.ask("POST", "/act", order | {"form_secret": secret}, cookie)[0].status, 303)
        self.assertEqual(self.sql("select count(*) from millrace.queues where paused_at is not null"), "1")

    def test_scripts_and_other_hosts_do_not_see_the_cookie(self):
        browser = self.logged_in()
        (cookie,) = browser.cookies()
        self.assertEqual((cookie["httpOnly"], cookie["sameSite"], cookie["path"]), (True, "Strict", "/dashboard"))
        self.assertEqual(browser.evaluate("document.cookie"), "")
        answer, text = self.ask("GET", "", cookie=f"{cookie['name']}={cookie['value']}", Host="evil.example")
        self.assertEqual(answer.status, 403)
        self.assertNotIn("mail", text)

    def test_logging_out_is_the_end_of_the_session(self):
        browser = self.logged_in()
        (cookie,) = browser.cookies()
        browser.press("header form button")
        self.assertIn("Log in", browser.text())
        self.assertEqual(self.ask("GET", "", cookie=f"{cookie['name']}={cookie['value']}")[0].status, 403)

    def test_guesses_are_few(self):
        answers = [self.ask("POST", "/login", {"token": f"{number:032}"})[0].status for number in range(12)]
        self.assertEqual(answers, [403] * 10 + [429] * 2)
        self.assertEqual(self.ask("POST", "/login", {"token": TOKEN})[0].status, 429)


class ForLookingOnly(Dashboard):
    settings = {}
    role = "millrace_viewer"

    def test_without_a_token_there_is_no_button_and_no_change(self):
        job = self.job()
        browser = self.browser()
        for path in ("", "/queues/mail", f"/jobs/{job}", "/workers", "/schedules"):
            browser.open(self.address(path))
            self.assertEqual(browser.evaluate("document.querySelectorAll('form, button, input').length"), 0, path)
            self.assertNotIn("did not work", browser.text())
        for path in ("/act", "/login", "/logout"):
            self.assertEqual(self.ask("POST", path, {"action": "replay", "of": job, "token": ""})[0].status, 403)
        self.assertEqual(self.sql(f"select state from millrace.jobs where id = {job}"), "discarded")
        self.assertEqual([self.has_counted("dashboard", status) for status in (200, 403, 404)], [True, True, False])

    def test_the_log_warns_when_other_hosts_may_look_unasked(self):
        exposed = self.serve(free_port(), host="0.0.0.0", PGUSER=self.login_role)
        proxied = self.serve(free_port(), "--dashboard-url", "https://jobs.example.org", PGUSER=self.login_role)
        guarded = self.serve(free_port(), host="0.0.0.0", PGUSER=self.login_role, MILLRACE_DASHBOARD_TOKEN=TOKEN)
        for process, warnings in ((self.server, 0), (exposed, 1), (proxied, 1), (guarded, 0)):
            process.send_signal(signal.SIGTERM)
            status, lines = self.finish(process)
            said = [line for line in lines if line["message"] == "the dashboard asks nobody for a token"]
            self.assertEqual((status, len(said)), (DONE, warnings))

    def test_a_viewers_server_with_a_token_says_which_role_it_lacks(self):
        self.port = free_port()
        self.serve(self.port, PGUSER=self.login_role, MILLRACE_DASHBOARD_TOKEN=TOKEN)
        browser = self.logged_in()
        browser.press("a[href='/dashboard/queues/mail']")
        browser.press("button[aria-label='Pause: mail']")
        self.assertIn("millrace_operator", browser.text())

    def test_the_worker_has_no_dashboard(self):
        self.command = "worker"
        port = free_port()
        self.start("--queue", "mail", "--http-listen", f"127.0.0.1:{port}", "--dashboard-serve", "on")
        self.port = port
        self.wait_until("select count(*) from millrace.workers where state = 'alive'", "1")
        self.assertEqual(self.ask("GET", "")[0].status, 404)

    def test_it_is_off_unless_it_is_asked_for(self):
        port = free_port()
        self.start("--http-listen", f"127.0.0.1:{port}", MILLRACE_API_TOKENS=TOKEN)
        self.port = port
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self.assertEqual(self.ask("GET", "")[0].status, 404)
                self.assertTrue(self.has_counted("none", 404))
                return
            except ConnectionRefusedError:
                self.assertLess(time.monotonic(), deadline)


class Database(Dashboard):
    def locked(self):
        """Somebody holds what the lists of jobs are read from."""
        holder = subprocess.Popen(["psql", "-X", "-q", "-d", self.database], stdin=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL, text=True)
        self.addCleanup(holder.communicate)
        holder.stdin.write("begin; lock table millrace.dead_letter in access exclusive mode;\n")
        holder.stdin.flush()
        self.wait_until("select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted"
                        "   and relation = 'millrace.dead_letter'::regclass", "1")

    def test_one_that_is_slow_gives_a_page_that_says_so_and_the_rest_goes_on(self):
        answer, _ = self.ask("POST", "/login", {"token": TOKEN})
        cookie = answer.headers["Set-Cookie"].split(";")[0]
        self.locked()
        asked = 8  # as many as the server has threads
        with concurrent.futures.ThreadPoolExecutor(asked) as pool:
            pages = [pool.submit(self.ask, "GET", "/queues/mail", cookie=cookie) for _ in range(asked)]
            self.wait_until("select count(*) > 0 from pg_stat_activity where datname = current_database()"
                            "   and application_name = 'millrace dashboard' and wait_event_type = 'Lock'", "t")
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
            connection.request("GET", "/healthz")
            self.assertEqual(connection.getresponse().status, 200)
            connection.close()
            for page in pages:
                answer, text = page.result()
                self.assertEqual((answer.status, answer.headers["Retry-After"]), (503, "5"))
                self.assertRegex(text, "is slow|Too many ask")

    def test_one_that_is_away_gives_a_page_that_says_so(self):
        browser = self.logged_in()
        name = self.database
        self.admin(f"alter database {name} allow_connections false")
        self.addCleanup(self.admin, f"alter database {name} allow_connections true")
        browser.open(self.address("/workers"))
        self.assertIn("cannot be reached", browser.text())
        self.admin(f"alter database {name} allow_connections true")
        browser.open(self.address("/workers"))
        self.assertIn("There is no worker", browser.text())


if __name__ == "__main__":
    main()
