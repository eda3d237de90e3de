"""What a job is told that asks something of its agent through an in-job command."""

from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec

from penstock.agent.injob.asking import REFUSALS


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A status as of HTTP, 200 when it was done, and a text: what was asked for, or why there is none."""

    status: int
    message: str

    def __repr__(self) -> str:
        """Without the text, which may be a token."""
        return f"Reply(status={self.status})"


class Errand(StrEnum):
    """What a job can send its agent for."""

    CONTINUE = "continue"
    IDENTITY = "identity"


Answer = Callable[[bytes], Reply]
"""What a job is told for the body of its request; never raises."""

Answers = Mapping[Errand, Answer]
"""What the task of a place may ask."""


def answer(answers: Answers, errand: Errand, body: bytes) -> Reply:
    """What the job is told; a task that may not ask for this is told so."""
    found = answers.get(errand)
    return Reply(status=403, message=REFUSALS[errand]) if found is None else found(body)
