#!/usr/bin/env python3
"""A server that wants a password and TLS: what a service file, a password file and an authority say is used.

It is a cluster of its own. The worker's role comes over TLS with a password, or not at all.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from program import WorkerProcessTest, main  # noqa: E402

CLUSTER = os.environ["MILLRACE_TEST_CLUSTER"]
NAME = "secured"
DONE, FAILED = 0, 1
PASSWORD = "correct horse battery staple"
# By the server's user, in its own folder.
CERTIFICATE = ("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=millrace"
               " -addext subjectAltName=DNS:localhost -keyout {0}.key -out {0}.crt 2>openssl.log")
RULES = ("printf \"hostssl all secured 127.0.0.1/32 scram-sha-256\\nhost all secured 127.0.0.1/32 reject\\n\""
         " | cat - pg_hba.conf >pg_hba.new && mv pg_hba.new pg_hba.conf")


class Secured(WorkerProcessTest):
    template = None

    @classmethod
    def setUpClass(cls):
        subprocess.run([CLUSTER, "start", NAME, "--fast"], check=True, stdout=subprocess.DEVNULL)
        cls.addClassCleanup(subprocess.run, [CLUSTER, "destroy", NAME], check=True)
        lines = subprocess.run([CLUSTER, "env", NAME], check=True, capture_output=True, text=True).stdout.splitlines()
        there = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        for variable, value in there.items():
            cls.addClassCleanup(os.environ.__setitem__, variable, os.environ[variable])
            os.environ[variable] = value
        cls.port = there["PGPORT"]
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        for name in ("server", "another"):
            cls.on_the_server(CERTIFICATE.format(name))
        cls.on_the_server(RULES)
        cls.psql("create role secured login password '" + PASSWORD + "'", "alter system set ssl = on",
                 "select pg_reload_conf()")
        for name in ("server", "another"):
            path = pathlib.Path(cls.folder.name, f"{name}.crt")
            path.write_text(cls.psql(f"select pg_read_file('{name}.crt')"))

    @classmethod
    def psql(cls, *statements):
        words = [word for statement in statements for word in ("-c", statement)]
        return subprocess.run(["psql", "-X", "-A", "-t", "-q", "-d", "postgres", *words], check=True,
                              capture_output=True, text=True).stdout

    @classmethod
    def on_the_server(cls, command):
        cls.psql(f"copy (select) to program 'cat >/dev/null; {command}'")

    def setUp(self):
        super().setUp()
        self.expect(self.run_millrace("migrate", "up"), DONE)
        self.sql("select millrace.create_queue('mail'); grant millrace_operator, millrace_worker to secured")
        for variable in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE"):
            self.environment.pop(variable)
        self.environment["PGSERVICEFILE"] = self.write("services", (
            f"[shop]\nhost=localhost\nhostaddr=127.0.0.1\nport={self.port}\ndbname={self.database}\nuser=secured\n"
            f"sslmode=verify-full\nsslrootcert={self.folder.name}/server.crt\nconnect_timeout=20\n"))
        self.environment["PGPASSFILE"] = self.write("passwords", f"*:*:*:secured:{PASSWORD}\n")

    def write(self, name, text):
        path = pathlib.Path(self.folder.name, name)
        path.write_text(text)
        path.chmod(0o600)
        return str(path)

    def test_is_reached_by_a_service_and_all_of_a_worker_s_connections_are_over_tls(self):
        job = self.expect(self.run_millrace("enqueue", "mail", "noop", "--database-url", "service=shop"), DONE)
        process = self.start("--queue", "mail", PGSERVICE="shop")
        self.wait_until(f"select state from millrace.jobs where id = {job.out.strip()}", "completed")
        self.wait_until("select signal_raised from millrace.queues", "t")
        theirs = (" from pg_stat_activity join pg_stat_ssl using (pid)"
                  f" where datname = '{self.database}' and application_name like 'millrace %'")
        self.assertEqual(self.sql("select bool_and(ssl) and count(*) >= 4" + theirs), "t")
        self.assertEqual(self.sql("select distinct usename" + theirs), "secured")
        process.terminate()
        self.assertEqual(self.finish(process)[0], DONE)

    def refused(self, said, url="service=shop", **variables):
        ran = self.expect(self.run_millrace("queues", "--database-url", url, **variables), FAILED)
        self.assertIn(said, ran.err)
        self.assertNotIn(PASSWORD, ran.err)
        self.assertNotIn("another password", ran.err)

    def test_is_not_believed_with_a_certificate_of_another_authority_or_for_another_name(self):
        self.expect(self.run_millrace("queues", "--database-url", "service=shop"), DONE)
        self.refused("certificate verify failed", f"service=shop sslrootcert={self.folder.name}/another.crt")
        self.refused("does not match host name", "service=shop host=elsewhere.example.org")
        self.expect(self.run_millrace("queues", "--database-url", "service=shop host=elsewhere.example.org"
                                      " sslmode=verify-ca"), DONE)

    def test_refuses_who_has_no_password_another_one_or_no_tls(self):
        self.refused("no password supplied", PGPASSFILE="/dev/null")
        self.refused("password authentication failed",
                     PGPASSFILE=self.write("wrong", "*:*:*:secured:another password\n"))
        self.refused("pg_hba.conf rejects", "service=shop sslmode=disable")


if __name__ == "__main__":
    main()
