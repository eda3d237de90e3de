"""Finding, reading and compiling the config of a checkout."""

import os
from pathlib import Path

import pytest

from penstock.bootstrap.config import (
    MOST_BYTES,
    Question,
    compile_config,
    find_config,
    make_context,
    read_config,
    show_path,
)
from penstock.model.diagnostic import has_errors
from penstock.model.errors import InvalidError, RefusedError
from tests.support.repositories import make_repository

CONFIG = """
version: 2.1
parameters:
  count: {type: integer, default: 1}
jobs:
  build:
    machine: true
    steps: [run: "echo << pipeline.parameters.count >> << pipeline.number >>"]
"""


@pytest.fixture
def top(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "app", {".circleci/config.yml": CONFIG, "svc/deep/file": ""})


def test_the_config_of_the_folder_comes_before_that_of_the_checkout(top: Path) -> None:
    checkout, file = find_config(top / "svc/deep", None)
    assert (checkout.top, file) == (top, top / ".circleci/config.yml")
    own = top / "svc/.circleci/config.yml"
    own.parent.mkdir()
    own.write_text(CONFIG)
    assert find_config(top / "svc", None)[1] == own
    assert find_config(top, None)[1] == top / ".circleci/config.yml"


def test_a_named_file_is_taken_and_anything_else_refused(top: Path) -> None:
    assert find_config(top, top / "svc/deep/file")[1] == top / "svc/deep/file"
    os.mkfifo(top / "pipe")
    for name in ("svc", "pipe", "nowhere", "x" * 5000):
        with pytest.raises(RefusedError, match="is no file that exists"):
            find_config(top, top / name)


def test_a_checkout_without_config_is_refused_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"no \.circleci/config\.yml in .*: name a config file"):
        find_config(tmp_path, None)


def test_a_file_that_is_absurdly_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(InvalidError, match="larger than 64 MiB"):
        read_config(tmp_path / "big")


def test_arguments_are_read_as_the_config_declares_them(top: Path) -> None:
    checkout, file = find_config(top, None)
    compiled = compile_config(Question(file=file, checkout=checkout, parameters={"count": "7"}, number=42))
    assert not has_errors(compiled.plan.diagnostics)
    assert compiled.parameters == {"count": 7}
    assert "echo 7 42" in compiled.plan.compiled
    wrong = compile_config(Question(file=file, checkout=checkout, parameters={"count": "many"}))
    assert has_errors(wrong.plan.diagnostics)


def test_the_same_text_is_compiled_again_also_when_the_file_has_changed(top: Path) -> None:
    checkout, file = find_config(top, None)
    question = Question(file=file, checkout=checkout)
    first = compile_config(question)
    file.write_text("garbage: [")
    assert not has_errors(compile_config(question, first.source).plan.diagnostics)
    assert has_errors(compile_config(question).plan.diagnostics)


def test_a_tag_leaves_no_branch(top: Path) -> None:
    checkout, file = find_config(top, None)
    assert make_context(Question(file=file, checkout=checkout), {}).branch == "main"
    assert make_context(Question(file=file, checkout=checkout, branch="topic"), {}).branch == "topic"
    tagged = make_context(Question(file=file, checkout=checkout, tag="v1"), {})
    assert (tagged.branch, tagged.tag) == ("", "v1")


def test_paths_are_shown_from_the_top_of_the_checkout(top: Path, tmp_path: Path) -> None:
    assert show_path(top / "svc/x.yml", top) == "svc/x.yml"
    assert show_path(tmp_path / "x.yml", top) == str(tmp_path / "x.yml")
