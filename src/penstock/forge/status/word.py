"""Puts a notice into the words of the host it goes to."""

from collections.abc import Callable, Mapping

from penstock.forge.host import Host
from penstock.forge.status.bitbucket import word_bitbucket, word_bitbucket_server
from penstock.forge.status.github import word_gitea, word_github
from penstock.forge.status.gitlab import word_gitlab
from penstock.forge.status.notice import Notice
from penstock.forge.status.request import Place, Request

WRITERS: Mapping[Host, Callable[[Place, Notice], Request]] = {
    Host.GITHUB: word_github,
    Host.GITLAB: word_gitlab,
    Host.GITEA: word_gitea,
    Host.BITBUCKET: word_bitbucket,
    Host.BITBUCKET_SERVER: word_bitbucket_server,
}


def word_notice(place: Place, notice: Notice) -> Request:
    """The request that makes the host show it. Raises InvalidError for what is no commit or repository."""
    return WRITERS[place.host](place, notice)
