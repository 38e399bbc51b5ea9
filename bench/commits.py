"""A row of its own, committed every 20 ms beside a measurement: if even that takes long, the disk or the processors do.

Its table has nothing to do with a queue, so what keeps it waiting is no lock and no dead row of one.
"""

import bisect
import threading
import time

EVERY_SECONDS = 0.02
STALL_MS = 10  # a commit takes 1 to 2 on a disk at ease


class Commits(threading.Thread):
    """From now on, until `close`. `taken` then has (epoch ms at its end, ms) of each."""

    def __init__(self, server):
        super().__init__(daemon=True)
        server.sql("create table if not exists public.commit_beside (at timestamptz);")
        self.connection = server.connect("bench commits")
        self.taken, self.failure, self.over = [], None, threading.Event()
        self.start()

    def run(self):
        try:
            cursor = self.connection.cursor()
            while not self.over.wait(EVERY_SECONDS):
                began = time.time()
                cursor.execute("insert into public.commit_beside values (now())")
                ended = time.time()
                self.taken.append((1000 * ended, 1000 * (ended - began)))
        except Exception as error:  # told by close()
            self.failure = error

    def close(self):
        self.over.set()
        self.join()
        self.connection.close()
        if self.failure:
            raise self.failure


def apart_from_stalls(waits, commits):
    """Of [(epoch ms at the end, ms)] those that overlap no commit of STALL_MS or more; `commits` follow one another."""
    stalls = [(at - took, at) for at, took in commits if took >= STALL_MS]
    ends = [end for _, end in stalls]
    kept = []
    for at, wait in waits:
        place = bisect.bisect_right(ends, at - wait)  # the first that had not ended when the wait began
        if place == len(stalls) or stalls[place][0] >= at:
            kept.append((at, wait))
    return kept
