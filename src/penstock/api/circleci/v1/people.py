"""The caller of v1.1, and the projects they follow."""

from penstock.api.circleci.paging import LONG_PAGE, Page, cut_page, read_token
from penstock.api.circleci.v1 import payloads
from penstock.api.circleci.v1.show import show_followed, show_me, show_project
from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.engine import projects
from penstock.engine.access import Action
from penstock.engine.lookup import open_project

_PLACE = "followed"


def get_me(_server: Server, call: Call) -> payloads.Me:
    """The account of the caller."""
    return show_me(principal_of(call).user)


def list_projects(server: Server, call: Call) -> list[payloads.Project]:
    """The projects the caller follows."""
    with server.parts.db.read() as tx:
        found = projects.followed_projects(tx, principal_of(call), limit=LONG_PAGE)
    return [show_project(project) for project in found]


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
