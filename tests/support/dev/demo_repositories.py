"""The repositories of the demonstration, made of this repository's own history: an upstream that has all of it, and a
fork of it that has fallen behind.
"""

import pathlib
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parents[3]
BRANCH = "main"
MOST_COMMITS_BEHIND = 3
# The command that judges a commit, run in a work tree of it: the rules that this repository's own tests enforce.
VALIDATION = ["python3", "tests/tidy/run.py"]


def git(*words):
    done = subprocess.run(["git", *words], capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(f"git {words[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


class Repositories:
    """`upstream` and `fork` are paths of bare repositories below `directory`."""

    def __init__(self, directory):
        self.upstream = directory / "upstream.git"
        self.fork = directory / "fork.git"
        is_shallow = git("-C", str(SOURCE), "rev-parse", "--is-shallow-repository") == "true"
        commits = int(git("-C", str(SOURCE), "rev-list", "--first-parent", "--count", "HEAD"))
        if is_shallow or commits == 1:
            head, behind = self._without_history()
        else:
            git("clone", "--quiet", "--bare", SOURCE.as_uri(), str(self.upstream))
            head = git("-C", str(SOURCE), "rev-parse", "HEAD")
            behind = f"{head}~{min(MOST_COMMITS_BEHIND, commits - 1)}"
        git("-C", str(self.upstream), "update-ref", f"refs/heads/{BRANCH}", head)
        git("-C", str(self.upstream), "symbolic-ref", "HEAD", f"refs/heads/{BRANCH}")
        git("clone", "--quiet", "--bare", self.upstream.as_uri(), str(self.fork))
        git("-C", str(self.fork), "update-ref", f"refs/heads/{BRANCH}", behind)

    def _without_history(self):
        """This clone has but the last commit: two new ones, of its content."""
        git("init", "--quiet", "--bare", str(self.upstream))
        objects = SOURCE / git("-C", str(SOURCE), "rev-parse", "--git-path", "objects")
        (self.upstream / "objects" / "info" / "alternates").write_text(f"{objects.resolve()}\n")
        content = git("-C", str(SOURCE), "rev-parse", "HEAD^{tree}")

        def commit(text, *parents):
            return git("-C", str(self.upstream), "-c", "user.name=millrace", "-c", "user.email=demo@example.org",
                       "commit-tree", content, "-m", text, *parents)
        first = commit("As it was cloned")
        return commit("A second commit", "-p", first), first

    @staticmethod
    def tip(repository):
        return git("-C", str(repository), "rev-parse", f"refs/heads/{BRANCH}")

    def news(self):
        """One line for each commit that the fork lacks."""
        return git("-C", str(self.upstream), "log", "--first-parent", "--format=%h %s",
                   f"{self.tip(self.fork)}..{BRANCH}").splitlines()
