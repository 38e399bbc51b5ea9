#!/usr/bin/python3
"""Seeded random operations on one queue by many sessions; then every job must be accounted for.

    random_operations.py [--seconds N] [--seed S] [--plant NAME]       --prove: each plant must be caught

Enqueuers commit at once, late, never, through savepoints and in two phases; one sits idle in a transaction that has
written and enqueues at its end. Workers claim, settle in every way and in transactions of their own with effects and
successors, close their sessions, die with jobs in hand, and come back as zombies that settle late. Meanwhile marks are
advanced, jobs promoted, reaped, cancelled, retried, replayed and counted. Some jobs have a concurrency key, some are
unique, some belong to batches or wait for them. A plant is a bug, made by an edit of the
function's real source in this test's own database; a run with one must fail.

Needs a cluster on which nothing else is going on: PGHOST, PGPORT, PGUSER, MILLRACE_TEST_TEMPLATE.
"""

import json
import os
import random
import sys
import threading
import time

import psycopg2

import proving

LEASE_SECONDS = 2.0
SURELY_ALIVE_SECONDS = LEASE_SECONDS / 2  # since its last heartbeat was answered
DRAIN_SECONDS = 60
STALLED_SECONDS = 3 * LEASE_SECONDS  # without any movement: what is left would stay
ENQUEUERS, WORKERS = 6, 4
KEY_LIMIT = 3
FINAL = {"completed", "discarded", "cancelled"}

# plant: (function, [(what the source says, what it is made to say)])
PLANTS = {
    "no-cap-on-the-low-water": ("millrace.advance_low_water(text[])", [
        ("union all\n                        select c.pos, 0) n", ") n"),
        ("union all\n                                select o.pos, 0 from open o where o.pos <> all (m.pending)", "")]),
    "long-transactions-are-not-listed": ("millrace.advance_low_water(text[])", [
        ("union all\n                                select o.pos, 0 from open o where o.pos <> all (m.pending)", "")]),
    "settle-without-the-fence": (
        "millrace.settle_many(bigint[],bigint[],text[],text[],interval[],jsonb[],jsonb)",
        [(" and r.fence = held_by[width_bucket(r.job_id, ids)]", "")]),
    "claim-without-the-delete": ("millrace.claim(int,text,int,boolean)", [
        ("delete from millrace.ready r\n", "select r.* from millrace.ready r\n"),
        ("(array(select c.ctid from chosen c))\n            returning r.job_id, r.stored_on, r.queue_id, r.priority,"
         " r.pos, r.attempt", "(array(select c.ctid from chosen c))")]),
    "successors-without-the-settle": (
        "millrace.settle_many(bigint[],bigint[],text[],text[],interval[],jsonb[],jsonb)",
        [("where s.after = any (settled)", "")]),
    "settle-without-the-wish": (
        "millrace.settle_attempts(millrace.running[],bigint[],int[],text[],text[],interval[],jsonb[])",
        [("on c.job_id = g.job_id and c.fence = g.fence", "on false")]),
    "reap-without-looking-at-the-lease": ("millrace.reap(int,timestamptz)", [("w.lease_expires_at < at", "true")]),
    "close-without-giving-back": ("millrace.close_session(int)", [
        ("and w.ended_at is null for update", "and w.ended_at is null"), ("cardinality(held.jobs) by 1000", "0")]),
    "slots-are-not-freed": ("millrace.after_end(millrace.ending[],boolean)", [
        ("where j.concurrency_key is not null and held", "where j.concurrency_key is not null and held and j.id % 20 > 0")]),
    "batches-without-their-lock": ("millrace.follow_batch(int,bigint,tid[])", [(" for no key update skip locked", "")]),
    "late-commits-are-not-counted": ("millrace.advance_low_water(text[])", [
        ("(select unnest(before.delta_pending) union select o.pos from open o)",
         "(select unnest(before.delta_pending))")]),
}


