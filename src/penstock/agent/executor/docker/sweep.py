"""Which containers belong to agents that died, and how nothing of them stays."""

import fcntl
import os
import socket
from contextlib import suppress
from pathlib import Path

import msgspec

from penstock.agent.executor.base import LostPlaceError
from penstock.agent.executor.docker.containers import AGENT_LABEL
from penstock.agent.executor.docker.engine import Engine, EngineError
from penstock.agent.executor.guardian import Guardian

_HOST_LABEL = "penstock.host"
_ALIVE_LABEL = "penstock.alive"  # the path of a file that is locked as long as the agent lives


class Lifeline:
    """Tells others that an agent lives, and the guardian what to remove when it does not.

    The kernel drops the lock when the agent ends, however it ends.
    """

    def __init__(self, engine: Engine, agent: str, folder: Path, guardian: Guardian | None) -> None:
        self._path = folder / "alive"
        self._lock = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.labels = {
            AGENT_LABEL: agent,
            _HOST_LABEL: socket.gethostname(),
            _ALIVE_LABEL: str(self._path),
        }
        if guardian is not None:
            guardian.watch(folder)
            guardian.watch_containers(engine.address, f"{AGENT_LABEL}={agent}")

    def close(self) -> None:
        """The agent ends; its containers were removed before."""
        os.close(self._lock)


class _Listed(msgspec.Struct, frozen=True, rename="pascal"):
    id: str
    labels: dict[str, str]


def sweep_containers(engine: Engine) -> int:
    """Remove the containers of agents of this machine that are dead; returns how many there were."""
    query: dict[str, str | int] = {
        "all": 1,
        "filters": msgspec.json.encode({"label": [AGENT_LABEL]}).decode(),
    }
    try:
        found = engine.ask(list[_Listed], "/containers/json", query)
    except EngineError:
        return 0
    dead = [each for each in found if _is_abandoned(each.labels)]
    for each in dead:
        with suppress(EngineError, LostPlaceError):  # another agent sweeps too
            engine.tell("DELETE", f"/containers/{each.id}", {"force": 1, "v": 1})
    return len(dead)


def _is_abandoned(labels: dict[str, str]) -> bool:
    if labels.get(_HOST_LABEL) != socket.gethostname():
        return False
    try:
        lock = os.open(labels.get(_ALIVE_LABEL, ""), os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        return isinstance(error, FileNotFoundError | NotADirectoryError)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
