"""Identity tokens of jobs: signed when a task is given to an agent, or when its job asks for one.

`CircleCI docs: OpenID Connect tokens`. The code of strangers gets none.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from penstock.engine.facts import Facts, present
from penstock.engine.forks import URL, is_foreign
from penstock.engine.languages import find_language
from penstock.engine.signer import Pen, Signer
from penstock.engine.unit import Parts, Unit
from penstock.forge.remote import name_repository, parse_remote
from penstock.kit.durations import parse_go_duration
from penstock.language.common.identity import Bearer, Claims
from penstock.model.errors import ForbiddenError, InvalidError, NotFoundError, RefusedError
from penstock.model.identity import SHORTEST_LIFE, USUAL_LIFE
from penstock.model.project import definition_id
from penstock.model.run import Job, Revision
from penstock.store import contexts, custom_claims, jobs, tasks, users
from penstock.store.database import Transaction
from penstock.wire.messages import Assignment, Minted, TokenWish

ROOT = "/oidc"
"""Where, below the server's address, the issuer of all organizations is."""

NOBODY = "00000000-0000-0000-0000-000000000000"
"""Stands for whoever started a workflow without having an account, or with one that is disabled."""

MOST_AUDIENCES, MOST_LETTERS = 20, 255


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """For whom the tokens of a project are meant, and how many milliseconds they are good for."""

    audience: tuple[str, ...]
    ttl: int


class Passport(msgspec.Struct, frozen=True, kw_only=True):
    """All that a task's tokens are made of."""

    language: str
    bearer: Bearer
    terms: Terms


def find_issuer(base_url: str, organization: str = "") -> str:
    """The issuer of the organization of that UUID, or of all of them."""
    return f"{base_url}{ROOT}/org/{organization}" if organization else base_url + ROOT


class Promise(msgspec.Struct, frozen=True):
    """What the tokens in the environment of a task will claim, by the names of their variables.

    To sign takes about as long as to commit, and is left for when nothing is locked any more.
    """

    claims: Mapping[str, Claims]
    signer: Signer
    pen: Pen | None  # None before there is any key

    def keep(self, assignment: Assignment) -> Assignment:
        """The assignment with the tokens, which are masked in the job's output."""
        pen = self.pen or self.signer.take_pen()
        tokens = {name: pen.sign(claims) for name, claims in self.claims.items()}
        return msgspec.structs.replace(
            assignment,
            environment=assignment.environment | tokens,
            secrets=(*assignment.secrets, *tokens.values()),
            vouched=True,
        )


def promise_tokens(unit: Unit, facts: Facts, job: Job) -> Promise | None:
    """The tokens a task of the job is to find in its environment; None where there are none for it."""
    signer, base_url = unit.parts.signer, unit.parts.base_url
    if signer is None or not base_url or is_foreign(facts):
        return None
    passport = _describe(unit.tx, facts, job)
    wanted = find_language(passport.language).identities(passport.bearer).variables
    issuer = find_issuer(base_url, passport.bearer.organization)
    now = unit.parts.clock.now()
    claims = {name: _complete(each, issuer, passport.terms, now) for name, each in wanted.items()}
    return Promise(claims, signer, signer.find_pen(unit.tx))


def mint_token(parts: Parts, task: str, wish: TokenWish) -> str:
    """A token for the task as it asks for it.

    Raises RefusedError where nobody can sign, ForbiddenError for the code of strangers, InvalidError for an
    audience or a time that cannot be, NotFoundError for a task nobody knows.
    """
    if parts.signer is None or not parts.base_url:
        raise RefusedError("there are no identity tokens here: only a server issues them")
    with parts.db.read() as tx:
        passport = _find_passport(tx, parts, task)
    terms = Terms(
        audience=check_audience(wish.audience) if wish.audience else passport.terms.audience,
        ttl=_shorten(passport.terms.ttl, wish.ttl),
    )
    bearer = passport.bearer
    issuer = find_issuer(parts.base_url, "" if wish.root else bearer.organization)
    claims = find_language(passport.language).identities(bearer).asked
    return parts.signer.take_pen().sign(_complete(claims, issuer, terms, parts.clock.now()))


def answer_wish(parts: Parts, task: str, wish: TokenWish) -> Minted:
    """What an agent is told that brought the wish of one of its tasks."""
    try:
        return Minted(status=200, text=mint_token(parts, task, wish))
    except ForbiddenError as error:
        return Minted(status=403, text=str(error))
    except NotFoundError as error:
        return Minted(status=404, text=str(error))
    except RefusedError as error:
        return Minted(status=400, text=str(error))


