"""pycircleci drives a live server through a whole story."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from penstock.engine.lookup import find_project
from penstock.engine.principal import SERVER
from penstock.engine.projects import move_source
from tests.support.clients import TOKEN, served_project
from tests.support.keys import known_key
from tests.support.processes import wait_until
from tests.support.server import ServerProcess, joined_parts

pycircleci = pytest.importorskip("pycircleci.api", reason="pycircleci is not installed")

ME = ("acme", "app")


def list_items(answer: Any, name: str = "items") -> list[dict[str, Any]]:  # noqa: ANN401 - of either API
    """The items, whichever of the two APIs the library asked."""
    items: list[dict[str, Any]] = answer if isinstance(answer, list) else answer.get(name) or answer["items"]
    return items


def watch(api: Any, workflow: str, *statuses: str) -> dict[str, Any]:  # noqa: ANN401 - untyped library
    """The workflow once it is in one of the states."""
    seen: dict[str, Any] = {}

    def look() -> bool:
        seen.update(api.get_workflow(workflow))
        return seen["status"] in statuses

    wait_until(look, seconds=60, what=f"the workflow is {' or '.join(statuses)}")
    return seen


def test_a_project_is_triggered_watched_approved_and_rerun(tmp_path: Path) -> None:
    with served_project(tmp_path) as server:
        api = pycircleci.Api(TOKEN, url=f"{server.url}/api")
        me = api.me(api_version="v2")
        assert me["login"] == api.me()["login"] == "admin"
        assert api.get_user_id_info(me["id"]) == me
        assert api.get_user_collaborations()[0]["vcs_type"] == "github"
        assert api.get_project("gh/acme/app")["organization_name"] == "acme"
        assert api.follow_project(*ME)["following"] is True
        assert [project["reponame"] for project in api.get_projects()] == ["app"]
        assert [each["name"] for each in api.get_user_repos(paginate=True)] == ["app"]

        made = api.trigger_pipeline(*ME, branch="main", params={"word": "hello"})
        assert api.get_pipeline(made["id"])["number"] == made["number"] == 1
        [workflow] = api.get_pipeline_workflow(made["id"], paginate=True)
        watch(api, workflow["id"], "on_hold")
        jobs = {job["name"]: job for job in api.get_workflow_jobs(workflow["id"], paginate=True)}
        assert "Accepted" in api.approve_job(workflow["id"], jobs["hold"]["approval_request_id"])["message"]
        watch(api, workflow["id"], "failed")

        (tmp_path / "ready").touch()
        again = api.rerun_workflow(workflow["id"], from_failed=True)["workflow_id"]
        watch(api, again, "success")
        after = {job["name"]: job for job in api.get_workflow_jobs(again)}
        assert after["build"]["job_number"] == jobs["build"]["job_number"]

        number = jobs["build"]["job_number"]
        found = list_items(api.get_test_metadata(*ME, number), "tests")
        assert {test["name"]: test["result"] for test in found} == {"adds": "success", "fails": "failure"}
        urls = {item["path"]: item["url"] for item in list_items(api.get_artifacts(*ME, number))}
        assert set(urls) == {"kept/made.txt", "kept/report.xml"}
        path = api.download_artifact(urls["kept/made.txt"], destdir=str(tmp_path))
        assert Path(path).read_text() == "made\n"

        details = api.get_job_details(*ME, number)
        assert details["status"] == "success"
        build = api.get_build_info(*ME, number)
        steps = {step["name"]: step["actions"][0] for step in build["steps"]}
        assert "the word is hello" in read_output(server, steps["Make"]["output_url"])

        assert [each["id"] for each in api.get_project_pipelines(*ME, paginate=True)] == [made["id"]]
        assert [each["id"] for each in api.get_project_pipelines(*ME, mine=True)] == [made["id"]]
        assert [each["id"] for each in api.get_pipelines("acme", paginate=True)] == [made["id"]]
        assert api.get_project_pipeline(*ME, 1)["id"] == made["id"]
        assert "word" in api.get_pipeline_config(made["id"])["source"]
        summary = api.get_project_build_summary(*ME, status_filter="completed", branch="main", shallow=True)
        assert {each["build_num"] for each in summary} >= {number}
        assert len(api.get_recent_builds(limit=2)) == 2
        assert {each["path"] for each in api.get_latest_artifact(*ME, branch="main")} == set(urls)

        try_again_and_stop(api, number)
        assert "internal error" not in server.log()


def try_again_and_stop(api: Any, number: int) -> None:  # noqa: ANN401 - untyped library
    retried = api.retry_build(*ME, number)
    assert retried["workflows"]["job_name"] == "build"
    other = api.trigger_pipeline(*ME)
    [stopped] = api.get_pipeline_workflow(other["id"])
    assert "Accepted" in api.cancel_workflow(stopped["id"])["message"]
    watch(api, stopped["id"], "canceled")


def test_a_schedule_is_kept_by_all_five_calls(tmp_path: Path) -> None:
    with served_project(tmp_path) as server:
        api = pycircleci.Api(TOKEN, url=f"{server.url}/api")
        settings: dict[str, Any] = {
            "timetable": {"per-hour": 1, "hours-of-day": [3], "days-of-week": ["MON", "SUN"]},
            "attribution-actor": "current",
            "parameters": {"branch": "main", "word": "hello"},
            "description": "each week",
        }
        made = api.add_schedule(*ME, "weekly", settings)
        assert made["project-slug"] == "gh/acme/app"
        assert made["timetable"] == settings["timetable"]
        assert api.get_schedule(made["id"]) == made
        changed = api.update_schedule(made["id"], {"description": "each day", "attribution-actor": "system"})
        assert (changed["description"], changed["actor"]["login"]) == ("each day", "system-actor")
        assert list_items(api.get_schedules(*ME)) == [changed]
        assert api.delete_schedule(made["id"])["message"] == "Schedule deleted."
        assert list_items(api.get_schedules(*ME)) == []


KEYED = """\
version: 2.1
jobs:
  build:
    machine: true
    steps:
      - add_ssh_keys: {fingerprints: ["FINGERPRINT"]}
      - run: {name: Offered, command: ssh -G git.example.com | grep -i '^identityfile' | head -1}
      - run: {name: Leak, command: cat ~/.ssh/id_rsa_*}
