#!/usr/bin/python3
"""Random cron expressions in random time zones: millrace.cron_runs against croniter, and against the minutes one by one.

    cron_oracle.py [--seed S] [--amount N]        prints TAP; PGDATABASE has millrace, see ../support/pgtap_file.sh

croniter says which times of a calendar an expression means. It is asked without a time zone, because it differs where
clocks are set: what it does with a time that is skipped or comes twice depends on the field, and some runs it repeats.
There our rule is checked by walking through the minutes of days on which clocks are set. It is also told which rule
for days holds: it takes `*/2` in a field of days for a restriction, and `1-31` for none; Vixie cron looks at the star.
From a day in a month of fewer than 31 days, croniter 1.3.5 may pass over days of the next (`0 0 */30 * *` from the 18th
of February: not the 1st of March). Where the two differ, each day is therefore held against the fields as croniter
itself has expanded them; how often that was needed is printed, and bounded.
"""

import argparse
import datetime
import random
import zoneinfo

import croniter
import psycopg2

UTC = datetime.timezone.utc
MINUTE, DAY = datetime.timedelta(minutes=1), datetime.timedelta(days=1)
RUNS_EACH = 6
MOST_ARBITRATED = 0.02
FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 7))
NAMES = {"month": "jan feb mar apr may jun jul aug sep oct nov dec".split(),
         "day of week": "sun mon tue wed thu fri sat".split()}


def random_item(dice, name, low, high):
    first, last = sorted((dice.randint(low, high), dice.randint(low, high)))
    step = dice.randint(1, high - low)
    form = dice.choice(("value", "value", "range", "steps", "stepped range", "name"))
    if form == "name" and name in NAMES:
        return dice.choice(NAMES[name])
    return {"range": f"{first}-{last}", "steps": f"*/{step}",
            "stepped range": f"{first}-{last}/{step}"}.get(form, str(first))


def random_cron(dice):
    return " ".join("*" if dice.random() < 0.4 else
                    ",".join(random_item(dice, *field) for _ in range(dice.choice((1, 1, 1, 2, 3))))
                    for field in FIELDS)


def random_rare_cron(dice):
    """Days that not every month has, and some that none of those named has."""
    months = dice.choice(("2", "feb", "4,6", "2,4", "9", "*", "1-2"))
    return f"{dice.randint(0, 59)} {dice.randint(0, 23)} {dice.choice(('29', '30', '31', '30-31'))} {months} *"


def either_day(cron):
    _, _, days, _, weekdays = cron.split()
    return not days.startswith("*") and not weekdays.startswith("*")


def for_croniter(cron):
    """One whose field of days has every day means every day, if either will do."""
    minute, hour, days, month, weekdays = cron.split()
    expanded = croniter.croniter.expand(cron)[0]
    if either_day(cron) and ["*"] in (expanded[2], expanded[4]):
        days = weekdays = "*"
    return " ".join((minute, hour, days, month, weekdays))


def first_shown(shown, zone):
    """When the zone's clock first shows this time or a later one."""
    at = shown.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == shown:
        return at
    while (at - MINUTE).astimezone(zone).replace(tzinfo=None) >= shown:
        at -= MINUTE
    return at


def is_every_hour(cron):
    return croniter.croniter.expand(cron)[0][1] == ["*"]


