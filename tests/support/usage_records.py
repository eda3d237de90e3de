"""Rows of usage as tests need them."""

from typing import Any

import msgspec

from penstock.store.usage import UsageRun, UsageWorkflow
from tests.support.records import NOW

_WORKFLOW = UsageWorkflow(
    id=7,
    organization_id=1,
    uuid="w",
    name="main",
    project="p",
    project_name="app",
    project_slug="gh/acme/app",
    url="https://example.com/app.git",
    project_created_at=NOW,
    branch="main",
    pipeline="l",
    pipeline_number=3,
    pipeline_created_at=NOW,
    trigger="api",
    actor="ada",
    queued_at=NOW + 10,
    started_at=NOW + 20,
)
_RUN = UsageRun(
    organization_id=1,
    workflow_id=7,
    job="j",
    number=1,
    name="build",
    status="success",
    resource_class="large",
    executor="docker",
    parallelism=1,
    queued_at=NOW + 10,
    started_at=NOW + 20,
    stopped_at=NOW + 80,
    worked=60,
)


def usage_workflow(**changes: Any) -> UsageWorkflow:  # noqa: ANN401 - its own fields
    """A workflow of `gh/acme/app`, other than that where the changes say so."""
    return msgspec.structs.replace(_WORKFLOW, **changes)


def usage_run(**changes: Any) -> UsageRun:  # noqa: ANN401 - its own fields
    """A run of that workflow, other than that where the changes say so."""
    return msgspec.structs.replace(_RUN, **changes)
