"""The folder of an agent: who it is for its server, where its jobs run, and that only one agent uses it."""

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import msgspec

from penstock.model.errors import RefusedError, UnavailableError
from penstock.store.sealing import hash_token


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who the agent is, and for which server and token to join it became that."""

    server: str
    joined: str  # hash of the token it joined with
    agent: str
    token: str

    def __repr__(self) -> str:
        """Without what is secret."""
        return f"Identity(server={self.server!r}, agent={self.agent!r})"


class AgentFolder:
    """The folder, held by this process from `open` to `close`."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()  # jobs are started in other folders
        self._handle = -1

    @property
    def jobs(self) -> Path:
        """Where jobs run."""
        return self.root / "jobs"

    @property
    def ends(self) -> Path:
        """What the server has not heard yet of tasks that have ended."""
        return self.root / "ends"

    @property
    def identity(self) -> Path:
        """The file with the identity."""
        return self.root / "identity.json"

    def open(self) -> Self:
        """The folder exists and is this process's. Raises UnavailableError or RefusedError."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC
            self._handle = os.open(self.root / "agent.lock", flags, 0o600)
        except OSError as error:
            raise UnavailableError(
                f"cannot write to {self.root}: {error.strerror}; name another folder with --work"
            ) from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.close()
            raise RefusedError(
                f"another agent uses the folder {self.root}: stop it, or name another folder with --work"
            ) from error
        return self

    def close(self) -> None:
        """Another agent may use the folder."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def load_identity(self, server: str, token: str) -> Identity | None:
        """Who the agent was here for that server and token to join, None when it was nobody."""
        try:
            found = msgspec.json.decode(self.identity.read_bytes(), type=Identity)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None
        return found if (found.server, found.joined) == (server, hash_token(token)) else None

    def save_identity(self, identity: Identity) -> None:
        """It is found again after a restart, a power cut included. Raises UnavailableError."""
        draft = self.identity.with_suffix(".new")
        try:
            handle = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(identity))
                file.flush()
                os.fsync(handle)
            draft.replace(self.identity)
        except OSError as error:
            raise UnavailableError(f"cannot write {self.identity}: {error.strerror}") from error

    def forget_identity(self) -> None:
        """The agent is nobody here."""
        self.identity.unlink(missing_ok=True)


def default_work(environment: Mapping[str, str]) -> Path:
    """The folder when none is named: below XDG_DATA_HOME, else ~/.local/share."""
    base = environment.get("XDG_DATA_HOME") or f"{environment.get('HOME', '~')}/.local/share"
    return Path(base).expanduser() / "penstock-agent"
