#!/usr/bin/env python3
"""The command line as a person and as a script meet it: what is printed where, and the exit status."""

import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from program import BINARY, ProgramTest, main  # noqa: E402

DONE, FAILED, USAGE, NOTHING = 0, 1, 2, 3


class Help(ProgramTest):
    def test_is_printed_when_asked_for_and_for_each_command(self):
        overview = self.expect(self.run_millrace("--help"), DONE).out
        for command in ("migrate", "worker", "enqueue", "jobs", "queues", "kinds", "top", "schedules", "schemas", "doctor",
                        "adopt", "notify", "completion"):
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

    def test_guesses_names_that_only_the_database_knows(self):
        self.sql("select millrace.create_queue('mail')")
        self.sql("select millrace.configure_kind('email.send', '{\"max_attempts\": 3}')")
        self.sql("select millrace.create_schedule('nightly', '@daily', 'mail', 'noop')")
        for words, status in ((("queues", "pause", "mial"), FAILED), (("enqueue", "mal", "noop"), FAILED),
                              (("jobs", "cancel", "--queue", "mali", "--all"), FAILED)):
            self.assertIn('Did you mean "mail"?', self.expect(self.run_millrace(*words), status).err)
        self.assertNotIn("mean", self.expect(self.run_millrace("queues", "pause", "elsewhere"), FAILED).err)
        self.assertIn("Create it first", self.run_millrace("queues", "pause", "elsewhere").err)
        for words, meant in ((("--queue", "mial"), "--queue mail"), (("--kind", "email.sned"), "--kind email.send")):
            self.assertIn(f"did you mean {meant}?", self.expect(self.run_millrace("jobs", *words), NOTHING).err)
        self.assertNotIn("mean", self.run_millrace("jobs", "--queue", "mail", "--kind", "email.send").err)
        # Who may not see the names is told nothing of them.
        ran = self.run_millrace("enqueue", "mial", "noop", PGOPTIONS="-c role=millrace_enqueuer")
        self.assertNotIn("mail", self.expect(ran, FAILED).err)
        self.assertIn('did you mean "settings"?', self.expect(self.run_millrace("help", "setings"), USAGE).err)

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
        ran = self.expect(self.run_millrace("queues", "set", "mail", "history=none"), DONE)
        self.assertEqual(ran.out, 'history: "none" was "full"\n')
        self.assertEqual(self.sql("select concat_ws(' ', max_running, key_limit, timeout) from millrace.queues"),
                         "4 00:05:00")
        self.expect(self.run_millrace("queues", "set", "mail", "key_limit"), USAGE)
        self.assertEqual(self.run_millrace("queues", "pause", "mail").out, "paused mail\n")
        self.assertEqual(self.run_millrace("queues", "pause", "mail").out, "already paused mail\n")
        self.assertEqual(self.run_millrace("queues", "pause", "mail", "nowhere", "--json").json,
                         [{"name": "mail", "outcome": "already paused"}], "what was done before the one that is not there")
        self.assertIsNotNone(self.run_millrace("queues", "--json").json[0]["paused_at"])
        self.assertEqual(self.run_millrace("queues", "resume", "mail").out, "running mail\n")
        self.assertEqual(self.run_millrace("queues", "resume", "mail").out, "already running mail\n")
        self.expect(self.run_millrace("queues", "pause", "nowhere"), FAILED)

    def test_show_their_limits_and_how_much_of_them_is_used(self):
        self.run_millrace("queues", "create", "mail", "--max-running", "5", "--key-limit", "2")
        self.run_millrace("queues", "set", "mail", "rate=14 per second")
        row, = self.run_millrace("queues", "--json").json
        self.assertEqual((row["max_running"], row["rate"], row["per_second"]), (5, "14 per second", None))
        self.assertIn("5 at a time, 14 per second", self.run_millrace("queues").out)
        ran = self.expect(self.run_millrace("queues", "limit", "mail", "ann", "1", "--rate", "600 per hour", "--burst", "3"),
                          DONE)
        self.assertEqual(ran.out, "mail ann: 1 at a time, 600 per hour, 3 at once\n")
        self.assertEqual(self.run_millrace("queues", "limit", "mail", "idle", "7", "--json").json,
                         {"queue": "mail", "key": "idle", "limit": 7, "rate": None, "burst": None})
        self.sql("select millrace.enqueue('mail', 'k', concurrency_key => key) from unnest('{ann,ann,ann,bob}'::text[]) key")
        session = self.sql("select millrace.open_session('w', '{mail}')")
        self.sql(f"select millrace.claim({session}, 'mail', 10)")
        rows = self.expect(self.run_millrace("queues", "limits", "mail", "--json"), DONE).json
        self.assertEqual([(row["scope"], row["key"], row["limit"], row["rate"], row["running"], row["waiting"],
                           row["is_own"]) for row in rows],
                         [("queue", None, 5, "14 per second", 2, 0, False),
                          ("each key", None, 2, None, None, None, False),
                          ("key", "ann", 1, "600 per hour", 1, 2, True), ("key", "idle", 7, None, 0, 0, True)])
        self.assertEqual([row["burst"] for row in rows], [14, None, 3, None])
        self.assertRegex(self.run_millrace("queues", "limits").out, r"key +ann +1 +600 per hour +3 +1 +2")
        for key in ("ann", "idle"):
            self.assertEqual(self.run_millrace("queues", "limit", "mail", key, "none").out, f"mail {key}: as its queue has it\n")
        rows = self.run_millrace("queues", "limits", "--json").json
        self.assertEqual([(row["key"], row["limit"]) for row in rows if row["scope"] == "key"], [("ann", 2)],
                         "for which jobs wait still, until somebody has looked")
        self.expect(self.run_millrace("queues", "limits", "nowhere"), NOTHING)

    def test_say_how_many_jobs_they_complete_in_a_second(self):
        self.run_millrace("queues", "create", "mail")
        session = self.sql("select millrace.open_session('w', '{mail}')")
        looking = subprocess.Popen([BINARY, "queues", "--over", "8s", "--json"], env=self.environment, text=True,
                                   stdout=subprocess.PIPE)
        self.wait_until("select count(*) from pg_stat_activity where application_name = 'millrace queues'"
                        f" and datname = '{self.database}' and state = 'idle' and query like '%millrace.queues%'", "1")
        self.sql("select millrace.enqueue_many('mail', 'k', array_fill('{}'::jsonb, '{20}'))")
        self.sql(f"select millrace.complete(fence, job_id) from millrace.claim({session}, 'mail', 20)")
        row, = json.loads(looking.communicate(timeout=30)[0])
        self.assertEqual(row["completed"], 20)
        self.assertTrue(0 < row["per_second"] <= 10, row)

    def test_refuse_a_flag_that_is_another_verb_s(self):
        """As `pause --retention 1d`, by which somebody believes to have set something."""
        self.run_millrace("queues", "create", "mail")
        ran = self.expect(self.run_millrace("queues", "pause", "mail", "--retention", "1d"), USAGE)
        self.assertIn("queues pause does nothing with --retention", ran.err)
        self.assertIn("queues list takes no names", self.expect(self.run_millrace("queues", "list", "mail"), USAGE).err)
        self.assertIsNone(self.run_millrace("queues", "--json").json[0]["paused_at"])


