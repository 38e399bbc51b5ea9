"""A planted bug: a patch of the product, what it breaks in one sentence, and the tests that must fail with it.

    One sentence, which may go on over several lines.
    Caught by: sql settle.sql, race settle_against_reap

    --- a/sql/queue/settle.sql
    +++ b/sql/queue/settle.sql
    ...
"""

import dataclasses
import pathlib
import re
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SQL_FUNCTION = re.compile(r"^create (?:or replace function|view) (?:millrace|notify)\.(\w+)", re.MULTILINE)
# Each of these must have lost to a patch: together they decide who holds a job, and what becomes of it.
DECIDING = [f"sql/queue/{name}.sql" for name in ("claim", "settle", "settle_one", "settled", "reap")]


class BadPatch(Exception):
    pass


@dataclasses.dataclass
class Mutant:
    name: str
    path: pathlib.Path
    sentence: str
    tests: list  # as they are named after "Caught by:"
    files: list  # what the patch touches, from the top of the source tree

    @classmethod
    def read(cls, path):
        header, _, diff = path.read_text(encoding="utf-8").partition("\n--- a/")
        said = re.fullmatch(r"(.+?\.)\nCaught by: (.+?)\n*", header, re.DOTALL)
        files = re.findall(r"^\+\+\+ b/(\S+)$", diff, re.MULTILINE)
        if not said or not files:
            raise BadPatch(f"{path.name}: a sentence that ends with a full stop, 'Caught by: …', a unified diff")
        return cls(path.stem, path, " ".join(said[1].split()), re.split(r",\s+", said[2].strip()), files)

    def apply(self, tree):
        """Without fuzz: what the patch says of its surroundings must be there."""
        done = subprocess.run(["patch", "-p1", "--fuzz=0", "--silent", "--no-backup-if-mismatch", "--reject-file=-",
                               "--directory", tree, "--input", self.path], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BadPatch("the patch does not apply: " + " ".join((done.stdout + done.stderr).split())[:200])

    def places(self, root):
        """The SQL functions whose text the patch changes, else the files."""
        with tempfile.TemporaryDirectory() as copy:
            for file in self.files:
                (pathlib.Path(copy) / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(root / file, pathlib.Path(copy) / file)
            self.apply(copy)
            found = []
            for file in self.files:
                before, after = functions_of(root / file), functions_of(pathlib.Path(copy) / file)
                found += [name for name in before if before[name] != after.get(name)] or [file]
            return found


def functions_of(path):
    """Name: text up to the next function's. What is no SQL has none."""
    if path.suffix != ".sql":
        return {}
    text = path.read_text(encoding="utf-8")
    found = list(SQL_FUNCTION.finditer(text))
    ends = [function.start() for function in found[1:]] + [len(text)]
    return {function[1]: text[function.start():end] for function, end in zip(found, ends)}


def all_mutants():
    return [Mutant.read(path) for path in sorted(HERE.glob("*.patch"))]


def table(mutants, root):
    lines = ["| what is broken | where | caught by |", "|---|---|---|"]
    for mutant in mutants:
        places = ", ".join(f"`{place.removeprefix('worker/')}`" for place in mutant.places(root))
        lines.append(f"| {mutant.sentence} | {places} | {', '.join(f'`{test}`' for test in mutant.tests)} |")
    return "\n".join(lines) + "\n"


def unbroken(mutants, root):
    """The deciding functions that no patch breaks."""
    deciding = {name for file in DECIDING for name in functions_of(root / file)}
    return sorted(deciding - {place for mutant in mutants for place in mutant.places(root)})
