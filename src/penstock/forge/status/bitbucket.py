"""Build statuses of Bitbucket Cloud and of Bitbucket Server (Bitbucket docs: commit statuses, builds)."""

import hashlib

from penstock.forge.status.notice import Notice, State, shorten
from penstock.forge.status.request import Place, Request, make_request, quote_commit, quote_repository

_STATES = {
    State.PENDING: "INPROGRESS",
    State.RUNNING: "INPROGRESS",
    State.SUCCESS: "SUCCESSFUL",
    State.FAILED: "FAILED",
    State.ERROR: "FAILED",
    State.CANCELED: "STOPPED",
    State.SKIPPED: "SUCCESSFUL",
}
_SERVER_STATES = _STATES | {State.CANCELED: "CANCELLED"}
_LONGEST_KEY = 40
_LONGEST = 255


def word_bitbucket(place: Place, notice: Notice) -> Request:
    """The request to Bitbucket Cloud."""
    path = f"/repositories/{quote_repository(place.repository)}/commit/{quote_commit(notice.commit)}"
    fields = {
        "key": make_key(notice.context),
        "state": _STATES[notice.state],
        "name": shorten(notice.context, _LONGEST),
        "url": notice.url,
        "description": shorten(notice.description, _LONGEST),
        "refname": notice.branch,
    }
    headers = {"Authorization": f"Bearer {place.token}"}
    return make_request(place, f"{path}/statuses/build", fields, headers)


def word_bitbucket_server(place: Place, notice: Notice) -> Request:
    """The request to Bitbucket Server or Data Center, 7.4 or newer."""
    project, _, name = quote_repository(place.repository).rpartition("/")
    fields = {
        "key": make_key(notice.context),
        "state": _SERVER_STATES[notice.state],
        "name": shorten(notice.context, _LONGEST),
        "url": notice.url,
        "description": shorten(notice.description, _LONGEST),
        "ref": f"refs/heads/{notice.branch}" if notice.branch else "",
    }
    path = f"/projects/{project}/repos/{name}/commits/{quote_commit(notice.commit)}/builds"
    return make_request(place, path, fields, {"Authorization": f"Bearer {place.token}"})


def make_key(context: str) -> str:
    """The key of a status, by which a later one replaces it; Bitbucket Cloud takes 40 characters."""
    if len(context) <= _LONGEST_KEY:
        return context
    digest = hashlib.sha256(context.encode()).hexdigest()[:12]
    return f"{context[: _LONGEST_KEY - 13]}-{digest}"
