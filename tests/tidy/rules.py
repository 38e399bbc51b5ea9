"""The style brief as rules. A rule looks at one file and yields (line, complaint); `tree` rules look at all of them.

Each rule bears its own proof: `bad` holds samples, as {path: text}, that it must complain of. run.py tries them first.
"""

import re

LINE_LIMIT = 120
# Targets in lines. What exceeds one is named; what is twice as long fails.
SIZES = {".hpp": 120, ".cpp": 300, ".sql": 200}
FUNCTION_SIZE = 60
BRANCH = r"\s*(\} )?(if|for|while|switch|else|catch|try)\b"
LAYERS = {  # a layer and those that it may include; handlers do not see one another, and the log is below the engine
    "core": {"core"},
    "storage": {"core", "storage"},
    "ops": {"core", "storage", "engine", "ops"},
    "engine": {"core", "storage", "engine"},
    "adapters": {"core", "adapters"},
    "handlers": {"core", "storage", "engine", "adapters", "handlers", "ops"},
    "cli": {"core", "storage", "engine", "adapters", "handlers", "ops", "cli"},
}
RULES = []


def rule(pattern, bad):
    """Registers a rule for the paths that match."""
    def register(function):
        RULES.append((function.__name__.replace("_", " "), re.compile(pattern), function, bad))
        return function
    return register


def lines_matching(text, expression, complaint, skip=None):
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(expression, line) and not (skip and re.search(skip, line)):
            yield number, complaint


def complaint_of_size(line, size, target, what=""):
    if size > 2 * target:
        yield line, f"{what}{size} lines, at most {2 * target}"
    elif size > target:
        yield line, f"note: {what}{size} lines, better {target}"


def without_comments(text):
    """The same lines with // comments blanked, strings kept."""
    return re.sub(r'("(?:\\.|[^"\\])*")|//[^\n]*', lambda m: m.group(1) or "", text)


def without_strings(text):
    return re.sub(r'"(?:\\.|[^"\\\n])*"', '""', without_comments(text))


@rule(r"^(?!.*golden_).*(\.(cpp|hpp|sql|py|sh|mjs|spec|cmake)|/run|^dev)$", {"worker/core/a.cpp": "x" * 121})
def lines_are_not_too_long(path, text):
    note = "note: " if path.startswith(("tests/", "bench/")) else ""
    return lines_matching(text, f"^.{{{LINE_LIMIT + 1},}}$", f"{note}more than {LINE_LIMIT} characters")


@rule(r"^(worker|tests|sql|migrations)/(?!.*golden_).*\.(hpp|cpp|sql)$", {"worker/core/a.hpp": "\n" * 241})
def files_are_small(path, text):
    yield from complaint_of_size(1, text.count("\n"), SIZES[path[path.rindex("."):]])


@rule(r"^(worker|tests)/.*\.(hpp|cpp)$", {"worker/core/a.cpp": "void f() {\n" + "    g();\n" * 121 + "}\n",
                                          "worker/core/b.hpp": "class A {\n    int f() const {\n" +
                                                               "        g();\n" * 121 + "    }\n};\n"})
def functions_are_short(path, text):
    """A function ends with the brace that stands as far to the right as the line that opened it (clang-format)."""
    open_at = {}
    for number, line in enumerate(without_strings(text).splitlines(), 1):
        indent = len(line) - len(line.lstrip())
        if line.strip() == "}" and indent in open_at:
            begin = open_at.pop(indent)
            yield from complaint_of_size(begin, number - begin, FUNCTION_SIZE, "a function of ")
        elif re.search(r"\)[^;{}\]=]*\{$", line) and not re.match(BRANCH, line):
            open_at[indent] = number


@rule(r"^sql/.*\.sql$", {"sql/queue/a.sql": "create or replace function f() as $$\n" + "    x;\n" * 121 + "$$;\n"})
def sql_functions_are_short(path, text):
    for found in re.finditer(r"as \$\$$.*?^\$\$;$", text, re.DOTALL | re.MULTILINE):
        lines = [line for line in found[0].splitlines()[1:-1] if line.strip() and not line.strip().startswith("--")]
        begin = text.count("\n", 0, found.start()) + 1
        yield from complaint_of_size(begin, len(lines), FUNCTION_SIZE, "a function of ")


@rule(r"^worker/[a-z]+/.*\.(hpp|cpp)$", {"worker/core/a.cpp": '#include "storage/session.hpp"\n',
                                         "worker/storage/a.cpp": '#include "engine/worker.hpp"\n'})
def includes_go_one_way(path, text):
    layer = path.split("/")[1]
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'#include "([a-z]+)/', line)
        if found and found[1] not in LAYERS.get(layer, set()) and line != '#include "ops/log.hpp"':
            yield number, f"{layer} must not include {found[1]}"


@rule(r"^worker/handlers/\w+/.*\.(hpp|cpp)$", {"worker/handlers/email/a.cpp": '#include "handlers/forks/push.hpp"\n'})
def handlers_do_not_see_one_another(path, text):
    return lines_matching(text, rf'#include "handlers/(?!{path.split("/")[2]}/)', "of another workload")