def check_audience(audience: Sequence[str]) -> tuple[str, ...]:
    """The audience, each name once. Raises InvalidError for one that cannot be."""
    names = tuple(dict.fromkeys(audience))
    if not names:
        raise InvalidError("audience: cannot be blank")
    if len(names) > MOST_AUDIENCES:
        raise InvalidError(f"audience: at most {MOST_AUDIENCES} may be named")
    for name in names:
        if not name.strip() or len(name) > MOST_LETTERS or not name.isprintable():
            raise InvalidError(f"audience: a name has 1 to {MOST_LETTERS} printable characters")
    return names


def find_terms(tx: Transaction, organization_id: int, project_id: int, usual: str) -> Terms:
    """What is set for the project, else for its organization, else the usual audience and an hour."""
    terms = Terms(audience=(usual,), ttl=USUAL_LIFE)
    for each in custom_claims.list_claims(tx, organization_id, project_id):
        audience = terms.audience if each.audience is None else each.audience
        terms = Terms(audience=audience, ttl=terms.ttl if each.ttl is None else each.ttl)
    return terms


def _find_passport(tx: Transaction, parts: Parts, task: str) -> Passport:
    place = tasks.place_task(tx, task)
    if place is None:
        raise NotFoundError(f"there is no task {task}")
    facts = parts.memory.facts(tx, place.workflow_id)
    if is_foreign(facts):
        raise ForbiddenError(
            "code of a fork gets no identity token, unless its project passes secrets to forks"
        )
    return _describe(tx, facts, present(jobs.get_job(tx, place.job_id)))


def _describe(tx: Transaction, facts: Facts, job: Job) -> Passport:
    organization, project = facts.organization, facts.project
    is_stranger = facts.pipeline.revision.fork is not None  # who may have the login of somebody here
    user = None if is_stranger else users.user_by_login(tx, facts.started_by)
    bearer = Bearer(
        organization=organization.uuid,
        project=project.uuid,
        user=user.uuid if user is not None and user.disabled_at is None else NOBODY,
        pipeline=facts.pipeline.uuid,
        definition=definition_id(project),
        workflow=facts.workflow_uuid,
        job=job.uuid,
        contexts=_find_contexts(tx, organization.id, facts.graph.plan.jobs[job.key].contexts),
        origin=_find_origin(facts),
        ref=_find_ref(facts.pipeline.revision),
    )
    terms = find_terms(tx, organization.id, project.id, organization.uuid)
    return Passport(language=facts.pipeline.language, bearer=bearer, terms=terms)


def _find_contexts(tx: Transaction, organization_id: int, names: Iterable[str]) -> tuple[str, ...]:
    found = (contexts.find_context(tx, organization_id, name) for name in dict.fromkeys(names))
    return tuple(each.uuid for each in found if each is not None)


def _find_origin(facts: Facts) -> str:
    """The repository that the change is from, which is a fork's own for its pull request."""
    fork = facts.pipeline.revision.fork
    url = facts.project.url
    if fork is not None:
        url = facts.labels.get(URL, "")
        ours = parse_remote(facts.project.url)
        if not url and fork.owner and fork.name and ours.host:
            return f"{ours.host}/{fork.owner}/{fork.name}"
    return name_repository(url)


def _find_ref(revision: Revision) -> str:
    if revision.tag:
        return f"refs/tags/{revision.tag}"
    return f"refs/heads/{revision.branch}" if revision.branch else ""


def _complete(claims: Claims, issuer: str, terms: Terms, now: int) -> Mapping[str, object]:
    """The claims with those that every token has; a single audience is said as a text, as the vendor does."""
    issued = now // 1000
    audience = terms.audience[0] if len(terms.audience) == 1 else list(terms.audience)
    times = {"iat": issued, "exp": issued + terms.ttl // 1000}
    return {"iss": issuer, "aud": audience, **times, **claims}


def _shorten(ttl: int, wanted: str) -> int:
    """The time a job asks for. Raises InvalidError for what is none, or longer than the project's."""
    if not wanted:
        return ttl
    try:
        asked = parse_go_duration(wanted)
    except ValueError as error:
        raise InvalidError(f"ttl: {error}") from error
    if not SHORTEST_LIFE <= asked <= ttl:
        raise InvalidError(f"ttl: a job may ask for 1s to {ttl // 1000}s, which is what its project gives")
    return asked
