"""Steps about keys and engines: SSH keys are installed, the machine's engine is lent."""

from penstock.agent.context import Result, StepContext
from penstock.agent.executor.base import Request
from penstock.model.errors import RefusedError
from penstock.model.project import SshKey
from penstock.model.status import StepStatus
from penstock.plan.step import AddSshKeys, SetupRemoteDocker

_ASK_DOCKER = ("docker", "version", "--format", "{{.Server.Version}}")

# Run in the place, for the agent may not see its files. OpenSSH looks for its settings in the home of the
# user's entry, whatever HOME says; where the two differ, commands before its own on the PATH tell it.
_SCRIPT = r"""
set -eu
umask 077
mkdir -p "$HOME/.ssh"
while [ "$#" -gt 0 ]; do
  rm -f "$HOME/.ssh/$2"
  cat "$1" > "$HOME/.ssh/$2"
  rm -f "$1"
  shift 2
done
cat "$PENSTOCK_CONTROL/ssh_config" >> "$HOME/.ssh/config"
eval "known=~$(id -un 2>/dev/null)"
[ "$known" != "$HOME" ] || exit 0
printf 'Host *\n  UserKnownHostsFile "%s/.ssh/known_hosts" "%s/.ssh/known_hosts"\n' \
  "$HOME" "$known" >> "$HOME/.ssh/config"
mkdir -p "$HOME/.local/bin"
for name in ssh scp sftp; do
  real=$(command -v "$name") || continue
  [ "$real" != "$HOME/.local/bin/$name" ] || continue
  printf '#!/bin/sh\nexec "%s" -F "$HOME/.ssh/config" "$@"\n' "$real" > "$HOME/.local/bin/$name"
  chmod 700 "$HOME/.local/bin/$name"
done
"""


def add_ssh_keys(step: AddSshKeys, context: StepContext) -> Result:
    """The keys with the fingerprints, or all, are files of `~/.ssh` that its config offers to their hosts.

    CircleCI config reference: add_ssh_keys. A fingerprint that no key of the project has is a failure.
    """
    keys = choose_keys(step, context.task.assignment.keys)
    if not keys:
        context.log.say("No SSH keys are stored for this project")
        return Result()
    control, words = context.place.control, []
    for number, key in enumerate(keys):
        held = f"{control}/ssh_key_{number}"
        context.place.write(held, key.private.encode())
        words += [held, name_file(key)]
    config = "".join(describe_host(key, context.place.home) for key in keys)
    context.place.write(f"{control}/ssh_config", config.encode())
    environment = {**context.task.environment, "PENSTOCK_CONTROL": control, "HOME": context.place.home}
    request = Request(("/bin/sh", "-c", _SCRIPT, "keys", *words), environment, context.place.home)
    result = context.execute(request)
    if result.status is StepStatus.SUCCESS:
        for key in keys:
            context.log.say(f"Installed key {key.md5} for {key.host or 'any host'}")
    return result


def choose_keys(step: AddSshKeys, keys: tuple[SshKey, ...]) -> tuple[SshKey, ...]:
    """The keys the step names; all when it names none. Raises RefusedError for one that is not there."""
    for fingerprint in step.fingerprints:
        if not any(key.answers_to(fingerprint) for key in keys):
            raise RefusedError(f"This project has no SSH key with the fingerprint {fingerprint}")
    if not step.fingerprints:
        return keys
    return tuple(key for key in keys if any(key.answers_to(each) for each in step.fingerprints))


def name_file(key: SshKey) -> str:
    """The name of the key's file in `~/.ssh`."""
    return f"id_rsa_{key.md5.replace(':', '')}"


def describe_host(key: SshKey, home: str) -> str:
    """The part of an OpenSSH config that offers the key to its host, or after others to every host."""
    alone = "yes" if key.host else "no"
    file = f"{home}/.ssh/{name_file(key)}"
    return f'Host {key.host or "*"}\n  IdentitiesOnly {alone}\n  IdentityFile "{file}"\n'


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
    else:
        context.log.say("This is the version of this machine's Docker engine, which the job uses")
    return Result()
