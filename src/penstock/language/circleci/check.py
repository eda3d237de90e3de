"""Checks of what came out of the expansion, before it becomes a plan."""

from collections.abc import Mapping

from penstock.language.circleci.check_kind import check_kind, check_reruns, check_step, list_steps
from penstock.language.circleci.expand.executor import TYPES
from penstock.language.circleci.expand.frame import Compilation
from penstock.language.circleci.expand.group import find_group
from penstock.language.circleci.expand.planned import Job, Workflow
from penstock.language.circleci.parse import Config
from penstock.language.circleci.schema import BUILTIN_STEPS, ENTRY_KEYS, JOB_BODY, WORKFLOW
from penstock.language.circleci.scope import Scope
from penstock.language.common.diagnostic import Reporter, suggest_name
from penstock.language.common.shape import ShapeChecker
from penstock.language.common.tree import Items, Map, Place
from penstock.model.status import JobKind

MOST_CONTEXTS = 100
_SETTINGS = ("triggers", "max_auto_reruns")
"""What a workflow says about itself, which templates may have filled with anything."""


def check_jobs(workflow: Workflow, work: Compilation) -> None:
    """Every job against the shape of a version 2 job, now that all values are known."""
    checker = ShapeChecker(work.report, templates=False)
    with work.report.calling("workflow", workflow.name):
        for key in _SETTINGS:
            if key in workflow.body:
                checker.check(workflow.body[key], WORKFLOW.keys[key], Place(workflow.body, key))
        check_reruns(workflow.body, work.report)
        for job in workflow.jobs:
            _check_entry(job, checker, work.report)
            if job.body is not None:
                with work.report.calling("job", job.definition):
                    _check_body(job, job.body, checker, work.report)


def _check_entry(job: Job, checker: ShapeChecker, report: Reporter) -> None:
    """Names and lists a workflow gives a job, which templates may have filled with anything."""
    for key, value in job.entry.items():
        if key in ENTRY_KEYS and key not in {"matrix", "pre-steps", "post-steps"}:
            checker.check(value, ENTRY_KEYS[key], Place(job.entry, key))
    contexts = job.entry.get("context")
    if isinstance(contexts, Items) and len(contexts) > MOST_CONTEXTS:
        report.error(
            "too-many-contexts",
            f"more than {MOST_CONTEXTS} contexts",
            Place(job.entry, "context"),
            hint="join contexts that are always used together",
        )


def _check_body(job: Job, body: Map, checker: ShapeChecker, report: Reporter) -> None:
    checker.check(body, JOB_BODY, Place(body))
    for name, settings, step in list_steps(body):
        if checker.check(settings, BUILTIN_STEPS[name], Place(step, name)) and isinstance(settings, Map):
            check_step(name, settings, body, report)
    if job.kind is not JobKind.BUILD:
        check_kind(job.kind, body, report)
        return
    types = [kind for kind in TYPES if kind in body]
    if not types and not _names_executor(body, report):
        message = f"[{Place(body).find_pointer()}] 0 subschemas matched instead of one"
        hint = "a job needs one of docker, machine, macos or executor"
        report.error("no-executor", message, Place(body), hint=hint)
    elif len(types) > 1:
        message = f"[{Place(body).find_pointer()}] only one of {', '.join(types)} may be given"
        hint = "keep the one the job is to run on"
        report.error("several-executors", message, Place(body, types[1], on_key=True), hint=hint)
    if "steps" not in body:
        message = f"[{Place(body).find_pointer()}] required key [steps] not found"
        report.error("required-key", message, Place(body), hint="a job needs a list of steps")
    parallelism = body.get("parallelism")
    if isinstance(parallelism, int | float) and (not isinstance(parallelism, int) or parallelism < 1):
        message = f"[{Place(body).find_pointer()}/parallelism] must be a whole number of at least 1"
        report.error("invalid-value", message, Place(body, "parallelism"))


def _names_executor(body: Map, report: Reporter) -> bool:
    """True when the job's executor could not be found, which has been reported."""
    return report.failed and body.node is not None and Place(body, "executor").find_node() is not body.node


def check_skipped(workflow: Map, scope: Scope, work: Compilation) -> None:
    """Warns of jobs a workflow names that do not exist, although it does not run this time."""
    entries = workflow.get("jobs")
    for index, entry in enumerate(entries) if isinstance(entries, Items) else ():
        name, settings = next(iter(entry.items()), (None, None)) if isinstance(entry, Map) else (entry, None)
        if not isinstance(name, str) or (isinstance(settings, Map) and "type" in settings):
            continue
        if scope.find("jobs", name) is None and find_group(name, scope) is None:
            hint = suggest_name(name, scope.list_names("jobs"))
            message = f"Cannot find a definition for job named {name}; the workflow does not run this time."
            place = Place(entries, index) if isinstance(entries, Items) else Place(workflow)
            work.report.warn("unknown-job", message, place, hint=hint)


def check_setup(config: Config, workflows: list[Workflow], report: Reporter) -> None:
    """A setup config runs one workflow, which continues the pipeline (CircleCI docs: dynamic config)."""
    if config.setup and len(workflows) > 1:
        names = ", ".join(workflow.name for workflow in workflows)
        message = f"A setup config runs exactly one workflow, and here {len(workflows)} would run: {names}"
        hint = "give all but one a 'when' that does not hold, or move them to the continuation's config"
        report.error("setup-workflows", message, workflows[1].place, hint=hint)


def check_selection(config: Config, plans: Mapping[str, object], report: Reporter) -> None:
    """Warns when nothing is left to run."""
    if report.failed or plans:
        return
    place = Place(config.tree, "workflows", on_key=True) if "workflows" in config.tree else Place(config.tree)
    report.warn("all-workflows-filtered", "All Workflows have been filtered from this Pipeline.", place)
    report.warn("no-jobs", "No Jobs have been run.", place)
