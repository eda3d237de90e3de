"""Changes of a run as a watcher hears of them."""

import zstandard

from penstock.engine.feed import JobChanged, OutputAdded, StepChanged
from penstock.model.status import JobKind, JobStatus, StepStatus


def job(name: str, status: JobStatus, *, attempt: int = 1, message: str = "") -> JobChanged:
    """A job, whose id is its name, has a status now."""
    return JobChanged(
        at=0,
        pipeline="p",
        workflow="w",
        job=name,
        key=name,
        name=name,
        kind=JobKind.BUILD,
        status=status,
        attempt=attempt,
        message=message,
    )


def step(
    owner: str, name: str, status: StepStatus, *, number: int = 0, index: int = 0, message: str = ""
) -> StepChanged:
    """A step of a job began or ended."""
    return StepChanged(
        at=0,
        pipeline="p",
        job=owner,
        index=index,
        step=number,
        name=name,
        kind="run",
        status=status,
        message=message,
    )


def output(owner: str, data: bytes, *, number: int = 0, index: int = 0) -> OutputAdded:
    """A step printed."""
    packed = zstandard.ZstdCompressor().compress(data)
    return OutputAdded(at=0, pipeline="p", job=owner, index=index, step=number, data=packed)


class Ticks:
    """A clock in seconds that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now
