"""The one exchange an agent and a server have: events go up, commands come down.

Every event names its task and carries a sequence number that grows by one within the task, so a message
that arrives twice changes nothing. Times are milliseconds since the epoch on the agent's clock.
"""

import msgspec

from penstock.model.project import SshKey
from penstock.model.run import Revision
from penstock.model.status import Reason, StepStatus, TaskStatus
from penstock.model.usage import Used
from penstock.plan.workflow import JobPlan


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="event"):
    """What every event has."""

    task: str  # UUID of the task
    sequence: int  # 1, 2, 3 … within the task
    at: int


class TaskStarted(Event, frozen=True, kw_only=True, tag="task_started"):
    """The agent has begun; from here on a loss is a loss of work."""


class StepStarted(Event, frozen=True, kw_only=True, omit_defaults=True, tag="step_started"):
    """A step begins; `step` counts from 0 in the order of starting, retries included."""

    step: int
    name: str
    kind: str
    background: bool = False


class StepFinished(Event, frozen=True, kw_only=True, omit_defaults=True, tag="step_finished"):
    """A step ended; `message` says what the exit code cannot."""

    step: int
    name: str = ""
    kind: str = ""
    status: StepStatus
    exit_code: int | None = None
    message: str = ""


class LogOutput(Event, frozen=True, kw_only=True, omit_defaults=True, tag="log"):
    """A masked piece of a step's output; `data` is one zstd frame of `size` plain bytes.

    `offset` and `first_line` count what the step printed before (bytes, newlines), `lines` the newlines
    inside.
    """

    step: int
    offset: int
    size: int
    first_line: int
    lines: int
    data: bytes


class ArtifactStored(Event, frozen=True, kw_only=True, tag="artifact"):
    """An artifact is in the blob store."""

    path: str
    size: int
    blob: str


class TestReport(Event, frozen=True, kw_only=True, omit_defaults=True, tag="test_report"):
    """A test report is in the blob store, for the server to read; `source` is its path in the folder.

    `directory` is where the job worked, so that files it names absolutely can be known again.
    """

    source: str
    size: int
    blob: str
    directory: str = ""


class CacheSaved(Event, frozen=True, kw_only=True, tag="cache"):
    """A cache is in the blob store; the first to claim a key keeps it."""

    key: str
    size: int
    blob: str


class LayerSaved(Event, frozen=True, kw_only=True, tag="layer"):
    """A workspace layer is in the blob store."""

    size: int
    blob: str


class TaskFinished(Event, frozen=True, kw_only=True, omit_defaults=True, tag="task_finished"):
    """The last event of a task: its verdict, after everything it left behind was reported.

    `used` is how busy it was, None when nobody measured or it ended too soon.
    """

    status: TaskStatus
    reason: Reason = Reason.NONE
    message: str = ""
    used: Used | None = None


AnyEvent = (
    TaskStarted
    | StepStarted
    | StepFinished
    | LogOutput
    | ArtifactStored
    | TestReport
    | CacheSaved
    | LayerSaved
    | TaskFinished
)


class SourceCredentials(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What opens a private repository: a token for the web or a private key for ssh.

    `user` goes with the token; without it the host's usual one is taken. `known_hosts` are lines of such a
    file; without them the key of a host that is not known yet is believed.
    """

    user: str = ""
    token: str = ""
    key: str = ""
    known_hosts: str = ""

    def __repr__(self) -> str:
        """Without what is secret."""
        return f"SourceCredentials(user={self.user!r})"


class Source(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where `checkout` finds the source."""

    url: str  # a git URL or a local path
    revision: Revision
    default_branch: str = ""
    origin: str = ""  # the URL to show as `origin` when `url` is only a local copy
    credentials: SourceCredentials | None = None


class Layer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A workspace layer to attach, oldest first.

    `job` and `index` say which copy of which job made it. `after` names the jobs with layers that this job
    waited for; those they waited for in turn are named in theirs. Jobs of which neither waited for the other
    ran side by side.
    """

    job: str
    blob: str
    index: int = 0
    after: tuple[str, ...] = ()


class Assignment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All an agent needs to run one task.

    `environment` holds the variables below the job's own in precedence, already merged. `secrets` are
    the values to mask in output, those of `keys` included, which the job may install. `timings` are
    seconds of past runs by `filename`, `classname` and `testname`, given only to tasks that may split by
    them; `failed` are the same names of tests that alone are to run again. `lease` is how many seconds the
    agent may be silent. A task that `continues` may continue its pipeline; the key for that is in its
    environment. One that is `vouched` for may ask for identity tokens. `token` opens, over a network, what
    belongs to the task, and nothing once it has ended. `request` is the id of the request that triggered the
    pipeline, for the agent's log.
    """

    task: str
    job: str
    index: int
    total: int
    attempt: int
    language: str
    plan: JobPlan
    environment: dict[str, str] = {}
    secrets: tuple[str, ...] = ()
    keys: tuple[SshKey, ...] = ()
    source: Source | None = None
    layers: tuple[Layer, ...] = ()
    timings: dict[str, dict[str, float]] = {}
    failed: dict[str, tuple[str, ...]] = {}
    number: int = 0
    lease: float = 30.0
    continues: bool = False
    vouched: bool = False
    token: str = ""
    request: str = ""


class CancelTask(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Stop a task. With `clean_up` the steps that always run still do."""

    task: str
    reason: Reason = Reason.USER
    clean_up: bool = False


class Sync(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an agent sends: news, what it holds (which renews the leases), how much more it can take.

    With `wait` above 0 the server may hold the answer that many seconds until there is a command. A new
    message of the same agent ends an older one's wait.
    """

    agent: str
    events: tuple[AnyEvent, ...] = ()
    holding: tuple[str, ...] = ()
    free: int = 0
    wait: float = 0.0


class Commands(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the server answers. `lost` are held tasks that are no longer the agent's: drop them silently."""

    assignments: tuple[Assignment, ...] = ()
    cancel: tuple[CancelTask, ...] = ()
    lost: tuple[str, ...] = ()
    drain: bool = False


class CacheHit(msgspec.Struct, frozen=True, kw_only=True):
    """The cache a restore found."""

    key: str
    blob: str
    size: int


class Continue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task asks to continue its pipeline with another config. Sent again it has the same `request`."""

    request: str
    key: str
    configuration: str
    parameters: dict[str, str | int | bool] = {}


class Continued(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it: a status as of HTTP, 200 when it was accepted, and a sentence."""

    status: int
    message: str


class TokenWish(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task asks for an identity token: for whom it is meant, and how long it is good for (`10m`).

    What is empty is as in the tokens of its environment. With `root` the issuer is that of all organizations.
    """

    audience: tuple[str, ...] = ()
    root: bool = False
    ttl: str = ""


class Minted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it: a status as of HTTP; the token with 200, else a sentence."""

    status: int
    text: str

    def __repr__(self) -> str:
        """Without the token."""
        return f"Minted(status={self.status})"
