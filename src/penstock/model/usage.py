"""What a job run used of the machine it ran on."""

from typing import Annotated

import msgspec

Share = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]


class Used(msgspec.Struct, frozen=True, array_like=True):
    """How busy a task was, in hundredths of a percent of what its resource class grants."""

    cpu_median: Share
    cpu_max: Share
    ram_median: Share
    ram_max: Share
