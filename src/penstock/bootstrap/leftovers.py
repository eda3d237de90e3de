"""What a server that was killed left in its data folder, and the end of it."""

from pathlib import Path

from penstock.agent.executor.removal import remove_tree
from penstock.bootstrap.folder import DataFolder


class Leftovers:
    """Everything in the folders for passing things, as it is now; to be made before the server uses them.

    The caller holds the folder's lock, so nobody else has a use for any of it.
    """

    def __init__(self, folder: DataFolder) -> None:
        self._paths = [*_list(folder.jobs), *_list(folder.keys)]

    def remove(self) -> None:
        """They are gone, except what this user cannot delete."""
        while self._paths:
            remove_tree(self._paths.pop())


def _list(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []
