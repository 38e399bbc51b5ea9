#!/usr/bin/python3
"""Eight sessions claim from a queue with a rate, by the real clock; in no time may more start than the rate allows.

    rates.py [--seconds N] [--seed S] [--plant NAME]       --prove: each plant must be caught

They ask for one job or many, commit at once, late or never, and claim twice in a transaction at times; now and then all
pause, so that the bucket fills. One session holds a snapshot from before the first claim, so that each version of the
bucket stays in its table. Others promote, which moves the same row. In the end the times of all starts are compared
with rate and burst, exactly; and they may not be few, or the test would say nothing. A plant is a bug, made by an edit
of a function in this test's own database.

Needs PGHOST, PGPORT, PGUSER and MILLRACE_TEST_TEMPLATE.
"""

import os
import random
import sys
import threading
import time
import uuid

import psycopg2

import proving

CLAIMERS, PROMOTERS = 8, 2
RATE, BURST, MICROS = "700 per second", 20, 1429  # 1,000,000 / 700, rounded up
PAUSE_SECONDS = 0.2  # in which more tokens come in than are kept
PLANTS = {
    "without the lock": ("tokens(int)", "and pg_try_advisory_xact_lock(7710, of_queue)", ""),
    "a token less": ("spend(int,int,timestamptz)", "b.spent_until + amount * b.every as",
                     "b.spent_until + (amount - (amount > 5)::int) * b.every as"),
    "without the bound": ("bucket_at(int,timestamptz)", "at - k.burst * q.token_micros *",
                          "at - 2 * k.burst * q.token_micros *"),
}


class Run:
    def __init__(self, seed, plant):
        self.seed = seed
        self.name = f"race_rates_{uuid.uuid4().hex[:8]}"
        self.admin = psycopg2.connect(dbname="postgres")
        self.admin.autocommit = True
        self.say(self.admin, f"create database {self.name} template {os.environ['MILLRACE_TEST_TEMPLATE']}")
        self.complaints, self.claims, self.over = [], 0, threading.Event()
        self.paused_until = 0
        self.owner = self.connect()
        self.say(self.owner, "select millrace.adopt()")
        self.say(self.owner, "select millrace.create_queue('q')")
        self.say(self.owner, "select millrace.configure_queue('q', jsonb_build_object('rate', %s, 'burst', %s))",
                 RATE, BURST)
        if plant:
            self.plant(*PLANTS[plant])

    def connect(self, autocommit=True):
        session = psycopg2.connect(dbname=self.name)
        session.autocommit = autocommit
        return session

    @staticmethod
    def say(session, statement, *values):
        with session.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def plant(self, function, said, instead):
        source = self.say(self.owner, "select pg_get_functiondef(%s::regprocedure)", f"millrace.{function}")[0][0]
        assert said in source, f"{function} no longer says {said!r}"
        self.say(self.owner, source.replace(said, instead).replace("%", "%%"))

    def act(self, number, turn):
        session, chance = self.connect(autocommit=False), random.Random(f"{self.seed} {number}")
        try:
            while not self.over.is_set():
                time.sleep(max(0, self.paused_until - time.monotonic()))
                turn(session, chance)
        except psycopg2.Error as error:
            self.complaints.append(f"session {number}: {' '.join(str(error).split())}")
        finally:
            session.close()

    def claim(self, session, chance):
        for _ in range(1 if chance.random() < 0.9 else 2):
            self.say(session, "select from millrace.claim(1, 'q', %s)", chance.choice((1, 2, 5, 30)))
        self.claims += 1
        if chance.random() < 0.1:
            time.sleep(chance.random() * 0.005)
        if chance.random() < 0.1:
            session.rollback()
        else:
            session.commit()

    def promote(self, session, chance):
        self.say(session, "select millrace.promote()")
        session.commit()
        time.sleep(chance.random() * 0.05)

    def go_on_for(self, seconds):
        jobs = int(seconds * 1e6 / MICROS) + 1000
        self.say(self.owner, "select count(millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[%s::int])))",
                 jobs)
        self.say(self.owner, "select millrace.open_session('w', '{q}', lease => '1 h')")
        old = self.connect(autocommit=False)
        old.set_session(isolation_level="REPEATABLE READ")
        self.say(old, "select count(*) from millrace.bucket")
        actors = [threading.Thread(target=self.act, args=(n, self.claim if n < CLAIMERS else self.promote))
                  for n in range(CLAIMERS + PROMOTERS)]
        for actor in actors:
            actor.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(seconds / 5)
            self.paused_until = time.monotonic() + PAUSE_SECONDS
        self.over.set()
        for actor in actors:
            actor.join()
        old.close()

    def verdict(self):
        """In any time from one start to another at most BURST + time / MICROS jobs; as one pass over the starts."""
        found, before, most = self.complaints[:3], 0, None
        starts = self.say(self.owner, "select (extract(epoch from claimed_at) * 1000000)::bigint, count(*)"
                                      "  from millrace.running group by 1 order by 1")
        for at, jobs in starts:
            most = at - before * MICROS if most is None else max(most, at - before * MICROS)
            before += jobs
            if before * MICROS - at + most > BURST * MICROS:
                found.append(f"{before} jobs until {at}: too many by {(before * MICROS - at + most) / MICROS - BURST}")
        elapsed = starts[-1][0] - starts[0][0] if starts else 0
        if before < 0.1 * elapsed / MICROS or before <= BURST:
            found.append(f"only {before} jobs were started in {elapsed / 1e6} s")
        self.summary = f"{self.claims} claims, {before} jobs started in {elapsed / 1e6:.1f} s"
        return found[:5]

    def close(self):
        self.owner.close()
        self.say(self.admin, f"drop database {self.name} with (force)")


def once(seed, seconds, plant):
    run = Run(seed, plant)
    try:
        run.go_on_for(seconds)
        found = run.verdict()
        print(f"    {run.summary}")
        for text in found:
            print(f"    {text}")
        return found
    finally:
        run.close()


if __name__ == "__main__":
    sys.exit(proving.main(once, PLANTS, f"rates under {CLAIMERS} sessions", 6))
