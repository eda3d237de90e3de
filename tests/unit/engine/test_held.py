"""Names that are held are held by one thread at a time, and are free again however its work ended."""

import threading

import pytest

from penstock.engine.held import Held
from penstock.model.errors import UnavailableError


def test_a_name_is_held_by_one() -> None:
    held = Held()
    with (
        held.hold("a", "somebody is at it"),
        held.hold("b", "somebody is at it"),
        pytest.raises(UnavailableError, match="somebody is at it"),
        held.hold("a", "somebody is at it"),
    ):
        pass
    with pytest.raises(ZeroDivisionError), held.hold("a", "somebody is at it"):
        raise ZeroDivisionError
    with held.hold("a", "somebody is at it"):
        pass


def test_of_many_threads_one_gets_it() -> None:
    held, start, done = Held(), threading.Barrier(8), threading.Event()
    refused: list[str] = []

    def work() -> None:
        start.wait(10)
        try:
            with held.hold("a", "taken"):
                done.wait(10)
        except UnavailableError as error:
            refused.append(str(error))
            if len(refused) == 7:
                done.set()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert refused == ["taken"] * 7
