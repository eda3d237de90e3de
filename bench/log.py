"""How fast a job's output is read, masked, compressed, stored and read again: 100 MB of lines."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.figure import Figure, Usage, best_of, run_command
from bench.project import checkout
from bench.start import ONE_STEP

MEGABYTES = 100
LINE = "2026-11-21T12:00:00Z INFO  module.name  request {:010} took {} ms and returned 200\n"


def make_config(file: Path) -> str:
    """A job that prints the file."""
    return f"version: 2.1\njobs: {{build: {{machine: true, steps: [{{run: cat {file}}}]}}}}\n"


def run() -> list[Figure]:
    """MB a second of CPU, for storing (with two secrets to mask) and for reading; memory of the command."""
    with TemporaryDirectory(prefix="penstock-bench-") as folder:
        text = Path(folder) / "text"
        with text.open("w") as file:
            while file.tell() < MEGABYTES * 1_000_000:
                number = file.tell()
                file.writelines(LINE.format(number + n, (number + n * 7919) % 997) for n in range(10_000))
        env = Path(folder) / "env"
        env.write_text("TOKEN=s3cret-token-value\nPASSWORD=correct-horse-battery\n")
        cat = best_of(3, lambda: run_command(["sh", "-c", f"cat {text} | cat > {folder}/copy"], Path.cwd()))
        with checkout(ONE_STEP) as one:
            one.call("run")
            start = best_of(3, lambda: one.call("run", "--env-file", str(env)))
            read_start = best_of(3, lambda: one.call("logs"))
        with checkout(make_config(text)) as big:
            stored = best_of(3, lambda: big.call("run", "--env-file", str(env)))
            read = best_of(3, lambda: big.call("logs"))
            check_whole(big.folder, big.home, text)
    return [
        rate("stored and masked", stored, start, cat),
        rate("read again through `penstock logs`", read, read_start, cat),
        Figure(
            what="the same: largest memory of the command",
            measured=f"{stored.memory:.0f} MiB",
            floor=f"{start.memory:.0f} MiB for one line",
            value=stored.memory,
            limit=200,
            unit="MiB",
        ),
    ]


def rate(what: str, whole: Usage, start: Usage, cat: Usage) -> Figure:
    """MB a second of CPU above what the command takes with one line of output."""
    speed = MEGABYTES / max(whole.cpu - start.cpu, 1e-6)
    return Figure(
        what=f"{MEGABYTES} MB of lines from one job, {what}: rate per core",
        measured=f"{speed:.0f} MB/s",
        floor=f"{MEGABYTES / cat.cpu:.0f} MB/s `cat | cat > file`",
        value=speed,
        limit=100,
        unit="MB/s",
        at_least=True,
    )


def check_whole(folder: Path, home: Path, text: Path) -> None:
    """What was stored is what was printed."""
    command = [sys.executable, "-m", "penstock", "logs", "--no-headings"]
    shown = subprocess.run(
        command, cwd=folder, env=os.environ | {"PENSTOCK_HOME": str(home)}, stdout=subprocess.PIPE, check=True
    )
    assert shown.stdout == text.read_bytes()
