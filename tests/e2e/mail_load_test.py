#!/usr/bin/env python3
"""Thousands of mails through two workers, one of which is killed: every mail arrives, and what arrives twice is told.

2,000 of them; 10,000 with MILLRACE_TEST_WHOLE=1, which `./dev test --whole` sets.
"""

import collections
import json
import os
import pathlib
import select
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from program import PATIENCE_SECONDS, WorkerProcessTest, main  # noqa: E402

DONE = 0
SERVER = pathlib.Path(__file__).resolve().parents[1] / "support/smtp/server.mjs"
MAILS = 10_000 if os.environ.get("MILLRACE_TEST_WHOLE") == "1" else 2_000


class MailLoadTest(WorkerProcessTest):
    def setUp(self):
        super().setUp()
        self.sql("select millrace.create_queue('email', retry_base => '100 ms')")
        self.received = tempfile.NamedTemporaryFile()  # read by its name while the server writes it
        self.addCleanup(self.received.close)
        self.server = subprocess.Popen([os.environ.get("MILLRACE_NODE", "node"), SERVER, "--until-stdin-closes",
                                        "--security", "none", "--out", self.received.name],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop_server)
        self.port = json.loads(self.server.stdout.readline())["port"]

    def stop_server(self):
        self.server.stdin.close()
        self.server.wait(PATIENCE_SECONDS)
        self.server.stdout.close()

    def start(self, name):
        return super().start("--name", name, "--queue", "email=8", "--lease", "2s", "--smtp-url", f"smtp://127.0.0.1:{self.port}",
                             "--smtp-security", "none", "--smtp-from", "shop@example.org")

    def arrived(self):
        with open(self.received.name, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    def count_arrived(self):
        with open(self.received.name, "rb") as lines:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: lines.read(1 << 20), b""))

    def test_each_mail_arrives_though_a_worker_is_killed(self):
        began = time.monotonic()
        self.sql(f"""select cardinality(millrace.enqueue_many('email', 'email.send', array_agg(jsonb_build_object(
                        'to', 'r' || i || '@example.org', 'subject', 'Mail ' || i, 'text', 'Text of ' || i))))
                     from generate_series(1, {MAILS}) i""")
        victim, survivor = self.start("victim"), self.start("survivor")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.count_arrived() < MAILS // 4:
            self.assertLess(time.monotonic(), deadline)
            select.select([], [], [], 0.01)
        victim.kill()
        victim.wait()
        at_kill = self.count_arrived()
        in_hand = int(self.sql("select count(*) from millrace.jobs where state = 'running' and worker = 'victim'"))
        self.wait_until("select count(*) from millrace.jobs where state = 'completed'", str(MAILS), patience=120)
        seconds = time.monotonic() - began
        survivor.terminate()
        self.assertEqual(self.finish(survivor)[0], DONE)

        ids = collections.defaultdict(list)
        for mail in self.arrived():
            ids[mail["to"][0]["address"]].append(mail["messageId"])
        self.assertEqual(set(ids), {f"r{i}@example.org" for i in range(1, MAILS + 1)})
        twice = [messages for messages in ids.values() if len(messages) > 1]
        self.assertEqual([messages for messages in twice if len(set(messages)) > 1], [])
        self.assertEqual(len({messages[0] for messages in ids.values()}), MAILS)
        # Only what the dead worker had taken and not yet settled can come twice.
        self.assertLessEqual(sum(len(messages) - 1 for messages in twice), in_hand)
        results = self.sql("select count(distinct result ->> 'message_id') from millrace.jobs")
        self.assertEqual(results, str(MAILS))
        print(f"\n{MAILS} mails to {len(ids)} recipients, one of two workers killed after {at_kill} with {in_hand} in hand: "
              f"none lost, {len(twice)} came twice, each with its own Message-ID again; {seconds:.1f} s")


if __name__ == "__main__":
    main()
