"""The page about our own API lists its calls as they are."""

import re

from penstock.api.penstock.routes import PREFIX, ROUTES
from tests.support.pages import ROOT

PAGE = ROOT / "docs/use/own-api.md"


def test_the_page_has_every_call_and_no_other() -> None:
    told = re.findall(
        r"^\| `((?:GET|POST|PUT|PATCH|DELETE) \S+)` \| (.+) \|$", PAGE.read_text(), re.MULTILINE
    )
    routed = [(f"{each.method} {each.path.removeprefix(PREFIX)}", each.summary) for each in ROUTES]
    assert told == routed
