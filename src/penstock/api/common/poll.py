"""Waits for the engine's word without holding a thread, for answers that are held back."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import msgspec

from penstock.engine.feed import Feed
from penstock.engine.signal import Signal

T = TypeVar("T")


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


class Patience(msgspec.Struct, frozen=True):
    """How long to wait for news: `seconds` altogether, asking anew at the latest every `pause` seconds."""

    seconds: float
    pause: float


async def await_news(
    feed: Feed, pipeline: str, ask: Callable[[], Awaitable[T | None]], patience: Patience
) -> T | None:
    """What `ask` finds, asked at once and after each change of the pipeline; None when there is no more time.

    Changes that other servers make are not heard of: for them `ask` is asked every so often.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience.seconds
    changed = asyncio.Event()

    def tell() -> None:
        with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
            loop.call_soon_threadsafe(changed.set)

    unwatch = feed.watch(pipeline, tell)
    try:
        while (found := await ask()) is None and not feed.closed and (left := deadline - loop.time()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, patience.pause)):
                    await changed.wait()
            changed.clear()
    finally:
        unwatch()
    return found