@rule(r"^worker/(?!storage/).*\.(hpp|cpp)$", {"worker/engine/a.cpp": "#include <pqxx/pqxx>\n"})
def only_storage_knows_the_database_libraries(path, text):
    return lines_matching(text, r"#include <(pqxx|libpq-fe)", "pqxx and libpq belong to storage/")


@rule(r"^worker/(?!storage/).*\.(hpp|cpp)$", {"worker/engine/a.cpp": 'f("select x from y");\n',
                                              "worker/cli/a.cpp": 'f("delete from millrace.job");\n'})
def only_storage_holds_sql(path, text):
    return lines_matching(without_comments(text),
                          r'"\s*(select\s.+\sfrom\s|insert into\s|update\s\w+\sset\s|delete from\s|with \w+ as \()',
                          "SQL text belongs to storage/")


@rule(r"^worker/.*\.hpp$", {"worker/core/a.hpp": "#include <nlohmann/json.hpp>\n"})
def json_stays_out_of_headers(path, text):
    return lines_matching(text, r"#include <nlohmann/json\.hpp>", "4 s per translation unit: include it in the source")


@rule(r"^(worker|tests)/.*\.hpp$", {"worker/core/a.hpp": "// no guard\n"})
def headers_are_guarded_and_explained(path, text):
    if not text.startswith("#pragma once\n//"):
        yield 1, "a header begins with #pragma once and a comment that says what it is"


@rule(r"^(worker|tests)/.*\.(hpp|cpp)$", {"tests/unit/a.cpp": "std::this_thread::sleep_for(1s);\n",
                                          "worker/core/a.cpp": "thread.detach();\n",
                                          "worker/core/b.cpp": "::system(\"ls\");\n"})
def no_sleeping_detaching_or_shells(path, text):
    return lines_matching(without_strings(text),
                          r"\b(sleep_for|sleep_until|usleep|nanosleep)\b|[.>]detach\(|\b(system|popen)\(",
                          "wait on a condition, own your threads, never a shell")


@rule(r"^worker/(?!options\.cpp).*\.(hpp|cpp)$", {"worker/cli/a.cpp": 'getenv("HOME");\n'})
def only_options_reads_the_environment(path, text):
    return lines_matching(without_strings(text), r"\b(secure_)?getenv\b|\benviron\b", "that is for options.cpp")


@rule(r"^worker/.*\.(hpp|cpp)$", {"worker/core/a.hpp": "#pragma once\n// x\nclass JobManager {\n"})
def names_say_what_a_thing_is(path, text):
    yield from lines_matching(without_strings(text),
                              r"\b(class|struct) \w*(Manager|Helper|Util|Utils|Common|Base|Impl)\b", "an empty name")
    if re.search(r"(manager|helper|util|common|_base|_impl)\w*\.\w+$", path):
        yield 1, "an empty file name"


@rule(r"^worker/(?!ops/).*\.(hpp|cpp)$|^sql/.*\.sql$", {"worker/core/a.cpp": "void ack_job();\n",
                                                        "worker/core/b.hpp": "class MailTask {\n"})
def words_of_other_queues_are_not_used(path, text):
    words = r"\b(n?ack|rescued?|n?ack_\w+|\w+_n?ack|tasks?|task_\w+|\w+_task|(\w+)?Task)\b"
    return lines_matching(without_strings(text), words, "say settle, reap, job")


@rule(r"^(worker|sql|migrations|tests|bench|config)/(?!tidy/)", {"sql/queue/a.sql": "-- TODO later\n"})
def nothing_is_left_for_later(path, text):
    return lines_matching(text, r"\b(TODO|FIXME|XXX|HACK)\b", "finish it, or file an issue")


@rule(r"^sql/(?!install|queue/clock\.sql).*\.sql$", {"sql/queue/a.sql": "select now();\n",
                                                     "sql/queue/b.sql": "select clock_timestamp();\n"})
def time_comes_from_one_clock(path, text):
    code = re.sub(r"--[^\n]*", "", text)
    return lines_matching(code, r"(?<!millrace\.)\b(now\(\)|clock_timestamp\(\)|current_timestamp\b|current_date\b)",
                          "ask millrace.now()")


@rule(r"^sql/(?!install\.sql).*\.sql$", {"sql/queue/a.sql": "select 1;\n"})
def sql_files_say_what_they_lock_and_raise(path, text):
    if not re.match(r"-- [a-z][a-z_, ]*: ", text):
        yield 1, "begins with '-- name: what it does'"
    for word in ("Locks", "Raises"):
        if not re.search(rf"^-- {word}\b", text, re.MULTILINE):
            yield 1, f"its opening comment does not say: {word}"


@rule(r"^sql/.*\.sql$", {"sql/queue/a.sql": "create or replace function millrace.f() returns int language sql\n"
                                            "security definer as $$ select 1 $$;\n"})
