"""What tasks leave behind: logs in order, caches, artifacts, test reports, and queries over them."""

import secrets

import msgspec
import pytest
import zstandard

from penstock.engine.expiry import expire_caches
from penstock.engine.history import (
    find_run,
    list_artifacts,
    list_cases,
    list_job_names,
    list_logs,
    list_runs,
    read_log,
    tail_log,
)
from penstock.engine.summary import MOST_FAILED, summarize_pipeline
from penstock.kit.ids import new_id
from penstock.model.errors import InvalidError, LimitExceededError, NotFoundError
from penstock.model.run import Fork, Pipeline
from penstock.model.status import StepStatus, TaskStatus, WorkflowStatus
from penstock.store.logs import MOST_CHUNK_BYTES
from penstock.wire.messages import ArtifactStored, CacheSaved, LogOutput
from penstock.wire.messages import TestReport as ReportStored
from tests.support.compact import Compact
from tests.support.lab import HandAgent, Lab


def printed(
    agent: HandAgent, lab: Lab, task: str, plain: bytes, *, offset: int, first_line: int
) -> LogOutput:
    return LogOutput(
        task=task,
        sequence=agent.next(task),
        at=lab.clock.now(),
        step=0,
        offset=offset,
        size=len(plain),
        first_line=first_line,
        lines=plain.count(b"\n"),
        data=zstandard.compress(plain),
    )


def one_task(lab: Lab) -> tuple[Pipeline, HandAgent, str]:
    pipeline = lab.run({"a": None})
    agent = lab.agent()
    task = agent.take()
    agent.begin(task)
    return pipeline, agent, task


def test_output_is_read_in_the_order_it_was_printed(lab: Lab) -> None:
    pipeline, agent, task = one_task(lab)
    pieces = [b"one\ntwo\n", b"thr", b"ee\nfour"]
    chunks, offset, line = [], 0, 0
    for piece in pieces:
        chunks.append(printed(agent, lab, task, piece, offset=offset, first_line=line))
        offset, line = offset + len(piece), line + piece.count(b"\n")
    agent.sync(*chunks[:2])
    agent.sync(*chunks)
    agent.sync(agent.step_finished(task), agent.finished(task))
    [log] = list_logs(lab.parts, pipeline)
    assert b"".join(read_log(lab.parts, log)) == b"".join(pieces)
    assert tail_log(lab.parts, log.task.id, 0, 2) == "three\nfour"
    assert (list_logs(lab.parts, pipeline, "a"), list_logs(lab.parts, pipeline, "b")) == ([log], [])


def test_large_pieces_lie_in_the_blob_store(lab: Lab) -> None:
    pipeline, agent, task = one_task(lab)
    noise = secrets.token_bytes(100_000)
    agent.sync(printed(agent, lab, task, noise, offset=0, first_line=0), agent.finished(task))
    [log] = list_logs(lab.parts, pipeline)
    assert b"".join(read_log(lab.parts, log)) == noise


@pytest.mark.parametrize("size", [MOST_CHUNK_BYTES + 1, 1 << 40, -1])
def test_a_piece_that_would_fill_the_memory_of_its_readers_is_refused(lab: Lab, size: int) -> None:
    pipeline, agent, task = one_task(lab)
    bomb = zstandard.compress(bytes(MOST_CHUNK_BYTES + 1))
    piece = printed(agent, lab, task, b"x", offset=0, first_line=0)
    agent.sync(msgspec.structs.replace(piece, size=size, data=bomb))
    assert lab.jobs(pipeline) == {"a": "infrastructure_fail internal"}
    assert "a piece of output that cannot be" in lab.job(pipeline, "a").message
    [log] = list_logs(lab.parts, pipeline)
    assert b"".join(read_log(lab.parts, log)) == b""