workflows: {main: {jobs: [build]}}
"""


@pytest.mark.skipif(shutil.which("ssh") is None, reason="there is no ssh to offer keys")
def test_a_key_of_the_project_is_offered_by_its_jobs_and_nowhere_to_be_read(tmp_path: Path) -> None:
    key = known_key(9)
    with served_project(tmp_path, KEYED.replace("FINGERPRINT", key.md5)) as server:
        api = pycircleci.Api(TOKEN, url=f"{server.url}/api")
        assert api.add_ssh_key(*ME, key.private, hostname="git.example.com")
        made = api.trigger_pipeline(*ME)
        [workflow] = api.get_pipeline_workflow(made["id"])
        watch(api, workflow["id"], "success")
        [job] = api.get_workflow_jobs(workflow["id"])
        steps = {
            step["name"]: step["actions"][0] for step in api.get_build_info(*ME, job["job_number"])["steps"]
        }
        printed = {name: read_output(server, action["output_url"]) for name, action in steps.items()}
        log = server.log()
    assert printed["Offered"].rstrip().endswith(f"id_rsa_{key.md5.replace(':', '')}")
    secret = [line for line in key.private.splitlines() if len(line) > 16 and "-" not in line]
    assert secret
    files = [path.read_bytes().decode("latin-1") for path in (tmp_path / "data").rglob("*") if path.is_file()]
    for text in (*printed.values(), log, *files):
        assert not [line for line in secret if line in text]


def test_variables_settings_and_checkout_keys_are_looked_after(tmp_path: Path) -> None:
    with served_project(tmp_path) as server:
        api = pycircleci.Api(TOKEN, url=f"{server.url}/api")
        assert api.add_envvar(*ME, "WORD", "open sesame")["value"] == "xxxxsame"
        assert api.get_envvar(*ME, "WORD")["name"] == "WORD"
        assert [each["value"] for each in list_items(api.list_envvars(*ME))] == ["xxxxsame"]
        assert api.delete_envvar(*ME, "WORD") == {"message": "ok"}
        assert list_items(api.list_envvars(*ME)) == []

        assert api.get_project_settings(*ME)["feature_flags"]["autocancel-builds"] is False
        changed = api.update_project_settings(*ME, {"feature_flags": {"autocancel-builds": True}})
        assert changed["feature_flags"]["autocancel-builds"] is True
        assert api.get_project_settings(*ME) == changed

        assert list_items(api.list_checkout_keys(*ME)) == []
        with joined_parts(tmp_path / "data") as parts, parts.db.read() as tx:
            project = find_project(tx, "gh/acme/app")
        with joined_parts(tmp_path / "data") as parts:
            move_source(parts, SERVER, project, url="git@github.com:acme/app.git")
        made = api.create_checkout_key(*ME, "deploy-key")
        assert api.get_checkout_key(*ME, made["fingerprint"]) == made
        assert list_items(api.list_checkout_keys(*ME)) == [made]
        assert api.delete_checkout_key(*ME, made["fingerprint"]) == {"message": "ok"}
        assert list_items(api.list_checkout_keys(*ME)) == []


def read_output(server: ServerProcess, url: str) -> str:
    reply = server.get(url.removeprefix(server.url), **{"Circle-Token": TOKEN})
    return "".join(piece["message"] for piece in reply.json())


def test_contexts_are_made_filled_and_deleted(tmp_path: Path) -> None:
    with served_project(tmp_path) as server:
        api = pycircleci.Api(TOKEN, url=f"{server.url}/api")
        made = api.add_context("deploy", username="acme")
        assert api.get_context(made["id"]) == made
        [found] = list_items(api.get_contexts(username="acme", paginate=True))
        assert found == made
        owner = api.get_user_collaborations()[0]["id"]
        assert list_items(api.get_contexts(owner_id=owner)) == [made]
        added = api.add_context_envvar(made["id"], "TOKEN", "swordfish")
        assert added["variable"] == "TOKEN"
        assert list_items(api.get_context_envvars(made["id"], paginate=True)) == [added]
        assert "deleted" in api.delete_context_envvar(made["id"], "TOKEN")["message"]
        assert "deleted" in api.delete_context(made["id"])["message"]
        assert list_items(api.get_contexts(username="acme")) == []
