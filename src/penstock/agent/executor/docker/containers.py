"""What the engine is asked to make for a task: bodies of requests, nothing else."""

from collections.abc import Mapping

import msgspec

from penstock.agent.executor.docker.engine import Machine
from penstock.agent.executor.docker.images import ImageFacts
from penstock.plan.executor import Image
from penstock.plan.resources import find_resources

AGENT_LABEL = "penstock.agent"
PLACE_LABEL = "penstock.place"
TASK_LABEL = "penstock.task"

TOP = "/penstock"  # everything of ours in a container is below it
COMMANDS = f"{TOP}/bin"
CONTROL = f"{TOP}/control"
SOURCE = f"{TOP}/source"
SOCKET = "/var/run/docker.sock"
_LOCAL = "127.0.0.1"


class Mount(msgspec.Struct, frozen=True):
    """A folder or file of this machine that is visible in a container."""

    source: str
    target: str
    read_only: bool = True

    def describe(self) -> dict[str, object]:
        """As the engine wants it."""
        return {"Type": "bind", "Source": self.source, "Target": self.target, "ReadOnly": self.read_only}


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What all containers of a task have in common."""

    labels: Mapping[str, str]
    limits: Mapping[str, object] = {}
    names: tuple[str, ...] = ()  # by which the containers of the task find each other
    mounts: tuple[Mount, ...] = ()
    groups: tuple[str, ...] = ()  # ids of groups the job's user is in besides its own


def describe_primary(image: Image, facts: ImageFacts, setting: Setting) -> dict[str, object]:
    """The container steps run in.

    It holds still unless the config gives an entrypoint or command, or the image insists on its own
    (CircleCI config reference: docker executor).
    """
    body = _describe_container(image, facts, setting)
    if is_held(image, facts):
        body["Entrypoint"] = ["/bin/sh", f"{COMMANDS}/hello.sh", "hold"]
        body["Cmd"] = []
    host = dict(setting.limits) | {
        "Init": True,
        "Mounts": [mount.describe() for mount in setting.mounts],
        "ExtraHosts": [f"{name}:{_LOCAL}" for name in setting.names],
        "GroupAdd": list(setting.groups),
        "SecurityOpt": ["label=disable"],  # SELinux would hide the folders of this machine
    }
    return body | {"HostConfig": host}


def describe_service(image: Image, facts: ImageFacts, setting: Setting, primary: str) -> dict[str, object]:
    """A container beside the primary, in its network."""
    body = _describe_container(image, facts, setting)
    host = dict(setting.limits) | {"NetworkMode": f"container:{primary}"}
    return body | {"HostConfig": host}


def is_held(image: Image, facts: ImageFacts) -> bool:
    """True when the main process of a primary container is ours."""
    return image.entrypoint is None and image.command is None and not facts.preserves_entrypoint


def _describe_container(image: Image, facts: ImageFacts, setting: Setting) -> dict[str, object]:
    body: dict[str, object] = {
        "Image": facts.id,
        "Env": [f"{name}={text}" for name, text in image.environment.items()]
        + [f"PENSTOCK_CONTROL={CONTROL}"] * bool(setting.mounts),
        "Labels": dict(setting.labels),
    }
    if image.entrypoint is not None:
        body["Entrypoint"] = list(image.entrypoint)
    if image.command is not None:
        body["Cmd"] = list(image.command)
    if image.user is not None:
        body["User"] = image.user
    return body


def describe_limits(resource_class: str, machine: Machine) -> dict[str, object]:
    """The bounds of a resource class, none above what the machine has: an engine refuses those."""
    resources = find_resources(resource_class)
    if resources is None:
        return {}
    processors = min(resources.processors, machine.processors)
    memory = min(int(resources.memory * 2**30), machine.memory)
    return {"NanoCpus": int(processors * 10**9), "Memory": memory, "MemorySwap": memory}


def describe_shortage(resource_class: str, machine: Machine) -> str:
    """A sentence about a class that is larger than the machine; empty for one that is not."""
    resources = find_resources(resource_class)
    if resources is None:
        return ""
    if resources.processors <= machine.processors and resources.memory * 2**30 <= machine.memory:
        return ""
    return (
        f"Resource class {resource_class} is {resources.processors:g} processors and "
        f"{resources.memory:g} GiB, this machine has {machine.processors} and {machine.memory / 2**30:.1f}"
    )
