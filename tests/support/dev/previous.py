#!/usr/bin/env python3
"""Keeps what the tests of an upgrade need of the previous release, see tests/support/previous_release.py.

    previous.py COMMIT     after a release: its tag

Environment: PGHOST, PGPORT, PGUSER of a cluster; a database is made there and dropped.
"""

import json
import lzma
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from previous_release import ARCHIVE, FOLDER, STATEMENTS, OldSession, install  # noqa: E402

DATABASE = "millrace_previous"
LITERALS = re.compile(r'(?:"(?:[^"\\\n]|\\.)*"\s*)+')  # several beside each other are one text
STATEMENT = re.compile(r"(select|with|insert|update|delete)\b.*\b(millrace|notify|forks|pipeline)\.\w", re.DOTALL)


def git(*words):
    return subprocess.run(["git", "-C", ROOT, *words], check=True, capture_output=True).stdout


def statements_of(source):
    """The SQL in a C++ source; a statement that is put together when the program runs is not one."""
    for found in LITERALS.finditer(source):
        sql = "".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', found[0])).replace('\\"', '"').replace("\\n", "\n")
        if STATEMENT.match(sql) and "{}" not in sql:
            yield " ".join(sql.split())


def psql(statement):
    subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-c", statement], check=True)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    commit = git("rev-parse", "--verify", f"{sys.argv[1]}^{{commit}}").decode().strip()
    FOLDER.mkdir(exist_ok=True)
    ARCHIVE.write_bytes(lzma.compress(git("archive", "--format=tar", commit, "sql", "migrations"), preset=9))
    names = git("ls-tree", "--name-only", commit, "worker/storage/").decode().split()
    texts = sorted({sql for name in names if name.endswith(".cpp")
                    for sql in statements_of(git("show", f"{commit}:{name}").decode())})
    psql(f"drop database if exists {DATABASE} with (force)")
    psql(f"create database {DATABASE}")
    try:
        with tempfile.TemporaryDirectory() as folder:
            install(ARCHIVE, folder, DATABASE)
        session = OldSession(f"dbname={DATABASE}")
        kept, left_out = [], []
        for sql in texts:
            described = session.describe(sql)
            if described:
                kept.append({"sql": sql, "takes": described[0], "gives": described[1]})
            else:
                left_out.append(sql)
        session.close()
    finally:
        psql(f"drop database {DATABASE} with (force)")
    lines = ",\n".join("    " + json.dumps(each) for each in kept)
    STATEMENTS.write_text(f'{{"commit": "{commit}", "statements": [\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{len(kept)} statements kept; not understood by themselves, and left out:", *left_out, sep="\n  ")


if __name__ == "__main__":
    main()
