"""Policies and their tests as files of a folder."""

from collections.abc import Iterator
from pathlib import Path

from penstock.model.errors import InvalidError
from penstock.policy.files import MOST_BYTES

TEST_RULES = "_test.rego"
TEST_CASES = ("_test.yaml", "_test.yml")


def read_policies(root: Path, *, tests: bool = False) -> dict[str, str]:
    """The text of each policy of a file, or of a folder and those below it, by its path.

    Files of tests are left out unless they are wanted. Raises InvalidError for what cannot be read.
    """
    if not root.exists():
        raise InvalidError(f"there is no file or folder {root}")
    files = [root] if root.is_file() else sorted(_find_files(root))
    chosen = [each for each in files if tests or not each.name.endswith(TEST_RULES)]
    return {str(each): read_text(each) for each in chosen}


def _find_files(root: Path) -> Iterator[Path]:
    for folder in list_folders(root):
        yield from (each for each in folder.iterdir() if each.suffix == ".rego" and each.is_file())


def list_folders(root: Path) -> list[Path]:
    """The folder and those below it, but for hidden ones."""
    found = [root]
    for each in sorted(root.iterdir()):
        if each.is_dir() and not each.is_symlink() and not each.name.startswith("."):
            found += list_folders(each)
    return found


def read_text(file: Path) -> str:
    """The text of a file. Raises InvalidError for what cannot be read or is no text."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise InvalidError(f"{file} is larger than {MOST_BYTES} bytes")
        return file.read_text("utf-8")
    except OSError as error:
        raise InvalidError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidError(f"{file} is no text in UTF-8") from error
