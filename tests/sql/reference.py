#!/usr/bin/env python3
"""docs/sql.md has every function and view that a role may use, by the rights that the database has, and no other.

Prints TAP, for tests/support/pgtap_file.sh.
"""

import pathlib
import re

import psycopg2

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "sql.md"
ROLES = ("enqueuer", "worker", "operator", "viewer")
RIGHTS = """
select o.schema || '.' || o.name, r.role
  from (select pronamespace::regnamespace::text as schema, proname::text as name, oid, null::oid as relation
          from pg_proc
         union all
        select relnamespace::regnamespace::text, relname, null, oid from pg_class where relkind = 'v') o
 cross join unnest(%s) r(role)
 where o.schema in ('millrace', 'forks', 'pipeline', 'notify')
   and (has_function_privilege('millrace_' || r.role, o.oid, 'execute')
        or has_table_privilege('millrace_' || r.role, o.relation, 'select'))
"""


def described(text):
    """{(function or view, role)} of the table at the top of the page."""
    rows = re.findall(r"^\| \[`([\w.]+)`\]\(#\w+\) \| (.*) \|$", text, re.MULTILINE)
    return {(name, role) for name, cells in rows for role, cell in zip(ROLES, cells.split(" | ")) if cell == "yes"}


def main():
    with psycopg2.connect("") as connection, connection.cursor() as cursor:
        cursor.execute(RIGHTS, [list(ROLES)])
        allowed = set(cursor.fetchall())
    text = PAGE.read_text()
    undescribed, unallowed = allowed - described(text), described(text) - allowed
    headings = set(re.findall(r"^#### ([\w.]+)$", text, re.MULTILINE))
    headless = {name for name, _ in allowed} - headings
    checks = (("every right of every role is in the table", undescribed, bool(allowed)),
              ("the table promises nothing else", unallowed, True),
              ("each of them has a paragraph", headless, bool(headings)))
    for number, (name, wrong, is_there) in enumerate(checks, 1):
        print(f"{'ok' if not wrong and is_there else 'not ok'} {number} - {name}")
        if wrong:
            print(f"# {sorted(wrong)}\n# ./dev pages writes docs/sql.md")
    print(f"1..{len(checks)}")


if __name__ == "__main__":
    main()