class Oracle:
    def __init__(self, seed, amount):
        self.dice = random.Random(seed)
        self.amount = amount
        self.connection = psycopg2.connect("")
        self.connection.autocommit = True
        with self.connection.cursor() as cursor:
            cursor.execute("set time zone 'UTC'")
            cursor.execute("select name from pg_timezone_names"
                           " where upper(name) not in (select abbrev from pg_timezone_abbrevs) or name in ('UTC', 'GMT')")
            self.zones = sorted({name for name, in cursor} & zoneinfo.available_timezones() - {"localtime", "Factory"})

    def runs(self, cron, zone, after, amount, until="infinity"):
        """None when the expression is refused because its day never comes."""
        with self.connection.cursor() as cursor:
            try:
                cursor.execute("select run_at from millrace.cron_runs(millrace.parse_cron(%s), %s, %s, %s, %s)",
                               (cron, zone, after, amount, until))
                return [at.astimezone(UTC) for at, in cursor]
            except psycopg2.Error as error:
                if error.pgcode == "MR005" and "never comes" in str(error):
                    return None
                raise

    def random_zone(self):
        return self.dice.choice(self.zones)

    def compare_with_croniter(self):
        """Complaints, and how many expressions were refused by both."""
        refused = arbitrated = 0
        for _ in range(self.amount):
            cron, zone = self.dice.choice([random_cron] * 20 + [random_rare_cron])(self.dice), self.random_zone()
            after = datetime.datetime(self.dice.randint(1975, 2090), 1, 1) + self.dice.random() * 366 * DAY
            after = after.replace(second=0, microsecond=0)
            if is_every_hour(cron):
                zone = "UTC"  # elsewhere it depends on the clock, see below
            found = self.runs(cron, zone, first_shown(after, zoneinfo.ZoneInfo(zone)), RUNS_EACH)
            meant = self.by_croniter(cron, zone, after)
            refused += found is None
            if found != meant and found and found == day_by_day(cron, zone, after, len(found)):
                arbitrated += 1
            elif found != meant:
                yield f"{cron!r} in {zone} after {after}: {text_of(found)}, croniter {text_of(meant)}"
        print(f"# {self.amount} expressions; {refused} refused by both; {arbitrated} that croniter got wrong")
        if arbitrated > MOST_ARBITRATED * self.amount or not refused:
            yield "croniter was no oracle for as many, or nothing was refused"

    def by_croniter(self, cron, zone, after):
        times = croniter.croniter(for_croniter(cron), after, day_or=either_day(cron))
        times._max_years_between_matches = 41  # pylint: disable=protected-access
        meant, began = [], first_shown(after, zoneinfo.ZoneInfo(zone))
        try:
            while len(meant) < RUNS_EACH:
                at = first_shown(times.get_next(datetime.datetime), zoneinfo.ZoneInfo(zone))
                if at > began and at not in meant:
                    meant.append(at)
        except croniter.CroniterBadDateError:
            return meant or None
        return meant

    def compare_with_minutes(self):
        changes = 0
        while changes < self.amount / 20:
            zone = self.random_zone()
            change = self.random_change(zone)
            if change is None:
                continue
            changes += 1
            cron = self.dice.choice((random_cron(self.dice), self.random_dense_cron()))
            found = self.runs(cron, zone, change - DAY, 10000, change + 2 * DAY)
            meant = minute_by_minute(cron, zoneinfo.ZoneInfo(zone), change - DAY, change + 2 * DAY)
            if found is not None and found != meant:
                yield f"{cron!r} in {zone} around {change}: {text_of(found)}, by the minutes {text_of(meant)}"
        print(f"# {changes} changes of clocks")

    def random_dense_cron(self):
        """Due on each of these days, at the hours at which clocks are set."""
        hour = self.dice.choice(("*", "0-23", "0-4", "1,2,3", "22-23,0-1", str(self.dice.randint(0, 4))))
        return f"{self.dice.choice(('*', '*/15', '*/7', '0', '30', '0,59'))} {hour} * * *"

    def random_change(self, name):
        """The midnight (UTC) before a clock is set in some random year; of whole minutes only."""
        zone = zoneinfo.ZoneInfo(name)
        year = datetime.datetime(self.dice.randint(1971, 2037), 1, 1, tzinfo=UTC)
        offsets = [(year + day * DAY).astimezone(zone).utcoffset() for day in range(366)]
        days = [day for day in range(365) if offsets[day] != offsets[day + 1]]
        if not days:
            return None
        day = self.dice.choice(days)
        is_whole = all(offset.total_seconds() % 60 == 0 for offset in offsets[day:day + 2])
        return year + day * DAY if is_whole else None


def day_by_day(cron, zone, after, amount):
    matches, found, day = matcher(cron), [], datetime.datetime.combine(after, datetime.time())
    while len(found) < amount and day < after + 41 * 366 * DAY:
        for minute in range(1440) if matches(day, day_only=True) else ():
            at = first_shown(day + minute * MINUTE, zoneinfo.ZoneInfo(zone)) if matches(day + minute * MINUTE) else None
            if at and day + minute * MINUTE > after and at not in found and len(found) < amount:
                found.append(at)
        day += DAY
    return found


def minute_by_minute(cron, zone, after, until):
    """By the words of sql/queue/cron_runs.sql: every minute that is shown, or the first that shows a time or a later."""
    matches = matcher(cron)
    every_hour = is_every_hour(cron)
    due = []
    at = after
    latest = max((after - n * MINUTE).astimezone(zone).replace(tzinfo=None) for n in range(1441))
    while (at := at + MINUTE) <= until:
        shown = at.astimezone(zone).replace(tzinfo=None)
        if every_hour:
            is_due = matches(shown)
        else:
            is_due = False
            while latest < shown:
                latest += MINUTE
                is_due = is_due or matches(latest)
        if is_due:
            due.append(at)
    return due


def matcher(cron):
    minutes, hours, days, months, weekdays = [set(field) for field in croniter.croniter.expand(cron)[0]]
    either = either_day(cron)

    def has(values, value):
        return "*" in values or value in values

    def matches(at, day_only=False):
        of_month, of_week = has(days, at.day), has(weekdays, at.isoweekday() % 7)
        return ((day_only or has(minutes, at.minute) and has(hours, at.hour)) and has(months, at.month)
                and (of_month or of_week if either else of_month and of_week))
    return matches


def text_of(times):
    return "refused" if times is None else " ".join(at.strftime("%Y-%m-%dT%H:%M") for at in times[:12])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--amount", type=int, default=2000)
    arguments = parser.parse_args()
    print(f"1..2\n# seed {arguments.seed}")
    oracle = Oracle(arguments.seed, arguments.amount)
    failed = 0
    for number, (name, compare) in enumerate((
            ("expressions mean what croniter says", oracle.compare_with_croniter),
            ("where clocks are set, each minute is as the rule says", oracle.compare_with_minutes)), 1):
        complaints = list(compare())
        failed += bool(complaints)
        print(f"{'not ok' if complaints else 'ok'} {number} - {name}")
        for complaint in complaints[:10]:
            print(f"# {complaint}")
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
