"""A whole mail server for the length of a test: postfix, which asks dovecot who may send, and dovecot's IMAP to read back.

Everything is this test's own: configuration, ports, certificate, queue, mailboxes and log, in one directory that is
removed afterwards. The system's services are not touched, and need not run. Both programs want root to start with;
anybody else needs sudo.
"""

import contextlib
import email
import email.policy
import grp
import imaplib
import os
import pathlib
import pwd
import select
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

PATIENCE_SECONDS = 30
HOST = "localhost"
USER, PASSWORD = "shop", "canary-mta-61d0"
DOMAINS = ("example.org", "xn--bcher-kva.example")
MAILBOXES = ("ada", "bob")
AS_ROOT = [] if os.geteuid() == 0 else ["sudo", "-n"]
OWNER = "millrace-dev" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name

MAIN_CF = """
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/mail.log
maillog_file_prefixes = {home}
myhostname = mail.example.org
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
default_transport = error:this server sends nothing out
smtpd_tls_cert_file = {home}/certificate.pem
smtpd_tls_key_file = {home}/key.pem
smtpd_tls_security_level = encrypt
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_error_sleep_time = 0
message_size_limit = 30000000
virtual_mailbox_domains = {domains}
virtual_mailbox_base = {home}/mail
virtual_mailbox_maps = inline:{{ {mailboxes} }}
virtual_minimum_uid = 100
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
"""
MASTER_CF = """
127.0.0.1:{smtp} inet n - n - - smtpd
127.0.0.1:{smtps} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
error unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
"""
DOVECOT_CONF = """
base_dir = {home}/dovecot
state_dir = {home}/dovecot
log_path = {home}/dovecot.log
listen = 127.0.0.1
protocols = imap
auth_mechanisms = plain login cram-md5
auth_failure_delay = 0
ssl = required
ssl_cert = <{home}/certificate.pem
ssl_key = <{home}/key.pem
mail_location = maildir:{home}/mail/%n
first_valid_uid = 100
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/mail/%n
}}
service auth {{
  unix_listener {home}/queue/private/auth {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
"""


def free_ports(count):
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [server.getsockname()[1] for server in servers]


class MailServer:
    """A context: within it the server runs."""

    def __enter__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="millrace-mta-", dir="/var/tmp"))
        self.smtp, self.smtps, self.imaps = free_ports(3)
        self.ca_file = self.home / "certificate.pem"
        self.processes = []
        try:
            self.configure()
            self.start("dovecot", "-F", "-c", str(self.home / "dovecot.conf"))
            self.await_file(self.home / "queue/private/auth")
            self.start("postfix", "-c", str(self.home / "postfix"), "start-fg")
            for port in (self.imaps, self.smtp, self.smtps):
                self.await_port(port)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        # Its master is no child of the process that was started here, and would outlive it.
        subprocess.run([*AS_ROOT, self.program("postfix"), "-c", str(self.home / "postfix"), "abort"], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for process in reversed(self.processes):
            subprocess.run([*AS_ROOT, "kill", str(process.pid)], check=False, stderr=subprocess.DEVNULL)
        for process in self.processes:
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        subprocess.run([*AS_ROOT, "rm", "-rf", str(self.home)], check=False)

    def configure(self):
        owner = pwd.getpwnam(OWNER)
        self.home.chmod(0o755)
        words = {"home": self.home, "smtp": self.smtp, "smtps": self.smtps, "imaps": self.imaps, "uid": owner.pw_uid,
                 "gid": owner.pw_gid, "password": PASSWORD, "domains": " ".join(DOMAINS),
                 "mailboxes": ", ".join(f"{{ {name}@{domain} = {name}/ }}" for name in MAILBOXES for domain in DOMAINS)}
        (self.home / "postfix").mkdir()
        (self.home / "postfix/main.cf").write_text(MAIN_CF.format(**words))
        (self.home / "postfix/master.cf").write_text(MASTER_CF.format(**words))
        (self.home / "dovecot.conf").write_text(DOVECOT_CONF.format(**words))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "2", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}",
                        "-keyout", self.home / "key.pem", "-out", self.ca_file], check=True, capture_output=True)
        for name in ("queue", "queue/private", "data", "mail", "dovecot"):
            (self.home / name).mkdir()
        self.own(owner.pw_name, grp.getgrgid(owner.pw_gid).gr_name, "mail")
        self.own("postfix", "root", "data", "queue/private")
        self.own("root", "root", "queue", "postfix", "postfix/main.cf", "postfix/master.cf", "dovecot", "key.pem")

    def own(self, user, group, *names):
        subprocess.run([*AS_ROOT, "chown", f"{user}:{group}", *(self.home / name for name in names)], check=True)

    @staticmethod
    def program(name):
        return shutil.which(name, path="/usr/sbin:/usr/bin")

    def start(self, *command):
        found = self.program(command[0])
        with open(self.home / f"{command[0]}.out", "wb") as out:
            self.processes.append(subprocess.Popen([*AS_ROOT, found, *command[1:]], stdin=subprocess.DEVNULL, stdout=out,
                                                   stderr=subprocess.STDOUT))

    def said(self):
        """What the servers have written, for whoever looks into a failure."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.home.glob("*.out")) +
                         sorted(self.home.glob("*.log")) if os.access(path, os.R_OK))

    def wait_until(self, condition, what):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := condition()):
            if time.monotonic() > deadline or any(process.poll() is not None for process in self.processes):
                raise AssertionError(f"no {what}\n{self.said()}")
            select.select([], [], [], 0.02)
        return found

    def await_file(self, path):
        self.wait_until(path.exists, path.name)

    def await_port(self, port):
        def answers():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
                return True
            return False
        self.wait_until(answers, f"answer at port {port}")

    def url(self, security="starttls"):
        return f"smtps://{HOST}:{self.smtps}" if security == "tls" else f"smtp://{HOST}:{self.smtp}"

    def mails(self, mailbox, count):
        """The mails of a mailbox, parsed, once there are so many."""
        def read():
            context = ssl.create_default_context(cafile=self.ca_file)
            with imaplib.IMAP4_SSL(HOST, self.imaps, ssl_context=context) as imap:
                imap.login(mailbox, PASSWORD)
                imap.select("INBOX", readonly=True)
                numbers = imap.search(None, "ALL")[1][0].split()
                if len(numbers) < count:
                    return None
                raw = [imap.fetch(number, "(RFC822)")[1][0][1] for number in numbers]
                return [email.message_from_bytes(mail, policy=email.policy.default) for mail in raw]
        return self.wait_until(read, f"{count} mails for {mailbox}")
