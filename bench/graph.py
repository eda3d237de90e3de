"""What the engine, the store and the agent add to each job: 200 jobs of `true`, 20 layers of 10."""

from pathlib import Path

from bench.figure import Figure, best_of, run_command
from bench.project import checkout
from bench.start import ONE_STEP

LAYERS, WIDTH = 20, 10
JOBS = LAYERS * WIDTH


def make_config() -> str:
    """Each job of a layer requires every job of the layer before."""
    lines = [
        "version: 2.1",
        "jobs: {t: {machine: true, steps: [{run: 'true'}]}}",
        "workflows:",
        "  w:",
        "    jobs:",
    ]
    for layer in range(LAYERS):
        needs = ", ".join(f"j{layer - 1}-{n}" for n in range(WIDTH)) if layer else ""
        lines += [f"      - t: {{name: j{layer}-{n}, requires: [{needs}]}}" for n in range(WIDTH)]
    return "\n".join(lines) + "\n"


def run() -> list[Figure]:
    """CPU of a job above spawning its shell, with the start of the command left out."""
    script = f"for n in $(seq {JOBS}); do bash -eo pipefail -c true; done"
    shells = best_of(3, lambda: run_command(["bash", "-c", script], Path.cwd()))
    with checkout(ONE_STEP) as one:
        one.call("run")
        start = best_of(3, lambda: one.call("run"))
    with checkout(make_config()) as graph:
        whole = best_of(3, lambda: graph.call("run", "--max-parallel", "2"))
    each = (whole.cpu - start.cpu - shells.cpu) / (JOBS - 1) * 1000
    return [
        Figure(
            what=f"{JOBS} jobs of `true` in {LAYERS} layers of {WIDTH}, two at a time, durable: "
            "CPU of a job above its shell",
            measured=f"{whole.cpu / JOBS * 1000:.1f} ms a job, the command's start included",
            floor=f"{shells.cpu / JOBS * 1000:.1f} ms a shell",
            value=each,
            limit=25,
            unit="ms",
        )
    ]
