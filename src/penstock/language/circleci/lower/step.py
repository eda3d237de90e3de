"""Steps of a job to steps of a plan, with the names the vendor shows."""

from collections.abc import Callable

import msgspec

from penstock.language.circleci.lower.values import (
    read_optional,
    read_seconds,
    read_text,
    read_texts,
    read_variables,
)
from penstock.language.common.tree import Map
from penstock.plan.step import (
    AddSshKeys,
    AnyStep,
    AttachWorkspace,
    Checkout,
    PersistToWorkspace,
    RestoreCache,
    Retry,
    Run,
    SaveCache,
    SetupRemoteDocker,
    StoreArtifacts,
    StoreTestResults,
    Tool,
    When,
)

NO_OUTPUT_TIMEOUT = 600.0
"""Seconds (CircleCI config reference: no_output_timeout)."""

LONGEST_NAME = 100

_NAMES = {
    "checkout": "Checkout code",
    "setup_remote_docker": "Setup a remote Docker engine",
    "save_cache": "Saving cache",
    "restore_cache": "Restoring cache",
    "persist_to_workspace": "Persisting to workspace",
    "attach_workspace": "Attaching workspace",
    "store_artifacts": "Uploading artifacts",
    "store_test_results": "Uploading test results",
    "add_ssh_keys": "Installing additional ssh keys",
    "install_signing_bundle": "Installing signing bundle",
}
_NOTHING = Map(())


def lower_step(step: object) -> AnyStep:
    """The plan's step for a built-in step, written as a word or as a map with one key."""
    if isinstance(step, Map):
        kind, body = next(iter(step.items()))
        settings = body if isinstance(body, Map) else _NOTHING
    else:
        kind, settings = str(step), _NOTHING
    name = read_text(settings, "name") or _NAMES.get(kind, kind)
    return _LOWER[kind](settings, name, When(read_text(settings, "when") or "on_success"))


def name_command(command: str) -> str:
    """What the vendor shows for a run step without a name: its command, here cut to one line."""
    lines = [line.strip() for line in command.strip().splitlines() if line.strip()] or ["run"]
    first = lines[0]
    if len(first) > LONGEST_NAME:
        return first[: LONGEST_NAME - 1] + "…"
    return f"{first} …" if len(lines) > 1 else first


def _lower_run(body: Map, _name: str, when: When) -> AnyStep:
    command = read_text(body, "command")
    run = Run(
        name=read_text(body, "name") or name_command(command),
        when=when,
        command=command,
        shell=read_optional(body, "shell"),
        environment=read_variables(body.get("environment")),
        working_directory=read_text(body, "working_directory"),
        background=body.get("background") is True,
        no_output_timeout=read_seconds(body.get("no_output_timeout")) or NO_OUTPUT_TIMEOUT,
    )
    reruns = body.get("max_auto_reruns")
    if not isinstance(reruns, int):
        return run
    delay = read_seconds(body.get("auto_rerun_delay")) or 0.0
    return msgspec.structs.replace(run, retry=Retry(attempts=reruns + 1, delay=delay))


def _lower_deploy(body: Map, name: str, when: When) -> AnyStep:
    """A run step of which one parallel copy is enough (CircleCI config reference: deploy, deprecated)."""
    return msgspec.structs.replace(_lower_run(body, name, when), once=True)


def _lower_checkout(body: Map, name: str, when: When) -> AnyStep:
    depth = body.get("depth")
    return Checkout(
        name=name,
        when=when,
        path=read_text(body, "path"),
        method=read_text(body, "method") or "full",
        depth=depth if isinstance(depth, int) else None,
    )


def _lower_save_cache(body: Map, name: str, when: When) -> AnyStep:
    return SaveCache(name=name, when=when, key=read_text(body, "key"), paths=read_texts(body.get("paths")))


def _lower_restore_cache(body: Map, name: str, when: When) -> AnyStep:
    keys = (*read_texts(body.get("key")), *read_texts(body.get("keys")))
    return RestoreCache(name=name, when=when, keys=keys)


def _lower_persist(body: Map, name: str, when: When) -> AnyStep:
    root, paths = read_text(body, "root"), read_texts(body.get("paths"))
    return PersistToWorkspace(name=name, when=when, root=root, paths=paths)


def _lower_attach(body: Map, name: str, when: When) -> AnyStep:
    return AttachWorkspace(name=name, when=when, at=read_text(body, "at"))


def _lower_artifacts(body: Map, name: str, when: When) -> AnyStep:
    """A path without files is told of in the step's output and fails nothing, as on CircleCI."""
    return StoreArtifacts(
        name=name,
        when=_run_anyway(body, when),
        path=read_text(body, "path"),
        destination=read_text(body, "destination"),
        optional=True,
    )


def _lower_test_results(body: Map, name: str, when: When) -> AnyStep:
    return StoreTestResults(name=name, when=_run_anyway(body, when), path=read_text(body, "path"))


def _run_anyway(body: Map, when: When) -> When:
    """Uploads run after a failure too, unless the step says otherwise."""
    return when if "when" in body else When.ALWAYS


def _lower_ssh_keys(body: Map, name: str, when: When) -> AnyStep:
    return AddSshKeys(name=name, when=when, fingerprints=read_texts(body.get("fingerprints")))


def _lower_remote_docker(body: Map, name: str, when: When) -> AnyStep:
    return SetupRemoteDocker(
        name=name,
        when=when,
        version=read_text(body, "version"),
        layer_caching=body.get("docker_layer_caching") is True,
        same_region=body.get("prefer_same_region") is True,
    )


def _lower_signing(_body: Map, name: str, when: When) -> AnyStep:
    return Tool(name=name, when=when, tool="install_signing_bundle")


_LOWER: dict[str, Callable[[Map, str, When], AnyStep]] = {
    "run": _lower_run,
    "deploy": _lower_deploy,
    "checkout": _lower_checkout,
    "setup_remote_docker": _lower_remote_docker,
    "save_cache": _lower_save_cache,
    "restore_cache": _lower_restore_cache,
    "persist_to_workspace": _lower_persist,
    "attach_workspace": _lower_attach,
    "store_artifacts": _lower_artifacts,
    "store_test_results": _lower_test_results,
    "add_ssh_keys": _lower_ssh_keys,
    "install_signing_bundle": _lower_signing,
}
