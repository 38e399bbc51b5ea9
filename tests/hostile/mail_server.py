"""An SMTP server that lets nobody in, and repeats in its refusal whatever it was told."""

import base64
import binascii
import contextlib
import socketserver
import threading


class Talk(socketserver.StreamRequestHandler):
    timeout = 20

    def say(self, text):
        self.wfile.write(text.encode(errors="replace") + b"\r\n")

    def handle(self):
        self.say("220 mail.example ESMTP")
        while line := self.rfile.readline(4096):
            said = line.decode(errors="replace").strip()
            verb = said.upper()
            if verb.startswith("EHLO"):
                self.say("250-mail.example\r\n250 AUTH PLAIN LOGIN")
            elif verb.startswith("AUTH"):
                self.refuse(said)
            elif verb.startswith("QUIT"):
                self.say("221 bye")
                return
            else:
                self.say("250 fine")

    def refuse(self, said):
        word = said.split()[-1]
        if len(said.split()) == 2:
            self.say("334 ")
            word = self.rfile.readline(4096).decode(errors="replace").strip()
        plain = ""
        with contextlib.suppress(binascii.Error):
            plain = base64.b64decode(word).decode(errors="replace").replace("\0", " ")
        self.server.heard.append(plain)
        self.say(f"535 5.7.8 I do not know {word} that is {plain}")


@contextlib.contextmanager
def mail_server():
    """Yields (port, what it was told as passwords)."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        server.daemon_threads, server.heard = True, []
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1], server.heard
        server.shutdown()
        thread.join()