HOLDERS = """
select j.concurrency_key, count(*)
  from (select job_id, stored_on from millrace.ready
        union all select job_id, stored_on from millrace.running
        union all select job_id, stored_on from millrace.scheduled where key is null) h
  join millrace.job j on j.id = h.job_id and j.stored_on = h.stored_on
 where j.concurrency_key is not null group by 1"""
KEPT = """
select key, held from (select distinct on (key) key, held from millrace.concurrency_key order by key, version desc) k
 where held <> 0"""


class Violation(Exception):
    pass


class Ledger:
    """What the clients know to be true, kept apart from the database."""

    def __init__(self):
        self.lock = threading.Lock()
        self.committed = set()
        self.holder = {}   # job: (fence, worker) of the last claim that was answered
        self.finals = {}   # job: (fence, outcome) of each final outcome that was accepted; a settle may be repeated
        self.asked = {}    # job: when it was cancelled while it ran; None: perhaps it is. That attempt is its last
        self.effects = set()     # jobs that were completed in a transaction with an effect
        self.successors = set()  # jobs that were completed with a successor
        self.batches = 0         # that were closed
        self.violations = []

    def complain(self, text):
        with self.lock:
            self.violations.append(text)

    def enqueued(self, ids):
        with self.lock:
            self.committed.update(ids)

    def claimed(self, job, fence, worker):
        with self.lock:
            if not worker.surely_alive():
                return  # the answer was long under way: others may have had the job since
            before = self.holder.get(job)
            if before and before[1].surely_alive() and before[1] is not worker:
                self.violations.append(f"job {job} was handed out while another worker's lease held it")
            self.holder[job] = (fence, worker)

    def lets_go(self, job, fence):
        """Before a settle is sent, for its answer may come after the next claim's. True: the fence is stale."""
        with self.lock:
            stale = job in self.holder and self.holder[job][0] != fence
            if not stale:
                self.holder.pop(job, None)
            return stale

    def settled(self, job, fence, outcome, was_stale):
        with self.lock:
            if was_stale:
                self.violations.append(f"a stale fence settled job {job}")
            if outcome in FINAL:
                self.finals.setdefault(job, set()).add((fence, outcome))

    def takes_back(self, some):
        """One of the dead letters, whose outcome is final no more, and what that was; None if there is none."""
        with self.lock:
            dead = [job for job, finals in self.finals.items()
                    if {outcome for _, outcome in finals} == {"discarded"} and job not in self.asked]
            job = some.choice(dead) if dead else None
            return job, self.finals.pop(job, None)

    def leaves_dead(self, job, finals):
        with self.lock:
            self.finals[job] = finals


class Actor(threading.Thread):
    def __init__(self, run, seed):
        super().__init__(daemon=True)
        self.run_ = run
        self.random = random.Random(seed)
        self.connection = run.connect()
        self.cursor = self.connection.cursor()

    def call(self, text, *values):
        self.cursor.execute(text, values)
        return self.cursor.fetchall() if self.cursor.description else []

    def nap(self, longest):
        self.run_.over.wait(self.random.uniform(0, longest))

    def run(self):
        while not self.run_.over.is_set():
            try:
                self.act()
            except Exception as error:  # pylint: disable=broad-except
                self.run_.ledger.complain(f"{type(self).__name__}: {str(error).splitlines()[0]}")
                return
        self.connection.close()


