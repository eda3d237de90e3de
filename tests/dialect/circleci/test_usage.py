"""Usage exports: what stands in them agrees with what ran, and nobody gets one who may not."""

import re

import msgspec
import pytest

from penstock.api.circleci.platform.usage_csv import COLUMNS
from penstock.engine.organizations import create_organization, set_member
from penstock.engine.principal import SERVER
from penstock.engine.projects import delete_project
from penstock.engine.removal import sweep
from penstock.engine.usage_exports import MOST_CALLS
from penstock.model.access import Role
from penstock.model.status import Reason, TaskStatus
from penstock.model.usage import Used
from penstock.store import users
from tests.support.circle import BASE, CircleSite
from tests.support.shared_data import find_shared
from tests.support.usage import (
    ask_export,
    fetch_usage,
    list_urls,
    make_exports,
    name_instant,
    read_part,
)

HOUR = 3_600_000
DAY = 24 * HOUR


def work(site: CircleSite, seconds: float, status: TaskStatus = TaskStatus.SUCCESS) -> None:
    """Every copy of the job that waits runs so long and ends so."""
    given = site.worker.claim(8)
    assert given
    for each in given:
        site.worker.begin(each.task)
    site.lab.clock.advance(seconds)
    for each in given:
        site.worker.end(each.task, status, Reason.NONE if status is TaskStatus.SUCCESS else Reason.TEST)


def approve(site: CircleSite) -> None:
    pipeline = site.lab.every_pipeline()[0]
    site.lab.approve(pipeline, "hold")


def test_a_file_has_every_column_of_the_documentation_in_its_order(site: CircleSite) -> None:
    text = find_shared("circleci/operations.tsv").parents[2].joinpath("seeds/circleci-api-v2.txt").read_text()
    table = text[
        text.index("organization_id | The org ID") : text.index("Submits a request to create a usage")
    ]
    named = [
        re.sub(r"^[A-Z][a-z].*?(attributes|metrics) \| ", "", line).split(" | ")[0]
        for line in table.splitlines()
    ]
    assert [column.lower() for column in COLUMNS] == named
    site.trigger()
    work(site, 1)
    [row] = fetch_usage(site)
    assert tuple(row) == COLUMNS


def test_the_rows_agree_with_what_ran(site: CircleSite) -> None:
    site.add_project("tools")
    begun = site.lab.clock.now()
    made = site.trigger()
    work(site, 90)
    site.lab.clock.advance(5)
    approve(site)
    work(site, 30, TaskStatus.FAILED)
    other = site.post("project/gh/acme/tools/pipeline", {"branch": "dev"}, 201)
    work(site, 60)
    rows = fetch_usage(site)
    assert [(row["PROJECT_NAME"], row["JOB_NAME"], row["JOB_BUILD_STATUS"]) for row in rows] == [
        ("app", "build", "success"),
        ("app", "test", "failed"),
        ("tools", "build", "success"),
    ]  # and none for the approval
    build, test, tools = rows
    workflow = site.lab.workflow(site.lab.every_pipeline()[1])
    assert (
        build
        | {
            "ORGANIZATION_ID": site.acme.uuid,
            "ORGANIZATION_NAME": "acme",
            "PROJECT_ID": site.project.uuid,
            "VCS_NAME": "github",
            "VCS_URL": "https://github.com/acme/app",
            "VCS_BRANCH": "main",
            "PIPELINE_ID": made["id"],
            "PIPELINE_NUMBER": "1",
            "PIPELINE_CREATED_AT": name_instant(begun)[:19].replace("T", " ") + ".000",
            "IS_UNREGISTERED_USER": "false",
            "PIPELINE_TRIGGER_SOURCE": "api",
            "PIPELINE_TRIGGER_USER_ID": site.get("me")["id"],
            "WORKFLOW_ID": workflow.uuid,
            "WORKFLOW_NAME": "main",
            "IS_WORKFLOW_SUCCESSFUL": "false",
            "PARALLELISM": "2",
            "JOB_RUN_SECONDS": "90",
            "JOB_RUN_NUMBER": "1",
            "EXECUTOR": "machine",
            "OPERATING_SYSTEM": "linux",
            "RESOURCE_CLASS": "medium",
            "MEDIAN_CPU_UTILIZATION_PCT": "\\N",
            "COMPUTE_CREDITS": "30.00",  # two copies for a minute and a half at ten a minute
            "NETWORK_CREDITS": "0",
            "TOTAL_CREDITS": "30.00",
        }
        == build
    )
    assert build["JOB_RUN_DATE"] == build["JOB_RUN_STARTED_AT"][:10]
    assert build["WORKFLOW_FIRST_JOB_STARTED_AT"] == build["JOB_RUN_STARTED_AT"]
    assert build["LAST_BUILD_FINISHED_AT"] == build["WORKFLOW_STOPPED_AT"] == test["JOB_RUN_STOPPED_AT"]
    assert (test["EXECUTOR"], test["RESOURCE_CLASS"], test["COMPUTE_CREDITS"]) == ("docker", "large", "10.00")
    assert (tools["PIPELINE_ID"], tools["VCS_BRANCH"]) == (other["id"], "dev")
    assert (tools["WORKFLOW_STOPPED_AT"], tools["IS_WORKFLOW_SUCCESSFUL"]) == ("\\N", "\\N")


