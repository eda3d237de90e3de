"""The processed config: what is left when everything is expanded, as YAML of version 2."""

from penstock.language.circleci.emit import Emitter
from penstock.language.circleci.expand.executor import list_environment
from penstock.language.circleci.expand.planned import Job, Workflow
from penstock.language.circleci.parse import Config
from penstock.language.common.tree import Map
from penstock.model.status import JobKind, Outcome
from penstock.plan.workflow import EVERY_OUTCOME, PASSED

_WORKFLOW_ONLY = frozenset({"jobs", "when", "unless", "description"})
_ENTRY_KEYS = ("context", "filters")


def print_config(config: Config, workflows: list[Workflow]) -> str:
    """The text `circleci config process` prints for the workflows that were selected."""
    jobs: dict[str, object] = {}
    printed: dict[str, object] = {"version": 2}
    shown = {workflow.name: _show_workflow(workflow, jobs) for workflow in workflows}
    header = [f"# Orb '{written}' resolved to '{used}'\n" for written, used in config.resolved.items()]
    document: dict[str, object] = {"version": 2}
    if config.setup:
        document["setup"] = True
    document["jobs"] = jobs
    document["workflows"] = printed | shown
    return "".join(header) + Emitter().emit(document)


def _show_workflow(workflow: Workflow, jobs: dict[str, object]) -> dict[str, object]:
    """The workflow's entry; its jobs are added to `jobs`, under another name when that one is taken."""
    names = {job.key: _place_job(job, jobs) for job in workflow.jobs}
    settings = {key: value for key, value in workflow.body.items() if key not in _WORKFLOW_ONLY}
    entries = [entry for job in workflow.jobs for entry in _show_entries(job, names, jobs)]
    return settings | {"jobs": entries}


def _place_job(job: Job, jobs: dict[str, object]) -> str:
    """The name under which the job's body is printed."""
    if job.body is None:
        return job.key
    body, name, number = _show_body(job.body), job.key, 0
    while name in jobs and jobs[name] != body:
        number += 1
        name = f"{job.key}-{number}"
    jobs[name] = body
    return name


def _show_body(body: Map) -> dict[str, object]:
    """A job's body; its environment is a list of one-key maps, as the vendor prints it."""
    shown = dict(body)
    if "environment" in shown:
        variables = list_environment(shown["environment"])
        shown["environment"] = [{name: value} for name, value in variables.items()]
    return shown


def _show_entries(job: Job, names: dict[str, str], jobs: dict[str, object]) -> list[object]:
    """A job in its workflow; one of a serial group between a job that takes the lock and one that frees it.

    What waits for the job waits for the job itself, and nothing waits for the lock to be free. How the
    vendor names the two is not known.
    """
    name, settings = names[job.key], _list_settings(job, names)
    key = job.entry.get("serial-group")
    if key is None:
        return [_show_entry(name, settings)]
    lock, unlock = f"{name}/lock", f"{name}/unlock"
    jobs[lock], jobs[unlock] = {"type": "lock", "key": key}, {"type": "unlock", "key": key}
    before: dict[str, object] = {
        part: settings.pop(part) for part in ("requires", "filters") if part in settings
    }
    filters = {"filters": before["filters"]} if "filters" in before else {}
    return [
        _show_entry(lock, before),
        _show_entry(name, {"requires": [lock]} | settings | filters),
        _show_entry(unlock, {"requires": [lock, {name: "terminal"}]} | filters),
    ]


def _show_entry(name: str, settings: dict[str, object]) -> object:
    """A name, or a map from it to what remains to be said."""
    return {name: settings} if settings else name


def _list_settings(job: Job, names: dict[str, str]) -> dict[str, object]:
    settings: dict[str, object] = {}
    if job.kind is JobKind.APPROVAL:
        settings["type"] = "approval"
    if job.needs:
        settings["requires"] = [_show_need(names[key], outcomes) for key, outcomes in job.needs.items()]
    return settings | {key: job.entry[key] for key in _ENTRY_KEYS if job.entry.get(key) is not None}


def _show_need(name: str, outcomes: tuple[Outcome, ...]) -> object:
    if outcomes == PASSED:
        return name
    if outcomes == EVERY_OUTCOME:
        return {name: "terminal"}
    return {name: [str(outcome) for outcome in outcomes]}
