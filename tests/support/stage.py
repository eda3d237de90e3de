"""What a scenario can do to workflows, whoever plays them: the pure functions or the real engine."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from penstock.model.status import JobStatus, Reason, WorkflowStatus
from tests.support.world import Outcome


class Refusal(msgspec.Struct, forbid_unknown_fields=True):
    job: str
    status: JobStatus
    reason: Reason = Reason.NONE


class Repeat(msgspec.Struct, forbid_unknown_fields=True):
    jobs: list[str] = []
    from_failed: bool = False
    sparse: bool = False


class View(msgspec.Struct, kw_only=True):
    """How a workflow looks now: of each job the status, the reason and how often it was queued."""

    status: WorkflowStatus
    reason: Reason
    jobs: Mapping[str, tuple[JobStatus, Reason, int]]
    limits: list[str | None]


class Stage(Protocol):
    """Workflows are called by their key, `~2` for the first rerun, `2/` before in the second pipeline."""

    started: list[str]
    held: list[str]

    def trigger(self) -> None:
        """One more pipeline of the plan."""

    def drain(self) -> None:
        """Nothing can move any more without somebody's help."""

    def start(self, name: str, key: str) -> None:
        """Agents have taken the queued job."""

    def finish(self, name: str, key: str, outcome: Outcome) -> None:
        """The present attempt of the job has ended so."""

    def approve(self, name: str, key: str) -> None:
        """A person has let the approval pass."""

    def cancel(self, name: str, reason: Reason) -> None:
        """The workflow was asked to stop."""

    def cancel_job(self, name: str, key: str) -> None:
        """The job was asked to stop."""

    def end_time(self, name: str, group: str | None) -> None:
        """The time of the group, or of the workflow, is over."""

    def refuse(self, name: str, refusal: Refusal) -> None:
        """The job was turned away."""

    def begin(self, name: str) -> None:
        """A person has started the held workflow."""

    def follow(self, name: str, follow_up: str, arguments: Mapping[str, str | int | bool]) -> None:
        """A person has started the follow-up with arguments."""

    def repeat(self, name: str, repeat: Repeat) -> None:
        """The workflow runs again."""

    def deliver(self) -> None:
        """Whatever was said has been heard."""

    def names(self) -> list[str]:
        """All workflows in the order they were made."""

    def look(self, name: str) -> View:
        """The workflow as it is now."""

    def verdict(self) -> WorkflowStatus:
        """That of the first pipeline."""

    def check(self) -> None:
        """What must always hold does."""
