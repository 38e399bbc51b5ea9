"""WireMock, an HTTP server that nobody here wrote, on a port of its own: it plays the faults that a file of mappings
says, and counts what it was asked. It ends with this program, even if that is killed."""

import http.client
import json
import pathlib
import re
import select
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
JAR_FOLDER = HERE / "npm" / "node_modules" / "wiremock" / "build"
PATIENCE_SECONDS = 60  # for a Java to start beside everything else


class WireMock:
    def __init__(self):
        self.scratch = tempfile.TemporaryDirectory()
        log = pathlib.Path(self.scratch.name) / "log"
        [jar] = JAR_FOLDER.glob("wiremock-standalone-*.jar")
        with open(log, "wb") as said:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m",
                 "-jar", jar, "--port", "0", "--bind-address", "127.0.0.1", "--root-dir", self.scratch.name],
                stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (port := re.search(r"^port: +(\d+)$", log.read_text(), re.MULTILINE)):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise RuntimeError("WireMock does not start: " + log.read_text())
            select.select([], [], [], 0.02)
        self.port = int(port[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def close(self):
        self.process.kill()
        self.process.wait()
        self.scratch.cleanup()

    def play(self, mappings):
        """Those of this file and no others, from the beginning; nothing has been asked yet."""
        self.admin("POST", "/reset")
        self.admin("POST", "/mappings/import", pathlib.Path(mappings).read_text())

    def count(self, method, path):
        """How often it was asked this; the path is a regular expression."""
        return self.admin("POST", "/requests/count", json.dumps({"method": method, "urlPathPattern": path}))["count"]

    def unexpected(self):
        """What it was asked and has no mapping for."""
        asked = self.admin("GET", "/requests/unmatched")["requests"]
        return [request["method"] + " " + request["url"] for request in asked]

    def admin(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        connection.request(method, "/__admin" + path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"WireMock, {method} {path}: {answer.status} {text}")
        return json.loads(text) if text else None
