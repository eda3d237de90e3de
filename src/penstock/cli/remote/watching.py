"""Watches a pipeline on a server until it ends, and shows what changes as a run on this machine shows it."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import msgspec
from cyclopts import Parameter

from penstock.api.penstock.payloads import Report
from penstock.cli.exit import Exit
from penstock.cli.options import read_limit
from penstock.cli.remote.client import Client
from penstock.cli.remote.console import write_json, write_line
from penstock.cli.remote.names import current
from penstock.cli.remote.patience import Persistence
from penstock.cli.streams import complain
from penstock.cli.view.choose import View, choose_view
from penstock.cli.view.results import Paint, list_results
from penstock.engine.feed import Change, JobChanged, PipelineChanged, StepChanged, WorkflowChanged
from penstock.kit.clock import SystemClock
from penstock.kit.durations import format_duration
from penstock.kit.interrupts import raise_when_interrupted
from penstock.model.picture import JobPicture, PipelinePicture, WorkflowPicture
from penstock.model.status import JobStatus, PipelineStatus, StepStatus, WorkflowStatus

HELD_SECONDS = 25
"""How long the server may hold an answer back."""

BREATH = 0.1
"""Seconds between two questions at least."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)  # cyclopts knows no structs of msgspec
class Watching:
    """The options about watching."""

    timeout: Annotated[str, Parameter(help="How long to watch at most, like 30m.")] = "none"
    until_hold: Annotated[
        bool, Parameter(help="Stop watching too when nothing but approvals is left to do.", negative="")
    ] = False


TO_THE_END = Watching()


class _Wish(msgspec.Struct, frozen=True, kw_only=True):
    """How to watch: for `seconds` at most."""

    json: bool
    seconds: float
    until_hold: bool


def watch_pipeline(client: Client, pipeline: str, watching: Watching, *, json: bool) -> int:
    """Show the pipeline (UUID) until it ends; the exit status says how. Ctrl-C ends only the watching."""
    seconds = read_limit(watching.timeout, "--timeout")
    wish = _Wish(json=json, seconds=seconds, until_hold=watching.until_hold)
    raise_when_interrupted()
    view = choose_view(json=wish.json)
    shown: list[PipelinePicture] = []
    try:
        try:
            for picture in _follow(client, pipeline, wish):
                if shown or wish.json or not picture.ended:  # of one that is over the results tell all
                    _show(view, shown[-1] if shown else None, picture, steps=not wish.json)
                if not shown or _is_held(picture) > _is_held(shown[-1]):
                    _ask_for_approval(picture, wish)
                shown[:] = [picture]
        finally:
            view.close()
        return _conclude(client, shown[-1], wish)
    except KeyboardInterrupt:
        number = shown[-1].number if shown else pipeline
        complain(f"pipeline {number} goes on; `penstock watch {pipeline}` shows it again")
        return Exit.INTERRUPTED


def _follow(client: Client, pipeline: str, wish: _Wish) -> Iterator[PipelinePicture]:
    """The pipeline as it is now and after each change, until it ends or watching is to end."""
    deadline = time.monotonic() + wish.seconds
    persistence = Persistence(client)
    version = ""
    while True:
        left = deadline - time.monotonic()
        wait = max(min(HELD_SECONDS, left), 0) if version else 0
        query = {"version": version, "wait": f"{wait:.3f}"}
        picture = persistence.own(f"pipelines/{pipeline}", PipelinePicture, **query)
        if picture.version != version:
            yield picture
        version = picture.version
        if picture.ended or left <= 0 or (wish.until_hold and _is_held(picture)):
            return
        time.sleep(BREATH)


def _is_held(picture: PipelinePicture) -> bool:
    """True when nothing but approvals is left to do."""
    going = [flow.status for flow in current(picture) if not flow.status.is_terminal]
    return bool(going) and all(status is WorkflowStatus.ON_HOLD for status in going)


def _ask_for_approval(picture: PipelinePicture, wish: _Wish) -> None:
    if _is_held(picture) and not wish.json:
        held = [job.name for flow in current(picture) for job in flow.jobs if job.status is JobStatus.ON_HOLD]
        for name in held:
            complain(f"waits for approval: penstock approve {name} --pipeline {picture.id}")


def _show(view: View, before: PipelinePicture | None, now: PipelinePicture, *, steps: bool) -> None:
    """Show what is different; what running jobs do only to people, since only beginnings are known."""
    for change in (*list_changes(before, now), *(list_steps(before, now) if steps else ())):
        view.on_change(change)