def test_nobody_else_and_nobody_afterwards_changes_what_was_printed(lab: Lab) -> None:
    pipeline, agent, task = one_task(lab)
    noise, other = secrets.token_bytes(100_000), secrets.token_bytes(100_000)
    agent.sync(printed(agent, lab, task, noise, offset=0, first_line=0))
    intruder = lab.agent()
    for _ in range(3):
        intruder.next(task)
    intruder.sync(printed(intruder, lab, task, other, offset=0, first_line=0))
    intruder.sync(printed(intruder, lab, task, other, offset=100_000, first_line=0))
    agent.end(task)
    agent.sync(printed(agent, lab, task, other, offset=0, first_line=0))
    [log] = list_logs(lab.parts, pipeline)
    assert b"".join(read_log(lab.parts, log)) == noise
    assert len([name for name, _ in lab.parts.blobs.list("logs")]) == 1


def save_cache(agent: HandAgent, lab: Lab, task: str, key: str, data: bytes) -> str:
    blob = lab.gateway.upload(task, "cache", [data])
    event = CacheSaved(
        task=task, sequence=agent.next(task), at=lab.clock.now(), key=key, size=len(data), blob=blob
    )
    agent.sync(event)
    return blob


def test_the_first_to_take_a_cache_key_keeps_it_and_the_losers_bytes_go(lab: Lab) -> None:
    lab.run({"a": None, "b": None})
    agent = lab.agent()
    first, second = (assignment.task for assignment in agent.claim(2))
    kept = save_cache(agent, lab, first, "deps-1", b"first")
    lost = save_cache(agent, lab, second, "deps-1", b"second")
    newer = save_cache(agent, lab, second, "deps-2", b"third")
    assert lab.gateway.has_cache(first, "deps-1")
    assert not lab.gateway.has_cache(first, "deps-")
    found = [lab.gateway.find_cache(second, keys) for keys in (("deps-1",), ("none", "deps-"), ("none",))]
    assert [hit.blob if hit else None for hit in found] == [kept, newer, None]
    with lab.gateway.download(first, kept) as pieces:
        assert b"".join(pieces) == b"first"
    with pytest.raises(NotFoundError):
        lab.parts.blobs.read(lost)


def test_a_cache_is_kept_as_long_as_its_job_says(lab: Lab) -> None:
    lab.run({"a": {"retention": {"caches": 2}}, "b": None})
    agent = lab.agent()
    first, second = (assignment.task for assignment in agent.claim(2))
    short = save_cache(agent, lab, first, "short", b"1")
    kept = save_cache(agent, lab, second, "kept", b"2")
    day = 24 * 3600
    lab.clock.advance(2 * day - 1)
    assert expire_caches(lab.parts) == 0
    assert lab.gateway.has_cache(first, "short")
    lab.clock.advance(1)
    assert lab.gateway.find_cache(first, ("short",)) is None
    again = save_cache(agent, lab, first, "short", b"3")
    with pytest.raises(NotFoundError):
        lab.parts.blobs.read(short)
    lab.clock.advance(2 * day)
    assert expire_caches(lab.parts) == 1
    with pytest.raises(NotFoundError):
        lab.parts.blobs.read(again)
    assert lab.parts.blobs.read(kept) == b"2"


def test_caches_are_of_one_project(lab: Lab) -> None:
    lab.run({"a": None})
    agent = lab.agent()
    save_cache(agent, lab, agent.take(), "deps", b"mine")
    lab.trigger({"workflows": {"main": {"jobs": {"a": None}}}}, project="other")
    assert lab.gateway.find_cache(agent.take(), ("deps",)) is None


def test_caches_of_a_fork_are_seen_by_that_fork_alone(lab: Lab) -> None:
    plan: Compact = {"workflows": {"main": {"jobs": {"a": None}}}}
    agent = lab.agent()
    lab.trigger(plan)
    for number, owner in enumerate(("eve", "eve", "bob")):
        lab.trigger(plan, fork=Fork(number=number, owner=owner, name="app"))
    own, *forked = (assignment.task for assignment in agent.claim(4))
    kept = save_cache(agent, lab, forked[0], "deps", b"from the fork")
    hits = [lab.gateway.find_cache(task, ("deps",)) for task in (own, *forked)]
    assert [hit.blob if hit else None for hit in hits] == [None, kept, kept, None]
    mine = save_cache(agent, lab, own, "deps", b"the project's")
    found = lab.gateway.find_cache(own, ("deps",))
    assert found is not None
    assert found.blob == mine


