"""The pipelines of a project on a server, as a list."""

from itertools import islice

from penstock.cli.exit import Exit
from penstock.cli.remote.access import InProject, open_client
from penstock.cli.remote.console import show_day, write_json, write_line
from penstock.cli.remote.names import find_project
from penstock.cli.view.results import Paint
from penstock.cli.view.symbols import OF_WORKFLOW, STANDING
from penstock.kit.durations import format_duration
from penstock.model.picture import PipelineSketch
from penstock.model.run import TriggerType

PAGE = 100


def print_pipelines(access: InProject, branch: str, limit: int) -> int:
    """Print the project's pipelines, newest first."""
    client = open_client(access)
    project = find_project(client, access.project)
    path = f"projects/{project.id}/pipelines"
    every = client.list_own(path, PipelineSketch, branch=branch, limit=min(limit, PAGE))
    paint = Paint()
    nothing = True
    for each in islice(every, limit):
        nothing = False
        write_json(each) if access.json else paint.print(_describe(each, paint))
    if nothing and not access.json:
        write_line(f"{project.slug} has no pipelines yet: `penstock trigger` makes one.")
    return Exit.SUCCESS


def _describe(sketch: PipelineSketch, paint: Paint) -> str:
    symbol = OF_WORKFLOW[sketch.outcome] if sketch.outcome else STANDING
    verdict = sketch.outcome.value if sketch.outcome else sketch.status.value
    stopped = sketch.stopped_at
    took = format_duration((stopped - sketch.created_at) / 1000) if stopped is not None else ""
    warned = f"  ({len(sketch.warnings)} policy warnings)" if sketch.warnings else ""
    ref = sketch.tag or sketch.branch or sketch.sha[:12]
    by = f"{sketch.actor} (schedule)" if sketch.trigger is TriggerType.SCHEDULE else sketch.actor
    return (
        f"{paint.mark(symbol)} {sketch.number:>4}  {show_day(sketch.created_at)}  {verdict:<12} {took:>8}  "
        f"{ref}  {by}  {sketch.subject}{warned}"
    )
