"""Resource classes: how many processors and how much memory each stands for, and what a minute costs.

CircleCI docs: resource class overview, pricing tables (sizes in GB as written, credits a minute).
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from penstock.model.errors import InvalidError
from penstock.plan.executor import ExecutorKind


class Resources(msgspec.Struct, frozen=True):
    """What a class gives to one copy of a job; `credits` is None where no table tells."""

    processors: float
    memory: float  # GiB
    credits: int | None = None


def _vary(classes: Mapping[str, Resources], generation: str) -> dict[str, Resources]:
    """The same sizes under the names of a later generation, whose prices are not public."""
    return {f"{name}.{generation}": Resources(each.processors, each.memory) for name, each in classes.items()}


_DOCKER = {
    "small": Resources(1, 2, 5),
    "medium": Resources(2, 4, 10),
    "medium+": Resources(3, 6, 15),
    "large": Resources(4, 8, 20),
    "xlarge": Resources(8, 16, 40),
    "2xlarge": Resources(16, 32, 80),
    "2xlarge+": Resources(20, 40, 100),
}
SIZES = frozenset(_DOCKER)
"""The names that say nothing but a size: of containers, and most of them of Linux machines."""

_DOCKER_ARM = {
    "arm.medium": Resources(2, 8, 13),
    "arm.large": Resources(4, 16, 26),
    "arm.xlarge": Resources(8, 32, 52),
    "arm.2xlarge": Resources(16, 64, 104),
}
_LINUX = {
    "medium": Resources(2, 7.5, 10),
    "large": Resources(4, 15, 20),
    "xlarge": Resources(8, 32, 40),
    "2xlarge": Resources(16, 64, 80),
    "2xlarge+": Resources(32, 64),
}
_LINUX_LATER = {
    "medium": Resources(2, 8),
    "large": Resources(4, 16),
    "xlarge": Resources(8, 32),
    "2xlarge": Resources(16, 64),
    "2xlarge+": Resources(32, 128),
}
_ARM = {
    "arm.medium": Resources(2, 8, 10),
    "arm.large": Resources(4, 16, 20),
    "arm.xlarge": Resources(8, 32, 40),
    "arm.2xlarge": Resources(16, 64, 80),
}
_GPU = {
    "gpu.nvidia.small": Resources(4, 16),
    "gpu.nvidia.small.gen2": Resources(4, 16),
    "gpu.nvidia.small.multi": Resources(4, 15),
    "gpu.nvidia.medium": Resources(8, 30),
    "gpu.nvidia.medium.multi": Resources(8, 30),
    "gpu.nvidia.large": Resources(8, 30),
}
_WINDOWS = {
    "windows.medium": Resources(4, 16, 40),
    "windows.large": Resources(8, 32, 120),
    "windows.xlarge": Resources(16, 64, 210),
    "windows.2xlarge": Resources(32, 128, 500),
    "windows.gpu.nvidia.medium": Resources(16, 60, 500),
}
_MACOS = {
    "m4pro.medium": Resources(6, 28, 200),
    "m4pro.large": Resources(12, 56, 400),
}

CLASSES: Mapping[ExecutorKind, Mapping[str, Resources]] = MappingProxyType(
    {
        ExecutorKind.DOCKER: _DOCKER | _vary(_DOCKER, "gen2") | _DOCKER_ARM,
        ExecutorKind.MACHINE: _LINUX
        | _vary(_LINUX_LATER, "gen2")
        | _vary(_LINUX_LATER, "gen3")
        | _ARM
        | _GPU,
        ExecutorKind.WINDOWS: _WINDOWS,
        ExecutorKind.MACOS: _MACOS,
    }
)
"""The classes of each kind of executor by their names."""

_USUAL = {
    ExecutorKind.DOCKER: "medium",
    ExecutorKind.MACHINE: "medium",
    ExecutorKind.WINDOWS: "windows.medium",
    ExecutorKind.MACOS: "m4pro.medium",
}
_MINUTE = 60
_NO_PRICES: Mapping[str, float] = MappingProxyType({})
_PRICE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


def find_resources(name: str, kind: ExecutorKind = ExecutorKind.DOCKER) -> Resources | None:
    """The bounds of a class; None for no class, or one of the user's own agents."""
    return CLASSES.get(kind, {}).get(name)


def is_own_class(name: str) -> bool:
    """True for a class of the user's own agents, `namespace/name` (CircleCI docs: self-hosted runner)."""
    return "/" in name


def find_price(name: str, kind: ExecutorKind, prices: Mapping[str, float] = _NO_PRICES) -> float | None:
    """Credits for a minute of a class: as `prices` say, else as CircleCI's cloud asks; None when none tells.

    A job that names no class has the usual one of its kind. The user's own agents cost nothing.
    """
    wanted = name or _USUAL.get(kind, "")
    if wanted in prices:
        return prices[wanted]
    if is_own_class(name) or kind not in _USUAL:
        return 0.0
    resources = find_resources(wanted, kind)
    return None if resources is None else resources.credits


def compute_credits(
    name: str,
    kind: ExecutorKind,
    seconds: float,
    copies: int = 1,
    prices: Mapping[str, float] = _NO_PRICES,
) -> float | None:
    """What is taken for copies of a job that ran so long each; None when no table tells."""
    price = find_price(name, kind, prices)
    return None if price is None else price * seconds * copies / _MINUTE


def parse_prices(texts: Iterable[str]) -> dict[str, float]:
    """Credits for a minute by class, of `CLASS=CREDITS` each. Raises InvalidError for one that is not so."""
    prices: dict[str, float] = {}
    for text in texts:
        name, _, price = text.rpartition("=")
        if not name.strip() or _PRICE.fullmatch(price.strip()) is None:
            raise InvalidError(f"{text[:80]!r} is no price: acme/large=20 is one, in credits a minute")
        prices[name.strip()] = float(price)
    return prices
