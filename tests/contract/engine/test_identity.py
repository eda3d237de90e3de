"""Identity tokens: what they claim, who gets none, and the keys that sign them, on both databases."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import msgspec
import pytest

from penstock.engine.accounts import create_user, disable_user
from penstock.engine.contexts import create_context
from penstock.engine.forks import URL, label_fork
from penstock.engine.identity import NOBODY, answer_wish
from penstock.engine.identity_claims import read_claims, set_claims, unset_claims
from penstock.engine.lookup import find_organization, find_project
from penstock.engine.organizations import create_organization, set_member
from penstock.engine.principal import SERVER
from penstock.engine.signer import Signer
from penstock.engine.signing_keys import DAY, LEAD, SLACK, list_keys, rotate_keys, tend_keys
from penstock.engine.unit import Parts
from penstock.model.access import Role
from penstock.model.errors import ConflictError, InvalidError
from penstock.model.identity import LONGEST_LIFE, KeyState
from penstock.model.project import Organization, Project
from penstock.model.run import Fork
from penstock.store.sealing import Sealer
from penstock.store.users import Profile
from penstock.wire.messages import Assignment, TokenWish
from tests.support.invariants import check_all
from tests.support.lab import HandAgent, Lab

BASE = "https://ci.example.com"
FIRST, SECOND = "CIRCLE_OIDC_TOKEN", "CIRCLE_OIDC_TOKEN_V2"
PREFIX = "oidc.circleci.com/"


@pytest.fixture
def lab(url: str, tmp_path: Path) -> Iterator[Lab]:
    made = Lab(url, tmp_path, seal=Sealer([b"k" * 32]), base_url=BASE)
    try:
        yield made
        check_all(made.parts, made.changes)
    finally:
        made.close()


def take(lab: Lab, agent: HandAgent | None = None) -> Assignment:
    [assignment] = (agent or lab.agent()).claim()
    return assignment


def read(lab: Lab, token: str, parts: Parts | None = None) -> dict[str, Any]:
    """What the token claims, if it is signed with a published key; times are the test's."""
    signer = (parts or lab.parts).signer
    assert signer is not None
    keys = {key.kid: jwt.PyJWK(dict(key.public)) for key in signer.publish()}
    options: Any = {"verify_exp": False, "verify_iat": False, "verify_aud": False}
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(token, key, algorithms=["RS256"], options=options)
    return claims


def kid_of(assignment: Assignment) -> str:
    return str(jwt.get_unverified_header(assignment.environment[FIRST])["kid"])


def places(lab: Lab) -> tuple[Organization, Project]:
    with lab.parts.db.read() as tx:
        return find_organization(tx, "gh/acme"), find_project(tx, "gh/acme/app")


def rival(lab: Lab, key: bytes = b"k" * 32) -> Parts:
    """The same database as another server sees it."""
    signer = Signer(lab.parts.db, Sealer([key]), lab.clock)
    return msgspec.structs.replace(lab.parts, signer=signer)


