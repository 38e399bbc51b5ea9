#!/usr/bin/env python3
"""A standby that tells what its oldest query sees (hot_standby_feedback) holds the vacuum horizon: with a slot the slot
is named, without one the standby. The standby's side of the protocol is spoken here; the server's walsender is a real one.

Prints TAP, for tests/support/pgtap_file.sh. Wants a server of its own, as horizon_holders.sql does.
"""

import ctypes
import ctypes.util
import os
import struct
import time

import psycopg2

PATIENCE_SECONDS = 10
LIBPQ = ctypes.CDLL(ctypes.util.find_library("pq"))
for name, result in (("PQconnectdb", ctypes.c_void_p), ("PQexec", ctypes.c_void_p), ("PQgetvalue", ctypes.c_char_p),
                     ("PQerrorMessage", ctypes.c_char_p)):
    getattr(LIBPQ, name).restype = result
COPY_BOTH = 8
SLOT = "replica_1"


class Standby:
    """Streams nothing and confirms nothing; it only sends its feedback."""

    def __init__(self, name, slot=None):
        options = f"replication=true application_name={name} host={os.environ['PGHOST']} port={os.environ['PGPORT']}"
        self.connection = ctypes.c_void_p(LIBPQ.PQconnectdb(options.encode()))
        found = self.execute(b"IDENTIFY_SYSTEM")
        place = LIBPQ.PQgetvalue(found, 0, 2).decode()
        started = self.execute(f"START_REPLICATION {f'SLOT {slot} ' if slot else ''}PHYSICAL {place}".encode())
        if LIBPQ.PQresultStatus(started) != COPY_BOTH:
            raise RuntimeError(LIBPQ.PQerrorMessage(self.connection).decode())

    def execute(self, command):
        return ctypes.c_void_p(LIBPQ.PQexec(self.connection, command))

    def feed_back(self, xmin, catalog_xmin=0):
        message = b"h" + struct.pack("!qIIII", 0, xmin, 0, catalog_xmin, 0)
        if LIBPQ.PQputCopyData(self.connection, message, len(message)) != 1 or LIBPQ.PQflush(self.connection) != 0:
            raise RuntimeError(LIBPQ.PQerrorMessage(self.connection).decode())

    def close(self):
        LIBPQ.PQfinish(self.connection)


class Tap:
    count = 0

    def equal(self, seen, wanted, name):
        self.count += 1
        print(f"{'ok' if seen == wanted else 'not ok'} {self.count} - {name}")
        if seen != wanted:
            print(f"# seen:   {seen!r}\n# wanted: {wanted!r}")


def main():
    tap = Tap()
    primary = psycopg2.connect(dbname=os.environ["PGDATABASE"])
    primary.autocommit = True
    sql = primary.cursor()

    def rows(query, *arguments):
        sql.execute(query, arguments)
        return sql.fetchall()

    def wait_for(query):
        until = time.monotonic() + PATIENCE_SECONDS
        while not (found := rows(query)) and time.monotonic() < until:
            time.sleep(0.02)
        return found

    def removed():
        for statement in ("insert into victim values (1)", "delete from victim", "vacuum victim"):
            sql.execute(statement)
        return rows("select pg_relation_size('victim') = 0")[0][0]

    holders = "select holder, name, pid, state, xid, holds, hidden, remedy from millrace.horizon_holders where holder <> 'session'"
    sql.execute("create table victim (x int) with (autovacuum_enabled = off)")
    oldest = rows("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint")[0][0]

    standby = Standby("replica_without_a_slot")
    standby.feed_back(oldest)
    found = wait_for(holders)
    pid = rows("select pid from pg_stat_replication")[0][0]
    tap.equal(found, [("standby", "replica_without_a_slot", pid, None, str(oldest), "tables", True,
                       "end the oldest query there, or set hot_standby_feedback = off there")], "a standby is named")
    tap.equal(removed(), False, "it holds the horizon")
    standby.feed_back(0)
    wait_for("select where not exists (select from millrace.horizon_holders where holder <> 'session')")
    tap.equal(rows(holders), [], "until its query has ended")
    tap.equal(removed(), True, "then nobody does")
    standby.close()

    sql.execute("select pg_create_physical_replication_slot(%s, true)", [SLOT])
    try:
        standby = Standby("replica", SLOT)
        tap.equal(rows(holders), [], "a slot without feedback is not named")
        oldest = rows("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint")[0][0]
        standby.feed_back(oldest, oldest)
        found = wait_for(holders)
        pid = rows("select pid from pg_stat_replication")[0][0]
        remedy = "end the oldest query of the standby that uses it"
        tap.equal(found, [("replication slot", SLOT, pid, "active", str(oldest), "tables", False, remedy),
                          ("replication slot", SLOT, pid, "active", str(oldest), "catalog", False, remedy)],
                  "with a slot it is the slot that is named, for the tables and for the catalog")
        tap.equal(removed(), False, "it holds the horizon")
        standby.close()
        wait_for(f"select from pg_replication_slots where slot_name = '{SLOT}' and not active")
        tap.equal([(row[3], row[7]) for row in rows(holders)],
                  [("inactive", f"select pg_drop_replication_slot('{SLOT}'), if nobody will use it again")] * 2,
                  "when the standby has gone, the slot goes on")
        tap.equal(removed(), False, "and holds the horizon still")
    finally:
        wait_for(f"select from pg_replication_slots where slot_name = '{SLOT}' and not active")
        sql.execute("select pg_drop_replication_slot(%s)", [SLOT])
    tap.equal(rows(holders), [], "a slot that was dropped does not")
    tap.equal(removed(), True, "and vacuum removes what is dead")
    print(f"1..{tap.count}")


if __name__ == "__main__":
    main()