def list_changes(before: PipelinePicture | None, now: PipelinePicture) -> Iterator[Change]:
    """What has changed between two pictures, in words that views know; of no picture before, all."""
    old = {flow.id: flow for flow in before.workflows} if before is not None else {}
    for flow in current(now):
        known = old.get(flow.id)
        if known is None or known.status is not flow.status:
            yield _tell_workflow(now, flow)
        jobs = {job.key: job for job in known.jobs} if known is not None else {}
        yield from (_tell_job(now, flow, job) for job in flow.jobs if _is_other(jobs.get(job.key), job))
    if before is None or (before.status, before.ended) != (now.status, now.ended):
        yield PipelineChanged(
            at=_now(),
            pipeline=now.id,
            number=now.number,
            status=now.status,
            ended=now.ended,
            outcome=now.outcome,
        )


def list_steps(before: PipelinePicture | None, now: PipelinePicture) -> Iterator[Change]:
    """What running jobs do now, and did not before."""
    old = {job.id: job.step for flow in before.workflows for job in flow.jobs} if before is not None else {}
    for job in (job for flow in current(now) for job in flow.jobs):
        if job.step and job.step != old.get(job.id):
            yield StepChanged(
                at=_now(),
                pipeline=now.id,
                job=job.id,
                index=0,
                step=0,
                name=job.step,
                kind="",
                status=StepStatus.RUNNING,
            )


def _is_other(known: JobPicture | None, job: JobPicture) -> bool:
    now = (job.status, job.attempt, job.message)
    return known is None or (known.status, known.attempt, known.message) != now


def _tell_workflow(picture: PipelinePicture, flow: WorkflowPicture) -> WorkflowChanged:
    return WorkflowChanged(
        at=flow.stopped_at or _now(),
        pipeline=picture.id,
        workflow=flow.id,
        name=flow.name,
        status=flow.status,
        reason=flow.reason,
    )


def _tell_job(picture: PipelinePicture, flow: WorkflowPicture, job: JobPicture) -> JobChanged:
    return JobChanged(
        at=job.stopped_at or job.started_at or _now(),
        pipeline=picture.id,
        workflow=flow.id,
        job=job.id,
        key=job.key,
        name=job.name,
        kind=job.kind,
        status=job.status,
        reason=job.reason,
        attempt=job.attempt,
        message=job.message,
    )


def _now() -> int:
    return SystemClock().now()


def _conclude(client: Client, picture: PipelinePicture, wish: _Wish) -> int:
    """Say what it has come to; the exit status."""
    report = Persistence(client).own(f"pipelines/{picture.id}/report", Report)
    status = find_status(report.pipeline)
    if wish.json:
        outcome = report.pipeline.outcome.value if report.pipeline.outcome else None
        plain = {"type": "summary", "outcome": outcome, "ended": report.pipeline.ended}
        write_json(plain | msgspec.to_builtins(report.summary))
        return status
    paint = Paint()
    for error in report.pipeline.errors:
        paint.print(f"penstock: the config is wrong: {error}")
    for warning in report.pipeline.warnings:
        paint.print(f"penstock: warning: {warning}")
    summary = msgspec.structs.replace(
        report.summary, workflows=tuple(each for each in report.summary.workflows if not each.repeated)
    )
    for line in list_results(summary, lambda job: report.tails.get(job.uuid, ""), paint):
        paint.print(line)
    print()
    sys.stdout.flush()
    write_line(_word_verdict(report.pipeline))
    return status


def _word_verdict(picture: PipelinePicture) -> str:
    if not picture.ended:
        return f"Pipeline {picture.number} has not ended: penstock watch {picture.id}"
    if picture.outcome is None:
        return f"Pipeline {picture.number}: no workflow runs for this branch or tag"
    stops = [flow.stopped_at for flow in picture.workflows if flow.stopped_at is not None]
    took = f" in {format_duration((max(stops) - picture.created_at) / 1000)}" if stops else ""
    return f"Pipeline {picture.number}: {picture.outcome.value}{took}"


def find_status(picture: PipelinePicture) -> int:
    """What the shell is told of a pipeline."""
    if not picture.ended:
        return Exit.UNFINISHED
    if picture.status is PipelineStatus.ERRORED:
        return Exit.USAGE
    return Exit.SUCCESS if picture.outcome in {None, WorkflowStatus.SUCCESS} else Exit.FAILED
