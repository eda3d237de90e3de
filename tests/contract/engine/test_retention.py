"""Old pipelines go with all they left behind; what is young, open or shared stays."""

from penstock.engine.retention import expire_pipelines
from penstock.model.run import Pipeline
from penstock.store.pipelines import get_pipeline
from penstock.wire.messages import AnyEvent, ArtifactStored, CacheSaved
from tests.support.lab import HandAgent, Lab

DAY = 86_400.0


def exists(lab: Lab, pipeline: Pipeline) -> bool:
    with lab.parts.db.read() as tx:
        return get_pipeline(tx, pipeline.id) is not None


def ended(lab: Lab, agent: HandAgent) -> Pipeline:
    """A pipeline that passed and left an artifact, a report and a cache."""
    pipeline = lab.run({"a": None})
    task = agent.take()
    agent.begin(task)
    names = {kind: lab.gateway.upload(task, kind, [b"kept"]) for kind in ("artifact", "cache")}
    events: list[AnyEvent] = [
        ArtifactStored(
            task=task, sequence=agent.next(task), at=lab.clock.now(), path="a", size=4, blob=names["artifact"]
        ),
        CacheSaved(
            task=task, sequence=agent.next(task), at=lab.clock.now(), key="k", size=4, blob=names["cache"]
        ),
    ]
    agent.sync(*events, agent.step_finished(task), agent.finished(task))
    return pipeline


def test_what_is_old_goes_with_its_blobs_but_caches_stay(lab: Lab) -> None:
    agent = lab.agent()
    old = ended(lab, agent)
    lab.clock.advance(10 * DAY)
    young = ended(lab, agent)
    before = {name.split("/")[0] for name, _ in lab.parts.blobs.list()}
    assert expire_pipelines(lab.parts, before=lab.clock.now() - round(5 * DAY * 1000)) == 1
    assert (exists(lab, old), exists(lab, young)) == (False, True)
    left = [name.split("/")[0] for name, _ in lab.parts.blobs.list()]
    assert sorted(left) == ["artifact", "cache"]
    assert before == {"artifact", "cache"}


def test_an_old_pipeline_that_goes_on_stays(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    lab.clock.advance(10 * DAY)
    assert expire_pipelines(lab.parts, before=lab.clock.now()) == 0
    assert exists(lab, pipeline)


def test_many_old_pipelines_go_in_several_sweeps(lab: Lab) -> None:
    agent = lab.agent()
    made = [lab.run({"a": None}) for _ in range(3)]
    for _ in made:
        task = agent.take()
        agent.begin(task)
        agent.end(task)
    lab.clock.advance(DAY)
    assert expire_pipelines(lab.parts, before=lab.clock.now()) == 3
    assert expire_pipelines(lab.parts, before=lab.clock.now()) == 0
