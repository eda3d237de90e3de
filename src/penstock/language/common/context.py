"""What a compiler may know besides the source text."""

from collections.abc import Mapping

import msgspec


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """The trigger, as far as a config can ask about it.

    `values` holds what the config may refer to by dotted name (`pipeline.git.branch`); None says that
    the value is known to be absent. `parameters` are the arguments of the trigger. Exactly one of
    `branch` and `tag` is set, or neither when nothing is known about the ref. `orbs` are the sources of
    registry orbs that whoever calls could get hold of, by their reference (`circleci/node@5.1`); a
    reference in `pins` stands for the exact one there, and `faults` says why one could not be had.
    """

    file: str = ".circleci/config.yml"
    branch: str = ""
    tag: str = ""
    values: Mapping[str, str | int | bool | None] = {}
    parameters: Mapping[str, str | int | bool] = {}
    orbs: Mapping[str, str] = {}
    pins: Mapping[str, str] = {}
    faults: Mapping[str, str] = {}
