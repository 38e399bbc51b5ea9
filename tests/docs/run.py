#!/usr/bin/env python3
"""Executes the examples in the documentation, each page on a clone of the template database of its own.

A page's sql, sh, python and js blocks run in their order, from one shell, as a reader would type them; the first that
fails fails the page. Blocks of any other kind (console, text) are shown, not run; but commands and flags of millrace must be
known to it, wherever they stand. Links between pages must lead somewhere. Pages that `./dev pages` writes must be what it
would write now, and tables must have what the sources have.
"""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import commands
import tables

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "bench/README.md", ROOT / "tests/README.md", *sorted(ROOT.glob("docs/**/*.md"))]
# What an order system would have already, so that examples can show an application's own tables.
PREPARE = "create table if not exists orders (id int primary key, customer text not null);"
TIMEOUT_SECONDS = 120
NPM = ROOT / "tests/support/npm/node_modules"
INTERPRETERS = {
    "sql": "psql -X -q -v ON_ERROR_STOP=1",
    "python": "/usr/bin/python3 -",  # Debian's, which has Debian's psycopg2
    "js": f'NODE_PATH={NPM} "$MILLRACE_NODE" -',
}


def blocks(text):
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def script(page):
    parts = ["set -euo pipefail"]
    for kind, body in blocks(page.read_text()):
        if kind == "sh":
            parts.append(body)
        elif kind in INTERPRETERS:
            parts.append(f"{INTERPRETERS[kind]} <<'END_OF_BLOCK'\n{body}END_OF_BLOCK")
    return "\n".join(parts) if len(parts) > 1 else None


def on_database(name, command, environment, **options):
    return subprocess.run(command, env=environment | {"PGDATABASE": name}, text=True, capture_output=True, **options)


@contextlib.contextmanager
def mail_server():
    """One that takes everything, with STARTTLS and a password; yields the settings of a client."""
    words = ["--user", "shop", "--password", "hunter2", "--until-stdin-closes"]
    with subprocess.Popen([os.environ["MILLRACE_NODE"], ROOT / "tests/support/smtp/server.mjs", *words],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        ready = json.loads(server.stdout.readline())
        yield {"MILLRACE_SMTP_URL": f"smtp://localhost:{ready['port']}", "MILLRACE_SMTP_CA_FILE": ready["ca_file"],
               "MILLRACE_SMTP_USERNAME": "shop", "MILLRACE_SMTP_PASSWORD": "hunter2",
               "MILLRACE_SMTP_FROM": "Shop <shop@example.org>"}
        server.stdin.close()


def made_outside(environment):
    """Databases and roles of the server: (kind, name)."""
    listing = "select 'database', datname from pg_database union all select 'role', rolname from pg_roles order by 1"
    listed = on_database("postgres", ["psql", "-X", "-A", "-t", "-F", " ", "-c", listing], environment, check=True)
    return [tuple(line.split(" ", 1)) for line in listed.stdout.splitlines()]


@contextlib.contextmanager
def root_of_links():
    """A folder that looks like the project's, so that what an example writes is not left in it."""
    with tempfile.TemporaryDirectory(prefix="millrace-docs-") as folder:
        for entry in ROOT.iterdir():
            (pathlib.Path(folder) / entry.name).symlink_to(entry)
        yield folder


def run_page(page, environment):
    examples = script(page)
    if examples is None:
        return None
    name = "docs_" + re.sub(r"\W", "_", str(page.relative_to(ROOT)).lower())
    subprocess.run(["dropdb", "--if-exists", "--force", name], env=environment, check=True, capture_output=True)
    subprocess.run(["createdb", "-T", os.environ["MILLRACE_TEST_TEMPLATE"], name], env=environment, check=True)
    before = made_outside(environment)
    try:
        on_database(name, ["psql", "-X", "-q", "-c", "select millrace.adopt()", "-c", PREPARE], environment, check=True)
        if page.name == "README.md":
            on_database(name, ["psql", "-X", "-q", "-c", "select millrace.create_queue('email')"], environment,
                        check=True)
        with mail_server() if page.name == "email.md" else contextlib.nullcontext({}) as settings, \
                root_of_links() as folder:
            done = on_database(name, ["bash", "-c", examples], environment | settings, timeout=TIMEOUT_SECONDS,
                               cwd=folder)
        return "" if done.returncode == 0 else f"{done.stdout}{done.stderr}exit status {done.returncode}"
    finally:
        subprocess.run(["dropdb", "--if-exists", "--force", name], env=environment, check=True, capture_output=True)
        for kind, made in made_outside(environment):  # by an example that failed before it could clean up
            if (kind, made) not in before:
                on_database("postgres", ["psql", "-X", "-q", "-c", f'drop {kind} "{made}"'], environment)


def anchors(page):
    """What a reader's browser can jump to, by the names that forges give to headings."""
    seen, names = {}, set()
    for heading in re.findall(r"^#{1,6} +(.+)$", re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S), re.M):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower().strip()
        name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        seen[name] = seen.get(name, -1) + 1
        names.add(f"{name}-{seen[name]}" if seen[name] else name)
    return names


def broken_links(page):
    """Of this project's own: pages and places in them that are not there."""
    for path, place in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text()):
        target = page.parent / path if path else page
        if not target.exists() or (place and target.suffix == ".md" and place not in anchors(target)):
            yield path + (f"#{place}" if place else "")


def stale_pages():
    """(script, what it says) of each that would write something else."""
    folder = ROOT / "tests/support/dev"
    for script in sorted([*folder.glob("*_reference.py"), *folder.glob("pages.py")]):
        done = subprocess.run([sys.executable, script, "--check"], text=True, capture_output=True, check=False)
        yield script.name, "" if done.returncode == 0 else done.stdout + done.stderr


def checks(environment):
    """(what is checked, what is wrong) of everything; nothing is wrong when the latter is empty."""
    for script, complaint in stale_pages():
        yield f"{script}: its page", complaint
    for check in tables.CHECKS:
        yield check.__name__.replace("_", " "), "\n".join(check())
    refused = list(commands.complaints(commands.WRONG))
    yield "wrong commands are refused", "" if len(refused) == 3 else f"only these: {refused}"
    for page in PAGES:
        where = page.relative_to(ROOT)
        yield f"{where}: links", ", ".join(broken_links(page))
        yield f"{where}: commands", "\n".join(commands.complaints(page.read_text()))
        complaint = run_page(page, environment)
        if complaint is not None:
            yield f"{where}: examples", complaint


def main():
    environment = os.environ | {
        "PATH": f"{pathlib.Path(os.environ['MILLRACE_BINARY']).parent}:{os.environ['PATH']}", "NO_COLOR": "1"}
    passed = failed = 0
    for name, complaint in checks(environment):
        print(f"{'not ok' if complaint else 'ok'}  {name}" + (f"\n{complaint}" if complaint else ""), flush=True)
        passed, failed = passed + (not complaint), failed + bool(complaint)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
