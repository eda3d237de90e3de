"""Runs `penstock` within bounds of memory and processor time, and says what it took."""

import os
import subprocess
from pathlib import Path

import msgspec

from tests.support.command import Project, command

KIBIBYTES = 600_000
"""Of address space: threads and libraries map much more than they use."""

SECONDS = 10
"""Of processor time, after which the kernel ends the process."""


class Measured(msgspec.Struct):
    """What a bounded command left, and the seconds of processor time it took with all its children."""

    status: int
    out: str
    err: str
    seconds: float


def run_bounded(project: Project, *arguments: str, cwd: Path | None = None) -> Measured:
    """Run `penstock` to its end; more memory than allowed makes it fail, more time kills it."""
    limits = f'ulimit -v {KIBIBYTES}; ulimit -t {SECONDS}; exec "$@"'
    out, err = project.folder.parent / "out.txt", project.folder.parent / "err.txt"
    with out.open("wb") as out_file, err.open("wb") as err_file:
        process = subprocess.Popen(
            ["/bin/sh", "-c", limits, "sh", *command(*arguments)],
            cwd=cwd or project.folder,
            env=project.environment(),
            stdin=subprocess.DEVNULL,
            stdout=out_file,
            stderr=err_file,
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Measured(
        status=process.returncode,
        out=out.read_text(errors="replace"),
        err=err.read_text(errors="replace"),
        seconds=usage.ru_utime + usage.ru_stime,
    )
