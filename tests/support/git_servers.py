"""Git repositories behind real servers on this host: lighttpd with git-http-backend, and sshd. Each serves a directory,
to whoever shows the password or the key that it has made."""

import getpass
import os
import pathlib
import secrets
import select
import shlex
import socket
import subprocess
import time

PATIENCE_SECONDS = 20
BACKEND = "/usr/lib/git-core/git-http-backend"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Served:
    """`variables` are what a program needs in its environment to be let in."""

    def __init__(self, words, port, log):
        self.port, self.variables = port, {}
        with open(log, "wb") as said:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{words[0]} does not start: {pathlib.Path(log).read_text()}") from None
                select.select([], [], [], 0.02)

    def close(self):
        self.process.terminate()
        self.process.wait()


def by_http(repositories, scratch):
    """Repositories of which `http.receivepack` is set can be pushed to. /old/ has moved to /git/."""
    port, password = free_port(), secrets.token_hex(16)
    (scratch / "users").write_text(f"millrace:{password}\n")
    configuration = scratch / "lighttpd.conf"
    configuration.write_text(f"""
        server.modules = ("mod_auth", "mod_authn_file", "mod_redirect", "mod_alias", "mod_setenv", "mod_cgi")
        server.bind = "127.0.0.1"
        server.port = {port}
        server.document-root = "{scratch}"
        server.upload-dirs = ("{scratch}")
        auth.backend = "plain"
        auth.backend.plain.userfile = "{scratch}/users"
        auth.require = ("/git/" => ("method" => "basic", "realm" => "git", "require" => "valid-user"))
        url.redirect = ("^/old/(.*)$" => "/git/$1")
        alias.url = ("/git" => "{BACKEND}")
        setenv.set-environment = ("GIT_PROJECT_ROOT" => "{repositories}", "GIT_HTTP_EXPORT_ALL" => "1",
                                  "GIT_CONFIG_COUNT" => "1", "GIT_CONFIG_KEY_0" => "safe.directory",
                                  "GIT_CONFIG_VALUE_0" => "*")
        cgi.assign = ("" => "")
        """)
    (scratch / "home").mkdir(exist_ok=True)
    netrc = scratch / "home" / ".netrc"
    netrc.write_text(f"machine 127.0.0.1 login millrace password {password}\n")
    netrc.chmod(0o600)
    served = Served(["lighttpd", "-D", "-f", str(configuration)], port, scratch / "lighttpd.log")
    served.url, served.old_url, served.secret = f"http://127.0.0.1:{port}/git", f"http://127.0.0.1:{port}/old", password
    served.variables = {"HOME": str(scratch / "home")}
    return served


def by_ssh(repositories, scratch):
    port = free_port()
    for key in ("host", "person"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", scratch / key], check=True)
    public = (scratch / "person.pub").read_text()
    (scratch / "authorized").write_text(public)
    host = " ".join((scratch / "host.pub").read_text().split()[:2])
    (scratch / "known").write_text(f"[127.0.0.1]:{port} {host}\n")
    configuration = scratch / "sshd_config"
    configuration.write_text(f"ListenAddress 127.0.0.1:{port}\nHostKey {scratch}/host\nPidFile none\nUsePAM no\n"
                             f"AuthorizedKeysFile {scratch}/authorized\nStrictModes no\nPasswordAuthentication no\n"
                             f"PermitRootLogin prohibit-password\n")
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    # ssh reads the configuration in the home of the account, whatever HOME says; this one stands before it in the PATH.
    (scratch / "ssh_config").write_text(f"IdentityFile {scratch}/person\nIdentitiesOnly yes\nBatchMode yes\n"
                                        f"UserKnownHostsFile {scratch}/known\nStrictHostKeyChecking yes\n")
    (scratch / "bin").mkdir()
    wrapper = scratch / "bin" / "ssh"
    wrapper.write_text(f"#!/bin/sh\nexec /usr/bin/ssh -F {shlex.quote(str(scratch))}/ssh_config \"$@\"\n")
    wrapper.chmod(0o755)
    served = Served(["/usr/sbin/sshd", "-D", "-e", "-f", str(configuration)], port, scratch / "sshd.log")
    served.url = f"ssh://{getpass.getuser()}@127.0.0.1:{port}{repositories}"
    served.variables = {"PATH": f"{scratch}/bin:{os.environ['PATH']}"}
    return served
