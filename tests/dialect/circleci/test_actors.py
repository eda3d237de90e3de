"""Who did what is told: who started a rerun, who canceled, and why a job was turned away."""

from typing import Any

import pytest

from penstock.engine.principal import SERVER
from penstock.engine.project_settings import change_project_settings
from penstock.model.access import Role
from penstock.model.status import Reason, TaskStatus
from tests.support.circle import APP, CircleSite


def list_jobs(site: CircleSite, workflow: str) -> dict[str, dict[str, Any]]:
    return {job["name"]: job for job in site.get(f"workflow/{workflow}/job")["items"]}


def start(site: CircleSite) -> tuple[str, str]:
    """The ids of a new pipeline and of its workflow."""
    made = site.trigger()
    [workflow] = site.get(f"pipeline/{made['id']}/workflow")["items"]
    return made["id"], workflow["id"]


def test_who_cancels_a_workflow_is_told_with_it_and_with_the_jobs_that_stop(site: CircleSite) -> None:
    grace = site.add_person("grace", Role.MEMBER)
    pipeline, workflow = start(site)
    site.build()
    assert "canceled_by" not in site.get(f"workflow/{workflow}")
    site.post(f"workflow/{workflow}/cancel", None, 202, token=grace)
    me = site.get("me", token=grace)["id"]
    shown = site.get(f"workflow/{workflow}")
    assert (shown["status"], shown["canceled_by"]) == ("canceled", me)
    assert shown["started_by"] == site.get("me")["id"]
    assert site.get(f"pipeline/{pipeline}/workflow")["items"] == [shown]
    jobs = list_jobs(site, workflow)
    assert "canceled_by" not in jobs["build"]
    assert jobs["hold"]["canceled_by"] == jobs["test"]["canceled_by"] == me


@pytest.mark.parametrize("by", ["number", "id"])
def test_who_cancels_a_job_is_told_with_it(site: CircleSite, by: str) -> None:
    grace = site.add_person("grace", Role.MEMBER)
    _, workflow = start(site)
    job = list_jobs(site, workflow)["build"]
    path = f"project/{APP}/job/{job['job_number']}" if by == "number" else f"jobs/{job['id']}"
    site.post(f"{path}/cancel", token=grace)
    after = list_jobs(site, workflow)["build"]
    assert (after["status"], after["canceled_by"]) == ("canceled", site.get("me", token=grace)["id"])
    assert "canceled_by" not in site.get(f"workflow/{workflow}")


def test_what_is_over_stays_as_it_was_though_somebody_cancels_it(site: CircleSite) -> None:
    _, workflow = start(site)
    job = site.build()
    site.post(f"workflow/{workflow}/cancel", None, 202)
    before = site.get(f"workflow/{workflow}"), list_jobs(site, workflow)
    grace = site.add_person("grace", Role.MEMBER)
    assert site.post(f"workflow/{workflow}/cancel", None, 202, token=grace) == {"message": "Accepted."}
    assert site.post(f"project/{APP}/job/{job.number}/cancel", token=grace) == {"message": "Accepted."}
    assert site.post(f"jobs/{job.uuid}/cancel", token=grace)["message"]
    assert (site.get(f"workflow/{workflow}"), list_jobs(site, workflow)) == before


def test_who_wants_a_rerun_started_it(site: CircleSite) -> None:
    grace = site.add_person("grace", Role.MEMBER)
    me = site.get("me", token=grace)["id"]
    _, workflow = start(site)
    site.worker.work(TaskStatus.FAILED, Reason.TEST)
    site.worker.work()
    number = list_jobs(site, workflow)["build"]["job_number"]
    again = site.post(f"workflow/{workflow}/rerun", {"from_failed": True}, 202, token=grace)["workflow_id"]
    assert site.get(f"workflow/{again}")["started_by"] == me
    retried = site.succeed("POST", f"/api/v1.1/project/{APP}/{number}/retry", None, 200, token=grace)
    assert site.get(f"workflow/{retried['workflows']['workflow_id']}")["started_by"] == me
    newest, *_, oldest = site.succeed("GET", f"/api/v1.1/project/{APP}", None, 200)
    assert (retried["user"]["login"], newest["user"]["login"], oldest["user"]["login"]) == (
        "grace",
        "grace",
        "admin",
    )
    assert site.get(f"workflow/{workflow}")["started_by"] == site.get("me")["id"]


def test_an_approval_is_given_once_and_by_the_first(site: CircleSite) -> None:
    _, workflow = start(site)
    hold = list_jobs(site, workflow)["hold"]["id"]
    early = site.post(f"workflow/{workflow}/approve/{hold}", None, 400)
    assert "the jobs before it have not ended" in early["message"]
    site.build()
    assert (
        list_jobs(site, workflow)["hold"]["status"] == site.get(f"workflow/{workflow}")["status"] == "on_hold"
    )
    site.post(f"workflow/{workflow}/approve/{hold}", None, 202)
    site.post(f"workflow/{workflow}/approve/{hold}", None, 202, token=site.add_person("grace", Role.MEMBER))
    assert list_jobs(site, workflow)["hold"]["approved_by"] == site.get("me")["id"]


def test_an_approval_of_what_is_over_or_no_approval_is_refused(site: CircleSite) -> None:
    _, workflow = start(site)
    jobs = list_jobs(site, workflow)
    assert (
        "no approval" in site.post(f"workflow/{workflow}/approve/{jobs['build']['id']}", None, 400)["message"]
    )
    site.post(f"workflow/{workflow}/cancel", None, 202)
    assert "too late" in site.post(f"workflow/{workflow}/approve/{jobs['hold']['id']}", None, 400)["message"]
    _, other = start(site)
    site.post(f"workflow/{other}/approve/{jobs['hold']['id']}", None, 404)


def test_a_job_that_may_not_use_a_context_says_why(site: CircleSite) -> None:
    site.restrict_context()
    _, workflow = start(site)
    site.build()
    hold = list_jobs(site, workflow)["hold"]["id"]
    site.post(f"workflow/{workflow}/approve/{hold}", None, 202)
    job = list_jobs(site, workflow)["test"]
    assert job["status"] == site.get(f"workflow/{workflow}")["status"] == "unauthorized"
    assert "job_number" not in job
    [message] = site.get(f"jobs/{job['id']}")["messages"]
    assert message["message"] == "Context deploy may not be used: it is for other projects."
    assert message["reason"] == "unauthorized"
    assert site.worker.claim() == ()


def test_nothing_runs_again_in_a_project_that_takes_no_new_work(site: CircleSite) -> None:
    pipeline, workflow = start(site)
    job = site.build()
    site.post(f"workflow/{workflow}/cancel", None, 202)
    change_project_settings(site.parts, SERVER, site.project, {"block_new_work": True})
    assert "no new work" in site.post(f"workflow/{workflow}/rerun", {}, 400)["message"]
    old = site.succeed("POST", f"/api/v1.1/project/{APP}/{job.number}/retry", None, 400)
    assert "no new work" in old["message"]
    assert len(site.get(f"pipeline/{pipeline}/workflow")["items"]) == 1
