"""Job groups: one entry of a workflow that stands for several jobs between a first and a last one."""

from collections.abc import Callable, Collection, Iterable

from penstock.language.circleci.expand.frame import Compilation, open_frame
from penstock.language.circleci.expand.planned import Job
from penstock.language.circleci.scope import Scope
from penstock.language.common.scalars import show_scalar
from penstock.language.common.tree import Items, Map, Place
from penstock.model.status import JobKind, Outcome
from penstock.plan.workflow import EVERY_OUTCOME, PASSED

ExpandEntry = Callable[[object, Place, Scope, Compilation], list[Job]]

INVOCATION_KEYS = ("requires", "filters", "serial-group", "name")
"""What a workflow may say about a group (CircleCI config reference: job-groups)."""


def find_group(name: str, scope: Scope) -> Map | None:
    """The definition of a group; a job of the same name is an error that is reported elsewhere."""
    groups = scope.tree.get("job-groups")
    definition = groups.get(name) if isinstance(groups, Map) else None
    return definition if isinstance(definition, Map) else None


def expand_group(
    name: str, settings: Map, place: Place, scope: Scope, work: Compilation, expand_entry: ExpandEntry
) -> list[Job]:
    """The jobs of one use of a group, the one that opens it first.

    Without a serial group the first job does nothing; with one it takes the lock, and a last one gives it
    back when everything has ended. Names start with the name of the use: `checks/lint`. The vendor's docs
    say what these jobs do and what the prefix is; that the last one is called `unlock` is a guess.
    """
    entry = _fill_invocation(name, settings, place, scope, work)
    group = show_scalar(entry.get("name")) or name
    key = entry.get("serial-group")
    start = _make_job(f"{group}/group-start", name, key, entry, place, scope, work)
    members = _expand_members(name, group, scope, work, expand_entry)
    for job in members:
        job.group, job.gate = group, start.key
    end = _make_job(f"{group}/group-end", name, None, Map((), entry), place, scope, work)
    end.base = group
    end.closes = group
    jobs = [start, *members, end]
    if key is not None:
        unlock = _make_job(f"{group}/unlock", name, key, Map((), entry), place, scope, work)
        unlock.kind = JobKind.UNLOCK
        unlock.body = _make_body(unlock.kind, key, entry)
        unlock.closes = group
        jobs.append(unlock)
    return jobs


def close_groups(jobs: Iterable[Job]) -> None:
    """Sets what the last jobs of groups need, once all jobs have their final names.

    What gives the lock back needs all jobs of the group, in whatever way they ended, and that the lock was
    taken. What the end of the group needs is known when all dependencies are (`list_leaves`).
    """
    jobs = list(jobs)
    for job in jobs:
        if not job.closes or job.kind is not JobKind.UNLOCK:
            continue
        members = [other for other in jobs if other.group == job.closes]
        job.needs = {f"{job.closes}/group-start": PASSED}
        job.needs |= {member.key: EVERY_OUTCOME for member in members}
        job.needs[f"{job.closes}/group-end"] = EVERY_OUTCOME


def list_leaves(
    jobs: Iterable[Job], group: str, dropped: Collection[str] = ()
) -> dict[str, tuple[Outcome, ...]]:
    """What the end of a group needs: its jobs that none of its others needs (CircleCI docs: job groups).

    Jobs that were `dropped` by filters do not count, so that what they needed may be the last.
    """
    members = [job for job in jobs if job.group == group and job.key not in dropped]
    needed = {key for job in members for key in job.needs}
    return {job.key: PASSED for job in members if job.key not in needed}


def _fill_invocation(name: str, settings: Map, place: Place, scope: Scope, work: Compilation) -> Map:
    """What the workflow says about the group; keys only jobs may have are reported."""
    for key in settings:
        if key not in INVOCATION_KEYS:
            message = f"[{place.find_pointer()}] key [{key}] is not permitted for job group '{name}'"
            hint = f"a group takes {', '.join(INVOCATION_KEYS)}; say the rest about its jobs"
            work.report.error("group-key", message, Place(settings, key, on_key=True), hint=hint)
    filled = open_frame(work, scope).filler.fill(settings, place)
    return filled if isinstance(filled, Map) else settings


def _expand_members(
    name: str, group: str, scope: Scope, work: Compilation, expand_entry: ExpandEntry
) -> list[Job]:
    definition = find_group(name, scope)
    listed = definition.get("jobs") if definition is not None else None
    entries = listed if isinstance(listed, Items) else Items(())
    members: list[Job] = []
    for index, entry in enumerate(entries):
        where = Place(entries, index)
        if _is_allowed(entry, where, name, scope, work):
            members.extend(expand_entry(entry, where, scope, work))
    for job in members:
        job.key, job.base = f"{group}/{job.key}", f"{group}/{job.base}"
        job.alias = f"{group}/{job.alias}" if job.alias else ""
    return members


def _is_allowed(entry: object, place: Place, group: str, scope: Scope, work: Compilation) -> bool:
    """True unless the entry is a group itself, or wants a lock of its own."""
    name, settings = next(iter(entry.items()), ("", None)) if isinstance(entry, Map) else (entry, None)
    if isinstance(name, str) and find_group(name, scope) is not None:
        message = f"Job group '{group}' holds job group '{name}'; groups cannot be nested."
        work.report.error("nested-group", message, place, hint="list the jobs of the inner group here")
        return False
    if isinstance(settings, Map) and "serial-group" in settings:
        message = f"Job '{name}' of job group '{group}' has a serial-group of its own."
        where = Place(settings, "serial-group", on_key=True)
        work.report.error("group-key", message, where, hint="give it to the group where the workflow uses it")
    return True


def _make_job(
    key: str, definition: str, lock: object, entry: Map, place: Place, scope: Scope, work: Compilation
) -> Job:
    """A job that runs nothing; with a lock it waits for that."""
    kind = JobKind.NO_OP if lock is None else JobKind.LOCK
    said = Map(((name, entry[name]) for name in ("requires", "filters") if name in entry), entry)
    return Job(
        key=key, base=key, alias="", definition=definition, kind=kind, body=_make_body(kind, lock, entry),
        entry=said, matrix={}, frame=open_frame(work, scope), place=place,
    )  # fmt: skip


def _make_body(kind: JobKind, lock: object, origin: Map) -> Map:
    pairs: list[tuple[str, object]] = [("type", str(kind))]
    return Map([*pairs, ("key", lock)] if lock is not None else pairs, origin)
