"""A second host on this machine: a network namespace with a cable to ours, which can be cut, closed or made lossy.

Needs root. Also a small proxy that holds back what passes through it, because not every kernel can.
"""

import collections
import os
import selectors
import socket
import subprocess
import threading
import time

CHUNK = 65536


def run(*words, text=None):
    done = subprocess.run(list(map(str, words)), input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr.strip()}")
    return done.stdout


class Cable:
    """Between this host (`here`) and the namespace `name`, whose processes see nothing else of the world."""

    def __init__(self):
        number = os.getpid() % 60
        self.name = f"millrace-chaos-{os.getpid()}"
        self.device, self.far_device = f"mrc{os.getpid()}", f"mrf{os.getpid()}"
        self.here, there = f"192.0.2.{4 * number + 1}", f"192.0.2.{4 * number + 2}"
        run("ip", "netns", "add", self.name)
        try:
            run("ip", "link", "add", self.device, "type", "veth", "peer", "name", self.far_device, "netns", self.name)
            run("ip", "address", "add", f"{self.here}/30", "dev", self.device)
            run("ip", "link", "set", self.device, "up")
            self.inside("ip", "address", "add", f"{there}/30", "dev", self.far_device)
            self.inside("ip", "link", "set", self.far_device, "up")
            self.inside("ip", "link", "set", "lo", "up")
        except RuntimeError:
            self.remove()
            raise

    def prefix(self):
        return ["ip", "netns", "exec", self.name]

    def inside(self, *words, text=None):
        return run(*self.prefix(), *words, text=text)

    def filter(self, rule):
        """`rule` holds for all that goes through the cable, both ways."""
        chains = "\n".join(f"chain {hook} {{ type filter hook {hook} priority 0; \n meta l4proto tcp {rule}\n }}"
                           for hook in ("input", "output"))
        self.inside("nft", "-f", "-", text=f"table inet chaos {{\n{chains}\n}}\n")

    def mend(self):
        self.inside("nft", "flush", "ruleset")

    def remove(self):
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", self.device], capture_output=True, check=False)


class Proxy(threading.Thread):
    """Passes connections on to a port of this host, each piece `delay` seconds late."""

    def __init__(self, address, port, target):
        super().__init__(daemon=True)
        self.delay, self.target = 0.0, target
        self.listener = socket.create_server((address, port))
        self.port = port
        self.selector = selectors.DefaultSelector()
        self.queues = collections.defaultdict(collections.deque)  # socket: (when it may go out, bytes)
        self.start()

    def run(self):
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        while True:
            for key, _ in self.selector.select(self.pause()):
                if key.fileobj is self.listener:
                    self.accept()
                elif key.fileobj.fileno() >= 0:  # not closed together with its other side a moment ago
                    self.receive(key.fileobj, key.data)
            self.send_due()

    def pause(self):
        nearest = min((queue[0][0] for queue in self.queues.values() if queue), default=None)
        return 1.0 if nearest is None else max(0.0, nearest - time.monotonic())

    def accept(self):
        client, _ = self.listener.accept()
        try:
            server = socket.create_connection(self.target, timeout=5)
            server.settimeout(None)
        except OSError:
            client.close()
            return
        for near, far in ((client, server), (server, client)):
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(near, selectors.EVENT_READ, far)

    def receive(self, near, far):
        try:
            data = near.recv(CHUNK)
        except OSError:
            data = b""
        if data:
            self.queues[far].append((time.monotonic() + self.delay, data))
        else:
            self.end(near, far)

    def send_due(self):
        for far, queue in list(self.queues.items()):
            while queue and queue[0][0] <= time.monotonic():
                try:
                    far.sendall(queue.popleft()[1])
                except OSError:
                    queue.clear()  # its other side is closed when it is read from next

    def end(self, *pair):
        for side in pair:
            self.queues.pop(side, None)
            try:
                self.selector.unregister(side)
            except KeyError:
                pass
            side.close()
