"""The closed set of things a job can do, one struct per kind.

Dispatch with `match` and `assert_never`: a new kind then fails type checking until every executor
handles it. Text in a step is final except where a field says that the agent expands it.
"""

from enum import StrEnum

import msgspec

from penstock.plan.origin import Origin


class When(StrEnum):
    """After which earlier outcome of the same job a step runs."""

    ON_SUCCESS = "on_success"
    ON_FAIL = "on_fail"
    ALWAYS = "always"


class Retry(msgspec.Struct, frozen=True, omit_defaults=True):
    """How often something may be tried again, and how long to wait before (seconds)."""

    attempts: int = 1  # the first one included
    delay: float = 0.0


class RuntimeCondition(msgspec.Struct, frozen=True):
    """A condition that only the results of earlier steps can decide, in a named expression language."""

    language: str
    text: str


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """What every kind of step has.

    `counts` is false for a step whose failure does not change the job's verdict (Semaphore's
    epilogue); `condition` is decided by the agent when the step's turn comes (Kraken's `when`).
    """

    name: str
    when: When = When.ON_SUCCESS
    condition: RuntimeCondition | None = None
    counts: bool = True
    timeout: float | None = None  # seconds for the whole step
    retry: Retry = Retry()
    origin: Origin | None = None


class Run(Step, frozen=True, kw_only=True, omit_defaults=True, tag="run"):
    """A command text given to a shell.

    `shell` is the command line of the interpreter, split on blanks; None means the job's. An empty
    `working_directory` means the job's. `no_output_timeout` is in seconds of silence. A step that is done
    `once` runs only in the first parallel copy, when all others have passed.
    """

    command: str
    shell: str | None = None
    environment: dict[str, str] = {}
    working_directory: str = ""
    background: bool = False
    no_output_timeout: float | None = None
    once: bool = False
    user: str | None = None


class Checkout(Step, frozen=True, kw_only=True, omit_defaults=True, tag="checkout"):
    """The pipeline's source at its revision, laid into `path` (empty: the working directory)."""

    path: str = ""
    method: str = "full"  # full | blobless | shallow
    depth: int | None = None


class SaveCache(Step, frozen=True, kw_only=True, omit_defaults=True, tag="save_cache"):
    """Stores `paths` under `key` unless the key is taken; the agent expands the key's template."""

    key: str
    paths: tuple[str, ...]


class RestoreCache(Step, frozen=True, kw_only=True, omit_defaults=True, tag="restore_cache"):
    """Restores the newest cache whose key starts with the first of `keys` that has any."""

    keys: tuple[str, ...]


class PersistToWorkspace(Step, frozen=True, kw_only=True, omit_defaults=True, tag="persist_to_workspace"):
    """Adds files below `root` that match `paths` to the workflow's workspace as one layer."""

    root: str
    paths: tuple[str, ...]


class AttachWorkspace(Step, frozen=True, kw_only=True, omit_defaults=True, tag="attach_workspace"):
    """Lays the layers of all upstream jobs into `at`, in graph order."""

    at: str


class StoreArtifacts(Step, frozen=True, kw_only=True, omit_defaults=True, tag="store_artifacts"):
    """Keeps a file, a folder or what a glob matches, below `destination`."""

    path: str
    destination: str = ""
    optional: bool = False  # true: nothing to store is no failure


class StoreTestResults(Step, frozen=True, kw_only=True, omit_defaults=True, tag="store_test_results"):
    """Reads test reports from a file or, recursively, a folder."""

    path: str


class AddSshKeys(Step, frozen=True, kw_only=True, omit_defaults=True, tag="add_ssh_keys"):
    """Installs the project's SSH keys with these fingerprints; none given means all."""

    fingerprints: tuple[str, ...] = ()


class SetupRemoteDocker(Step, frozen=True, kw_only=True, omit_defaults=True, tag="setup_remote_docker"):
    """Gives the following steps a Docker engine of their own."""

    version: str = ""
    layer_caching: bool = False
    same_region: bool = False  # preferred, never required


class Tool(Step, frozen=True, kw_only=True, omit_defaults=True, tag="tool"):
    """A named tool with its own parameters (Kraken's steps; vendor steps only one platform has)."""

    tool: str
    version: str = ""
    parameters: dict[str, object] = {}
    working_directory: str = ""
    environment: dict[str, str] = {}
    user: str | None = None
    background: bool = False


AnyStep = (
    Run
    | Checkout
    | SaveCache
    | RestoreCache
    | PersistToWorkspace
    | AttachWorkspace
    | StoreArtifacts
    | StoreTestResults
    | AddSshKeys
    | SetupRemoteDocker
    | Tool
)
"""The closed union: what `msgspec` decodes and `match` exhausts."""
