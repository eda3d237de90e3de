"""Options that several commands share."""

from pathlib import Path

import pytest

from penstock.cli.options import read_variables, show_diagnostics, split_pairs
from penstock.kit.marks import Mark
from penstock.model.diagnostic import Diagnostic, Severity
from penstock.model.errors import InvalidError


def test_pairs_are_split_at_the_first_equals_sign_and_later_ones_win() -> None:
    assert split_pairs(["a=1", "b=x=y", "c=", "a=2"], "--param") == {"a": "2", "b": "x=y", "c": ""}


@pytest.mark.parametrize("pair", ["a", "", "=x"])
def test_what_is_no_pair_is_refused_with_the_option(pair: str) -> None:
    with pytest.raises(InvalidError, match="--param wants NAME=VALUE"):
        split_pairs([pair], "--param")


def test_variables_are_read_as_dotenv_files_are_written(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("# none\nA=1\nexport B='two words'\nC=\"x\\ny\"\nD=$A\nE\nF=ü\n", encoding="utf-8")
    assert read_variables(file) == {"A": "1", "B": "two words", "C": "x\ny", "D": "$A", "E": "", "F": "ü"}


def test_a_line_that_is_none_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("A=1\n'x\n")
    with pytest.raises(InvalidError, match=r"env:2: not a line of the form NAME=value"):
        read_variables(tmp_path / "env")


def test_a_file_that_cannot_be_read_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match="nowhere: No such file"):
        read_variables(tmp_path / "nowhere")
    with pytest.raises(InvalidError, match="Is a directory"):
        read_variables(tmp_path)
    (tmp_path / "env").write_bytes(b"A=\xff\n")
    with pytest.raises(InvalidError, match="not UTF-8"):
        read_variables(tmp_path / "env")


def test_findings_go_to_standard_error_with_a_line_between(capsys: pytest.CaptureFixture[str]) -> None:
    finding = Diagnostic(severity=Severity.ERROR, code="x", message="wrong", mark=Mark("c.yml", 1, 1))
    show_diagnostics([finding, finding])
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("wrong") == 2
    assert "\n\n" in printed.err
