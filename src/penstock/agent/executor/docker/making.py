"""How the containers of one task come to be; what was made before a failure is removed."""

import os
import re
import select
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from penstock.agent.executor.base import LostPlaceError, Watch
from penstock.agent.executor.docker.container import Container, make_container
from penstock.agent.executor.docker.containers import (
    COMMANDS,
    CONTROL,
    SOCKET,
    SOURCE,
    Mount,
    Setting,
    describe_limits,
    describe_primary,
    describe_service,
    describe_shortage,
    is_held,
)
from penstock.agent.executor.docker.control import ControlFolder
from penstock.agent.executor.docker.engine import Engine, EngineError
from penstock.agent.executor.docker.images import ImageFacts, Wanted, expand_name, provide_image
from penstock.agent.executor.docker.lending import find_source, is_readable, lend_source, needs_ssh
from penstock.agent.executor.docker.place import DockerPlace, Ground
from penstock.agent.executor.load import Grant, choose_grant
from penstock.model.errors import RefusedError, UnavailableError
from penstock.plan.executor import ExecutorKind, Image
from penstock.plan.resources import find_resources
from penstock.plan.step import SetupRemoteDocker
from penstock.wire.messages import Assignment

_LOOK = 0.05  # seconds between looks at who wants the task to end
_GLANCE = 1.0  # seconds between looks at a container that says nothing
_PATIENCE = 60.0
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # Docker's own default
_NO_SHELL = re.compile(r"/bin/sh\b.*(no such file|not found)", re.IGNORECASE)
_HELLO = ("/bin/sh", f"{COMMANDS}/hello.sh")


