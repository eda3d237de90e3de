import threading
import time

from penstock.engine.signal import Signal


def test_a_change_that_came_before_the_wait_is_not_missed() -> None:
    signal = Signal()
    seen = signal.count
    signal.notify()
    assert signal.wait(seen, timeout=60)


def test_all_who_wait_are_woken() -> None:
    signal = Signal()
    woken: list[bool] = []
    ready = threading.Barrier(4)

    def work() -> None:
        seen = signal.count
        ready.wait()
        woken.append(signal.wait(seen, timeout=60))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    ready.wait()
    signal.notify()
    for thread in threads:
        thread.join()
    assert woken == [True] * 3


def test_a_wait_without_a_change_ends_in_time() -> None:
    signal = Signal()
    begun = time.monotonic()
    assert not signal.wait(signal.count, timeout=0.01)
    assert time.monotonic() - begun < 10
