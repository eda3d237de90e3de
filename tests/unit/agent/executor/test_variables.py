from pathlib import Path

from penstock.agent.executor.variables import PASSED, PASSED_PREFIXES, POINTERS, read_host


def test_only_what_the_table_names_passes(tmp_path: Path) -> None:
    given = {
        "PATH": "/bin",
        "AWS_SECRET_ACCESS_KEY": "x",
        "LC_ALL": "C",
        "HOME": "/root",
        "PIP_INDEX_URL": "u",
    }
    assert read_host(given, tmp_path) == {
        "PATH": "/bin",
        "LC_ALL": "C",
        "PIP_INDEX_URL": "u",
        "LANG": "C.UTF-8",
    }


def test_tools_are_led_to_what_exists_in_the_real_home(tmp_path: Path) -> None:
    (tmp_path / ".npmrc").touch()
    (tmp_path / ".rustup").mkdir()
    seen = read_host({"RUSTUP_HOME": "/opt/rustup"}, tmp_path)
    assert seen["NPM_CONFIG_USERCONFIG"] == str(tmp_path / ".npmrc")
    assert seen["RUSTUP_HOME"] == "/opt/rustup"
    assert "NVM_DIR" not in seen


def test_every_row_has_a_reason_or_a_place() -> None:
    assert all([*PASSED.values(), *PASSED_PREFIXES.values(), *POINTERS.values()])