class Enqueuer(Actor):
    def __init__(self, run, seed, number):
        super().__init__(run, seed)
        self.connection.autocommit = False
        self.number, self.turn = number, 0

    def enqueue_unique(self):
        """May wait for another transaction: once in each of ours, or two would wait for each other."""
        job, inserted = self.call(
            "select id, inserted from millrace.enqueue_unique('q', 'u', '{}', %s, %s, replaces => %s, delay => %s)",
            self.random.choice("uvwxyz"), self.random.choice(["started", "finished"]),
            self.random.choice([[], [], ["run_at", "priority"]]), self.random.choice([None, "5 ms"]))[0]
        return [job] if inserted else []

    def enqueue(self):
        kind = self.random.random()
        if kind < 0.25:
            return [row[0] for row in self.call(
                "select millrace.enqueue('q', 'k', delay => %s, concurrency_key => %s)",
                self.random.choice([None, None, "5 ms"]), self.random.choice("xxxy"))]
        if kind < 0.6:
            delay = self.random.choice([None, None, None, "5 ms"])
            return [row[0] for row in self.call("select millrace.enqueue('q', 'k', priority => %s, delay => %s)",
                                                self.random.randrange(3), delay)]
        return self.call("select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[%s]))",
                         self.random.randint(1, 20))[0][0]

    def act(self):
        self.turn += 1
        kind = self.random.random()
        if self.number == 0:
            self.call("select pg_current_xact_id()")  # the idle writer
            self.nap(2.0)
        ids = self.enqueue() if self.random.random() < 0.8 else self.enqueue_unique()
        if kind < 0.2:
            self.call("savepoint here")
            self.enqueue()
            self.call("rollback to savepoint here")
        if kind < 0.5:
            self.nap(0.06)
        if 0.5 < kind < 0.6:
            name = f"p{self.number}_{self.turn}"
            self.call(f"prepare transaction '{name}'")
            self.connection.commit()
            self.connection.autocommit = True
            self.nap(0.1)
            keep = self.random.random() < 0.7
            self.call(f"{'commit' if keep else 'rollback'} prepared '{name}'")
            self.connection.autocommit = False
            self.run_.ledger.enqueued(ids if keep else [])
        elif 0.6 < kind < 0.75:
            self.connection.rollback()
        else:
            self.connection.commit()
            self.run_.ledger.enqueued(ids)
        self.nap(0.01)


class Session:
    """One session of a worker, as the ledger sees it."""

    def __init__(self, number):
        self.number, self.beat, self.dead = number, time.monotonic(), False

    def surely_alive(self):
        return not self.dead and time.monotonic() - self.beat < SURELY_ALIVE_SECONDS


