"""Tables of the documentation that must have what the sources have: no row too few, none too many.

Each check yields what is wrong. The first column of a table has names in backquotes.
"""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Short texts of sql/queue/explain.sql that are no causes: states, a time zone, and words to people.
NO_CAUSES = {"alive", "available", "blocked", "discarded", "lost", "open", "overdue", "utc", "start a worker that does",
             "the next claim takes it"}


def read(path):
    return (ROOT / path).read_text()


def table(page, head):
    """[(names, words of the second column)] of the page's table that begins with this line."""
    lines = read(page).partition(f"\n{head}")[2].partition("\n\n")[0]
    for names, words in re.findall(r"^\| ((?:`[^`]+`(?:, )?)+) \| ([^|]*) \|", lines, re.MULTILINE):
        yield re.findall(r"`([^`]+)`", names), set(words.split(", "))


def difference(what, page, documented, in_sources):
    for name in sorted(in_sources - documented):
        yield f"{page} lacks the {what} {name}"
    for name in sorted(documented - in_sources):
        yield f"{page} has the {what} {name}, which is not in the sources"


def logged():
    """{message: its levels} of every line that the program may log."""
    found = {}
    for source in sorted(ROOT.glob("worker/**/*.cpp")):
        for call in re.findall(r"\bwrite\(([^;]*?);", source.read_text()):
            head = re.split(r",\s*(?:\{|job\b|attempt\.job)", call)[0]
            for message in re.findall(r'"([^"\\]+)"', head) if "Level::" in head else ():
                found.setdefault(message, set()).update(re.findall(r"Level::(\w+)", head))
    return found


def log_messages():
    page, known = "docs/metrics.md", logged()
    documented = list(table(page, "| message | level |"))
    yield from difference("log message", page, {name for names, _ in documented for name in names}, set(known))
    for names, levels in documented:
        if levels != set().union(*(known.get(name, set()) for name in names)):
            yield f"{page}: {', '.join(names)}: not logged at these levels"


def doctor_findings():
    page, source = "docs/doctor.md", read("sql/queue/doctor_checks.sql")
    setting = r"\('(\w+)', '(critical|warning)', '[^']+'\)"
    found = {f"{name} off, {severity}" for name, severity in re.findall(setting, source)}
    found |= {f"{name}, {severity}" for severity, name in
              re.findall(r"'(critical|warning|note)', '([^']+)'", re.sub(setting, "", source))}
    found |= {f"{name}, critical" for name in re.findall(r'\.finding = "([^"]+)"', read("worker/cli/doctor.cpp"))}
    documented = {f"{name}, {severity}" for names, severities in table(page, "| finding | severity |")
                  for name in names for severity in severities}
    yield from difference("finding", page, documented, found)


def explained_causes():
    page = "docs/explain.md"
    texts = re.findall(r"'((?:[^']|'')*)'|--[^\n]*", read("sql/queue/explain.sql"))
    causes = {text for text in texts if re.fullmatch(r"[a-z]+( [a-z]+){0,4}", text)} - NO_CAUSES
    waits, = re.findall(r"waits_for in \(([^)]*)\)", read("migrations/0003_create_jobs.sql"))
    causes |= set(re.findall(r"'(\w+)'", waits)) - {"run_at"}  # which is the cause `scheduled`
    yield from difference("cause", page, {name for names, _ in table(page, "| cause | means |") for name in names}, causes)


def decisions():
    page = "docs/decisions/README.md"
    files = {path.name for path in (ROOT / page).parent.glob("[0-9]*.md")}
    listed = re.findall(r"^(\d+)\. \[[^]]+\]\(([^)]+)\)", read(page), re.MULTILINE)
    yield from difference("decision", page, {name for _, name in listed}, files)
    yield from (f"{page}: number {number} is {name}" for number, name in listed if int(number) != int(name[:4]))


CHECKS = (log_messages, doctor_findings, explained_causes, decisions)
