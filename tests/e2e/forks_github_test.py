#!/usr/bin/env python3
"""Forks on GitHub, with the program as it is: what it asks is as GitHub describes it, a run comes to its right digest
though workers die, no file is committed twice, and the token is seen by nobody."""

import contextlib
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from github import DESCRIPTION, Forge  # noqa: E402
from program import PATIENCE_SECONDS, WorkerProcessTest, free_port, main  # noqa: E402

DONE, FAILED, USAGE = 0, 1, 2
TOKEN = "ghp_canary" + "0" * 26
PRISM = HERE.parent / "support" / "npm" / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"


class GithubTest(WorkerProcessTest):
    def setUp(self):
        super().setUp()
        cache = tempfile.TemporaryDirectory()
        self.addCleanup(cache.cleanup)
        self.cache = cache.name
        self.sql("select millrace.create_queue('forks', max_attempts => 5, retry_base => '20 milliseconds',"
                 "                             retry_cap => '100 milliseconds'), millrace.create_queue('email')")

    def forge(self, *arguments, **named):
        forge = Forge(*arguments, **named)
        self.addCleanup(forge.close)
        return forge

    def work(self, url, *words, **variables):
        return self.start("--queue", "forks=8", "--lease", "2s", "--cache", self.cache, "--github-token-variable", "A_TOKEN",
                          "--github-api-url", url, *words, **({"A_TOKEN": TOKEN} | variables))

    def add_forks(self, count, branches="{17.0}"):
        self.sql(f"""select forks.add_fork('acme/fork-' || n, provider => 'github', branches => '{branches}'),
                            forks.change_fork('acme/fork-' || n, 
                                              jsonb_build_object('upstream_org', 'up', 'upstream_repo', 'hub-' || n))
                       from generate_series(1, {count}) n""")

    def assert_nobody_saw_the_token(self, *logs):
        dump = subprocess.run(["pg_dump", "--data-only", self.database], capture_output=True, text=True, check=True).stdout
        self.assertIn("acme/fork-1", dump)
        for text in (dump, *logs):
            self.assertNotIn(TOKEN, text)


