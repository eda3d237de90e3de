"""What the guardian runs: `python -I -S guardian_script.py MARKER`, told by messages on stdin.

Messages end with a zero byte: `+FOLDER` watch, `.` the agent ends in good order. At the
end of stdin without that, every process whose environment holds MARKER is killed, the watched folders are
removed. It imports next to nothing so that it starts in milliseconds.
"""

import os
import sys
import time

_CALM = 3  # looks without a finding until it is over
_PATIENCE = 10.0


def main() -> None:
    """Listen, then clean up."""
    folders = _listen()
    if folders is not None:
        _kill_marked(os.fsencode(sys.argv[1]))
        for folder in folders:
            _remove(folder)


def _listen() -> "set[bytes] | None":
    """The folders watched when the agent died; None when it ended in good order."""
    folders: set[bytes] = set()
    buffer = b""
    while data := os.read(0, 65536):
        *messages, buffer = (buffer + data).split(b"\0")
        for message in messages:
            if message.startswith(b"+"):
                folders.add(message[1:])
            else:
                return None
    return folders


def _kill_marked(marker: bytes) -> None:
    calm, deadline = 0, time.monotonic() + _PATIENCE
    while calm < _CALM and time.monotonic() < deadline:
        found = [pid for pid in _list_processes() if _carries(pid, marker)]
        for pid in found:
            try:
                os.kill(pid, 9)
            except OSError:
                continue
        calm = 0 if found else calm + 1
        time.sleep(0.01)


def _list_processes() -> "list[int]":
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - pathlib costs 5 ms
    except OSError:
        return []


def _carries(pid: int, marker: bytes) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123 - pathlib costs 5 ms
            return marker in file.read()
    except OSError:
        return False


def _remove(folder: bytes) -> None:
    """Delete the tree, opening folders that forbid it; what cannot be deleted stays."""
    for parent, _, _ in os.walk(folder):
        try:
            os.chmod(parent, 0o700)  # noqa: PTH101 - pathlib costs 5 ms
        except OSError:
            continue
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in files + folders:
            _delete(os.path.join(parent, name))  # noqa: PTH118 - pathlib costs 5 ms
    _delete(folder)


def _delete(path: bytes) -> None:
    for delete in (os.unlink, os.rmdir):
        try:
            delete(path)
        except OSError:
            continue
        return


if __name__ == "__main__":
    main()
