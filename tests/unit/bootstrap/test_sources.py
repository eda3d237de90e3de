"""Settings: which source counts, and what is said of wrong values."""

from pathlib import Path

import pytest

from penstock.bootstrap.settings import Settings, list_settings
from penstock.bootstrap.shown import HIDDEN, hide_secret, show_settings
from penstock.bootstrap.sources import find_settings, find_slips
from penstock.model.errors import InvalidError

NONE = Path("/no/file")


def test_an_option_wins_over_a_variable_over_a_file_over_the_default(tmp_path: Path) -> None:
    file = tmp_path / "penstock.toml"
    file.write_text("port = 1\nthreads = 1\nslots = 1\n")
    variables = {"PENSTOCK_PORT": "2", "PENSTOCK_THREADS": "2", "HOME": "/home/ada"}
    found = find_settings({"port": "3", "slots": None}, file, variables, NONE)
    assert (found.settings.port, found.settings.threads, found.settings.slots) == (3, 2, 1)
    assert found.origins == {"port": "--port", "threads": "PENSTOCK_THREADS", "slots": f"{file}:3"}
    assert found.settings.waiting == Settings().waiting
    assert found.data == Path("/home/ada/.local/share/penstock-server")


def test_the_file_is_the_named_one_else_the_data_folder_s_else_the_system_s(tmp_path: Path) -> None:
    named, system = tmp_path / "named.toml", tmp_path / "system.toml"
    (tmp_path / "data").mkdir()
    own = tmp_path / "data/penstock.toml"
    for port, file in enumerate((named, own, system), start=1):
        file.write_text(f"port = {port}")
    flags = {"data": str(tmp_path / "data")}
    assert find_settings(flags, named, {}, system).settings.port == 1
    assert find_settings(flags, None, {"PENSTOCK_SETTINGS": str(named)}, system).settings.port == 1
    assert find_settings(flags, None, {}, system).settings.port == 2
    assert find_settings({"data": str(tmp_path / "empty")}, None, {}, system).settings.port == 3


def test_lists_are_apart_by_commas_in_a_variable() -> None:
    found = find_settings({}, None, {"PENSTOCK_LABELS": "gpu, large,,"}, NONE)
    assert found.settings.labels == ("gpu", "large")
    assert find_settings({"labels": ["a", "b"]}, None, {}, NONE).settings.labels == ("a", "b")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('port = "80"', "FILE:1: port: Expected 'int', got 'str'"),
        ("\n\nport = 70000", "FILE:3: port: Expected 'int' <= 65535"),
        ("prot = 80", "FILE:1: there is no setting 'prot'; did you mean 'port'?"),
        ("a = 1", "FILE:1: there is no setting 'a'"),
        ("[server]\nport = 80", "FILE:1: there is no setting 'server'"),
        ("port = ", "FILE: Invalid value (at end of document)"),
        ('log_level = "loud"', "FILE:1: log_level: Invalid enum value 'loud'"),
        ('git_protocols = ["https", "ext"]', "FILE:1: git_protocols: Invalid enum value 'ext' - at '$[1]'"),
    ],
)
def test_a_wrong_value_in_a_file_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "penstock.toml"
    file.write_text(text)
    with pytest.raises(InvalidError) as caught:
        find_settings({}, file, {}, NONE)
    assert str(caught.value) == told.replace("FILE", str(file))


@pytest.mark.parametrize(
    ("flags", "variables", "told"),
    [
        ({"port": "many"}, {}, "--port: port: Expected 'int', got 'str'"),
        ({}, {"PENSTOCK_DRAIN": "-1"}, "PENSTOCK_DRAIN: drain: Expected 'float' >= 0.0"),
        ({"tls_cert": "a"}, {}, "tls_cert and tls_key belong together: give both or none"),
        ({"base_url": "ci.example.com"}, {}, "base_url must begin with http:// or https://"),
        (
            {"webhook_networks": ["10.0.0.0/8", "office"]},
            {},
            "webhook_networks: 'office' is no network: write it like 10.0.0.0/8 or fd00::/8",
        ),
        (
            {},
            {"PENSTOCK_WEBHOOK_PROTOCOLS": "https,ftp"},
            "PENSTOCK_WEBHOOK_PROTOCOLS: webhook_protocols: Invalid enum value 'ftp' - at '$[1]'",
        ),
        (
            {"webhook_ports": ["70000"]},
            {},
            "--webhook-ports: webhook_ports: Expected 'int' <= 65535 - at '$[0]'",
        ),
    ],
)
def test_other_wrong_values_are_told_with_their_origin(
    flags: dict[str, object], variables: dict[str, str], told: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        find_settings(flags, None, variables, NONE)
    assert str(caught.value) == told


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for file, told in ((tmp_path / "none", "No such file"), (tmp_path / "binary", "not UTF-8")):
        with pytest.raises(InvalidError, match=told):
            find_settings({}, file, {}, NONE)


def test_every_setting_is_explained_and_secrets_are_marked() -> None:
    every = list_settings()
    assert [each.name for each in every if not each.help] == []
    assert {each.name for each in every if each.secret} == {"key", "admin_token", "admin_password"}


def test_nothing_secret_is_shown() -> None:
    variables = {f"PENSTOCK_{name}": "hunter2" for name in ("KEY", "ADMIN_TOKEN", "ADMIN_PASSWORD")}
    shown = {each.name: each for each in show_settings(find_settings({}, None, variables, NONE))}
    assert [shown[name].value for name in ("key", "admin_token", "admin_password")] == [HIDDEN] * 3
    assert shown["key"].origin == "PENSTOCK_KEY"
    assert hide_secret("", secret=True) == ""


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ci:hunter2@db/ci", "postgresql://ci:…@db/ci"),
        ("postgresql://ci@db/ci?password=hunter2&sslmode=require", "postgresql://ci@db/ci?password=…&sslmode=require"),
        ("s3://bucket?secret_access_key=hunter2", "s3://bucket?secret_access_key=…"),
        ("http://plain/", "http://plain/"),
    ],
)  # fmt: skip
def test_passwords_in_urls_are_left_out(url: str, shown: str) -> None:
    assert hide_secret(url, secret=False) == shown


def test_a_variable_with_a_slip_in_its_name_is_told() -> None:
    given = {
        "PENSTOCK_DATABSE": "x",
        "PENSTOCK_PORT": "1",
        "PENSTOCK_HOME": "y",
        "PENSTOCK_SERVER": "z",
        "PATH": "",
    }
    assert find_slips(given) == [
        "there is no setting for the variable PENSTOCK_DATABSE; did you mean 'database'?"
    ]