class Described(GithubTest):
    def through_prism(self, url):
        """Where a proxy of another's making refuses whatever GitHub's description does not know, on either side."""
        port = free_port()
        proxy = subprocess.Popen([os.environ["MILLRACE_NODE"], str(PRISM), "proxy", str(DESCRIPTION), url, "--port",
                                  str(port), "--errors"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(proxy.wait)
        self.addCleanup(proxy.kill)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return f"http://127.0.0.1:{port}"
            except OSError:
                if time.monotonic() > deadline:
                    raise
                select.select([], [], [], 0.05)

    def test_every_request_is_as_GitHub_describes_it(self):
        def special(_method, path, body):
            if "fork-2/merge" in path:
                return 409, {"message": "There are merge conflicts"}, {}
            if "fork-3/merge" in path:
                return 422, {"message": f"The branch {body['branch']} does not exist"}, {}
            if "fork-4/merge" in path:
                forge.merged.add(("acme/fork-4", "feature/ä"))
            if "compare" in path and "%3Afeature" in path:
                return 200, forge.compared(["Merge branch 'up:17.0' into 17.0", "work"]), {}
            return None

        forge = self.forge(special)
        self.add_forks(5)
        forge.ahead["acme/hub-5", "17.0"] = ["Merge branch 'up:17.0' into 17.0"] * 450
        self.sql("""select forks.change_fork('acme/fork-4', '{"branches": ["feature/ä"]}')""")
        worker = self.work(self.through_prism(forge.url))
        self.sql("select forks.sync_now(repo) from forks.registry")
        self.wait_until("select count(*) from forks.results", "5")
        self.assertEqual(self.sql("select string_agg(concat_ws(' ', fork, state, divergence), ', ' order by fork)"
                                  "  from forks.results"),
                         "acme/fork-1 updated clean, acme/fork-2 conflict, acme/fork-3 skipped,"
                         " acme/fork-4 current diverged, acme/fork-5 updated managed overlay")
        self.assertEqual(len([path for _, path, _ in forge.asked if "page=" in path]), 2, "250, and two pages of 100")
        self.assertEqual(self.sql("select count(*) from millrace.dead_letters"), "0")
        worker.send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(worker)[0], DONE)


    def test_the_steps_of_a_run_are_so_too(self):
        forge = self.forge()
        forge.pulls = [(number, f"[MIG] addon {number}") for number in range(1, 121)] + [(500, "MIG without brackets")]
        self.add_forks(2)
        self.sql("""select forks.change_fork('acme/fork-' || n, '{"install_forward_port": true, "upstream_track": "17.0"}')
                      from generate_series(1, 2) n""")
        self.sql("""select forks.configure_group('default', '{"template_path": ".github/port.yml", "template": "on: push"}')""")
        forge.files["acme/fork-2", ".github/port.yml"] = b"on: never"
        self.work(self.through_prism(forge.url))
        for states in ("acme/fork-1 created, acme/fork-2 updated", "acme/fork-1 unchanged, acme/fork-2 unchanged",
                       "acme/fork-1 unchanged, acme/fork-2 unchanged"):
            run = self.sql("select forks.start_run('default')")
            self.wait_until(f"select state from forks.runs where id = {run}", "finished")
            self.assertEqual(self.sql("select string_agg(target || ' ' || state, ', ' order by target)"
                                      f"  from forks.run_steps({run}) where step = 'distribute'"), states,
                             self.sql("select detail from forks.run_step"))
            self.assertEqual(self.sql("select target, count(*), min(item::int), max(item::int)"
                                      f"  from forks.run_steps({run}) where step = 'search' group by 1 order by 1"),
                             "up/hub-1|120|1|120\nup/hub-2|120|1|120")
        self.assertEqual(forge.spared, 2, "by the third run both are known")
        self.assertEqual(sorted(forge.commits), [
            ("acme/fork-1", ".github/port.yml", "created .github/port.yml from default distributor"),
            ("acme/fork-2", ".github/port.yml", "updated .github/port.yml from default distributor")])
        self.assertEqual(self.sql("select count(*) from millrace.dead_letters"), "0")


class Runs(GithubTest):
    FORKS, BRANCHES = 20, ("16.0", "17.0", "18.0")

    def setUp(self):
        super().setUp()
        self.stumbled = set()

    def special(self, method, path, body):
        if method == "GET":
            is_fork_9 = path == "/repos/up/hub-9/compare/17.0...acme%3A17.0"
            return (200, self.double.compared(["somebody's work"]), {}) if is_fork_9 else None
        if method == "PUT":
            return None
        branch = (path, body["branch"])
        if branch == ("/repos/acme/fork-3/merge-upstream", "17.0"):
            return 409, {"message": f"conflicts, and {TOKEN}"}, {}
        if branch == ("/repos/acme/fork-5/merge-upstream", "16.0"):
            return 422, {"message": "The branch 16.0 does not exist on the fork"}, {}
        if branch == ("/repos/acme/fork-7/merge-upstream", "18.0"):
            return 403, {"message": "Resource not accessible by personal access token"}, {}
        if "fork-11/" in path and self.stumbled_once("503"):
            return 503, {"message": "No server is available"}, {}
        if "fork-12/" in path and self.stumbled_once("reset"):
            return "reset"
        if "fork-13/" in path and self.stumbled_once("limit"):
            return 403, {"message": "You have exceeded a secondary rate limit"}, {"Retry-After": 1}
        return None

    def stumbled_once(self, how):
        is_new = how not in self.stumbled
        self.stumbled.add(how)
        return is_new

    def test_a_run_whose_workers_are_killed_comes_to_the_right_digest(self):
        self.double = self.forge(self.special, delay_seconds=0.02)
        self.add_forks(self.FORKS, "{" + ",".join(self.BRANCHES) + "}")
        self.sql("""select forks.configure_group('default', '{"recipients": ["ada@example.org"],
                                                               "subject_prefix": "Acme", "template_path": "port.yml",
                                                               "template": "on: push"}')""")
        self.sql("""select forks.change_fork(repo, '{"install_forward_port": true}') from forks.registry""")
        run = self.sql("select forks.start_run('default')")
        logs, workers = [], [self.work(self.double.url, "--name", f"w{n}") for n in range(2)]
        for moment in ("10 from forks.results", "25 from forks.results", "40 from forks.results",
                       "5 from forks.run_step where state is not null"):
            self.wait_until(f"select count(*) >= {moment}", "t")
            victim = workers.pop(0)
            victim.send_signal(signal.SIGKILL)
            logs.append(victim.communicate()[1])
            workers.append(self.work(self.double.url))
        self.wait_until(f"select state from forks.runs where id = {run}", "finished")
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
            logs.append(worker.communicate(timeout=PATIENCE_SECONDS)[1])

        total = self.FORKS * len(self.BRANCHES)
        self.assertEqual(self.sql("select branches, updated + current, skipped, failed, diverged, pending"
                                  f"  from forks.runs where id = {run}"), f"{total}|{total - 3}|1|2|1|0")
        self.assertEqual(self.sql("select string_agg(fork || ' ' || branch || ' ' || state, ', ' order by fork)"
                                  f"  from forks.run_items({run}) where state not in ('updated', 'current')"),
                         "acme/fork-3 17.0 conflict, acme/fork-5 16.0 skipped, acme/fork-7 18.0 failed")
        synced = sorted((f"acme/fork-{number}", branch) for number in range(1, self.FORKS + 1) for branch in self.BRANCHES
                        if (number, branch) not in ((3, "17.0"), (5, "16.0"), (7, "18.0")))
        self.assertEqual(sorted(self.double.merged), synced)
        self.assertEqual(self.sql(f"select state, count(*) from forks.run_steps({run}) group by 1"), f"created|{self.FORKS}")
        self.assertEqual(len(self.double.commits), self.FORKS)
        subject = self.sql("select string_agg(subject, '; ') from forks.digests")
        self.assertRegex(subject, r"^Acme digest \d{4}-\d\d-\d\d — ⚠️ 2 sync fail — ⚠️ 1 diverged$")
        self.assert_digest(run, subject, synced)
        self.assertEqual(self.sql("select count(*), min(payload->>'to') from millrace.jobs where kind = 'email.send'"),
                         "1|ada@example.org")
        self.assertEqual(self.stumbled, {"503", "reset", "limit"})
        self.assertRegex(self.sql("select detail from forks.results where state = 'conflict'"), r"conflicts, and \*\*\*")
        self.assert_nobody_saw_the_token(*logs)


    def assert_digest(self, run, subject, synced):
        """Which attempt has brought a branch up to date is chance, and which order the names have is the database's."""
        parts = {}
        for part in self.sql("select text from forks.digests").split("\n\n"):
            title, *parts[title] = part.splitlines()
        titles = list(parts)
        self.assertEqual(titles[0], subject)
        self.assertRegex(titles[1], r"^60 branches of 20 forks: \d+ updated(, \d+ current)?, 1 skipped, 2 failed$")
        self.assertEqual(titles[2:], ["Sync failures", "Diverged", "Synced", "Distributed", f"Run {run} of group default."])
        conflict, refused = sorted(parts["Sync failures"])
        self.assertEqual(conflict, "  acme/fork-3 17.0: conflict: conflicts, and ***")
        self.assertTrue(refused.startswith("  acme/fork-7 18.0: failed: GitHub answered 403: Resource not accessible by"
                                           " personal access token; a fine-grained token needs"), refused)
        self.assertEqual(parts["Diverged"], ["  acme/fork-9 17.0: 1 commit of its own", "    - somebody's work"])
        told = [line.strip().split(": ", 1) for line in parts["Synced"]]
        self.assertEqual(sorted(name for name, _ in told), sorted(" ".join(branch) for branch in synced))
        self.assertLessEqual({how for _, how in told}, {"fast-forward", "perhaps by an attempt that was interrupted"})
        self.assertEqual(sorted(parts["Distributed"]),
                         sorted(f"  acme/fork-{number}: created port.yml" for number in range(1, self.FORKS + 1)))


class Rebases(GithubTest):
    """GitHub's description as it is kept here does not know the listing of branches, and git's own requests are none of
    the interface's: neither goes through the proxy that validates."""

    def git(self, *words):
        environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
        return subprocess.run(["git", "-C", self.repository, "-c", "user.name=Ada", "-c", "user.email=ada@example.org", *words],
                              check=True, capture_output=True, text=True, env=environment).stdout.strip()

    def write(self, branch, file, parent=""):
        """A commit that adds a file of that name."""
        self.git("read-tree", parent or "--empty")
        blob = subprocess.run(["git", "-C", self.repository, "hash-object", "-w", "--stdin"], input=file, check=True,
                              capture_output=True, text=True).stdout.strip()
        self.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{file}")
        commit = self.git("commit-tree", self.git("write-tree"), "-m", file, *(["-p", parent] if parent else []))
        self.git("update-ref", f"refs/heads/{branch}", commit)
        return commit

    def setUp(self):
        super().setUp()
        root = pathlib.Path(self.cache) / "repositories"
        self.repository = root / "acme" / "fork-1.git"
        self.repository.parent.mkdir(parents=True)
        subprocess.run(["git", "init", "--quiet", "--bare", self.repository], check=True)
        first = self.write("main", "first")
        for number in range(3):
            self.write(f"feature/{number}", f"ours-{number}", first)
        self.base = self.write("main", "theirs", first)
        for number in range(150):
            self.git("update-ref", f"refs/heads/fixes/{number}", first)
        self.double = self.forge(repositories=root, token=TOKEN)
        self.add_forks(1, "{main}")
        self.sql("""select forks.change_fork('acme/fork-1', '{"rebase_onto": "main", "rebase_globs": ["feature/*"]}')""")

    def test_branches_are_rebased_with_the_token_in_no_address_and_no_file(self):
        worker = self.work(self.double.url + "/api/v3")
        run = self.sql("select forks.start_run('default')")
        self.wait_until(f"select state from forks.runs where id = {run}", "finished")
        self.assertEqual(self.sql("select string_agg(concat_ws(' ', item, state, detail), ', ' order by item)"
                                  f"  from forks.run_steps({run})"),
                         ", ".join(f"feature/{number} rebased 1 commit on main" for number in range(3)))
        self.assertEqual(self.git("log", "--format=%s", "feature/2").split(), ["ours-2", "theirs", "first"])
        self.assertEqual(len([path for _, path, _ in self.double.asked if "/branches?" in path]), 2, "153 are two pages")
        worker.send_signal(signal.SIGTERM)
        self.assert_nobody_saw_the_token(worker.communicate(timeout=PATIENCE_SECONDS)[1], str(self.double.asked))
        encoded = self.double.git_login.split()[1]
        for file in pathlib.Path(self.cache, "forks").rglob("*"):
            self.assertFalse(file.is_file() and {TOKEN, encoded} & set(file.read_bytes().decode(errors="replace").split()))

    @contextlib.contextmanager
    def killed_worker(self):
        """One that works while the block runs, and dies at its end."""
        worker = self.work(self.double.url + "/api/v3")
        yield
        worker.send_signal(signal.SIGKILL)
        worker.communicate()

    @contextlib.contextmanager
    def held_run(self):
        """Nobody can lead it on: who tries to, waits."""
        with subprocess.Popen(["psql", "-X", "-q", "-d", self.database], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              text=True) as holder:
            holder.stdin.write("begin; select from forks.run for no key update;\n")
            holder.stdin.flush()
            self.wait_until("select count(*) > 0 from pg_locks where relation = 'forks.run'::regclass and granted"
                            "                                    and mode = 'RowShareLock'", "t")
            yield

    def kill_worker_while_it_leads_on(self, kind, resumed=None):
        with self.held_run(), self.killed_worker():
            if resumed:
                self.sql(f"select millrace.resume_kind('{resumed}')")
            self.wait_until("select count(*) > 0 from pg_stat_activity where datname = current_database()"
                            "                                            and wait_event_type = 'Lock'", "t")
            self.assertEqual(self.sql("select string_agg(kind, ' ') from millrace.running_jobs"), kind)

    def test_a_run_whose_workers_are_killed_at_each_of_its_stages_is_done_once(self):
        self.sql("""select forks.configure_group('default', '{"recipients": ["ada@example.org"], "template_path": "port.yml",
                                                               "template": "on: push"}')""")
        self.sql("""select forks.change_fork('acme/fork-1', '{"install_forward_port": true}')""")
        self.sql("select millrace.pause_kind('forks.distribute'), millrace.pause_kind('forks.digest')")
        pushed, go_on = threading.Event(), threading.Event()

        def hold_first_push(method, path):
            if method == "POST" and path.endswith("/git-receive-pack") and not pushed.is_set():
                pushed.set()
                go_on.wait(PATIENCE_SECONDS)

        self.double.before_git = hold_first_push
        run = self.sql("select forks.start_run('default')")
        self.kill_worker_while_it_leads_on("forks.stage")
        with self.killed_worker():
            self.wait_until("select count(*) from millrace.jobs where kind = 'forks.distribute'", "1")
        self.kill_worker_while_it_leads_on("forks.stage", resumed="forks.distribute")
        with self.killed_worker():
            self.assertTrue(pushed.wait(PATIENCE_SECONDS))
        go_on.set()  # what has reached the server happens, though nobody waits for it
        with self.killed_worker():
            self.wait_until("select count(*) from millrace.jobs where kind = 'forks.digest'", "1")
        self.kill_worker_while_it_leads_on("forks.digest", resumed="forks.digest")
        self.work(self.double.url + "/api/v3")
        self.wait_until(f"select state from forks.runs where id = {run}", "finished")
        self.assertEqual(self.sql("select string_agg(concat_ws(' ', step, item, state), ', ' order by step, item)"
                                  f"  from forks.run_steps({run})"),
                         "distribute created, rebase feature/0 rebased, rebase feature/1 rebased, rebase feature/2 rebased")
        for number in range(3):
            self.assertEqual(self.git("log", "--format=%s", f"feature/{number}").split(), [f"ours-{number}", "theirs", "first"])
        self.assertEqual(len(self.double.commits), 1)
        self.assertEqual(self.sql("select (select count(*) from forks.digests),"
                                  "       (select count(*) from millrace.jobs where kind = 'email.send')"), "1|1")

    def test_a_token_that_git_does_not_accept_fails_in_a_way_that_shows_nothing_of_it(self):
        self.double.git_login = "Basic of another"
        worker = self.work(self.double.url + "/api/v3")
        run = self.sql("select forks.start_run('default')")
        self.wait_until(f"select state from forks.runs where id = {run}", "finished")
        self.assertRegex(self.sql(f"select state || ' ' || detail from forks.run_steps({run})"), "^failed git ls-remote exited")
        worker.send_signal(signal.SIGTERM)
        self.assert_nobody_saw_the_token(worker.communicate(timeout=PATIENCE_SECONDS)[1])


class Encrypted(GithubTest):
    def certificate(self):
        """Of 127.0.0.1: with its key, and alone."""
        certificate = pathlib.Path(self.cache) / "forge.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                        "2", "-subj", "/CN=forge", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", certificate,
                        "-out", f"{certificate}.only"], check=True, capture_output=True)
        authority = pathlib.Path(f"{certificate}.only")
        certificate.write_text(certificate.read_text() + authority.read_text())
        return certificate, authority

    def test_a_forge_is_believed_when_an_authority_that_is_named_vouches_for_it(self):
        certificate, authority = self.certificate()
        forge = self.forge(certificate=certificate)
        self.add_forks(1)
        self.sql("select forks.sync_now('acme/fork-1')")
        stranger = self.work(forge.url)
        self.wait_until("select state from forks.results", "failed")
        self.assertIn("SSL", self.sql("select detail from forks.results"))
        self.assertEqual(forge.asked, [], "the token is for nobody else")
        stranger.send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(stranger)[0], DONE)
        self.sql("select forks.sync_now('acme/fork-1')")
        self.work(forge.url, "--github-ca-file", str(authority))
        self.wait_until("select string_agg(state, ' ' order by job) from forks.results", "failed updated")


    def test_git_believes_those_that_SSL_CERT_FILE_names(self):
        home = pathlib.Path(self.cache) / "home"
        home.mkdir()
        (home / ".netrc").write_text("machine 127.0.0.1 login x-access-token password secret\n")
        for name in ("fork", "upstream"):
            repository = pathlib.Path(self.cache) / "acme" / f"{name}.git"
            subprocess.run(["git", "init", "--quiet", "--bare", repository], check=True)
        certificate, authority = self.certificate()
        forge = self.forge(certificate=certificate, repositories=self.cache, token="secret")
        self.sql(f"select forks.add_fork('acme/fork', '{forge.url}/acme/fork.git', '{forge.url}/acme/upstream.git')")
        for variables, state in (({}, "failed"), ({"SSL_CERT_FILE": str(authority)}, "skipped")):
            self.sql("select forks.sync_now('acme/fork')")
            worker = self.start("--queue", "forks=1", "--cache", self.cache, HOME=str(home), **variables)
            self.wait_until("select state from forks.results order by job desc limit 1", state)
            worker.send_signal(signal.SIGTERM)
            self.assertEqual(self.finish(worker)[0], DONE)
        self.assertRegex(self.sql("select detail from forks.results where state = 'failed'"), "certificate")


