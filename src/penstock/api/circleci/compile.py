"""Configs compiled for whoever writes them; no pipeline comes of it."""

from typing import Any

from penstock.api.circleci import payloads
from penstock.api.circleci.show import word_finding
from penstock.api.common.call import Call
from penstock.api.common.server import Server
from penstock.engine.languages import find_language
from penstock.engine.launch import LANGUAGE
from penstock.language.circleci.pipeline import PipelineFacts, list_values
from penstock.language.common.context import Context
from penstock.model.diagnostic import Severity
from penstock.plan.plan import Plan

MOST_BYTES = 8 << 20
"""Size of a request; the compiler has a lower bound and a better message."""

_BRANCH = "main"
_NOTHING = "0" * 40
_PREFIX = "pipeline."

Values = dict[str, payloads.Simple | None]


class Attributes(payloads.Payload, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be compiled, in v3."""

    config: str
    enable_next_preview: bool | None = None
    pipeline_parameters: dict[str, payloads.Simple] | None = None
    pipeline_values: Values | None = None


class Data(payloads.Payload, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The attributes, wrapped; `references` names an organization."""

    attributes: Attributes
    references: dict[str, Any] | None = None


class CompileRequest(payloads.Payload, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `configs/compile` in v3."""

    data: Data


class Outcome(payloads.Payload, frozen=True, kw_only=True):
    """What became of a config."""

    outcome: str
    compiled_config: str


class Wrapped(payloads.Payload, frozen=True, kw_only=True):
    """The same, wrapped."""

    attributes: Outcome


class Title(payloads.Payload, frozen=True, kw_only=True):
    """A finding."""

    title: str


class Meta(payloads.Payload, frozen=True, kw_only=True):
    """The findings."""

    messages: tuple[Title, ...]


class CompileAnswer(payloads.Payload, frozen=True, kw_only=True):
    """The answer of `configs/compile` in v3."""

    data: Wrapped
    meta: Meta


def compile_with_defaults(server: Server, call: Call) -> payloads.Compiled:
    """Compile a config; one with mistakes is answered with them."""
    body: payloads.CompileBody = call.payload
    options = body.options or payloads.CompileOptions()
    plan = _compile(server, body.config_yaml, options.pipeline_parameters, options.pipeline_values)
    errors = _list_errors(plan)
    return payloads.Compiled(
        valid=not errors,
        source_yaml=body.config_yaml,
        output_yaml="" if errors else plan.compiled,
        errors=tuple(payloads.Message(message=error) for error in errors),
    )


def compile_config(server: Server, call: Call) -> CompileAnswer:
    """The same as v3 asks and answers."""
    asked: Attributes = call.payload.data.attributes
    plan = _compile(server, asked.config, asked.pipeline_parameters, asked.pipeline_values)
    errors = _list_errors(plan)
    outcome = Outcome(
        outcome="failed" if errors else "succeeded", compiled_config="" if errors else plan.compiled
    )
    return CompileAnswer(
        data=Wrapped(attributes=outcome), meta=Meta(messages=tuple(Title(title=error) for error in errors))
    )


def _compile(
    server: Server, text: str, parameters: dict[str, payloads.Simple] | None, given: Values | None
) -> Plan:
    source = text.encode("utf-8", "surrogatepass")
    values = _choose_values(given or {})
    branch, tag = (str(values.get(f"{_PREFIX}git.{name}") or "") for name in ("branch", "tag"))
    context = Context(branch=branch, tag=tag, values=values, parameters=parameters or {})
    return find_language(LANGUAGE).compile(source, server.workshop.supply(source, context))


def _choose_values(given: Values) -> Values:
    """The values given, and for those that are not what an example has; old clients leave `pipeline.` out."""
    named = {name if name.startswith(_PREFIX) else f"{_PREFIX}{name}": value for name, value in given.items()}
    tag = str(named.get(f"{_PREFIX}git.tag") or "")
    example = PipelineFacts(
        id="00000000-0000-0000-0000-000000000001",
        number=1,
        project_slug="gh/organization/project",
        project_url="https://github.com/organization/project",
        branch="" if tag else _BRANCH,
        tag=tag,
        sha=_NOTHING,
        default_branch=_BRANCH,
    )
    values = list_values(example) | named
    number = values.get(f"{_PREFIX}number")
    if isinstance(number, str) and number.isdecimal():
        values[f"{_PREFIX}number"] = int(number[:18])
    return values


def _list_errors(plan: Plan) -> list[str]:
    return [word_finding(finding) for finding in plan.diagnostics if finding.severity is Severity.ERROR]
