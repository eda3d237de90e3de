"""The fixed part of a workflow: which job or group waits for which.

A group is a node of its own, so three hundred groups of fifty jobs that need each other cost three hundred
edges between groups and never fifty times fifty between jobs.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

import msgspec

from penstock.model.errors import InvalidError
from penstock.plan.workflow import JobPlan, WorkflowPlan


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """What `advance` needs to know about a plan and the plan does not say directly.

    `members` are the jobs of each group and `dependents` the jobs and groups that name a key among their
    needs, both in the order of the plan. `rank` orders jobs so that each stands after all it waits for.
    """

    plan: WorkflowPlan
    members: dict[str, tuple[str, ...]]
    dependents: dict[str, tuple[str, ...]]
    rank: dict[str, int]

    @classmethod
    def of(cls, plan: WorkflowPlan) -> "Graph":
        """The graph of a plan. Raises InvalidError when the plan breaks a promise of `WorkflowPlan`."""
        members = collect_members(plan)
        check_keys(plan, members)
        order = sort_nodes(plan)
        if order is None:
            raise InvalidError(f"Jobs of workflow {plan.name} wait for each other: {find_cycle(plan)}")
        ranked = (key for key in order if key in plan.jobs)
        return cls(
            plan=plan,
            members=members,
            dependents=collect_dependents(plan),
            rank={key: place for place, key in enumerate(ranked)},
        )

    def upstream(self, key: str) -> tuple[str, ...]:
        """All jobs that have ended before the job starts, each after those it waited for itself."""
        return self._in_order(reach([key], self._before))

    def nearest(self, keys: Collection[str]) -> dict[str, tuple[str, ...]]:
        """For each of the jobs those of them that it waited for with none of them between."""
        return {key: self._find_nearest(key, keys) for key in keys}

    def _find_nearest(self, key: str, keys: Collection[str]) -> tuple[str, ...]:
        seen: dict[str, bool] = {}
        todo = list(self._before(key))
        while todo:
            node = todo.pop()
            if node not in seen:
                seen[node] = node in keys
                todo += () if node in keys else self._before(node)
        return tuple(sorted(node for node, is_one in seen.items() if is_one))

    def downstream(self, keys: Iterable[str]) -> tuple[str, ...]:
        """All jobs that wait, directly or not, for one of the jobs, in the same order."""
        return self._in_order(reach(keys, self._after))

    def _in_order(self, keys: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted((key for key in keys if key in self.rank), key=self.rank.__getitem__))

    def _before(self, key: str) -> Iterator[str]:
        """What must end before the node: of a needed group, the jobs; of a job, also its group's needs."""
        job = self.plan.jobs.get(key)
        if job is None:
            yield from self.members[key]
            return
        yield from job.needs
        if job.group is not None:
            yield from self.plan.groups[job.group].needs

    def _after(self, key: str) -> Iterator[str]:
        job = self.plan.jobs.get(key)
        if job is None:
            yield from self.members[key]  # the group was reached as one that waits, so its jobs do
            return
        yield from self.dependents.get(key, ())
        if job.group is not None:
            yield from self.dependents.get(job.group, ())


def reach(start: Iterable[str], step: Callable[[str], Iterable[str]]) -> set[str]:
    """Every node that `step` leads to from the start, without the start unless it is met again."""
    seen: set[str] = set()
    todo = deque(start)
    while todo:
        for key in step(todo.popleft()):
            if key not in seen:
                seen.add(key)
                todo.append(key)
    return seen


def collect_members(plan: WorkflowPlan) -> dict[str, tuple[str, ...]]:
    """The jobs of each group, by the group's key."""
    members: dict[str, list[str]] = {key: [] for key in plan.groups}
    for key, job in plan.jobs.items():
        if job.group is not None:
            members.setdefault(job.group, []).append(key)
    return {key: tuple(jobs) for key, jobs in members.items()}


