"""The page about the API names every call there is."""

import re
from pathlib import Path

from penstock.api.circleci.routes import ROUTES

PAGE = Path(__file__).parents[3] / "docs/use/circleci-api.md"


def test_the_page_has_every_call_and_no_other() -> None:
    told = re.findall(r"^\| `([A-Z]+ \S+)` \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    routed = [
        (f"{route.method} {re.sub(r':[a-z0-9]+}', '}', route.path)}", route.summary) for route in ROUTES
    ]
    assert told == routed
