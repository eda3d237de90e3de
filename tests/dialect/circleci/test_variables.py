"""Variables of a project reach its jobs, and are shown masked ever after."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

from penstock.engine.contexts import MOST_PROJECT_VARIABLES, MOST_VALUE_BYTES, set_project_variable
from penstock.engine.principal import SERVER
from penstock.model.access import Role
from penstock.store.sealing import Sealer
from tests.support.circle import APP, CircleSite

ENVVAR = f"project/{APP}/envvar"
OLD = f"/api/v1.1/{ENVVAR}"


def set_variable(site: CircleSite, name: str, value: str) -> dict[str, str]:
    made: dict[str, str] = site.post(ENVVAR, {"name": name, "value": value}, 201)
    return made


def show(site: CircleSite) -> dict[str, str]:
    return {each["name"]: each["value"] for each in site.get(ENVVAR)["items"]}


@pytest.mark.parametrize(
    ("value", "shown"),
    [("abcd1234", "xxxx1234"), ("12345", "xxxx2345"), ("1234", "xxxx"), ("x", "xxxx"), ("", "xxxx"),
     ("passwört", "xxxx"), ("two\nlines", "xxxxines")],
)  # fmt: skip
def test_a_value_is_shown_by_its_end_at_most(site: CircleSite, value: str, shown: str) -> None:
    made = set_variable(site, "WORD", value)
    assert (made["name"], made["value"]) == ("WORD", shown)
    assert site.get(f"{ENVVAR}/WORD") == made
    assert site.get(ENVVAR) == {"items": [made], "next_page_token": None}
    assert set(made) == {"name", "value", "created-at"}


def test_jobs_have_the_variables_in_the_open_and_what_masks_them(site: CircleSite) -> None:
    set_variable(site, "SECRET_WORD", "open sesame")
    site.trigger()
    [assignment] = site.worker.claim(1)
    assert assignment.environment["SECRET_WORD"] == "open sesame"
    assert "open sesame" in assignment.secrets
    assert b"sesame" not in site.call("GET", f"/api/v2/{ENVVAR}").body


def test_a_variable_set_again_has_the_new_value_and_its_old_age(site: CircleSite) -> None:
    made = set_variable(site, "WORD", "first value")
    site.lab.pass_time(60)
    again = set_variable(site, "WORD", "second one!")
    assert again == {**made, "value": "xxxxone!"}
    site.trigger()
    assert site.worker.claim(1)[0].environment["WORD"] == "second one!"


def test_a_variable_that_is_gone_is_in_no_job(site: CircleSite) -> None:
    set_variable(site, "WORD", "value")
    assert site.succeed("DELETE", f"/api/v2/{ENVVAR}/WORD", None, 200) == {"message": "ok"}
    gone = {"message": "Environment variable not found."}
    assert site.succeed("DELETE", f"/api/v2/{ENVVAR}/WORD", None, 404) == gone
    assert site.succeed("GET", f"/api/v2/{ENVVAR}/WORD", None, 404) == gone
    site.trigger()
    assert "WORD" not in site.worker.claim(1)[0].environment


def test_the_older_api_has_the_same_variables(site: CircleSite) -> None:
    body = {"name": "WORD", "value": "abcd1234"}
    shown = {"name": "WORD", "value": "xxxx1234"}
    assert site.succeed("POST", OLD, body, 201) == shown
    assert site.succeed("GET", OLD, None, 200) == [shown]
    assert site.succeed("GET", f"{OLD}/WORD", None, 200) == shown
    assert show(site) == {"WORD": "xxxx1234"}
    assert site.succeed("DELETE", f"{OLD}/WORD", None, 200) == {"message": "ok"}
    assert site.succeed("GET", OLD, None, 200) == []


@pytest.mark.parametrize(
    "body",
    [
        {}, [], {"name": "A"}, {"value": "x"}, {"name": 7, "value": "x"}, {"name": "A", "value": 7},
        {"name": "A", "value": None}, {"name": "", "value": "x"}, {"name": "1A", "value": "x"},
        {"name": "A B", "value": "x"}, {"name": "A=B", "value": "x"}, {"name": "A\0", "value": "x"},
        {"name": "É", "value": "x"}, {"name": "A" * 301, "value": "x"}, {"name": "A", "value": "a\0b"},
        {"name": "A", "value": "x" * (MOST_VALUE_BYTES + 1)}, {"name": "A", "value": "é" * MOST_VALUE_BYTES},
    ],
)  # fmt: skip
def test_what_can_be_no_variable_is_refused(site: CircleSite, body: object) -> None:
    for path in (f"/api/v2/{ENVVAR}", OLD):
        assert set(site.succeed("POST", path, body, 400)) == {"message"}
    assert show(site) == {}


def test_a_value_that_is_no_text_is_refused(site: CircleSite) -> None:
    for raw in (b'{"name": "A", "value": "\\ud800"}', b'{"name": "A", "value": "\xff"}'):
        reply = site.send("POST", f"/api/v2/{ENVVAR}", raw, {"circle-token": site.token})
        assert reply.status == 400
    assert show(site) == {}


def test_the_largest_value_is_taken_whole(site: CircleSite) -> None:
    set_variable(site, "LONG", "v" * MOST_VALUE_BYTES)
    site.trigger()
    assert site.worker.claim(1)[0].environment["LONG"] == "v" * MOST_VALUE_BYTES


@pytest.mark.parametrize("name", ["%00", "%ff", "..", quote("a/b", safe=""), "x" * 5000, "%ed%a0%80", "'--"])
def test_a_name_that_none_has_is_not_found(site: CircleSite, name: str) -> None:
    for method in ("GET", "DELETE"):
        assert site.call(method, f"/api/v2/{ENVVAR}/{name}").status in {400, 404}


def test_a_project_has_so_many_variables_and_no_more(site: CircleSite) -> None:
    names = [f"V{number:04}" for number in range(MOST_PROJECT_VARIABLES)]
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                lambda name: set_project_variable(
                    site.parts, site.sealer, SERVER, site.project, name, "value"
                ),
                names,
            )
        )
    assert list(show(site)) == names
    site.post(ENVVAR, {"name": "ONE_MORE", "value": "x"}, 400)
    set_variable(site, "V0007", "another")


def test_what_cannot_be_opened_any_more_can_still_be_listed_and_set_anew(site: CircleSite) -> None:
    lost = Sealer([b"l" * 32])
    set_project_variable(site.parts, lost, SERVER, site.project, "WORD", "abcd1234")
    assert show(site) == {"WORD": "xxxx"}
    set_variable(site, "WORD", "abcd5678")
    assert show(site) == {"WORD": "xxxx5678"}


def test_a_viewer_learns_nothing_of_variables(site: CircleSite) -> None:
    set_variable(site, "WORD", "value")
    token = site.add_person("vera", Role.VIEWER)
    for path in (f"/api/v2/{ENVVAR}", f"/api/v2/{ENVVAR}/WORD", OLD):
        assert site.call("GET", path, token=token).status == 403
