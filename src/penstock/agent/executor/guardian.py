"""The guardian: a tiny process that outlives the agent by a moment and leaves nothing of its jobs behind."""

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from penstock.agent.executor.processes import Family

_SCRIPT = Path(__file__).with_name("guardian_script.py")


class Guardian:
    """Watches this process. When it ends without `close`, however it ends, its jobs end too.

    The guardian reads a pipe whose other end only this process holds, so the end of the pipe is the end
    of the agent, also after SIGKILL. It is started by the first task.
    """

    def __init__(self, marker: str, family: Family) -> None:
        self._marker = marker
        self._family = family
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def watch(self, folder: Path) -> None:
        """Should the agent die, its marked processes are killed and this folder is removed."""
        self._tell(b"+" + os.fsencode(folder))

    def watch_containers(self, address: str, label: str) -> None:
        """Should the agent die, the containers with this label are removed from the engine."""
        self._tell(b"!" + os.fsencode(f"{address} {label}"))

    def close(self) -> None:
        """The agent ends in good order: the guardian goes too and touches nothing."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            with suppress(OSError):
                process.stdin.write(b".\0")
            process.stdin.close()
            process.wait()
            self._family.forget(process.pid)

    def _tell(self, message: bytes) -> None:
        with self._lock:
            process = self._process or self._start()
            self._process = process
            if process.stdin is not None:
                with suppress(BrokenPipeError):  # somebody killed the guardian: jobs go on without it
                    process.stdin.write(message + b"\0")

    def _start(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", _SCRIPT, self._marker],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            bufsize=0,
        )
        self._family.adopt(process)
        return process