def test_a_rerun_and_another_attempt_are_runs_of_their_own(site: CircleSite) -> None:
    site.trigger()
    work(site, 10, TaskStatus.FAILED)
    site.post(f"workflow/{site.get_workflow()}/rerun", {"from_failed": True}, 202)
    work(site, 20, TaskStatus.INFRASTRUCTURE_FAIL)
    rows = fetch_usage(site)
    assert [(row["JOB_RUN_SECONDS"], row["JOB_BUILD_STATUS"]) for row in rows] == [
        ("10", "failed"),
        ("20", "infrastructure_fail"),
    ]
    assert len({row["WORKFLOW_ID"] for row in rows}) == 2
    assert len({row["PIPELINE_ID"] for row in rows}) == 1


def test_what_was_canceled_has_a_row_only_if_it_ran(site: CircleSite) -> None:
    site.trigger()
    site.post(f"workflow/{site.get_workflow()}/cancel", None, 202)
    site.trigger()
    [first, second] = site.worker.claim(2)
    site.worker.begin(first.task)
    site.worker.begin(second.task)
    site.lab.clock.advance(12)
    site.post(f"workflow/{site.get_workflow()}/cancel", None, 202)
    for each in (first, second):
        site.worker.end(each.task, TaskStatus.CANCELED)
    [row] = fetch_usage(site)
    assert (row["JOB_BUILD_STATUS"], row["PIPELINE_NUMBER"], row["JOB_RUN_SECONDS"]) == (
        "canceled",
        "2",
        "12",
    )


def test_a_job_that_was_stopped_before_its_last_copy_began_has_a_row(site: CircleSite) -> None:
    site.trigger()
    first = site.worker.claim(1)[0].task
    site.worker.begin(first)
    site.lab.clock.advance(30)
    site.worker.end(first)
    site.post(f"workflow/{site.get_workflow()}/cancel", None, 202)
    [row] = fetch_usage(site)
    assert (row["JOB_BUILD_STATUS"], row["COMPUTE_CREDITS"]) == ("canceled", "5.00")


def test_what_agents_measured_is_told(site: CircleSite) -> None:
    site.trigger()
    measured = [Used(1000, 9950, 500, 2500), Used(3000, 4000, 700, 800)]
    given = site.worker.claim(2)
    for each in given:
        site.worker.begin(each.task)
    site.lab.clock.advance(60)
    for each, used in zip(given, measured, strict=True):
        site.worker.sync(msgspec.structs.replace(site.worker.finished(each.task), used=used))
    [row] = fetch_usage(site)
    assert row["MEDIAN_CPU_UTILIZATION_PCT"] == "10.00"
    assert row["MAX_CPU_UTILIZATION_PCT"] == "99.50"
    assert row["MEDIAN_RAM_UTILIZATION_PCT"] == "5.00"
    assert row["MAX_RAM_UTILIZATION_PCT"] == "25.00"


def test_usage_outlives_pipelines_and_projects(site: CircleSite) -> None:
    site.trigger()
    work(site, 10)
    site.post(f"workflow/{site.get_workflow()}/cancel", None, 202)
    before = fetch_usage(site)
    delete_project(site.parts, SERVER, site.project)
    while sweep(site.parts):
        pass
    assert site.lab.every_pipeline() == []
    assert fetch_usage(site) == before
    assert before[0]["PROJECT_NAME"] == "app"


def test_texts_that_look_like_formulas_or_csv_come_out_as_they_went_in(site: CircleSite) -> None:
    nasty = '=A1+"B",\r\n;\'é'  # no longer: the test's commits are made of it
    config = site.code.configs["main"].replace("workflows:\n  main:", 'workflows:\n  "=1+1,\\"x\\"":')
    site.code.configs[nasty] = config
    site.trigger(branch=nasty)
    work(site, 1)
    [row] = fetch_usage(site)
    assert row["WORKFLOW_NAME"] == '=1+1,"x"'
    assert row["VCS_BRANCH"] == nasty


