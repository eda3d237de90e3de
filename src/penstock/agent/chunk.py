"""A step's output as it leaves: masked, cut into frames, compressed, counted."""

import zstandard

from penstock.agent.mask import Mask, Secrets
from penstock.agent.report import Reporter
from penstock.kit.clock import Clock

FRAME = 4 << 20  # bytes from which a frame is sent without waiting
FLUSH = 0.1  # seconds output may wait for more


class StepLog:
    """The log of one step. Only the thread of the task writes."""

    def __init__(self, step: int, reporter: Reporter, secrets: Secrets, clock: Clock) -> None:
        self._step = step
        self._reporter = reporter
        self._secrets = secrets
        self._known = secrets.values
        self._mask = Mask(self._known)
        self._clock = clock
        self._compressor = zstandard.ZstdCompressor(level=1)
        self._pieces: list[bytes] = []
        self._size = 0
        self._offset = 0
        self._line = 0
        self._due: float | None = None

    @property
    def has_room(self) -> bool:
        """False while the server is behind: do not read more output now."""
        return self._reporter.has_room

    @property
    def due(self) -> float | None:
        """The monotonic time at which waiting output must leave; None when none waits."""
        return self._due

    def write(self, data: bytes) -> None:
        """Add raw output."""
        if self._secrets.values is not self._known:
            self._known = self._secrets.values
            self._mask.learn(self._known)
        masked = self._mask.feed(data)
        if not masked:
            return
        self._pieces.append(masked)
        self._size += len(masked)
        if self._size >= FRAME:
            self.flush()
        elif self._due is None:
            self._due = self._clock.monotonic() + FLUSH

    def say(self, text: str) -> None:
        """Add a line of the agent's own."""
        self.write(text.encode(errors="replace") + b"\n")

    def flush(self) -> None:
        """Send what waits, except what may be the beginning of a secret."""
        self._due = None
        if not self._size:
            return
        data = b"".join(self._pieces) if len(self._pieces) > 1 else self._pieces[0]
        lines = data.count(b"\n")
        self._reporter.log(
            self._step,
            offset=self._offset,
            size=self._size,
            first_line=self._line,
            lines=lines,
            data=self._compressor.compress(data),
        )
        self._offset += self._size
        self._line += lines
        self._pieces, self._size = [], 0

    def finish(self) -> None:
        """Send everything: the output has ended or pauses at a step's end."""
        rest = self._mask.flush()
        if rest:
            self._pieces.append(rest)
            self._size += len(rest)
        self.flush()
