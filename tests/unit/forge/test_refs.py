"""Names of refs: what we take is what git takes."""

import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.forge.refs import expand_ref, is_ref, is_sha, is_zero

PIECES = st.sampled_from(
    ["a", "b", "/", ".", "..", "@", "@{", "-", "~", "*", " ", ".lock", "é", "\\", "^", ":", "["]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=6).map("".join))
def test_a_name_we_take_is_one_git_takes(name: str) -> None:
    asked = subprocess.run(["git", "check-ref-format", f"refs/heads/{name}"], check=False)
    if is_ref(name):
        assert asked.returncode == 0
    elif asked.returncode == 0:
        assert name.startswith("-") or name == "@"  # git allows it below refs/heads, but not as a word


def test_a_short_name_is_a_branch_first() -> None:
    assert expand_ref("v1") == ("refs/heads/v1", "refs/tags/v1", "refs/v1")
    assert expand_ref("refs/tags/v1") == ("refs/tags/v1",)


def test_commits_are_named_by_all_their_digits() -> None:
    assert is_sha("a" * 40)
    assert is_sha("a" * 64)
    assert not any(is_sha(each) for each in ("a" * 39, "A" * 40, "g" * 40, "0" * 40, ""))
    assert is_zero("0" * 40)
