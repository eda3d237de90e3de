"""A workflow in a transaction: one object, one lock, one write."""

import pytest

from penstock.engine.flow import load_flow, loaded_flows
from penstock.engine.unit import Unit
from penstock.lifecycle.events import CancelRequested, JobStarted, RetryDue
from penstock.model.errors import NotFoundError
from penstock.store import jobs
from tests.support.lab import Lab
from tests.support.statements import recorded


def test_a_transaction_loads_a_workflow_once(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    with lab.parts.db.write() as tx:
        unit = Unit(lab.parts, tx)
        flow = load_flow(unit, lab.workflow(pipeline).id)
        assert load_flow(unit, flow.row.id) is flow
        assert list(loaded_flows(unit)) == [flow]
        with pytest.raises(NotFoundError):
            load_flow(unit, 4711)


def test_what_changed_nothing_writes_nothing(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    with lab.parts.db.write() as tx:
        flow = load_flow(Unit(lab.parts, tx), lab.workflow(pipeline).id)
        assert not flow.apply(RetryDue(key="a", attempt=1))
        with recorded(tx) as statements:
            flow.save()
        assert statements == []
        assert flow.apply(JobStarted(key="a", attempt=1))
        with recorded(tx) as statements:
            flow.save()
            flow.save()
        assert [sql.split()[:2] for sql, _ in statements] == [["UPDATE", "jobs"], ["UPDATE", "workflows"]]


def test_what_the_engine_remembers_of_a_job_survives_its_changes(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    row_id = lab.workflow(pipeline).id
    with lab.parts.db.write() as tx:
        flow = load_flow(Unit(lab.parts, tx), row_id)
        flow.remember("a", color="blue")
        flow.remember("a", size=3)
        flow.save()
    with lab.parts.db.write() as tx:
        flow = load_flow(Unit(lab.parts, tx), row_id)
        flow.apply(CancelRequested())
        flow.save()
        [row] = jobs.states_of(tx, row_id)
        assert row.flags == {"color": "blue", "size": 3}


def test_a_job_that_has_ended_has_said_its_last_word(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    with lab.parts.db.write() as tx:
        flow = load_flow(Unit(lab.parts, tx), lab.workflow(pipeline).id)
        flow.explain("a", "first")
        flow.apply(CancelRequested())
        flow.explain("a", "second")
        flow.save()
    assert lab.job(pipeline, "a").message == "first"
