#!/usr/bin/env python3
"""Traces from enqueue to settle, as a small collector receives them by OTLP over HTTP."""

import contextlib
import http.server
import json
import pathlib
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from program import PATIENCE_SECONDS, WorkerProcessTest, free_port, main  # noqa: E402

DONE, USAGE = 0, 2
PRODUCER, CONSUMER, CLIENT = 4, 5, 3
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


class Collector:
    """Keeps the spans that are sent to it; over https with a certificate."""

    def __init__(self, certificate=None):
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = collector.status
                collector.headers.append(self.headers)
                collector.take(self.path, self.headers["Content-Type"], body, status)
                collector.answering.wait()
                with contextlib.suppress(OSError):  # who was kept waiting may have gone
                    self.send_response(status)
                    if status in (429, 503):
                        self.send_header("Retry-After", "1")
                    self.send_header("Content-Length", str(len(collector.answer)))
                    self.end_headers()
                    self.wfile.write(collector.answer)

            def log_message(self, *_):
                pass

        self.status, self.answer = 200, b"{}"
        self.spans, self.headers, self.refused = [], [], 0
        self.news, self.answering = threading.Condition(), threading.Event()
        self.answering.set()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        scheme = "https" if certificate else "http"
        self.endpoint = f"{scheme}://127.0.0.1:{self.server.server_port}/v1/traces"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path, content_type, body, status):
        assert (path, content_type) == ("/v1/traces", "application/json"), (path, content_type)
        with self.news:
            for resource in body["resourceSpans"]:
                service = {a["key"]: a["value"] for a in resource["resource"]["attributes"]}
                assert service["service.name"] == {"stringValue": "millrace"}, service
                for scope in resource["scopeSpans"]:
                    if status == 200:
                        self.spans += scope["spans"]
                    else:
                        self.refused += len(scope["spans"])
            self.news.notify_all()

    def wait(self, condition):
        with self.news:
            assert self.news.wait_for(condition, 30), self.spans

    def hang(self):
        """Until `close`, whoever sends something hears nothing."""
        self.answering.clear()

    def close(self):
        self.answering.set()
        self.server.shutdown()
        self.server.server_close()


def attributes(span):
    return {a["key"]: next(iter(a["value"].values())) for a in span["attributes"]}


