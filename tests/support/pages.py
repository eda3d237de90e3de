"""The pages of the documentation, as tests read them: fenced blocks, and tables that have a name."""

import re
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
USER_PAGES = [ROOT / "README.md", *sorted((ROOT / "docs/use").glob("*.md")), ROOT / "docs/run/local.md"]

_FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_NAMED = re.compile(r"<!-- keys: ([\w -]+) -->\n((?:\|.*\n)+)")


class Fence(msgspec.Struct, frozen=True):
    """A fenced block: the words after its first backticks, its text, and the line it begins at."""

    page: Path
    line: int
    words: tuple[str, ...]
    text: str

    @property
    def name(self) -> str:
        """Where the block is, for people: `docs/use/run.md:12`."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def read_fences(page: Path) -> list[Fence]:
    """The fenced blocks of a page in their order."""
    text = page.read_text()
    return [
        Fence(page, text.count("\n", 0, match.start()) + 1, tuple(match[1].split()), match[2])
        for match in _FENCE.finditer(text)
    ]


def read_tables(page: Path) -> dict[str, list[list[str]]]:
    """The rows of each table below `<!-- keys: name -->`, without head and rule, as their cells."""
    return {match[1]: _read_rows(match[2]) for match in _NAMED.finditer(page.read_text())}


def _read_rows(text: str) -> list[list[str]]:
    rows = [re.split(r"(?<!\\)\|", line.strip().strip("|")) for line in text.splitlines()]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def list_codes(cell: str) -> list[str]:
    """The words between backticks."""
    return _CODE.findall(cell)


def list_keys(rows: list[list[str]]) -> list[str]:
    """What stands between backticks in the first cell of each row."""
    return [code for row in rows for code in list_codes(row[0])]
