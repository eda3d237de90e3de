"""Schedules over CircleCI's API: the vendor's shapes, its clients' habits, and what is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.api.circleci.platform.schedules import PAGE, SYSTEM_USER
from penstock.engine.deliver import deliver_letters
from penstock.engine.firing import SCHEDULE, fire_schedules
from penstock.engine.scheduled import ScheduleDesk
from penstock.engine.schedules import MOST_SCHEDULES
from penstock.kit.ids import new_id
from penstock.model.access import Role, Scope
from tests.support.circle import APP, CircleSite
from tests.support.schedules import make_due
from tests.support.vendor_schema import check_answer

OF_PROJECT, ONE = "/project/{project-slug}/schedule", "/schedule/{schedule-id}"
WEEKLY = {"per-hour": 2, "hours-of-day": [3, 0], "days-of-week": ["SUN", "MON"], "months": ["DEC", "JAN"]}
BODY: dict[str, Any] = {
    "name": "nightly",
    "description": "each night",
    "timetable": WEEKLY,
    "attribution-actor": "current",
    "parameters": {"branch": "main", "deep": True, "count": 3, "word": "x"},
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[CircleSite]:
    made = CircleSite(f"sqlite:///{tmp_path / 'penstock.db'}", tmp_path)
    yield made
    made.close()


def create(site: CircleSite, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - parts of a body
    made: dict[str, Any] = site.post(f"project/{APP}/schedule", BODY | more, 201)
    return made


def change(site: CircleSite, uuid: str, token: str | None = None, **body: Any) -> dict[str, Any]:  # noqa: ANN401 - parts of a body
    body = {name.replace("_", "-"): value for name, value in body.items()}
    changed: dict[str, Any] = site.succeed("PATCH", f"/api/v2/schedule/{uuid}", body, 200, token=token)
    check_answer("PATCH", ONE, 200, changed)
    return changed


def test_a_schedule_is_made_read_listed_changed_and_deleted(site: CircleSite) -> None:
    made = create(site)
    check_answer("POST", OF_PROJECT, 201, made)
    assert made["timetable"] == WEEKLY
    assert made["parameters"] == BODY["parameters"]
    assert (made["project-slug"], made["description"]) == (APP, "each night")
    assert made["actor"] == site.get("me")
    assert made["created-at"] == made["updated-at"]
    check_answer("GET", ONE, 200, site.get(f"schedule/{made['id']}"))
    assert site.get(f"schedule/{made['id']}") == made
    site.lab.clock.advance(60)
    changed = change(site, made["id"], name="weekly", description=None)
    assert changed == made | {
        "name": "weekly",
        "description": None,
        "updated-at": changed["updated-at"],
    }
    assert changed["updated-at"] > made["updated-at"]
    listed = site.get(f"project/{APP}/schedule")
    check_answer("GET", OF_PROJECT, 200, listed)
    assert listed == {"items": [changed], "next_page_token": None}
    gone = site.succeed("DELETE", f"/api/v2/schedule/{made['id']}", None, 200)
    check_answer("DELETE", ONE, 200, gone)
    assert site.call("DELETE", f"/api/v2/schedule/{made['id']}").status == 404
    assert site.call("GET", f"/api/v2/schedule/{made['id']}").status == 404


def test_the_days_may_be_those_of_the_month(site: CircleSite) -> None:
    monthly = {"per-hour": 1, "hours-of-day": [23], "days-of-month": [31, 1]}
    made = create(site, timetable=monthly | {"days-of-week": None, "months": []})
    check_answer("POST", OF_PROJECT, 201, made)
    assert made["timetable"] == monthly


def test_a_part_of_a_timetable_is_changed_alone(site: CircleSite) -> None:
    uuid = create(site)["id"]
    assert change(site, uuid, timetable={"per-hour": 60})["timetable"] == WEEKLY | {"per-hour": 60}
    monthly = change(site, uuid, timetable={"days-of-month": [5], "months": []})["timetable"]
    assert monthly == {"per-hour": 60, "hours-of-day": [3, 0], "days-of-month": [5]}
    assert change(site, uuid)["timetable"] == monthly


def test_long_lists_have_pages_and_an_end(site: CircleSite) -> None:
    made = [create(site, name=f"s{number}")["id"] for number in range(MOST_SCHEDULES)]
    first = site.get(f"project/{APP}/schedule")
    rest = site.get(f"project/{APP}/schedule?page-token={first['next_page_token']}")
    assert len(first["items"]) == len(rest["items"]) == PAGE
    assert rest["next_page_token"] is None
    seen = [each["id"] for page in (first, rest) for each in page["items"]]
    assert seen == made
    reply = site.call("POST", f"/api/v2/project/{APP}/schedule", BODY)
    assert (reply.status, reply.json()) == (
        400,
        {"message": f"A project may have {MOST_SCHEDULES} schedules."},
    )


def test_a_name_is_taken_once_in_a_project(site: CircleSite) -> None:
    one, other = create(site)["id"], create(site, name="b")["id"]
    assert site.call("POST", f"/api/v2/project/{APP}/schedule", BODY).status == 409
    assert site.call("PATCH", f"/api/v2/schedule/{other}", {"name": "nightly"}).status == 409
    assert change(site, one, name="nightly")["name"] == "nightly"
    site.add_project("other")
    assert site.call("POST", "/api/v2/project/gh/acme/other/schedule", BODY).status == 201


def test_the_system_is_somebody_clients_know(site: CircleSite) -> None:
    made = create(site, **{"attribution-actor": "system"})
    assert made["actor"] == {
        "id": SYSTEM_USER.id,
        "login": "system-actor",
        "name": "Scheduled",
        "avatar_url": None,
    }
    assert change(site, made["id"], attribution_actor="current")["actor"]["login"] == "admin"


def test_a_pipeline_and_its_workflows_say_that_a_schedule_made_them(site: CircleSite) -> None:
    made = create(site, **{"attribution-actor": "system", "parameters": {"branch": "main", "word": "hi"}})
    make_due(site.parts, made["id"])
    fire_schedules(site.parts)
    desk = ScheduleDesk(site.server.workshop)
    deliver_letters(site.parts, {SCHEDULE: desk.deliver})
    [pipeline] = site.get(f"project/{APP}/pipeline")["items"]
    check_answer("GET", "/pipeline/{pipeline-id}", 200, site.get(f"pipeline/{pipeline['id']}"))
    assert pipeline["trigger"]["type"] == "scheduled_pipeline"
    assert pipeline["trigger"]["actor"] == {"login": "system-actor", "avatar_url": None}
    assert pipeline["trigger_parameters"] == {"word": "hi"}
    values = site.get(f"pipeline/{pipeline['id']}/values")
    assert (values["pipeline.schedule.id"], values["pipeline.schedule.name"]) == (made["id"], "nightly")
    [workflow] = site.get(f"pipeline/{pipeline['id']}/workflow")["items"]
    assert workflow["started_by"] == SYSTEM_USER.id


def test_nobody_runs_anything_in_anothers_name(site: CircleSite) -> None:
    ada, bob = (site.add_person(login, Role.MEMBER) for login in ("ada", "bob"))
    path = f"/api/v2/project/{APP}/schedule"
    uuid = site.succeed("POST", path, BODY, 201, token=ada)["id"]
    assert change(site, uuid, bob, description="mine?", name="nightly")["actor"]["login"] == "ada"
    assert change(site, uuid, bob, parameters=BODY["parameters"])["actor"]["login"] == "ada"
    assert change(site, uuid, bob, parameters={"branch": "evil"})["actor"]["login"] == "bob"
    assert change(site, uuid, ada, timetable={"hours-of-day": [5]})["actor"]["login"] == "ada"
    assert change(site, uuid, bob, name="deploy")["actor"]["login"] == "bob"  # configs ask for the name
    assert change(site, uuid, bob, attribution_actor="current")["actor"]["login"] == "bob"
    assert change(site, uuid, ada, attribution_actor="system")["actor"]["login"] == "system-actor"
    assert change(site, uuid, bob, parameters={"branch": "x"})["actor"]["login"] == "system-actor"


def test_who_may_see_a_schedule_may_not_all_change_it(site: CircleSite) -> None:
    uuid = create(site)["id"]
    viewer, stranger = site.add_person("viewer", Role.VIEWER), site.add_person("stranger")
    runner = site.add_person("runner", Role.MEMBER, Scope.RUN)
    for method, body in (("PATCH", {"name": "x"}), ("DELETE", None)):
        for token, status in ((viewer, 403), (runner, 403), (stranger, 404)):
            reply = site.call(method, f"/api/v2/schedule/{uuid}", body, token=token)
            assert reply.status == status
    assert site.call("GET", f"/api/v2/schedule/{uuid}", token=viewer).status == 200
    unknown = site.call("GET", f"/api/v2/schedule/{new_id()}", token=stranger).json()
    assert site.call("GET", f"/api/v2/schedule/{uuid}", token=stranger).json() == unknown
    assert unknown == {"message": "Schedule not found."}


def test_a_token_that_may_not_run_pipelines_has_none_run_by_a_schedule(site: CircleSite) -> None:
    uuid, path = create(site)["id"], f"/api/v2/project/{APP}/schedule"
    writer = site.add_person("writer", Role.MEMBER, Scope.WRITE)
    both = site.add_person("both", Role.MEMBER, Scope.WRITE, Scope.RUN)
    assert site.call("POST", path, BODY | {"name": "b"}, token=writer).status == 403
    assert site.call("PATCH", f"/api/v2/schedule/{uuid}", {"name": "c"}, token=writer).status == 403
    assert site.get(f"schedule/{uuid}")["name"] == "nightly"
    site.succeed("POST", path, BODY | {"name": "b"}, 201, token=both)
    assert change(site, uuid, both, name="c")["actor"]["login"] == "both"
    site.succeed("DELETE", f"/api/v2/schedule/{uuid}", None, 200, token=writer)


def with_timetable(**more: object) -> dict[str, object]:
    return {"timetable": WEEKLY | {name.replace("_", "-"): value for name, value in more.items()}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (with_timetable(per_hour=0), "per-hour must be from 1 to 60."),
        (with_timetable(per_hour=61), "per-hour must be from 1 to 60."),
        (with_timetable(per_hour=1 << 80), "per-hour must be from 1 to 60."),
        (with_timetable(per_hour="2"), "timetable.per-hour"),
        (with_timetable(per_hour=True), "timetable.per-hour"),
        (with_timetable(hours_of_day=[24]), "hours-of-day must name hours from 0 to 23."),
        (with_timetable(hours_of_day=[]), "hours-of-day must name hours from 0 to 23."),
        (with_timetable(hours_of_day=[1.5]), "hours-of-day[0]"),
        (with_timetable(hours_of_day=[1] * 101), "hours-of-day"),
        (with_timetable(days_of_week=["Mon"]), "days-of-week[0]"),
        (with_timetable(days_of_week=[]), "days-of-week or days-of-month"),
        (with_timetable(days_of_month=[1]), "not both"),
        (with_timetable(days_of_week=None, days_of_month=[32]), "from 1 to 31"),
        (with_timetable(days_of_week=None, days_of_month=[30], months=["FEB"]), "never fires"),
        (with_timetable(months=["MÄR"]), "months[0]"),
        ({"timetable": None}, "timetable"),
        ({"timetable": {"per-hour": 1}}, "hours-of-day"),
        ({"name": ""}, "A schedule has a name"),
        ({"name": "  "}, "A schedule has a name"),
        ({"name": "a\x00b"}, "A schedule has a name"),
        ({"name": "a\u202eb"}, "A schedule has a name"),
        ({"name": "x" * 201}, "A schedule has a name"),
        ({"name": None}, "name"),
        ({"description": "x" * 2001}, "up to 2000"),
        ({"attribution-actor": "ada"}, "attribution-actor"),
        ({"attribution-actor": None}, "attribution-actor"),
        ({"parameters": {}}, "branch or tag"),
        ({"parameters": {"branch": "main", "tag": "v1"}}, "only one of them"),
        ({"parameters": {"branch": ""}}, "branch must be a name"),
        ({"parameters": {"branch": 7}}, "branch must be a name"),
        ({"parameters": {"tag": "x" * 256}}, "tag must be a name"),
        ({"parameters": {"branch": "main\n"}}, "branch must be a name"),
        ({"parameters": {"branch": "main", "x": None}}, "parameters"),
        ({"parameters": {"branch": "main", "x": [1]}}, "parameters"),
        ({"parameters": {"branch": "main", "x" * 129: 1}}, "too long"),
        ({"parameters": {"branch": "main", "x": "y" * 513}}, "too long"),
        ({"parameters": {"branch": "main"} | {f"p{n}": n for n in range(100)}}, "more than 100"),
    ],
)
def test_what_is_wrong_is_told_and_changes_nothing(
    site: CircleSite, change: dict[str, object], said: str
) -> None:
    reply = site.call("POST", f"/api/v2/project/{APP}/schedule", BODY | change)
    assert (reply.status, said in reply.json()["message"]) == (400, True), reply.body
    assert site.get(f"project/{APP}/schedule")["items"] == []
    made = create(site)
    if change != {"timetable": {"per-hour": 1}}:  # a part is enough to change it
        reply = site.call("PATCH", f"/api/v2/schedule/{made['id']}", change)
        assert reply.status == 400, reply.body
        assert site.get(f"schedule/{made['id']}") == made


@pytest.mark.parametrize("uuid", ["x", "%00", "0" * 32, "%F0%9F%92%A9", "x" * 4000])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_what_is_no_id_is_refused(site: CircleSite, method: str, uuid: str) -> None:
    assert site.call(method, f"/api/v2/schedule/{uuid}", {} if method == "PATCH" else None).status in {
        400,
        404,
    }


def test_a_body_is_needed_to_make_one(site: CircleSite) -> None:
    assert site.call("POST", f"/api/v2/project/{APP}/schedule").status == 400
    assert site.call("POST", "/api/v2/project/gh/acme/none/schedule", BODY).status == 404


def test_what_was_done_is_in_the_audit_log(site: CircleSite) -> None:
    uuid = create(site)["id"]
    change(site, uuid, parameters={"branch": "dev", "word": "secret"})
    site.succeed("DELETE", f"/api/v2/schedule/{uuid}", None, 200)
    headers = {"authorization": f"Bearer {site.token}"}
    reply = site.call("GET", "/api/penstock/v1/organizations/gh%2Facme/audit", headers=headers)
    acts = [each["action"] for each in reply.json()["items"] if each["subject"] == uuid]
    assert acts == ["schedule.delete", "schedule.change", "schedule.create"]
    assert b"secret" not in reply.body


def test_our_own_api_tells_the_times_to_come(site: CircleSite) -> None:
    uuid = create(site)["id"]
    headers = {"authorization": f"Bearer {site.token}"}
    found = site.call("GET", f"/api/penstock/v1/schedules/{uuid}?count=3", headers=headers).json()
    assert len(found["firings"]) == 3
    assert found["firings"][0] == found["next_at"]
    [listed] = site.call(
        "GET", "/api/penstock/v1/projects/gh%2Facme%2Fapp/schedules", headers=headers
    ).json()["items"]
    assert {**listed, "firings": found["firings"]} == found
