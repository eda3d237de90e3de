"""The lock file: which exact orbs a config was compiled with, to be compiled with the same ones again."""

import hashlib
from pathlib import Path

import msgspec

from penstock.forge.registry.folder import write_file
from penstock.forge.registry.orb import Orb
from penstock.model.errors import InvalidError


class Pin(msgspec.Struct, frozen=True):
    """The exact reference an orb had, and the SHA-256 of its source."""

    reference: str
    sha256: str


class _File(msgspec.Struct):
    orbs: dict[str, Pin]


class OrbLock:
    """The pins of a file, by what the config wrote. `pins` is None while there is no such file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pins = _read_pins(path)

    def find(self, reference: str) -> Pin | None:
        """The pin of a reference; None while there is no file. Raises InvalidError when it is not in it."""
        if self.pins is None:
            return None
        if reference not in self.pins:
            raise InvalidError(f"{reference} is not in {self.path}: delete the file to have it written anew")
        return self.pins[reference]

    def check(self, pin: Pin, orb: Orb) -> None:
        """Raises InvalidError when the source is not the one that was pinned."""
        if hash_source(orb.source) != pin.sha256:
            raise InvalidError(f"{orb.reference} has another source than the one pinned in {self.path}")

    def write(self, orbs: dict[str, Orb]) -> None:
        """The file holds the orbs, unless there was one before."""
        if self.pins is not None:
            return
        pins = {name: Pin(orb.reference, hash_source(orb.source)) for name, orb in sorted(orbs.items())}
        text = msgspec.json.format(msgspec.json.encode(_File(pins)), indent=2).decode()
        write_file(self.path, text + "\n")
        self.pins = pins


def hash_source(source: str) -> str:
    """The SHA-256 of a source, as hexadecimal digits."""
    return hashlib.sha256(source.encode()).hexdigest()


def _read_pins(path: Path) -> dict[str, Pin] | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_File).orbs
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidError(f"cannot read {path}: {error.strerror}") from error
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise InvalidError(f"{path} is no lock file of orbs: {error}") from error
