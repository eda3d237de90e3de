"""A process in a place, followed to its end."""

import os
import select
import time

from penstock.agent.executor.base import Running


def finish(running: Running, *, seconds: float = 20) -> tuple[int, bytes]:
    """Exit code and output of a process, which ends by itself."""
    deadline = time.monotonic() + seconds
    output = b""
    while (code := running.poll()) is None or select.select([running.output], [], [], 0)[0]:
        assert time.monotonic() < deadline
        if select.select([running.output], [], [], 0.01)[0]:
            piece = os.read(running.output, 65536)
            output += piece
            if not piece and code is not None:
                break
    os.close(running.output)
    running.close()
    return code, output
