#!/usr/bin/python3
"""The checker finds each thing that it claims to find: one good set of records, and one damaged copy for each rule."""

import copy
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from checker import Job, Move, Records, check  # noqa: E402  pylint: disable=wrong-import-position

FENCE, LATER, OTHER, LEDGER, CHAIN = 100, 101, 102, 103, 104
TIED = (7, 8, 9, 21)


def good():
    """Retried and completed; a ledger job; a chain of two; a dead letter; one cancelled; one of a schedule; two of a key and a batch, and
    what the batch calls back, which has the unique key that the first of them had."""
    moves = [
        ("a", "ready", True, 1, None), ("a", "ready", True, 2, None), ("a", "ready", True, 3, None),
        ("a", "ready", True, 5, None), ("a", "ready", True, 6, None),
        ("b", "ready", False, 1, None), ("b", "running", True, 1, FENCE),
        ("c", "running", False, 1, FENCE), ("c", "scheduled", True, 1, FENCE),
        ("d", "scheduled", False, 1, FENCE), ("d", "ready", True, 1, None),
        ("e", "ready", False, 1, None), ("e", "running", True, 1, LATER),
        ("f", "finished", True, 1, LATER), ("f", "running", False, 1, LATER),
        ("g", "ready", False, 2, None), ("g", "running", True, 2, LEDGER),
        ("h", "running", False, 2, LEDGER), ("h", "finished", True, 2, LEDGER),
        ("i", "ready", False, 3, None), ("i", "running", True, 3, CHAIN),
        ("j", "running", False, 3, CHAIN), ("j", "finished", True, 3, CHAIN), ("j", "ready", True, 4, None),
        ("k", "ready", False, 4, None), ("k", "running", True, 4, OTHER),
        ("l", "running", False, 4, OTHER), ("l", "finished", True, 4, OTHER),
        ("m", "ready", False, 5, None), ("m", "running", True, 5, OTHER),
        ("n", "running", False, 5, OTHER), ("n", "dead_letter", True, 5, OTHER),
        ("o", "ready", False, 6, None), ("o", "finished", True, 6, None),
        ("p", "blocked", True, 7, None), ("p", "blocked", True, 8, None),
        ("q", "blocked", False, 7, None), ("q", "ready", True, 7, None),
        ("r", "ready", False, 7, None), ("r", "running", True, 7, FENCE),
        ("s", "running", False, 7, FENCE), ("s", "finished", True, 7, FENCE),
        ("t", "blocked", False, 8, None), ("t", "ready", True, 8, None),
        ("u", "ready", False, 8, None), ("u", "running", True, 8, FENCE),
        ("v", "running", False, 8, FENCE), ("v", "finished", True, 8, FENCE), ("v", "ready", True, 9, None),
        ("w", "ready", False, 9, None), ("w", "running", True, 9, FENCE),
        ("x", "running", False, 9, FENCE), ("x", "finished", True, 9, FENCE),
        ("y", "ready", True, 21, None), ("z", "ready", False, 21, None), ("z", "running", True, 21, FENCE),
        ("zz", "running", False, 21, FENCE), ("zz", "finished", True, 21, FENCE),
    ]
    return Records(
        history=[Move(seq, xid, place, entered, job, fence, 1)
                 for seq, (xid, place, entered, job, fence) in enumerate(moves)],
        enqueues={"t": ("committed", [1, 2, 3, 5, 6, 7, 8]), "u": ("rolled back", [19]), "v": ("unknown", [10])},
        enqueued={"t": [1, 2, 3, 5, 6, 7, 8]},
        begins=[(1, FENCE), (1, LATER), (2, LEDGER), (3, CHAIN), (4, OTHER), (5, OTHER),
                *((job, FENCE) for job in TIED)],
        acks=[(1, FENCE, "failed"), (1, LATER, "completed"), (2, LEDGER, "completed"), (3, CHAIN, "completed"),
              (4, OTHER, "completed"), (5, OTHER, "discarded"), *((job, FENCE, "completed") for job in TIED)],
        ends=[(1, FENCE, "failed"), (1, LATER, "completed"), (2, LEDGER, "completed"), (3, CHAIN, "completed"),
              (4, OTHER, "completed"), (5, OTHER, "discarded"), *((job, FENCE, "completed") for job in TIED)],
        cancels={6},
        jobs={job.id: job for job in (
            Job(1, "chaos.flaky", "completed", None, 0), Job(2, "chaos.ledger", "completed", None, 0),
            Job(3, "chaos.chain", "completed", None, 1), Job(4, "chaos.chain", "completed", 3, 0),
            Job(5, "chaos.discard", "discarded", None, 0), Job(6, "chaos.fast", "cancelled", None, 0),
            Job(7, "chaos.fast", "completed", None, 0, "key", "unique", 1),
            Job(8, "chaos.fast", "completed", None, 0, "key", None, 1),
            Job(9, "chaos.fast", "completed", None, 0, None, "unique", None, 1),
            Job(21, "chaos.fast", "completed", None, 0, schedule="minutely", due=100))},
        finished=[(1, LATER, "completed"), (2, LEDGER, "completed"), (3, CHAIN, "completed"), (4, OTHER, "completed"),
                  (6, None, "cancelled"), *((job, FENCE, "completed") for job in TIED)],
        ledger=[(2, LEDGER)],
        counts={"completed": 8, "discarded": 1, "cancelled": 1, "running": 0},
        asked={2: 16}, schedules={"minutely": range(100, 101)}, limits={"key": 1}, batches={1: 2})


