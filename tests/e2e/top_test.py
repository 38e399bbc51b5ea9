#!/usr/bin/env python3
"""`millrace top` on a real terminal (tmux): it redraws, fits any size, says how old its data is, leaves no trace."""

import pathlib
import re
import select
import shlex
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from program import BINARY, PATIENCE_SECONDS, WorkerProcessTest, main  # noqa: E402


class Terminal:
    """A window of a tmux server of its own."""

    def __init__(self, command, environment, columns=100, lines=40):
        self.folder = tempfile.TemporaryDirectory()
        self.socket = str(pathlib.Path(self.folder.name) / "socket")
        self.tmux("-u", "-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(lines), command,
                  env=environment)

    def tmux(self, *words, **options):
        return subprocess.run(["tmux", "-S", self.socket, *words], capture_output=True, text=True, check=True,
                              **options).stdout

    def text(self, *flags):
        return self.tmux("capture-pane", "-p", *flags)

    def resize(self, columns, lines):
        self.tmux("resize-window", "-x", str(columns), "-y", str(lines))

    def wait_for(self, pattern, patience=PATIENCE_SECONDS):
        deadline = time.monotonic() + patience
        while not (found := re.search(pattern, text := self.text(), re.MULTILINE)):
            if time.monotonic() > deadline:
                raise AssertionError(f"{pattern} in vain:\n{text}")
            select.select([], [], [], 0.05)
        return found

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True, check=False)
        self.folder.cleanup()


class Top(WorkerProcessTest):
    def setUp(self):
        super().setUp()
        self.sql("select millrace.create_queue(q) from unnest(array['mail', 'work']) q")

    def watch(self, *words, columns=100, lines=40, **variables):
        """What it says at its end is seen on the screen that was there before."""
        environment = {name: value for name, value in self.environment.items() if name != "NO_COLOR"}
        terminal = Terminal(f"{shlex.join([BINARY, 'top', *words])}; echo ended with $?; exec cat",
                            environment | variables, columns, lines)
        self.addCleanup(terminal.close)
        return terminal

    def assert_left(self, terminal):
        terminal.wait_for("^ended with 0$")
        self.assertNotIn("millrace top", terminal.text())

    def hold(self, statement):
        """A transaction that has done this and stays open."""
        holder = subprocess.Popen(["psql", "-X", "-q", "-d", self.database], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        self.addCleanup(holder.communicate)
        holder.stdin.write(f"begin; {statement}; select 'held';\n")
        holder.stdin.flush()
        while "held" not in holder.stdout.readline():
            pass
        return holder

    def test_redraws_what_changes_until_q(self):
        terminal = self.watch("--interval", "200ms")
        terminal.wait_for(rf"^millrace top  {self.database} ")
        terminal.wait_for(r"^mail +0 ")
        self.sql("select millrace.enqueue_many('mail', 'noop', array_fill('{}'::jsonb, array[7]))")
        terminal.wait_for(r"^mail +7 ")
        self.sql("select millrace.enqueue('work', 'wait', '{\"until_stopped\": true}')")
        self.start("--queue", "work", "--name", "watched", "--lease", "5s")
        terminal.wait_for(r"^ *\d+ +work +wait +watched +1/10 ")
        terminal.wait_for(r"^watched +alive ")
        self.sql("select millrace.pause_queue('mail')")
        terminal.wait_for(r"^mail +7 .* paused$")
        terminal.tmux("send-keys", "x")
        terminal.tmux("send-keys", "q")
        self.assert_left(terminal)

    def test_fits_the_terminal_whatever_its_size(self):
        self.sql("select millrace.create_queue('queue_' || n) from generate_series(1, 30) n")
        terminal = self.watch("--interval", "200ms", columns=120, lines=60)
        terminal.wait_for("^Queues$")
        for columns, lines in ((50, 20), (20, 5), (200, 50), (80, 24)):
            terminal.resize(columns, lines)
            terminal.wait_for(r"^Queues \(\d+ of 32\)$" if 14 < lines < 40 else "^millrace top")
            shown = terminal.text().split("\n")
            self.assertTrue(shown[0].startswith("millrace top"), shown)
            self.assertEqual(sum(line.startswith("millrace top") for line in shown), 1)
        terminal.tmux("send-keys", "q")
        self.assert_left(terminal)

    def test_has_colours_unless_they_are_not_wanted(self):
        for variables, has_them in (({}, True), ({"NO_COLOR": "1"}, False)):
            terminal = self.watch(**variables)
            terminal.wait_for("^Queues$")
            # 1 and 2 are bold and faint; tmux adds resets of its own to the end of what has one.
            self.assertEqual(bool(re.search(r"\x1b\[(1|2|3\d)m", terminal.text("-e"))), has_them)

    def test_says_how_old_its_data_is_when_the_database_is_slow_and_ends_all_the_same(self):
        terminal = self.watch("--interval", "200ms")
        terminal.wait_for(r"data \d+ ms old")
        holder = self.hold("lock table millrace.queue in access exclusive mode")
        terminal.wait_for(r"data [3-9] s old")
        terminal.tmux("send-keys", "q")
        self.assert_left(terminal)
        holder.stdin.write("rollback;\n")

    def test_waits_for_a_database_that_is_away(self):
        terminal = self.watch("--interval", "200ms")
        terminal.wait_for("^Queues$")
        self.admin(f"alter database {self.database} with allow_connections false")
        self.admin(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{self.database}'")
        terminal.wait_for("no connection to the database")
        self.assertIn("mail", terminal.text())
        self.admin(f"alter database {self.database} with allow_connections true")
        self.sql("select millrace.enqueue('mail', 'noop')")
        terminal.wait_for(r"^mail +1 ")
        self.assertNotIn("no connection", terminal.text())
        terminal.tmux("send-keys", "C-c")
        self.assert_left(terminal)

    def test_prints_once_where_there_is_no_terminal(self):
        ran = self.expect(self.run_millrace("top"), 0)
        self.assertNotIn("\x1b", ran.out)
        self.assertRegex(ran.out, r"(?m)^mail +0 ")
        seen = self.expect(self.run_millrace("top", "--json"), 0).json
        self.assertEqual([queue["queue"] for queue in seen["queues"]], ["mail", "work"])
        self.assertEqual((seen["running"], seen["workers"]), ([], []))
        self.assertIn("permission denied", self.run_millrace("top", PGOPTIONS="-c role=millrace_enqueuer").err)
        self.expect(self.run_millrace("top", PGOPTIONS="-c role=millrace_viewer"), 0)


if __name__ == "__main__":
    main()