def test_an_export_is_asked_for_then_made_then_there(site: CircleSite) -> None:
    place = f"organizations/{site.acme.uuid}/usage_export_job"
    now = site.lab.clock.now()
    body = {"start": name_instant(now - DAY), "end": name_instant(now)}
    made = site.post(place, body, 201)
    assert made == body | {
        "usage_export_job_id": made["usage_export_job_id"],
        "state": "created",
        "download_urls": [],
    }
    told = site.get(f"{place}/{made['usage_export_job_id']}")
    assert (told["state"], told["download_urls"]) == ("created", [])
    make_exports(site.parts)
    [url] = list_urls(site, made["usage_export_job_id"])
    reply = site.call("GET", url, token="")
    assert reply.headers["content-type"] == "application/gzip"
    assert reply.headers["content-disposition"].startswith('attachment; filename="usage-')
    assert int(reply.headers["content-length"]) == len(reply.body)
    assert read_part(reply.body) == []


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        (-1, -2, "after start"),
        (0, 0, "after start"),
        (-40, -7, "31 days"),
        (-400, -390, "one year"),
        (-2_000_000 // 86_400 * 800, 0, "31 days"),
        (2, 3, "future"),
    ],
)
def test_a_time_that_cannot_be_had_is_refused(site: CircleSite, start: float, end: float, why: str) -> None:
    now = site.lab.clock.now()
    body = {"start": name_instant(now + round(start * DAY)), "end": name_instant(now + round(end * DAY))}
    reply = site.call("POST", f"/api/v2/organizations/{site.acme.uuid}/usage_export_job", body)
    assert reply.status == 400
    assert why in reply.json()["message"]


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"start": "x", "end": "y"},
        {"start": "2025-06-01T00:00:00", "end": "2025-06-02T00:00:00"},  # of which zone?
        {"start": 1, "end": 2},
        {"start": "0001-01-01T00:00:00Z", "end": "9999-12-31T23:59:59Z"},
        {"start": "0001-01-01T00:00:00+14:00", "end": "9999-12-31T23:59:59-14:00"},
        {"start": "9999-12-31T00:00:00Z", "end": "9999-12-31T23:59:59-10:00"},  # of the year 10000, in UTC
        {"start": "2025-06-14T00:00:00Z", "end": "2025-06-15T00:00:00Z", "shared_org_ids": ["x\x00\ud800"]},
        {"start": "2025-06-14T00:00:00Z", "end": "2025-06-15T00:00:00Z", "shared_org_ids": ["a"] * 101},
        {"start": "2025-06-14T00:00:00Z", "end": "2025-06-15T00:00:00Z", "shared_org_ids": "a"},
    ],
)
def test_a_body_that_cannot_be_is_refused(site: CircleSite, body: object) -> None:
    data = b"" if body is None else str(msgspec.json.encode(_escape(body)), "utf-8").encode()
    reply = site.send(
        "POST",
        f"/api/v2/organizations/{site.acme.uuid}/usage_export_job",
        data.replace(b"SURROGATE", b"\\ud800"),
        {"circle-token": site.token},
    )
    assert reply.status == 400, reply.body


def _escape(body: object) -> object:
    """The body without lone surrogates, which no encoder writes."""
    if isinstance(body, dict) and "shared_org_ids" in body and isinstance(body["shared_org_ids"], list):
        return body | {
            "shared_org_ids": [each.replace("\ud800", "SURROGATE") for each in body["shared_org_ids"]]
        }
    return body


@pytest.mark.parametrize("where", ["x", "%00", "no/such", "..", "a" * 5000])
def test_an_organization_or_export_nobody_has_is_no_fault_of_ours(site: CircleSite, where: str) -> None:
    now = site.lab.clock.now()
    body = {"start": name_instant(now - DAY), "end": name_instant(now)}
    assert site.call("POST", f"/api/v2/organizations/{where}/usage_export_job", body).status in {400, 404}
    place = f"/api/v2/organizations/{site.acme.uuid}/usage_export_job/{where}"
    assert site.call("GET", place).status in {400, 404}


def test_ten_calls_an_hour_of_each_verb_are_answered(site: CircleSite) -> None:
    exports = [ask_export(site) for _ in range(MOST_CALLS)]
    now = site.lab.clock.now()
    place = f"/api/v2/organizations/{site.acme.uuid}/usage_export_job"
    body = {"start": name_instant(now - DAY), "end": name_instant(now)}
    refused = site.call("POST", place, body)
    assert (refused.status, refused.json()) == (429, {"message": "Rate limit exceeded."})
    assert int(refused.headers["retry-after"]) == 3600
    for _ in range(MOST_CALLS):
        assert site.call("GET", f"{place}/{exports[0]}").status == 200
    assert site.call("GET", f"{place}/{exports[0]}").status == 429
    site.lab.clock.advance(3599)
    assert int(site.call("POST", place, body).headers["retry-after"]) == 1
    site.lab.clock.advance(2)
    assert site.call("POST", place, body).status == 201
    assert site.call("GET", f"{place}/{exports[0]}").status == 200