def test_a_task_has_tokens_that_say_what_it_is_and_are_masked(lab: Lab) -> None:
    ada = create_user(lab.parts, SERVER, Profile(login="ada"))
    organization = create_organization(lab.parts, SERVER, host="gh", name="acme")
    set_member(lab.parts, SERVER, organization, ada.uuid, Role.MEMBER)
    deploy, sign, _ = (
        create_context(lab.parts, SERVER, organization, name) for name in ("deploy", "sign", "x")
    )
    pipeline = lab.run({"build": {"contexts": ["sign", "deploy", "sign"]}})
    _, project = places(lab)
    assignment = take(lab)
    first, second = (read(lab, assignment.environment[name]) for name in (FIRST, SECOND))
    subject = f"org/{organization.uuid}/project/{project.uuid}/user/{ada.uuid}"
    assert first["sub"] == subject
    assert second == first | {"sub": f"{subject}/vcs-origin/example.com/app/vcs-ref/refs/heads/main"}
    assert first["iss"] == f"{BASE}/oidc/org/{organization.uuid}"
    assert first[f"{PREFIX}context-ids"] == [sign.uuid, deploy.uuid]
    assert first[f"{PREFIX}pipeline-id"] == pipeline.uuid
    assert (first["iat"], first["exp"]) == (lab.clock.now() // 1000, lab.clock.now() // 1000 + 3600)
    assert {assignment.environment[name] for name in (FIRST, SECOND)} <= set(assignment.secrets)
    assert assignment.vouched


def test_a_disabled_account_is_nobody(lab: Lab) -> None:
    ada = create_user(lab.parts, SERVER, Profile(login="ada"))
    lab.run({"a": {}, "b": {}})
    agent = lab.agent()
    assert read(lab, take(lab, agent).environment[FIRST])["sub"].endswith(f"/user/{ada.uuid}")
    disable_user(lab.parts, SERVER, ada.uuid)
    assert read(lab, take(lab, agent).environment[FIRST])["sub"].endswith(f"/user/{NOBODY}")


def test_a_token_is_made_when_the_task_is_given_not_when_it_is_queued(lab: Lab) -> None:
    lab.run({"build": {}})
    lab.clock.advance(7200)
    assert read(lab, take(lab).environment[FIRST])["iat"] == lab.clock.now() // 1000


def test_code_of_a_fork_gets_none_unless_it_is_trusted(lab: Lab) -> None:
    fork = Fork(number=7, owner="eve", name="app")
    lab.trigger({"workflows": {"main": {"jobs": {"build": {}}}}}, branch="pull/7", fork=fork)
    assignment = take(lab)
    assert not {FIRST, SECOND} & assignment.environment.keys()
    assert not assignment.vouched
    answer = lab.gateway.mint_token(assignment.task, TokenWish(audience=("a",)))
    assert (answer.status, "code of a fork" in answer.text) == (403, True)


def test_the_origin_of_a_trusted_fork_is_the_fork(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = label_fork(trusted=True, url="https://github.com/eve/app.git")
    monkeypatch.setattr("penstock.store.pipelines.load_labels", lambda *_: labels)
    fork = Fork(number=7, owner="eve", name="app")
    create_user(lab.parts, SERVER, Profile(login="ada"))  # the login that the stranger has
    lab.trigger({"workflows": {"main": {"jobs": {"build": {}}}}}, branch="pull/7", fork=fork)
    claims = read(lab, take(lab).environment[SECOND])
    assert labels[URL]
    assert claims[f"{PREFIX}vcs-origin"] == "github.com/eve/app"
    assert f"/user/{NOBODY}/" in claims["sub"]
    assert claims["sub"].endswith("/vcs-origin/github.com/eve/app/vcs-ref/refs/heads/pull/7")


def test_a_project_counts_for_more_than_its_organization(lab: Lab) -> None:
    lab.run({"a": {}, "b": {}, "c": {}})
    organization, project = places(lab)
    set_claims(lab.parts, SERVER, organization, audience=["one", "two", "one"], ttl="30m")
    set_claims(lab.parts, SERVER, project, ttl="10m")
    agent = lab.agent()
    claims = read(lab, take(lab, agent).environment[FIRST])
    assert (claims["aud"], claims["exp"] - claims["iat"]) == (["one", "two"], 600)
    set_claims(lab.parts, SERVER, project, audience=["mine"])
    unset_claims(lab.parts, SERVER, project, ["ttl"])
    assignment = take(lab, agent)
    claims = read(lab, assignment.environment[FIRST])
    assert (claims["aud"], claims["exp"] - claims["iat"]) == ("mine", 1800)
    assert lab.gateway.mint_token(assignment.task, TokenWish(ttl="31m")).status == 400
    short = lab.gateway.mint_token(assignment.task, TokenWish(ttl="90s", root=True))
    claims = read(lab, short.text)
    assert (claims["aud"], claims["exp"] - claims["iat"], claims["iss"]) == ("mine", 90, f"{BASE}/oidc")
    for place in (organization, project):
        unset_claims(lab.parts, SERVER, place, ["audience", "ttl"])
    claims = read(lab, take(lab, agent).environment[FIRST])
    assert (claims["aud"], claims["exp"] - claims["iat"]) == (organization.uuid, 3600)


def test_what_was_unset_tells_when(lab: Lab) -> None:
    lab.run({"a": {}})
    organization, project = places(lab)
    set_claims(lab.parts, SERVER, project, audience=["a"], ttl="1w")
    lab.clock.advance(60)
    unset_claims(lab.parts, SERVER, project, ["audience"])
    with lab.parts.db.read() as tx:
        found, above = (read_claims(tx, SERVER, place) for place in (project, organization))
    assert (found.audience, found.audience_updated_at) == (None, lab.clock.now())
    assert (found.ttl, found.ttl_updated_at) == (7 * DAY, lab.clock.now() - 60_000)
    assert (above.id, above.audience, above.ttl) == (0, None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"audience": []},
        {"audience": ["a", ""]},
        {"audience": ["a\x00"]},
        {"audience": ["\ud800"]},
        {"audience": ["x" * 256]},
        {"audience": [str(number) for number in range(21)]},
        {"ttl": ""},
        {"ttl": "1"},
        {"ttl": "1.5h"},
        {"ttl": "-1h"},
        {"ttl": "0s"},
        {"ttl": "8d"},
        {"ttl": "1h" * 8},
        {"ttl": "9" * 5000 + "s"},
        {"ttl": "٣h"},
    ],
)
def test_what_cannot_be_set_changes_nothing(lab: Lab, wrong: dict[str, Any]) -> None:
    lab.run({"a": {}})
    organization, _ = places(lab)
    set_claims(lab.parts, SERVER, organization, audience=["kept"], ttl="5m")
    with pytest.raises(InvalidError):
        set_claims(lab.parts, SERVER, organization, **({"audience": ["new"], "ttl": "6m"} | wrong))
    with lab.parts.db.read() as tx:
        found = read_claims(tx, SERVER, organization)
    assert (found.audience, found.ttl) == (("kept",), 300_000)


