"""What a command costs before it does anything: `run` of one step, `validate` of a usual file."""

from pathlib import Path

from bench.compile import make_config
from bench.figure import Figure, best_of, run_command
from bench.project import checkout

ONE_STEP = "version: 2.1\njobs: {build: {machine: true, steps: [{run: echo hello}]}}\n"
ROUNDS = 5


def run() -> list[Figure]:
    """CPU of whole commands."""
    bash = best_of(20, lambda: run_command(["bash", "-c", "echo hello"], Path.cwd()))
    with checkout(ONE_STEP) as one:
        one.call("run")  # makes the data folder, and compiles
        ran = best_of(ROUNDS, lambda: one.call("run"))
    with checkout(make_config(300)) as usual:
        usual.call("validate")
        validated = best_of(ROUNDS, lambda: usual.call("validate"))
    floor = f"{bash.cpu * 1000:.1f} ms `bash -c`"
    return [
        Figure(
            what="`penstock run` of a one-step config, whole command, CPU above `bash -c` of the step",
            measured=f"{ran.cpu:.2f} s",
            floor=floor,
            value=ran.cpu - bash.cpu,
            limit=0.6,
            unit="s",
        ),
        Figure(
            what="`penstock validate` of a 300-line config, whole command, CPU",
            measured=f"{validated.cpu:.2f} s",
            floor=floor,
            value=validated.cpu,
            limit=0.3,
            unit="s",
        ),
    ]
