"""Proves from what was recorded that nothing was lost and nothing settled twice. Pure: it sees records, no database.

The records, and what each is worth:
    history    rows entering and leaving the tables of states, written by the transactions that moved them
    enqueues   what each producer was told of its transaction: committed, rolled back, or unknown
    enqueued   what the database says of the same transactions
    begins     attempts that handlers began, from the side log
    ends       outcomes that handlers returned, from the side log
    acks       settles that workers were told had been accepted, from their own logs
    jobs, finished, ledger, counts, open_sessions   the database at the end
"""

import collections
import dataclasses

Move = collections.namedtuple("Move", "seq xid place entered job fence attempt")
# after, length: of a chain; callback_of: the batch that enqueued it; schedule, due: which, and for which minute
Job = collections.namedtuple("Job", "id kind state after length key unique_key batch callback_of schedule due",
                             defaults=(None, None, None, None, None, None))

EDGES = {
    None: {"ready", "scheduled", "blocked"},
    "blocked": {"ready", "blocked", "finished"},                  # its slot; its batch, and no slot yet; cancel
    "ready": {"running", "finished"},                             # claim; cancel
    "scheduled": {"ready", "blocked", "finished"},                # promote, retry; cancel
    "running": {"finished", "scheduled", "dead_letter", "ready"},  # settle; reap, release
    "dead_letter": {"ready", "blocked"},                          # replay
    "finished": set(),
}
REACHED = {  # outcome that was acknowledged: where the job went
    "completed": {"finished"}, "failed": {"scheduled", "dead_letter"}, "snoozed": {"scheduled"},
    "discarded": {"dead_letter"}, "released": {"ready"}, "cancelled": {"finished"},
}
INTERRUPTED = {"released", "failed", "cancelled"}  # also the engine's own words, for attempts that were stopped or cut off
FINAL = {"completed", "cancelled", "discarded"}
HOPELESS = {"chaos.hopeless", "chaos.discard"}
MOST_NAMED = 3


@dataclasses.dataclass
class Records:
    history: list = dataclasses.field(default_factory=list)
    enqueues: dict = dataclasses.field(default_factory=dict)   # token: (what, jobs)
    enqueued: dict = dataclasses.field(default_factory=dict)   # token: jobs
    begins: list = dataclasses.field(default_factory=list)     # (job, fence)
    ends: list = dataclasses.field(default_factory=list)       # (job, fence, outcome)
    acks: list = dataclasses.field(default_factory=list)       # (job, fence, outcome)
    cancels: set = dataclasses.field(default_factory=set)      # jobs whose cancellation was acknowledged
    asked: dict = dataclasses.field(default_factory=dict)      # running job: the last move when that was acknowledged
    schedules: dict = dataclasses.field(default_factory=dict)  # name: the minutes that were due
    jobs: dict = dataclasses.field(default_factory=dict)       # id: Job
    finished: list = dataclasses.field(default_factory=list)   # (job, fence, outcome)
    ledger: list = dataclasses.field(default_factory=list)     # (job, fence)
    counts: dict = dataclasses.field(default_factory=dict)     # state: number, as the view says
    open_sessions: int = 0
    limits: dict = dataclasses.field(default_factory=dict)     # key: how many of its jobs may run at a time
    batches: dict = dataclasses.field(default_factory=dict)    # id: members, as it says itself when it has finished


class Verdict:
    def __init__(self):
        self.found = collections.OrderedDict()

    def complain(self, rule, subject):
        self.found.setdefault(rule, []).append(subject)

    def lines(self):
        return [f"{rule}: {len(subjects)} time{'s' if len(subjects) > 1 else ''}, first"
                f" {', '.join(map(str, subjects[:MOST_NAMED]))}" for rule, subjects in self.found.items()]


def check(records):
    verdict = Verdict()
    exits = check_history(records, verdict)
    check_enqueues(records, verdict)
    check_attempts(records, exits, verdict)
    check_end(records, verdict)
    check_effects(records, verdict)
    check_keys(records, verdict)
    check_unique_keys(records, verdict)
    check_batches(records, verdict)
    check_schedules(records, verdict)
    check_asked(records, verdict)
    return verdict


