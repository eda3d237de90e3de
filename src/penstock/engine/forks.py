"""Code of strangers: pipelines of other people's forks, and what they get of a project's secrets."""

import re

from penstock.engine.facts import Facts
from penstock.model.run import Fork

TRUSTED = "fork.trusted"
"""Label of a fork's pipeline whose jobs get the project's secrets."""

URL = "fork.url"
"""Label of a pipeline whose commit is only in the fork: the address of that."""

_NUMBER = re.compile(r"/([0-9]{1,9})(?:/|\Z)")


def label_fork(*, trusted: bool, url: str = "") -> dict[str, str]:
    """The labels of a pipeline that may have secrets or not, and is cloned from there."""
    return ({TRUSTED: "yes"} if trusted else {}) | ({URL: url} if url else {})


def is_foreign(facts: Facts) -> bool:
    """True when the code is a stranger's, to be kept from secrets and from the project's own caches.

    CircleCI docs: build open source, pass secrets to builds from forked pull requests.
    """
    return facts.pipeline.revision.fork is not None and TRUSTED not in facts.labels


def name_scope(facts: Facts) -> str:
    """Whose caches the pipeline's jobs share: "" for the project's own, else those of one fork.

    CircleCI docs: caching and open source. What a fork stores must not reach the project's own jobs.
    """
    fork = facts.pipeline.revision.fork
    return f"fork/{fork.owner or fork.number}/{fork.name}" if fork is not None and is_foreign(facts) else ""


def guess_fork(branch: str) -> Fork:
    """The fork that a branch like `pull/7/head` stands for; only the number of its pull request is known."""
    match = _NUMBER.search(branch)
    return Fork(number=int(match[1]) if match else 0, owner="", name="")
