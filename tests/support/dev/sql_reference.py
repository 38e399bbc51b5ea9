#!/usr/bin/env python3
"""Writes docs/sql.md: every function and view that a role may use, with the comments that stand beside it in sql/.

    sql_reference.py           writes the page
    sql_reference.py --check   only says whether it would change, and which function has no word on it

Who may call what is read from sql/*/grants.sql. A function is explained by the comment right above it, or by the head
of its file when that names it; one that neither explains is refused.
"""

import argparse
import pathlib
import re
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "sql.md"
ROLES = ("millrace_enqueuer", "millrace_worker", "millrace_operator", "millrace_viewer")
SCHEMAS = {"millrace": "The queue", "forks": "Fork synchronisation", "pipeline": "The pipeline",
           "notify": "Notifications"}
INTRODUCTION = """\
# SQL reference

Every function and view that a role may use, with the comments of its source. `./dev pages` writes this page from `sql/`;
a test refuses one that differs, a function that is missing, and one that nothing explains.

[errors.md](../sql/queue/errors.md) has every SQLSTATE, [roles.md](roles.md) the roles in words. Call functions by the
names of their arguments (`max_attempts => 3`): later releases may add some. *Locks* are in the order in which they are
taken; *Rows* bounds what one call writes.
"""

LISTED = r"(?:Arguments|Time|Locks|Raises|Plan|Rows)(?=  )"
COMMENT = r"((?:^--[^\n]*\n)*)"
FUNCTION = re.compile(COMMENT + r"^create or replace function (\w+)\.(\w+)\((.*?)\)( *--[^\n]*)?\n"
                      r"(?:returns (.*?)\n)?language ", re.MULTILINE | re.DOTALL)
VIEW = re.compile(COMMENT + r"^create view (\w+)\.(\w+) as$", re.MULTILINE)


class Thing:
    """A function or a view."""

    def __init__(self, found, source):
        self.comment = plain(found[1])
        self.schema, self.name, self.source = found[2], found[3], source
        self.place = found.start(2)
        self.signature = None
        if found.re is FUNCTION:
            arguments = re.sub(r"^    ", "", textwrap.dedent(found[4].rstrip()), flags=re.MULTILINE)
            opening = "(\n" + textwrap.indent(arguments.strip(), "    ") if "\n" in arguments else "(" + arguments
            self.signature = f"{self.full_name}{opening}){found[5] or ''}"
            if found[6]:
                self.signature += f"\nreturns {found[6].strip()}"

    @property
    def full_name(self):
        return f"{self.schema}.{self.name}"


class File:
    """One theme: the comment at its head, and what it defines."""

    def __init__(self, path):
        self.path = path
        text = path.read_text()
        self.head = plain(re.match(COMMENT, text, re.MULTILINE)[0])
        self.things = sorted((Thing(found, self) for form in (FUNCTION, VIEW) for found in form.finditer(text)),
                             key=lambda thing: thing.place)


def plain(comment):
    """The comment's lines without their dashes."""
    return [line.removeprefix("--").removeprefix(" ").rstrip() for line in comment.splitlines()]


def granted(text):
    """{full name of a function or view: roles} of one grants.sql."""
    rights = {}

    def add(names, roles):
        for name in names:
            rights.setdefault(name, set()).update(roles)

    schema = re.search(r"pronamespace = '(\w+)'", text)
    for role, names in re.findall(r"\('(millrace_\w+)',\s*'\{(.*?)\}'", text, re.DOTALL):
        add((f"{schema[1]}.{name.strip()}" for name in names.split(",")), [role])
    for names, roles in re.findall(r"^grant (?:execute on function|select on) (.*?)\s+to (.*?);", text,
                                   re.DOTALL | re.MULTILINE):
        add(re.split(r",\s*", names), re.findall(r"\w+", roles))
    return rights


def files():
    listed = re.findall(r"^\\ir ((?!\.\./|install/)\S+)$", (ROOT / "sql" / "install.sql").read_text(), re.MULTILINE)
    return [File(ROOT / "sql" / name) for name in listed if not name.endswith("/grants.sql")]


def rights():
    return {name: roles for path in sorted((ROOT / "sql").glob("*/grants.sql"))
            for name, roles in granted(path.read_text()).items()}


def is_explained(thing):
    return bool(thing.comment) or any(re.search(rf"(?<!\w){thing.name}(?!\w)", line) for line in thing.source.head)


