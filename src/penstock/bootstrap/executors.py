"""Which executor of this machine runs which job of a local run."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from penstock.agent.executor.base import Executor
from penstock.agent.executor.host import HostExecutor
from penstock.model.errors import InvalidError, UnavailableError
from penstock.plan.executor import ExecutorKind
from penstock.plan.plan import Plan
from penstock.wire.messages import Assignment

if TYPE_CHECKING:
    from penstock.agent.executor.docker.engine import Engine

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
    from penstock.agent.executor.docker.engine import open_engine

    try:
        return open_engine()
    except (UnavailableError, InvalidError):
        if choice == "docker":
            raise
        return None


class LocalExecutors:
    """The executors of one run: containers for jobs with images when there is an engine, else the host.

    With `keep` the folders of jobs on the host stay; containers never do.
    """

    def __init__(self, folder: Path, engine: "Engine | None", *, keep: bool) -> None:
        self._host = HostExecutor(folder, keep=keep)
        self._docker: Executor | None = None
        if engine is not None:
            from penstock.agent.executor.docker.executor import DockerExecutor

            self._docker = DockerExecutor(engine, folder, self._host.guardian)

    def choose(self, assignment: Assignment) -> Executor:
        """The executor for the task."""
        wants_container = assignment.plan.executor.kind is ExecutorKind.DOCKER
        return self._docker if wants_container and self._docker is not None else self._host

    def close(self) -> None:
        """Nothing is left of either."""
        if self._docker is not None:
            self._docker.close()
        self._host.close()