class Making(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes to make the containers of a task: `folder` is its own, `commands` everybody's."""

    engine: Engine
    labels: Mapping[str, str]
    assignment: Assignment
    watch: Watch
    folder: Path
    commands: Path
    logins: Path | None = None  # the folder of Docker's client


def make_place(making: Making) -> DockerPlace:
    """A place whose containers run. Raises UnavailableError, EngineError or LostPlaceError."""
    images = making.assignment.plan.executor.images
    variables = {**making.assignment.environment, **making.assignment.plan.environment}
    wanted = [
        Wanted(expand_name(image.image, variables), image.auth, variables, making.logins) for image in images
    ]
    facts = [provide_image(making.engine, each, making.watch) for each in wanted]
    control = ControlFolder(making.folder / "control")
    made: list[Container] = []
    services: dict[str, Container] = {}
    try:
        setting = choose_setting(making)
        control.write("bash_env", b"")
        ground = _start_primary(making, control, facts[0], setting, made)
        for image, fact in zip(images[1:], facts[1:], strict=True):
            _start_service(making, image, describe_service(image, fact, setting, made[0].id), made)
            services[_name_service(image, services)] = made[-1]
    except BaseException:
        for container in reversed(made):
            with suppress(EngineError, LostPlaceError):
                container.remove()
        control.close()
        raise
    source = find_source(making.assignment)
    hidden = source is not None and not is_readable(source, ground.owner[0])
    if hidden or (needs_ssh(making.assignment.source) and not ground.has_ssh):
        ground = msgspec.structs.replace(ground, has_git=False)
    lent = {str(source): SOURCE} if source is not None else {}
    own = describe_variables(images[0], facts[0], ground, setting)
    machine = Grant(making.engine.machine.processors, making.engine.machine.memory)
    grant = choose_grant(making.assignment.plan.executor.resource_class, ExecutorKind.DOCKER, machine)
    place = DockerPlace(made[0], services, control, ground, own, lent, grant)
    for trouble in place.list_troubles():
        making.watch.say(trouble)
    return place


def _name_service(image: Image, taken: Collection[str]) -> str:
    name = f"{image.image} ({image.name})" if image.name else image.image
    return name if name not in taken else f"{name}, number {len(taken) + 1}"


def choose_setting(making: Making) -> Setting:
    """What the containers of the task have in common."""
    executor = making.assignment.plan.executor
    mounts = [Mount(str(making.commands), COMMANDS), Mount(str(making.folder / "control"), CONTROL, False)]  # noqa: FBT003
    if (source := find_source(making.assignment)) is not None:
        mounts += lend_source(source, making.folder)
    groups: tuple[str, ...] = ()
    lends = any(isinstance(step, SetupRemoteDocker) for step in making.assignment.plan.steps)
    if lends and making.engine.socket:
        mounts.append(Mount(making.engine.socket, SOCKET, False))  # noqa: FBT003
        groups = (str(Path(making.engine.socket).stat().st_gid),)
    return Setting(
        labels=making.labels,
        limits=_choose_limits(making, executor.resource_class),
        names=tuple(image.name for image in executor.images if image.name),
        mounts=tuple(mounts),
        groups=groups,
    )


def _choose_limits(making: Making, resource_class: str) -> dict[str, object]:
    """The bounds of each container; the user is told when the machine has less."""
    if find_resources(resource_class) is None:
        return {}
    machine = making.engine.machine
    if shortage := describe_shortage(resource_class, machine):
        making.watch.say(shortage)
    return describe_limits(resource_class, machine)


def describe_variables(image: Image, facts: ImageFacts, ground: Ground, setting: Setting) -> dict[str, str]:
    """The variables every step of the task has before its own."""
    own = {"PATH": _PATH, **facts.environment, **image.environment, "HOME": ground.home}
    own["PATH"] = f"{COMMANDS}:{own['PATH']}"
    own |= {"BASH_ENV": f"{CONTROL}/bash_env", "PENSTOCK_CONTROL": CONTROL}
    if any(mount.target == SOCKET for mount in setting.mounts):
        own["DOCKER_HOST"] = f"unix://{SOCKET}"
    return own


def _start_primary(
    making: Making, control: ControlFolder, facts: ImageFacts, setting: Setting, made: list[Container]
) -> Ground:
    """The first container runs and has said what it is; what was made is appended to `made`."""
    image = making.assignment.plan.executor.images[0]
    control.keep_pipe("hold")
    hello = control.make_pipe("hello")
    try:
        container = _create(making, describe_primary(image, facts, setting), 0)
        made.append(container)
        _start(container, image, is_ours=is_held(image, facts))
        if not is_held(image, facts):
            _ask_hello(container, image)
        return read_ground(_await_hello(making, container, hello, image))
    finally:
        os.close(hello)


def _ask_hello(container: Container, image: Image) -> None:
    """Have a container say what it is whose main process is not ours."""
    try:
        container.execute(_HELLO, {})
    except (EngineError, LostPlaceError, RefusedError):
        until = time.monotonic() + _GLANCE
        while (code := container.find_exit()) is None and time.monotonic() < until:
            time.sleep(_LOOK)
        if code is None:
            raise
        raise UnavailableError(_explain_end(container, image, code)) from None


def _start_service(making: Making, image: Image, body: dict[str, object], made: list[Container]) -> None:
    container = _create(making, body, len(made))
    made.append(container)
    _start(container, image)
    making.watch.breathe()


def _create(making: Making, body: dict[str, object], index: int) -> Container:
    making.watch.breathe()
    return make_container(
        making.engine, body, f"penstock-{making.folder.name[-12:]}-{os.urandom(3).hex()}-{index}"
    )


def _start(container: Container, image: Image, *, is_ours: bool = False) -> None:
    """Its main process runs; `is_ours` when that is a script of ours."""
    try:
        container.start()
    except EngineError as error:
        if is_ours and _NO_SHELL.search(str(error)):
            raise UnavailableError(f"the image {image.image} has no /bin/sh, which steps need") from error
        raise UnavailableError(f"cannot start a container of {image.image}: {error}") from error


def _await_hello(making: Making, container: Container, hello: int, image: Image) -> bytes:
    """All the container says of itself, in its own time; it may die over it."""
    heard, until, glance = b"", time.monotonic() + _PATIENCE, time.monotonic() + _GLANCE
    while not heard.endswith(b"ready\n"):
        making.watch.breathe()
        if select.select([hello], [], [], _LOOK)[0]:
            heard += os.read(hello, 65536)
        elif time.monotonic() > glance:
            glance = time.monotonic() + _GLANCE
            if (code := container.find_exit()) is not None:
                raise UnavailableError(_explain_end(container, image, code))
        if time.monotonic() > until:
            raise UnavailableError(f"the container of {image.image} does not see the folders of this machine")
    return heard


def _explain_end(container: Container, image: Image, code: int) -> str:
    said = container.read_log()
    if _NO_SHELL.search(said):
        return f"the image {image.image} has no /bin/sh, which steps need"
    return f"the container of {image.image} ended at once with exit status {code}" + (
        f": {said}" if said else ""
    )


def read_ground(data: bytes) -> Ground:
    """What a container said of itself, as `NAME=VALUE` lines."""
    lines = [line.partition("=")[::2] for line in os.fsdecode(data).splitlines()]
    facts = dict(lines)
    pipefail = "-eo" if "pipefail" in facts else "-e"
    shell = ("/bin/bash", "-eo", "pipefail") if "bash" in facts else ("/bin/sh", pipefail)
    return Ground(
        home=facts.get("home") or "/",
        owner=(int(facts.get("uid", "0")), int(facts.get("gid", "0"))),
        shell=(*shell, "pipefail") if shell[1:] == ("-eo",) else shell,
        has_git="git" in facts,
        has_ssh="ssh" in facts,
        starts="starts" in facts,
        memory=tuple(text for name, text in lines if name == "memory"),
    )
