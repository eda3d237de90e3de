"""A workflow's list of jobs: each entry becomes one job, or one per combination of its matrix."""

from collections import Counter

import msgspec

from penstock.language.circleci.expand.frame import Compilation, Frame, open_frame
from penstock.language.circleci.expand.job import Invocation, expand_job
from penstock.language.circleci.expand.matrix import Values, list_combinations, name_combination
from penstock.language.circleci.expand.steps import report_missing
from penstock.language.circleci.schema import ENTRY_KEYS
from penstock.language.circleci.scope import Found, Scope, Unavailable
from penstock.language.common.scalars import show_scalar
from penstock.language.common.tree import Items, Map, Place
from penstock.model.status import JobKind, Outcome


class Job(msgspec.Struct, kw_only=True):
    """One job of a workflow after expansion.

    `key` is its final name, `base` the name before duplicates were numbered, `alias` stands for all jobs
    of its matrix. `body` is None for a job that runs nothing, or that has been reported. `entry` is what
    the workflow says about it, filled in; `frame` sees the pipeline's values and the matrix.
    """

    key: str
    base: str
    alias: str
    definition: str
    kind: JobKind
    body: Map | None
    entry: Map
    matrix: Values
    frame: Frame
    place: Place
    needs: dict[str, tuple[Outcome, ...]] = {}


class Workflow(msgspec.Struct, kw_only=True):
    """One workflow whose jobs are expanded."""

    name: str
    body: Map
    jobs: list[Job]
    place: Place


_FILLED = frozenset(ENTRY_KEYS) - {"pre-steps", "post-steps", "matrix"}


def expand_workflow(name: str, body: Map, place: Place, scope: Scope, work: Compilation) -> Workflow:
    """The workflow with its jobs in the order of the source, duplicates numbered."""
    listed = body.get("jobs")
    entries = listed if isinstance(listed, Items) else Items(())
    jobs: list[Job] = []
    with work.report.calling("workflow", name):
        for index, entry in enumerate(entries):
            if work.budget.exhausted:
                break
            jobs.extend(_expand_entry(entry, Place(entries, index), scope, work))
    _number_duplicates(jobs)
    return Workflow(name=name, body=body, jobs=jobs, place=place)


def _expand_entry(entry: object, place: Place, scope: Scope, work: Compilation) -> list[Job]:
    """The jobs of one entry: a name, or a map from a name to what is said about it."""
    name, body = entry, None
    if isinstance(entry, Map) and not work.report.is_spoiled(entry):
        name, body = next(iter(entry.items()), (None, None))
        place = Place(entry, name, on_key=True)
    if not isinstance(name, str):
        return []
    settings = body if isinstance(body, Map) else Map((), place.container)
    matrix = settings.get("matrix")
    if not isinstance(matrix, Map):
        work.budget.spend("jobs", 1, place)
        return [_expand_member(name, settings, None, place, open_frame(work, scope))]
    combinations = list_combinations(matrix, open_frame(work, scope), place)
    return [
        _expand_member(name, settings, values, place, open_frame(work, scope, matrix=values))
        for values in combinations
    ]


def _expand_member(name: str, settings: Map, values: Values | None, place: Place, frame: Frame) -> Job:
    """One job of an entry, for one combination of values."""
    entry = _fill_entry(settings, frame)
    found = _find_definition(name, entry, place, frame)
    kind = _choose_kind(found, entry)
    body = None
    if isinstance(found, Found) and kind is not JobKind.APPROVAL:
        given = {key: value for key, value in settings.items() if key not in ENTRY_KEYS} | (values or {})
        call = Invocation(
            given=given, arguments=Place(settings), pre_steps=settings.get("pre-steps"),
            post_steps=settings.get("post-steps"),
        )  # fmt: skip
        body = expand_job(found, call, frame, place)
    default = name if values is None else name_combination(name, values)
    base = show_scalar(entry.get("name")) or default
    matrix = settings.get("matrix")
    alias = show_scalar(matrix.get("alias")) or name if isinstance(matrix, Map) else ""
    return Job(
        key=base, base=base, alias=alias, definition=name, kind=kind, body=body, entry=entry,
        matrix=values or {}, frame=frame, place=place,
    )  # fmt: skip


def _fill_entry(settings: Map, frame: Frame) -> Map:
    """What the workflow itself says about the job, filled in unless it is an expression."""
    if not settings.templated:
        return settings
    part = Map(((key, value) for key, value in settings.items() if key in _FILLED), settings)
    part.templated = True
    filled = frame.filler.fill(part, Place(settings))
    entry = filled if isinstance(filled, Map) else part
    if isinstance(filters := settings.get("filters"), str):
        entry["filters"] = filters
    return entry


def _find_definition(name: str, entry: Map, place: Place, frame: Frame) -> Found | Unavailable | None:
    """The job's definition; `override-with` names one of an orb that is preferred when it exists."""
    override = entry.get("override-with")
    if isinstance(override, str):
        found = frame.scope.find("jobs", override)
        if found is not None:
            return found
    found = frame.scope.find("jobs", name)
    groups = frame.scope.tree.get("job-groups")
    if found is None and isinstance(groups, Map) and name in groups:
        message = f"job group {name} cannot be run here yet"
        frame.work.report.error("job-group-unavailable", message, place, hint="list its jobs in the workflow")
    elif found is None and entry.get("type") is None:
        report_missing("job", name, frame, place)
    elif found is None and entry["type"] != JobKind.APPROVAL:
        message = (
            "Only jobs with `type: approval` can be defined inline under the `workflows:` section. "
            f"For `type: {entry['type']}`, define the job in the `jobs:` section instead."
        )
        frame.work.report.error("inline-type", message, Place(entry, "type"))
    return found


def _choose_kind(found: Found | Unavailable | None, entry: Map) -> JobKind:
    if entry.get("type") == JobKind.APPROVAL:
        return JobKind.APPROVAL
    written = found.definition.get("type") if isinstance(found, Found) else None
    return JobKind(written) if isinstance(written, str) and written in set(JobKind) else JobKind.BUILD


def _number_duplicates(jobs: list[Job]) -> None:
    """Jobs that share a name get `-1`, `-2`, … in order of appearance, the first one too."""
    shared = {name for name, count in Counter(job.base for job in jobs).items() if count > 1}
    taken = {job.base for job in jobs}
    seen: Counter[str] = Counter()
    for job in jobs:
        if job.base in shared:
            seen[job.base] += 1
            while f"{job.base}-{seen[job.base]}" in taken:
                seen[job.base] += 1
            job.key = f"{job.base}-{seen[job.base]}"
