from pathlib import Path

import pytest

from penstock.agent.executor.host import HostExecutor
from penstock.bootstrap.executors import LocalExecutors, list_missing, list_offered
from penstock.model.errors import UnavailableError
from penstock.plan.executor import Executor, ExecutorKind
from penstock.plan.workflow import JobPlan
from tests.support.agents import assign

RUNNER = Executor(kind=ExecutorKind.MACHINE, resource_class="acme/big", labels=("acme/big",))


def test_a_machine_has_the_label_of_its_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert "macos" in list_offered()
    monkeypatch.setattr("sys.platform", "linux")
    assert "linux" in list_offered()
    assert "macos" not in list_offered()


def test_a_job_for_another_kind_of_agent_is_refused_with_a_way_out(tmp_path: Path) -> None:
    executors = LocalExecutors(tmp_path, None)
    task = assign("true", job=JobPlan(name="job", executor=RUNNER))
    with pytest.raises(UnavailableError, match=r"labelled acme/big \(.* acme/big\); --executor host runs"):
        executors.choose(task)
    assert isinstance(executors.choose(assign("true")), HostExecutor)
    executors.close()


def test_anything_runs_on_the_host_when_that_is_wanted(tmp_path: Path) -> None:
    executors = LocalExecutors(tmp_path, None, anything=True)
    assert isinstance(
        executors.choose(assign("true", job=JobPlan(name="job", executor=RUNNER))), HostExecutor
    )
    executors.close()


def test_a_container_needs_no_label() -> None:
    assert list_missing(Executor(kind=ExecutorKind.DOCKER, labels=("acme/big",))) == []
    assert list_missing(RUNNER) == ["acme/big"]
