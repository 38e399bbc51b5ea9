"""A steady load: so many jobs a second by the monotonic clock, from one connection. A stall is caught up with."""

import threading
import time

import psycopg2

TICK_SECONDS = 0.02
MOST_IN_ONE_CALL = 500
DELAYED_EVERY = 5  # every so many ticks one job is enqueued with a delay, which passes through `scheduled`
DELAY = "1 second"


class Load(threading.Thread):
    """`enqueued` counts the jobs whose enqueue has been answered; `failure` says why the load ended by itself."""

    def __init__(self, connection, rate, stir):
        super().__init__(name="load")
        self.connection, self.rate, self.stir = connection, rate, stir
        self.enqueued = 0
        self.furthest_behind = 0
        self.failure = None
        self.ended = threading.Event()

    def run(self):
        try:
            self.keep_pace()
        except psycopg2.Error as error:
            self.failure = "enqueuing failed: " + " ".join(str(error).split())
            self.stir.set()

    def end(self):
        self.ended.set()
        self.join()

    def keep_pace(self):
        cursor = self.connection.cursor()
        began, tick = time.monotonic(), 0
        while not self.ended.is_set():
            due = int(self.rate * (time.monotonic() - began)) - self.enqueued
            self.furthest_behind = max(self.furthest_behind, due)
            while due > 0 and not self.ended.is_set():
                due -= self.enqueue(cursor, min(due, MOST_IN_ONE_CALL), tick)
                tick += 1
            self.ended.wait(max(0.0, began + tick_after(time.monotonic() - began) - time.monotonic()))

    def enqueue(self, cursor, amount, tick):
        """One single job, delayed now and then, and the rest in one call; every other call is of jobs that wait."""
        delay = DELAY if tick % DELAYED_EVERY == 0 else None
        cursor.execute("select millrace.enqueue('work', 'wait', %s, delay => %s::interval)",
                       (f'{{"ms": {tick % 6}, "delayed": {str(delay is not None).lower()}}}', delay))
        self.enqueued += 1
        if amount > 1:
            payloads = [f'{{"ms": {(tick + place) % 6}, "delayed": false}}' for place in range(amount - 1)]
            cursor.execute("select cardinality(millrace.enqueue_many('work', %s, %s::jsonb[]))",
                           ("noop" if tick % 2 else "wait", payloads))
            self.enqueued += cursor.fetchone()[0]
        return amount


def tick_after(elapsed):
    return TICK_SECONDS * (int(elapsed / TICK_SECONDS) + 1)