class Worker(Actor):
    def __init__(self, run, seed):
        super().__init__(run, seed)
        self.zombies = []  # (when, claims) of sessions that were left to die; they are settled late, and often
        self.sent = set()  # the claims that have been settled: a zombie repeats itself, and has no successor then
        self.open()

    def open(self):
        self.kinds = None if self.run_.draining else self.random.choice([None, ["k"], ["next", "done"]])
        self.session = Session(self.call("select millrace.open_session('w', '{q}', lease => %s * interval '1 s',"
                                         " kinds => %s)", LEASE_SECONDS, self.kinds)[0][0])

    def settle(self, claims, outcome=None):
        if not claims:
            return
        ledger = self.run_.ledger
        outcomes = [outcome or self.random.choices(
            ["completed", "failed", "snoozed", "released", "discarded"], [10, 2, 2, 2, 1])[0] for _ in claims]
        stale = [ledger.lets_go(*claim) for claim in claims]
        followed = [job for (job, fence), said in zip(claims, outcomes)
                    if said == "completed" and (job, fence) not in self.sent and self.random.random() < 0.05]
        self.sent.update(claims)
        arguments = ([job for job, _ in claims], [fence for _, fence in claims], outcomes, ["e"] * len(claims),
                     [f"{self.random.randrange(20)} ms"] * len(claims),
                     json.dumps([{"after": job, "queue": "q", "kind": "next"} for job in followed]))
        for _ in range(self.random.choice([1, 1, 1, 2])):  # as often as the answer is lost
            lost = self.call("select millrace.settle_many(%s::bigint[], %s::bigint[], %s, %s, %s::interval[],"
                             " successors => %s)", *arguments)[0][0]
        for (job, fence), said, was_stale in zip(claims, outcomes, stale):
            if job not in lost:
                ledger.settled(job, fence, said, was_stale)
        ledger.successors.update(set(followed) - set(lost))

    def settle_with_an_effect(self, job, fence):
        """As a transactional handler does: its effect and the settle stand or fall together."""
        stale = self.run_.ledger.lets_go(job, fence)
        self.connection.autocommit = False
        self.call("insert into effect values (%s)", job)
        lost = self.call("select millrace.settle_many(%s::bigint[], %s::bigint[])", [job], [fence])
        if self.random.random() < 0.3:
            self.nap(0.05)
        keep = not lost[0][0] and self.random.random() < 0.8
        if keep:
            self.connection.commit()
            self.run_.ledger.settled(job, fence, "completed", stale)
            self.run_.ledger.effects.add(job)
        else:
            self.connection.rollback()
        self.connection.autocommit = True
        return keep

    def wake_a_zombie(self):
        overdue = [claims for died, claims in self.zombies if time.monotonic() - died > LEASE_SECONDS]
        if overdue:
            self.settle(self.random.choice(overdue), "completed")

    def act(self):
        try:
            sent = time.monotonic()
            self.call("select millrace.heartbeat(%s)", self.session.number)
            self.session.beat = sent
            if self.run_.draining and self.kinds:  # the claim is told, and another session opened
                self.session.dead = True
                self.call("select millrace.close_session(%s)", self.session.number)
            handed = self.call("select job_id, fence, kind from millrace.claim(%s, 'q', %s, true)", self.session.number,
                               self.random.randint(1, 20))
        except psycopg2.Error as error:
            if error.pgcode != "MR002":
                raise
            if self.session.surely_alive():
                self.run_.ledger.complain("a session was ended while its lease held")
            self.session.dead = True
            self.open()
            return
        for job, fence, kind in handed:
            self.run_.ledger.claimed(job, fence, self.session)
            if self.kinds and kind not in self.kinds:
                self.run_.ledger.complain(f"job {job} of kind {kind} was handed to who handles {self.kinds}")
        claims = [(job, fence) for job, fence, _ in handed]
        if not claims:
            self.nap(0.01)
        if self.random.random() < 0.5:
            self.wake_a_zombie()
        if not self.run_.draining and self.random.random() < 0.02:
            self.session.dead = True
            self.zombies.append((time.monotonic(), claims))
            self.open()
            return
        if not self.run_.draining and self.random.random() < 0.02:
            self.session.dead = True
            self.call("select millrace.close_session(%s)", self.session.number)
            if self.random.random() < 0.5:
                self.zombies.append((time.monotonic(), claims))
            self.open()
            return
        if self.random.random() < 0.1:
            self.nap(0.2)
        if claims and self.random.random() < 0.2 and self.settle_with_an_effect(*claims[0]):
            claims = claims[1:]
        self.settle(claims, "completed" if self.run_.draining else None)


