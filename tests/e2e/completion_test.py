#!/usr/bin/env python3
"""<TAB> in a real bash and a real zsh, each on a terminal; and the manual page as its formatter reads it."""

import fcntl
import os
import pathlib
import pty
import re
import select
import subprocess
import sys
import tempfile
import termios
import time

import psycopg2

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from program import BINARY, PATIENCE_SECONDS, ProgramTest, main  # noqa: E402

# What a shell has on its line is written to a file by a key of its own: a screen may have been redrawn in pieces.
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"],
             "bind 'set bell-style none'; bind -x '\"\\C-t\": printf \"%s\" \"$READLINE_LINE\" >\"$SEEN\"'\n"
             "source <(millrace completion bash)\n"),
    "zsh": (["zsh", "-f", "-i"],
            "autoload -U compinit; compinit -D -u; source <(millrace completion zsh)\n"
            "tell() { print -rn -- \"$BUFFER\" >$SEEN }; zle -N tell; bindkey '^T' tell; unsetopt beep\n"),
}


class Shell:
    """One that reads from a terminal, as a person's does."""

    def __init__(self, name, environment):
        command, preparation = SHELLS[name]
        self.folder = tempfile.TemporaryDirectory()
        self.seen = pathlib.Path(self.folder.name) / "seen"
        (pathlib.Path(self.folder.name) / "job.conf").touch()
        leader, follower = pty.openpty()
        paths = f"{pathlib.Path(BINARY).parent}:{os.environ['PATH']}"
        self.process = subprocess.Popen(
            command, stdin=follower, stdout=follower, stderr=follower, cwd=self.folder.name, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # its own terminal, for job control
            env=environment | {"PATH": paths, "SEEN": str(self.seen), "TERM": "xterm", "PS1": "$ ",
                               "HOME": self.folder.name})
        os.close(follower)
        self.terminal, self.said = leader, b""
        self.type(preparation + "echo re''ady\n")
        self.read_until(lambda: b"ready" in self.said)

    def type(self, text):
        os.write(self.terminal, text.encode())

    def read_until(self, is_enough):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_enough():
            if time.monotonic() > deadline:
                raise AssertionError(f"in vain: {self.said[-2000:]!r}")
            if select.select([self.terminal], [], [], 0.05)[0]:
                self.said += os.read(self.terminal, 65536)

    def completed(self, text):
        """What the line is after <TAB>; it is thrown away."""
        self.seen.unlink(missing_ok=True)
        self.type(text + "\t\x14")
        self.read_until(lambda: self.seen.exists() and self.seen.stat().st_size > 0)
        self.type("\x15")
        return self.seen.read_text()

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)
        self.folder.cleanup()