def test_artifacts_are_listed_with_their_jobs(lab: Lab) -> None:
    pipeline, agent, task = one_task(lab)
    for path in ("b/two", "a/one"):
        blob = lab.gateway.upload(task, "artifact", [b"x"])
        agent.sync(
            ArtifactStored(
                task=task, sequence=agent.next(task), at=lab.clock.now(), path=path, size=1, blob=blob
            )
        )
    agent.end(task)
    assert [(job.key, each.path) for job, each in list_artifacts(lab.parts, pipeline)] == [
        ("a", "a/one"),
        ("a", "b/two"),
    ]
    assert summarize_pipeline(lab.parts, pipeline.uuid).workflows[0].jobs[0].artifacts == ("a/one", "b/two")


GOOD = b"""<testsuite name="s"><testcase name="ok" time="1.5"/><testcase name="bad" classname="C">
<failure message="no"/></testcase><testcase name="later"><skipped/></testcase></testsuite>"""


def report(agent: HandAgent, lab: Lab, task: str, data: bytes, *, source: str = "r.xml") -> str:
    blob = lab.gateway.upload(task, "test-report", [data])
    event = ReportStored(
        task=task, sequence=agent.next(task), at=lab.clock.now(), source=source, size=len(data), blob=blob
    )
    agent.sync(event)
    return blob


def test_a_test_report_becomes_cases_and_its_file_goes(lab: Lab) -> None:
    pipeline, agent, task = one_task(lab)
    blob = report(agent, lab, task, GOOD)
    agent.end(task, TaskStatus.FAILED)
    [(job, cases)] = list_cases(lab.parts, pipeline)
    assert (job.key, [case.name for case in cases]) == ("a", ["ok", "bad", "later"])
    totals = summarize_pipeline(lab.parts, pipeline.uuid).workflows[0].jobs[0].tests
    assert totals is not None
    assert (totals.passed, totals.failed, totals.skipped, totals.failures) == (1, 1, 1, ("C.bad",))
    with pytest.raises(NotFoundError):
        lab.parts.blobs.read(blob)


@pytest.mark.parametrize(
    ("most", "kept", "told"),
    [(3, ["ok", "bad", "later"], ()), (2, ["ok", "bad"], ("of r.xml only the first 2 tests are kept",))],
)
def test_of_a_report_without_end_the_first_tests_are_kept(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, most: int, kept: list[str], told: tuple[str, ...]
) -> None:
    monkeypatch.setattr("penstock.engine.outputs.MOST_CASES", most)
    pipeline, agent, task = one_task(lab)
    report(agent, lab, task, GOOD)
    agent.end(task)
    [(_, cases)] = list_cases(lab.parts, pipeline)
    assert [case.name for case in cases] == kept
    assert summarize_pipeline(lab.parts, pipeline.uuid).workflows[0].jobs[0].warnings == told


def test_of_a_job_that_was_tried_again_the_last_attempt_counts(lab: Lab) -> None:
    pipeline = lab.run({"a": {"retry": 2}})
    agent = lab.agent()
    for data, status in ((GOOD, TaskStatus.FAILED), (GOOD.partition(b'<testcase name="bad"')[0], None)):
        task = agent.take()
        agent.begin(task)
        report(agent, lab, task, data if status else data + b"</testsuite>")
        agent.end(task, status or TaskStatus.SUCCESS)
    assert lab.jobs(pipeline) == {"a": "success"}
    totals = summarize_pipeline(lab.parts, pipeline.uuid).workflows[0].jobs[0].tests
    assert totals is not None
    assert (totals.passed, totals.failed, totals.skipped) == (1, 0, 0)
    assert [[case.name for case in cases] for _, cases in list_cases(lab.parts, pipeline)] == [["ok"]]


def test_a_broken_report_gives_what_could_be_read_and_says_so(lab: Lab) -> None:
    pipeline, agent, task = one_task(lab)
    report(agent, lab, task, GOOD.replace(b"</testsuite>", b"<oops"))
    assert lab.jobs(pipeline) == {"a": "running"}
    agent.end(task)
    [told] = summarize_pipeline(lab.parts, pipeline.uuid).workflows[0].jobs[0].warnings
    assert "r.xml could not be read: not well-formed XML" in told
    [(_, cases)] = list_cases(lab.parts, pipeline)
    assert len(cases) == 3
    assert lab.jobs(pipeline) == {"a": "success"}


