#!/usr/bin/env python3
"""The systemd units: known to systemd, hardened, and in agreement with what the program does."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from program import BINARY, main  # noqa: E402

UNITS = ROOT / "config" / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
WORST_EXPOSURE = 20  # tenths; systemd calls up to 3.9 OK, and 9.6 is a service without any of it
FAREWELL_SECONDS = 10  # worker/engine/worker.cpp


def analyze(*words):
    done = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True,
                          env=os.environ | {"SYSTEMD_COLORS": "0", "LC_ALL": "C"})
    return done.returncode, done.stdout + done.stderr


def settings(path):
    """{key: its last value}, without sections: none of ours has a key in two."""
    return dict(re.findall(r"^(\w+)=(.*)$", path.read_text(), re.MULTILINE))


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(s|min)", text).groups()
    return int(number) * {"s": 1, "min": 60}[unit]


def default_of(key):
    """What config/millrace.conf shows as the default of a setting."""
    return re.search(rf"^#{key} = (\S+)$", (ROOT / "config/millrace.conf").read_text(), re.MULTILINE)[1]


class Units(unittest.TestCase):
    def test_are_known_to_systemd_word_for_word(self):
        with tempfile.TemporaryDirectory() as folder:
            for unit in [*SERVICES, *UNITS.glob("*.timer")]:
                text = unit.read_text().replace("/usr/bin/millrace", BINARY)  # it must be there, says systemd
                (pathlib.Path(folder) / unit.name).write_text(text)
            for unit in sorted(pathlib.Path(folder).iterdir()):
                with self.subTest(unit.name):
                    self.assertEqual(analyze("verify", "--man=no", str(unit)), (0, ""))
            wrong = pathlib.Path(folder) / "wrong.service"
            wrong.write_text(f"[Service]\nExecStart={BINARY} worker\nWatchdogSecs=1\n")
            self.assertIn("WatchdogSecs", analyze("verify", "--man=no", str(wrong))[1])

    def test_are_exposed_no_more_than_must_be(self):
        for unit in SERVICES:
            with self.subTest(unit.name):
                status, said = analyze("security", "--offline=true", f"--threshold={WORST_EXPOSURE}", str(unit))
                self.assertEqual(status, 0, said)
                print(unit.name, said.strip().splitlines()[-1])

    def test_give_a_worker_the_time_that_its_settings_promise(self):
        worker = settings(UNITS / "millrace-worker.service")
        self.assertEqual(worker["Type"], "notify")
        self.assertEqual(worker["TimeoutStartSec"], "infinity")
        drain = seconds(default_of("drain_timeout")) + seconds(default_of("stop_grace")) + FAREWELL_SECONDS
        self.assertGreater(seconds(worker["TimeoutStopSec"]), drain)
        self.assertGreaterEqual(seconds(worker["WatchdogSec"]), 30)
        self.assertEqual(worker["KillMode"], "mixed")

    def test_watch_over_those_that_say_that_they_are_alive(self):
        watched = {unit.name for unit in SERVICES if "WatchdogSec" in settings(unit)}
        self.assertEqual(watched, {"millrace-worker.service", "millrace-serve.service"})

    def test_reload_by_the_signal_that_workers_and_the_server_take_for_it(self):
        reloading = {unit.name for unit in SERVICES
                     if settings(unit).get("ExecReload") == "/bin/kill -HUP $MAINPID"}
        self.assertEqual(reloading, {"millrace-worker.service", "millrace-serve.service"})

    def test_call_verbs_and_flags_that_there_are(self):
        for unit in SERVICES:
            verb, *words = settings(unit)["ExecStart"].split()[1:]
            done = subprocess.run([BINARY, verb, "--help"], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            known = subprocess.run([BINARY, "help", "settings"], capture_output=True, text=True).stdout + done.stdout
            for flag in (word.removeprefix("--") for word in words if word.startswith("--")):
                self.assertTrue(flag in known or flag.replace("-", ".", 1) in known, f"{unit.name}: {flag}")


if __name__ == "__main__":
    main()
