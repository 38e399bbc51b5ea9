"""What rehearsals of docs/runbooks.md share: its commands, a shell that they are typed into, and a host with one worker.

A section's `sh` blocks are run as they stand, but for the number of a job. `console` blocks are those of a person who is
at the right host; a rehearsal picks the line that it needs and puts its own names in. What they ask of systemd is done by
stand-ins: a journal that is a file, a unit that is a process, and a systemd-run that takes the words of `as_worker`.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

from program import BINARY, PATIENCE_SECONDS, WorkerProcessTest, free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
SMTP_SERVER = ROOT / "tests/support/smtp/server.mjs"
DONE, FAILED, USAGE = 0, 1, 2
# Like systemd's, the command gets the variables of the environment file, and none of the shell's.
STAND_INS = """
journalctl() { cat "$MILLRACE_JOURNAL"; }
systemd-run() {
    local -a variables=("PATH=$PATH" "LSAN_OPTIONS=${LSAN_OPTIONS:-}")
    while [[ $1 == -* ]]; do
        case "$1 $2" in
            "--quiet "* | "--pipe "* | "--wait "* | "--uid=millrace "*) shift ;;
            "-p CacheDirectory=millrace") variables+=("CACHE_DIRECTORY=$MILLRACE_CACHE") && shift 2 ;;
            "-p EnvironmentFile=-"*) mapfile -t -O "${#variables[@]}" variables <"${2#EnvironmentFile=-}" && shift 2 ;;
            *) echo "systemd-run: not expected: $1 $2" >&2 && return 2 ;;
        esac
    done
    env -i "${variables[@]}" "$@"
}
"""


def section(title, page="runbooks"):
    text = (ROOT / f"docs/{page}.md").read_text()
    return re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^##+ |\Z)", text, re.MULTILINE | re.DOTALL)[1]


def blocks(title, kind):
    """Of the section: the commands of its blocks of that kind."""
    shown = re.sub(r"<!--.*?-->", "", section(title), flags=re.DOTALL)
    return re.findall(rf"^```{kind}\n(.*?)^```$", shown, re.MULTILINE | re.DOTALL)


class MailServer:
    """Wants a login; on a port that stays the same, however often it is stopped and started."""

    def __init__(self, password, port=0, auth="XOAUTH2"):
        words = ["--user", "shop", "--auth", auth, "--password", password, "--port", str(port), "--until-stdin-closes"]
        self.process = subprocess.Popen([os.environ["MILLRACE_NODE"], SMTP_SERVER, *words], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        ready = json.loads(self.process.stdout.readline())
        self.port, self.ca_file = ready["port"], ready["ca_file"]

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(PATIENCE_SECONDS)
            self.process.stdout.close()


class Rehearsal(WorkerProcessTest):
    def type(self, commands, status=DONE):
        """As a person would, into a shell; what it says."""
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", STAND_INS + commands], env=self.environment,
                              capture_output=True, text=True, timeout=PATIENCE_SECONDS, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status, f"{commands}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def follow(self, title, job=None):
        """Runs the section's commands in their order; what each block said."""
        return [self.type(re.sub(r"(explain|show) \d+", rf"\1 {job}", commands)) for commands in blocks(title, "sh")]

    def line(self, title, start, name="", ours=""):
        """One line of the section's console blocks, with a name of our own in it."""
        line, = (line for block in blocks(title, "console") for line in block.splitlines() if line.startswith(start))
        self.assertIn(name, line)
        return line.replace(name, ours) if name else line

    def on_call(self, title, start, name="", ours=""):
        return self.type(self.line(title, start, name, ours))

    def enqueue(self, kind, payload="{}", amount=1):
        return self.sql(f"select millrace.enqueue_many('mail', '{kind}', array_fill('{payload}'::jsonb, array[{amount}]))")

    def completed(self):
        return "select completed from millrace.queues where name = 'mail'"


class OnOneServer(Rehearsal):
    def setUp(self):
        super().setUp()
        self.environment["PATH"] = f"{pathlib.Path(BINARY).parent}:{os.environ['PATH']}"
        self.sql("select millrace.create_queue('mail')")


class OnOneHost(OnOneServer):
    """A host with the unit millrace-worker, whose files are in a folder in the place of /etc/millrace."""

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="millrace-host-")))
        self.journal, self.unit, self.port = self.folder / "journal", None, free_port()
        self.journal.touch()
        self.environment |= {"MILLRACE_JOURNAL": str(self.journal), "MILLRACE_CACHE": str(self.folder / "cache")}

    def write(self, name, text):
        file = self.folder / name
        file.touch(0o600)
        file.write_text(text)
        return file

    def configure(self, settings, **secrets):
        """The file of settings, and that of the environment, where the database is named, too."""
        settings += f"[http]\nlisten = 127.0.0.1:{self.port}\n"
        database = {name: self.environment[name] for name in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE")}
        self.write("millrace.conf", settings)
        self.write("environment", "".join(f"{name}={value}\n" for name, value in (database | secrets).items()))

    def systemctl(self, verb):
        """start, stop, restart or reload, as config/systemd/millrace-worker.service has them."""
        if verb == "reload":
            self.unit.send_signal(signal.SIGHUP)
        if verb in ("stop", "restart") and self.unit.poll() is None:
            self.unit.terminate()
            self.assertEqual(self.unit.wait(PATIENCE_SECONDS), DONE)
        if verb in ("start", "restart"):
            variables = dict(line.split("=", 1) for line in (self.folder / "environment").read_text().splitlines())
            kept = {name: os.environ[name] for name in ("PATH", "LSAN_OPTIONS") if name in os.environ}
            with open(self.journal, "a", encoding="utf-8") as log:
                self.unit = subprocess.Popen([BINARY, "worker", "--config", self.folder / "millrace.conf"], stderr=log,
                                             stdin=subprocess.DEVNULL, env=kept | variables |
                                             {"CACHE_DIRECTORY": self.environment["MILLRACE_CACHE"]})
            self.addCleanup(self.unit.wait)
            self.addCleanup(self.unit.kill)

    def start_unit(self, settings, **secrets):
        self.configure(settings, **secrets)
        self.systemctl("start")
        self.wait_until_alive()

    def wait_until_alive(self):
        self.wait_until("select count(*) from millrace.workers where state = 'alive'", "1")

    def wait_for_log(self, message, amount=1):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.journal.read_text().count(f'"message":"{message}"') < amount:
            self.assertLess(time.monotonic(), deadline, self.journal.read_text())
            time.sleep(0.02)

    def curl(self, title):
        """The section's question to the worker, which listens where the page says, but for the port."""
        return self.on_call(title, "curl", "9477", str(self.port))

    def wait_for_answer(self, title, words):
        """It looks at its database once a second."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while words not in (answer := self.curl(title)):
            self.assertLess(time.monotonic(), deadline, answer)
            time.sleep(0.1)

    def as_worker(self, title, start, status=DONE):
        """A line that calls `as_worker`, which the page defines at its beginning."""
        function, = (block for block in blocks("Before you begin", "console") if block.startswith("as_worker()"))
        for theirs, ours in (("/etc/millrace", str(self.folder)), ("/usr/bin/millrace", BINARY)):
            self.assertIn(theirs, function)
            function = function.replace(theirs, ours)
        return self.type(f"{function}\n{self.line(title, start)}", status)
