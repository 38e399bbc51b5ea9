"""What the previous release left for the tests of this one: its SQL, and each statement that its program sends.

    tests/e2e/previous/sql.tar.xz        sql/ and migrations/ as they were
    tests/e2e/previous/statements.json   the commit; of each statement its text, and what it takes and gives

`./dev previous COMMIT` writes both. They are committed, because a clone may be without history.
"""

import json
import pathlib
import subprocess
import tarfile

import psycopg
from psycopg import pq

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "e2e" / "previous"
ARCHIVE = FOLDER / "sql.tar.xz"
STATEMENTS = FOLDER / "statements.json"


def install(archive, folder, database):
    """Its sql/install.sql, by psql, unpacked into this folder."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder)  # our own, as git archive wrote it
    subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "sql/install.sql"], cwd=folder,
                   check=True, stdout=subprocess.DEVNULL)


def read_statements():
    return json.loads(STATEMENTS.read_text(encoding="utf-8"))


class Refused(Exception):
    pass


class OldSession:
    """A connection that speaks to the server as the previous release's program did: its statements, texts as values."""

    def __init__(self, conninfo, statements=()):
        self.connection = psycopg.connect(conninfo, autocommit=True)
        self.statements = statements

    def close(self):
        self.connection.close()

    def call(self, function, *values):
        """The rows, as texts, of the one statement that calls this function with so many values."""
        found = [each["sql"] for each in self.statements
                 if f"{function}(" in each["sql"] and len(each["takes"]) == len(values)]
        if len(found) != 1:
            raise LookupError(f"{len(found)} statements call {function} with {len(values)} values")
        encoded = [None if value is None else str(value).encode() for value in values]
        done = self.connection.pgconn.exec_params(found[0].encode(), encoded)
        if done.status != pq.ExecStatus.TUPLES_OK:
            raise Refused(done.error_message.decode())
        return [tuple(text(done.get_value(row, column)) for column in range(done.nfields))
                for row in range(done.ntuples)]

    def describe(self, sql):
        """What it takes and gives: [type, …], [[name, type], …]. Nothing when the server does not understand it."""
        server = self.connection.pgconn
        if server.prepare(b"described", sql.encode()).status != pq.ExecStatus.COMMAND_OK:
            return None
        found = server.describe_prepared(b"described")
        takes = [self.name_of(found.param_type(index)) for index in range(found.nparams)]
        gives = [[found.fname(index).decode(), self.name_of(found.ftype(index))] for index in range(found.nfields)]
        self.connection.execute("deallocate described")
        return takes, gives

    def name_of(self, oid):
        return self.connection.execute("select %s::oid::regtype::text", [oid]).fetchone()[0]


def text(value):
    return None if value is None else value.decode()
