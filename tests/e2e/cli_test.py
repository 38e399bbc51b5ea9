#!/usr/bin/env python3
"""The command line as a person and as a script meet it: what is printed where, and the exit status."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from program import BINARY, ProgramTest, main  # noqa: E402

DONE, FAILED, USAGE, NOTHING = 0, 1, 2, 3


class Help(ProgramTest):
    def test_is_printed_when_asked_for_and_for_each_command(self):
        overview = self.expect(self.run_millrace("--help"), DONE).out
        for command in ("migrate", "worker", "enqueue", "jobs", "queues", "adopt"):
            self.assertIn(f"  {command} ", overview)
            text = self.expect(self.run_millrace(command, "--help"), DONE).out
            self.assertEqual(text, self.run_millrace("help", command).out)
            self.assertIn(f"millrace {command}", text)
        self.assertIn("smtp.password_file", self.run_millrace("help", "settings").out)
        self.assertRegex(self.run_millrace("--version").out, r"^millrace \d+\.\d+\.\d+\n$")

    def test_guesses_what_was_meant(self):
        for words, meant in ((["wroker"], '"worker"'), (["jobs", "lst"], '"list"'), (["jobs", "--stat", "x"], "--state"),
                             (["jobs", "--state", "runing"], '"running"'), (["worker", "--leas", "5s"], "--lease")):
            self.assertIn(f"did you mean {meant}?", self.expect(self.run_millrace(*words), USAGE).err)

    def test_without_a_command_is_wrong_usage(self):
        ran = self.expect(self.run_millrace(), USAGE)
        self.assertEqual(ran.out, "")
        self.assertIn("Commands", ran.err)


class Queues(ProgramTest):
    def test_are_created_with_their_policy_and_listed(self):
        self.expect(self.run_millrace("queues"), NOTHING)
        self.expect(self.run_millrace("queues", "create", "mail", "work", "--max-attempts", "3", "--timeout", "90s",
                                      "--retention", "30d"), DONE)
        self.assertEqual(self.sql("select string_agg(name || max_attempts || timeout || retention, ' ' order by name)"
                                  " from millrace.queues"), "mail300:01:30720:00:00 work300:01:30720:00:00")
        rows = self.run_millrace("queues", "--json").json
        self.assertEqual([row["name"] for row in rows], ["mail", "work"])
        self.assertEqual((rows[0]["available"], rows[0]["oldest_age_seconds"]), (0, None))

    def test_are_refused_with_a_reason_and_a_remedy(self):
        self.run_millrace("queues", "create", "mail")
        ran = self.expect(self.run_millrace("queues", "create", "mail"), FAILED)
        self.assertIn("exists", ran.err)
        self.assertIn("hint:", self.expect(self.run_millrace("queues", "create", "Bad Name"), FAILED).err)
        self.expect(self.run_millrace("queues", "create"), USAGE)
        self.expect(self.run_millrace("queues", "create", "x", "--max-attempts", "0"), USAGE)

    def test_are_configured_paused_and_resumed(self):
        self.expect(self.run_millrace("queues", "create", "mail", "--max-running", "3", "--key-limit", "2"), DONE)
        ran = self.expect(self.run_millrace("queues", "set", "mail", "max_running=none", "timeout=5 minutes"), DONE)
        self.assertEqual(ran.out, 'max_running: null was 3\ntimeout: "00:05:00" was null\n')
        self.assertEqual(self.run_millrace("queues", "set", "mail", "key_limit=4", "--json").json,
                         {"key_limit": {"from": 2, "to": 4}})
        self.assertEqual(self.run_millrace("queues", "set", "mail", "key_limit=4").out, "nothing to change\n")
        ran = self.expect(self.run_millrace("queues", "set", "mail", "rate=14 per second", "burst=20"), DONE)
        self.assertEqual(ran.out, 'burst: 20 was null\nrate: "14 per second" was null\n')
        ran = self.expect(self.run_millrace("queues", "set", "mail", "rate=none"), DONE)
        self.assertEqual(ran.out, 'burst: null was 20\nrate: null was "14 per second"\n')
        self.assertEqual(self.sql("select concat_ws(' ', max_running, key_limit, timeout) from millrace.queues"),
                         "4 00:05:00")
        self.expect(self.run_millrace("queues", "set", "mail", "key_limit"), USAGE)
        self.assertEqual(self.run_millrace("queues", "pause", "mail").out, "paused mail\n")
        self.assertEqual(self.run_millrace("queues", "pause", "mail").out, "already paused mail\n")
        self.assertIsNotNone(self.run_millrace("queues", "--json").json[0]["paused_at"])
        self.assertEqual(self.run_millrace("queues", "resume", "mail").out, "running mail\n")
        self.assertEqual(self.run_millrace("queues", "resume", "mail").out, "already running mail\n")
        self.expect(self.run_millrace("queues", "pause", "nowhere"), FAILED)


class Enqueue(ProgramTest):
    def setUp(self):
        super().setUp()
        self.sql("select millrace.create_queue('work', max_payload_bytes => 100)")

    def count(self):
        return self.sql("select count(*) from millrace.jobs")

    def test_prints_the_jobs_number(self):
        ran = self.expect(self.run_millrace("enqueue", "work", "noop", '{"a": "ü"}'), DONE)
        self.assertEqual(self.sql(f"select payload ->> 'a' from millrace.jobs where id = {ran.out}"), "ü")
        ran = self.expect(self.run_millrace("enqueue", "work", "noop", "--json"), DONE)
        self.assertEqual(self.sql(f"select payload from millrace.jobs where id = {ran.json['id']}"), "{}")

    def test_passes_the_options_on(self):
        self.expect(self.run_millrace("enqueue", "work", "noop", "{}", "--priority", "2", "--delay", "1h",
                                      "--max-attempts", "4", "--timeout", "30s"), DONE)
        self.assertEqual(self.sql("select concat_ws(' ', state, priority, max_attempts, round(extract(epoch from"
                                  " run_at - enqueued_at))) from millrace.jobs"), "scheduled 2 4 3600")
        self.expect(self.run_millrace("enqueue", "work", "noop", "{}", "--run-at", "2999-01-01"), FAILED)
        self.expect(self.run_millrace("enqueue", "work", "noop", "{}", "--priority", "10"), USAGE)

    def test_takes_one_payload_a_line(self):
        lines = "".join(f'{{"n": {n}}}\n' for n in range(2500)) + "\n"
        ran = self.expect(self.run_millrace("enqueue", "work", "noop", "--json", lines=lines), DONE)
        self.assertEqual(ran.json["jobs"], 2500)
        self.assertEqual(self.sql("select count(distinct payload -> 'n') from millrace.jobs"), "2500")
        self.assertEqual(self.sql("select bool_and((payload ->> 'n')::int = id - min) from millrace.jobs,"
                                  " (select min(id) from millrace.jobs) m"), "t")

    def test_names_the_line_that_is_refused_and_enqueues_nothing_of_its_chunk(self):
        good = '{"n": 1}\n' * 1000
        for bad in ('{"n": \n', '{"n": "\\u0000"}\n', json.dumps({"n": "x" * 200}) + "\n"):
            with self.subTest(bad):
                self.sql("delete from millrace.ready")
                ran = self.expect(self.run_millrace("enqueue", "work", "noop", lines=good + "{}\n" * 7 + bad + "{}\n"),
                                  FAILED)
                self.assertIn("line 1008:", ran.err)
                self.assertIn("Lines up to 1000 were enqueued", ran.err)
                self.assertEqual(self.sql("select count(*) from millrace.ready"), "1000")

    def test_blames_the_order_and_not_the_line_when_it_is_the_order(self):
        ran = self.expect(self.run_millrace("enqueue", "wrok", "noop", lines="{}\n{}\n"), FAILED)
        self.assertIn("unknown queue 'wrok'", ran.err)
        self.assertNotIn("line", ran.err.split("hint:")[0])
        ran = self.expect(self.run_millrace("enqueue", "work", "noop", "--run-at", "soonish", lines="{}\n"), FAILED)
        self.assertIn("soonish", ran.err)
        self.assertEqual(self.count(), "0")

    def test_refuses_what_is_no_json_before_it_connects(self):
        self.expect(self.run_millrace("enqueue", "work", "noop", "{", PGHOST="/nowhere"), USAGE)

    def test_does_nothing_without_lines(self):
        self.expect(self.run_millrace("enqueue", "work", "noop", lines=""), NOTHING)
        self.expect(self.run_millrace("enqueue", "work", "noop", "-", lines="\n\n"), NOTHING)
        self.assertEqual(self.count(), "0")


class Jobs(ProgramTest):
    def setUp(self):
        super().setUp()
        self.sql("select millrace.create_queue('work'), millrace.create_queue('mail')")
        self.ready = self.sql("select millrace.enqueue('work', 'noop')")
        self.late = self.sql("select millrace.enqueue('work', 'wait', delay => '1 hour')")
        self.mail = self.sql("""select millrace.enqueue('mail', 'email.send', '{"to": "ü"}', traceparent =>
                                '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')""")

    def ids(self, *filters):
        return [row["id"] for row in self.run_millrace("jobs", "list", "--json", *filters).json]

    def test_are_listed_by_filter_the_newest_first(self):
        ready, late, mail = int(self.ready), int(self.late), int(self.mail)
        self.assertEqual(self.ids(), [mail, late, ready])
        self.assertEqual(self.ids("--queue", "work"), [late, ready])
        self.assertEqual(self.ids("--kind", "wait"), [late])
        self.assertEqual(self.ids("--state", "available", "--limit", "1"), [mail])
        nothing = self.expect(self.run_millrace("jobs", "--queue", "none"), NOTHING)
        self.assertEqual(nothing.out, "")
        self.assertEqual(self.expect(self.run_millrace("jobs", "--queue", "none", "--json"), NOTHING).json, [])
        self.expect(self.run_millrace("jobs", "--limit", "0"), USAGE)

    def test_are_shown_one_by_one(self):
        job = self.expect(self.run_millrace("jobs", "show", self.mail, "--json"), DONE).json
        self.assertEqual((job["state"], job["payload"], job["result"]), ("available", {"to": "ü"}, None))
        self.assertRegex(job["enqueued_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        shown = self.run_millrace("jobs", "show", self.mail).out
        self.assertIn('"to": "ü"', shown)
        self.assertIn("traceparent", shown)
        self.assertIn("no job 999", self.expect(self.run_millrace("jobs", "show", "999"), NOTHING).err)
        self.expect(self.run_millrace("jobs", "show", "x"), USAGE)

    def test_are_explained(self):
        self.run_millrace("enqueue", "work", "noop", "--concurrency-key", "ann")
        job = self.sql("select id from millrace.jobs where concurrency_key = 'ann'")
        causes = self.expect(self.run_millrace("jobs", "explain", job, "--json"), DONE).json
        self.assertEqual([each["cause"] for each in causes], ["key", "no worker"])
        self.assertEqual(causes[1]["remedy"], "millrace worker --queue work")
        self.assertIn("no worker that lives takes jobs", self.run_millrace("jobs", "explain", job).out)
        self.assertIn("unknown job 999", self.expect(self.run_millrace("jobs", "explain", "999"), NOTHING).err)
        self.expect(self.run_millrace("jobs", "explain"), USAGE)

    def test_say_how_far_they_are_and_what_they_have_logged(self):
        session = self.sql("select millrace.open_session('w', '{work}')")
        job, fence = self.sql(f"select job_id || ' ' || fence from millrace.claim({session}, 'work')").split()
        self.sql(f"select millrace.set_progress({fence}, {job}, 40), millrace.log_line({fence}, {job}, 'customers done')")
        self.sql(f"select millrace.cancel({job}, 'wrong month')")
        shown = self.expect(self.run_millrace("jobs", "show", job, "--json"), DONE).json
        self.assertEqual((shown["progress"]["percent"], shown["cancelling"]["reason"]), (40, "wrong month"))
        self.assertEqual([(line["line"], line["attempt"], line["text"]) for line in shown["log"]],
                         [(1, 1, "customers done")])
        self.assertIn("customers done", self.run_millrace("jobs", "show", job).out)

    def test_are_cancelled_retried_and_replayed_by_number(self):
        self.assertEqual(self.run_millrace("jobs", "retry", self.late, "--json").json[0]["state"], "available")
        self.expect(self.run_millrace("jobs", "cancel", self.ready), DONE)
        self.expect(self.run_millrace("jobs", "cancel", self.ready), DONE)  # where it would go already
        self.expect(self.run_millrace("jobs", "replay", self.ready), FAILED)
        self.expect(self.run_millrace("jobs", "cancel", "999"), NOTHING)
        mixed = self.expect(self.run_millrace("jobs", "cancel", self.mail, "999", "--json"), FAILED).json
        self.assertEqual([row["state"] for row in mixed], ["cancelled", None])
        self.assertEqual(self.sql("select string_agg(state, ' ' order by id) from millrace.jobs"),
                         "cancelled available cancelled")

    def test_are_changed_by_filter_only_when_that_is_confirmed(self):
        ran = self.expect(self.run_millrace("jobs", "cancel", "--queue", "work"), DONE)
        self.assertIn("would cancel 2 jobs; --yes does it", ran.err)
        self.assertEqual(self.sql("select count(*) from millrace.jobs where state = 'cancelled'"), "0")
        self.expect(self.run_millrace("jobs", "cancel", "--queue", "work", "--yes", "--dry-run"), DONE)
        self.assertEqual(self.sql("select count(*) from millrace.jobs where state = 'cancelled'"), "0")
        self.expect(self.run_millrace("jobs", "cancel", "--queue", "work", "--yes"), DONE)
        self.assertEqual(self.sql("select string_agg(queue, ' ') from millrace.jobs where state = 'cancelled'"),
                         "work work")
        self.expect(self.run_millrace("jobs", "cancel", "--queue", "work", "--yes"), NOTHING)

    def test_are_not_changed_by_a_filter_that_is_empty(self):
        """As `--queue "$UNSET"` would be: it is no filter, and every queue's jobs would match."""
        for flag in ("--queue", "--kind", "--state"):
            ran = self.expect(self.run_millrace("jobs", "cancel", flag, "", "--yes"), USAGE)
            self.assertIn(f"{flag} is empty", ran.err)
        self.assertEqual(self.sql("select count(*) from millrace.jobs where state = 'cancelled'"), "0")
        self.expect(self.run_millrace("jobs", "cancel"), USAGE)
        self.expect(self.run_millrace("jobs", "cancel", self.mail, "--queue", "work"), USAGE)


