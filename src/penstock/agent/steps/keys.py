"""Steps about keys and engines that the host already has, or has not."""

from penstock.agent.context import Result, StepContext
from penstock.agent.executor.base import Request
from penstock.model.errors import RefusedError
from penstock.plan.step import AddSshKeys, SetupRemoteDocker

_ASK_DOCKER = ("docker", "version", "--format", "Docker {{.Server.Version}} of this machine is used")


def add_ssh_keys(step: AddSshKeys, context: StepContext) -> Result:
    """Say which keys there are: none are kept yet, those of an SSH agent work without this step."""
    wanted = ", ".join(step.fingerprints)
    context.log.say(f"No keys are stored for this project{f' (wanted: {wanted})' if wanted else ''}")
    if "SSH_AUTH_SOCK" in context.task.environment:
        context.log.say("The keys of this machine's SSH agent can be used")
    return Result()


def set_up_docker(_step: SetupRemoteDocker, context: StepContext) -> Result:
    """The machine's own engine serves; its absence is a warning, what needs it will fail."""
    directory = context.place.home
    try:
        result = context.execute(Request(_ASK_DOCKER, context.task.environment, directory))
    except RefusedError as error:
        context.log.say(str(error))
        result = None
        if "DOCKER_HOST" in context.place.variables:
            context.log.say("The engine of this machine is lent, but there is no docker command here")
            return Result()
    if result is None or result.exit_code != 0:
        context.log.say("Warning: no Docker engine answers here; steps that need one will fail")
    return Result()