class Caretaker(Actor):
    def act(self):
        verb = self.random.choice(["advance", "advance", "advance", "promote", "reap", "fold", "operate", "look", "batch"])
        if verb == "advance":
            self.call(self.random.choice(["select millrace.advance_low_water()",
                                          "select millrace.advance_low_water('{q}')",
                                          "select millrace.advance_low_water('{}')"]))
        elif verb == "promote":
            self.call("select millrace.promote()")
        elif verb == "reap":
            self.call("select millrace.reap()")
        elif verb == "fold":
            self.call("select millrace.fold_counts()")
        elif verb == "look":
            self.look_at_keys()
        elif verb == "batch":
            if not self.run_.draining and self.random.random() < 0.2:
                self.make_a_batch()
        elif not self.run_.draining:
            self.operate()
        self.nap(0.004)

    def look_at_keys(self):
        for key, held in self.call(HOLDERS):
            if held > KEY_LIMIT:
                self.run_.ledger.complain(f"{held} jobs hold a slot of key {key}")

    def make_a_batch(self):
        ledger = self.run_.ledger
        self.connection.autocommit = False
        batch = self.call("select millrace.create_batch('q', 'done')")[0][0]
        ids = self.call("select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[%s]), batch => %s)",
                        self.random.randint(1, 5), batch)[0][0]
        self.connection.commit()
        ledger.enqueued(ids)
        ids = [row[0] for row in self.call("select millrace.enqueue('q', 'k', after_batch => %s)", batch)]
        if self.random.random() < 0.5:
            self.connection.commit()
            ledger.enqueued(ids)
            ids = []
        self.call("select millrace.close_batch(%s)", batch)
        self.nap(0.02)
        self.connection.commit()
        self.connection.autocommit = True
        ledger.enqueued(ids)
        ledger.batches += 1

    def replay(self):
        job, finals = self.run_.ledger.takes_back(self.random)
        try:
            if job and self.call("select millrace.replay(%s)", job)[0][0] not in ("available", "blocked"):
                self.run_.ledger.complain(f"the dead letter {job} could not be replayed")
        except psycopg2.Error as error:
            if error.pgcode != "MR009":  # its unique key is another's
                raise
            self.run_.ledger.leaves_dead(job, finals)

    def operate(self):
        """What a person does. Most of it comes to nothing, because the job is not where it would have to be."""
        ledger = self.run_.ledger
        if self.random.random() < 0.2:
            self.replay()
            return
        with ledger.lock:
            some = self.random.choice(list(self.random.choice([ledger.committed, ledger.holder])) or [0])
            done = ledger.finals.get(some)
        verb = self.random.choice(["retry", "cancel"])
        if done or some in ledger.asked:
            return
        ledger.asked[some] = answer = None
        try:
            answer, at = self.call(f"select millrace.{verb}(%s), millrace.now()", some)[0]
            if answer == "cancelled":
                ledger.settled(some, None, "cancelled", False)
        except psycopg2.Error as error:
            if error.pgcode not in ("MR006", "MR007"):  # never was, or not waiting
                raise
        if answer == "cancelling":
            ledger.asked[some] = at
        else:
            ledger.asked.pop(some, None)