def escaped(text):
    return re.sub(r"([*<\[\]|])", r"\\\1", text)


def prose(lines):
    """Markdown of a comment: its paragraphs, its diagrams as they are, and its list of locks, errors and rows."""
    parts = []
    text = re.sub(rf"^((?!{LISTED})\S.*)\n(?={LISTED})", r"\1\n\n", "\n".join(lines), flags=re.MULTILINE)
    for block in re.split(r"\n{2,}", text):
        indented = [line.startswith("    ") for line in block.splitlines()]
        if all(indented):
            parts.append("```text\n" + textwrap.dedent(block) + "\n```")
        elif re.match(LISTED, block):
            parts.append(list_of(block))
        else:
            parts.append("\n".join(escaped(line.strip()) for line in block.splitlines()))
    return "\n\n".join(part for part in parts if part.strip())


def list_of(block):
    """`Locks  the job's row` with the lines below it that go on in the same column; arguments are a line each."""
    items = []
    for line in block.splitlines():
        found = re.match(rf"({LISTED})\s+", line)
        if found:
            items.append((found[1], found.end(), [line[found.end():]]))
        else:
            _, column, lines = items[-1]
            lines.append(line.removeprefix(" " * column))
    texts = []
    for word, _, lines in items:
        if word == "Arguments":
            texts.append("- *Arguments*\n\n  ```text\n" + textwrap.indent("\n".join(lines), "  ") + "\n  ```\n")
        else:
            texts.append(f"- *{word}* " + escaped(" ".join(line.strip() for line in lines)))
    return "\n".join(texts)


def titled(head):
    """(names, the rest of the head) of `names: what it does`."""
    names, rest = re.match(r"([a-z][a-z_, ]*): (.*)", head[0]).groups()
    return names, [rest[:1].upper() + rest[1:], *head[1:]]


def section_of(source, shown, allowed):
    names, rest = titled(source.head)
    lines = [f"### {names}", "", prose(rest), ""]
    for thing in shown:
        roles = ", ".join(role.removeprefix("millrace_") for role in ROLES if role in allowed[thing.full_name])
        kind = "function" if thing.signature else "view"
        lines += [f"#### {thing.full_name}", ""]
        if thing.signature:
            lines += ["```plpgsql", thing.signature, "```", ""]
        if thing.comment:
            lines += [prose(thing.comment), ""]
        where = thing.source.path.relative_to(ROOT)
        lines += [f"{kind.capitalize()} for {roles}, in [`{where}`](../{where}).", ""]
    return lines


def page_of(sources, allowed):
    shown = {source: [thing for thing in source.things if allowed.get(thing.full_name)] for source in sources}
    lines = [INTRODUCTION, "| | enqueuer | worker | operator | viewer |", "|---|---|---|---|---|"]
    index = sorted({thing.full_name for things in shown.values() for thing in things},
                   key=lambda name: (list(SCHEMAS).index(name.split(".")[0]), name))
    for name in index:
        marks = " | ".join("yes" if role in allowed[name] else "" for role in ROLES)
        lines.append(f"| [`{name}`](#{name.replace('.', '')}) | {marks} |")
    lines.append("")
    for schema, title in SCHEMAS.items():
        lines += [f"## {title}: schema `{schema}`", ""]
        for source, things in shown.items():
            if things and things[0].schema == schema:
                lines += section_of(source, things, allowed)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def complaints(sources, allowed):
    things = {thing.full_name: thing for source in sources for thing in source.things}
    tables = {"millrace.migration", "millrace.function_set"}  # who installs must read them; they are no view
    for name in sorted(allowed.keys() - things.keys() - tables):
        yield f"{name}: granted, but no file of sql/install.sql makes it"
    for name in sorted(allowed.keys() & things.keys()):
        if not is_explained(things[name]):
            yield f"{name}: neither a comment above it nor the head of {things[name].source.path.name} explains it"


def main():
    parser = argparse.ArgumentParser(description="writes docs/sql.md from the comments in sql/")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the page would change")
    arguments = parser.parse_args()
    sources, allowed = files(), rights()
    wrong = list(complaints(sources, allowed))
    page = page_of(sources, allowed)
    if not arguments.check and not wrong:
        PAGE.write_text(page)
    if not PAGE.exists() or PAGE.read_text() != page:
        wrong.append("docs/sql.md is not what sql/ says: ./dev pages writes it")
    print("\n".join(wrong) if wrong else "docs/sql.md is as sql/ says")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
