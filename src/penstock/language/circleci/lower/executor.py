"""The keys of a job that say where it runs, as a plan's executor."""

from penstock.language.circleci.lower.values import (
    read_optional,
    read_text,
    read_texts,
    read_variables,
    strip_marks,
)
from penstock.language.common.scalars import show_scalar
from penstock.language.common.tree import Items, Map
from penstock.plan.executor import Executor, ExecutorKind, Image, RegistryAuth
from penstock.plan.resources import is_own_class

_OWN_KEYS = frozenset({"image", "resource_class", "shell", "xcode", "enabled"})


def lower_executor(body: Map) -> Executor:
    """The executor of a job. Its labels are those of agents that can take it: a runner's group, a system."""
    resource_class = read_text(body, "resource_class")
    docker, machine, macos = body.get("docker"), body.get("machine"), body.get("macos")
    if isinstance(docker, Items):
        images = tuple(_lower_image(entry) for entry in docker if isinstance(entry, Map))
        return Executor(
            kind=ExecutorKind.DOCKER,
            images=images,
            resource_class=resource_class,
            labels=_list_labels(ExecutorKind.DOCKER, resource_class),
        )
    settings = machine if isinstance(machine, Map) else Map(())
    kind, image = ExecutorKind.MACHINE, read_text(settings, "image")
    if isinstance(macos, Map):
        settings, kind, image = macos, ExecutorKind.MACOS, read_text(macos, "xcode")
    resource_class = resource_class or read_text(settings, "resource_class")
    if resource_class.startswith("windows."):
        kind = ExecutorKind.WINDOWS
    options = strip_marks({key: value for key, value in settings.items() if key not in _OWN_KEYS})
    return Executor(
        kind=kind,
        image=image,
        resource_class=resource_class,
        labels=_list_labels(kind, resource_class),
        options=options,
    )


def _list_labels(kind: ExecutorKind, resource_class: str) -> tuple[str, ...]:
    if is_own_class(resource_class):
        return (resource_class,)
    system = kind.value if kind in {ExecutorKind.MACOS, ExecutorKind.WINDOWS} else ""
    gpu = "gpu" if "gpu" in resource_class.split(".") else ""
    return tuple(label for label in (system, gpu) if label)


def _lower_image(entry: Map) -> Image:
    return Image(
        image=read_text(entry, "image"),
        name=read_text(entry, "name"),
        entrypoint=_read_command(entry.get("entrypoint")),
        command=_read_command(entry.get("command")),
        user=read_optional(entry, "user"),
        environment=read_variables(entry.get("environment")),
        auth=_lower_auth(entry),
    )


def _read_command(value: object) -> tuple[str, ...] | None:
    """A command as its words; a text is split as a shell would, or on blanks when it cannot be."""
    if value is None or isinstance(value, Items):
        return None if value is None else read_texts(value)
    import shlex

    text = show_scalar(value)
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return tuple(text.split())


def _lower_auth(entry: Map) -> RegistryAuth | None:
    auth = entry.get("auth")
    if isinstance(auth, Map):
        return RegistryAuth(username=read_text(auth, "username"), password=read_text(auth, "password"))
    for key in ("aws_auth", "gcp_auth"):
        if isinstance(provider := entry.get(key), Map):
            return RegistryAuth(provider=read_variables(provider))
    return None
