import pytest

from penstock.lifecycle.pipeline import PipelineMove, advance_pipeline
from penstock.model.errors import RefusedError
from penstock.model.status import PipelineStatus


def test_a_dynamic_config_goes_round_once() -> None:
    status = PipelineStatus.PENDING
    way = []
    moves = [PipelineMove.ASK_SETUP, PipelineMove.BEGIN_SETUP, PipelineMove.CONTINUE, PipelineMove.COMPILE]
    for move in moves:
        status = advance_pipeline(status, move)
        way.append(status.value)
    assert way == ["setup-pending", "setup", "pending", "created"]


def test_a_second_continuation_is_refused_while_the_first_is_compiled() -> None:
    with pytest.raises(RefusedError, match="A pipeline that is pending cannot continue"):
        advance_pipeline(PipelineStatus.PENDING, PipelineMove.CONTINUE)