def check_history(records, verdict):
    """Each job's moves are edges of the state diagram. Returns {(job, fence): where it went when the fence ended}."""
    moves = collections.defaultdict(lambda: collections.defaultdict(list))
    for move in sorted(records.history):
        moves[move.job][move.xid].append(move)
    exits = {}
    for job, transactions in moves.items():
        place, fence, fences = None, None, set()
        for steps in transactions.values():  # in the order in which each first moved the job
            left = ([] if place else [None]) + [step for step in steps if not step.entered]
            entered = [step for step in steps if step.entered]
            if len(left) != len(entered):
                verdict.complain("a job is in exactly one table", job)
                break
            # A statement takes it out of one table and puts it into another; a claim may do that twice.
            for before, step in zip(left, entered):
                if before and before.place != place:
                    verdict.complain("a job is in exactly one table", job)
                if step.place not in EDGES[place]:
                    verdict.complain(f"no job goes from {place} to {step.place}", job)
                if place == "running":
                    exits[job, fence] = step.place
                    # None is kept in `ready`, and of whoever was to stop and lost its lease before.
                    unknown = step.fence is None and step.place in ("ready", "finished")
                    if step.fence != fence and not unknown:
                        verdict.complain("only the fence that holds a job settles it", job)
                if step.place == "running":
                    if step.fence in fences:
                        verdict.complain("a fence is given out once for a job", job)
                    fences.add(step.fence)
                place, fence = step.place, step.fence
        if place not in ("finished", "dead_letter"):
            verdict.complain("every job reaches its end", f"{job} in {place}")
    if set(moves) != set(records.jobs):
        for job in set(moves) ^ set(records.jobs):
            verdict.complain("every job has a history", job)
    return exits


def check_enqueues(records, verdict):
    for token, (what, jobs) in records.enqueues.items():
        found = records.enqueued.get(token)
        if what == "committed" and found is None:
            verdict.complain("what was committed is there", token)
        elif what == "committed" and sorted(found) != sorted(jobs):
            verdict.complain("what was committed is what was enqueued", token)
        elif what == "rolled back" and found is not None:
            verdict.complain("what was rolled back is not there", token)
    known = {job for jobs in records.enqueued.values() for job in jobs}
    for job in known - set(records.jobs):
        verdict.complain("every committed job is there", job)
    for job in set(records.jobs) - known:
        if not any((records.jobs[job].after, records.jobs[job].callback_of, records.jobs[job].schedule)):
            verdict.complain("only committed jobs are there", job)


def check_attempts(records, exits, verdict):
    given = {(move.job, move.fence) for move in records.history if move.place == "running" and move.entered}
    for begin, times in collections.Counter(records.begins).items():
        if times > 1:
            verdict.complain("a claim is begun once", begin)
        if begin[0] not in records.jobs:
            verdict.complain("only committed jobs are run", begin[0])
    returned = collections.defaultdict(set)
    for job, fence, outcome in records.ends:
        returned[job, fence].add(outcome)
    for job, fence, outcome in records.finished:
        if outcome == "completed" and "completed" not in returned[job, fence]:
            verdict.complain("only what its handler has completed is completed", job)
    outcomes = collections.defaultdict(set)
    for job, fence, outcome in records.acks:
        outcomes[job, fence].add(outcome)
        if outcome not in returned[job, fence] and outcome not in INTERRUPTED:
            verdict.complain("what is settled is what the handler said", (job, outcome))
        if (job, fence) not in given:
            verdict.complain("nothing is settled under a claim that was undone", (job, fence))
        elif exits.get((job, fence)) == "finished" and job in records.jobs and records.jobs[job].state == "cancelled":
            pass  # whatever a job's attempt said that was asked to stop
        elif exits.get((job, fence)) not in REACHED[outcome]:
            verdict.complain("what was acknowledged as settled is settled so", (job, outcome))
    for held, several in outcomes.items():
        if len(several) > 1:
            verdict.complain("one outcome is accepted of a fence", held)


def check_end(records, verdict):
    states = collections.Counter(job.state for job in records.jobs.values())
    for job in records.jobs.values():
        if job.state not in FINAL:
            verdict.complain("nothing is left", f"{job.id} {job.state}")
        elif job.state == "completed" and job.kind in HOPELESS:
            verdict.complain("a hopeless job is not completed", job.id)
        elif job.state == "discarded" and job.kind not in HOPELESS:
            verdict.complain("no attempt is lost to a fault for good", f"{job.id} {job.kind}")
    for job, times in collections.Counter(job for job, _, _ in records.finished).items():
        if times > 1:
            verdict.complain("a job is finished once", job)
    for job in records.cancels:
        if job in records.jobs and records.jobs[job].state != "cancelled":
            verdict.complain("what was cancelled stays cancelled", job)
    for state, number in records.counts.items():
        if states[state] != number:
            verdict.complain("the counts are true", f"{state}: {number} counted, {states[state]} there")
    if records.open_sessions:
        verdict.complain("no session is left open", records.open_sessions)


