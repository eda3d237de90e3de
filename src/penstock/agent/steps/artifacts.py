"""store_artifacts and store_test_results: what a job shows after it has ended."""

import os.path
from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath

from penstock.agent.context import Result, StepContext
from penstock.agent.executor.base import Entry, Kind
from penstock.agent.steps.transfer import format_size, upload
from penstock.agent.transport import BlobKind
from penstock.model.errors import LimitExceededError, RefusedError
from penstock.model.output import confine_path
from penstock.plan.step import StoreArtifacts, StoreTestResults

_MAGIC = frozenset("*?[")


def store_artifacts(step: StoreArtifacts, context: StepContext) -> Result:
    """Upload each file. One that is too large fails the step, after the others."""
    entries = list(find_artifacts(step, context))
    if not entries:
        message = f"No artifact files found at {context.resolve(step.path)}"
        if step.optional:
            context.log.say(message)
            return Result()
        raise RefusedError(message)
    problems = [problem for entry in entries if (problem := _store(entry, context))]
    context.log.say(f"{len(entries) - len(problems)} of {len(entries)} files stored")
    if problems:
        raise LimitExceededError(problems[0])
    return Result()


def find_artifacts(step: StoreArtifacts, context: StepContext) -> Iterator[Entry]:
    """The files with the names they will have: the destination and what comes below (CircleCI docs)."""
    full = context.resolve(step.path)
    kind = context.place.find_kind(full)
    if kind is not None:
        shown = step.destination or _show(step.path, full, context)
        yield from _find_below(full, kind, shown, context)
        return
    if not _MAGIC & set(step.path):
        return
    for match in context.place.match("/", full.removeprefix("/")):
        path = f"/{match}"
        kind = context.place.find_kind(path)
        if kind is not None:
            below = os.path.relpath(path, _fixed_part(full))
            shown = f"{step.destination}/{below}" if step.destination else _show(path, path, context)
            yield from _find_below(path, kind, shown, context)


def _find_below(path: str, kind: Kind, shown: str, context: StepContext) -> Iterator[Entry]:
    if kind is Kind.FOLDER:
        for entry in context.place.walk(path):
            yield Entry(name=confine_path(f"{shown}/{entry.name}"), path=entry.path, size=entry.size)
    elif kind is Kind.FILE:
        yield Entry(name=confine_path(shown), path=path, size=context.place.measure(path))


def _show(written: str, full: str, context: StepContext) -> str:
    """The path as the user knows it: below the working directory or home, else the whole of it."""
    for base in (context.task.directory, context.place.home):
        if full.startswith(base + "/"):
            return full.removeprefix(base + "/")
    return PurePosixPath(full).name if written in {".", "~"} else full


def _fixed_part(pattern: str) -> str:
    """The folders of a pattern before the first that has magic."""
    parts = pattern.split("/")
    fixed = next((index for index, part in enumerate(parts) if _MAGIC & set(part)), len(parts))
    return "/".join(parts[:fixed]) or "/"


def _store(entry: Entry, context: StepContext) -> str:
    """Upload one file; returns why it was not, empty when it was."""
    task, log = context.task, context.log
    problem = ""
    if entry.size > task.tuning.artifact:
        problem = f"{entry.name} is larger than {format_size(task.tuning.artifact)}"
    elif task.artifact_bytes + entry.size > task.tuning.artifacts:
        problem = f"the artifacts of this task are larger than {format_size(task.tuning.artifacts)}"
    else:
        try:
            blob, size = upload(context, BlobKind.ARTIFACT, partial(context.place.read, entry.path))
        except LimitExceededError as error:
            problem = f"{entry.name}: {error}"
        else:
            task.artifact_bytes += size
            task.reporter.artifact(entry.name, size, blob)
            log.say(f"Stored {entry.name} ({format_size(size)})")
    if problem:
        log.say(f"Not stored: {problem}")
    context.breathe()
    return problem


def is_report(name: str) -> bool:
    """True for JUnit XML and for Cucumber's JSON, which CircleCI knows by these names."""
    name = name.lower()
    below_cucumber = name.endswith(".json") and "cucumber" in name
    return name.endswith((".xml", ".cucumber")) or below_cucumber


def store_test_results(step: StoreTestResults, context: StepContext) -> Result:
    """Upload the report file, or every report below the folder; `source` is the path in the folder."""
    full = context.resolve(step.path)
    match context.place.find_kind(full):
        case Kind.FILE:
            found = [Entry(name=PurePosixPath(full).name, path=full, size=context.place.measure(full))]
        case Kind.FOLDER:
            found = [entry for entry in context.place.walk(full) if is_report(entry.name)]
        case _:
            context.log.say(f"No test results found at {full}")
            return Result()
    limit = context.task.tuning.reports
    if sum(entry.size for entry in found) > limit:
        context.log.say(f"The test results are larger than {format_size(limit)} and were ignored")
        return Result()
    for entry in found:
        blob, size = upload(context, BlobKind.TEST_REPORT, partial(context.place.read, entry.path))
        context.task.reporter.test_report(entry.name, size, blob, context.task.directory)
    context.log.say(f"{len(found)} test report{'' if len(found) == 1 else 's'} stored")
    return Result()