class Kinds(ProgramTest):
    def test_are_configured_paused_and_resumed(self):
        self.expect(self.run_millrace("kinds"), NOTHING)
        ran = self.expect(self.run_millrace("kinds", "set", "mail.send", "max_attempts=4",
                                            "retry_delays={10 s, 5 minutes}"), DONE)
        self.assertEqual(ran.out, 'max_attempts: 4 was null\nretry_delays: ["00:00:10","00:05:00"] was null\n')
        self.assertEqual(self.run_millrace("kinds", "set", "mail.send", "max_attempts=none", "--json").json,
                         {"max_attempts": {"from": 4, "to": None}})
        self.assertEqual(self.run_millrace("kinds", "pause", "mail.send", "rare").out, "paused mail.send\npaused rare\n")
        self.assertEqual(self.run_millrace("kinds", "pause", "rare", "--json").json,
                         [{"name": "rare", "outcome": "already paused"}])
        mail, rare = self.run_millrace("kinds", "--json").json
        self.assertEqual((mail["kind"], mail["retry_delays"], mail["live_workers"]), ("mail.send", "00:00:10, 00:05:00", 0))
        self.assertRegex(rare["paused_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(self.run_millrace("kinds", "resume", "rare", "rare").out, "running rare\nalready running rare\n")


class Schedules(ProgramTest):
    CREATE = ("schedules", "create", "sales", "30 6 * * mon-fri", "reports", "sales.report")

    def setUp(self):
        super().setUp()
        self.sql("select millrace.create_queue('reports')")

    def test_are_created_with_what_is_said_of_their_jobs(self):
        self.expect(self.run_millrace("schedules"), NOTHING)
        made = self.expect(self.run_millrace(*self.CREATE, '{"format": "pdf"}', "--time-zone", "Europe/Berlin",
                                             "--misfire", "all", "--jitter", "10min", "--due-key", "at", "--priority",
                                             "2", "--max-attempts", "4", "--timeout", "90s", "--json"), DONE).json
        self.assertEqual((made["name"], made["outcome"]), ("sales", "created"))
        self.assertEqual(self.sql("select concat_ws(' ', cron, time_zone, queue, kind, payload, misfire, jitter, due_key,"
                                  " priority, max_attempts, timeout) from millrace.schedules"),
                         '30 6 * * mon-fri Europe/Berlin reports sales.report {"format": "pdf"} all 00:10:00 at 2 4'
                         ' 00:01:30')
        row, = self.run_millrace("schedules", "--json").json
        self.assertEqual((row["name"], row["paused"], row["next_run_at"], row["last_how"]),
                         ("sales", False, made["next_run_at"], None))

    def test_are_brought_in_line_by_the_same_call(self):
        self.assertRegex(self.run_millrace(*self.CREATE).out, r"^created sales; next run at \S+Z\n$")
        self.assertRegex(self.run_millrace(*self.CREATE).out, "^unchanged sales; ")
        self.assertRegex(self.run_millrace(*self.CREATE, "--priority", "1", "--misfire", "skip").out,
                         "^changed sales: misfire, priority; ")
        self.run_millrace("schedules", "pause", "sales")
        self.assertEqual(self.run_millrace(*self.CREATE).out, "changed sales: misfire, priority; it is paused\n")

    def test_show_when_they_come_and_what_became_of_them(self):
        self.run_millrace("schedules", "create", "leap", "30 2 29 2 *", "reports", "x", "--time-zone", "Europe/Berlin")
        job = int(self.sql("select millrace.run_schedule_now('leap')"))
        shown = self.expect(self.run_millrace("schedules", "show", "leap", "--next", "3", "--json"), DONE).json
        self.assertEqual([run["at"] for run in shown["next_runs"]],
                         self.sql("select string_agg(to_char(run_at at time zone 'utc',"
                                  " 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), ' ' order by run_at) from millrace.next_runs("
                                  "'30 2 29 2 *', 'Europe/Berlin', n => 3)").split())
        self.assertRegex(shown["next_runs"][0]["shown"], r"^\w{3} \d{4}-02-29 02:30$")
        self.assertEqual([(run["how"], run["times"], run["job"]) for run in shown["runs"]], [("by hand", 1, job)])
        text = self.run_millrace("schedules", "show", "leap", "--next", "3").out
        self.assertEqual(text.count("-02-29 02:30"), 3)
        self.assertRegex(text, rf"by hand +1 +{job}\n$")
        self.assertEqual(len(self.run_millrace("schedules", "show", "leap", "--json").json["next_runs"]), 5)
        self.run_millrace("schedules", "pause", "leap")
        paused = self.run_millrace("schedules", "show", "leap", "--json").json
        self.assertEqual((paused["paused"], paused["next_runs"], paused["next_run_at"]), (True, [], None))
        ran = self.expect(self.run_millrace("schedules", "show", "lep"), NOTHING)
        self.assertIn('Did you mean "leap"?', ran.err)

    def test_are_paused_resumed_run_and_removed_by_name(self):
        self.run_millrace(*self.CREATE)
        self.run_millrace("schedules", "create", "rollup", "@hourly", "reports", "rollup")
        self.assertEqual(self.run_millrace("schedules", "pause", "sales", "rollup").out, "paused sales\npaused rollup\n")
        self.assertEqual(self.run_millrace("schedules", "pause", "sales", "--json").json,
                         [{"name": "sales", "outcome": "already paused", "job": None}])
        self.assertEqual(self.run_millrace("schedules", "resume", "rollup").out, "resumed rollup\n")
        self.assertEqual(self.run_millrace("schedules", "resume", "rollup").out, "not paused rollup\n")
        self.assertEqual(self.sql("select string_agg(name, ' ') from millrace.schedules where paused"), "sales")
        ran, = self.expect(self.run_millrace("schedules", "run", "sales", "--json"), DONE).json
        self.assertEqual(self.sql(f"select kind from millrace.jobs where id = {ran['job']}"), "sales.report")
        ran = self.expect(self.run_millrace("schedules", "remove", "sales", "rolup", "rollup"), FAILED)
        self.assertEqual((ran.out, 'Did you mean "rollup"?' in ran.err), ("removed sales\n", True))
        self.assertEqual(self.sql("select string_agg(name, ' ') from millrace.schedules"), "rollup")

    def test_are_listed_for_a_person_in_a_table_that_fits(self):
        self.run_millrace(*self.CREATE)
        self.sql("update millrace.schedule_due set error = 'it is ' || repeat('too large ', 50)")
        lines = self.run_on_terminal("schedules", columns=80, NO_COLOR="1").out.splitlines()
        self.assertEqual([len(line) <= 80 for line in lines], [True, True])
        self.assertRegex(lines[1], "^sales .*…$")

    def test_are_refused_with_a_reason_and_a_remedy(self):
        for words, reason in ((["60 * * * *", "reports", "x"], "bad cron: minute '60'"),
                              (["@daily", "nowhere", "x"], "unknown queue"),
                              (["@daily", "reports", "x", "{}", "--time-zone", "CET"], "bad time_zone")):
            ran = self.expect(self.run_millrace("schedules", "create", "x", *words), FAILED)
            self.assertIn(reason, ran.err)
            self.assertIn("hint:", ran.err)
        ran = self.expect(self.run_millrace(*self.CREATE, "--misfire", "onec", PGHOST="/nowhere"), USAGE)
        self.assertIn('did you mean "once"?', ran.err)
        self.expect(self.run_millrace(*self.CREATE, "{", PGHOST="/nowhere"), USAGE)


class Schemas(ProgramTest):
    SCHEMA = '{"type": "object", "required": ["to"], "properties": {"to": {"items": {"type": "string"}}}}'

    def set(self, schema=SCHEMA, kind="mail.send"):
        return self.run_millrace("schemas", "set", kind, "-", lines=schema)

    def test_are_set_shown_listed_and_removed(self):
        self.expect(self.run_millrace("schemas"), NOTHING)
        self.assertEqual(self.expect(self.set(), DONE).out, "registered mail.send\n")
        self.assertEqual(self.set().out, "unchanged mail.send\n")
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write('{"type": "object"}')
            file.flush()
            self.assertEqual(self.run_millrace("schemas", "set", "mail.send", file.name, "--json").json,
                             {"kind": "mail.send", "outcome": "changed"})
            self.assertEqual(self.run_millrace("schemas", "check", file.name).out, "understood\n")
        self.assertEqual(self.run_millrace("schemas", "show", "mail.send").json, {"type": "object"})
        self.assertEqual([row["kind"] for row in self.run_millrace("schemas", "--json").json], ["mail.send"])
        self.assertIn('Did you mean "mail.send"?',
                      self.expect(self.run_millrace("schemas", "remove", "mail.sned"), NOTHING).err)
        self.assertEqual(self.run_millrace("schemas", "remove", "mail.send").out, "removed mail.send\n")
        self.expect(self.run_millrace("schemas", "show", "mail.send"), NOTHING)

    def test_that_are_not_understood_are_not_set(self):
        for schema, reason in (('{"properties": {"to": {"typ": "string"}}}',
                                '/properties/to/typ: unknown keyword; did you mean "type"?'),
                               ('{"$ref": "http://example.org/schema"}', "/$ref: a text such as"), ("{", "not JSON")):
            self.assertIn(reason, self.expect(self.set(schema), FAILED).err)
            ran = self.run_millrace("schemas", "check", "-", "--json", lines=schema, PGHOST="/nowhere")
            self.assertIn(reason, self.expect(ran, FAILED).json["problem"])
        self.sql("""select millrace.register_schema('k', '{"typ": "object"}')""")  # the server does not know keywords
        self.assertIn("did you mean", self.run_millrace("schemas", "--json").json[0]["problem"])

    def test_are_asked_by_enqueue_when_that_is_wanted(self):
        self.sql("select millrace.create_queue('mail')")
        self.set()
        ran = self.expect(self.run_millrace("enqueue", "mail", "mail.send", '{"to": [7]}', "--check"), FAILED)
        self.assertIn("/to/0: type: string expected, integer found", ran.err)
        lines = '{"to": ["a"]}\n' * 1500 + '{"to": []}\n{}\n'
        ran = self.expect(self.run_millrace("enqueue", "mail", "mail.send", "--check", lines=lines), FAILED)
        self.assertIn('line 1502: the payload: required: there is no "to"', ran.err)
        self.assertIn("Lines up to 1000 were enqueued", ran.err)
        self.assertEqual(self.sql("select count(*) from millrace.jobs"), "1000")
        self.expect(self.run_millrace("enqueue", "mail", "mail.send", '{"to": []}', "--check"), DONE)
        self.expect(self.run_millrace("enqueue", "mail", "mail.send", '{"to": [7]}'), DONE)
        ran = self.expect(self.run_millrace("enqueue", "mail", "other", "7", "--check"), DONE)
        self.assertEqual(ran.err, "kind other has no schema: nothing is checked\n")
        self.assertEqual(self.sql("select count(*) from millrace.jobs"), "1003")


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

    def test_passes_on_when_the_job_expires(self):
        self.expect(self.run_millrace("enqueue", "work", "noop", "--expires-at", "2040-01-01"), DONE)
        self.expect(self.run_millrace("enqueue", "work", "noop", "--expires-at", "2040-01-01", lines="{}\n{}\n"), DONE)
        self.assertEqual(self.sql("select count(*) from millrace.jobs where expires_at = '2040-01-01'"), "3")

    def test_enqueues_no_other_job_with_the_same_key(self):
        unique = ("enqueue", "work", "noop", '{"n": 1}', "--unique-key", "k", "--unique-until", "started")
        first = self.expect(self.run_millrace(*unique, "--json"), DONE).json
        self.assertEqual((first["inserted"], first["replaced"]), (True, False))
        again = self.expect(self.run_millrace(*unique), DONE)
        self.assertEqual((again.out, again.err), (f"{first['id']}\n", "it was there: nothing was enqueued\n"))
        debounce = ("enqueue", "work", "noop", '{"n": 2}', "--unique-key", "k", "--unique-until", "started", "--delay",
                    "1h", "--priority", "1", "--expires-at", "2040-01-01", "--replaces", "payload,run_at")
        again = self.expect(self.run_millrace(*debounce), DONE)
        self.assertEqual((again.out, again.err), (f"{first['id']}\n", "it was there, and has taken this over\n"))
        self.assertEqual(self.run_millrace(*debounce, "--json").json, {"id": first["id"], "inserted": False, "replaced": True})
        self.assertEqual(self.sql("select concat_ws(' ', state, priority, payload, extract(year from expires_at))"
                                  " from millrace.jobs"), 'scheduled 5 {"n": 2} 2040')
        self.expect(self.run_millrace("enqueue", "work", "noop", "{}", "--unique-key", "h", "--unique-for", "1h"), DONE)
        self.assertEqual(self.sql("select expires_at > now() + interval '50 minutes' from millrace.unique_job"
                                  " where unique_key = 'h'"), "t")
        self.assertIn("one job", self.expect(self.run_millrace("enqueue", "work", "noop", "--unique-key", "k",
                                                               lines="{}\n"), USAGE).err)

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
        cancel = ["jobs", "cancel", "--queue", "work", "--all"]
        ran = self.expect(self.run_millrace(*cancel), DONE)
        self.assertIn("would cancel 2 jobs; --yes does it", ran.err)
        self.assertEqual(self.sql("select count(*) from millrace.jobs where state = 'cancelled'"), "0")
        self.expect(self.run_millrace(*cancel, "--yes", "--dry-run"), DONE)
        self.assertEqual(self.sql("select count(*) from millrace.jobs where state = 'cancelled'"), "0")
        self.assertEqual(self.expect(self.run_millrace(*cancel, "--yes"), DONE).out, "cancel: 2 jobs\n")
        self.assertEqual(self.sql("select string_agg(queue, ' ') from millrace.jobs where state = 'cancelled'"),
                         "work work")
        self.assertIn("no job matches", self.expect(self.run_millrace(*cancel, "--yes"), NOTHING).err)

    def test_that_failed_are_replayed_retried_and_discarded_by_filter(self):
        self.sql("select millrace.enqueue_many('mail', 'm', array_fill('{}'::jsonb, array[4]), priority => 0)")
        session = self.sql("select millrace.open_session('w', '{mail}')")
        self.sql(f"select millrace.discard(fence, job_id, case when job_id % 2 = 0 then '421 later' else '550 no' end)"
                 f" from millrace.claim({session}, 'mail', 5) where kind = 'm'")  # with the older one: any may come first
        ran = self.expect(self.run_millrace("jobs", "replay", "--queue", "mail", "--error", "4%", "--json"), DONE)
        self.assertEqual(ran.json, {"matched": 2, "changed": 0, "skipped": 0, "more": False})
        listed = ["jobs", "list", "--queue", "mail", "--error", "4%", "--json"]
        self.assertEqual([row["error"] for row in self.run_millrace(*listed, "--newer-than", "1h").json], 2 * ["421 later"])
        self.expect(self.run_millrace(*listed, "--older-than", "1h"), NOTHING)
        replay = ["jobs", "replay", "--queue", "mail", "--kind", "m", "--yes"]
        ran = self.expect(self.run_millrace(*replay, "--error", "4%", "--max", "1", "--json"), DONE)
        self.assertEqual(ran.json, {"matched": 1, "changed": 1, "skipped": 0, "more": True})
        self.expect(self.run_millrace(*replay, "--newer-than", "1h", "--error", "4%"), DONE)
        self.expect(self.run_millrace(*replay, "--older-than", "1h"), NOTHING)
        dead = self.sql("select min(job_id) from millrace.dead_letters")
        self.expect(self.run_millrace("jobs", "discard", dead, "--queue", "mail", "--yes"), DONE)
        self.expect(self.run_millrace("jobs", "discard", "--queue", "mail", "--error", "550%", "--yes"), DONE)
        self.assertEqual(self.sql("select string_agg(state || ' ' || error, ', ' order by state, id) from millrace.jobs"
                                  " where kind = 'm'"),
                         "available 421 later, available 421 later, cancelled thrown away: 550 no, "
                         "cancelled thrown away: 550 no")
        self.sql(f"select millrace.fail(fence, job_id, 'boom') from millrace.claim({session}, 'mail', 2)")
        self.expect(self.run_millrace("jobs", "retry", "--queue", "mail", "--error", "boom", "--yes"), DONE)
        self.assertEqual(self.sql("select state, count(*) from millrace.jobs where kind = 'm' group by 1 order by 1"),
                         "available|2\ncancelled|2")

    def test_are_chosen_in_a_queue_and_not_by_accident(self):
        for words in (["cancel", "--kind", "noop"], ["cancel", "--queue", "work"], ["replay", "--all"], ["discard"],
                      ["discard", self.ready], ["discard", "--queue", "work"]):
            self.assertIn("needs --queue", self.expect(self.run_millrace("jobs", *words, "--yes"), USAGE).err)
        for words in (["cancel", "--state", "completed"], ["retry", "--state", "running"],
                      ["cancel", "--all", "--kind", "k"]):
            self.assertIn("bad filter", self.expect(self.run_millrace("jobs", *words, "--queue", "work"), FAILED).err)
        self.assertEqual(self.sql("select count(*) from millrace.jobs where state = 'cancelled'"), "0")

    def test_say_which_flag_would_do_nothing(self):
        for words in (["cancel", "--queue", "work", "--all", "--limit", "1", "--yes"], ["list", "--max", "1"],
                      ["list", "--all"], ["show", self.ready, "--queue", "work"]):
            self.assertIn("does nothing with --", self.expect(self.run_millrace("jobs", *words), USAGE).err)
        self.assertEqual(self.sql("select count(*) from millrace.jobs where state = 'cancelled'"), "0")

    def test_are_not_changed_by_a_filter_that_is_empty(self):
        """As `--queue "$UNSET"` would be: it is no filter, and every queue's jobs would match."""
        for flag in ("--queue", "--kind", "--state", "--error"):
            ran = self.expect(self.run_millrace("jobs", "cancel", flag, "", "--yes"), USAGE)
            self.assertIn(f"{flag} is empty", ran.err)
        self.assertEqual(self.sql("select count(*) from millrace.jobs where state = 'cancelled'"), "0")
        self.expect(self.run_millrace("jobs", "cancel"), USAGE)
        self.expect(self.run_millrace("jobs", "cancel", self.mail, "--queue", "work"), USAGE)


class ManyJobs(ProgramTest):
    """More than go into one transaction."""

    def setUp(self):
        super().setUp()
        self.sql("select millrace.create_queue('work')")

    def enqueue(self, amount):
        self.sql(f"select millrace.enqueue_many('work', 'noop', array_fill('{{}}'::jsonb, array[{amount}]))")

    def when_noted(self, statements):
        """Runs statements in the transaction of each action of an operator, when it is almost done."""
        self.sql(f"create function public.noted() returns trigger language plpgsql as $$ begin {statements} return null;"
                 " end $$; create trigger noted after insert on millrace.operator_action"
                 " for each row execute function public.noted()")

    def begin(self, *words):
        process = subprocess.Popen([BINARY, *words], env=self.environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (process.kill(), process.communicate()) if process.poll() is None else None)
        return process

    def test_are_changed_a_thousand_at_a_time_with_a_line_that_says_how_far(self):
        self.enqueue(2500)
        cancel = ["jobs", "cancel", "--queue", "work", "--all"]
        self.assertIn("would cancel 2,500 jobs; --yes", self.run_millrace(*cancel, "--max", "1000000").err)
        ran = self.expect(self.run_millrace(*cancel, "--max", "1100", "--yes", "--json"), DONE)
        self.assertEqual((ran.json, ran.err), ({"matched": 1100, "changed": 1100, "skipped": 0, "more": True},
                                               "there are more: once again, or with a higher --max\n"))
        seen = self.expect(self.run_on_terminal(*cancel, "--max", "1000000", "--yes"), DONE).out
        self.assertRegex(seen, r"1,000 jobs, [\d,]+ a second")
        self.assertTrue(seen.endswith("cancel: 1,400 jobs\n"), seen)
        self.assertEqual(self.sql("select string_agg(affected::text, ' ' order by at) from millrace.operator_actions"
                                  " where action = 'cancel_many'"), "1000 100 1000 400")
        self.enqueue(10001)
        self.assertIn("would cancel more than 10,000 jobs", self.run_millrace(*cancel, "--max", "1000000").err)

    def test_that_fail_again_are_replayed_once(self):
        self.enqueue(1500)
        session = self.sql("select millrace.open_session('w', '{work}')")
        again = f"millrace.discard(c.fence, c.job_id, 'no') from millrace.claim({session}, 'work', 1000) c;"
        self.sql(f"select {again} select {again}")
        self.when_noted(f"perform {again}")
        ran = self.expect(self.run_millrace("jobs", "replay", "--queue", "work", "--all", "--max", "5000", "--yes"), DONE)
        self.assertEqual(ran.out, "replay: 1,500 jobs\n")
        self.assertEqual(self.sql("select count(*) from millrace.dead_letters"), "1500")

    def test_are_left_as_they_are_by_an_interruption_that_lets_the_step_end(self):
        self.enqueue(5000)
        self.when_noted("if (select count(*) > 1 from millrace.operator_action where action = 'cancel_many') then"
                        " perform pg_advisory_xact_lock_shared(77, 77); end if;")
        waits = f"select count(*) from pg_stat_activity where wait_event = 'advisory' and datname = '{self.database}'"
        cancel = ["jobs", "cancel", "--queue", "work", "--all", "--max", "1000000", "--yes"]
        for signals, status in (((signal.SIGINT,), FAILED), ((signal.SIGINT, signal.SIGTERM), 128 + signal.SIGTERM)):
            with subprocess.Popen(["psql", "-X", "-q", "-d", self.database], stdin=subprocess.PIPE, text=True) as holder:
                holder.stdin.write("select pg_advisory_lock(77, 77) \\g /dev/null\n")
                holder.stdin.flush()
                self.wait_until("select count(*) from pg_locks where locktype = 'advisory' and classid = 77 and granted", "1")
                process = self.begin(*cancel)
                self.wait_until(waits, "1")
                for number in signals:
                    process.send_signal(number)
                if status != FAILED:
                    self.assertEqual(process.wait(30), status, "at once, whatever it waits for")
            out, err = process.communicate(timeout=30)
            self.assertEqual(process.returncode, status, err)
            if status == FAILED:
                done = int(self.sql("select count(*) from millrace.jobs where state = 'cancelled'"))
                self.assertEqual((out, err), (f"cancel: {done:,} jobs\n", "interrupted: the others are as they were\n"))
                self.assertIn(done, (2000, 3000, 4000))


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


class Doctor(ProgramTest):
    """On a server that is not durable, which it must say; on one that is, tests/crash asks it."""

    def test_names_what_is_wrong_and_exits_with_1(self):
        self.sql("select millrace.create_queue('work')")
        self.sql("select millrace.enqueue('work', 'noop')")
        session = self.sql("select millrace.open_session('w', '{work}')")
        self.sql(f"select millrace.discard(fence, job_id, 'a\x1b[2J') from millrace.claim({session}, 'work')")
        rows = self.expect(self.run_millrace("doctor", "--json"), FAILED).json
        self.assertEqual([row["severity"] for row in rows], sorted(row["severity"] for row in rows))
        self.assertEqual({row["finding"] for row in rows} - {"fsync off", "full_page_writes off", "synchronous_commit off"},
                         {"dead letters"})
        found = next(row for row in rows if row["finding"] == "dead letters")
        self.assertEqual((found["about"], found["detail"]),
                         ("work", "1 in the last 24 hours, 1 in all; the last one: a\x1b[2J"))
        self.assertIn("--queue work --state discarded", found["remedy"])
        ran = self.expect(self.run_millrace("doctor"), FAILED)
        self.assertIn(found["remedy"], ran.out)
        self.assertNotIn("\x1b", ran.out)
        seen = self.run_on_terminal("doctor", columns=100).out
        self.assertEqual(max(len(line) for line in re.sub(r"\x1b\[[0-9;]*m", "", seen).splitlines()), 100)

    def test_sees_that_the_schema_is_another_program_s(self):
        self.sql("update millrace.function_set set checksum = repeat('0', 64)")
        first = self.expect(self.run_millrace("doctor", "--json"), FAILED).json[0]
        self.assertEqual((first["severity"], first["finding"]), ("critical", "another schema"))
        self.assertIn("millrace migrate up", first["remedy"])

    def test_exits_with_2_when_it_cannot_look(self):
        self.assertIn("--database-url", self.expect(self.run_millrace("doctor", PGHOST="/nowhere"), USAGE).err)
        self.assertIn("permission denied", self.expect(self.run_millrace("doctor", PGOPTIONS="-c role=millrace_worker"),
                                                       USAGE).err)
        self.expect(self.run_millrace("doctor", "work"), USAGE)
        self.sql("drop schema if exists millrace, forks, pipeline cascade")
        self.assertIn("migrate up", self.expect(self.run_millrace("doctor"), USAGE).err)


class Notifications(ProgramTest):
    def test_addresses_are_suppressed_and_let_go(self):
        self.expect(self.run_millrace("notify", "suppressed"), NOTHING)
        ran = self.expect(self.run_millrace("notify", "suppress", "Ada@example.org", "--reason", "complained"), DONE)
        self.assertEqual(ran.out, "suppressed: Ada@example.org\n")
        again = self.expect(self.run_millrace("notify", "suppress", "ada@example.org", "--json"), DONE).json
        self.assertEqual(again, {"address": "ada@example.org", "suppressed": True, "changed": False})
        self.run_millrace("notify", "suppress", "bob@example.org")
        rows = self.expect(self.run_millrace("notify", "suppressed", "--json"), DONE).json
        self.assertEqual([(row["address"], row["reason"]) for row in rows],
                         [("bob@example.org", "by an operator"), ("ada@example.org", "complained")])
        self.assertEqual(len(self.run_millrace("notify", "suppressed", "--limit", "1", "--json").json), 1)
        self.assertEqual(self.expect(self.run_millrace("notify", "unsuppress", "ADA@example.org"), DONE).out,
                         "not suppressed: ADA@example.org\n")
        self.expect(self.run_millrace("notify", "unsuppress", "ada@example.org"), NOTHING)
        self.assertIn("bad address", self.expect(self.run_millrace("notify", "suppress", "ada"), FAILED).err)

    def test_a_user_is_erased_when_somebody_is_certain(self):
        self.sql("select millrace.create_queue('email')")
        self.sql("select notify.emit('cl.comment.created', null, '{ada@example.org}', 'S', 'T')")
        names = "select count(*) from notify.emails where username = 'ada@example.org'"
        ran = self.expect(self.run_millrace("notify", "erase", "ada@example.org"), DONE)
        self.assertEqual(ran.err, "would erase ada@example.org, named in 1 emails; --yes does it\n")
        self.assertEqual(self.sql(names), "1")
        done = self.expect(self.run_millrace("notify", "erase", "ada@example.org", "--yes", "--json"), DONE).json
        self.assertEqual(done, {"user": "ada@example.org", "emails": 1, "erased": True})
        self.assertEqual(self.sql(names), "0")


class Adopt(ProgramTest):
    def test_makes_a_cloned_database_work(self):
        self.sql("select millrace.create_queue('work')")
        self.sql("update millrace.installation set database_name = 'production', database_oid = 1")
        ran = self.expect(self.run_millrace("worker", "--queue", "work"), FAILED)
        self.assertIn("millrace adopt", ran.err)
        self.expect(self.run_millrace("adopt"), DONE)
        self.assertEqual(json.loads(self.run_millrace("adopt", "--json").out), [{"outcome": "adopted"}])
        self.assertEqual(self.sql("select database_name = current_database() from millrace.installation"), "t")


if __name__ == "__main__":
    main()
