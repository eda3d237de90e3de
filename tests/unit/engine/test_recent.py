"""What is trusted for a moment is forgotten after it, or when told to."""

from penstock.engine.recent import Trusted


def test_a_value_holds_until_its_instant() -> None:
    known: Trusted[str] = Trusted(2)
    known.put("a", "one", until=5.0, seen=known.round)
    assert known.get("a", 4.9) == "one"
    assert known.get("a", 5.0) is None
    assert known.get("b", 0.0) is None


def test_what_was_read_before_all_was_forgotten_is_not_kept() -> None:
    known: Trusted[str] = Trusted(2)
    seen = known.round
    known.put("a", "one", until=5.0, seen=seen)
    known.forget()
    assert known.get("a", 0.0) is None
    known.put("a", "stale", until=5.0, seen=seen)
    assert known.get("a", 0.0) is None


def test_the_number_of_values_is_bounded() -> None:
    known: Trusted[int] = Trusted(2)
    for name in "abc":
        known.put(name, ord(name), until=5.0, seen=known.round)
    assert [known.get(name, 0.0) for name in "abc"] == [None, 98, 99]
