"""Orbs in a folder of somebody's disk, read to be published: packed files and unpacked sources."""

import re
from collections.abc import Iterator
from pathlib import Path

from penstock.forge.registry.folder import OrbFolder
from penstock.forge.registry.orb import LARGEST_ORB
from penstock.language.circleci.orbs import OrbReference, is_orb_name
from penstock.language.circleci.pack import ENDINGS, ROOT, check_source, pack_orb
from penstock.model.errors import ConflictError, InvalidError, LimitExceededError

MOST_FILES = 5_000
FIRST_VERSION = "1.0.0"
"""The version of a source that says none."""

_PACKED = re.compile(r"([^_].*?)__(?:.*__)?(.+?)(?:-orb)?(?:@(\d+\.\d+\.\d+))?\.ya?ml")
_NAMESPACES = {"CircleCI-Public": "circleci"}
"""Owners of repositories whose orbs have another namespace."""


def read_orb(path: Path) -> str:
    """The source of a packed file, or of a source folder with `@orb.yml` (there or below `src/`), packed.

    Raises InvalidError when it is neither, or cannot be read.
    """
    if not path.is_dir():
        text = _read_text(path)
        check_source(text, path.name)
        return text
    source = next((folder for folder in (path, path / "src") if (folder / ROOT).is_file()), None)
    if source is None:
        raise InvalidError(
            f"there is no {ROOT} in {path} or in its folder src: is this the source of an orb?"
        )
    return pack_orb(read_folder(source))


def read_folder(folder: Path) -> dict[str, str]:
    """The texts below a folder by their path in it, without hidden folders; what is no text is left out.

    Raises InvalidError when a YAML file cannot be read, LimitExceededError when there is too much.
    """
    files: dict[str, str] = {}
    size = 0
    for file in _walk(folder):
        try:
            text = _read_text(file)
        except InvalidError:
            if file.name.endswith(ENDINGS):
                raise
            continue
        files[file.relative_to(folder).as_posix()] = text
        size += len(text)
        if size > LARGEST_ORB:
            raise LimitExceededError(f"the source in {folder} is larger than {LARGEST_ORB >> 20} MiB")
    return files


def list_bundle(folder: Path, version: str = FIRST_VERSION) -> dict[OrbReference, Path]:
    """The orbs of a folder, with the versions they are to get; `version` is for those that say none.

    Files `<namespace>__<name>.yml` (with `@<version>` before the ending), and files or source
    folders `<namespace>/<name>/<version>.yml`, `<namespace>/<name>/<version>` and `<namespace>/<name>`.
    """
    if not folder.is_dir():
        raise InvalidError(f"there is no folder {folder}")
    found: dict[OrbReference, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            for orb in sorted(path.iterdir()):
                found.update(_list_versions(f"{path.name}/{orb.name}", orb, version))
        elif match := _PACKED.fullmatch(path.name):
            name = f"{_NAMESPACES.get(match[1], match[1])}/{match[2]}"
            if is_orb_name(name):
                found[OrbReference(name, match[3] or version)] = path
    return found


def import_bundle(
    folder: Path, registry: OrbFolder, version: str = FIRST_VERSION
) -> tuple[list[OrbReference], list[str]]:
    """Publishes what the folder holds; answers what is in the registry now, and why the rest is not.

    Raises InvalidError when there is nothing to import.
    """
    bundle = list_bundle(folder, version)
    if not bundle:
        raise InvalidError(
            f"there are no orbs in {folder}: no files NAMESPACE__NAME@VERSION.yml, none "
            f"NAMESPACE/NAME/VERSION.yml, and no source folders NAMESPACE/NAME with {ROOT}"
        )
    done, faults = [], []
    for reference, path in bundle.items():
        try:
            registry.publish(reference, read_orb(path))
        except (InvalidError, ConflictError, LimitExceededError) as error:
            faults.append(f"{reference}: {error}")
        else:
            done.append(reference)
    return done, faults


def _list_versions(name: str, folder: Path, unversioned: str) -> Iterator[tuple[OrbReference, Path]]:
    """The versions below the folder of one orb; the folder itself when it is a source."""
    if not folder.is_dir() or not is_orb_name(name):
        return
    if (folder / ROOT).is_file() or (folder / "src" / ROOT).is_file():
        yield OrbReference(name, unversioned), folder
        return
    for path in sorted(folder.iterdir()):
        version = path.name if path.is_dir() else path.stem
        file = path / "orb.yml" if (path / "orb.yml").is_file() else path
        reference = OrbReference(name, version)
        if reference.published and (path.is_dir() or path.suffix in {".yml", ".yaml"}):
            yield reference, file


def _walk(folder: Path) -> list[Path]:
    files = []
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts[:-1])
        if not hidden and path.is_file() and not path.is_symlink():
            files.append(path)
        if len(files) > MOST_FILES:
            raise LimitExceededError(f"{folder} holds more than {MOST_FILES} files")
    return files


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_ORB:
            raise LimitExceededError(f"{path} is larger than {LARGEST_ORB >> 20} MiB")
        return path.read_text()
    except OSError as error:
        raise InvalidError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidError(f"{path} is not UTF-8 text") from error
