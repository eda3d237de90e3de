"""Texts and plans are kept as zstd frames; what comes out is bounded by what went in."""

import threading

import zstandard

from penstock.model.errors import LimitExceededError

LEVEL = 3
MOST_BYTES = 256 << 20
"""Nothing the store packs is larger."""


class _Codecs(threading.local):
    """A compressor and a decompressor of the thread's own: neither may be shared."""

    def __init__(self) -> None:
        self.pack = zstandard.ZstdCompressor(level=LEVEL).compress
        self.unpack = zstandard.ZstdDecompressor().decompress


_codecs = _Codecs()


def pack(data: bytes) -> bytes:
    """The bytes as one zstd frame that names its size."""
    return _codecs.pack(data)


def unpack(frame: bytes) -> bytes:
    """The bytes that `pack` was given."""
    return _codecs.unpack(frame)


def unpack_exactly(frame: bytes, size: int) -> bytes:
    """The plain bytes of a frame that somebody else made and says to hold `size` bytes.

    Raises LimitExceededError when it holds another number, before memory for more is taken.
    """
    try:
        named = zstandard.get_frame_parameters(frame).content_size
        if named in {size, zstandard.CONTENTSIZE_UNKNOWN}:
            plain = _codecs.unpack(frame, max_output_size=size) if size else b""
            if len(plain) == size:
                return plain
    except zstandard.ZstdError as error:
        raise LimitExceededError(f"a frame that should hold {size} bytes cannot be read: {error}") from error
    raise LimitExceededError(f"a frame does not hold the {size} bytes it should")
