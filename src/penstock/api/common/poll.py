"""Waits for the engine's signal without holding a thread, for answers that are held back."""

import asyncio
from contextlib import suppress

from penstock.engine.signal import Signal


async def await_signal(signal: Signal, seen: int, seconds: float) -> bool:
    """Return when the signal's count is no longer `seen`; False when it still is after that time."""
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()

    def tell() -> None:
        with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
            loop.call_soon_threadsafe(changed.set)

    unwatch = signal.watch(tell)
    try:
        if signal.count == seen:
            async with asyncio.timeout(seconds):
                await changed.wait()
    except TimeoutError:
        return False
    finally:
        unwatch()
    return True