class Terminal(ProgramTest):
    def setUp(self):
        super().setUp()
        self.sql("select millrace.create_queue('work')")
        self.sql("select millrace.enqueue('work', repeat('long-kind-', 9))")

    def test_gets_tables_that_fit_it_and_colours(self):
        out = self.expect(self.run_on_terminal("jobs", columns=60), DONE).out
        self.assertIn("\x1b[", out)
        plain = re.sub(r"\x1b\[[0-9;]*m", "", out)
        self.assertEqual(max(len(line) for line in plain.splitlines()), 60)
        self.assertIn("…", plain)

    def test_gets_no_colours_with_NO_COLOR(self):
        self.assertNotIn("\x1b[", self.run_on_terminal("jobs", NO_COLOR="1").out)

    def test_is_not_assumed_in_a_pipe(self):
        out = self.run_millrace("jobs").out
        self.assertNotIn("\x1b[", out)
        self.assertIn("long-kind-" * 9, out)

    def test_shows_progress_while_lines_are_enqueued(self):
        with tempfile.TemporaryFile("w+") as lines:
            lines.write("{}\n" * 3000)
            lines.seek(0)
            seen = self.expect(self.run_on_terminal("enqueue", "work", "noop", stdin=lines), DONE).out
        self.assertRegex(seen, r"█+░+ +\d+ %  1,000 jobs, [\d,]+ a second")
        self.assertIn("enqueued 3,000 jobs", seen)