def test_a_task_nobody_knows_and_a_place_without_signer_get_none(lab: Lab) -> None:
    unknown = "01a1fec8-cbfb-7233-8d8e-697f9f43dac6"
    assert lab.gateway.mint_token(unknown, TokenWish()).status == 404
    for parts in (
        msgspec.structs.replace(lab.parts, signer=None),
        msgspec.structs.replace(lab.parts, base_url=""),
    ):
        refused = answer_wish(parts, unknown, TokenWish())
        assert (refused.status, "only a server" in refused.text) == (400, True)


def test_servers_that_begin_together_sign_with_one_key(lab: Lab) -> None:
    servers = [rival(lab).signer for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        tokens = list(pool.map(lambda signer: signer.take_pen().sign({"a": 1}) if signer else "", servers))
    assert len({jwt.get_unverified_header(token)["kid"] for token in tokens}) == 1
    assert len(list_keys(lab.parts, SERVER)) == 1


def test_a_new_key_is_known_before_it_signs_and_an_old_one_after(lab: Lab) -> None:
    lab.run({"a": {}, "b": {}, "c": {}})
    agent = lab.agent()
    old = take(lab, agent)
    [now, soon] = rotate_keys(lab.parts, SERVER)
    assert (now.kid, now.state, soon.state) == (kid_of(old), KeyState.SIGNS, KeyState.FOLLOWS)
    with pytest.raises(ConflictError, match="to follow already"):
        rotate_keys(lab.parts, SERVER)
    assert kid_of(take(lab, agent)) == now.kid
    lab.clock.advance(LEAD / 1000)
    new = take(lab, agent)
    assert kid_of(new) == soon.kid
    for each in (old, new):
        read(lab, each.environment[FIRST])
    tend_keys(lab.parts, 0)
    assert [key.state for key in list_keys(lab.parts, SERVER)] == [KeyState.SIGNED, KeyState.SIGNS]
    lab.clock.advance((LONGEST_LIFE + SLACK) / 1000)
    tend_keys(lab.parts, 0)
    assert [key.kid for key in list_keys(lab.parts, SERVER)] == [soon.kid]


def test_a_key_signs_at_once_when_it_is_to_and_a_stolen_one_is_known_no_more(lab: Lab) -> None:
    lab.run({"a": {}, "b": {}, "c": {}})
    agent = lab.agent()
    old = take(lab, agent)
    [_, soon] = rotate_keys(lab.parts, SERVER)
    lab.clock.advance(60)
    assert rotate_keys(lab.parts, SERVER, at_once=True)[-1].kid == soon.kid
    assert kid_of(take(lab, agent)) == soon.kid
    read(lab, old.environment[FIRST])
    [only] = rotate_keys(lab.parts, SERVER, withdraw=True)
    new = take(lab, agent)
    assert kid_of(new) == only.kid
    read(lab, new.environment[FIRST])
    with pytest.raises(KeyError):
        read(lab, old.environment[FIRST])


def test_a_key_of_age_is_followed_by_one_other_whoever_looks(lab: Lab) -> None:
    lab.run({"a": {}})
    take(lab)
    tend_keys(lab.parts, 90)
    assert len(list_keys(lab.parts, SERVER)) == 1
    lab.clock.advance((90 * DAY - LEAD) / 1000)
    tend_keys(lab.parts, 0)
    assert len(list_keys(lab.parts, SERVER)) == 1
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda parts: tend_keys(parts, 90), [rival(lab) for _ in range(3)]))
    states = [key.state for key in list_keys(lab.parts, SERVER)]
    assert states == [KeyState.SIGNS, KeyState.FOLLOWS]


def test_a_clock_that_jumps_takes_no_key_away_for_long(lab: Lab) -> None:
    signer = lab.parts.signer
    assert signer is not None

    def sign() -> str:
        return str(jwt.get_unverified_header(signer.take_pen().sign({}))["kid"])

    first = sign()
    lab.clock.advance(1000 * DAY / 1000)
    tend_keys(lab.parts, 90)
    lab.clock.advance(-1001 * DAY / 1000)
    assert sign() == first
    tend_keys(lab.parts, 90)
    lab.clock.advance(LEAD / 1000 + DAY / 1000 + 1)
    assert sign() != first
    assert [key.state for key in list_keys(lab.parts, SERVER)] == [KeyState.SIGNED, KeyState.SIGNS]


def test_a_key_that_cannot_be_opened_stops_no_job(lab: Lab) -> None:
    lab.run({"a": {}})
    old = take(lab)
    other = rival(lab, b"n" * 32)
    assert other.signer is not None
    token = other.signer.take_pen().sign({"a": 1})
    assert jwt.get_unverified_header(token)["kid"] != kid_of(old)
    assert read(lab, token) == {"a": 1}
    read(lab, old.environment[FIRST], other)
    assert len(list_keys(lab.parts, SERVER)) == 2
