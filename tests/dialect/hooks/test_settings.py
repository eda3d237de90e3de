"""Each advanced setting does to real pipelines what it says, however they came about."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from penstock.engine.accounts import create_user
from penstock.engine.api_tokens import Wish as Grant
from penstock.engine.api_tokens import issue_token
from penstock.engine.host_account import set_host_account
from penstock.engine.launch import Ref, Wish, launch_pipeline
from penstock.engine.organizations import create_organization
from penstock.engine.principal import SERVER
from penstock.engine.setup_switch import MESSAGE
from penstock.model.access import Role, Scope
from penstock.model.credentials import HostAccount
from penstock.model.run import TriggerType
from penstock.store.users import Profile
from tests.support import hooks
from tests.support.circle import APP, CONFIG, CircleSite
from tests.support.hook_site import HookSite

SETTINGS = f"/api/v2/project/{APP}/settings"
DEFAULTS = {
    "autocancel_builds": False,
    "build_fork_prs": False,
    "build_prs_only": False,
    "disable_ssh": False,
    "forks_receive_secret_env_vars": False,
    "oss": False,
    "set_github_status": True,
    "setup_workflows": True,
    "write_settings_requires_admin": False,
    "pr_only_branch_overrides": [],
}
SETUP = """\
version: 2.1
setup: true
jobs:
  build: {machine: true, steps: [{run: make}]}
