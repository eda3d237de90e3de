"""Keeps what tasks leave behind: steps, logs, artifacts, test results, caches, workspace layers."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from io import BufferedReader, RawIOBase
from itertools import islice
from typing import Self, assert_never

import msgspec
from typing_extensions import Buffer

from penstock.engine.feed import OutputAdded, StepChanged
from penstock.engine.flow import Flow
from penstock.engine.forks import name_scope
from penstock.engine.start import WARNINGS
from penstock.engine.unit import Parts, Unit
from penstock.engine.uploads import check_owner, delete_quietly
from penstock.kit.ids import new_id
from penstock.model.errors import InvalidError, NotFoundError
from penstock.model.output import Artifact, CacheEntry, LogChunk, TestCase, WorkspaceLayer, confine_path
from penstock.model.run import Job, StepRun, Task
from penstock.model.status import StepStatus
from penstock.store import artifacts, caches, logs, steps, test_results, workspaces
from penstock.store.blobs import Blobs
from penstock.store.logs import Payload
from penstock.store.steps import StepEnd
from penstock.store.tasks import TaskChange
from penstock.store.test_results import ReportSet
from penstock.wire.messages import (
    AnyEvent,
    ArtifactStored,
    CacheSaved,
    LayerSaved,
    LogOutput,
    StepFinished,
    StepStarted,
    TestReport,
)

MOST_WARNINGS = 20
"""Sentences kept of one job."""

DAY = 86_400_000
"""Milliseconds."""

MOST_CASES = 200_000
"""Test cases kept of one report; more would be no help to a reader."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """An event with the work done that needs no transaction: bytes put away, reports read."""

    event: AnyEvent
    payload: Payload | None = None
    cases: Sequence[TestCase] = ()
    fault: str = ""


_KINDS = {TestReport: "test-report", ArtifactStored: "artifact", CacheSaved: "cache", LayerSaved: "layer"}


def touches_blobs(event: AnyEvent) -> bool:
    """True when `prepare` writes or reads blobs of the event's task."""
    return isinstance(event, TestReport) or (
        isinstance(event, LogOutput) and len(event.data) > logs.INLINE_BYTES
    )


def prepare(parts: Parts, event: AnyEvent) -> Prepared:
    """Do what takes time before a transaction is begun. Doing it twice is harmless.

    Raises InvalidError for an event about a blob that is another task's, and for output that cannot be.
    """
    if isinstance(event, LogOutput):
        _check_output(event)
        payload = logs.store_payload(parts.blobs, event.task, event.step, event.offset, event.data)
        return Prepared(event=event, payload=payload)
    if isinstance(event, TestReport | ArtifactStored | CacheSaved | LayerSaved):
        check_owner(event.task, _KINDS[type(event)], event.blob)
    if isinstance(event, TestReport):
        return _read_report(parts.blobs, event)
    return Prepared(event=event)


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of steps in one go: the ends of those that also begin in it.

    It is `is_whole` when it is the first that is told, and leaves no step open.
    """

    ends: Mapping[int, StepFinished] = {}
    is_whole: bool = False

    @classmethod
    def of(cls, events: Iterable[AnyEvent], *, whole: bool) -> Self:
        """The story that the events tell; `whole` when nothing was heard before."""
        told = list(events)
        begun = {event.step for event in told if isinstance(event, StepStarted)}
        ends = {event.step: event for event in told if isinstance(event, StepFinished)}
        return cls(
            ends={step: end for step, end in ends.items() if step in begun},
            is_whole=whole and begun <= ends.keys(),
        )


def _check_output(event: LogOutput) -> None:
    """Whoever reads the piece takes memory for as many bytes as it says it has."""
    sizes = event.size <= logs.MOST_CHUNK_BYTES and event.lines <= event.size
    if not sizes or min(event.size, event.lines, event.offset, event.first_line) < 0:
        raise InvalidError("the agent sent a piece of output that cannot be")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A task that reports, inside a transaction that holds its workflow.

    `change` is what will be written of the task itself.
    """

    flow: Flow
    task: Task
    job: Job
    change: TaskChange
    story: Story = Story()


Output = StepStarted | StepFinished | LogOutput | ArtifactStored | TestReport | CacheSaved | LayerSaved


def keep_output(unit: Unit, place: Place, event: Output, prepared: Prepared) -> None:
    """Write the rows an event asks for, and tell the watchers."""
    tx, job, index = unit.tx, place.job, place.task.index
    match event:
        case StepStarted():
            _start_step(unit, place, event)
        case StepFinished():
            _finish_step(unit, place, event)
        case LogOutput():
            _append_log(unit, place, event, prepared)
        case ArtifactStored(path=path, size=size, blob=blob):
            safe = confine_path(path)  # agents see to it too, but may be anybody's
            artifact = Artifact(
                uuid=new_id(), job_id=job.id, task_index=index, path=safe, size=size, blob=blob
            )
            artifacts.save_artifact(tx, artifact, now=unit.now)
        case TestReport():
            _save_report(unit, place, event, prepared)
        case CacheSaved():
            _save_cache(unit, place, event)
        case LayerSaved(size=size, blob=blob):
            layer = WorkspaceLayer(job_key=job.key, task_index=index, blob=blob, size=size)
            workspaces.add_layer(tx, place.flow.facts.workspace, layer, now=unit.now)
        case _:
            assert_never(event)


