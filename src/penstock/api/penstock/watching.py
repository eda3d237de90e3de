"""Pipelines and jobs, watched while they run: answers are held back until there is news."""

from contextlib import suppress

from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.poll import Patience, Topic, await_news
from penstock.api.common.server import Server
from penstock.api.penstock.paging import Page, cut_page, read_number
from penstock.api.penstock.payloads import OutputQuery, PictureQuery, PipelinesQuery, Report
from penstock.engine.access import Action
from penstock.engine.feed import Change, OutputAdded
from penstock.engine.following import read_news
from penstock.engine.history import tail_log
from penstock.engine.lookup import open_project
from penstock.engine.picture import draw_pipeline, find_version, sketch_pipelines
from penstock.engine.runs import OpenJob, OpenPipeline, open_job, open_pipeline
from penstock.engine.summary import summarize_pipeline
from penstock.model.errors import NotFoundError
from penstock.model.picture import JobNews, PipelinePicture, PipelineSketch
from penstock.model.summary import RunSummary

TAIL, MOST_TAILS = 20, 20
"""Lines that a report has of a step that failed, and of how many steps."""

ALONE, FIRST = 2.0, 0.1
"""Seconds after which is looked for what other servers may have changed: where there are none, and some."""

LONGEST_OF_PIPELINE, LONGEST_OF_OUTPUT = 1.0, 0.2
"""Where there are some, the longest time between two looks."""


def list_pipelines(server: Server, call: Call) -> Page[PipelineSketch]:
    """The pipelines of a project with their verdicts, newest first."""
    query: PipelinesQuery = call.query
    before = read_number(query.after) or None
    with server.parts.db.read() as tx:
        project = open_project(tx, principal_of(call), Action.SEE_PROJECT, call.params["project"])
        every = sketch_pipelines(
            server.parts, tx, project, branch=query.branch, before=before, limit=query.limit + 1
        )
    kept, after = cut_page(every, query.limit, lambda pair: pair[0])
    return Page([sketch for _, sketch in kept], after)


async def watch_pipeline(server: Server, call: Call) -> PipelinePicture:
    """A pipeline with its workflows and jobs; with `version` and `wait`, as soon as it is another one."""
    query: PictureQuery = call.query
    assert call.run is not None  # noqa: S101 - a coroutine always has it
    run = call.run
    found: OpenPipeline = await run(_open_pipeline, server, call)

    async def ask() -> PipelinePicture | None:
        picture: PipelinePicture | None = await run(_draw, server, found, query.version)
        return picture

    topic = Topic(found.pipeline.uuid, _changes_picture)
    patience = _bound(server, query.wait, LONGEST_OF_PIPELINE)
    news = await await_news(server.parts.feed, topic, ask, patience)
    if news is not None:
        return news
    same: PipelinePicture = await run(_draw, server, found, "")
    return same


async def follow_output(server: Server, call: Call) -> JobNews:
    """What a job printed since the cursor, all its steps in turn; with `wait`, as soon as there is some."""
    query: OutputQuery = call.query
    assert call.run is not None  # noqa: S101 - a coroutine always has it
    run = call.run
    found: OpenJob = await run(_open_job, server, call)

    async def ask() -> JobNews | None:
        news: JobNews | None = await run(_read, server, found, query)
        return news

    uuid = found.job.uuid
    topic = Topic(found.pipeline.uuid, lambda change: getattr(change, "job", "") == uuid)
    patience = _bound(server, query.wait, LONGEST_OF_OUTPUT)
    news = await await_news(server.parts.feed, topic, ask, patience)
    if news is not None:
        return news
    return _tell_nothing(found, query)


def report_pipeline(server: Server, call: Call) -> Report:
    """A pipeline with what its jobs left: failed steps and their last lines, tests, artifacts."""
    found = _open_pipeline(server, call)
    summary = summarize_pipeline(server.parts, found.pipeline.uuid)
    with server.parts.db.read() as tx:
        picture = draw_pipeline(server.parts, tx, found)
    return Report(pipeline=picture, summary=summary, tails=_read_tails(server, summary))


def _read_tails(server: Server, summary: RunSummary) -> dict[str, str]:
    """The last lines of what failed, of workflows that were not rerun."""
    failed = [
        (job.uuid, job.failed_step)
        for workflow in summary.workflows
        for job in workflow.jobs
        if job.failed_step is not None and not workflow.repeated
    ]
    tails: dict[str, str] = {}
    for uuid, step in failed[:MOST_TAILS]:
        with suppress(NotFoundError):  # its bytes are gone; the rest of the report is worth having
            tails[uuid] = tail_log(server.parts, step.task_id, step.step, TAIL)
    return tails


def _draw(server: Server, found: OpenPipeline, version: str) -> PipelinePicture | None:
    """The pipeline, unless it is of that version still."""
    with server.parts.db.read() as tx:
        if version and find_version(tx, found.pipeline.id) == version:
            return None
        return draw_pipeline(server.parts, tx, found)


def _read(server: Server, found: OpenJob, query: OutputQuery) -> JobNews | None:
    return read_news(server.parts, found.job, query.cursor, index=query.index)


def _tell_nothing(found: OpenJob, query: OutputQuery) -> JobNews:
    """That nothing was printed in all that time, and that the job is as it was."""
    job = found.job
    return JobNews(
        job=job.uuid,
        number=job.number,
        name=job.name,
        status=job.status,
        ended=False,
        cursor=query.cursor,
        pieces=(),
    )


def _changes_picture(change: Change) -> bool:
    return not isinstance(change, OutputAdded)


def _bound(server: Server, wait: float, longest: float) -> Patience:
    if server.parts.db.is_sqlite:
        return Patience(wait, ALONE, ALONE)
    return Patience(wait, FIRST, longest)


def _open_pipeline(server: Server, call: Call) -> OpenPipeline:
    with server.parts.db.read() as tx:
        return open_pipeline(tx, principal_of(call), Action.SEE_PROJECT, call.params["id"])


def _open_job(server: Server, call: Call) -> OpenJob:
    with server.parts.db.read() as tx:
        return open_job(tx, principal_of(call), Action.SEE_PROJECT, call.params["id"])
