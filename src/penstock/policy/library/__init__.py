"""The packages `circleci.config` and `circleci.utils`, with which policies are shorter to write."""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

_CONFIG = ("config_classes", "config_contexts", "config_orbs")
_UTILS = ("utils",)


def find_wanted(paths: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The names of the modules that policies want which refer to these paths."""
    named = {names[2] if len(names) > 2 else "" for names in paths if names[:2] == ("data", "circleci")}  # noqa: PLR2004 - data, circleci, name
    if "config" in named or "" in named:
        return (*_CONFIG, *_UTILS)
    return _UTILS if "utils" in named else ()


@cache
def load_module(name: str) -> str:
    """The text of a module of the library."""
    return files(__name__).joinpath(f"{name}.rego").read_text("utf-8")
