#!/usr/bin/python3
"""Eight sessions tick schedules while the clock jumps and some are killed; then each due time must be accounted for.

    schedules.py [--seconds N] [--seed S] [--plant NAME]       --prove: each plant must be caught

Tickers commit at once, late or never, or are killed with a tick in hand. The clock goes through a night on which clocks
are set back, mostly by seconds, at times by hours, forwards and backwards. Meanwhile schedules are deployed again and
run by hand. In the end the history of each schedule must cover all that was due, in order and without overlap, with one job
for each row that says so. A plant is a bug, made by an edit of a function in this test's own database.

Needs PGHOST, PGPORT, PGUSER and MILLRACE_TEST_TEMPLATE.
"""

import os
import pathlib
import random
import sys
import threading
import uuid

import psycopg2

import proving

SUPPORT = pathlib.Path(__file__).resolve().parents[1] / "support" / "sql"
TICKERS = 8
START = "2026-10-24 20:00+00"  # in Berlin 02:00 to 03:00 comes twice, five hours later
CRONS = ("* * * * *", "*/7 * * * *", "@hourly", "30 2 * * *", "*/10 1-4 * * *", "0 5 25 10 *", "15,45 */2 * * sun")
PLANTS = {
    "without the second look": ("tick_schedule(int,timestamptz,int)", "if due.look_at > at then", "if false then"),
    "without the lock": ("tick_schedule(int,timestamptz,int)", "for no key update skip locked", ""),
    "from now instead of from the due time": ("run_due(millrace.schedule,millrace.schedule_due,timestamptz,int)",
                                              "next_due(rule, known.time_zone, next)",
                                              "next_due(rule, known.time_zone, at)"),
}
# What was due up to the last tick, numbered; and for each row of history the numbers that it covers: one that has counted
# to a thousand stands for all up to the next row's.
VERDICT = """
with expected as (
    select s.id, s.name, r.run_at, row_number() over (partition by s.id order by r.run_at) as number
      from millrace.schedule s
     cross join lateral (select d.next_run_at from millrace.schedule_due d
                          where d.schedule_id = s.id order by d.version desc limit 1) d
     cross join lateral millrace.cron_runs(millrace.parse_cron(s.cron), s.time_zone, s.created_at, 100000,
                                           d.next_run_at - interval '1 us') r
), history as (
    select r.schedule_id as id, r.times, e.number,
           coalesce(lead(e.number) over (partition by r.schedule_id order by r.due_at),
                    (select max(l.number) + 1 from expected l where l.id = r.schedule_id)) as next
      from millrace.schedule_run r
      left join expected e on e.id = r.schedule_id and e.run_at = r.due_at
     where r.how <> 'by hand'
), covered as (
    select h.id, h.number + n as number
      from history h
     cross join generate_series(0, case when h.times < 1000 then h.times else greatest(h.next - h.number, 1000) end - 1) n
)
select format('%s: its time %s is covered %s times', s.name, coalesce(e.run_at::text, 'none'), count(c.number))
  from expected e full join covered c using (id, number) join millrace.schedule s using (id)
 group by s.name, e.run_at having count(c.number) <> 1 or e.run_at is null
union all
select format('%s: %s jobs, its history has %s', s.name, count(j.id), count(r.job_id))
  from millrace.schedule s left join millrace.schedule_run r on r.schedule_id = s.id and r.job_id is not null
  full join millrace.job j on j.id = r.job_id group by s.name having count(j.id) <> count(r.job_id) or s.name is null
union all
select format('%s: %s is still due', s.name, s.next_run_at)
  from millrace.schedules s where next_run_at <= millrace.now()
union all
select format('%s: %s', s.name, s.error) from millrace.schedules s where s.error is not null
limit 5"""


