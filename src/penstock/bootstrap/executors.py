"""Which executor of this machine runs which job of a local run."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from penstock.agent.executor.base import Executor
from penstock.agent.executor.host import HostExecutor
from penstock.model.errors import InvalidError, UnavailableError
from penstock.plan.executor import Executor as PlanExecutor
from penstock.plan.executor import ExecutorKind
from penstock.plan.plan import Plan
from penstock.wire.messages import Assignment

if TYPE_CHECKING:
    from penstock.agent.executor.docker.engine import Engine

_SYSTEMS = {"darwin": "macos", "win32": "windows"}  # what labels call what Python calls so
Choice = Literal["auto", "host", "docker"]


def find_engine(plan: Plan, choice: Choice) -> "Engine | None":
    """The Docker engine the jobs of the plan will use; None when none asks for one or none answers.

    What a setup plan is continued with may ask for one.
    Raises UnavailableError when there must be one.
    """
    jobs = [job for workflow in plan.workflows.values() for job in workflow.jobs.values()]
    wanted = plan.setup or any(job.executor.kind is ExecutorKind.DOCKER for job in jobs)
    if choice == "host" or not wanted:
        return None
    return open_engine_for(choice)


def open_engine_for(choice: Choice) -> "Engine | None":
    """The Docker engine of this machine; None when it is not wanted or, with `auto`, none answers.

    Raises UnavailableError when there must be one.
    """
    if choice == "host":
        return None
    from penstock.agent.executor.docker.engine import check_neighbour, open_engine

    try:
        engine = open_engine()
        check_neighbour(engine)
    except (UnavailableError, InvalidError):
        if choice == "docker":
            raise
        return None
    return engine


def list_offered() -> frozenset[str]:
    """The labels of this machine: its system, and `gpu` where there is a graphics processor for programs."""
    system = _SYSTEMS.get(sys.platform, sys.platform)
    return frozenset({system, "gpu"} if Path("/dev/nvidiactl").exists() else {system})


def list_missing(executor: PlanExecutor) -> list[str]:
    """The labels a job wants that this machine does not have; a container needs none of them."""
    if executor.kind is ExecutorKind.DOCKER:
        return []
    return [label for label in executor.labels if label not in list_offered()]


class LocalExecutors:
    """The executors of one run: containers for jobs with images when there is an engine, else the host.

    Jobs that want an agent of another kind are refused, unless `anything` runs on the host. With `keep` the
    folders of jobs on the host stay; containers never do.
    """

    def __init__(
        self, folder: Path, engine: "Engine | None", *, anything: bool = False, keep: bool = False
    ) -> None:
        self._anything = anything
        self._host = HostExecutor(folder, keep=keep)
        self._docker: Executor | None = None
        if engine is not None:
            from penstock.agent.executor.docker.executor import DockerExecutor

            logins = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
            self._docker = DockerExecutor(engine, folder, self._host.guardian, logins=logins)

    def choose(self, assignment: Assignment) -> Executor:
        """The executor for the task. Raises UnavailableError when the task is for another machine."""
        wanted = assignment.plan.executor
        if not self._anything and (missing := list_missing(wanted)):
            name = f" (resource class {wanted.resource_class})" if wanted.resource_class else ""
            raise UnavailableError(
                f"no agent here is labelled {', '.join(missing)}{name}; "
                "--executor host runs the job on this machine"
            )
        wants_container = wanted.kind is ExecutorKind.DOCKER
        return self._docker if wants_container and self._docker is not None else self._host

    def close(self) -> None:
        """Nothing is left of either."""
        if self._docker is not None:
            self._docker.close()
        self._host.close()
