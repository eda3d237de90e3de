"""Waits for the engine's word without holding a thread, for answers that are held back."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import msgspec

from penstock.engine.feed import Change, Feed
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


class Topic(msgspec.Struct, frozen=True):
    """What somebody waits for news of: changes of a pipeline (UUID) for which `concerns` says so."""

    pipeline: str
    concerns: Callable[[Change], bool]


class Patience(msgspec.Struct, frozen=True):
    """How long to wait for news: `seconds` altogether.

    Changes that other servers make are not heard of. For them it is asked anew after `pause` seconds, then
    after twice as many, and so on up to `longest`.
    """

    seconds: float
    pause: float
    longest: float


async def await_news(
    feed: Feed, topic: Topic, ask: Callable[[], Awaitable[T | None]], patience: Patience
) -> T | None:
    """What `ask` finds, asked at once and after each change; None when there is no more time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience.seconds
    changed = asyncio.Event()
    pause = patience.pause

    def tell(changes: Sequence[Change]) -> None:
        if any(map(topic.concerns, changes)) or not changes:
            with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                loop.call_soon_threadsafe(changed.set)

    unwatch = feed.watch(topic.pipeline, tell)
    try:
        while (found := await ask()) is None and not feed.closed and (left := deadline - loop.time()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, pause)):
                    await changed.wait()
            changed.clear()
            pause = min(pause * 2, patience.longest)
    finally:
        unwatch()
    return found
