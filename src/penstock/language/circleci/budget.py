"""Bounds on what a config may grow to, so that a small file cannot fill the memory."""

from penstock.language.common.diagnostic import Reporter
from penstock.language.common.tree import Place

MOST_STEPS = 50_000
MOST_JOBS = 2_000
MOST_TEXT = 8_000_000
"""Characters rendered from `<< >>`, ten more for each time."""
MOST_DEPTH = 40
"""Commands and conditional steps inside each other."""


class Budget:
    """What is left; when something runs out that is said once, and growing stops."""

    def __init__(self, report: Reporter) -> None:
        self._report = report
        self._left = {"steps": MOST_STEPS, "jobs": MOST_JOBS, "characters": MOST_TEXT}
        self.exhausted = False

    def spend(self, what: str, amount: int, place: Place) -> bool:
        """True when there was enough left."""
        self._left[what] -= amount
        if self._left[what] < 0 and not self.exhausted:
            self.exhausted = True
            message = f"The config expands to too many {what}."
            hint = "split it into several configs, or move repeated work into scripts"
            self._report.error("config-too-large", message, place, hint=hint)
        return not self.exhausted
