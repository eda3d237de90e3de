"""The git hosts we know, and where each keeps the commits of its pull requests."""

from enum import StrEnum


class Host(StrEnum):
    """A kind of git host; each has its own webhooks and its own words for statuses."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GITEA = "gitea"  # and Forgejo
    BITBUCKET = "bitbucket"  # Cloud
    BITBUCKET_SERVER = "bitbucket_server"  # Server and Data Center


_PULL_REFS = {
    Host.GITHUB: "refs/pull/{}/head",
    Host.GITEA: "refs/pull/{}/head",
    Host.GITLAB: "refs/merge-requests/{}/head",
    Host.BITBUCKET_SERVER: "refs/pull-requests/{}/from",
}


def pull_request_ref(host: Host, number: int) -> str:
    """The ref in the base repository that a pull request's commits are on; "" where there is none.

    Bitbucket Cloud has none: its commits are on the source branch of the source repository only.
    """
    return _PULL_REFS.get(host, "").format(number)
