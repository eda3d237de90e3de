"""Copies what a run left out of the store into a folder: artifacts, logs, test results."""

import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from penstock.engine.history import list_artifacts, list_cases, list_logs, read_log
from penstock.engine.unit import Parts
from penstock.model.errors import UnavailableError
from penstock.model.run import Job, Pipeline

_UNSAFE = re.compile(r"[^\w.@+ -]+")
_LONGEST = 100  # characters of a name we make
_MOST_BYTES = 240  # of a name a job made; file systems take 255


def prepare_folder(folder: Path) -> None:
    """The folder exists and can be written to. Raises UnavailableError when not: better before a long run."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UnavailableError(f"cannot write to {folder}: {error.strerror}") from error


def export_run(parts: Parts, pipeline: Pipeline, folder: Path) -> None:
    """Write `artifacts/<job>/…`, `logs/<job>/<number>-<step>.log` and `tests/<job>.json` below the folder.

    A parallel copy has its own folder, `<job>-<index>`; of jobs with the same name the second one's is
    `<job>~2`. Files of an earlier export are replaced. Raises UnavailableError when the folder cannot be
    written to.
    """
    names = _Names()
    try:
        _export_artifacts(parts, pipeline, folder / "artifacts", names)
        _export_logs(parts, pipeline, folder / "logs", names)
        _export_tests(parts, pipeline, folder / "tests", names)
    except OSError as error:
        raise UnavailableError(f"cannot write to {error.filename or folder}: {error.strerror}") from error


def safe_name(text: str) -> str:
    """The text as the name of a file: one part, no surprises."""
    return _UNSAFE.sub("-", text).strip(" .-")[:_LONGEST] or "unnamed"


def safe_path(path: str) -> Path:
    """The path of an artifact as one below a folder: nothing in it leads up or to the root."""
    parts = [part.replace("\0", "-") for part in path.split("/") if part not in {"", ".", ".."}]
    return Path(*(_shorten(part) for part in parts)) if parts else Path("unnamed")


class _Names:
    """Names that several things want: the first one gets it, the others get it with a number."""

    def __init__(self) -> None:
        self._given: dict[str, str] = {}  # by the id of the job
        self._taken: set[str] = set()
        self._files: set[Path] = set()
        self._folders: set[Path] = set()

    def of(self, job: Job) -> str:
        """The job's name as one of a file, the same each time."""
        if job.uuid not in self._given:
            name = _number(safe_name(job.name), lambda name: name.casefold() in self._taken)
            self._given[job.uuid] = name
            self._taken.add(name.casefold())
        return self._given[job.uuid]

    def folder_of(self, job: Job, index: int, attempt: int = 1) -> str:
        """The name of the folder of a job's parallel copy."""
        copy = f"-{index}" if job.parallelism > 1 else ""
        again = f"-attempt-{attempt}" if attempt > 1 else ""
        return f"{self.of(job)}{copy}{again}"

    def place(self, path: Path) -> Path:
        """A path nothing else was given, and whose folders are no files."""
        fixed = Path(path.parts[0])
        for part in path.parts[1:-1]:
            fixed = Path(_number(str(fixed / part), lambda name: Path(name) in self._files))
        found = Path(_number(str(fixed / path.name), lambda name: Path(name) in self._files | self._folders))
        self._files.add(found)
        self._folders.update(found.parents)
        return found


def _number(name: str, is_taken: Callable[[str], bool]) -> str:
    """The name, or the first of `name~2`, `name~3` … that is free."""
    free, count = name, 1
    while is_taken(free):
        count += 1
        free = f"{name}~{count}"
    return free


def _shorten(part: str) -> str:
    """At most the bytes a file system allows, the ending kept."""
    data = os.fsencode(part)
    return (
        part
        if len(data) <= _MOST_BYTES
        else os.fsdecode(data[: _MOST_BYTES // 2] + data[-_MOST_BYTES // 2 :])
    )


def _export_artifacts(parts: Parts, pipeline: Pipeline, folder: Path, names: _Names) -> None:
    for job, artifact in list_artifacts(parts, pipeline):
        path = names.place(folder / names.folder_of(job, artifact.task_index) / safe_path(artifact.path))
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.writelines(parts.blobs.open(artifact.blob))


def _export_logs(parts: Parts, pipeline: Pipeline, folder: Path, names: _Names) -> None:
    for log in list_logs(parts, pipeline):
        below = folder / names.folder_of(log.job, log.task.index, log.task.attempt)
        path = names.place(below / f"{log.step.index:02}-{safe_name(log.step.name)}.log")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.writelines(read_log(parts, log))


def _export_tests(parts: Parts, pipeline: Pipeline, folder: Path, names: _Names) -> None:
    for job, cases in list_cases(parts, pipeline):
        path = names.place(folder / f"{names.of(job)}.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.encode(cases))
