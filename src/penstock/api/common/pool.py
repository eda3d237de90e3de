"""The threads that do the synchronous work of requests; how many may wait for one is bounded."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from penstock.api.common.faults import BusyError


class Pool:
    """Threads for work of requests. To be used from one loop."""

    def __init__(self, threads: int, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="penstock-request")
        self._most = threads + waiting
        self._open = 0

    async def run(self, work: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - what the work returns
        """What the work returned. Raises BusyError when too much waits already."""
        if self._open >= self._most:
            raise BusyError("the server has too much to do at present")
        self._open += 1
        try:
            seen = copy_context()  # the thread knows which request it works for
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, seen.run, work, *arguments)
        finally:
            self._open -= 1

    def close(self) -> None:
        """Wait for the work that runs; what waits is not begun."""
        self._executor.shutdown(wait=True, cancel_futures=True)
