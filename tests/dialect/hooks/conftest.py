"""A server that git hosts send their webhooks to."""

import pytest

from tests.support.circle import CircleSite
from tests.support.hook_site import HookSite


@pytest.fixture
def hooked(site: CircleSite) -> HookSite:
    """A site whose project hears webhooks, with nothing pushed yet."""
    return HookSite(site)
