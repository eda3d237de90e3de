"""Commit statuses of GitHub, and of Gitea, which took them over (GitHub docs: commit statuses)."""

from penstock.forge.status.notice import Notice, State, shorten
from penstock.forge.status.request import Place, Request, make_request, quote_commit, quote_repository

_STATES = {
    State.PENDING: "pending",
    State.RUNNING: "pending",
    State.SUCCESS: "success",
    State.FAILED: "failure",
    State.ERROR: "error",
    State.CANCELED: "error",
    State.SKIPPED: "success",  # a required status must not stay away for ever
}
_LONGEST_DESCRIPTION = 140
_LONGEST_CONTEXT = 255
_VERSION = "2022-11-28"


def word_github(place: Place, notice: Notice) -> Request:
    """The request to GitHub. GitHub takes 1000 statuses for one commit and context."""
    headers = {
        "Authorization": f"Bearer {place.token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": _VERSION,
    }
    return _word(place, notice, headers)


def word_gitea(place: Place, notice: Notice) -> Request:
    """The request to Gitea or Forgejo (Gitea docs: API, repository statuses)."""
    return _word(place, notice, {"Authorization": f"token {place.token}"})


def _word(place: Place, notice: Notice, headers: dict[str, str]) -> Request:
    path = f"/repos/{quote_repository(place.repository)}/statuses/{quote_commit(notice.commit)}"
    fields = {
        "state": _STATES[notice.state],
        "target_url": notice.url,
        "description": shorten(notice.description, _LONGEST_DESCRIPTION),
        "context": shorten(notice.context, _LONGEST_CONTEXT),
    }
    return make_request(place, path, fields, headers)