def moved(records, xid, where, **changes):
    """The same history, with one move changed."""
    records.history = [move._replace(**changes) if (move.xid, move.place) == (xid, where) else move
                       for move in records.history]


def dropped(records, **values):
    records.history = [move for move in records.history
                       if any(getattr(move, name) != value for name, value in values.items())]


DAMAGE = {
    "a job is in exactly one table": lambda r: dropped(r, xid="e", place="ready"),
    "no job goes from ready to dead_letter": lambda r: moved(r, "g", "running", place="dead_letter"),
    "only the fence that holds a job settles it": lambda r: moved(r, "f", "finished", fence=FENCE),
    "a fence is given out once for a job": lambda r: moved(r, "e", "running", fence=FENCE),
    "every job reaches its end": lambda r: dropped(r, xid="h"),
    "every job has a history": lambda r: r.jobs.pop(4),
    "what was committed is there": lambda r: r.enqueued.clear(),
    "what was committed is what was enqueued": lambda r: r.enqueued["t"].append(4),
    "what was rolled back is not there": lambda r: r.enqueued.update(u=[19]),
    "every committed job is there": lambda r: r.jobs.pop(5),
    "only committed jobs are there": lambda r: r.enqueued["t"].remove(5),
    "a claim is begun once": lambda r: r.begins.append((2, LEDGER)),
    "only committed jobs are run": lambda r: r.begins.append((19, 1)),
    "nothing is settled under a claim that was undone": lambda r: r.acks.append((2, 999, "completed")),
    "what was acknowledged as settled is settled so": lambda r: r.acks.append((1, FENCE, "completed")),
    "only what its handler has completed is completed": lambda r: r.ends.remove((4, OTHER, "completed")),
    "what is settled is what the handler said": lambda r: r.ends.remove((5, OTHER, "discarded")),
    "one outcome is accepted of a fence": lambda r: r.acks.append((5, OTHER, "failed")),
    "nothing is left": lambda r: r.jobs.update({1: r.jobs[1]._replace(state="available")}),
    "a hopeless job is not completed": lambda r: r.jobs.update({5: r.jobs[5]._replace(state="completed")}),
    "no attempt is lost to a fault for good": lambda r: r.jobs.update({1: r.jobs[1]._replace(state="discarded")}),
    "a job is finished once": lambda r: r.finished.append((1, LATER, "completed")),
    "what was cancelled stays cancelled": lambda r: r.jobs.update({6: r.jobs[6]._replace(state="completed")}),
    "the counts are true": lambda r: r.counts.update(running=1),
    "no session is left open": lambda r: setattr(r, "open_sessions", 1),
    "no effect without its settle": lambda r: r.ledger.append((2, 999)),
    "an effect is there exactly once": lambda r: r.ledger.append((2, LEDGER)),
    "no more of a key run at a time than its limit": lambda r: r.limits.update(key=0),
    "of jobs of a key that came together the first goes first":
        lambda r: (moved(r, "q", "blocked", job=8), moved(r, "q", "ready", job=8)),
    "one job has a unique key at a time": lambda r: r.jobs.update({8: r.jobs[8]._replace(unique_key="unique")}),
    "each time of a schedule comes once, and no other": lambda r: r.schedules.update(minutely=range(100, 102)),
    "an attempt that was asked to stop is the last": lambda r: r.asked.update({1: 6}),
    "a batch is called back once": lambda r: r.jobs.update({9: r.jobs[9]._replace(callback_of=None)}),
    "a batch knows its members": lambda r: r.batches.update({1: 3}),
    "every member has its batch": lambda r: r.batches.clear(),
    "a successor for each that was settled, and no other": lambda r: r.jobs.update({4: r.jobs[4]._replace(after=2)}),
}


class Checker(unittest.TestCase):
    def test_finds_nothing_in_good_records(self):
        self.assertEqual(check(good()).lines(), [])

    def test_does_not_mind_in_which_order_one_statement_lets_jobs_of_a_key_go(self):
        records = good()
        records.limits.update(key=2)
        leaves = {job: [move for move in records.history if move.job == job and move.xid == xid]
                  for job, xid in ((7, "q"), (8, "t"))}
        at = records.history.index(leaves[7][0])
        together = [leaves[8][0], leaves[7][0], leaves[7][1], leaves[8][1]]
        rest = [move for move in records.history if move not in together]
        records.history = [move._replace(seq=seq, xid="q" if move in together else move.xid)
                           for seq, move in enumerate(rest[:at] + together + rest[at:])]
        self.assertEqual(check(records).lines(), [])


def make_test(rule, damage):
    def test(self):
        records = copy.deepcopy(good())
        damage(records)
        self.assertIn(rule, check(records).found)
    return test


for wanted, hurt in DAMAGE.items():
    setattr(Checker, "test_finds_that_not_" + wanted.replace(" ", "_"), make_test(wanted, hurt))


if __name__ == "__main__":
    program = unittest.main(exit=False, verbosity=0)
    failed = len(program.result.failures) + len(program.result.errors)
    print(f"{program.result.testsRun - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
