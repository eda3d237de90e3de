"""Every address of CircleCI's API that is not about one run: who may call it, what goes in and comes out."""

from penstock.api.common.route import Route

# fmt: off
_CONTEXTS: tuple[Route, ...] = (
)

_GROUPS: tuple[Route, ...] = (
)

_PROJECTS: tuple[Route, ...] = (
)

_KEYS: tuple[Route, ...] = (
)

_SCHEDULES: tuple[Route, ...] = (
)

_WEBHOOKS: tuple[Route, ...] = (
)

_POLICIES: tuple[Route, ...] = (
)

_CLAIMS: tuple[Route, ...] = (
)

_USAGE: tuple[Route, ...] = (
)
# fmt: on

PLATFORM: tuple[Route, ...] = (
    *_CONTEXTS,
    *_GROUPS,
    *_PROJECTS,
    *_KEYS,
    *_SCHEDULES,
    *_WEBHOOKS,
    *_POLICIES,
    *_CLAIMS,
    *_USAGE,
)
