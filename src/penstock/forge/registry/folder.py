"""A folder of orbs, one file for each version: the registry of this server, and the cache of fetched ones."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from penstock.forge.registry.orb import LARGEST_ORB, Orb
from penstock.language.circleci.orbs import (
    OrbReference,
    choose_version,
    is_orb_name,
    parse_reference,
    rank_version,
)
from penstock.model.errors import ConflictError, InvalidError, LimitExceededError, UnavailableError

_ENDING = ".yml"


class OrbFolder:
    """Orbs as `<namespace>/<name>/<version>.yml`; a file is complete or not there, whatever happens."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, reference: OrbReference) -> Orb | None:
        """The newest version that fits, or None."""
        version = choose_version(reference.version, self.list_versions(reference.name))
        return self._read(OrbReference(reference.name, version)) if version else None

    def publish(self, reference: OrbReference, source: str) -> None:
        """The version is in the folder. A released one never changes, a development one may.

        Raises InvalidError for a version nobody can publish, ConflictError when there is another source.
        """
        if not reference.published:
            raise InvalidError(
                f"'{reference.version}' is no version to publish: write MAJOR.MINOR.PATCH or dev:LABEL"
            )
        if len(source.encode()) > LARGEST_ORB:
            raise LimitExceededError(f"the source of {reference} is larger than {LARGEST_ORB >> 20} MiB")
        path = self._find_path(reference)
        if reference.exact and path.exists():
            if path.read_text() != source:
                raise ConflictError(f"{reference} is published with another source: choose a new version")
            return
        write_file(path, source)

    def list_versions(self, name: str) -> list[str]:
        """The versions of an orb, oldest first; none for an orb that is not there."""
        folder = self.root / name
        if not is_orb_name(name) or not folder.is_dir():
            return []
        files = [path.name for path in folder.iterdir() if path.name.endswith(_ENDING)]
        versions = [_read_name(file) for file in files if not file.startswith(".")]
        return sorted(versions, key=lambda version: (rank_version(version), version))

    def list_orbs(self) -> Iterator[OrbReference]:
        """Every version of every orb, by name."""
        for folder in sorted(self.root.glob("*/*")) if self.root.is_dir() else ():
            name = f"{folder.parent.name}/{folder.name}"
            yield from (OrbReference(name, version) for version in self.list_versions(name))

    def _read(self, reference: OrbReference) -> Orb | None:
        try:
            return Orb(str(reference), self._find_path(reference).read_text())
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise UnavailableError(f"cannot read orb {reference} in {self.root}: {error}") from error

    def _find_path(self, reference: OrbReference) -> Path:
        # The parts of a reference hold no `/` or `..`, apart from a label's.
        return self.root / reference.name / f"{reference.version.replace('/', '%2F')}{_ENDING}"


def _read_name(file: str) -> str:
    return file.removesuffix(_ENDING).replace("%2F", "/")


def write_file(path: Path, text: str) -> None:
    """The file holds the text, as a whole or not at all.

    Raises UnavailableError when it cannot be written.
    """
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise UnavailableError(f"cannot write {path}: {error.strerror}") from error


def parse_published(text: str) -> OrbReference:
    """The reference `NAMESPACE/NAME@VERSION`. Raises InvalidError for anything else."""
    reference = parse_reference(text)
    if reference is None or not reference.published:
        raise InvalidError(
            f"'{text}' is not NAMESPACE/NAME@VERSION, for example acme/build@1.2.3 or @dev:try"
        )
    return reference
