"""What runs in this pipeline: conditions and schedules of workflows, filters of jobs."""

from penstock.language.circleci.condition import hold_expression, report_pattern
from penstock.language.circleci.expand.frame import Frame
from penstock.language.circleci.expand.group import list_leaves
from penstock.language.circleci.expand.planned import Job, Workflow
from penstock.language.circleci.fill import Filler
from penstock.language.common.context import Context
from penstock.language.common.filters import matches_any, unwrap_pattern
from penstock.language.common.pattern import PatternError, SlowPatternError, check_pattern
from penstock.language.common.scalars import show_scalar
from penstock.language.common.tree import Items, Map, Place
from penstock.model.status import JobKind, Outcome
from penstock.plan.workflow import Schedule

Needs = dict[str, tuple[Outcome, ...]]

MOST_TRIGGERS = 100
"""Of a workflow; each of them is looked at whenever the workflow is due."""


def is_selected(workflow: Map, frame: Frame) -> bool:
    """True when the workflow's `when` holds, and its `unless` does not."""
    for key, wanted in (("when", True), ("unless", False)):
        if key in workflow:
            held = hold_expression(workflow[key], frame.filler, Place(workflow, key))
            if held is not wanted:
                return False
    return True


def list_schedules(workflow: Map, context: Context, frame: Frame) -> tuple[Schedule, ...] | None:
    """The schedules that hold on this branch; None when the workflow has no triggers at all."""
    triggers = workflow.get("triggers")
    if not isinstance(triggers, Items):
        return None
    if len(triggers) > MOST_TRIGGERS:
        message, hint = (
            f"more than {MOST_TRIGGERS} triggers",
            "one cron text can name several times: '0 3,15 * * *'",
        )
        frame.filler.report.error("too-many-triggers", message, Place(workflow, "triggers"), hint=hint)
        return ()
    schedules = []
    for trigger in triggers:
        schedule = trigger.get("schedule") if isinstance(trigger, Map) else None
        if not isinstance(schedule, Map):
            continue
        cron = _read_cron(schedule, frame.filler)
        filters = frame.filler.fill(schedule.get("filters"), Place(schedule, "filters"))
        branches = filters.get("branches") if isinstance(filters, Map) else None
        if _passes_branch(branches, context.branch, frame.filler):
            schedules.append(Schedule(cron=cron))
    return tuple(schedules)


def _read_cron(schedule: Map, filler: Filler) -> str:
    """The cron text, with what is wrong with it reported."""
    from penstock.language.circleci.cron import find_cron_doubt
    from penstock.model.cron import find_cron_fault  # few configs need these

    place = Place(schedule, "cron")
    cron = show_scalar(filler.fill(schedule.get("cron"), place))
    if fault := find_cron_fault(cron):
        hint = "for example '0 3 * * 1-5' (UTC)"
        filler.report.error("invalid-cron", f"Invalid cron text '{cron}': {fault}.", place, hint=hint)
    elif doubt := find_cron_doubt(cron):
        message = f"CircleCI does not accept {doubt} in the cron text '{cron}'; here they work."
        filler.report.warn("cron-extension", message, place)
    return cron


def filter_jobs(workflow: Workflow, context: Context) -> list[tuple[Job, Needs]]:
    """The jobs that remain, each with what it still needs.

    A dependency that was filtered away no longer counts; a job all of whose dependencies were filtered
    away goes too (CircleCI config reference: filters).
    """
    dropped = {job.key for job in workflow.jobs if not _passes_filters(job, context)}
    while more := {
        job.key
        for job in workflow.jobs
        if job.key not in dropped and job.needs and dropped.issuperset(_list_needs(job, workflow, dropped))
    }:
        dropped |= more
    return [
        (job, _keep_needs(_list_needs(job, workflow, dropped), dropped))
        for job in workflow.jobs
        if job.key not in dropped
    ]


def _list_needs(job: Job, workflow: Workflow, dropped: set[str]) -> Needs:
    """What a job needs; the end of a group the last of the jobs that remain in it."""
    if not job.closes or job.kind is JobKind.UNLOCK:
        return job.needs
    return list_leaves(workflow.jobs, job.closes, dropped) or job.needs


def _keep_needs(needs: Needs, dropped: set[str]) -> Needs:
    return {key: outcomes for key, outcomes in needs.items() if key not in dropped}


def _passes_filters(job: Job, context: Context) -> bool:
    """True when a job runs for this ref; without any knowledge of a ref every job does."""
    filler = job.frame.filler
    filters = job.entry.get("filters")
    if isinstance(filters, str):
        return hold_expression(filters, filler, Place(job.entry, "filters"))
    filters = filler.fill(filters, Place(job.entry, "filters"))
    branches = filters.get("branches") if isinstance(filters, Map) else None
    tags = filters.get("tags") if isinstance(filters, Map) else None
    if branches is None and isinstance(job.body, Map):
        branches = job.body.get("branches")  # version 2 without workflows
    _check_patterns((branches, tags), filler)
    if context.tag:
        wanted = isinstance(tags, Map) and (tags.get("only") is not None or tags.get("ignore") is not None)
        return wanted and isinstance(tags, Map) and _passes(tags, context.tag, filler)
    return _passes_branch(branches, context.branch, filler)


def _passes_branch(branches: object, branch: str, filler: Filler) -> bool:
    _check_patterns((branches,), filler)
    return not isinstance(branches, Map) or not branch or _passes(branches, branch, filler)


def _passes(filters: Map, name: str, filler: Filler) -> bool:
    """`only` must match and `ignore` must not; a pattern that is invalid has been reported."""
    if filler.budget.exhausted:
        return False
    try:
        with filler.budget.watch(Place(filters)):
            if filters.get("only") is not None and not matches_any(name, _list_texts(filters["only"])):
                return False
            return filters.get("ignore") is None or not matches_any(name, _list_texts(filters["ignore"]))
    except SlowPatternError as error:
        hint = "write it without repetitions inside repetitions"
        filler.report.error("slow-pattern", f"Invalid regular expression: {error}", Place(filters), hint=hint)
    except PatternError:
        return False
    return False


def _list_texts(value: object) -> list[str]:
    items = value if isinstance(value, Items) else [value]
    return [show_scalar(item) for item in items]


def _check_patterns(groups: tuple[object, ...], filler: Filler) -> None:
    """Reports every invalid regular expression, whether or not this ref would have met it."""
    for group in groups:
        for key in ("only", "ignore") if isinstance(group, Map) else ():
            for entry in _list_texts(group.get(key)) if isinstance(group, Map) else ():
                pattern = unwrap_pattern(entry)
                if pattern is None or pattern == ".*":
                    continue
                try:
                    check_pattern(pattern)
                except PatternError:
                    report_pattern(
                        pattern, filler, Place(group, key) if isinstance(group, Map) else Place(Map(()))
                    )
