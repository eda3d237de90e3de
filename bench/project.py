"""Checkouts to measure `penstock` in."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.figure import Usage, run_command


class Checkout:
    """A committed config, and a data folder apart."""

    def __init__(self, folder: Path, config: str) -> None:
        self.folder = folder / "app"
        self.home = folder / "home"
        (self.folder / ".circleci").mkdir(parents=True)
        (self.folder / ".circleci/config.yml").write_text(config)
        identity = ("-c", "user.name=bench", "-c", "user.email=bench@localhost")
        for arguments in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "-m", "bench"]):
            subprocess.run(["git", *arguments], cwd=self.folder, check=True)

    def call(self, *arguments: str) -> Usage:
        """What `penstock` with these arguments took."""
        command = [sys.executable, "-m", "penstock", *arguments]
        # As it is when installed: what was imported once is compiled.
        compiled = {"PYTHONPYCACHEPREFIX": str(self.home / "compiled"), "PYTHONDONTWRITEBYTECODE": ""}
        return run_command(command, self.folder, {"PENSTOCK_HOME": str(self.home), **compiled})


@contextmanager
def checkout(config: str) -> Iterator[Checkout]:
    """A checkout that is gone afterwards."""
    with TemporaryDirectory(prefix="penstock-bench-") as folder:
        yield Checkout(Path(folder), config)
