"""What a workflow is after expansion: its jobs, each with a body, a place and what it needs."""

import msgspec

from penstock.language.circleci.expand.frame import Frame
from penstock.language.circleci.expand.matrix import Values
from penstock.language.common.tree import Map, Place
from penstock.model.status import JobKind, Outcome


class Job(msgspec.Struct, kw_only=True):
    """One job of a workflow after expansion.

    `key` is its final name, `base` the name before duplicates were numbered, `alias` stands for all jobs
    of its matrix. `body` is None for a job that runs nothing, or that has been reported. `entry` is what
    the workflow says about it, filled in; `frame` sees the pipeline's values and the matrix.

    A job of a job group has its name in `group`, and in `gate` the job that opens it; `closes` is the
    group whose end a job stands for.
    """

    key: str
    base: str
    alias: str
    definition: str
    kind: JobKind
    body: Map | None
    entry: Map
    matrix: Values
    frame: Frame
    place: Place
    needs: dict[str, tuple[Outcome, ...]] = {}
    group: str = ""
    gate: str = ""
    closes: str = ""


class Workflow(msgspec.Struct, kw_only=True):
    """One workflow whose jobs are expanded."""

    name: str
    body: Map
    jobs: list[Job]
    place: Place
