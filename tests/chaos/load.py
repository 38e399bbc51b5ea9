"""Producers, a person who cancels and replays, somebody who never ends a transaction; each says what it was told."""

import random
import threading

import psycopg2

MOST_WAITING = 1500  # a backlog that always has work, and is drained soon
LONGEST_TRANSACTION_SECONDS = 3.0
LIMITS = {"one": 1, "another": 1, "three": 3}
KEYS = list(LIMITS)


class Actor(threading.Thread):
    """Connects again whenever its connection is lost. `act` does one thing."""

    def __init__(self, world, seed):
        super().__init__(daemon=True)
        self.world, self.random = world, random.Random(seed)
        self.connection = self.cursor = None

    def call(self, text, *values):
        self.cursor.execute(text, values)
        return self.cursor.fetchall() if self.cursor.description else []

    def nap(self, longest):
        self.world.producing_ends.wait(self.random.uniform(0, longest))

    def run(self):
        while not self.world.producing_ends.is_set():
            try:
                if self.connection is None or self.connection.closed:
                    self.connection = self.world.connect()
                    self.connection.autocommit = False
                    self.cursor = self.connection.cursor()
                self.act()
            except psycopg2.Error as error:
                if error.pgcode and error.pgcode.startswith("MR"):
                    self.world.complain(f"{type(self).__name__}: {error.pgcode} {error}")
                if self.connection is not None:
                    self.connection.close()
                self.nap(0.3)
        if self.connection is not None:
            self.connection.close()

    def act(self):
        raise NotImplementedError


class Producer(Actor):
    """Single jobs, many at once, in long transactions, some of them rolled back."""

    def __init__(self, world, seed, number):
        super().__init__(world, seed)
        self.number, self.turn = number, 0

    def act(self):
        waiting = self.call("select available + scheduled + blocked from millrace.queues where name = 'work'")[0][0]
        self.connection.rollback()
        if waiting > MOST_WAITING:
            self.world.producing_ends.wait(0.05)
            return
        self.turn += 1
        token, jobs, known = f"{self.number}.{self.turn}", [], "rolled back"
        is_long = self.number == 0
        try:
            for _ in range(self.random.randint(1, 4)):
                jobs += self.enqueue_some()
                if self.random.random() < 0.1:
                    self.call("savepoint here")
                    self.enqueue_some()
                    self.call("rollback to savepoint here")
                if is_long:
                    self.nap(LONGEST_TRANSACTION_SECONDS / 2)
            if self.random.random() < 0.15:
                self.connection.rollback()
                return
            self.call("insert into chaos.enqueued values (%s, %s)", token, jobs)
            known = "unknown"
            self.connection.commit()
            known = "committed"
        finally:
            self.world.note_enqueue(token, known, jobs)

    def enqueue_some(self):
        chance = self.random.random()
        if chance < 0.3:
            return self.call("select millrace.enqueue_many('work', 'chaos.slow', array_fill(%s::jsonb, array[%s]))",
                             '{"ms": %d}' % self.random.randint(10, 60), self.random.randint(20, 120))[0][0]
        if chance < 0.4:
            return self.call("select millrace.enqueue_many('work', 'chaos.fast', array_fill('{}'::jsonb, array[%s]))",
                             self.random.randint(1, 40))[0][0]
        if chance < 0.7:
            return self.enqueue_tied()
        kind, payload, attempts, delay = self.random.choice([
            ("chaos.fast", "{}", None, None), ("chaos.fast", "{}", None, "300 ms"), ("chaos.snooze", "{}", None, None),
            ("chaos.flaky", '{"fails": 2}', None, None), ("chaos.hopeless", "{}", 3, None),
            ("chaos.discard", "{}", None, None), ("chaos.chain", '{"length": 3}', None, None),
            ("chaos.ledger", "{}", None, None), ("chaos.ledger", "{}", None, None), ("chaos.ledger", "{}", None, None)])
        return [row[0] for row in self.call(
            "select millrace.enqueue('work', %s, %s, priority => %s, max_attempts => %s, delay => %s)", kind, payload,
            self.random.choice([3, 5, 5, 7]), attempts, delay)]


    def enqueue_tied(self):
        """Jobs of a key, a unique one, or a batch."""
        chance = self.random.random()
        key = self.random.choice(KEYS)
        if chance < 0.4:
            kind, payload = self.random.choice([("chaos.fast", "{}"), ("chaos.flaky", '{"fails": 1}'),
                                                ("chaos.snooze", "{}"), ("chaos.discard", "{}")])
            return self.call("select millrace.enqueue_many('work', %s, array_fill(%s::jsonb, array[%s]),"
                             " concurrency_key => %s, delay => %s)", kind, payload, self.random.randint(1, 8), key,
                             self.random.choice([None, None, "200 ms"]))[0][0]
        if chance < 0.7:
            return [job for job, is_new in self.call(
                "select id, inserted from millrace.enqueue_unique('work', 'chaos.slow', '{\"ms\": 20}', %s,"
                " concurrency_key => %s)", f"unique {self.random.randrange(6)}", self.random.choice([None, key]))
                    if is_new]
        batch = self.call("select millrace.create_batch('work', 'chaos.fast')")[0][0]
        jobs = self.call("select millrace.enqueue_many('work', 'chaos.fast', array_fill('{}'::jsonb, array[%s]),"
                         " batch => %s, concurrency_key => %s)", self.random.randint(1, 12), batch,
                         self.random.choice([None, None, key]))[0][0]
        jobs += self.call("select millrace.enqueue_many('work', 'chaos.discard', '{\"{}\"}', batch => %s)", batch)[0][0]
        jobs.append(self.call("select millrace.enqueue('work', 'chaos.fast', after_batch => %s)", batch)[0][0])
        self.call("select millrace.close_batch(%s)", batch)
        return jobs


class Operator(Actor):
    """Cancels what waits or runs, brings forward what is scheduled, replays dead letters."""

    def act(self):
        verb, place = self.random.choice([("cancel", "ready"), ("cancel", "scheduled"), ("cancel", "blocked"),
                                          ("cancel", "running"), ("retry", "scheduled"), ("replay", "dead_letter")])
        jobs = [row[0] for row in self.call(f"select job_id from millrace.{place} order by job_id desc limit 50")]
        try:
            if jobs:
                job = self.random.choice(jobs)
                answer = self.call(f"select millrace.{verb}(%s)", job)[0][0]
                self.connection.commit()
                if answer == "cancelled":
                    self.world.note_cancel(job)
                elif answer == "cancelling":
                    self.world.note_asked(job, self.call("select max(seq) from chaos.history")[0][0])
        except psycopg2.Error as error:
            if error.pgcode not in ("MR006", "MR007", "MR009"):  # it went elsewhere meanwhile
                raise
        self.connection.rollback()
        self.nap(0.4)


class Pinner(Actor):
    """Holds an old snapshot, and sits idle in a transaction that has written, all the time."""

    def act(self):
        self.call("set transaction isolation level repeatable read")
        self.call("select pg_current_xact_id(), (select count(*) from millrace.ready)")
        while not self.world.producing_ends.wait(0.5):
            self.call("select 1")
