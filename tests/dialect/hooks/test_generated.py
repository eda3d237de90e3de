"""Signed webhooks with anything in the place of anything: answers that make sense, no fault of ours."""

import copy
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.kit.ids import new_id
from tests.support import hooks
from tests.support.circle import CircleSite
from tests.support.hook_site import HookSite

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
    | st.sampled_from(["refs/heads/x", hooks.ZERO, hooks.AFTER, "-x", "..", "https://x.invalid/a/b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
KINDS: dict[str, tuple[Callable[[object], hooks.Message], object]] = {
    "github push": (lambda body: hooks.from_github("push", body), hooks.github_push()),
    "github pull": (lambda body: hooks.from_github("pull_request", body), hooks.github_pull(fork=True)),
    "gitea push": (lambda body: hooks.from_gitea("push", body), hooks.gitea_push()),
    "gitlab push": (lambda body: hooks.from_gitlab("Push Hook", body), hooks.gitlab_push()),
    "gitlab merge": (
        lambda body: hooks.from_gitlab("Merge Request Hook", body),
        hooks.gitlab_merge(fork=True),
    ),
    "bitbucket push": (lambda body: hooks.from_bitbucket("repo:push", body), hooks.bitbucket_push()),
    "bitbucket pull": (
        lambda body: hooks.from_bitbucket("pullrequest:created", body),
        hooks.bitbucket_pull(fork=True),
    ),
    "server push": (lambda body: hooks.from_bitbucket("repo:refs_changed", body), hooks.server_push()),
    "server pull": (lambda body: hooks.from_bitbucket("pr:opened", body), hooks.server_pull(fork=True)),
}


@pytest.fixture(scope="module")
def hooked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HookSite]:
    """One site for all messages; its project builds whatever it can."""
    folder: Path = tmp_path_factory.mktemp("hooks")
    site = CircleSite(f"sqlite:///{folder / 'penstock.db'}", folder)
    made = HookSite(site)
    made.change(build_fork_prs=True, autocancel_builds=True)
    yield made
    site.close()


def list_places(body: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """The ways to everything in the body."""
    inner: list[tuple[object, object]] = []
    if isinstance(body, dict):
        inner = list(body.items())
    elif isinstance(body, list):
        inner = list(enumerate(body))
    return [path, *(place for key, value in inner for place in list_places(value, (*path, key)))]


def put(body: object, path: tuple[object, ...], value: object) -> object:
    """The body with the value at the place."""
    if not path:
        return value
    changed = copy.deepcopy(body)
    at = changed
    for key in path[:-1]:
        at = at[key]  # type: ignore[index]  # the way is one of the body's
    at[path[-1]] = value  # type: ignore[index]  # the same
    return changed


@pytest.mark.parametrize("kind", KINDS)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_a_genuine_webhook_is_never_our_undoing(
    hooked: HookSite, caplog: pytest.LogCaptureFixture, kind: str, data: st.DataObject
) -> None:
    write, body = KINDS[kind]
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(list_places(body)))
        body = put(body, place, data.draw(ANYTHING))
    caplog.clear()
    with caplog.at_level(logging.ERROR):
        message = write(body)
        known = "Idempotency-Key" in message.headers
        reply = hooked.send(message.with_header("Idempotency-Key", new_id()) if known else message)
        assert reply.status in {200, 202, 400, 409}, reply.body
        assert hooked.carry() is None
    assert caplog.records == []
