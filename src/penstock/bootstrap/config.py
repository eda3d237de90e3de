"""Finds, reads and compiles the config of a checkout."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from penstock.forge.checkout import Checkout, read_checkout
from penstock.kit.ids import new_id
from penstock.language.circleci.compile import compile as compile_circleci
from penstock.language.circleci.pipeline import PipelineFacts, list_values
from penstock.language.common.context import Context
from penstock.model.errors import InvalidError, RefusedError
from penstock.plan.arguments import read_arguments
from penstock.plan.plan import Plan

DEFAULT_CONFIG = Path(".circleci/config.yml")

MOST_BYTES = 64 << 20
"""Past this a file is not even read; the compiler's own bound is lower and has a better message."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be compiled, and for which trigger. `branch` and `tag` replace those of the checkout."""

    file: Path
    checkout: Checkout
    branch: str = ""
    tag: str = ""
    parameters: Mapping[str, str] = {}
    pipeline: str = msgspec.field(default_factory=new_id)
    number: int = 1
    orb_lock: Path | None = None


class Compiled(msgspec.Struct, frozen=True, kw_only=True):
    """The plan of a config, with the bytes and the arguments it was made from."""

    plan: Plan
    source: bytes
    parameters: Mapping[str, str | int | bool]


def find_config(path: Path, given: Path | None) -> tuple[Checkout, Path]:
    """The checkout that holds `path`, and its config file: the given one or the default.

    Raises RefusedError when there is no such file.
    """
    checkout = read_checkout(path)
    if given is not None:
        if not is_file(given):
            raise RefusedError(f"{given} is no file that exists")
        return checkout, given
    for top in dict.fromkeys((path.resolve(), checkout.top)):
        if is_file(top / DEFAULT_CONFIG):
            return checkout, top / DEFAULT_CONFIG
    raise RefusedError(
        f"there is no {DEFAULT_CONFIG} in {checkout.top}: name a config file, or a folder that has one"
    )


def is_file(path: Path) -> bool:
    """True when there is a regular file; false also for names no file can have."""
    try:
        return path.is_file()
    except OSError:
        return False


def read_config(file: Path) -> bytes:
    """The bytes of the file. Raises InvalidError when it is absurdly large or may not be read."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise InvalidError(f"{file} is larger than {MOST_BYTES >> 20} MiB: this is no config file")
        return file.read_bytes()
    except OSError as error:
        raise InvalidError(f"{file} cannot be read: {error.strerror}") from error


def compile_config(question: Question, source: bytes | None = None) -> Compiled:
    """The plan; a user's mistakes are in its diagnostics. Raises when the file cannot be read.

    `source` is what was read from the file before, when the same text is to be compiled again.
    """
    source = read_config(question.file) if source is None else source
    context = supply_context(source, make_context(question, {}), question)
    if question.parameters:
        # The declared types are known only after a first look, which takes defaults for all parameters.
        specs = compile_circleci(source, context).parameters
        arguments = read_arguments(specs, question.parameters)
        context = supply_context(source, msgspec.structs.replace(context, parameters=arguments), question)
    plan = compile_circleci(source, context)
    return Compiled(plan=plan, source=source, parameters=context.parameters)


def supply_context(source: bytes, context: Context, question: Question) -> Context:
    """The context with the orbs the config wants; nothing is imported or asked when it wants none."""
    if b"orbs" not in source:
        return context
    from penstock.bootstrap.orbs import supply_orbs

    return supply_orbs(source, context, question.orb_lock)


def make_context(question: Question, parameters: Mapping[str, str | int | bool]) -> Context:
    """What the config may know of its trigger; a tag pipeline has no branch."""
    checkout = question.checkout
    branch = "" if question.tag else question.branch or checkout.branch
    identity = checkout.identity
    facts = PipelineFacts(
        id=question.pipeline,
        number=question.number,
        project_slug=f"{identity.organization}/{identity.name}",
        project_url=checkout.remote,
        branch=branch,
        tag=question.tag,
        sha=checkout.sha,
        default_branch=checkout.default_branch,
        subject=checkout.subject,
        body=checkout.body,
        author=checkout.author,
    )
    return Context(
        file=show_path(question.file, checkout.top),
        branch=branch,
        tag=question.tag,
        values=list_values(facts),
        parameters=parameters,
    )


def show_path(file: Path, top: Path) -> str:
    """The file as a person would write it: below the checkout's top without it."""
    try:
        return str(file.resolve().relative_to(top))
    except ValueError:
        return str(file)