def collect_dependents(plan: WorkflowPlan) -> dict[str, tuple[str, ...]]:
    """By key, the groups and jobs that need it; keys that nobody needs are left out."""
    dependents: dict[str, list[str]] = {}
    for key, needs in list_needs(plan):
        for need in needs:
            dependents.setdefault(need, []).append(key)
    return {key: tuple(waiting) for key, waiting in dependents.items()}


def list_needs(plan: WorkflowPlan) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each group, then each job, with the keys it needs."""
    for key, group in plan.groups.items():
        yield key, tuple(group.needs)
    for key, job in plan.jobs.items():
        yield key, tuple(job.needs)


def check_keys(plan: WorkflowPlan, members: Mapping[str, tuple[str, ...]]) -> None:
    """Returns when every key means exactly one thing; raises InvalidError otherwise."""
    if both := plan.jobs.keys() & plan.groups.keys():
        raise InvalidError(f"In workflow {plan.name}, {min(both)!r} is a job and a group")
    if unknown := members.keys() - plan.groups.keys():
        raise InvalidError(f"Workflow {plan.name} has jobs in an unknown group: {min(unknown)!r}")
    if empty := sorted(key for key, jobs in members.items() if not jobs):
        raise InvalidError(f"In workflow {plan.name} group {empty[0]!r} has no jobs")
    for key, needs in list_needs(plan):
        for need in needs:
            if need not in plan.jobs and need not in plan.groups:
                raise InvalidError(f"In workflow {plan.name} {key!r} needs {need!r}, which does not exist")


def sort_nodes(plan: WorkflowPlan) -> list[str] | None:
    """Job keys and group ends, each after what it waits for and otherwise as written; None for a cycle."""
    prerequisites = list_prerequisites(plan)
    open_count = {key: len(before) for key, before in prerequisites.items()}
    waiting: dict[str, list[str]] = {}
    for key, before in prerequisites.items():
        for need in before:
            waiting.setdefault(need, []).append(key)
    ready = deque(key for key, count in open_count.items() if count == 0)
    order: list[str] = []
    while ready:
        key = ready.popleft()
        order.append(key)
        for dependent in waiting.get(key, ()):
            open_count[dependent] -= 1
            if open_count[dependent] == 0:
                ready.append(dependent)
    return order if len(order) == len(prerequisites) else None


def find_cycle(plan: WorkflowPlan) -> str:
    """A text like `a -> b -> a` of jobs and groups that wait for each other, "" when none do."""
    prerequisites = list_prerequisites(plan)
    done: set[str] = set()
    for root in prerequisites:
        path: dict[str, Iterator[str]] = {root: iter(prerequisites[root])}
        while path:
            key, needs = next(reversed(path.items()))
            need = next((need for need in needs if need not in done), None)
            if need is None:
                done.add(key)
                del path[key]
            elif need in path:
                trail = [*path][[*path].index(need) :]
                return " -> ".join(strip_gate(node) for node in [*trail, need])
            else:
                path[need] = iter(prerequisites.get(need, ()))
    return ""


def list_prerequisites(plan: WorkflowPlan) -> dict[str, tuple[str, ...]]:
    """What each node waits for. A group is two nodes: its gate, before its jobs, and its end, after them."""
    before: dict[str, tuple[str, ...]] = {}
    members = collect_members(plan)
    for key, group in plan.groups.items():
        before[open_gate(key)] = tuple(group.needs)
    for key, job in plan.jobs.items():
        before[key] = wait_for(job)
    for key in plan.groups:
        before[key] = members[key]
    return before


def wait_for(job: JobPlan) -> tuple[str, ...]:
    """The nodes a job waits for: its own needs and the gate of its group."""
    gate = () if job.group is None else (open_gate(job.group),)
    return (*gate, *job.needs)


GATE = "\0"
"""Ends the name of a gate; no key can contain it, because YAML cannot."""


def open_gate(group: str) -> str:
    """The node that stands before all jobs of a group."""
    return group + GATE


def strip_gate(node: str) -> str:
    """The key of the job or group the node belongs to."""
    return node.removesuffix(GATE)
