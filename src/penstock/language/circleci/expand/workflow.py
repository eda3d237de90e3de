"""A workflow's list of jobs: each entry becomes one job, or one per combination of its matrix."""

from collections import Counter

from penstock.language.circleci.expand.frame import Compilation, Frame, open_frame
from penstock.language.circleci.expand.group import close_groups, expand_group, find_group
from penstock.language.circleci.expand.job import Invocation, expand_job
from penstock.language.circleci.expand.matrix import Values, list_combinations, name_combination
from penstock.language.circleci.expand.planned import Job, Workflow
from penstock.language.circleci.expand.steps import report_missing
from penstock.language.circleci.schema import ENTRY_KEYS
from penstock.language.circleci.scope import Found, Scope, Unavailable
from penstock.language.common.scalars import show_scalar
from penstock.language.common.tree import Items, Map, Place
from penstock.model.status import JobKind

_LATER = frozenset({"jobs", "when", "unless"})
_FILLED = frozenset(ENTRY_KEYS) - {"pre-steps", "post-steps", "matrix"}


def expand_workflow(name: str, body: Map, place: Place, scope: Scope, work: Compilation) -> Workflow:
    """The workflow with its jobs in the order of the source, duplicates numbered."""
    listed = body.get("jobs")
    entries = listed if isinstance(listed, Items) else Items(())
    jobs: list[Job] = []
    body = _fill_settings(body, open_frame(work, scope))
    with work.report.calling("workflow", name):
        for index, entry in enumerate(entries):
            if work.budget.exhausted:
                break
            added = _expand_item(entry, Place(entries, index), scope, work)
            if not _repeats_group(added, jobs, work):
                jobs.extend(added)
    _number_duplicates(jobs)
    close_groups(jobs)
    return Workflow(name=name, body=body, jobs=jobs, place=place)


def _fill_settings(body: Map, frame: Frame) -> Map:
    """What the workflow says about itself, filled in; conditions have been decided, jobs come later."""
    if not body.templated:
        return body
    return Map(
        ((key, value if key in _LATER else frame.filler.fill(value, Place(body, key)))
         for key, value in body.items()),
        body,
    )  # fmt: skip


def _repeats_group(added: list[Job], jobs: list[Job], work: Compilation) -> bool:
    """True when a use of a group has the name of an earlier one, which is reported."""
    group = next((job.closes for job in added if job.closes), "")
    if not group or all(job.closes != group for job in jobs):
        return False
    message = f"Job group '{group}' is used twice under the same name in the workflow."
    work.report.error("group-name", message, added[0].place, hint="give this use of the group a 'name:'")
    return True


def _expand_item(entry: object, place: Place, scope: Scope, work: Compilation) -> list[Job]:
    """The jobs of one item of a workflow's list: of a job, or of a job group."""
    name, settings = next(iter(entry.items()), (None, None)) if isinstance(entry, Map) else (entry, None)
    if not isinstance(name, str) or find_group(name, scope) is None or work.report.is_spoiled(entry):
        return _expand_entry(entry, place, scope, work)
    if isinstance(entry, Map):
        place = Place(entry, name, on_key=True)
    given = settings if isinstance(settings, Map) else Map((), place.container)
    return expand_group(name, given, place, scope, work, _expand_entry)


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
    if found is None and entry.get("type") is None:
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
