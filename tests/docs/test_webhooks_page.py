"""What the page about webhooks says to receivers is true."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from penstock.engine.webhook_choice import FIRST_REST, GROWTH, LONGEST_RECEIVER_REST, LONGEST_REST, Limits
from penstock.engine.webhook_log import KEPT
from penstock.notify.address import Reach
from penstock.notify.send import KEPT as KEPT_BYTES
from penstock.notify.sign import sign_body
from tests.support.pages import ROOT, read_fences

PAGE = ROOT / "docs/use/webhooks.md"
BODY = '{"type": "ping", "name": "\N{SNOWMAN}"}'.encode()


@pytest.fixture
def is_genuine() -> Callable[[str, bytes, str], bool]:
    [code] = [fence.text for fence in read_fences(PAGE) if fence.words == ("python", "verify")]
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - what the page tells people to run
    return cast("Callable[[str, bytes, str], bool]", names["is_genuine"])


def test_the_page_shows_how_a_signature_is_checked(is_genuine: Callable[[str, bytes, str], bool]) -> None:
    signature = sign_body("s\N{SNOWMAN}".encode(), BODY)
    assert is_genuine("s\N{SNOWMAN}", BODY, signature)
    assert is_genuine("s\N{SNOWMAN}", BODY, f"{signature}, v2=x")
    assert not is_genuine("s", BODY, signature)
    assert not is_genuine("s\N{SNOWMAN}", BODY + b" ", signature)


@pytest.mark.parametrize("header", ["", "v1=", "v1", "v2=00", "v1=\u00e9", "=,=", "v1=00,v1=11"])
def test_what_is_no_signature_is_refused(is_genuine: Callable[[str, bytes, str], bool], header: str) -> None:
    assert not is_genuine("s", BODY, header)


def test_the_page_names_the_bounds_there_are() -> None:
    text = " ".join(PAGE.read_text().split())
    limits = Limits()
    assert (FIRST_REST, GROWTH, LONGEST_REST, LONGEST_RECEIVER_REST) == (5_000, 3, 3_600_000, 600_000)
    assert "after 5 s, 15 s, 45 s and so on, at most an hour apart" in text
    assert (KEPT, KEPT_BYTES) == (1000, 4096)
    assert (limits.slots, limits.of_host, limits.of_troubled) == (64, 8, 16)
    assert sorted(Reach().ports) == [80, 443, 8080, 8443]
