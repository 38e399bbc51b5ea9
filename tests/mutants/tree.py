"""A copy of the source tree, in which patches are applied. The work tree is only read.

What is copied is what git tracks or would track. A file is written only where it differs, so that a build in the copy
stays incremental. What `./dev setup` has installed is linked to: servers that tests talk to.
"""

import contextlib
import os
import subprocess


INSTALLED = "tests/support/npm/node_modules"


class Tree:
    def __init__(self, source, path):
        self.source, self.path = source, path

    def refresh(self):
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=self.source, check=True,
                                capture_output=True, text=True).stdout
        names = {name for name in listed.split("\0") if name and (self.source / name).is_file()}
        for folder, _, files in os.walk(self.path):
            for name in files:
                here = os.path.join(folder, name)
                if os.path.relpath(here, self.path) not in names:
                    os.remove(here)
        for name in names:
            wanted, copy = self.source / name, self.path / name
            if not copy.is_file() or copy.read_bytes() != wanted.read_bytes():
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(wanted.read_bytes())
            copy.chmod(wanted.stat().st_mode)
        link = self.path / INSTALLED
        if not link.is_symlink():
            link.symlink_to(self.source / INSTALLED)

    @contextlib.contextmanager
    def broken_by(self, mutant):
        """Afterwards the files are as they were copied; the work tree may have gone on."""
        sound = {name: (self.path / name).read_bytes() for name in mutant.files}
        try:
            mutant.apply(self.path)
            yield
        finally:
            for name, text in sound.items():
                (self.path / name).write_bytes(text)
