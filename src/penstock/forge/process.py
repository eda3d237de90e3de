"""Runs one program to its end, bounded in time and in what it may print."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from penstock.forge.halt import PAUSE, check_halt
from penstock.kit import children
from penstock.model.errors import LimitExceededError, UnavailableError

_CHUNK = 64 << 10
_KEPT = 64 << 10
"""Bytes of the error output's end that are kept."""


class OverdueError(UnavailableError):
    """The program did not end in time and was killed, with all it had started."""


class Done(msgspec.Struct, frozen=True):
    """How a program ended; `err` is the end of what it said."""

    status: int
    out: bytes
    err: bytes


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What a program may take: seconds, bytes of output, and bytes of each file it writes (0: any)."""

    seconds: float = 300.0
    largest: int = 256 << 20
    largest_file: int = 0


def run_process(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    stdin: bytes = b"",
    bounds: Bounds,
    inherit: Sequence[int] = (),
) -> Done:
    """Run the command in a session of its own; no process of it is left when this returns or raises.

    `inherit` are descriptors it keeps. Raises OverdueError, LimitExceededError when it prints too much,
    UnavailableError when this process is to end, and OSError when it cannot be started.
    """
    check_halt()
    with children.LOCK:
        process = subprocess.Popen(
            _limit_files(command, bounds.largest_file),
            cwd=cwd,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us to answer, and what it starts can be killed with it
            pass_fds=tuple(inherit),
        )
        children.KNOWN.add(process.pid)
    deadline = time.monotonic() + bounds.seconds
    try:
        out, err = _converse(process, stdin, deadline, bounds.largest)
        return Done(process.wait(_remaining(deadline)), bytes(out), bytes(err))
    except subprocess.TimeoutExpired:
        raise OverdueError("the program closed its output and did not end") from None
    finally:
        _end(process)


def _limit_files(command: Sequence[str], largest: int) -> Sequence[str]:
    """The command with a limit the kernel keeps, for all it starts as well."""
    if not largest:
        return command
    blocks = max(1, largest // 512)  # POSIX: ulimit
    return ["/bin/sh", "-c", 'ulimit -f "$1" && shift && exec "$@"', "sh", str(blocks), *command]


def _converse(
    process: "subprocess.Popen[bytes]", stdin: bytes, deadline: float, largest: int
) -> tuple[bytearray, bytearray]:
    """Write the input and read both outputs to their ends."""
    to, out_pipe, err_pipe = _pipes(process)
    out, err = bytearray(), bytearray()
    rest = memoryview(stdin)
    with selectors.DefaultSelector() as selector:
        selector.register(out_pipe, selectors.EVENT_READ, out)
        selector.register(err_pipe, selectors.EVENT_READ, err)
        if rest:
            os.set_blocking(to.fileno(), False)
            selector.register(to, selectors.EVENT_WRITE)
        else:
            to.close()
        while selector.get_map():
            check_halt()
            for key, _ in selector.select(min(_remaining(deadline), PAUSE)):
                if key.fileobj is to:
                    rest = _feed(to, rest)
                    if not rest:
                        selector.unregister(to)
                        to.close()
                elif not _take(key.fd, key.data):
                    selector.unregister(key.fileobj)
            if len(out) > largest:
                raise LimitExceededError(f"the output is larger than {largest >> 10} KiB")
            del err[: max(0, len(err) - _KEPT)]
    return out, err


def _pipes(process: "subprocess.Popen[bytes]") -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise AssertionError("the program was started without pipes")
    return process.stdin, process.stdout, process.stderr


def _remaining(deadline: float) -> float:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise OverdueError("the program did not end in time")
    return remaining


def _feed(pipe: IO[bytes], rest: memoryview) -> memoryview:
    """What is left to write; nothing when nobody reads it any more."""
    try:
        return rest[os.write(pipe.fileno(), rest[:_CHUNK]) :]
    except BlockingIOError:
        return rest
    except BrokenPipeError:
        return rest[:0]


def _take(descriptor: int, into: bytearray) -> bool:
    """Read once; False at the end."""
    data = os.read(descriptor, _CHUNK)
    into += data
    return bool(data)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill what still runs, and close the pipes."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    children.forget_child(process.pid)
    for pipe in _pipes(process):
        with suppress(BrokenPipeError):
            pipe.close()
