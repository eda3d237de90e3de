"""Letters of the outbox: each reaches who knows its kind, again after failures, and never two at a time."""

import pytest

from penstock.engine.deliver import LEASE, MOST_ATTEMPTS, deliver_letters
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


def test_a_letter_nobody_knows_does_not_hold_up_others_and_is_given_up(lab: Lab) -> None:
    receiver = Receiver()
    post(lab, "strange", kind="unknown")
    post(lab, "one")
    for _ in range(MOST_ATTEMPTS):
        deliver_letters(lab.parts, {"word": receiver})
        lab.clock.advance(3_600)
    assert receiver.got == ["one"]
    assert deliver_letters(lab.parts, {"word": receiver}) is None


def test_a_letter_whose_server_died_comes_to_another(lab: Lab) -> None:
    post(lab, "one")
    now = lab.clock.now()
    with lab.parts.db.write() as tx:
        [taken] = outbox.take_due(tx, now, lease_until=now + LEASE)
    receiver = Receiver()
    assert deliver_letters(lab.parts, {"word": receiver}) == now + LEASE
    lab.clock.advance(LEASE / 1000)
    deliver_letters(lab.parts, {"word": receiver})
    assert receiver.got == [taken.subject]
