"""`penstock trigger`: a pipeline of a project on a server."""

import re
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from penstock.api.penstock.payloads import ProjectView
from penstock.cli.exit import Exit
from penstock.cli.options import split_pairs
from penstock.cli.remote.access import HERE, Access, open_client
from penstock.cli.remote.answers import Made
from penstock.cli.remote.client import Client
from penstock.cli.remote.console import write_json, write_line
from penstock.cli.remote.names import find_project, guess_project
from penstock.cli.remote.watching import TO_THE_END, Watching, watch_pipeline
from penstock.cli.streams import complain
from penstock.forge.checkout import read_checkout
from penstock.model.errors import InvalidError, RefusedError, UnavailableError
from penstock.model.picture import PipelinePicture

Several = list[str]


def trigger(  # noqa: PLR0913 - an argument for each option
    project: str = "",
    /,
    *,
    branch: str = "",
    tag: str = "",
    parameter: Annotated[Several | None, Parameter(negative="", alias="-p")] = None,
    config: Path | None = None,
    watch: Annotated[bool, Parameter(negative="", alias="-w")] = False,
    watching: Watching = TO_THE_END,
    access: Access = HERE,
) -> int:
    """Trigger a pipeline.

    Parameters
    ----------
    project
        The project, by slug or id; without it the one this checkout is cloned from.
    branch
        The branch; without it and a tag the one checked out, or the default one of a project that is named.
    tag
        The tag.
    parameter
        NAME=VALUE of a pipeline parameter; may be given several times.
    config
        A file with the config to use instead of the one in the repository.
    watch
        Show the pipeline until it ends; the exit status says how.
    """
    if branch and tag:
        raise InvalidError("--branch and --tag exclude each other: a pipeline is for one of them")
    given = split_pairs(parameter or (), "--parameter")
    source = _read_config(config) if config is not None else ""
    client = open_client(access)
    target = _find_target(client, project, branch, tag)
    found, ref = target.project, target.ref
    body: dict[str, Any] = {"checkout": ref} if ref else {}
    if source:
        body["config"] = {**ref, "content": source}
    made = _start(client, f"project/{found.address}/pipeline/run", body, given)
    picture = client.own("GET", f"pipelines/{made.id}", PipelinePicture)
    _compare(picture, target.sha)
    if watch:
        return watch_pipeline(client, made.id, watching, json=access.json)
    return _announce(picture, made, json=access.json)


def _start(client: Client, path: str, body: dict[str, Any], given: dict[str, str]) -> Made:
    """The pipeline; an argument that looks like a number but must be text is one, as with `penstock run`."""
    wanted = {name: read_value(text) for name, text in given.items()}
    while True:
        if wanted:
            body["parameters"] = wanted
        try:
            return client.circle("POST", path, Made, body)
        except RefusedError as error:
            found = _MUST_BE_TEXT.search(str(error))
            if found is None or isinstance(wanted.get(found[1], ""), str):
                raise
            wanted[found[1]] = given[found[1]]


_MUST_BE_TEXT = re.compile(r"argument (\S+): expected type: string")


def read_value(text: str) -> str | int | bool:
    """The value of a parameter as it is typed: a truth value, a whole number, else text."""
    try:
        return msgspec.json.decode(text, type=int | bool)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return text


class _Target(msgspec.Struct, frozen=True):
    """A project, which branch or tag of it (none for its default branch), and the commit that is expected."""

    project: ProjectView
    ref: dict[str, str]
    sha: str = ""


def _find_target(client: Client, named: str, branch: str, tag: str) -> _Target:
    """What is to be built; where nothing is said, what is checked out here."""
    ref = {"branch": branch} if branch else {"tag": tag} if tag else {}
    if named:
        return _Target(find_project(client, named), ref)
    checkout = read_checkout(Path())
    found = guess_project(client, checkout)
    if ref or not checkout.branch:
        return _Target(found, ref)
    return _Target(found, {"branch": checkout.branch}, checkout.sha)


def _compare(picture: PipelinePicture, expected: str) -> None:
    """Say so when the pipeline is of another commit than what is checked out."""
    if expected and picture.sha and picture.sha != expected:
        told = f"the pipeline is of commit {picture.sha[:7]}, as the remote has it"
        complain(f"{told}, not of {expected[:7]}, which is checked out")


def _read_config(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise UnavailableError(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidError(f"cannot read {file}: it is not UTF-8 text") from error


def _announce(picture: PipelinePicture, made: Made, *, json: bool) -> int:
    """Say what came of it; the exit status."""
    for error in picture.errors:
        complain(f"the config is wrong: {error}")
    if json:
        write_json(made)
    elif not picture.errors:
        write_line(f"Pipeline {made.number} of {picture.project}: penstock watch {made.id}")
    return Exit.USAGE if picture.errors else Exit.SUCCESS
