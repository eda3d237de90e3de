"""Runs all benches, prints their figures and writes them to docs/benchmarks.md."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import msgspec

from bench.figure import Figure

BENCHES = (
    "start",
    "compile",
    "graph",
    "log",
    "agent_tasks",
    "agent_log",
    "container",
    "serve",
    "pages",
    "hook",
    "webhook",
    "trigger",
    "policy",
    "queued",
    "output",
    "usage",
)
PAGE = Path(__file__).parents[1] / "docs/benchmarks.md"
HEAD = """\
# Benchmarks

Each hot path beside a floor that was measured in the same run: absolute figures move with the machine and the
hour, so compare ratios. `make bench` measures anew and rewrites this page.

Measured on {cores} cores, {system}, Python {python}.

| what | measured | floor in the same run | value | bound | kept |
|---|---|---|---|---|---|
"""


def main() -> int:
    """Run the benches named as arguments, or all; the exit status says whether every bound is kept."""
    figures: list[Figure] = []
    for name in sys.argv[1:] or BENCHES:
        print(f"{name} …", file=sys.stderr)
        figures += run_apart(name)
    table = "".join(show(figure) for figure in figures)
    print(table)
    if not sys.argv[1:]:
        head = HEAD.format(cores=os.cpu_count(), system=platform.system(), python=platform.python_version())
        PAGE.write_text(head + table)
    return 0 if all(figure.kept for figure in figures) else 1


def run_apart(name: str) -> list[Figure]:
    """The bench's figures, from a process of its own: a child's memory never counts below its parent's."""
    script = f"import msgspec, bench.{name} as b, sys; sys.stdout.buffer.write(msgspec.json.encode(b.run()))"
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=list[Figure])


def show(figure: Figure) -> str:
    """A row of the table."""
    sign = "≥" if figure.at_least else "≤"
    return (
        f"| {figure.what} | {figure.measured} | {figure.floor} | {figure.value:.2f} {figure.unit} "
        f"| {sign} {figure.limit:g} {figure.unit} | {'yes' if figure.kept else 'NO'} |\n"
    )


if __name__ == "__main__":
    sys.exit(main())
