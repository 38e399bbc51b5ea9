"""Programs of tests side by side, in lanes. Each lane has a cluster of its own: a transaction that is open elsewhere on a
cluster holds the low-water, and roles and sessions are everybody's.

Environment: MILLRACE_BINARY and MILLRACE_TEST_CLUSTER, the script that makes clusters; of the first lane's cluster
MILLRACE_TEST_CLUSTER_NAME and what `of_cluster` gives.
"""

import os
import subprocess
import threading

TEMPLATE = "millrace_template"
LABEL_LIMIT = 100


def cluster_script(environment, *words):
    return subprocess.run([environment["MILLRACE_TEST_CLUSTER"], *words], check=True, capture_output=True, text=True).stdout


def of_cluster(environment, name, mode):
    """Starts it, and puts the template on it: the environment, and what programs are told of the cluster."""
    cluster_script(environment, "start", name, mode)
    lines = cluster_script(environment, "env", name).splitlines()
    connection = dict(line.removeprefix("export ").split("=", 1) for line in lines)
    make_template(environment | connection)
    return environment | connection | {
        "MILLRACE_TEST_CLUSTER_NAME": name,
        "MILLRACE_TEST_TEMPLATE": TEMPLATE,
        "MILLRACE_TEST_ADMIN": f"host={connection['PGHOST']} port={connection['PGPORT']} "
                               f"user={connection['PGUSER']} dbname=postgres"}


def make_template(environment):
    def psql(database, text):
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database], input=text, text=True, check=True,
                       env=environment, stdout=subprocess.DEVNULL)
    psql("postgres", f"set client_min_messages = warning; drop database if exists {TEMPLATE} with (force);")
    psql("postgres", f"create database {TEMPLATE};")
    psql(TEMPLATE, "create extension pgtap;")
    subprocess.run([environment["MILLRACE_BINARY"], "migrate", "up"], env=environment | {"PGDATABASE": TEMPLATE},
                   check=True, stdout=subprocess.DEVNULL)


class Lanes:
    """`environments` has one for each lane, the caller's own first. The clusters of the others are gone afterwards."""

    def __init__(self, number):
        own = os.environ["MILLRACE_TEST_CLUSTER_NAME"]
        self.names = [f"{own}_{lane}" for lane in range(1, number)]
        self.environments = [os.environ | {}]

    def __enter__(self):
        for name in self.names:
            self.environments.append(of_cluster(os.environ | {}, name, "--fast"))
        return self

    def __exit__(self, *_):
        for name in self.names:
            cluster_script(os.environ, "destroy", name)

    def run(self, commands):
        """Each of them by the next lane that is free; what it prints comes when it has ended. Whether all went well."""
        commands = list(commands)
        waiting, statuses, turn = [*commands], [], threading.Lock()

        def work(environment):
            while True:
                with turn:
                    if not waiting:
                        return
                    command = waiting.pop(0)
                done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
                with turn:
                    statuses.append(done.returncode)
                    print(" ".join([os.path.basename(command[0]), *command[1:]])[:LABEL_LIMIT], done.stdout, sep="\n",
                          end="", flush=True)

        workers = [threading.Thread(target=work, args=[environment]) for environment in self.environments]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return len(statuses) == len(commands) and not any(statuses)