class Errors(ProgramTest):
    def test_say_where_the_database_was_looked_for(self):
        ran = self.expect(self.run_millrace("queues", PGHOST="/nowhere"), FAILED)
        self.assertIn("/nowhere", ran.err)
        self.assertIn("--database-url", ran.err)

    def test_say_when_millrace_is_not_installed(self):
        self.sql("drop schema if exists millrace, forks, pipeline cascade")
        self.assertIn("migrate up", self.expect(self.run_millrace("queues"), FAILED).err)

    def test_of_settings_are_wrong_usage_whatever_the_command(self):
        ran = self.expect(self.run_millrace("queues", MILLRACE_WORKER_LEASE="soon"), USAGE)
        self.assertIn("MILLRACE_WORKER_LEASE", ran.err)

    def test_of_writing_are_not_swallowed(self):
        self.sql("select millrace.create_queue('work')")
        with open("/dev/full", "w") as full:
            done = subprocess.run([BINARY, "queues"], stdout=full, stderr=subprocess.PIPE, text=True,
                                  env=self.environment)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("standard output", done.stderr)


class Adopt(ProgramTest):
    def test_makes_a_cloned_database_work(self):
        self.sql("select millrace.create_queue('work')")
        self.sql("update millrace.installation set database_name = 'production'")
        ran = self.expect(self.run_millrace("worker", "--queue", "work"), FAILED)
        self.assertIn("millrace adopt", ran.err)
        self.expect(self.run_millrace("adopt"), DONE)
        self.assertEqual(self.sql("select database_name = current_database() from millrace.installation"), "t")


if __name__ == "__main__":
    main()
