"""Agents and their groups are seen by those they work for, and changed by who may."""

from sqlalchemy import update

from penstock.engine.organizations import create_organization
from penstock.engine.principal import SERVER
from penstock.model.access import Role, Scope
from penstock.store import agent_groups
from penstock.store.schema import agents
from tests.support.lab import HandAgent
from tests.support.own_api import OwnSite


def join_group(site: OwnSite, agent: HandAgent, group: str) -> str:
    """The agent belongs to the group; its UUID."""
    with site.parts.db.write() as tx:
        found = agent_groups.group_by_uuid(tx, group)
        assert found is not None
        tx.execute(update(agents).where(agents.c.id == agent.id).values(group_id=found.id))
    return agent.uuid


def test_a_group_is_made_with_a_token_that_is_shown_once(site: OwnSite) -> None:
    made = site.own("POST", "agent-groups", {"name": "linux/large"}, status=201)
    assert made["group"]["organization"] == ""
    group = made["group"]["id"]
    tokens = site.own("GET", f"agent-groups/{group}/tokens")
    assert [each["label"] for each in tokens["items"]] == ["first"]
    assert made["secret"] not in str(tokens)
    more = site.own("POST", f"agent-groups/{group}/tokens", {"label": "more"}, status=201)
    site.own("DELETE", f"agent-groups/{group}/tokens/{more['token']['id']}", status=204)
    assert len(site.own("GET", f"agent-groups/{group}/tokens")["items"]) == 1
    assert site.own("POST", "agent-groups", {"name": "linux/large"}, status=409)
    site.own("DELETE", f"agent-groups/{group}", status=204)
    assert site.own("GET", "agent-groups")["items"] == []


def test_groups_are_seen_by_their_organization_and_those_for_all_by_everybody(site: OwnSite) -> None:
    create_organization(site.parts, SERVER, host="gh", name="other")
    for name, owner in (("for/all", ""), ("for/acme", "gh/acme"), ("for/other", "gh/other")):
        site.own("POST", "agent-groups", {"name": name, "organization": owner}, status=201)
    seen = site.own("GET", "agent-groups", token=site.add_person("ann", Role.VIEWER))["items"]
    assert [each["name"] for each in seen] == ["for/acme", "for/all"]
    stranger = site.own("GET", "agent-groups", token=site.add_person("eve"))["items"]
    assert [each["name"] for each in stranger] == ["for/all"]


def test_only_who_may_changes_groups(site: OwnSite) -> None:
    admin = site.add_person("ann", Role.ADMIN, Scope.ADMIN)
    made = site.own(
        "POST", "agent-groups", {"name": "a/b", "organization": "gh/acme"}, status=201, token=admin
    )
    assert site.ask_own("POST", "agent-groups", {"name": "c/d"}, token=admin).status == 403
    member = site.add_person("bob", Role.MEMBER)
    stranger = site.add_person("eve")
    path = f"agent-groups/{made['group']['id']}"
    assert site.ask_own("DELETE", path, token=member).status == 403
    assert site.ask_own("GET", f"{path}/tokens", token=member).status == 403
    assert site.ask_own("DELETE", path, token=stranger).status == 404
    assert site.ask_own("POST", f"{path}/tokens", {"label": "x"}, token=stranger).status == 404


def test_agents_are_listed_with_what_they_run(site: OwnSite) -> None:
    site.trigger()
    [first, _] = site.worker.claim(2)
    site.worker.begin(first.task)
    [found] = site.own("GET", "agents")["items"]
    assert (found["group"], found["slots"], found["labels"], found["busy"]) == ("", 8, ["large"], 2)
    job = found["jobs"][0]
    assert (job["project"], job["pipeline"], job["name"]) == ("gh/acme/app", 1, "build")
    assert site.own("GET", "agents", token=site.add_person("ann", Role.OWNER))["items"] == []


def test_what_an_agent_for_all_runs_is_seen_only_by_whose_it_is(site: OwnSite) -> None:
    group = site.own("POST", "agent-groups", {"name": "for/all"}, status=201)["group"]["id"]
    site.trigger()
    site.worker.claim(2)
    join_group(site, site.worker, group)
    [mine] = site.own("GET", "agents", token=site.add_person("ann", Role.VIEWER))["items"]
    assert (mine["group"], mine["busy"], [job["name"] for job in mine["jobs"]]) == (
        "for/all",
        2,
        ["build", "build"],
    )
    [others] = site.own("GET", "agents", token=site.add_person("eve"))["items"]
    assert (others["group"], others["busy"], others["jobs"]) == ("for/all", 2, [])


def test_an_agent_is_disabled_enabled_and_removed(site: OwnSite) -> None:
    group = site.own("POST", "agent-groups", {"name": "a/b", "organization": "gh/acme"}, status=201)["group"]
    agent = join_group(site, site.lab.agent(), group["id"])

    def state() -> str:
        every = {each["id"]: each["state"] for each in site.own("GET", "agents")["items"]}
        return str(every.get(agent, "removed"))

    site.own("POST", f"agents/{agent}/disable", status=204)
    assert state() == "draining"
    site.own("POST", f"agents/{agent}/enable", status=204)
    assert state() == "online"
    member, stranger = site.add_person("bob", Role.MEMBER), site.add_person("eve")
    assert site.ask_own("DELETE", f"agents/{agent}", token=member).status == 403
    assert site.ask_own("DELETE", f"agents/{agent}", token=stranger).status == 404
    site.own("DELETE", f"agents/{agent}", status=204)
    assert state() == "removed"