def definer_functions_fix_their_search_path(path, text):
    for found in re.finditer(r"create or replace function (\S+?)\(.*?as \$\$", text, re.DOTALL):
        if "security definer" in found[0] and "set search_path = pg_catalog, pg_temp" not in found[0]:
            yield text.count("\n", 0, found.start()) + 1, f"{found[1]} does not set search_path"


@rule(r"package-lock\.json$", {"tests/support/npm/package-lock.json": '"resolved": "https://example.org/x.tgz"\n'})
def lock_files_name_no_host(path, text):
    return lines_matching(text, r'"resolved": "https?:', "npm install with omit-lockfile-registry-resolved")


@rule(r"^(?!tests/(tidy|bare)/)", {"worker/core/a.cpp": 'open("/home/somebody/x");\n'})
def no_path_of_one_machine(path, text):
    return lines_matching(text, r"""["'=( ]/(home|work|root|tmp/[a-z])[/"']""", "a path that only one machine has")


def unused_files(files):
    """Tree rule: every header is included, every SQL file installed, migrations have no gap."""
    includes = {found for text in files.values() for found in re.findall(r'#include "([^"]+)"', text)}
    for path in files:
        name = path.removeprefix("worker/").removeprefix("tests/")
        if path.endswith(".hpp") and name not in includes and name.split("/")[-1] not in includes:
            yield path, 1, "no file includes it"
    install = files.get("sql/install.sql", "")
    for listed in re.findall(r"^\\ir (\S+)$", install, re.MULTILINE):
        if listed.removeprefix("../") not in files and f"sql/{listed}" not in files:
            yield "sql/install.sql", 1, f"lists {listed}, which does not exist"
    for path in files:
        if re.match(r"sql/(?!install)\w+/.*\.sql$", path) and f"\\ir {path.removeprefix('sql/')}" not in install:
            yield path, 1, "sql/install.sql does not list it"
        if path.startswith("migrations/") and f"\\ir ../{path}" not in install:
            yield path, 1, "sql/install.sql does not list it"
    numbers = sorted(int(path.split("/")[1][:4]) for path in files if re.match(r"migrations/\d{4}_\w+\.sql$", path))
    if numbers != list(range(1, len(numbers) + 1)):
        yield "migrations", 1, f"not consecutive: {numbers}"


def packages_without_a_reason(files):
    """Tree rule: docs/dependencies.md names whatever `./dev setup` and `./dev bench` install."""
    packages = []
    for script in ("tests/support/dev/setup.sh", "bench/setup.sh"):
        listed = re.search(r"^packages=\((.*?)\)", files.get(script, ""), re.DOTALL | re.MULTILINE)
        packages += listed[1].split() if listed else []
    for manifest in ("tests/support/npm/package.json", "bench/peers/package.json"):
        packages += re.findall(r'^ +"([\w-]+)": "[\d.]+"', files.get(manifest, ""), re.MULTILINE)
    for package in packages:
        if not re.search(rf"(?<![\w-]){re.escape(package)}(?![\w-])", files.get("docs/dependencies.md", "")):
            yield "docs/dependencies.md", 1, f"does not say what {package} is for"


def types_with_two_definitions(files):
    """Tree rule: a type has one definition in the whole program. No compiler sees two, and then either may be used."""
    known = {}
    for path, text in files.items():
        if not re.match(r"(worker|tests|bench)/.*\.[ch]pp$", path):
            continue
        around = []
        for number, line in enumerate(text.splitlines(), 1):
            opened = re.match(r"(?:inline )?namespace ?([\w:]*) ?\{$", line)
            defined = re.match(r"(?:struct|class|union|enum class) (\w+)(?: final)?(?: :[^:]| ?\{)", line)
            if opened:
                around.append(opened[1])
            elif line.startswith("}  // namespace"):
                del around[-1:]
            elif defined and "" not in around:  # in a namespace without a name it is the file's own
                first = known.setdefault("::".join([*around, defined[1]]), path)
                if first != path:
                    yield path, number, f"{defined[1]} is in {first} too"


# rule: a tree that it must refuse, and how many complaints that makes
TREE_RULES = {
    unused_files: ({"worker/core/orphan.hpp": "", "sql/queue/orphan.sql": "", "migrations/0002_gap.sql": "",
                    "sql/install.sql": "\\ir queue/missing.sql\n"}, 5),
    packages_without_a_reason: ({"tests/support/dev/setup.sh": "packages=(\n    a-dev b\n)\n",
                                 "tests/support/npm/package.json": '    "c": "1.2.3"\n',
                                 "bench/setup.sh": "packages=(b d)\n", "bench/peers/package.json": '    "e": "4.5.6"\n',
                                 "docs/dependencies.md": "a-dev-tools, b"}, 4),
    types_with_two_definitions: ({"worker/core/a.hpp": "namespace m::core {\nstruct A {\n};\n}  // namespace m::core\n",
                                  "worker/core/b.cpp": "namespace m::core {\nclass A : public B {\nnamespace {\n"
                                                       "struct C {\n",
                                  "tests/unit/c.cpp": "namespace m::core {\nenum class A { a };\nnamespace {\n"
                                                      "struct C {\n}  // namespace\nstruct A::D {\n"}, 2),
}
