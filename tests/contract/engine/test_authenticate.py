"""Tokens open what they were made for, until they do not, on every server."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from penstock.engine.accounts import (
    FIRST_LOGIN,
    change_password,
    create_user,
    disable_user,
    list_users,
    make_admin,
    open_user,
    promote_user,
)
from penstock.engine.api_tokens import Wish, issue_token, list_tokens, revoke_token
from penstock.engine.attempts import OF_PAIR
from penstock.engine.authenticate import TRUST, authenticate
from penstock.engine.login import let_in, log_in
from penstock.engine.principal import SERVER
from penstock.model.access import Role, Scope
from penstock.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    ThrottledError,
    UnavailableError,
)
from penstock.store import projects, tokens, users
from penstock.store.sealing import hash_token
from penstock.store.users import Profile, UserChange
from tests.support.lab import Lab
from tests.support.people import add_member, add_person, give_token, sign_in
from tests.support.records import add_organization, add_project
from tests.support.statements import recorded


@pytest.fixture
def pair(url: str, tmp_path: Path) -> Iterator[tuple[Lab, Lab]]:
    """Two servers on one database, with one clock."""
    first = Lab(url, tmp_path)
    second = Lab(url, tmp_path, clock=first.clock)
    yield first, second
    first.close()
    second.close()


def test_a_token_speaks_for_its_account_and_roles(lab: Lab) -> None:
    ada = add_person(lab.parts, "ada")
    with lab.parts.db.write() as tx:
        acme = add_organization(tx)
    add_member(lab.parts, ada, acme, Role.MEMBER)
    principal = authenticate(lab.parts, give_token(lab.parts, ada, Scope.RUN))
    assert principal is not None
    assert principal.user == ada
    assert principal.roles == {acme.id: Role.MEMBER}
    assert principal.scopes == {Scope.READ, Scope.RUN}
    assert not principal.is_limited


@pytest.mark.parametrize("secret", ["", "pst_" + "x" * 40, "x" * 5000, "é\udcff\x00", "' OR 1=1 --"])
def test_a_token_nobody_made_opens_nothing(lab: Lab, secret: str) -> None:
    add_person(lab.parts, "ada")
    assert authenticate(lab.parts, secret) is None


def test_a_token_that_is_revoked_stops_here_at_once_and_elsewhere_within_two_seconds(
    pair: tuple[Lab, Lab],
) -> None:
    here, there = pair
    ada = add_person(here.parts, "ada")
    secret = give_token(here.parts, ada)
    principal = authenticate(here.parts, secret)
    assert principal is not None
    assert authenticate(there.parts, secret) == principal
    revoke_token(here.parts, sign_in(here.parts, ada), principal.token)
    assert authenticate(here.parts, secret) is None
    here.clock.advance(TRUST)
    assert authenticate(there.parts, secret) is None
    assert TRUST < 2


def test_changes_of_an_account_are_seen_within_two_seconds(pair: tuple[Lab, Lab]) -> None:
    here, there = pair
    ada = add_person(here.parts, "ada")
    secret = give_token(here.parts, ada)
    assert authenticate(there.parts, secret) is not None
    disable_user(here.parts, SERVER, ada.uuid)
    assert authenticate(here.parts, secret) is None
    here.clock.advance(TRUST)
    assert authenticate(there.parts, secret) is None
    disable_user(here.parts, SERVER, ada.uuid, disabled=False)
    promote_user(here.parts, SERVER, ada.uuid, admin=True)
    principal = authenticate(there.parts, secret)
    assert principal is not None
    assert principal.user.admin


def test_a_token_stops_at_the_instant_it_expires(lab: Lab) -> None:
    ada = add_person(lab.parts, "ada")
    secret = give_token(lab.parts, ada, expires_at=lab.clock.now() + 1000)
    assert authenticate(lab.parts, secret) is not None
    lab.clock.advance(0.999)
    assert authenticate(lab.parts, secret) is not None
    lab.clock.advance(0.001)
    assert authenticate(lab.parts, secret) is None


def test_the_last_use_is_written_once_a_minute(lab: Lab) -> None:
    secret = give_token(lab.parts, add_person(lab.parts, "ada"))

    def used() -> int | None:
        assert authenticate(lab.parts, secret) is not None
        with lab.parts.db.read() as tx:
            bearer = tokens.find_bearer(tx, hash_token(secret))
        assert bearer is not None
        return bearer.token.used_at

    first = used()
    assert first == lab.clock.now()
    lab.clock.advance(59)
    assert used() == first
    lab.clock.advance(TRUST)
    assert used() == first + 60_500


def test_a_token_that_was_seen_just_now_asks_nothing_of_the_database(lab: Lab) -> None:
    ada = add_person(lab.parts, "ada")
    secret = give_token(lab.parts, ada)
    principal = authenticate(lab.parts, secret)
    with lab.parts.db.write() as tx:
        users.update_user(tx, UserChange(id=ada.id, disabled_at=1))
    assert authenticate(lab.parts, secret) == principal
    lab.clock.advance(TRUST)
    assert authenticate(lab.parts, secret) is None


def test_a_token_that_was_seen_costs_less_than_fifty_microseconds(lab: Lab) -> None:
    secret = give_token(lab.parts, add_person(lab.parts, "ada"))
    assert authenticate(lab.parts, secret) is not None
    spent = []
    for _ in range(5):
        begun = time.thread_time()
        for _ in range(500):
            authenticate(lab.parts, secret)
        spent.append((time.thread_time() - begun) / 500)
    assert min(spent) < 50e-6


def test_a_token_is_found_by_one_read(lab: Lab) -> None:
    secret = give_token(lab.parts, add_person(lab.parts, "ada"))
    with lab.parts.db.read() as tx, recorded(tx) as seen:
        assert tokens.find_bearer(tx, hash_token(secret)) is not None
    assert len(seen) == 1


def test_a_token_reaches_no_further_than_the_one_it_was_made_with(lab: Lab) -> None:
    parts, ada = lab.parts, add_person(lab.parts, "ada")
    with parts.db.write() as tx:
        project = add_project(tx)
        acme = projects.get_organization(tx, project.organization_id)
        assert acme is not None
        hidden = add_project(tx, "gh/other/app")
    add_member(parts, ada, acme, Role.OWNER)
    by = sign_in(parts, ada)
    with pytest.raises(ForbiddenError):
        issue_token(parts, sign_in(parts, ada, Scope.WRITE), Wish(label="x", scopes=(Scope.READ,)))
    with pytest.raises(NotFoundError):
        issue_token(parts, by, Wish(label="x", scopes=(Scope.READ,), limit=hidden))
    limited = issue_token(parts, by, Wish(label="x", scopes=(Scope.ADMIN,), limit=acme))
    assert limited.token.organization_id == acme.id
    within = authenticate(parts, limited.secret)
    assert within is not None
    for wish in (Wish(label="y", scopes=(Scope.READ,)), Wish(label="y", scopes=(Scope.READ,), user=ada.uuid)):
        with pytest.raises(ForbiddenError):
            issue_token(parts, within, wish)
    narrow = issue_token(parts, within, Wish(label="y", scopes=(Scope.ADMIN,), limit=project))
    assert (narrow.token.organization_id, narrow.token.project_id) == (acme.id, project.id)
    inmost = authenticate(parts, narrow.secret)
    assert inmost is not None
    with pytest.raises(ForbiddenError):
        issue_token(parts, inmost, Wish(label="z", scopes=(Scope.READ,), limit=acme))
    with pytest.raises(NotFoundError):
        revoke_token(parts, inmost, limited.token.uuid)
    with parts.db.read() as tx:
        seen = [[token.uuid for token in list_tokens(tx, each)] for each in (within, inmost)]
    assert seen == [[limited.token.uuid, narrow.token.uuid], [narrow.token.uuid]]


@pytest.mark.parametrize(
    "wish",
    [
        Wish(label="", scopes=(Scope.READ,)),
        Wish(label="x" * 201, scopes=(Scope.READ,)),
        Wish(label="x", scopes=()),
        Wish(label="x", scopes=(Scope.READ,), expires_at=1),
    ],
)
def test_a_token_that_makes_no_sense_is_refused(lab: Lab, wish: Wish) -> None:
    with pytest.raises(InvalidError):
        issue_token(lab.parts, sign_in(lab.parts, add_person(lab.parts, "ada")), wish)


def test_tokens_of_others_are_none_of_ones_business_unless_one_administers_the_server(lab: Lab) -> None:
    parts = lab.parts
    ada, grace = add_person(parts, "ada"), add_person(parts, "grace", admin=True)
    mine, root = sign_in(parts, ada), sign_in(parts, grace)
    theirs = issue_token(parts, root, Wish(label="x", scopes=(Scope.READ,)))
    for_ada = issue_token(parts, root, Wish(label="bot", scopes=(Scope.READ,), user=ada.uuid))
    assert theirs.secret not in repr(theirs)
    with pytest.raises(NotFoundError):
        revoke_token(parts, mine, theirs.token.uuid)
    with pytest.raises(ForbiddenError):
        issue_token(parts, mine, Wish(label="x", scopes=(Scope.READ,), user=grace.uuid))
    with parts.db.read() as tx:
        assert for_ada.token in list_tokens(tx, mine)
        assert for_ada.token in list_tokens(tx, root, user=ada.uuid)
        with pytest.raises(ForbiddenError):
            list_tokens(tx, mine, user=grace.uuid)
    revoke_token(parts, root, for_ada.token.uuid)
    assert authenticate(parts, for_ada.secret) is None


def test_every_token_may_end_itself(lab: Lab) -> None:
    secret = give_token(lab.parts, add_person(lab.parts, "ada"), Scope.READ)
    principal = authenticate(lab.parts, secret)
    assert principal is not None
    revoke_token(lab.parts, principal, principal.token)
    assert authenticate(lab.parts, secret) is None


def test_the_first_administrator_is_made_once(lab: Lab) -> None:
    first = make_admin(lab.parts)
    assert first.user is not None
    assert first.user.admin
    assert first.token not in repr(first)
    principal = authenticate(lab.parts, first.token)
    assert principal is not None
    assert principal.user == first.user
    again = make_admin(lab.parts)
    assert (again.user, again.token) == (first.user, "")


def test_servers_that_start_at_once_make_one_administrator(pair: tuple[Lab, Lab]) -> None:
    start = threading.Barrier(6)

    def begin(number: int) -> str:
        start.wait(10)
        return make_admin(pair[number % 2].parts).token

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(begin, range(6)))
    [token] = [each for each in made if each]
    assert authenticate(pair[0].parts, token) is not None
    with pair[0].parts.db.read() as tx:
        [admin] = users.list_users(tx)
        assert len(tokens.tokens_of(tx, admin.id)) == 1


def test_the_operators_token_and_password_open_the_first_account(lab: Lab) -> None:
    token, later = "operator-chosen-1", "operator-chosen-2"
    for _ in range(2):
        made = make_admin(lab.parts, token=token, password="long enough")
        assert made.token == ""
    assert authenticate(lab.parts, token) is not None
    assert log_in(lab.parts, "ADMIN", "long enough") is not None
    make_admin(lab.parts, token=later, password="another one")
    lab.clock.advance(TRUST)
    assert authenticate(lab.parts, token) is None
    principal = authenticate(lab.parts, later)
    assert principal is not None
    assert log_in(lab.parts, FIRST_LOGIN, "long enough") is None
    assert log_in(lab.parts, FIRST_LOGIN, "another one") is not None
    revoke_token(lab.parts, principal, principal.token)
    make_admin(lab.parts, token=later)
    assert authenticate(lab.parts, later) is None


def test_other_accounts_are_enough_unless_the_operator_asks_for_the_first(lab: Lab) -> None:
    add_person(lab.parts, "ada")
    assert make_admin(lab.parts).user is None
    assert make_admin(lab.parts, token="operator-chosen-1").user is not None


@pytest.mark.parametrize(("token", "password"), [("short", ""), ("with a blank in it", ""), ("", "short")])
def test_weak_words_of_the_operator_are_refused(lab: Lab, token: str, password: str) -> None:
    with pytest.raises(InvalidError):
        make_admin(lab.parts, token=token, password=password)


def test_a_password_opens_only_its_own_account(lab: Lab) -> None:
    parts = lab.parts
    ada = create_user(parts, SERVER, Profile(login="ada"), password="correct horse")
    assert log_in(parts, "Ada", "correct horse") == ada
    assert log_in(parts, "ada", "battery staple") is None
    assert log_in(parts, "nobody", "correct horse") is None
    change_password(parts, sign_in(parts, ada), ada.uuid, "battery staple")
    assert log_in(parts, "ada", "battery staple") == ada
    disable_user(parts, SERVER, ada.uuid)
    assert log_in(parts, "ada", "battery staple") is None


def test_accounts_are_a_matter_of_administrators(lab: Lab) -> None:
    parts, ada = lab.parts, add_person(lab.parts, "ada")
    by = sign_in(parts, ada)
    for forbidden in (
        lambda: create_user(parts, by, Profile(login="eve", admin=True)),
        lambda: promote_user(parts, by, ada.uuid, admin=True),
        lambda: disable_user(parts, by, ada.uuid),
        lambda: change_password(parts, sign_in(parts, ada, Scope.WRITE), ada.uuid, "long enough"),
    ):
        with pytest.raises(ForbiddenError):
            forbidden()
    with parts.db.read() as tx:
        assert open_user(tx, by, ada.uuid) == ada
        assert list_users(tx, SERVER) == [ada]
        with pytest.raises(ForbiddenError):
            list_users(tx, by)
    with pytest.raises(ConflictError):
        create_user(parts, SERVER, Profile(login="ADA"))
    for login in ("", "a b", "-x", "a" * 101, "é"):
        with pytest.raises(InvalidError):
            create_user(parts, SERVER, Profile(login=login))
    with pytest.raises(NotFoundError):
        disable_user(parts, SERVER, "nobody")


def test_who_guesses_passwords_is_slowed_down_and_others_are_not(lab: Lab) -> None:
    create_user(lab.parts, SERVER, Profile(login="ada"), password="correct horse")
    for _ in range(OF_PAIR.burst):
        assert let_in(lab.parts, "ada", "wrong", "192.0.2.1") is None
    with pytest.raises(ThrottledError) as refused:
        let_in(lab.parts, "Ada", "correct horse", "192.0.2.1")
    assert 0 < refused.value.rest <= OF_PAIR.seconds
    principal = let_in(lab.parts, "ada", "correct horse", "192.0.2.2")
    assert principal is not None
    assert (principal.user.login, principal.scopes) == ("ada", frozenset(Scope))
    lab.clock.advance(OF_PAIR.seconds)
    assert let_in(lab.parts, "ada", "correct horse", "192.0.2.1") is not None


def test_a_changed_password_and_a_disabled_account_are_seen_at_once(lab: Lab) -> None:
    ada = create_user(lab.parts, SERVER, Profile(login="ada"), password="correct horse")
    principal = let_in(lab.parts, "ada", "correct horse", "::1")
    assert principal is not None
    change_password(lab.parts, principal, ada.uuid, "battery staple")
    assert let_in(lab.parts, "ada", "correct horse", "::1") is None
    assert let_in(lab.parts, "ada", "battery staple", "::1") is not None
    disable_user(lab.parts, SERVER, ada.uuid)
    assert let_in(lab.parts, "ada", "battery staple", "::1") is None


def test_a_crowd_that_guesses_leaves_threads_for_others(lab: Lab) -> None:
    with ThreadPoolExecutor(12) as pool:
        guesses = [pool.submit(let_in, lab.parts, f"u{n}", "wrong", f"192.0.2.{n}") for n in range(12)]
        errors = [guess.exception() for guess in guesses]
    assert {type(error) for error in errors} == {type(None), UnavailableError}
    create_user(lab.parts, SERVER, Profile(login="ada"), password="correct horse")
    assert let_in(lab.parts, "ada", "correct horse", "192.0.2.1") is not None
