#!/usr/bin/env python3
"""Writes docs/cli.md: what `millrace help` says, a section for each command.

    cli_reference.py           writes the page
    cli_reference.py --check   only says whether it would change

Environment: MILLRACE_BINARY.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "cli.md"
INTRODUCTION = """\
# Command line reference

What `millrace help` says of itself: `./dev pages` writes this page, and a test refuses one that differs. `man millrace`
has the same; the Debian package brings it, and so does `millrace help man`.
"""
COMPLETION = """\
## Completion

`<TAB>` completes commands, verbs, flags, values, files, and from the database the names of queues, kinds, schedules and
forks, of which it asks with a patience of two seconds. The Debian package installs it for bash and zsh. Without the package:

```console
source <(millrace completion bash)     # in ~/.bashrc
source <(millrace completion zsh)      # in ~/.zshrc, after compinit
```
"""


def help_on(*topic):
    done = subprocess.run([os.environ["MILLRACE_BINARY"], "help", *topic], text=True, capture_output=True, check=True)
    return done.stdout.rstrip()


def main():
    parser = argparse.ArgumentParser(description="writes docs/cli.md from what millrace help says")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the page would change")
    arguments = parser.parse_args()
    overview = help_on()
    commands = re.findall(r"^  (\w+) +", overview.split("\nMore\n")[0], re.MULTILINE)
    parts = [INTRODUCTION, f"```text\n{overview}\n```\n", COMPLETION]
    parts += [f"## millrace {command}\n\n```text\n{help_on(command)}\n```\n" for command in commands]
    parts += [f"## Settings\n\n```text\n{help_on('settings')}\n```\n"]
    page = "\n".join(parts)
    if not arguments.check:
        PAGE.write_text(page)
    is_right = PAGE.exists() and PAGE.read_text() == page
    print(f"docs/cli.md is {'what' if is_right else 'not what'} millrace help says" +
          ("" if is_right else ": ./dev pages writes it"))
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
