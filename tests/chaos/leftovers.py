"""Removes what a chaos run left behind that was killed, or whose machine was: servers, a network, a volume, files."""

import fcntl
import os
import pathlib
import shutil
import signal
import subprocess

PLACE, PREFIX = pathlib.Path("/var/tmp"), "millrace-chaos-"


def claim(directory):
    """Says that `directory` belongs to this process, as long as it runs. The file is to be kept open."""
    lock = open(directory / "owner", "w", encoding="ascii")  # noqa: SIM115  pylint: disable=consider-using-with
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return lock


def keep(directory):
    (directory / "kept").touch()


def sweep():
    for directory in PLACE.glob(f"{PREFIX}*"):
        try:
            lock = claim(directory)
        except OSError:
            continue  # its run goes on, or it is somebody else's
        with lock:
            stop_servers(directory)
            subprocess.run(["umount", "-l", directory / "wal"], capture_output=True, check=False)
            if not (directory / "kept").exists():
                shutil.rmtree(directory, ignore_errors=True)
    names = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False).stdout.split()
    for name in names:
        owner = name.removeprefix(PREFIX)
        if name.startswith(PREFIX) and not pathlib.Path("/proc", owner).exists():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)  # its devices go with it


def stop_servers(directory):
    for file in directory.glob("*/data/postmaster.pid"):
        pid = int(file.read_text().split()[0])
        try:
            program = os.readlink(f"/proc/{pid}/exe")
        except OSError:
            continue
        if program.endswith("/postgres"):
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, signal.SIGQUIT)
