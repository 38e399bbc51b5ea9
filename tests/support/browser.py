"""A real browser without a window: Chromium, told what to do over a pipe by its own protocol (Chrome DevTools Protocol).

Each browser has a profile of its own, and so cookies of its own, which are gone with it.
"""

import contextlib
import json
import os
import select
import subprocess
import tempfile
import time

PROGRAM = "chromium-headless-shell"
PATIENCE_SECONDS = 30
# Nothing of this machine is needed but the page; the sandbox cannot be had by root.
FLAGS = ["--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-extensions"]


class Browser:
    def __init__(self, width=1024, dark=False):
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_read, self.write_to = os.pipe()
        self.read_from, to_write = os.pipe()
        # The protocol is spoken on the descriptors 3 and 4, whatever numbers ours have.
        script = f'exec 3<&{to_read} 4>&{to_write}; exec "$0" "$@"'
        self.process = subprocess.Popen(
            ["bash", "-c", script, PROGRAM, *FLAGS, f"--user-data-dir={self.profile.name}", "about:blank"],
            pass_fds=(to_read, to_write), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.number, self.unread, self.session, self.events = 0, b"", None, []
        page = next(target for target in self.ask("Target.getTargets")["targetInfos"] if target["type"] == "page")
        self.session = self.ask("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")
        self.resize(width)
        if dark:
            self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])

    def read(self):
        """The next message, which ends with a zero byte."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while b"\0" not in self.unread:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.read_from], [], [], left)[0]:
                raise AssertionError("the browser says nothing")
            part = os.read(self.read_from, 65536)
            if not part:
                raise AssertionError("the browser has ended")
            self.unread += part
        message, _, self.unread = self.unread.partition(b"\0")
        return json.loads(message)

    def ask(self, method, **parameters):
        self.number += 1
        order = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            order["sessionId"] = self.session
        os.write(self.write_to, json.dumps(order).encode() + b"\0")
        while (message := self.read()).get("id") != self.number:
            self.events.append(message)
        if "error" in message:
            raise AssertionError(f"{method}: {message['error']}")
        return message["result"]

    def wait_for(self, method):
        while True:
            for at, event in enumerate(self.events):
                if event.get("method") == method:
                    return self.events.pop(at)["params"]
            self.events.append(self.read())

    def resize(self, width, height=800):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                 mobile=width < 600)

    def open(self, url):
        """Returns when the page has been loaded, and whatever it loads."""
        self.forget_loads()
        answer = self.ask("Page.navigate", url=url)
        if "errorText" in answer:
            raise AssertionError(f"{url}: {answer['errorText']}")
        self.wait_for("Page.loadEventFired")

    def forget_loads(self):
        self.events = [event for event in self.events if event.get("method") != "Page.loadEventFired"]

    def evaluate(self, expression):
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, userGesture=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def press(self, selector):
        """As a click would; returns when the page that follows has been loaded."""
        self.forget_loads()
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")
        self.wait_for("Page.loadEventFired")

    def type(self, selector, text):
        self.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")
        self.ask("Input.insertText", text=text)

    def text(self):
        return self.evaluate("document.body.innerText")

    def url(self):
        return self.evaluate("location.href")

    def cookies(self):
        return self.ask("Network.getCookies")["cookies"]

    def complaints(self):
        """What it has refused to load or to run, and what went wrong in a page."""
        self.ask("Runtime.evaluate", expression="0")  # what came before this is known then
        return [event for event in self.events
                if event.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled")
                or event.get("method") == "Log.entryAdded" and event["params"]["entry"]["source"] == "security"]

    def dialogs(self):
        return [event for event in self.events if event.get("method") == "Page.javascriptDialogOpening"]

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.write_to)
        with contextlib.suppress(OSError):
            os.close(self.read_from)
        self.profile.cleanup()