class Tokens(GithubTest):
    def test_a_worker_whose_token_is_missing_says_so_and_leaves_the_jobs_to_others(self):
        forge = self.forge()
        self.add_forks(1)
        self.sql("select millrace.create_queue('other'), millrace.enqueue('other', 'noop', '{}'),"
                 "       forks.sync_now('acme/fork-1')")
        worker = self.work(forge.url, "--queue", "other", A_TOKEN="")
        self.wait_until("select completed from millrace.queues where name = 'other'", "1")
        worker.send_signal(signal.SIGTERM)
        status, log = self.finish(worker)
        self.assertEqual(status, DONE)
        said = [line for line in log if line.get("queue") == "forks" and line["level"] == "error"]
        self.assertEqual(len(said), 1, log)
        self.assertRegex(json.dumps(said), r"no variable A_TOKEN.*Contents: read and write")
        self.assertEqual(self.sql("select attempt from millrace.jobs where kind = 'forks.sync'"), "0")
        self.assertEqual(forge.asked, [])

        checked = self.run_millrace("worker", "--check", "--queue", "forks", "--github-token-variable", "A_TOKEN")
        self.assertEqual(self.expect(checked, USAGE).err.count("A_TOKEN"), 1)
        alone = self.work(forge.url, A_TOKEN="ghp_canary with a space")
        _, log = alone.communicate(timeout=PATIENCE_SECONDS)
        self.assertEqual(alone.returncode, FAILED)
        self.assertRegex(log, "no queue is left to serve")
        self.assertNotIn("canary", log)


if __name__ == "__main__":
    main()
