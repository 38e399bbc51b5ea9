"""Calls of `millrace` in the documentation, run or only shown: the program must know each command, verb and flag.

They are looked for in blocks of any kind but SQL, and between backquotes in the text.
"""

import functools
import os
import re
import subprocess

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN = {"", "sh", "console"}
CALL = re.compile(r"(?:^|[|&;($ ]|\$\()(?:millrace|as_worker) +([a-z]+\b[^|&;)#\n]*)", re.MULTILINE)
CONNECTIONS = {"probe"}  # what they call themselves, as `millrace probe`
# Must be refused three times before pages are believed.
WRONG = "```console\nmillrace qeues\nmillrace queues list --sloow\n```\nand `millrace jobs explode 17`"


@functools.cache
def help_on(command):
    done = subprocess.run([os.environ["MILLRACE_BINARY"], "help", *command.split()], text=True, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


@functools.cache
def settings():
    """Names of settings, which are flags as well: worker.listen is --worker.listen, and mostly --listen."""
    return set(re.findall(r"\b[a-z]+\.[a-z_]+\b", help_on("settings")))


@functools.cache
def verbs_of(command):
    """Of the lines below `Usage`; none where a command takes no verb."""
    usage = re.findall(rf"^  millrace {command} \[?([a-z][a-z|-]*)\]?(?= |$)", help_on(command), re.MULTILINE)
    return {verb for verbs in usage for verb in verbs.split("|")}


def is_flag(command, flag):
    name = flag.removeprefix("--").split("=")[0]
    return re.search(rf"--{name}\b", help_on(command)) or name.replace("-", "_") in settings() \
        or name.replace("-", ".", 1).replace("-", "_") in settings()


def calls(text):
    """The words after `millrace`, of one call after the other."""
    shown = [body.replace("\\\n", " ") for kind, body in BLOCK.findall(text) if kind in SHOWN]
    spans = re.findall(r"`([^`\n]*(?:\n[^`\n]+)?)`", BLOCK.sub("", text))
    for part in shown + [" ".join(span.split()) for span in spans if re.match(r"(millrace|as_worker) ", span)]:
        for call in CALL.findall(part):
            # what is quoted are values, and no words of ours
            words = re.sub(r"'[^']*'|\"[^\"]*\"", "VALUE", call).split()
            if words[0] not in CONNECTIONS:
                yield words


def complaints(text):
    for command, *words in calls(text):
        if help_on(command) is None:
            yield f"millrace {command}: no such command"
            continue
        verbs = verbs_of(command)
        if words and verbs and re.fullmatch(r"[a-z][a-z-]*", words[0]) and words[0] not in verbs:
            yield f"millrace {command} {words[0]}: no such verb"
        for word in words:
            if word.startswith("--") and not is_flag(command, word):
                yield f"millrace {command}: no flag {word}"
