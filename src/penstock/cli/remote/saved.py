"""What `penstock login` keeps: a token for each server, in a file that only its owner can read."""

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from penstock.model.errors import InvalidError, UnavailableError


class Saved(msgspec.Struct, frozen=True):
    """The servers that somebody logged in to; `server` is the last one, "" for none."""

    server: str = ""
    tokens: dict[str, str] = {}

    def __repr__(self) -> str:
        """Without the tokens."""
        return f"Saved({self.server!r})"


def find_file(environment: Mapping[str, str]) -> Path:
    """Where it is kept (XDG Base Directory Specification: XDG_CONFIG_HOME)."""
    named = environment.get("XDG_CONFIG_HOME", "")
    folder = Path(named) if named.startswith("/") else Path("~/.config").expanduser()
    return folder / "penstock" / "login.json"


def load_saved(file: Path) -> Saved:
    """What was saved, nothing when there is no file. Raises InvalidError for a file that cannot be read."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Saved)
    except FileNotFoundError:
        return Saved()
    except OSError as error:
        raise InvalidError(f"cannot read {file}: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidError(f"{file} is damaged: delete it and log in again") from error


def save(file: Path, saved: Saved) -> None:
    """Keep it in place of what was; afterwards the file is whole, whatever happens on the way.

    Raises UnavailableError when it cannot be written.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(prefix=".login-", dir=file.parent)  # only the owner can read it
        try:
            with os.fdopen(number, "wb") as out:
                out.write(msgspec.json.format(msgspec.json.encode(saved)) + b"\n")
                out.flush()
                os.fsync(out.fileno())
            Path(name).replace(file)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise UnavailableError(f"cannot write {file}: {error.strerror}") from error


def add_login(saved: Saved, url: str, token: str) -> Saved:
    """With the token of one more server, which is the one that is meant from now on."""
    return Saved(server=url, tokens={**saved.tokens, url: token})


def drop_login(saved: Saved, url: str) -> Saved:
    """Without the server; when it was the one that is meant, none is."""
    kept = {known: token for known, token in saved.tokens.items() if known != url}
    return Saved(server="" if saved.server == url else saved.server, tokens=kept)
