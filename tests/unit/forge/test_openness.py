"""Tests of the question whether everybody may read a repository."""

from pathlib import Path

import pytest

from penstock.forge.address import ANYWHERE, Policy
from penstock.forge.openness import answers_everybody
from penstock.model.errors import ForbiddenError, UnavailableError
from tests.support.git_host import TOKEN, serve_git
from tests.support.repositories import git, make_repository


def make_bare(folder: Path) -> None:
    make_repository(folder / "source", {"word": "x"})
    git(folder, "clone", "--quiet", "--bare", "source", "app.git")


def test_what_is_handed_out_to_all_is_open_and_what_wants_a_token_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_bare(tmp_path)
    with serve_git(tmp_path) as host:
        url = f"{host.address}/app.git"
        assert answers_everybody(url, ANYWHERE)
        assert not answers_everybody(f"{host.address}/other.git", ANYWHERE)
        host.private = True
        assert not answers_everybody(url, ANYWHERE)
        (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login x password {TOKEN}\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        assert not answers_everybody(url, ANYWHERE)  # what this machine's user may does not count
        assert not answers_everybody(url.replace("://", f"://x:{TOKEN}@"), ANYWHERE)
        host.status = 503
        with pytest.raises(UnavailableError):
            answers_everybody(url, ANYWHERE)


def test_what_lies_on_this_machine_is_not_open(tmp_path: Path) -> None:
    make_bare(tmp_path)
    assert not answers_everybody(str(tmp_path / "app.git"), ANYWHERE)
    assert not answers_everybody("", ANYWHERE)
    assert not answers_everybody("ssh://git@git.example.com/app.git", ANYWHERE)


def test_a_protocol_that_is_not_allowed_is_not_asked() -> None:
    with pytest.raises(ForbiddenError):
        answers_everybody("http://127.0.0.1:9/app.git", Policy())
