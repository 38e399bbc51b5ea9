"""The command line: what cli_rules.py says of every flag and setting that the help names, and every source of them."""

import pathlib
import re
import tempfile

import cli_rules
from fixture import PRODUCT_ROLES
from judge import DONE, FAILED, NOTHING, USAGE, changes, cli_complaint
from program import Program, encoded

FEW = 8
# Files are refused in the order of their lines: the setting comes after what it needs.
QUEUE = {"worker.queue": "mail"}
NEEDED = {"smtp.password_file": {"smtp.username": "u"}, "smtp.username": {},
          "smtp.token_file": {"smtp.username": "u", "smtp.auth": "xoauth2"}}


def variable_of(setting):
    return "MILLRACE_" + setting.replace(".", "_").upper()


class CliArea:
    def __init__(self, database, seed, report, folder):
        self.database, self.seed, self.report = database, seed, report
        self.folder = pathlib.Path(folder)
        self.program = Program(database.name)
        self.sums = database.checksums()

    def help(self, *words):
        ran = self.program.run(["help", *words])
        return ran.out.decode()

    def file(self, content):
        path = self.folder / f"{len(list(self.folder.iterdir()))}.conf"
        path.write_bytes(content)
        path.chmod(0o600)
        return str(path)

    def try_group(self, title, cases):
        """(words, variables, stdin, status, word) each."""
        def filled(word):
            return word if isinstance(word, bytes) else self.database.filled(word)
        answers = self.program.run_all([([filled(word) for word in words], variables, stdin)
                                        for words, variables, stdin, _, _ in cases])
        wrong, quiet = [], 0
        for (words, variables, stdin, status, word), ran in zip(cases, answers):
            quiet += status in (DONE, NOTHING)
            if complaint := cli_complaint(ran, status, word):
                wrong.append(f"{shown(words, variables, stdin)}: {complaint}")
        after = self.database.checksums()
        wrong += [f"{table} has changed" for table in changes(self.sums, after)]
        self.sums = after
        rules = {(title, str(status), word) for *_, status, word in cases}
        self.report.triples |= rules
        self.report.group(title, len(cases) - len([line for line in wrong if "has changed" not in line]) - quiet, quiet,
                          len(rules), wrong)

    def try_commands(self):
        commands = set(re.findall(r"^  (\w+) +", self.help().split("More")[0], re.MULTILINE)) | {"help"}
        self.report.check("every command of the help has cases", unequal(commands, cli_rules.FLAGS.keys()))
        for command in sorted(commands & cli_rules.FLAGS.keys()):
            flags, verbs = set(), set()
            if command != "help":
                said = self.help(command)
                forms = re.findall(rf"^  millrace {command} \[?([a-z][a-z|-]*)", said, re.MULTILINE)
                verbs = {verb for form in forms for verb in form.split("|")}
                own = said.split("\nFlags\n")[1:]
                flags = set(re.findall(r"^  --([a-z-]+)", own[0].split("\n\n")[0] if own else "", re.MULTILINE))
            known = cli_rules.FLAGS[command]
            self.report.check(f"every flag of {command} has cases", unequal(flags, known.keys() - {""}))
            self.report.check(f"every verb of {command} has its flags",
                              unequal(verbs, cli_rules.VERBS.get(command, {}).keys()))
            if foreign := cli_rules.foreign_flags(command):
                self.try_group(f"millrace {command}: flags of other verbs",
                               [(words, None, None, status, word) for words, status, word in foreign])
            for flag, cases in known.items():
                self.try_group(f"millrace {command}{' --' + flag if flag else ''}",
                               [(words, None, None, status, word) for words, status, word in cases])
        self.try_group("millrace", [(words, None, None, status, word) for words, status, word in cli_rules.NO_COMMANDS])

    def try_words(self):
        for number, (title, (form, status, word, fine)) in enumerate(cli_rules.WORD_PLACES.items(), self.seed):
            chosen = [text for turn, (label, text) in enumerate(cli_rules.WORDS.items())
                      if (turn + number) % 3 == 0 and label not in fine]
            self.try_group(title, [([part.replace("{}", text) for part in form], None, None, status, word)
                                   for text in chosen])

    def settings_for(self, setting, value, place):
        """(words, variables) of a worker that checks its settings, with the bad one from one of three sources."""
        others = QUEUE if setting != "worker.queue" else {}
        if setting.startswith("smtp.") and setting != "smtp.url":
            others = others | cli_rules.MAIL_SERVER | NEEDED.get(setting, {})
        others = {name: other for name, other in others.items() if name != setting}
        words, variables = ["worker", "--check"], {variable_of(name): other for name, other in others.items()}
        if place == "flag":
            words.append(b"--" + encoded(setting.replace(".", "-").replace("_", "-")) + b"=" + encoded(value))
        elif place == "environment":
            variables[variable_of(setting)] = value
        else:
            section, key = setting.split(".")
            words += ["--config", self.file(f"[{section}]\n{key} = ".encode() + encoded(value) + b"\n")]
        return words, variables

    def try_settings(self):
        known = set(re.findall(r"^  ([a-z]+\.[a-z_]+) = ", self.help("settings"), re.MULTILINE))
        self.report.check("every setting of the help has cases", unequal(known, cli_rules.SETTINGS.keys()))
        for setting in sorted(known & cli_rules.SETTINGS.keys()):
            cases = []
            values = cli_rules.SETTINGS[setting]
            if len(values) > FEW:
                values = values[self.seed % 2::2]  # the other half has its turn with another seed
            for place_number, value in enumerate(values, self.seed):
                places = ["flag", "environment", "file"]
                place = places[place_number % 3]
                # An empty variable is an unset one, and a file trims its values and ends them at a line's end.
                data = encoded(value)
                if not data or b"\n" in data or place == "file" and data.strip() != data:
                    place = "flag"
                words, variables = self.settings_for(setting, value, place)
                cases.append((words, variables, None, USAGE, ""))
            if cases:
                self.try_group(f"setting {setting}", cases)

    def try_sources(self):
        listing = ["queues", "list"]
        self.try_group("database.url", [(listing, {"MILLRACE_DATABASE_URL": url}, None, status, word)
                                        for url, status, word in cli_rules.BAD_DATABASES])
        self.try_group("environment", [(listing, variables, None, status, word)
                                       for variables, status, word in cli_rules.BAD_VARIABLES])
        self.try_group("configuration files",
                       [(["worker", "--check", "--queue=mail", "--config", self.file(content)], None, None, USAGE, word)
                        for content, word in cli_rules.BAD_FILES.items()])
        paths = ["", "/no/such", "/", "/dev/null/x", "/dev/zero", "/proc/self/mem", "\x1b[2J", "a" * 5000, b"\xff",
                 "-x"]
        self.try_group("configuration paths",
                       [([*listing, b"--config=" + encoded(path)], None, None, USAGE, "") for path in paths if path])
        self.try_group("lines of JSON", [(["enqueue", "mail", "noop", "-"], None, lines, status, word)
                                         for lines, status, word in cli_rules.BAD_LINES]
                       + [(["enqueue", "small", "noop"], None, b'{}\n"' + b"x" * 100 + b'"\n', FAILED,
                           "line 2: enqueue"),
                          (["enqueue", "nowhere", "noop"], None, b"{}\n", FAILED, "unknown queue")])

    def try_schemas(self):
        self.try_group("schemas", [(words, None, text, USAGE if word == "longer than" else FAILED, word)
                                   for text, word in cli_rules.BAD_SCHEMAS
                                   for words in (["schemas", "check", "-"], ["schemas", "set", "noop", "-"])])

    def try_roles(self):
        """A member of a role that may not, may not by the program either."""
        acts = {("enqueue", "mail", "noop"): {"millrace_viewer"},
                ("jobs", "cancel", "<waiting>"): set(PRODUCT_ROLES) - {"millrace_operator"},
                ("queues", "create", "fresh"): set(PRODUCT_ROLES) - {"millrace_operator"},
                ("kinds", "pause", "noop"): set(PRODUCT_ROLES) - {"millrace_operator"},
                ("kinds",): {"millrace_enqueuer", "millrace_worker"},
                ("schemas", "remove", "noop"): set(PRODUCT_ROLES) - {"millrace_operator"},
                ("schedules", "run", "yearly"): set(PRODUCT_ROLES) - {"millrace_operator"},
                ("schedules",): {"millrace_enqueuer", "millrace_worker"},
                ("adopt",): set(PRODUCT_ROLES) - {"millrace_operator"},
                ("jobs",): {"millrace_enqueuer", "millrace_worker"},
                ("top",): {"millrace_enqueuer", "millrace_worker"},
                ("queues", "limit", "mail", "k", "1"): set(PRODUCT_ROLES) - {"millrace_operator"},
                ("queues", "limits"): {"millrace_enqueuer", "millrace_worker"},
                ("queues",): {"millrace_enqueuer", "millrace_worker"}}
        self.try_group("wrong roles", [(list(words), {"PGOPTIONS": f"-c role={role}"}, None, FAILED,
                                        "permission denied")
                                       for words, roles in acts.items() for role in sorted(roles)]
                       + [(["doctor"], {"PGOPTIONS": f"-c role={role}"}, None, USAGE, "permission denied")
                          for role in ("millrace_enqueuer", "millrace_worker")])


def unequal(said, known):
    return [f"{name} has none" for name in sorted(said - known)] + [f"{name} is gone" for name in sorted(known - said)]


def shown(words, variables, stdin):
    parts = [f"{name}={value!r}" for name, value in (variables or {}).items()] + [repr(word) for word in words]
    text = " ".join(parts) + (f" < {stdin[:60]!r}" if stdin is not None else "")
    return text if len(text) < 300 else text[:300] + " …"


def run_area(database, seed, report):
    with tempfile.TemporaryDirectory() as folder:
        area = CliArea(database, seed, report, folder)
        area.try_commands()
        area.try_words()
        area.try_settings()
        area.try_sources()
        area.try_schemas()
        area.try_roles()