class Completion(ProgramTest):
    def try_shell(self, name):
        self.sql("select millrace.create_queue(q) from unnest(array['mail', 'work']) q")
        self.sql("select millrace.configure_kind('email.send', '{\"max_attempts\": 3}')")
        self.sql("select millrace.configure_kind('$(touch ran)', '{\"max_attempts\": 3}')")
        shell = Shell(name, self.environment)
        self.addCleanup(shell.close)
        for typed, line in (("millrace que", "millrace queues "), ("millrace queues pau", "millrace queues pause "),
                            ("millrace queues pause ma", "millrace queues pause mail "),
                            ("millrace queues pause mail w", "millrace queues pause mail work "),
                            ("millrace jobs --sta", "millrace jobs --state "),
                            ("millrace jobs --state run", "millrace jobs --state running "),
                            ("millrace jobs --queue=wo", "millrace jobs --queue=work "),
                            ("millrace jobs --kind ", "millrace jobs --kind email.send "),
                            ("millrace enqueue mail em", "millrace enqueue mail email.send "),
                            ("millrace worker --config jo", "millrace worker --config job.conf "),
                            ("millrace queues pause nowh", "millrace queues pause nowh"),
                            ("millrace help sch", "millrace help sche")):
            with self.subTest(typed):
                self.assertEqual(shell.completed(typed), line)
        # The database is away: what is not a name is completed all the same, and nothing is said.
        self.admin(f"alter database {self.database} rename to {self.database}_away")
        try:
            self.assertEqual(shell.completed("millrace queues pause ma"), "millrace queues pause ma")
            self.assertEqual(shell.completed("millrace queues resu"), "millrace queues resume ")
        finally:
            self.admin(f"alter database {self.database}_away rename to {self.database}")
        self.assertNotIn(b"error", shell.said)

    def test_of_bash(self):
        self.try_shell("bash")

    def test_of_zsh(self):
        self.try_shell("zsh")

    def test_of_zsh_as_a_file_among_its_functions(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "_millrace").write_text(self.run_millrace("completion", "zsh").out)
            script = f"fpath=({folder} $fpath); autoload -U compinit; compinit -D -u; print $_comps[millrace]"
            done = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, text=True, check=True)
            self.assertEqual(done.stdout, "_millrace\n")

    def test_knows_every_verb_that_a_command_takes_and_no_other(self):
        for command in self.run_millrace("completion", "words", "--", "").out.split():
            refusal = self.run_millrace(command, "no-such-verb-at-all").err
            listed = re.search(r"there are: (.*)", refusal)
            if command == "help" or not listed:
                continue
            known = set(self.run_millrace("completion", "words", "--", command, "").out.split())
            self.assertEqual(known, set(listed[1].split(", ")), command)


    def test_asks_the_database_for_names_of_every_sort(self):
        self.sql("select millrace.create_queue('mail')")
        self.sql("select millrace.create_schedule('nightly', '@daily', 'mail', 'noop')")
        for words, name in ((("schedules", "show"), "nightly"), (("schedules", "pause", "x"), "nightly"),
                            (("notify", "preview"), "cl.comment.created"), (("queues", "set"), "mail"),
                            (("forks", "sync"), None), (("forks", "start"), "default"), (("pipeline", "gate"), None)):
            ran = self.run_millrace("completion", "words", "--", *words, "")
            self.assertEqual((ran.err, ran.status), ("", 0 if name else 3), words)
            self.assertEqual(name in ran.out.split(), name is not None)

    def test_waits_two_seconds_for_a_database_that_is_busy(self):
        self.sql("select millrace.create_queue('mail')")
        with psycopg2.connect(dbname=self.database) as holder:
            holder.cursor().execute("lock table millrace.queue in access exclusive mode")
            for variables in ({}, {"PGOPTIONS": "-c statement_timeout=0"}):
                ran = self.run_millrace("completion", "words", "--", "queues", "pause", "ma", **variables)
                self.assertEqual((ran.status, ran.out), (1, ""))
                self.assertIn("statement timeout", ran.err)
            holder.rollback()
        self.assertEqual(self.run_millrace("completion", "words", "--", "queues", "pause", "ma").out, "mail\n")


class Manual(ProgramTest):
    def test_is_read_by_its_formatter_without_a_complaint_and_has_every_command_flag_and_setting(self):
        page = self.run_millrace("help", "man").out
        done = subprocess.run(["groff", "-K", "utf8", "-man", "-wmac", "-Tutf8", "-P-cbou"], input=page, capture_output=True, text=True,
                              check=True)
        self.assertEqual(done.stderr, "")
        overview = self.run_millrace("help").out.split("\nMore\n")[0]
        for command in re.findall(r"^  (\w+) +", overview, re.MULTILINE):
            self.assertIn(f"millrace {command}", done.stdout)
            own = self.run_millrace("help", command).out.split("Settings as flags")[0]
            for flag in re.findall(r"^  (--[a-z-]+)", own, re.MULTILINE):
                self.assertIn(flag, done.stdout)
        for setting in re.findall(r"^  ([a-z]+\.[a-z_]+) = ", self.run_millrace("help", "settings").out, re.MULTILINE):
            self.assertIn(setting, done.stdout)


if __name__ == "__main__":
    main()
