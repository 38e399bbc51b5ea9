#!/usr/bin/env python3
"""Applies rules.py to every file that git tracks or would track. First each rule is tried on what it must refuse.

A complaint that begins with `note:` does not fail its rule.
"""

import pathlib
import subprocess
import sys

import rules

ROOT = pathlib.Path(__file__).resolve().parents[2]


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


def complaints_of(pattern, function, files):
    return [(path, line, complaint) for path, text in files.items() if pattern.search(path)
            for line, complaint in function(path, text)]


def fails(complaints):
    return [complaint for complaint in complaints if not complaint[2].startswith("note:")]


def verdict(name, is_proven, complaints):
    holds = is_proven and not fails(complaints)
    print(f"{'ok' if holds else 'not ok'}  {name}")
    for path, line, said in complaints:
        print(f"  {path}:{line}: {said}")
    if not is_proven:
        print("  accepts a sample that it must refuse")
    return holds


def main():
    files = tracked_files()
    verdicts = []
    for name, pattern, function, bad in rules.RULES:
        is_proven = all(fails(complaints_of(pattern, function, {path: text})) for path, text in bad.items())
        verdicts.append(verdict(name, is_proven, complaints_of(pattern, function, files)))
    for function, (bad, expected) in rules.TREE_RULES.items():
        is_proven = len(list(function(bad))) == expected
        verdicts.append(verdict(function.__name__.replace("_", " "), is_proven, list(function(files))))
    print(f"{sum(verdicts)} passed, {len(verdicts) - sum(verdicts)} failed")
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
