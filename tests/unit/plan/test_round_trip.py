import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from penstock.plan.plan import Plan, decode_plan, decode_workflow, encode
from penstock.plan.step import AnyStep
from penstock.plan.workflow import WorkflowPlan
from tests.support.plans import structs_of, values_of

quick = settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@quick
@given(structs_of(Plan))
def test_a_plan_decodes_to_what_was_encoded(plan: object) -> None:
    assert isinstance(plan, Plan)
    assert decode_plan(encode(plan)) == plan


@quick
@given(structs_of(WorkflowPlan))
def test_a_workflow_decodes_to_what_was_encoded(workflow: object) -> None:
    assert isinstance(workflow, WorkflowPlan)
    assert decode_workflow(encode(workflow)) == workflow


@settings(quick, max_examples=300)
@given(values_of(AnyStep))
def test_every_kind_of_step_decodes_to_what_was_encoded(step: object) -> None:
    assert isinstance(step, msgspec.Struct)
    assert msgspec.json.decode(encode(step), type=AnyStep) == step


@given(
    st.sampled_from(["{}", "[]", '{"language": 1}', '{"language": "x", "workflows": {"a": {}}}', "nonsense"])
)
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_plan(text)
