"""Where a job wants to run, said without saying how it is done."""

from enum import StrEnum

import msgspec


class ExecutorKind(StrEnum):
    """The kinds of environments an agent can offer."""

    HOST = "host"
    DOCKER = "docker"
    MACHINE = "machine"
    MACOS = "macos"
    WINDOWS = "windows"
    LXD = "lxd"
    NONE = "none"  # the job runs nothing (approval, no-op, lock)


class RegistryAuth(msgspec.Struct, frozen=True, omit_defaults=True):
    """Credentials for an image registry; values may name variables (`$X`) that the agent resolves."""

    username: str = ""
    password: str = ""
    provider: dict[str, str] = {}  # aws / gcp keys as written


class Image(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One container: the first of an executor runs the steps, the others are services beside it."""

    image: str
    name: str = ""
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    user: str | None = None
    environment: dict[str, str] = {}
    auth: RegistryAuth | None = None


class Executor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The environment of a job.

    `labels` are what an agent must carry to be given the job (a runner's resource class, Semaphore's
    machine type, a Kraken agents group and system).
    """

    kind: ExecutorKind = ExecutorKind.HOST
    images: tuple[Image, ...] = ()
    image: str = ""  # a machine's image, an Xcode version, an operating system
    resource_class: str = ""
    labels: tuple[str, ...] = ()
    options: dict[str, object] = {}  # vendor switches, such as docker_layer_caching
