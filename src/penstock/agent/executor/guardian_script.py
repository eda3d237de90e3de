"""What the guardian runs: `python -I -S guardian_script.py MARKER`, told by messages on stdin.

Messages end with a zero byte: `+FOLDER` watch, `!ENGINE LABEL` watch containers with that label, `.` the
agent ends in good order. At the end of stdin without that, every process whose environment holds MARKER is
killed, the watched containers and folders are removed. It imports next to nothing so that it starts in
milliseconds.
"""

import os
import sys
import time

_CALM = 3  # looks without a finding until it is over
_PATIENCE = 10.0


def main() -> None:
    """Listen, then clean up."""
    watched = _listen()
    if watched is not None:
        _kill_marked(os.fsencode(sys.argv[1]))
        for message in sorted(watched):  # containers first: they hold the folders
            if message.startswith(b"!"):
                _remove_containers(*os.fsdecode(message[1:]).split(" "))
            else:
                _remove(message[1:])


def _listen() -> "set[bytes] | None":
    """What was watched when the agent died; None when it ended in good order."""
    watched: set[bytes] = set()
    buffer = b""
    while data := os.read(0, 65536):
        *messages, buffer = (buffer + data).split(b"\0")
        for message in messages:
            if message == b".":
                return None
            watched.add(message)
    return watched


def _remove_containers(address: str, label: str) -> None:
    """Ask the engine until it has none with the label: one may have been in the making."""
    import json
    from urllib.parse import quote

    filters = quote(json.dumps({"label": [label]}))
    deadline, calm = time.monotonic() + _PATIENCE, 0
    while calm < _CALM and time.monotonic() < deadline:
        answer = _ask_engine(address, "GET", f"/containers/json?all=1&filters={filters}")
        listed = json.loads(answer) if answer.startswith(b"[") else None  # else it is busy, or away
        for each in listed or []:
            _ask_engine(address, "DELETE", f"/containers/{each['Id']}?force=1&v=1")
        calm = calm + 1 if listed == [] else 0
        time.sleep(0.1)


def _ask_engine(address: str, method: str, path: str) -> bytes:
    """The body of the engine's answer; empty when there is none. HTTP 1.0, so that no client is needed."""
    import socket

    scheme, _, rest = address.partition("://")
    try:
        if scheme == "unix":
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(_PATIENCE)
            connection.connect(rest)
        else:
            host, _, port = rest.rstrip("/").rpartition(":")
            connection = socket.create_connection((host, int(port)), _PATIENCE)
        with connection:
            connection.sendall(f"{method} {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
    except (OSError, ValueError):
        return b""
    return answer.partition(b"\r\n\r\n")[2]


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