class Traces(WorkerProcessTest):
    def setUp(self):
        super().setUp()
        self.sql("select millrace.create_queue('work', max_attempts => 1)")
        self.collector = Collector()
        self.addCleanup(self.collector.close)
        self.tracing = {"MILLRACE_TRACE_ENDPOINT": self.collector.endpoint}

    def spans(self, amount):
        self.collector.wait(lambda: len(self.collector.spans) >= amount)
        return {span["name"]: span for span in self.collector.spans}

    @staticmethod
    def page(port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            return answer.read().decode()

    def wait_for_page(self, port, wanted):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while wanted not in self.page(port):
            self.assertLess(time.monotonic(), deadline, self.page(port))

    def test_the_spans_of_a_job_from_enqueue_to_settle(self):
        job = self.expect(self.run_millrace("enqueue", "work", "noop", "--traceparent", TRACEPARENT, **self.tracing),
                          DONE).out.strip()
        enqueued = self.spans(1)["enqueue work"]
        self.assertEqual((enqueued["traceId"], enqueued["parentSpanId"], enqueued["kind"]), (TRACE, PARENT, PRODUCER))
        worker = self.start("--queue", "work=1", **self.tracing)
        spans = self.spans(4)
        worker.terminate()
        self.assertEqual(self.finish(worker)[0], DONE)
        claim, run, settle = (spans[f"{what} work"] for what in ("claim", "run", "settle"))
        self.assertEqual({span["traceId"] for span in self.collector.spans}, {TRACE})
        self.assertEqual([claim["parentSpanId"], run["parentSpanId"]], [enqueued["spanId"]] * 2)
        self.assertEqual(settle["parentSpanId"], run["spanId"])
        self.assertEqual([span["kind"] for span in (claim, run, settle)], [CLIENT, CONSUMER, CLIENT])
        self.assertLessEqual(int(claim["startTimeUnixNano"]), int(run["startTimeUnixNano"]))
        for span, operation in ((claim, "receive"), (run, "process"), (settle, "settle")):
            said = attributes(span)
            self.assertEqual((said["messaging.system"], said["messaging.destination.name"],
                              said["messaging.operation.type"], said["messaging.message.id"]),
                             ("millrace", "work", operation, job))
            self.assertNotIn("status", span)
        self.assertEqual(attributes(settle)["millrace.job.outcome"], "completed")

    def test_an_error_is_one_and_its_text_stays_here(self):
        self.sql("select millrace.enqueue('work', 'fail', jsonb_build_object('error', 'canary'),"
                 f" traceparent => '{TRACEPARENT}')")
        self.start("--queue", "work=1", **self.tracing)
        run = self.spans(3)["run work"]
        self.assertEqual((run["status"], attributes(run)["error.type"]), ({"code": 2}, "failed"))
        self.assertNotIn("canary", json.dumps(self.collector.spans))

    def test_what_nobody_traces_is_not_told(self):
        self.sql("select millrace.enqueue('work', 'noop')")
        self.sql(f"select millrace.enqueue('work', 'noop', traceparent => '{TRACEPARENT[:-1]}0')")
        self.sql(f"select millrace.enqueue('work', 'noop', traceparent => '{TRACEPARENT}')")
        worker = self.start("--queue", "work=1", **self.tracing)
        self.spans(3)
        worker.terminate()
        self.finish(worker)
        self.assertEqual(sorted(span["name"] for span in self.collector.spans),
                         ["claim work", "run work", "settle work"])

    def test_a_command_without_a_traceparent_begins_no_trace(self):
        self.expect(self.run_millrace("enqueue", "work", "noop", **self.tracing), DONE)
        self.assertEqual(self.sql("select traceparent is null from millrace.jobs"), "t")

    def test_lines_before_one_that_is_refused_are_told_of(self):
        lines = "{}\n" * 1000 + "{]\n"
        ran = self.run_millrace("enqueue", "work", "noop", "--traceparent", TRACEPARENT, lines=lines, **self.tracing)
        self.assertNotEqual(ran.status, DONE)
        enqueued = int(self.sql("select count(*) from millrace.jobs"))
        self.assertGreater(enqueued, 0)
        span = self.spans(1)["enqueue work"]
        self.assertEqual(attributes(span)["messaging.batch.message_count"], str(enqueued))

    def test_a_collector_that_refuses_costs_spans_and_nothing_else(self):
        self.collector.status = 400
        port = free_port()
        self.sql(f"select millrace.enqueue('work', 'noop', traceparent => '{TRACEPARENT}') from generate_series(1, 20)")
        self.start("--queue", "work=4", "--http-listen", f"127.0.0.1:{port}", **self.tracing)
        self.wait_until("select count(*) from millrace.jobs where state <> 'completed'", "0")
        self.collector.wait(lambda: self.collector.refused == 60)
        self.wait_for_page(port, 'millrace_trace_spans_total{fate="dropped"} 60\n')
        self.assertIn('millrace_trace_spans_total{fate="exported"} 0\n', self.page(port))
        self.collector.status = 200
        self.sql(f"select millrace.enqueue('work', 'noop', traceparent => '{TRACEPARENT}')")
        self.spans(3)

    def test_a_collector_that_is_busy_is_asked_again_after_what_it_wants(self):
        for status in (429, 503):
            self.collector.status, self.collector.refused, self.collector.spans = status, 0, []
            self.sql(f"select millrace.enqueue('work', 'noop', traceparent => '{TRACEPARENT}')")
            worker = self.start("--queue", "work=1", **self.tracing)
            self.collector.wait(lambda: self.collector.refused)
            refused_at = time.monotonic()
            self.collector.status = 200
            self.assertEqual(set(self.spans(3)), {"claim work", "run work", "settle work"})
            self.assertGreater(time.monotonic() - refused_at, 0.5)
            worker.terminate()
            self.assertEqual(self.finish(worker)[0], DONE)

    def test_what_a_collector_has_rejected_is_counted(self):
        self.collector.answer = b'{"partialSuccess": {"rejectedSpans": "1", "errorMessage": "too late"}}'
        port = free_port()
        self.sql(f"select millrace.enqueue('work', 'noop', traceparent => '{TRACEPARENT}')")
        self.start("--queue", "work=1", "--http-listen", f"127.0.0.1:{port}", **self.tracing)
        self.spans(3)
        batches = len(self.collector.headers)
        self.wait_for_page(port, f'millrace_trace_spans_total{{fate="dropped"}} {batches}\n')
        self.assertIn(f'millrace_trace_spans_total{{fate="exported"}} {3 - batches}\n', self.page(port))

    def test_a_collector_that_is_away_keeps_no_worker_from_ending(self):
        nowhere = {"MILLRACE_TRACE_ENDPOINT": f"http://127.0.0.1:{free_port()}/v1/traces"}
        self.sql(f"select millrace.enqueue('work', 'noop', traceparent => '{TRACEPARENT}')")
        worker = self.start("--queue", "work=1", **nowhere)
        self.wait_until("select state from millrace.jobs", "completed")
        while "does not take all spans" not in (line := worker.stderr.readline()):
            self.assertTrue(line)
        asked_at = time.monotonic()
        worker.terminate()
        self.assertEqual(self.finish(worker)[0], DONE)
        self.assertLess(time.monotonic() - asked_at, 5)

    def test_a_collector_over_https_is_believed_when_its_authority_is_named_and_gets_its_token(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        authority, both = pathlib.Path(folder.name) / "authority.pem", pathlib.Path(folder.name) / "collector.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                        "2", "-subj", "/CN=collector", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", both,
                        "-out", authority], check=True, capture_output=True)
        both.write_text(both.read_text() + authority.read_text())
        collector = Collector(certificate=both)
        self.addCleanup(collector.close)
        tracing = {"MILLRACE_TRACE_ENDPOINT": collector.endpoint, "MILLRACE_TRACE_HEADER": "X-Token: canary-7f3a"}
        stranger = self.run_millrace("enqueue", "work", "noop", "--traceparent", TRACEPARENT, **tracing)
        self.assertIn("does not take all spans", self.expect(stranger, DONE).err)
        self.assertNotIn("canary", stranger.err)
        self.assertEqual(collector.headers, [], "the token is for nobody else")
        tracing["MILLRACE_TRACE_CA_FILE"] = str(authority)
        self.expect(self.run_millrace("enqueue", "work", "noop", "--traceparent", TRACEPARENT, **tracing), DONE)
        collector.wait(lambda: collector.spans)
        self.assertEqual(collector.headers[0]["X-Token"], "canary-7f3a")

    def test_a_check_says_where_spans_would_go(self):
        checked = self.run_millrace("worker", "--check", "--queue", "work", **self.tracing)
        self.assertIn(f"would send spans of traced jobs to {self.collector.endpoint}\n", self.expect(checked, DONE).out)
        self.assertEqual(self.collector.headers, [])
        missing = self.tracing | {"MILLRACE_TRACE_CA_FILE": "/no/such"}
        refused = self.expect(self.run_millrace("worker", "--check", "--queue", "work", **missing), USAGE)
        self.assertIn("trace.ca_file: cannot read /no/such", refused.err)

    def test_a_collector_that_hangs_keeps_no_worker_from_ending(self):
        self.collector.hang()
        worker = self.start("--queue", "work=1", **self.tracing)
        self.sql(f"select millrace.enqueue('work', 'noop', traceparent => '{TRACEPARENT}')")
        self.collector.wait(lambda: self.collector.spans)
        worker.terminate()
        self.assertEqual(self.finish(worker)[0], DONE)
        self.assertEqual(self.sql("select state from millrace.jobs"), "completed")

    def test_nothing_is_counted_where_nothing_is_traced(self):
        port = free_port()
        self.sql(f"select millrace.enqueue('work', 'noop', traceparent => '{TRACEPARENT}')")
        self.start("--queue", "work=1", "--http-listen", f"127.0.0.1:{port}")
        self.wait_until("select state from millrace.jobs", "completed")
        self.assertNotIn("millrace_trace", self.page(port))
        self.assertEqual(self.collector.spans, [])


if __name__ == "__main__":
    main()
