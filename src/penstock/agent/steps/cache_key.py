"""Cache keys: the template a config writes and the text it becomes."""

import base64
import hashlib
import platform
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import msgspec

from penstock.model.errors import RefusedError
from penstock.wire.messages import Assignment

_ACTION = re.compile(r"\{\{(-?)(.*?)(-?)\}\}", re.DOTALL)
_CALL = re.compile(r"""(?P<name>\.?[A-Za-z_][\w.]*)\s*(?P<arguments>(?:\s*(?:"(?:\\.|[^"\\])*"|`[^`]*`))*)""")
_TEXT = re.compile(r'"((?:\\.|[^"\\])*)"|`([^`]*)`')
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "i686": "386", "i386": "386", "armv7l": "arm"}


class KeyFacts(msgspec.Struct, frozen=True):
    """What a template may ask for; `read` yields a file's content and raises RefusedError when it cannot."""

    assignment: Assignment
    environment: Mapping[str, str]
    read: Callable[[str], Iterator[bytes]]


def expand_key(template: str, facts: KeyFacts) -> str:
    """The key (CircleCI docs: using keys and templates). Raises RefusedError for what it does not know."""
    out, position = "", 0
    for action in _ACTION.finditer(template):
        text = template[position : action.start()]
        out += text.rstrip() if action[1] else text
        out += _evaluate(action[2].strip(), facts)
        position = action.end()
        if action[3]:
            position += len(template) - position - len(template[position:].lstrip())
    rest = template[position:]
    if "{{" in rest:
        raise _complain("unclosed action")
    return out + rest


def _evaluate(action: str, facts: KeyFacts) -> str:
    call = _CALL.fullmatch(action)
    if call is None:
        raise _complain(f"cannot understand {{{{ {action} }}}}")
    arguments = [quoted or raw for quoted, raw in _TEXT.findall(call["arguments"])]
    if call["name"].startswith("."):
        if arguments:
            raise _complain(f"{call['name']} takes no arguments")
        return _read_field(call["name"], facts)
    return _call_function(call["name"], arguments, facts)


def _call_function(name: str, arguments: list[str], facts: KeyFacts) -> str:
    wanted = {"checksum": 1, "epoch": 0, "arch": 0}.get(name)
    if wanted is None:
        raise _complain(f'function "{name}" not defined')
    if len(arguments) != wanted:
        raise _complain(f"wrong number of args for {name}: want {wanted} got {len(arguments)}")
    if name == "checksum":
        return _checksum(arguments[0], facts)
    return str(int(time.time())) if name == "epoch" else describe_machine()


def _read_field(name: str, facts: KeyFacts) -> str:
    if name.startswith(".Environment."):
        return facts.environment.get(name.removeprefix(".Environment."), "<no value>")
    source = facts.assignment.source
    match name:
        case ".Branch":
            return source.revision.branch if source else ""
        case ".Revision":
            return source.revision.sha if source else ""
        case ".BuildNum":
            return str(facts.assignment.number)
        case ".CheckoutKey":
            return hashlib.sha256((source.origin or source.url).encode() if source else b"").hexdigest()[:32]
        case _:
            raise _complain(f"can't evaluate field {name.removeprefix('.')}")


def _checksum(path: str, facts: KeyFacts) -> str:
    """Base64 of the SHA-256 of the content, as CircleCI's keys show it."""
    digest = hashlib.sha256()
    try:
        for piece in facts.read(path):
            digest.update(piece)
    except RefusedError as error:
        raise _complain(f"error calling checksum: {error}") from error
    return base64.b64encode(digest.digest()).decode()


@cache
def describe_machine() -> str:
    """Operating system, processor and its family and model: `linux-amd64-6_85`."""
    machine = _MACHINES.get(platform.machine(), platform.machine())
    system = "darwin" if sys.platform == "darwin" else sys.platform
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        text = ""
    family = re.search(r"^cpu family\s*:\s*(\d+)", text, re.MULTILINE)
    model = re.search(r"^model\s*:\s*(\d+)", text, re.MULTILINE)
    return f"{system}-{machine}" + (f"-{family[1]}_{model[1]}" if family and model else "")


def _complain(problem: str) -> RefusedError:
    return RefusedError(f"error computing cache key: template: cacheKey:1: {problem}")
