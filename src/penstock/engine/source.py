"""Where a task's checkout finds its commit, what opens that place, and what must not be printed of it."""

from collections.abc import Iterable, Iterator

from penstock.engine.facts import LOCAL_SOURCE, Facts
from penstock.engine.forks import URL, is_foreign
from penstock.engine.unit import Parts
from penstock.model.credentials import CloneWay
from penstock.plan.step import Checkout
from penstock.plan.workflow import JobPlan
from penstock.wire.messages import Source, SourceCredentials

LEAST_LINE = 16
"""Characters of a line of a private key that is worth masking."""


def find_source(parts: Parts, facts: Facts, plan: JobPlan) -> Source | None:
    """The source of the task's pipeline; None when its project has no address.

    The project's credentials go along when a step checks it out, and never with the code of strangers: a
    private repository is then closed to their jobs.
    """
    url = facts.labels.get(LOCAL_SOURCE) or facts.labels.get(URL) or facts.project.url
    if not url:
        return None
    wanted = url == facts.project.url and any(isinstance(step, Checkout) for step in plan.steps)
    opened = wanted and not is_foreign(facts)
    way = parts.variables.clone_way(facts.project) if opened else CloneWay(url=url)
    return Source(
        url=way.url,
        revision=facts.pipeline.revision,
        default_branch=facts.project.default_branch,
        origin=way.url if opened else facts.project.url,
        credentials=_lend_credentials(way),
    )


def list_hidden(source: Source | None) -> Iterator[str]:
    """What of the credentials is masked in the output of the task."""
    if source is None or source.credentials is None:
        return iter(())
    token = source.credentials.token
    return (each for each in (token, *list_lines([source.credentials.key])) if each)


def list_lines(keys: Iterable[str]) -> Iterator[str]:
    """The lines of private keys that give something away; whole lines are masked, as they are printed."""
    lines = (line for key in keys for line in key.splitlines())
    return (line for line in lines if len(line) >= LEAST_LINE and not line.startswith("-"))


def _lend_credentials(way: CloneWay) -> SourceCredentials | None:
    opened = way.credentials
    if opened is None:
        return None
    return SourceCredentials(
        user=opened.user, token=opened.token, key=opened.private_key, known_hosts=opened.known_hosts
    )
