"""A coroutine that waits for work is woken from any thread, and never misses a change."""

import asyncio
import threading

from penstock.api.common.poll import await_signal
from penstock.engine.signal import Signal


def test_a_change_from_another_thread_wakes() -> None:
    signal = Signal()

    async def wait() -> bool:
        waiting = asyncio.ensure_future(await_signal(signal, 0, 20))
        await asyncio.sleep(0)  # it watches now
        threading.Thread(target=signal.notify).start()
        return await waiting

    assert asyncio.run(wait())


def test_a_change_that_came_before_is_not_waited_for() -> None:
    signal = Signal()
    signal.notify()
    assert asyncio.run(await_signal(signal, 0, 20))


def test_without_a_change_the_time_runs_out_and_nobody_is_left_watching() -> None:
    signal = Signal()
    assert not asyncio.run(await_signal(signal, 0, 0.01))
    assert signal._watchers == ()
    signal.notify()
