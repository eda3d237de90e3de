"""Guessing is slow for one address, for one login, and not for those who know."""

from collections.abc import Callable

import pytest

from penstock.engine.attempts import OF_ADDRESS, OF_LOGIN, OF_PAIR, Attempts
from penstock.model.errors import ThrottledError


def tries_until_refused(spend: Callable[[int], None]) -> int:
    """How many tries were let through before one was not."""
    for count in range(1000):
        try:
            spend(count)
        except ThrottledError:
            return count
    return 1000


def test_an_address_has_few_tries_for_a_login_and_more_for_many() -> None:
    attempts = Attempts()
    assert tries_until_refused(lambda _: attempts.spend("ada", "192.0.2.1", 0)) == OF_PAIR.burst
    more = tries_until_refused(lambda number: attempts.spend(f"u{number}", "192.0.2.1", 0))
    assert more == OF_ADDRESS.burst - OF_PAIR.burst
    attempts.spend("ada", "192.0.2.2", 0)


def test_one_more_is_let_through_when_time_has_passed() -> None:
    attempts = Attempts()
    tries_until_refused(lambda _: attempts.spend("ada", "192.0.2.1", 0))
    with pytest.raises(ThrottledError) as refused:
        attempts.spend("ADA", "192.0.2.1", 1)
    assert refused.value.rest == OF_PAIR.seconds - 1
    attempts.spend("ada", "192.0.2.1", OF_PAIR.seconds)
    with pytest.raises(ThrottledError):
        attempts.spend("ada", "192.0.2.1", OF_PAIR.seconds)


def test_many_addresses_cannot_lock_out_the_one_that_knew_the_password_before() -> None:
    attempts = Attempts()
    attempts.spend("ada", "192.0.2.1", 0)
    attempts.forgive("ada", "192.0.2.1", 0)
    made = tries_until_refused(lambda number: attempts.spend("ada", f"198.51.100.{number}", 0))
    assert made == OF_LOGIN.burst
    attempts.spend("ada", "192.0.2.1", 0)


def test_a_right_try_costs_nothing() -> None:
    attempts = Attempts()
    for _ in range(10 * OF_LOGIN.burst):
        attempts.spend("ada", "192.0.2.1", 0)
        attempts.forgive("ada", "192.0.2.1", 0)


def test_whoever_has_a_network_of_ipv6_is_one_address() -> None:
    attempts = Attempts()
    made = tries_until_refused(lambda number: attempts.spend("ada", f"2001:db8::{number:x}", 0))
    assert made == OF_PAIR.burst