class Run:
    def __init__(self, seed, plant):
        self.seed, self.name = seed, "random_operations"
        self.over, self.draining, self.ledger = threading.Event(), False, Ledger()
        self.execute("postgres", f"drop database if exists {self.name} with (force)")
        self.execute("postgres", f"create database {self.name} template {os.environ['MILLRACE_TEST_TEMPLATE']}")
        self.execute(self.name, "select millrace.adopt()")
        self.execute(self.name, "select millrace.create_queue('q', max_attempts => 1000, retry_base => '1 ms')")
        self.execute(self.name, f"select millrace.configure_queue('q', '{{\"key_limit\": {KEY_LIMIT}}}')")
        self.execute(self.name, "create table effect (job_id bigint)")
        if plant:
            self.plant(*PLANTS[plant])

    def connect(self, database=None):
        connection = psycopg2.connect(dbname=database or self.name)
        connection.autocommit = True
        return connection

    def execute(self, database, text):
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(text)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def plant(self, function, edits):
        source = self.execute(self.name, f"select pg_get_functiondef('{function}'::regprocedure)")[0][0]
        for said, made_to_say in edits:
            if said not in source:
                raise Violation(f"the plant does not apply: {function} no longer says {said!r}")
            source = source.replace(said, made_to_say)
        self.execute(self.name, source)

    def wait_until_drained(self):
        deadline = time.monotonic() + DRAIN_SECONDS
        left, moved = self.left(), time.monotonic()
        while any(left) and not self.ledger.violations and time.monotonic() < min(deadline, moved + STALLED_SECONDS):
            self.over.wait(0.1)
            before, left = left, self.left()
            moved = moved if left == before else time.monotonic()

    def left(self):
        return self.execute(self.name, "select (select count(*) from millrace.ready), (select count(*) from"
                                       " millrace.scheduled), (select count(*) from millrace.running), (select count(*)"
                                       " from millrace.blocked), (select count(*) from millrace.batch"
                                       " where finished_at is null)")[0]

    def go(self, seconds):
        seeds = random.Random(self.seed)
        enqueuers = [Enqueuer(self, seeds.random(), number) for number in range(ENQUEUERS)]
        others = [Worker(self, seeds.random()) for _ in range(WORKERS)] + [
            Caretaker(self, seeds.random()) for _ in range(3)]
        for actor in enqueuers + others:
            actor.start()
        self.over.wait(seconds)
        for enqueuer in enqueuers:
            enqueuer.run_ = _Ended(self)
        for enqueuer in enqueuers:
            enqueuer.join()
        self.draining = True
        self.wait_until_drained()
        self.over.set()
        for actor in others:
            actor.join()
        return self.violations()

    def violations(self):
        found = list(self.ledger.violations)
        if any(self.left()):
            found.append("left behind: %d available, %d scheduled, %d running, %d blocked, %d batches" % self.left())
        self.execute(self.name, "select millrace.follow_up_all()")
        found += [f"{held} slots of key {key} are held by nobody" for key, held in self.execute(self.name, KEPT)
                  if not any(self.left())]
        states = dict(self.execute(self.name, "select id, state from millrace.jobs"))
        ledger = self.ledger
        successors = [row[0] for row in self.execute(self.name, "select id from millrace.jobs where kind = 'next'")]
        ledger.committed.update(successors)
        callbacks = [row[0] for row in self.execute(self.name, "select id from millrace.jobs where kind = 'done'")]
        ledger.committed.update(callbacks)
        if len(callbacks) != ledger.batches:
            found.append(f"{ledger.batches} batches were closed, {len(callbacks)} called back")
        if len(successors) != len(ledger.successors):
            found.append(f"{len(ledger.successors)} jobs were completed with a successor, there are {len(successors)}")
        effects = [row[0] for row in self.execute(self.name, "select job_id from effect")]
        if sorted(effects) != sorted(ledger.effects):
            found.append(f"{len(ledger.effects)} jobs were completed with an effect, there are {len(effects)}")
        if set(states) != ledger.committed:
            found.append(f"{len(ledger.committed - set(states))} committed jobs are missing,"
                         f" {len(set(states) - ledger.committed)} were never committed")
        last_begun = dict(self.execute(self.name, "select id, claimed_at from millrace.jobs"
                                                  " where state in ('completed', 'cancelled')"))
        again = [job for job, at in ledger.asked.items()
                 if job not in last_begun or at and last_begun[job] and last_begun[job] > at]
        if again:
            found.append(f"{len(again)} jobs went on after they were cancelled, {again[:3]} first")
        wrong = [job for job in ledger.committed if states.get(job) in FINAL and len(ledger.finals.get(job, ())) != 1
                 and not (job in ledger.asked and states[job] == "cancelled")]
        if wrong:
            found.append(f"{len(wrong)} jobs have not exactly one accepted outcome, {wrong[:3]} first")
        twice = self.execute(self.name, "select count(*) - count(distinct job_id) from millrace.finished")[0][0]
        if twice:
            found.append(f"{twice} jobs are finished twice")
        counted = self.execute(self.name, "select available, scheduled, blocked, running, dead, completed,"
                                          " cancelled from millrace.queues")[0]
        true = tuple(sum(state == wanted for state in states.values()) for wanted in
                     ("available", "scheduled", "blocked", "running", "discarded", "completed", "cancelled"))
        if counted != true:
            found.append(f"the counts say {counted}, the tables {true}")
        return found


class _Ended:
    """Stands in for the run where an actor must finish its turn and stop while the others go on."""

    def __init__(self, run):
        self.ledger, self.draining, self.over = run.ledger, run.draining, threading.Event()
        self.over.set()


def once(seed, seconds, plant=None):
    run = Run(seed, plant)
    began = time.monotonic()
    found = run.go(seconds)
    print(f"  seed {seed}: {len(run.ledger.committed)} jobs committed, {len(run.ledger.finals)} settled for good,"
          f" {time.monotonic() - began:.0f} s", flush=True)
    for text in found[:5]:
        print(f"    {text}")
    return found


if __name__ == "__main__":
    sys.exit(proving.main(once, PLANTS, "random operations", 15))