def check_effects(records, verdict):
    effects = collections.Counter(records.ledger)
    wanted = {(job, fence) for job, fence, outcome in records.finished
              if outcome == "completed" and job in records.jobs and records.jobs[job].kind == "chaos.ledger"}
    for effect in set(effects) - wanted:
        verdict.complain("no effect without its settle", effect)
    for effect in wanted:
        if effects[effect] != 1:
            verdict.complain("an effect is there exactly once", effect)
    successors = collections.Counter(job.after for job in records.jobs.values() if job.after is not None)
    for job in records.jobs.values():
        due = int(job.kind == "chaos.chain" and job.state == "completed" and job.length > 0)
        if successors[job.id] != due:
            verdict.complain("a successor for each that was settled, and no other", job.id)


def check_keys(records, verdict):
    """A move that makes room is committed before the move that takes it begins, so that numbers of moves tell."""
    running = collections.Counter()
    waiting = collections.defaultdict(dict)  # key: {job: the transaction that made it wait}
    released = {}                            # job: the same, of one that waits no more
    for move in sorted(records.history):
        key = records.jobs[move.job].key if move.job in records.jobs else None
        if key is None:
            continue
        if move.place == "running":
            running[key] += 1 if move.entered else -1
            if running[key] > records.limits.get(key, 1):
                verdict.complain("no more of a key run at a time than its limit", f"{move.job} of {key}")
        elif move.place == "blocked" and move.entered:
            waiting[key][move.job] = move.xid
        elif move.place == "blocked":
            released[move.job] = waiting[key].pop(move.job, None)
        elif move.place == "ready" and move.entered:  # after all that one statement takes out of `blocked`, in any order
            came_by = released.pop(move.job, None)
            if any(job < move.job and xid == came_by for job, xid in waiting[key].items()):
                verdict.complain("of jobs of a key that came together the first goes first", f"{move.job} of {key}")


def check_unique_keys(records, verdict):
    alive = collections.defaultdict(set)
    for move in sorted(records.history):
        key = records.jobs[move.job].unique_key if move.job in records.jobs else None
        if key is None or not move.entered:
            continue
        if move.place in ("finished", "dead_letter"):
            alive[key].discard(move.job)
        else:
            alive[key].add(move.job)
            if len(alive[key]) > 1:
                verdict.complain("one job has a unique key at a time", f"{move.job} with {key}")


def check_batches(records, verdict):
    members = collections.Counter(job.batch for job in records.jobs.values() if job.batch is not None)
    calls = collections.Counter(job.callback_of for job in records.jobs.values() if job.callback_of is not None)
    for batch, said in records.batches.items():
        if calls[batch] != 1:
            verdict.complain("a batch is called back once", f"{batch}, {calls[batch]} times")
        if said != members[batch]:
            verdict.complain("a batch knows its members", f"{batch}: {said}, {members[batch]} there")
    for batch in set(members) - set(records.batches):
        verdict.complain("every member has its batch", batch)


def check_schedules(records, verdict):
    enqueued = collections.Counter((job.schedule, job.due) for job in records.jobs.values() if job.schedule)
    wanted = {(name, minute) for name, minutes in records.schedules.items() for minute in minutes}
    for due in wanted | set(enqueued):
        if enqueued[due] != (due in wanted):
            verdict.complain("each time of a schedule comes once, and no other", due)


def check_asked(records, verdict):
    """The attempt that is asked to stop is the last, unless a person replays the job."""
    replayed = {move.job for move in records.history if move.place == "dead_letter"}
    ended = {}  # the first transaction that has ended an attempt after that
    for move in sorted(records.history):
        if move.place == "running" and not move.entered and move.seq > records.asked.get(move.job, move.seq):
            ended.setdefault(move.job, move.xid)
    for move in records.history:
        if move.entered and ended.get(move.job) == move.xid and move.place != "finished" and move.job not in replayed:
            verdict.complain("an attempt that was asked to stop is the last", move.job)
