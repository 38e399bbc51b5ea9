#!/usr/bin/env python3
"""Applies rules.py to every file that git tracks or would track. First each rule is tried on samples that it must refuse."""

import pathlib
import subprocess
import sys

import rules

ROOT = pathlib.Path(__file__).resolve().parents[2]
TREE_SAMPLE = {"worker/core/orphan.hpp": "", "sql/queue/orphan.sql": "", "migrations/0002_gap.sql": "", "sql/install.sql": ""}
TREE_COMPLAINTS = 4


def tracked_files():
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True,
                           text=True).stdout.splitlines()
    files = {}
    for name in names:
        try:
            files[name] = (ROOT / name).read_text()
        except (UnicodeDecodeError, FileNotFoundError):
            pass  # a picture, or deleted and not yet committed
    return files


def proven(name, function, pattern, bad):
    return all(pattern.search(path) and list(function(path, text)) for path, text in bad.items())


def main():
    files = tracked_files()
    passed = failed = 0
    for name, pattern, function, bad in rules.RULES:
        if not proven(name, function, pattern, bad):
            print(f"not ok  {name}: accepts a sample that it must refuse")
            failed += 1
            continue
        complaints = [f"  {path}:{line}: {complaint}" for path, text in files.items() if pattern.search(path)
                      for line, complaint in function(path, text)]
        print(f"{'not ok' if complaints else 'ok'}  {name}", *complaints, sep="\n")
        passed, failed = passed + (not complaints), failed + bool(complaints)
    tree = [f"  {path}:{line}: {complaint}" for path, line, complaint in rules.unused_files(files)]
    if len(list(rules.unused_files(TREE_SAMPLE))) != TREE_COMPLAINTS:
        tree.append("  accepts a sample that it must refuse")
    print(f"{'not ok' if tree else 'ok'}  unused files", *tree, sep="\n")
    passed, failed = passed + (not tree), failed + bool(tree)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
