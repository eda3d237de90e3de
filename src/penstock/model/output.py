"""What jobs leave behind: logs, artifacts, test results, caches, workspace layers."""

from enum import StrEnum

import msgspec


class LogChunk(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a step's output, immutable once stored.

    `first_line` and `lines` count newline characters, so line N of a step is in the last chunk whose
    `first_line` is not above N. `offset` and `size` are bytes of plain output.
    """

    task_id: int
    step: int
    sequence: int
    first_line: int
    lines: int
    offset: int
    size: int
    created_at: int


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """A file a job kept; `path` is relative, with `/`, and never leaves its root."""

    uuid: str
    job_id: int
    task_index: int
    path: str
    size: int
    blob: str


def confine_path(path: str) -> str:
    """The path of an artifact without anything that could lead out of where artifacts are."""
    return "/".join(part for part in path.split("/") if part not in {"", ".", ".."}) or "file"


class TestOutcome(StrEnum):
    """How one test case ended."""

    __test__ = False

    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"
    SKIPPED = "skipped"


class TestCase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One test of a report; `seconds` is its run time, `source` the report it came from."""

    __test__ = False

    name: str
    classname: str = ""
    file: str = ""
    source: str = ""
    result: TestOutcome
    seconds: float = 0.0
    message: str = ""


class CacheEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A stored cache; keys are taken once per project and scope, the newest prefix match is restored.

    From `expires_at` on it is as if it were not there.
    """

    key: str
    blob: str
    size: int
    created_at: int
    expires_at: int | None = None


class WorkspaceLayer(msgspec.Struct, frozen=True, kw_only=True):
    """Files one task added to its workflow's workspace, as a tar in the blob store."""

    job_key: str
    task_index: int
    blob: str
    size: int
