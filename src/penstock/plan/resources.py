"""Resource classes: how many processors and how much memory each stands for, and what a minute costs.

CircleCI docs: resource class overview, pricing tables (sizes in GB as written, credits a minute).
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec


class Resources(msgspec.Struct, frozen=True):
    """What a class gives to a job; `credits` is None where no table tells."""

    processors: float
    memory: float  # GiB
    credits: int | None = None


_DOCKER = {
    "small": Resources(1, 2, 5),
    "medium": Resources(2, 4, 10),
    "medium+": Resources(3, 6, 15),
    "large": Resources(4, 8, 20),
    "xlarge": Resources(8, 16, 40),
    "2xlarge": Resources(16, 32, 80),
    "2xlarge+": Resources(20, 40, 100),
}
_DOCKER_GEN2 = {f"{name}.gen2": Resources(each.processors, each.memory) for name, each in _DOCKER.items()}
_ARM = {
    "arm.medium": Resources(2, 8, 13),
    "arm.large": Resources(4, 16, 26),
    "arm.xlarge": Resources(8, 32, 52),
    "arm.2xlarge": Resources(16, 64, 104),
}

CONTAINERS: Mapping[str, Resources] = MappingProxyType(_DOCKER | _DOCKER_GEN2 | _ARM)
"""Classes of the docker executor."""


def find_resources(name: str) -> Resources | None:
    """The bounds of a container of this class; None for no class, or one of the user's own agents."""
    return CONTAINERS.get(name)