def test_a_report_that_is_no_report_does_the_job_no_harm(lab: Lab) -> None:
    pipeline, agent, task = one_task(lab)
    report(agent, lab, task, b"PK\x03\x04 this is no XML")
    report(agent, lab, task, b'<!DOCTYPE x [<!ENTITY a "b">]><testsuite name="&a;"/>')
    agent.end(task)
    assert lab.jobs(pipeline) == {"a": "success"}
    assert list(list_cases(lab.parts, pipeline)) == []


def test_a_huge_report_is_taken_in_and_its_failures_are_told_in_part(lab: Lab) -> None:
    pipeline, agent, task = one_task(lab)
    bad = b'<testcase name="t" classname="C"><failure/></testcase>'
    report(agent, lab, task, b"<testsuite>" + bad * 20_000 + b"</testsuite>")
    agent.end(task, TaskStatus.FAILED)
    totals = summarize_pipeline(lab.parts, pipeline.uuid).workflows[0].jobs[0].tests
    assert totals is not None
    assert (totals.failed, len(totals.failures)) == (20_000, MOST_FAILED)


def test_uploads_are_bounded_and_of_known_kinds(lab: Lab) -> None:
    _, _, task = one_task(lab)
    big = bytes(8 << 20)
    with pytest.raises(LimitExceededError, match="250 MiB"):
        lab.gateway.upload(task, "test-report", (big for _ in range(32)))
    with pytest.raises(InvalidError, match="nothing is kept as 'virus'"):
        lab.gateway.upload(task, "virus", [b""])
    with pytest.raises(NotFoundError):
        lab.gateway.find_cache("nobody", ("k",))


def test_the_summary_names_the_step_that_failed(lab: Lab) -> None:
    pipeline, agent, task = one_task(lab)
    agent.sync(
        agent.step_finished(task, status=StepStatus.FAILED, exit_code=3),
        agent.finished(task, TaskStatus.FAILED),
    )
    job = summarize_pipeline(lab.parts, pipeline.uuid).workflows[0].jobs[0]
    assert job.failed_step is not None
    assert (job.failed_step.name, job.failed_step.exit_code) == ("make", 3)
    with pytest.raises(NotFoundError):
        summarize_pipeline(lab.parts, new_id())


def test_past_runs_are_found_by_what_people_call_them(lab: Lab) -> None:
    first = lab.run({"a": None, "b": None})
    second = lab.trigger({"workflows": {"main": {"jobs": {"a": None}}}}, project="other")
    third = lab.run({"a": None})
    runs = list_runs(lab.parts)
    assert [run.pipeline.uuid for run in runs] == [third.uuid, second.uuid, first.uuid]
    assert [(run.project, run.jobs) for run in runs][1:] == [("gh/acme/other", 1), ("gh/acme/app", 2)]
    assert [run.pipeline.uuid for run in list_runs(lab.parts, project="gh/acme/app", limit=1)] == [third.uuid]
    assert list_runs(lab.parts, project="gh/acme/none") == []
    assert find_run(lab.parts, "").uuid == third.uuid
    assert find_run(lab.parts, first.uuid.upper()).uuid == first.uuid
    assert find_run(lab.parts, first.uuid[:30], project="gh/acme/app").uuid == first.uuid
    assert find_run(lab.parts, "2", project="gh/acme/app").uuid == third.uuid
    assert list_job_names(lab.parts, first) == ["a", "b"]
    for name, project in (("9", None), (new_id(), None), ("1", "gh/acme/none")):
        with pytest.raises(NotFoundError, match="there is no run"):
            find_run(lab.parts, name, project=project)


def test_a_past_run_shows_its_verdict_and_when_it_stopped(lab: Lab) -> None:
    lab.run({"a": None})
    [run] = list_runs(lab.parts)
    assert (run.outcome, run.stopped_at) == (WorkflowStatus.RUNNING, None)
    lab.clock.advance(5)
    lab.agent().work()
    [run] = list_runs(lab.parts)
    assert (run.outcome, run.stopped_at) == (WorkflowStatus.SUCCESS, lab.clock.now())
