"""Letters of the outbox: each reaches who knows its kind, again after failures, and never two at a time."""

import pytest

from penstock.engine.deliver import LEASE, MOST_ATTEMPTS, LaterError, deliver_letters
from penstock.engine.transact import transact
from penstock.engine.unit import Parts
from penstock.model.errors import UnavailableError
from penstock.store import outbox
from penstock.store.outbox import Letter
from tests.support.lab import Lab


class Receiver:
    """Takes letters in, and fails as often as it is told to."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.got: list[str] = []

    def __call__(self, _parts: Parts, letter: Letter) -> None:
        self.got.append(letter.subject)
        if self.errors:
            raise self.errors.pop(0)


def post(lab: Lab, subject: str, kind: str = "word") -> None:
    with lab.parts.db.write() as tx:
        outbox.append_letter(tx, kind, subject, {}, now=lab.clock.now())


def test_a_letter_is_delivered_once(lab: Lab) -> None:
    receiver = Receiver()
    post(lab, "one")
    post(lab, "two")
    assert deliver_letters(lab.parts, {"word": receiver}) is None
    assert deliver_letters(lab.parts, {"word": receiver}) is None
    assert receiver.got == ["one", "two"]


@pytest.mark.parametrize("error", [UnavailableError("away"), KeyError("ours")])
def test_a_letter_that_cannot_be_delivered_comes_again_later(lab: Lab, error: Exception) -> None:
    receiver = Receiver(error, error)
    post(lab, "one")
    due = deliver_letters(lab.parts, {"word": receiver})
    assert due == lab.clock.now() + 2_000
    assert deliver_letters(lab.parts, {"word": receiver}) == due
    lab.clock.advance(2)
    assert deliver_letters(lab.parts, {"word": receiver}) == lab.clock.now() + 4_000
    lab.clock.advance(4)
    assert deliver_letters(lab.parts, {"word": receiver}) is None
    assert len(receiver.got) == 3


def test_a_letter_this_server_does_not_know_is_left_to_another(lab: Lab) -> None:
    receiver = Receiver()
    post(lab, "strange", kind="unknown")
    post(lab, "one")
    assert deliver_letters(lab.parts, {"word": receiver}) is None
    assert receiver.got == ["one"]
    assert deliver_letters(lab.parts, {"unknown": receiver}) is None
    assert receiver.got == ["one", "strange"]


def test_a_letter_is_given_up_after_many_tries_and_lets_the_next_one_go(lab: Lab) -> None:
    receiver = Receiver(*(UnavailableError("away") for _ in range(MOST_ATTEMPTS)))
    post(lab, "same")
    post(lab, "same")
    for _ in range(MOST_ATTEMPTS):
        deliver_letters(lab.parts, {"word": receiver})
        lab.clock.advance(3_600)
    assert len(receiver.got) == MOST_ATTEMPTS
    assert deliver_letters(lab.parts, {"word": receiver}) is None
    assert len(receiver.got) == MOST_ATTEMPTS + 1


def test_letters_of_one_subject_wait_for_each_other_and_for_nobody_else(lab: Lab) -> None:
    receiver = Receiver(UnavailableError("away"))
    for subject in ("one", "one", "two"):
        post(lab, subject)
    assert deliver_letters(lab.parts, {"word": receiver}) == lab.clock.now() + 2_000
    assert receiver.got == ["one", "two"]
    lab.clock.advance(2)
    deliver_letters(lab.parts, {"word": receiver})
    assert receiver.got == ["one", "two", "one"]
    deliver_letters(lab.parts, {"word": receiver})
    assert receiver.got == ["one", "two", "one", "one"]


def test_whoever_asks_for_a_longer_rest_gets_it(lab: Lab) -> None:
    receiver = Receiver(LaterError("too many requests", 90))
    post(lab, "one")
    assert deliver_letters(lab.parts, {"word": receiver}) == lab.clock.now() + 90_000


def test_a_posted_letter_wakes_those_who_deliver(lab: Lab) -> None:
    called: list[str] = []
    for kind in ("word", "other"):
        lab.parts.post.watch(kind, lambda kind=kind: called.append(kind))  # type: ignore[misc]  # its own kind
    transact(lab.parts, lambda unit: unit.promise("word", "one", {}))
    assert called == ["word"]


def test_a_letter_whose_server_died_comes_to_another(lab: Lab) -> None:
    post(lab, "one")
    now = lab.clock.now()
    with lab.parts.db.write() as tx:
        [taken] = outbox.take_due(tx, ["word"], now, lease_until=now + LEASE)
    receiver = Receiver()
    assert deliver_letters(lab.parts, {"word": receiver}) == now + LEASE
    lab.clock.advance(LEASE / 1000)
    deliver_letters(lab.parts, {"word": receiver})
    assert receiver.got == [taken.subject]
