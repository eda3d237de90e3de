"""Commit statuses of GitLab (GitLab docs: commits API, set commit pipeline status)."""

from penstock.forge.status.notice import Notice, State, shorten
from penstock.forge.status.request import Place, Request, make_request, quote_commit, quote_repository

_STATES = {state: state.value for state in State} | {State.ERROR: "failed"}
_LONGEST = 255


def word_gitlab(place: Place, notice: Notice) -> Request:
    """The request to GitLab; it shows statuses as the jobs of an external pipeline of the branch."""
    project = quote_repository(place.repository).replace("/", "%2F")
    fields = {
        "state": _STATES[notice.state],
        "name": shorten(notice.context, _LONGEST),
        "ref": notice.branch,
        "target_url": notice.url,
        "description": shorten(notice.description, _LONGEST),
    }
    path = f"/projects/{project}/statuses/{quote_commit(notice.commit)}"
    return make_request(place, path, fields, {"PRIVATE-TOKEN": place.token})