def test_calls_of_a_clock_that_was_ahead_do_not_count(site: CircleSite) -> None:
    site.lab.clock.advance(30 * 86_400)
    for _ in range(MOST_CALLS):
        ask_export(site)
    site.lab.clock.advance(-30 * 86_400)
    for _ in range(MOST_CALLS):
        ask_export(site)
    now = site.lab.clock.now()
    body = {"start": name_instant(now - DAY), "end": name_instant(now)}
    assert site.call("POST", f"/api/v2/organizations/{site.acme.uuid}/usage_export_job", body).status == 429


def test_only_administrators_get_an_export(site: CircleSite) -> None:
    export = ask_export(site)
    place = f"/api/v2/organizations/{site.acme.uuid}/usage_export_job"
    now = site.lab.clock.now()
    body = {"start": name_instant(now - DAY), "end": name_instant(now)}
    for role, status in ((Role.OWNER, 201), (Role.ADMIN, 201), (Role.MEMBER, 403), (Role.VIEWER, 403)):
        token = site.add_person(f"the-{role}", role)
        assert site.call("POST", place, body, token=token).status == status
        assert site.call("GET", f"{place}/{export}", token=token).status == (200 if status == 201 else 403)
    stranger = site.add_person("stranger")
    assert site.call("POST", place, body, token=stranger).status == 404
    assert site.call("GET", f"{place}/{export}", token=stranger).status == 404


def test_an_export_of_two_organizations_is_for_those_who_administer_both(site: CircleSite) -> None:
    other = create_organization(site.parts, SERVER, host="gh", name="other")
    both, one = site.add_person("both", Role.ADMIN), site.add_person("one", Role.ADMIN)
    with site.parts.db.read() as tx:
        user = users.user_by_login(tx, "both")
    assert user is not None
    set_member(site.parts, SERVER, other, user.uuid, Role.ADMIN)
    place = f"/api/v2/organizations/{site.acme.uuid}/usage_export_job"
    now = site.lab.clock.now()
    body = {
        "start": name_instant(now - DAY),
        "end": name_instant(now),
        "shared_org_ids": [other.uuid, site.acme.uuid],
    }
    assert site.call("POST", place, body, token=one).status == 404
    made = site.call("POST", place, body, token=both)
    assert made.status == 201
    export = made.json()["usage_export_job_id"]
    assert site.call("GET", f"{place}/{export}", token=both).status == 200
    assert site.call("GET", f"{place}/{export}", token=one).status == 404
    theirs = f"/api/v2/organizations/{other.uuid}/usage_export_job/{export}"
    assert site.call("GET", theirs, token=both).status == 404  # it was not asked for there


def test_a_changed_or_expired_address_gives_nothing(site: CircleSite) -> None:
    site.trigger()
    work(site, 1)
    export = ask_export(site)
    make_exports(site.parts)
    [url] = list_urls(site, export)
    path, _, query = url.partition("?")
    expires, signature = re.findall(r"=([^&]+)", query)
    changed = [
        f"{path}?expires={int(expires) + 1}&signature={signature}",
        f"{path}?expires={expires}&signature={signature[:-1]}",
        f"{path}?expires={expires}&signature={'0' * 64}",
        f"{path}?expires={expires}&signature=%ff",
        f"{path.replace('usage-1', 'usage-2')}?{query}",
        f"{path.replace(export, site.acme.uuid)}?{query}",
    ]
    assert [site.call("GET", each, token="").status for each in changed] == [403] * len(changed)
    wrong = [
        f"{path.replace('usage-1.csv.gz', '..%2f..%2fkey')}?{query}",
        f"{path.replace('usage-1', 'usage-01')}?{query}",
    ]
    assert [site.call("GET", each, token="").status for each in wrong] == [404, 404]
    assert [site.call("GET", each, token="").status for each in (path, f"{path}?expires=x&signature=")] == [
        400,
        400,
    ]
    assert site.call("GET", url, token="").status == 200
    site.lab.clock.advance(24 * 3600)
    assert site.call("GET", url, token="").status == 403


def test_an_address_begins_with_that_of_the_server(site: CircleSite) -> None:
    export = ask_export(site)
    make_exports(site.parts)
    told = site.get(f"organizations/{site.acme.uuid}/usage_export_job/{export}")
    assert all(url.startswith(f"{BASE}/output/usage/{export}/") for url in told["download_urls"])
