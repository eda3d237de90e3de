"""The caller of v1.1, and the projects they follow."""

from penstock.api.circleci.paging import LONG_PAGE, Page, cut_page, read_token
from penstock.api.circleci.v1 import payloads
from penstock.api.circleci.v1.show import show_followed, show_me, show_project, show_repository
from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.engine import projects
from penstock.engine.access import Action
from penstock.engine.lookup import open_project
from penstock.model.slug import shorten_host

_PLACE = "followed"

MOST_FOLLOWED = 10_000
"""How many projects somebody follows are known to be followed in other lists."""


def get_me(_server: Server, call: Call) -> payloads.Me:
    """The account of the caller."""
    return show_me(principal_of(call).user)


def list_projects(server: Server, call: Call) -> list[payloads.Project]:
    """The projects the caller follows."""
    with server.parts.db.read() as tx:
        found = projects.followed_projects(tx, principal_of(call), limit=LONG_PAGE)
    return [show_project(project) for project in found]


def list_repositories(server: Server, call: Call) -> list[payloads.Repository]:
    """The repositories of a host that have projects the caller sees."""
    by, query = principal_of(call), call.query
    place = f"{shorten_host(call.params['vcs'])}/"
    reach = query.page * query.per_page
    with server.parts.db.read() as tx:
        seen = projects.list_seen_projects(tx, by, after=place, limit=reach)
        followed = {each.id for each in projects.followed_projects(tx, by, limit=MOST_FOLLOWED)}
    found = [project for project in seen[reach - query.per_page :] if project.slug.startswith(place)]
    return [show_repository(each, following=each.id in followed) for each in found]


def list_followed(server: Server, call: Call) -> Page[payloads.FollowedProject]:
    """The projects the caller follows, in pages."""
    after = read_token(call.query.page_token, _PLACE, int) or 0
    with server.parts.db.read() as tx:
        found = projects.followed_projects(tx, principal_of(call), after=after, limit=LONG_PAGE + 1)
    kept, token = cut_page(found, LONG_PAGE, _PLACE, lambda project: project.id)
    return Page([show_followed(project) for project in kept], token)


def follow(server: Server, call: Call) -> payloads.Followed:
    """Follow a project."""
    by = principal_of(call)
    with server.parts.db.read() as tx:
        project = open_project(tx, by, Action.FOLLOW_PROJECT, call.params["slug"])
    projects.follow_project(server.parts, by, project)
    return payloads.Followed(following=True, workflow=True)


def unfollow(server: Server, call: Call) -> payloads.Followed:
    """Follow a project no more."""
    by = principal_of(call)
    with server.parts.db.read() as tx:
        project = open_project(tx, by, Action.FOLLOW_PROJECT, call.params["slug"])
    projects.unfollow_project(server.parts, by, project)
    return payloads.Followed(following=False, workflow=True)
