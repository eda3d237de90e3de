"""What was deleted is unknown at once, ends what it runs, and leaves neither rows nor blobs."""

import pytest

from penstock.engine import removal as sweeping
from penstock.engine.enlist import SILENCE
from penstock.engine.lookup import find_project
from penstock.engine.organizations import delete_organization
from penstock.engine.principal import SERVER
from penstock.engine.project_settings import add_hook_secret
from penstock.engine.projects import NewProject, create_project, delete_project
from penstock.engine.removal import REMEMBERED, sweep
from penstock.model.errors import NotFoundError
from penstock.model.project import Project
from penstock.model.run import Pipeline
from penstock.model.status import WorkflowStatus
from penstock.store import agents, deliveries, projects
from penstock.store.schema import metadata
from penstock.store.sealing import Sealer
from penstock.wire.messages import ArtifactStored, CacheSaved
from tests.support.lab import Lab

SEALER = Sealer([b"k" * 32])
LEFT = {"organizations", "agents", "audit_log"}
"""Tables that keep rows when a project is gone."""

USAGE = {"usage_runs", "usage_workflows"}
"""The same, but only if something had run; they belong to the organization."""


def project_of(lab: Lab, pipeline: Pipeline) -> Project:
    with lab.parts.db.read() as tx:
        found = projects.get_project(tx, pipeline.project_id)
    assert found is not None
    return found


def run_with_outputs(lab: Lab, project: str = "app") -> Pipeline:
    """A pipeline that has ended and left an artifact and a cache."""
    pipeline = lab.trigger({"workflows": {"main": {"jobs": {"a": None}}}}, project=project)
    agent = lab.agent()
    task = agent.take()
    agent.begin(task)
    upload = lab.gateway.upload
    now, size = lab.clock.now(), 3
    cache, artifact = upload(task, "cache", [b"abc"]), upload(task, "artifact", [b"abc"])
    agent.sync(
        CacheSaved(task=task, sequence=agent.next(task), at=now, key="k", blob=cache, size=size),
        ArtifactStored(task=task, sequence=agent.next(task), at=now, path="x", blob=artifact, size=size),
    )
    agent.end(task)
    assert lab.status(pipeline) is WorkflowStatus.SUCCESS
    return pipeline


def rows_left(lab: Lab) -> set[str]:
    """The tables that are not empty."""
    with lab.parts.db.read() as tx:
        return {
            name for name, table in metadata.tables.items() if tx.execute(table.select().limit(1)).first()
        }


def sweep_all(lab: Lab) -> None:
    while sweep(lab.parts):
        pass


def test_a_deleted_project_is_unknown_at_once_and_gone_after_a_sweep(lab: Lab) -> None:
    project = project_of(lab, run_with_outputs(lab))
    add_hook_secret(lab.parts, SEALER, SERVER, project)
    assert len(list(lab.parts.blobs.list())) == 2
    delete_project(lab.parts, SERVER, project)
    with lab.parts.db.read() as tx:
        for text in (project.slug, project.uuid):
            with pytest.raises(NotFoundError):
                find_project(tx, text)
    with pytest.raises(NotFoundError):
        delete_project(lab.parts, SERVER, project)
    sweep_all(lab)
    assert rows_left(lab) <= LEFT | USAGE
    assert list(lab.parts.blobs.list()) == []


def test_a_slug_may_be_used_again_before_the_old_project_is_gone(lab: Lab) -> None:
    project = project_of(lab, run_with_outputs(lab))
    delete_project(lab.parts, SERVER, project)
    with lab.parts.db.read() as tx:
        owner = projects.get_organization(tx, project.organization_id)
    assert owner is not None
    new = create_project(lab.parts, SERVER, owner, NewProject(name="app", url="https://example.com/a.git"))
    sweep_all(lab)
    with lab.parts.db.read() as tx:
        assert find_project(tx, project.slug) == new
        assert projects.get_project(tx, project.id) is None


def test_what_runs_in_a_deleted_project_ends_first(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    agent = lab.agent()
    task = agent.take()
    agent.begin(task)
    project = project_of(lab, pipeline)
    delete_project(lab.parts, SERVER, project)
    assert not sweep(lab.parts)
    assert not lab.status(pipeline).is_terminal
    [cancel] = agent.sync().cancel
    assert cancel.task == task
    agent.end(task)
    sweep_all(lab)
    with lab.parts.db.read() as tx:
        assert projects.get_project(tx, project.id) is None


def test_a_deleted_organization_takes_everything_along(lab: Lab) -> None:
    first, _ = (run_with_outputs(lab, name) for name in ("app", "other"))
    with lab.parts.db.read() as tx:
        owner = projects.get_organization(tx, project_of(lab, first).organization_id)
    assert owner is not None
    delete_organization(lab.parts, SERVER, owner)
    sweep_all(lab)
    assert rows_left(lab) <= LEFT - {"organizations"}
    assert list(lab.parts.blobs.list()) == []


def test_a_big_project_goes_in_pieces(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "PIPELINES_AT_ONCE", 1)
    monkeypatch.setattr(sweeping, "ROUNDS", 2)
    pipelines = [run_with_outputs(lab) for _ in range(3)]
    delete_project(lab.parts, SERVER, project_of(lab, pipelines[0]))
    assert sweep(lab.parts)
    assert len(lab.every_pipeline()) == 1
    sweep_all(lab)
    assert lab.every_pipeline() == []


def test_deliveries_and_agents_are_forgotten_in_time(lab: Lab) -> None:
    agent = lab.agent()
    with lab.parts.db.write() as tx:
        assert deliveries.remember_delivery(tx, "gh", "a", now=lab.clock.now())
    lab.clock.advance(SILENCE / 1000 + 1)
    sweep(lab.parts)
    with lab.parts.db.write() as tx:
        assert [each.state for each in agents.list_agents(tx)] == ["gone"]
        assert not deliveries.remember_delivery(tx, "gh", "a", now=lab.clock.now())
    agent.sync()
    with lab.parts.db.read() as tx:
        assert [each.state for each in agents.list_agents(tx)] == ["online"]
    lab.clock.advance(REMEMBERED / 1000 + 1)
    sweep(lab.parts)
    with lab.parts.db.write() as tx:
        assert agents.list_agents(tx) == []
        assert deliveries.remember_delivery(tx, "gh", "a", now=lab.clock.now())
