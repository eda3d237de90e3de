"""Pipelines and jobs are watched: answers come with what is new, and not before."""

import threading
import time
from collections.abc import Callable

import pytest

from penstock.model.status import JobStatus, TaskStatus
from tests.support.own_api import OwnSite

LATE = 5
"""Seconds a held answer may take in these tests; it comes sooner when something happens."""


def begin_later(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_a_pipeline_is_shown_with_its_workflows_and_jobs(site: OwnSite) -> None:
    made = site.trigger()
    found = site.own("GET", f"pipelines/{made['id']}")
    assert (found["number"], found["project"], found["branch"]) == (1, "gh/acme/app", "main")
    assert (found["ended"], found["outcome"]) == (False, "running")
    [workflow] = found["workflows"]
    told = [(job["name"], job["kind"], job["status"]) for job in workflow["jobs"]]
    assert told == [
        ("build", "build", "queued"),
        ("hold", "approval", "blocked"),
        ("test", "build", "blocked"),
    ]


def test_pipelines_come_in_pages_with_their_verdicts(site: OwnSite) -> None:
    for branch in ("main", "dev", "main"):
        site.trigger(branch=branch)
    site.code.configs["main"] = "nonsense: ["
    site.trigger()
    path = "projects/gh%2Facme%2Fapp/pipelines"
    first = site.own("GET", f"{path}?limit=3")
    second = site.own("GET", f"{path}?limit=3&after={first['next']}")
    every = [*first["items"], *second["items"]]
    assert [each["number"] for each in every] == [4, 3, 2, 1]
    assert [each["outcome"] for each in every] == ["error", "running", "running", "running"]
    assert [each["ended"] for each in every] == [True, False, False, False]
    assert second["next"] is None
    assert [each["number"] for each in site.own("GET", f"{path}?branch=dev")["items"]] == [2]


def test_an_answer_is_held_back_until_something_is_new(site: OwnSite) -> None:
    made = site.trigger()
    path = f"pipelines/{made['id']}"
    first = site.own("GET", path)
    begun = time.monotonic()
    same = site.own("GET", f"{path}?version={first['version']}&wait=0.2")
    assert same == first
    assert time.monotonic() - begun >= 0.2
    worker = begin_later(site.build)
    later = site.own("GET", f"{path}?version={first['version']}&wait={LATE}")
    assert later["version"] != first["version"]
    worker.join()
    assert time.monotonic() - begun < LATE
    assert site.own("GET", path)["workflows"][0]["jobs"][0]["status"] == "success"


def test_each_change_of_a_job_is_another_version(site: OwnSite) -> None:
    made = site.trigger()
    path = f"pipelines/{made['id']}"
    versions = {site.own("GET", path)["version"]}
    for assignment in site.worker.claim(2):
        versions.add(site.own("GET", path)["version"])
        site.worker.begin(assignment.task)
        site.worker.end(assignment.task)
        versions.add(site.own("GET", path)["version"])
    assert len(versions) > 2


def test_a_running_job_tells_what_it_does(site: OwnSite) -> None:
    made = site.trigger()
    path = f"pipelines/{made['id']}"
    one, two = site.worker.claim(2)
    site.worker.begin(one.task)
    first = site.own("GET", path)
    assert first["workflows"][0]["jobs"][0]["step"] == "make"
    site.worker.sync(site.worker.step_finished(one.task), site.worker.step_started(one.task, 1, "test"))
    second = site.own("GET", f"{path}?version={first['version']}&wait={LATE}")
    assert second["workflows"][0]["jobs"][0]["step"] == "test"
    site.worker.begin(two.task)
    for assignment in (one, two):
        site.worker.end(assignment.task)
    assert site.own("GET", path)["workflows"][0]["jobs"][0]["step"] == ""


def test_a_pipeline_of_a_wrong_config_is_over_and_says_why(site: OwnSite) -> None:
    site.code.configs["main"] = "version: 2.1\njobs: {build: {machine: true, steps: [chekout]}}\n"
    made = site.trigger()
    found = site.own("GET", f"pipelines/{made['id']}")
    assert (found["ended"], found["outcome"], found["status"]) == (True, "error", "errored")
    assert "chekout" in found["errors"][0]
    assert site.own("GET", f"pipelines/{made['id']}/report")["summary"]["workflows"] == []


def test_output_is_read_on_from_where_the_reader_was(site: OwnSite) -> None:
    site.trigger()
    pipeline = site.lab.every_pipeline()[0]
    job = site.lab.job(pipeline, "build")
    path = f"jobs/{job.uuid}/output"
    nothing = site.own("GET", path)
    assert (nothing["status"], nothing["ended"], nothing["pieces"]) == ("queued", False, [])
    one, two = site.worker.claim(2)
    site.worker.begin(one.task)
    site.print(one.task, "first\n")
    first = site.own("GET", f"{path}?cursor={nothing['cursor']}")
    assert [(piece["index"], piece["offset"], piece["text"]) for piece in first["pieces"]] == [
        (0, 0, "first\n")
    ]
    site.worker.begin(two.task)
    site.print(two.task, "of two\n")
    site.print(one.task, "second\n")
    second = site.own("GET", f"{path}?cursor={first['cursor']}&wait={LATE}")
    assert [(piece["index"], piece["offset"], piece["text"]) for piece in second["pieces"]] == [
        (0, 6, "second\n"),
        (1, 0, "of two\n"),
    ]
    for task in (one.task, two.task):
        site.worker.end(task)
    last = site.own("GET", f"{path}?cursor={second['cursor']}&wait={LATE}")
    while not last["ended"]:
        last = site.own("GET", f"{path}?cursor={last['cursor']}&wait={LATE}")
    assert last["status"] == JobStatus.SUCCESS
    again = site.own("GET", f"{path}?cursor={last['cursor']}&wait={LATE}")
    assert (again["ended"], again["pieces"]) == (True, [])
    of_two = site.own("GET", f"{path}?index=1")
    assert {piece["index"] for piece in of_two["pieces"]} == {1}


def test_a_character_is_never_torn_apart(site: OwnSite) -> None:
    site.trigger()
    job = site.lab.job(site.lab.every_pipeline()[0], "build")
    one, _ = site.worker.claim(2)
    site.worker.begin(one.task)
    euro = "€".encode()
    site.print(one.task, b"5 " + euro[:2])
    first = site.own("GET", f"jobs/{job.uuid}/output")
    assert first["pieces"][0]["text"] == "5 "
    site.print(one.task, euro[2:] + b"\xff\n")
    second = site.own("GET", f"jobs/{job.uuid}/output?cursor={first['cursor']}")
    assert second["pieces"][0]["text"] == "€\N{REPLACEMENT CHARACTER}\n"


def test_a_cursor_that_is_none_is_said(site: OwnSite) -> None:
    site.trigger()
    job = site.lab.job(site.lab.every_pipeline()[0], "build")
    for cursor in ("x", "e30", "W10", "!!", "WyIiLFtbMSwxLC01LFtdXV1d"):
        reply = site.ask_own("GET", f"jobs/{job.uuid}/output?cursor={cursor}")
        assert reply.status in {200, 400}, (cursor, reply.body)
        assert reply.status == 200 or reply.json()["message"] == "that is no cursor"
    assert site.ask_own("GET", f"jobs/{job.uuid}/output?wait=31").status == 400


def test_a_report_has_what_failed_and_its_last_lines(site: OwnSite) -> None:
    made = site.trigger()
    one, two = site.worker.claim(2)
    for task in (one.task, two.task):
        site.worker.begin(task)
        site.print(task, "boom\n")
        site.worker.end(task, TaskStatus.FAILED)
    report = site.own("GET", f"pipelines/{made['id']}/report")
    [job] = [job for job in report["summary"]["workflows"][0]["jobs"] if job["name"] == "build"]
    assert job["status"] == "failed"
    assert report["tails"].get(job["uuid"], "") in {"boom\n", ""}
    assert report["pipeline"]["outcome"] == "failed"


@pytest.mark.parametrize("site", ["postgresql"], indirect=True)
def test_what_another_server_hears_is_told_soon(site: OwnSite) -> None:
    """The other server is one without the feed of the first: it must look for itself."""
    made = site.trigger()
    job = site.lab.job(site.lab.every_pipeline()[0], "build")
    path = f"pipelines/{made['id']}"
    version = site.own("GET", path)["version"]
    cursor = site.own("GET", f"jobs/{job.uuid}/output")["cursor"]
    one, _ = site.worker.claim(2)
    site.parts.feed.watch = lambda *_: lambda: None  # type: ignore[method-assign]  # deaf from now on

    def work() -> None:
        site.worker.begin(one.task)
        site.print(one.task, "hi\n")

    worker = begin_later(work)
    assert site.own("GET", f"{path}?version={version}&wait={LATE}")["version"] != version
    news = site.own("GET", f"jobs/{job.uuid}/output?cursor={cursor}&wait={LATE}")
    while not news["pieces"]:
        news = site.own("GET", f"jobs/{job.uuid}/output?cursor={news['cursor']}&wait={LATE}")
    assert news["pieces"][0]["text"] == "hi\n"
    worker.join()
