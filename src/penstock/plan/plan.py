"""A plan: everything one config asks for, compiled."""

import msgspec

from penstock.model.diagnostic import Diagnostic
from penstock.plan.workflow import ParameterSpec, WorkflowPlan


class Plan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a compiler returns.

    `workflows` holds every workflow by its key, also those that start later. `parameters` are the
    pipeline parameters the config declares. `compiled` is the processed config as its vendor prints it.
    A plan with an error among its diagnostics has no workflows.
    """

    language: str
    workflows: dict[str, WorkflowPlan] = {}
    parameters: tuple[ParameterSpec, ...] = ()
    setup: bool = False  # its only purpose is to continue with another config
    diagnostics: tuple[Diagnostic, ...] = ()
    compiled: str = ""


_encoder = msgspec.json.Encoder(order=None)
_decoder = msgspec.json.Decoder(Plan)
_workflow_decoder = msgspec.json.Decoder(WorkflowPlan)


def encode(node: msgspec.Struct) -> bytes:
    """The node as compact JSON."""
    return _encoder.encode(node)


def decode_plan(data: bytes | str) -> Plan:
    """The plan that `encode` wrote. Raises msgspec.ValidationError when it is not one."""
    return _decoder.decode(data)


def decode_workflow(data: bytes | str) -> WorkflowPlan:
    """The workflow that `encode` wrote. Raises msgspec.ValidationError when it is not one."""
    return _workflow_decoder.decode(data)
