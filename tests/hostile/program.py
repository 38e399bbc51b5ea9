"""Runs the millrace program, several at a time, without anything of this environment that would be a setting."""

import concurrent.futures
import os
import subprocess

from judge import Ran

BINARY = os.environ.get("MILLRACE_BINARY", "")
PATIENCE_SECONDS = 30
AT_ONCE = 3


def encoded(word):
    return word if isinstance(word, bytes) else word.encode()


class Program:
    def __init__(self, database):
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")}
        # The search for leaks takes as long as a refusal; workers, which run for longer, are searched.
        self.environment |= {"PGDATABASE": database, "HOME": "/nonexistent"}
        self.refusing = self.environment | {"ASAN_OPTIONS": "detect_leaks=0"}

    def run(self, words, variables=None, stdin=None):
        """A program that does not end counts as one that ended with -1."""
        environment = {encoded(name): encoded(value) for name, value in (self.refusing | (variables or {})).items()}
        source = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
        try:
            done = subprocess.run([encoded(BINARY), *map(encoded, words)], capture_output=True, env=environment,
                                  timeout=PATIENCE_SECONDS, **source)
        except subprocess.TimeoutExpired as late:
            return Ran(-1, late.stdout or b"", late.stderr or b"it does not end")
        return Ran(done.returncode, done.stdout, done.stderr)

    def run_all(self, invocations):
        """(words, variables, stdin) each; the answers in their order."""
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda invocation: self.run(*invocation), invocations))
