"""Copies what a run left out of the store into a folder: artifacts, logs, test results."""

import re
from collections import Counter
from pathlib import Path

import msgspec

from penstock.engine.history import list_artifacts, list_cases, list_logs, read_log
from penstock.engine.unit import Parts
from penstock.model.errors import UnavailableError
from penstock.model.run import Job, Pipeline

_UNSAFE = re.compile(r"[^\w.@+ -]+")
_LONGEST = 100  # characters of a file name


def export_run(parts: Parts, pipeline: Pipeline, folder: Path) -> None:
    """Write `artifacts/<job>/…`, `logs/<job>/<number>-<step>.log` and `tests/<job>.json` below the folder.

    A parallel copy has its own folder, `<job>-<index>`. Files of an earlier export are replaced. Raises
    UnavailableError when the folder cannot be written to.
    """
    try:
        _export_artifacts(parts, pipeline, folder / "artifacts")
        _export_logs(parts, pipeline, folder / "logs")
        _export_tests(parts, pipeline, folder / "tests")
    except OSError as error:
        raise UnavailableError(f"cannot write to {folder}: {error.strerror}") from error


def safe_name(text: str) -> str:
    """The text as the name of a file: one part, no surprises."""
    return _UNSAFE.sub("-", text).strip(" .-")[:_LONGEST] or "unnamed"


def _folder_of(job: Job, index: int, attempt: int = 1) -> str:
    copy = f"-{index}" if job.parallelism > 1 else ""
    again = f"-attempt-{attempt}" if attempt > 1 else ""
    return f"{safe_name(job.name)}{copy}{again}"


def _export_artifacts(parts: Parts, pipeline: Pipeline, folder: Path) -> None:
    for job, artifact in list_artifacts(parts, pipeline):
        path = folder / _folder_of(job, artifact.task_index) / artifact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.writelines(parts.blobs.open(artifact.blob))


def _export_logs(parts: Parts, pipeline: Pipeline, folder: Path) -> None:
    seen: Counter[Path] = Counter()
    for log in list_logs(parts, pipeline):
        below = folder / _folder_of(log.job, log.task.index, log.task.attempt)
        below.mkdir(parents=True, exist_ok=True)
        path = below / f"{log.step.index:02}-{safe_name(log.step.name)}.log"
        seen[path] += 1
        if seen[path] > 1:  # a job of the same name in another workflow
            path = path.with_suffix(f".{seen[path]}.log")
        with path.open("wb") as file:
            file.writelines(read_log(parts, log))


def _export_tests(parts: Parts, pipeline: Pipeline, folder: Path) -> None:
    for job, cases in list_cases(parts, pipeline):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{safe_name(job.name)}.json").write_bytes(msgspec.json.encode(cases))
