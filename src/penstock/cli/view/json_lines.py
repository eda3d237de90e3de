"""A run as JSON lines: one object for each change, for programs that watch."""

import threading
from typing import TextIO

import msgspec
import zstandard

from penstock.engine.feed import Change, OutputAdded


class JsonView:
    """Writes each change as an object whose `type` names it; output only with `verbose`, as text."""

    def __init__(self, stream: TextIO, *, verbose: bool = False) -> None:
        self._stream = stream
        self._verbose = verbose
        self._lock = threading.Lock()
        self._encoder = msgspec.json.Encoder()
        self._decompressor = zstandard.ZstdDecompressor()

    def on_change(self, change: Change) -> None:
        """Write the change."""
        with self._lock:
            if not isinstance(change, OutputAdded):
                self.write(change)
            elif self._verbose:
                text = self._decompressor.decompress(change.data).decode(errors="replace")
                plain = {name: getattr(change, name) for name in ("at", "pipeline", "job", "index", "step")}
                self.write({"type": "output", **plain, "text": text})

    def write(self, value: object) -> None:
        """Write any value that is made of plain data or structs."""
        self._stream.write(self._encoder.encode(value).decode() + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing is held back."""