class Run:
    def __init__(self, seed, plant):
        self.seed = seed
        self.name = f"race_schedules_{uuid.uuid4().hex[:8]}"
        self.admin = psycopg2.connect(dbname="postgres")
        self.admin.autocommit = True
        self.say(self.admin, f"create database {self.name} template {os.environ['MILLRACE_TEST_TEMPLATE']}")
        self.over = threading.Event()
        self.complaints, self.ticks, self.kills = [], 0, 0
        self.owner = self.connect()
        self.prepare(plant)

    @staticmethod
    def say(connection, text, *values):
        with connection.cursor() as cursor:
            cursor.execute(text, values or None)
            return cursor.fetchall() if cursor.description else []

    def connect(self):
        connection = psycopg2.connect(dbname=self.name)
        connection.autocommit = True
        return connection

    def prepare(self, plant):
        self.say(self.owner, (SUPPORT / "fake_clock.sql").read_text().replace("\\g /dev/null", ";"))
        self.say(self.owner, "select millrace_test.set_clock(%s)", START)
        self.say(self.owner, "select millrace.create_queue('q')")
        for number, misfire in ((n, m) for n in range(len(CRONS)) for m in ("skip", "once", "all")):
            self.deploy(self.owner, number, misfire, 0)
        if plant:
            function, said, instead = PLANTS[plant]
            source = self.say(self.owner, f"select pg_get_functiondef('millrace.{function}'::regprocedure)")[0][0]
            assert said in source, f"{function} no longer says {said!r}"
            self.say(self.owner, source.replace(said, instead).replace("%", "%%"))

    def deploy(self, connection, number, misfire, edition):
        self.say(connection, "select millrace.create_schedule(%s, %s, 'q', 'k', jsonb_build_object('edition', %s),"
                 " 'Europe/Berlin', %s)", f"{misfire}-{number}", CRONS[number], edition, misfire)

    def guarded(self, act, seed):
        def run():
            dice = random.Random(seed)
            connection = self.connect()
            while not self.over.is_set():
                try:
                    act(connection, dice)
                except psycopg2.OperationalError:
                    connection = self.connect()  # it was killed
                except psycopg2.Error as error:
                    self.complaints.append(str(error).splitlines()[0])
                    return
                self.over.wait(dice.random() * 0.01)
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def tick(self, connection, dice):
        self.ticks += 1
        statement = f"select * from millrace.tick_schedules({dice.choice((1, 3, 100, 1000))})"
        kind = dice.random()
        if kind < 0.6:
            self.say(connection, statement)
            return
        self.say(connection, "begin")
        self.say(connection, statement)
        self.over.wait(dice.random() * 0.05)
        if kind < 0.7:
            self.kills += 1
            self.say(connection, "select pg_terminate_backend(pg_backend_pid())")
        self.say(connection, "commit" if kind < 0.9 else "rollback")

    def move_clock(self, connection, dice):
        kind = dice.random()
        step = dice.randint(1, 120) if kind < 0.9 else dice.randint(1, 7200) * dice.choice((1, 1, -1))
        self.say(connection, "select millrace_test.advance_clock(%s * interval '1 s')", step)

    def interfere(self, connection, dice):
        number, misfire = dice.randrange(len(CRONS)), dice.choice(("skip", "once", "all"))
        if dice.random() < 0.5:
            self.deploy(connection, number, misfire, dice.randrange(3))
        else:
            self.say(connection, "select millrace.run_schedule_now(%s)", f"{misfire}-{number}")

    def go_on_for(self, seconds):
        acts = [self.tick] * TICKERS + [self.move_clock, self.interfere]
        threads = [self.guarded(act, f"{self.seed} {number}") for number, act in enumerate(acts)]
        self.over.wait(seconds)
        self.over.set()
        for thread in threads:
            thread.join(30)
        self.complaints += [f"{type(thread).__name__} hangs" for thread in threads if thread.is_alive()]

    def verdict(self):
        """What is wrong, and how many times were due."""
        while not self.complaints and self.say(self.owner, "select enqueued from millrace.tick_schedules()")[0][0]:
            pass
        return self.complaints[:5] or [text for text, in self.say(self.owner, VERDICT)]

    def summary(self):
        rows = self.say(self.owner, "select how, sum(times) from millrace.schedule_run group by 1 order by 1")
        return f"{self.ticks} ticks, {self.kills} killed; times " + ", ".join(f"{how}: {n}" for how, n in rows)

    def close(self):
        self.owner.close()
        self.say(self.admin, f"drop database {self.name} with (force)")


def once(seed, seconds, plant):
    run = Run(seed, plant)
    try:
        run.go_on_for(seconds)
        found = run.verdict()
        print(f"    {run.summary()}")
        for text in found:
            print(f"    {text}")
        return found
    finally:
        run.close()


if __name__ == "__main__":
    sys.exit(proving.main(once, PLANTS, f"schedules ticked by {TICKERS} sessions", 8))