def _start_step(unit: Unit, place: Place, event: StepStarted) -> None:
    end = place.story.ends.get(event.step)
    step = StepRun(
        task_id=place.task.id,
        index=event.step,
        name=event.name,
        kind=event.kind,
        status=StepStatus.RUNNING if end is None else end.status,
        started_at=min(event.at, unit.now),
        stopped_at=None if end is None else min(end.at, unit.now),
        exit_code=None if end is None else end.exit_code,
        message="" if end is None else end.message,
    )
    steps.start_step(unit.tx, step)
    _tell_step(unit, place, event, StepStatus.RUNNING)


def _finish_step(unit: Unit, place: Place, event: StepFinished) -> None:
    if event.step not in place.story.ends:
        end = StepEnd(
            status=event.status,
            stopped_at=min(event.at, unit.now),
            exit_code=event.exit_code,
            message=event.message,
        )
        steps.finish_step(unit.tx, place.task.id, event.step, end)
    _tell_step(unit, place, event, event.status, exit_code=event.exit_code, message=event.message)


def _tell_step(
    unit: Unit,
    place: Place,
    event: StepStarted | StepFinished,
    status: StepStatus,
    *,
    exit_code: int | None = None,
    message: str = "",
) -> None:
    told = StepChanged(
        at=min(event.at, unit.now),
        pipeline=place.flow.facts.pipeline.uuid,
        job=place.job.uuid,
        index=place.task.index,
        step=event.step,
        name=event.name,
        kind=event.kind,
        status=status,
        exit_code=exit_code,
        message=message,
    )
    unit.changes.append(told)


def _append_log(unit: Unit, place: Place, event: LogOutput, prepared: Prepared) -> None:
    chunk = LogChunk(
        task_id=place.task.id,
        step=event.step,
        sequence=event.sequence,
        first_line=event.first_line,
        lines=event.lines,
        offset=event.offset,
        size=event.size,
        created_at=unit.now,
    )
    logs.append_chunks(unit.tx, [(chunk, prepared.payload or Payload(data=event.data))])
    told = OutputAdded(
        at=min(event.at, unit.now),
        pipeline=place.flow.facts.pipeline.uuid,
        job=place.job.uuid,
        index=place.task.index,
        step=event.step,
        data=event.data,
    )
    unit.changes.append(told)


def _save_cache(unit: Unit, place: Place, event: CacheSaved) -> None:
    """The first to claim a key keeps it, for as long as the job says (CircleCI docs: retention)."""
    project, job = place.job.project_id, place.job
    days = place.flow.facts.graph.plan.jobs[job.key].retention.get("caches")
    entry = CacheEntry(
        key=event.key,
        blob=event.blob,
        size=event.size,
        created_at=unit.now,
        expires_at=None if days is None else unit.now + days * DAY,
    )
    scope = name_scope(place.flow.facts)
    gone = caches.free_key(unit.tx, project, scope, event.key, now=unit.now)
    if not caches.claim_key(unit.tx, project, scope, entry):
        gone.append(event.blob)
    for blob in gone:
        unit.afterwards.append(partial(delete_quietly, unit.parts.blobs, blob))


def _save_report(unit: Unit, place: Place, event: TestReport, prepared: Prepared) -> None:
    job = place.job
    report = ReportSet(
        project_id=job.project_id,
        job_name=job.name,
        job_id=job.id,
        task_index=place.task.index,
        now=unit.now,
        attempt=place.task.attempt,
    )
    test_results.save_cases(unit.tx, report, prepared.cases)
    if prepared.fault:
        known = place.flow.flags.get(job.key, {}).get(WARNINGS, [])
        place.flow.remember(job.key, **{WARNINGS: [*known, prepared.fault][:MOST_WARNINGS]})
    unit.afterwards.append(partial(delete_quietly, unit.parts.blobs, event.blob))


def _read_report(blobs: Blobs, event: TestReport) -> Prepared:
    """The report's test cases; of a broken one those before the fault, and what is wrong with it."""
    from penstock.ingest.junit import ReportError  # parsers take a fiftieth of the start of `penstock run`
    from penstock.ingest.report import read_report

    cases: list[TestCase] = []
    fault = ""
    try:
        with BufferedReader(BytesReader(blobs.open(event.blob))) as report:
            cases.extend(islice(read_report(report, event.source, event.directory), MOST_CASES + 1))
    except (ReportError, NotFoundError) as error:
        fault = f"test results in {event.source} could not be read: {error}"
    if len(cases) > MOST_CASES:
        del cases[MOST_CASES:]
        fault = f"of {event.source} only the first {MOST_CASES:,} tests are kept"
    return Prepared(event=event, cases=cases, fault=fault)


class BytesReader(RawIOBase):
    """A file to read from, made of pieces."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Fill the buffer from one piece; 0 at the end."""
        target = memoryview(buffer).cast("B")
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        count = min(len(target), len(self._rest))
        target[:count], self._rest = self._rest[:count], self._rest[count:]
        return count
