#!/usr/bin/env python3
"""Forks of the provider git whose repositories are behind servers that nobody here wrote: over http and over ssh."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from git_servers import by_http, by_ssh  # noqa: E402
from program import PATIENCE_SECONDS, WorkerProcessTest, main  # noqa: E402

HOSTILE = ["$(touch${IFS}pwned)", "a;touch${IFS}pwned", "`touch${IFS}pwned`", "ä/'\"|&", "%2e%2e/x", "a>pwned", "x/-o"]


def git(*words, cwd=None):
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_GLOBAL": "/dev/null",
                   "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", *words], cwd=cwd, check=True,
                          capture_output=True, text=True, env=environment).stdout.strip()


class Remotes:
    """Upstream and fork of each name, side by side in one directory, written to directly and read through a server."""

    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.scratch = pathlib.Path(directory.name)
        self.repositories = self.scratch / "repositories"
        self.repositories.mkdir()
        self.served = self.serve(self.repositories, self.scratch)
        self.addCleanup(self.served.close)
        self.sql("select millrace.create_queue('forks', max_attempts => 2, retry_base => '10 milliseconds',"
                 "                             retry_cap => '10 milliseconds')")

    def make(self, name):
        git("init", "--quiet", "--bare", "--initial-branch=main", str(self.repositories / name))
        git("config", "http.receivepack", "true", cwd=self.repositories / name)

    def write(self, name, content, branch="main", over=None):
        """A commit with one file on a branch, on top of `over` or of where the branch is."""
        repository = self.repositories / name
        blob = self.scratch / "blob"
        blob.write_text(content)
        tree = f"100644 blob {git('hash-object', '-w', str(blob), cwd=repository)}\tfile\n"
        made = subprocess.run(["git", "mktree"], cwd=repository, input=tree, capture_output=True, text=True, check=True)
        parent = over if over is not None else self.tip(name, branch)
        commit = git("commit-tree", made.stdout.strip(), "-m", content, *(["-p", parent] if parent else []), cwd=repository)
        git("update-ref", f"refs/heads/{branch}", commit, cwd=repository)
        return commit

    def tip(self, name, branch="main"):
        return git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}", cwd=self.repositories / name)

    def pair(self, name, branches=("main",), url=None):
        for side in ("up", "fork"):
            self.make(f"{side}-{name}")
        where = url or self.served.url
        listed = "{" + ",".join(json.dumps(branch, ensure_ascii=False) for branch in branches) + "}"
        listed = listed.replace("'", "''")
        self.sql(f"""select forks.add_fork('acme/{name}', '{where}/fork-{name}', '{where}/up-{name}', '{listed}')""")

    def copy(self, name, branch="main"):
        git("fetch", "--quiet", str(self.repositories / f"up-{name}"), f"+refs/heads/{branch}:refs/heads/{branch}",
            cwd=self.repositories / f"fork-{name}")

    def sync_all(self):
        done = int(self.sql("select count(*) from forks.results"))
        asked = int(self.sql("select sum(cardinality(forks.sync_now(repo))) from forks.registry"))
        cache = self.scratch / "cache"
        worker = self.start("--queue", "forks=4", "--cache", str(cache), **self.served.variables)
        self.wait_until("select count(*) from forks.results", str(done + asked))
        worker.send_signal(signal.SIGTERM)
        log = worker.communicate(timeout=PATIENCE_SECONDS)[1]
        self.assertEqual(list(self.scratch.rglob("pwned")) + list(pathlib.Path("/").glob("pwned")), [])
        return log

    def states(self):
        return dict(line.split("|") for line in self.sql(
            "select distinct on (fork, branch) fork, state from forks.results order by fork, branch, job desc").splitlines())

    def test_every_state_comes_about_as_it_does_on_this_host(self):
        first = {}
        for name in ("behind", "same", "clash", "gone", "rewritten", "both"):
            self.pair(name)
            first[name] = self.write(f"up-{name}", "one")
            self.copy(name)
        self.write("up-behind", "two")
        self.write("up-clash", "theirs")
        self.write("fork-clash", "ours")
        git("update-ref", "-d", "refs/heads/main", cwd=self.repositories / "up-gone")
        self.write("up-rewritten", "another one", over="")
        self.write("up-both", "two")
        self.copy("both")
        self.pair("empty")
        log = self.sync_all()
        self.assertEqual(self.states(), {"acme/behind": "updated", "acme/same": "current", "acme/clash": "conflict",
                                         "acme/gone": "skipped", "acme/rewritten": "conflict", "acme/both": "current",
                                         "acme/empty": "skipped"}, self.sql("select fork, detail from forks.results"))
        self.assertEqual(self.tip("fork-behind"), self.tip("up-behind"))
        self.assertEqual(self.tip("fork-rewritten"), first["rewritten"], "nothing of the fork is lost")
        self.assertEqual(self.sql("select count(*) from millrace.dead_letters"), "0", log)

        # An upstream that takes back what the fork has not taken is simply followed.
        self.write("up-behind", "three")
        kept = self.tip("fork-behind")
        self.write("up-behind", "instead of three", over=kept)
        self.sync_all()
        self.assertEqual((self.states()["acme/behind"], self.tip("fork-behind")), ("updated", self.tip("up-behind")))

    def test_the_names_of_branches_are_only_names(self):
        fit = [name for name in self.names if self.sql("select forks.is_branch('" + name.replace("'", "''") + "')") == "t"]
        self.assertEqual(fit, self.names)
        self.pair("names", fit)
        for name in fit:
            self.write("up-names", "one", name)
            self.copy("names", name)
            self.write("up-names", "two", name)
        self.sync_all()
        self.assertEqual(self.sql("select count(*) from forks.results where state = 'updated'"), str(len(fit)),
                         self.sql("select branch, detail from forks.results"))


class Http(Remotes, WorkerProcessTest):
    serve = staticmethod(by_http)
    names = HOSTILE

    def test_one_that_has_moved_is_followed_and_the_password_is_seen_by_nobody(self):
        self.pair("moved", url=self.served.old_url)
        self.write("up-moved", "one")
        self.copy("moved")
        self.write("up-moved", "two")
        log = self.sync_all()
        self.assertEqual(self.states(), {"acme/moved": "updated"}, self.sql("select detail from forks.results"))
        dump = subprocess.run(["pg_dump", "--data-only", self.database], capture_output=True, text=True, check=True).stdout
        self.assertNotIn(self.served.secret, dump + log)

    def test_whoever_is_not_let_in_fails_and_is_not_asked(self):
        self.pair("closed")
        self.served.variables = {"HOME": "/nonexistent"}
        self.sync_all()
        self.assertEqual(self.states(), {"acme/closed": "failed"})


class Ssh(Remotes, WorkerProcessTest):
    serve = staticmethod(by_ssh)
    names = HOSTILE[:2]  # each takes five logins

    def test_a_host_that_is_not_known_is_not_spoken_to(self):
        self.pair("strange")
        (self.scratch / "known").write_text("")
        self.sync_all()
        self.assertEqual(self.states(), {"acme/strange": "failed"})
        self.assertIn("Host key verification failed", self.sql("select detail from forks.results"))


if __name__ == "__main__":
    main()
