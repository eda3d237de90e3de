"""Bounds on what a config may grow to, so that a small file cannot fill the memory."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from penstock.language.common.diagnostic import Reporter
from penstock.language.common.tree import Place

MOST_STEPS = 50_000
MOST_JOBS = 2_000
MOST_TEXT = 8_000_000
"""Characters rendered from `<< >>`, ten more for each time."""
MOST_MATCHING = 2_000
"""Milliseconds for matching the patterns of filters and conditions; a pattern takes microseconds."""
MOST_DEPTH = 40
"""Commands and conditional steps inside each other."""


_MATCHING = "milliseconds"
_WORTH_COUNTING = 0.002


class Budget:
    """What is left; when something runs out that is said once, and growing stops."""

    def __init__(self, report: Reporter) -> None:
        self._report = report
        self._left = {
            "steps": MOST_STEPS,
            "jobs": MOST_JOBS,
            "characters": MOST_TEXT,
            _MATCHING: MOST_MATCHING,
        }
        self.exhausted = False

    @contextmanager
    def watch(self, place: Place) -> Iterator[None]:
        """What runs inside takes of the time there is for matching patterns."""
        start = time.perf_counter()
        try:
            yield
        finally:
            if (elapsed := time.perf_counter() - start) > _WORTH_COUNTING:
                self.spend(_MATCHING, int(elapsed * 1000), place)

    def spend(self, what: str, amount: int, place: Place) -> bool:
        """True when there was enough left."""
        self._left[what] -= amount
        if self._left[what] < 0 and not self.exhausted:
            self.exhausted = True
            message = f"The config expands to too many {what}."
            hint = "split it into several configs, or move repeated work into scripts"
            if what == _MATCHING:
                message, hint = "The patterns of the config take too long to match.", "write simpler patterns"
            self._report.error("config-too-large", message, place, hint=hint)
        return not self.exhausted
