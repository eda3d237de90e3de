"""What a server or agent that was killed left in its folder, and the end of it."""

from pathlib import Path

from penstock.agent.executor.removal import remove_tree


class Leftovers:
    """Everything in folders for passing things, as it is now; to be made before they are used.

    The caller holds the lock of what they are in, so nobody else has a use for any of it.
    """

    def __init__(self, *folders: Path) -> None:
        self._paths = [path for folder in folders for path in _list(folder)]

    def remove(self) -> None:
        """They are gone, except what this user cannot delete."""
        while self._paths:
            remove_tree(self._paths.pop())


def _list(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []
