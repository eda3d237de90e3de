"""Which function does which kind of step."""

from typing import assert_never

from penstock.agent.context import Result, StepContext
from penstock.agent.steps.artifacts import store_artifacts, store_test_results
from penstock.agent.steps.caches import restore_cache, save_cache
from penstock.agent.steps.checkout import check_out
from penstock.agent.steps.keys import add_ssh_keys, set_up_docker
from penstock.agent.steps.run import run_command
from penstock.agent.steps.workspaces import attach_workspace, persist_to_workspace
from penstock.model.errors import RefusedError
from penstock.plan.step import (
    AddSshKeys,
    AnyStep,
    AttachWorkspace,
    Checkout,
    PersistToWorkspace,
    RestoreCache,
    Run,
    SaveCache,
    SetupRemoteDocker,
    StoreArtifacts,
    StoreTestResults,
    Tool,
)


def run_step(step: AnyStep, context: StepContext) -> Result:  # noqa: PLR0911, C901 - one case a kind
    """Do the step. Raises PenstockError or OSError when it cannot be done."""
    match step:
        case Run():
            return run_command(step, context)
        case Checkout():
            return check_out(step, context)
        case SaveCache():
            return save_cache(step, context)
        case RestoreCache():
            return restore_cache(step, context)
        case PersistToWorkspace():
            return persist_to_workspace(step, context)
        case AttachWorkspace():
            return attach_workspace(step, context)
        case StoreArtifacts():
            return store_artifacts(step, context)
        case StoreTestResults():
            return store_test_results(step, context)
        case AddSshKeys():
            return add_ssh_keys(step, context)
        case SetupRemoteDocker():
            return set_up_docker(step, context)
        case Tool():
            raise RefusedError(f"this agent has no tool named {step.tool!r}")
        case _:
            assert_never(step)
