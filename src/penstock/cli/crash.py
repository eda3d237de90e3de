"""What is left of an internal error: a file with its traceback."""

import os
import platform
import tempfile
import traceback
from pathlib import Path

from penstock import __version__

FOLDER = "errors"
"""Below the data folder."""


def record_crash(error: BaseException) -> Path | None:
    """The file that has the traceback: below the data folder, else in the temporary folder.

    None when neither can be written to.
    """
    text = "".join(
        [
            f"penstock {__version__}, Python {platform.python_version()}, {platform.platform()}\n\n",
            *traceback.format_exception(error),
        ]
    )
    for find_folder in (_make_folder, _find_temporary):
        try:
            return _write_file(find_folder(), text)
        except Exception:  # noqa: BLE001, S112 - whatever broke may break here too; the next place may do
            continue
    return None


def _make_folder() -> Path:
    from penstock.bootstrap.home import find_home

    folder = find_home().root / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _find_temporary() -> Path:
    return Path(tempfile.gettempdir())


def _write_file(folder: Path, text: str) -> Path:
    """A new file that only its owner can read: messages of exceptions may quote what is private."""
    number, name = tempfile.mkstemp(prefix="penstock-error-", suffix=".txt", dir=folder)
    with os.fdopen(number, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
    return Path(name)