workflows: {main: {jobs: [build]}}
"""


def change(site: CircleSite, status: int = 200, token: str | None = None, **advanced: object) -> Any:  # noqa: ANN401 - whatever was answered
    return site.succeed("PATCH", SETTINGS, {"advanced": advanced}, status, token=token)


def push(branch: str, sha: str) -> hooks.Message:
    message = hooks.github_push(f"refs/heads/{branch}", after=sha, head_commit=hooks.github_commit(sha))
    return hooks.from_github("push", message)


def statuses(hooked: HookSite) -> list[str]:
    return [hooked.site.lab.status(each).value for each in hooked.pipelines()]


def test_all_settings_are_shown_and_any_of_them_changed(site: CircleSite) -> None:
    assert site.succeed("GET", SETTINGS, None, 200) == {"advanced": DEFAULTS}
    changed = change(site, autocancel_builds=True, pr_only_branch_overrides=["main", "release/1.0"])
    expected = DEFAULTS | {"autocancel_builds": True, "pr_only_branch_overrides": ["main", "release/1.0"]}
    assert changed == {"advanced": expected}
    assert change(site, pr_only_branch_overrides=["dev"])["advanced"]["pr_only_branch_overrides"] == ["dev"]
    nothings: tuple[dict[str, object], ...] = ({}, {"advanced": {}})
    for nothing in nothings:
        body = site.succeed("PATCH", SETTINGS, nothing, 200)
        assert body["advanced"] == expected | {"pr_only_branch_overrides": ["dev"]}
    again = site.succeed("PUT", SETTINGS, {"advanced": {"autocancel_builds": False}}, 200)
    assert again["advanced"]["autocancel_builds"] is False
    assert site.succeed("GET", "/api/v2/project/github%2Facme%2Fapp/settings", None, 200) == again


def test_the_older_api_spells_them_in_its_own_way(site: CircleSite) -> None:
    old = f"/api/v1.1/project/{APP}/settings"
    shown = site.succeed("GET", old, None, 200)
    assert shown["feature_flags"] == {name.replace("_", "-"): value for name, value in DEFAULTS.items()}
    assert (shown["reponame"], shown["vcs_url"]) == ("app", "https://github.com/acme/app")
    flags = {"build-fork-prs": True, "pr-only-branch-overrides": ["main"]}
    changed = site.succeed("PUT", old, {"feature_flags": flags, "jira": None}, 200)
    assert changed["feature_flags"] == shown["feature_flags"] | flags
    assert site.succeed("GET", SETTINGS, None, 200)["advanced"]["build_fork_prs"] is True
    assert "trusty" in site.succeed("PUT", old, {"feature_flags": {"trusty-beta": True}}, 400)["message"]
    assert site.succeed("PUT", old, {}, 200) == changed


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"advanced": {"autocancel": True}}, "autocancel"),
        ({"autocancel_builds": True}, "autocancel_builds"),
        ({"advanced": {"autocancel_builds": "yes"}}, "autocancel_builds"),
        ({"advanced": {"autocancel_builds": None}}, "autocancel_builds"),
        ({"advanced": None}, "advanced"),
        ({"advanced": [1]}, "advanced"),
        ({"advanced": {"pr_only_branch_overrides": "main"}}, "pr_only_branch_overrides"),
        ({"advanced": {"pr_only_branch_overrides": [""]}}, "setting"),
        ({"advanced": {"pr_only_branch_overrides": ["x" * 256]}}, "setting"),
        ({"advanced": {"pr_only_branch_overrides": ["b"] * 101}}, "100"),
        ({"advanced": {"autocancel_builds": True, "config_path": "x"}}, "config_path"),
    ],
)
def test_what_is_no_setting_is_refused_and_nothing_is_changed(
    site: CircleSite, body: object, word: str
) -> None:
    assert word in site.succeed("PATCH", SETTINGS, body, 400)["message"]
    assert site.succeed("GET", SETTINGS, None, 200) == {"advanced": DEFAULTS}


def test_a_million_branches_are_too_many(site: CircleSite) -> None:
    body = {"advanced": {"pr_only_branch_overrides": ["b"] * 1_000_000}}
    assert site.call("PATCH", SETTINGS, body).status in {400, 413}


def test_changes_at_the_same_time_lose_nothing(site: CircleSite) -> None:
    flags = [name for name, value in DEFAULTS.items() if value is False and name != "oss"]
    flags.remove("write_settings_requires_admin")
    with ThreadPoolExecutor(len(flags)) as pool:
        list(pool.map(lambda name: change(site, 200, None, **{name: True}), flags))
    shown = site.succeed("GET", SETTINGS, None, 200)["advanced"]
    assert {name for name in flags if shown[name]} == set(flags)


def test_a_newer_pipeline_cancels_the_older_ones_of_its_branch(hooked: HookSite) -> None:
    site = hooked.site
    change(site, autocancel_builds=True)
    for branch in ("dev", "main"):
        for _ in range(2):
            site.trigger(branch=branch)
    assert statuses(hooked) == ["canceled", "running", "running", "running"]
    hooked.build(push("dev", hooks.AFTER))
    assert statuses(hooked) == ["canceled", "canceled", "running", "running", "running"]


def test_what_is_scheduled_or_run_again_cancels_nothing(hooked: HookSite) -> None:
    site = hooked.site
    change(site, autocancel_builds=True)
    first = site.trigger(branch="dev")
    [old] = site.get(f"pipeline/{first['id']}/workflow")["items"]
    site.post(f"workflow/{old['id']}/cancel", None, 202)
    site.trigger(branch="dev")
    site.post(f"workflow/{old['id']}/rerun", {}, 202)
    scheduled = Wish(ref=Ref(branch="dev"), actor="ann", trigger=TriggerType.SCHEDULE)
    launch_pipeline(site.parts, site.server.workshop, site.project, scheduled)
    again = site.get(f"pipeline/{first['id']}/workflow")["items"]
    assert sorted(each["status"] for each in again) == ["canceled", "running"]
    assert statuses(hooked)[1:] == ["running", "running"]


def test_with_pull_requests_only_a_push_waits_and_an_order_does_not(hooked: HookSite) -> None:
    change(hooked.site, build_prs_only=True, pr_only_branch_overrides=["release"])
    assert hooked.build(push("mend", hooks.AFTER)) == []
    assert len(hooked.build(push("release", hooks.AFTER))) == 1
    assert len(hooked.build(push("main", hooks.AFTER))) == 2
    tag = hooks.from_github("push", hooks.github_push("refs/tags/v1"))
    assert len(hooked.build(tag)) == 3
    assert len(hooked.build(hooks.from_github("pull_request", hooks.github_pull()))) == 4
    hooked.site.trigger(branch="dev")  # somebody asked for it
    assert len(hooked.pipelines()) == 5


@pytest.mark.parametrize("built", [False, True])
@pytest.mark.parametrize("trusted", [False, True])
def test_forks_are_built_and_trusted_as_the_settings_say(
    hooked: HookSite, *, built: bool, trusted: bool
) -> None:
    change(hooked.site, build_fork_prs=built, forks_receive_secret_env_vars=trusted)
    made = hooked.build(hooks.from_github("pull_request", hooks.github_pull(fork=True)))
    assert len(made) == int(built)
    if built:
        assert ("TOKEN" in hooked.site.worker.claim(1)[0].environment) is trusted


@pytest.mark.parametrize("told", [True, False])
def test_a_host_is_told_of_commits_unless_the_settings_say_no(hooked: HookSite, *, told: bool) -> None:
    account = HostAccount(token="t0ken", host="github", api="https://git.example.com/api/v3")
    set_host_account(hooked.parts, hooked.site.sealer, SERVER, hooked.project, account)
    change(hooked.site, set_github_status=told)
    hooked.site.trigger()
    hooked.build(push("main", hooks.AFTER))
    for each in hooked.site.worker.claim(4):
        hooked.site.worker.begin(each.task)
    hooked.tell()
    assert bool(hooked.sent) is told


def test_an_ssh_rerun_is_refused_for_the_reason_there_is(site: CircleSite) -> None:
    site.trigger()
    job = site.build()
    workflow = site.lab.workflow(site.lab.every_pipeline()[0]).uuid
    body = {"jobs": [job.uuid], "enable_ssh": True}
    assert "on this server" in site.post(f"workflow/{workflow}/rerun", body, 400)["message"]
    change(site, disable_ssh=True)
    assert "disable_ssh" in site.post(f"workflow/{workflow}/rerun", body, 400)["message"]
    old = f"/api/v1.1/project/{APP}/{job.number}"
    for path in ("ssh", "ssh-users"):
        assert "disable_ssh" in site.succeed("POST", f"{old}/{path}", None, 400)["message"]


def test_setup_configs_are_errors_where_they_are_not_wanted(hooked: HookSite) -> None:
    site = hooked.site
    site.code.configs["dev"] = hooked.commits.config = SETUP
    assert site.trigger(branch="dev")["state"] in {"created", "setup", "setup-pending"}
    change(site, setup_workflows=False)
    made = site.trigger(branch="dev")
    shown = site.get(f"pipeline/{made['id']}")
    assert shown["state"] == "errored"
    [error] = shown["errors"]
    assert error["type"] == "config"
    assert MESSAGE in error["message"]
    hooked.build(push("main", hooks.AFTER))
    assert [each.status.value for each in hooked.pipelines()][1:] == ["errored", "errored"]
    assert site.get(f"pipeline/{made['id']}/workflow")["items"] == []
    site.code.configs["dev"] = CONFIG
    assert site.get(f"pipeline/{site.trigger(branch='dev')['id']}")["state"] == "created"


def test_settings_of_admins_are_changed_by_admins(site: CircleSite) -> None:
    member, admin = site.add_person("mia", Role.MEMBER), site.add_person("ada", Role.ADMIN)
    change(site, token=member, write_settings_requires_admin=True)
    change(site, 403, token=member, write_settings_requires_admin=False)
    change(site, 403, token=member, autocancel_builds=True)
    assert site.succeed("GET", SETTINGS, None, 200, token=member)["advanced"]["autocancel_builds"] is False
    change(site, token=admin, write_settings_requires_admin=False)
    change(site, token=member, autocancel_builds=True)


def test_only_what_everybody_may_clone_becomes_public(site: CircleSite) -> None:
    assert "clone" in change(site, 400, oss=True, autocancel_builds=True)["message"]
    assert site.succeed("GET", SETTINGS, None, 200) == {"advanced": DEFAULTS}


def test_everybody_with_an_account_may_look_at_a_public_project(site: CircleSite) -> None:
    site.open_repositories()
    made = site.trigger()
    stranger = site.add_person("sam")
    elsewhere = create_organization(site.parts, SERVER, host="gh", name="elsewhere")
    user = create_user(site.parts, SERVER, Profile(login="nia")).uuid
    narrow = issue_token(
        site.parts, SERVER, Grant(label="x", scopes=(Scope.ADMIN,), user=user, limit=elsewhere)
    )
    pages = [
        f"project/{APP}",
        f"pipeline/{made['id']}",
        f"pipeline/{made['id']}/workflow",
        f"project/{APP}/settings",
    ]
    hidden = {page: site.call("GET", f"/api/v2/{page}", token=stranger).status for page in pages}
    assert set(hidden.values()) == {404}
    assert change(site, oss=True)["advanced"]["oss"] is True
    for page in pages:
        assert site.call("GET", f"/api/v2/{page}", token=stranger).status == 200
        assert site.call("GET", f"/api/v2/{page}", token=narrow.secret).status == 404
        assert site.call("GET", f"/api/v2/{page}", token="").status == 401
    for method, path, body in [
        ("GET", f"project/{APP}/envvar", None),
        ("POST", f"project/{APP}/pipeline", {}),
        ("PATCH", f"project/{APP}/settings", {"advanced": {"oss": False}}),
        ("POST", f"project/{APP}/envvar", {"name": "A", "value": "b"}),
    ]:
        assert site.call(method, f"/api/v2/{path}", body, token=stranger).status == 403
    assert site.call("GET", "/api/v2/organization/gh%2Facme", token=stranger).status == 404
    change(site, oss=False)
    for page in pages:
        assert site.call("GET", f"/api/v2/{page}", token=stranger).status == 404


def test_only_admins_open_and_close_a_project(site: CircleSite) -> None:
    site.open_repositories()
    member, admin = site.add_person("mia", Role.MEMBER), site.add_person("ada", Role.ADMIN)
    change(site, 403, token=member, oss=True)
    change(site, token=admin, oss=True)
    change(site, 403, token=member, oss=False)
    change(site, token=member, oss=True, build_fork_prs=True)  # as it is
    assert change(site, token=admin, oss=False)["advanced"]["build_fork_prs"] is True


def test_what_was_followed_while_it_was_public_is_hidden_with_it(site: CircleSite) -> None:
    site.open_repositories()
    change(site, oss=True)
    stranger = site.add_person("sam")
    site.trigger()
    site.succeed("POST", f"/api/v1.1/project/{APP}/follow", None, 200, token=stranger)
    change(site, oss=False)
    assert site.get("pipeline", token=stranger)["items"] == []
    for path in ("v1.1/recent-builds", "v1.1/projects"):
        assert site.succeed("GET", f"/api/{path}", None, 200, token=stranger) == []


def test_a_project_that_moves_is_not_public_any_more(site: CircleSite) -> None:
    site.open_repositories()
    change(site, oss=True)
    stranger = site.add_person("sam")
    own = f"/api/penstock/v1/projects/{site.project.uuid}"
    bearer = {"authorization": f"Bearer {site.token}"}
    site.succeed("PATCH", own, {"default_branch": "trunk"}, 200, headers=bearer)
    assert site.call("GET", f"/api/v2/project/{APP}", token=stranger).status == 200
    site.succeed("PATCH", own, {"url": "https://github.com/acme/secret.git"}, 200, headers=bearer)
    assert site.succeed("GET", SETTINGS, None, 200) == {"advanced": DEFAULTS}
    assert site.call("GET", f"/api/v2/project/{APP}", token=stranger).status == 404
