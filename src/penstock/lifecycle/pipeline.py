"""The states of a pipeline: how far the making of its workflows has come, which is not its verdict.

::

    pending --ask_setup--> setup-pending --begin_setup--> setup --continue--> pending
       |                        |                           |
       |--compile--> created    '---------refuse------------'--> errored
       '--refuse---> errored

`CircleCI: dynamic configuration`: a setup workflow runs first and continues with another config. Only a
config that is no setup can follow, so the circle is walked once at most; the compiler sees to that.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from penstock.model.errors import RefusedError
from penstock.model.status import PipelineStatus


class PipelineMove(StrEnum):
    """What can happen to a pipeline."""

    ASK_SETUP = "ask_setup"  # the config is a setup config
    BEGIN_SETUP = "begin_setup"  # a job of the setup workflow has begun
    CONTINUE = "continue"  # the setup workflow handed in the next config
    COMPILE = "compile"  # the workflows have been made
    REFUSE = "refuse"  # the config cannot be run


TRANSITIONS: Final[Mapping[PipelineStatus, Mapping[PipelineMove, PipelineStatus]]] = MappingProxyType(
    {
        PipelineStatus.PENDING: {
            PipelineMove.ASK_SETUP: PipelineStatus.SETUP_PENDING,
            PipelineMove.COMPILE: PipelineStatus.CREATED,
            PipelineMove.REFUSE: PipelineStatus.ERRORED,
        },
        PipelineStatus.SETUP_PENDING: {
            PipelineMove.BEGIN_SETUP: PipelineStatus.SETUP,
            PipelineMove.REFUSE: PipelineStatus.ERRORED,
        },
        PipelineStatus.SETUP: {
            PipelineMove.CONTINUE: PipelineStatus.PENDING,
            PipelineMove.REFUSE: PipelineStatus.ERRORED,
        },
        PipelineStatus.CREATED: {},
        PipelineStatus.ERRORED: {},
    }
)
"""By status, where each move leads; created and errored have no way out."""


def advance_pipeline(status: PipelineStatus, move: PipelineMove) -> PipelineStatus:
    """The status after the move; created and errored stay as they are.

    Raises RefusedError when the table has no such move: a continuation may come only once, and only
    while the setup runs.
    """
    ways = TRANSITIONS[status]
    if not ways:
        return status
    after = ways.get(move)
    if after is None:
        raise RefusedError(f"A pipeline that is {status} cannot {move.replace('_', ' ')}")
    return after
