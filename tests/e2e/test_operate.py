"""What operators do around a server: look at settings, look for trouble, upgrade, back up, restore."""

import os
import signal
import socket
import subprocess
import tarfile
from pathlib import Path

import msgspec
import pytest

from penstock.engine.summary import summarize_pipeline
from penstock.engine.unit import Parts
from penstock.store.blobs import Blobs
from penstock.store.pipelines import pipeline_by_uuid
from penstock.store.schema import metadata
from tests.support.certificates import make_certificate
from tests.support.command import command
from tests.support.databases import PostgresServer
from tests.support.processes import wait_until
from tests.support.server import joined_parts, running_server, trigger_config

EMPTY = "version: 2.1\njobs: {a: {machine: true, steps: [run: 'true']}}\nworkflows: {w: {jobs: [a]}}\n"


def call(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """The end of a command, with a home of nobody's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")}
    return subprocess.run(
        command(*arguments),
        env=kept | {"DOCKER_HOST": "unix:///no/engine"} | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_settings_are_shown_with_their_origin_and_without_secrets(tmp_path: Path) -> None:
    file = tmp_path / "penstock.toml"
    file.write_text('\nport = 81\nhost = "0.0.0.0"\nadmin_password = "hunter2"\n')
    variables = {"PENSTOCK_PORT": "82", "PENSTOCK_DATABASE": "postgresql://ci:hunter2@db/ci"}
    done = call("config", "show", "--json", "--settings", str(file), **variables)
    shown = {each["name"]: (each["value"], each["origin"]) for each in msgspec.json.decode(done.stdout)}
    assert shown["port"] == (82, "PENSTOCK_PORT")
    assert shown["host"] == ("0.0.0.0", f"{file}:3")  # noqa: S104 - read, not bound
    assert shown["threads"] == (8, "default")
    assert shown["database"] == ("postgresql://ci:…@db/ci", "PENSTOCK_DATABASE")
    assert shown["admin_password"] == ("(set, not shown)", f"{file}:4")
    plain = call("config", "show", "--settings", str(file), **variables)
    assert "port" in plain.stdout
    assert "hunter2" not in done.stdout + plain.stdout


def test_a_backup_of_a_running_server_is_restored_whole(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as server, joined_parts(server.folder.root) as parts:
        pipeline = trigger_config(parts, EMPTY)
        parts.blobs.put("logs/aa/one", [b"first"])
        parts.blobs.put("logs/bb/large", [b"x" * (3 << 20)] * 2)
        done = call("backup", str(tmp_path / "b.tar"), "--data", str(server.folder.root), "--with-key")
        assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "b.tar").stat().st_mode & 0o777 == 0o600
    done = call("restore", str(tmp_path / "b.tar"), "--data", str(tmp_path / "again"))
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "again/key").read_text() == (tmp_path / "data/key").read_text()
    with joined_parts(tmp_path / "again") as parts:
        with parts.db.read() as tx:
            assert pipeline_by_uuid(tx, pipeline.uuid) is not None
        assert summarize_pipeline(parts, pipeline.uuid).number == pipeline.number
        assert parts.blobs.read("logs/aa/one") == b"first"
        assert len(parts.blobs.read("logs/bb/large")) == 6 << 20
    with running_server(tmp_path / "again") as server:
        assert server.get("/readyz").status_code == 200


def test_restore_refuses_a_folder_that_holds_something(tmp_path: Path) -> None:
    back_up(tmp_path)
    (tmp_path / "again").mkdir()
    (tmp_path / "again/mine").touch()
    done = call("restore", str(tmp_path / "b.tar"), "--data", str(tmp_path / "again"))
    assert (done.returncode, [path.name for path in (tmp_path / "again").iterdir()]) == (2, ["mine"])
    assert "is not empty" in done.stderr


@pytest.mark.slow
@pytest.mark.postgres
def test_a_backup_goes_from_one_kind_of_database_to_the_other_and_back(
    tmp_path: Path, postgresql: PostgresServer
) -> None:
    first, second = postgresql.new_database(), postgresql.new_database()
    shared = {"PENSTOCK_DATABASE": first, "PENSTOCK_BLOBS": str(tmp_path / "blobs")}
    with running_server(tmp_path / "data", environment=shared) as server:
        with joined_parts(tmp_path / "mine", first) as parts:
            uuid = trigger_config(parts, EMPTY).uuid
            wait_until(lambda: has_ended(parts, uuid), what="it ended")
        done = call("backup", str(tmp_path / "a.tar"), "--data", str(server.folder.root), **shared)
        assert (done.returncode, done.stderr) == (0, "")
    done = call("restore", str(tmp_path / "a.tar"), "--data", str(tmp_path / "light"))
    assert (done.returncode, done.stderr) == (0, "")
    with joined_parts(tmp_path / "light") as parts:
        before = rows_of(parts)
        assert summarize_pipeline(parts, uuid).workflows[0].status == "success"
    done = call("backup", str(tmp_path / "b.tar"), "--data", str(tmp_path / "light"))
    assert (done.returncode, done.stderr) == (0, "")
    again = {"PENSTOCK_DATABASE": second, "PENSTOCK_BLOBS": str(tmp_path / "again-blobs")}
    for status in (0, 2):  # the second time the database is not empty
        done = call("restore", str(tmp_path / "b.tar"), "--data", str(tmp_path / f"again{status}"), **again)
        assert done.returncode == status, done.stderr
    assert not (tmp_path / "again2").exists()
    with running_server(tmp_path / "again0", environment=again), joined_parts(tmp_path, second) as parts:
        assert rows_of(parts) == before
        assert trigger_config(parts, EMPTY).number == 2


def has_ended(parts: Parts, pipeline: str) -> bool:
    return summarize_pipeline(parts, pipeline).workflows[0].status.is_terminal


def rows_of(parts: Parts) -> dict[str, list[tuple[object, ...]]]:
    """The rows of the tables that only runs change."""
    with parts.db.read() as tx:
        return {
            table.name: [tuple(row) for row in tx.execute(table.select().order_by(*table.primary_key))]
            for table in metadata.sorted_tables
            if table.name in {"pipelines", "workflows", "jobs", "tasks", "steps", "log_chunks", "projects"}
        }


def test_restore_leaves_no_blob_behind_when_it_fails(tmp_path: Path) -> None:
    back_up(tmp_path)
    shared = {
        "PENSTOCK_DATABASE": "postgresql://ci@nowhere.invalid/ci",
        "PENSTOCK_BLOBS": str(tmp_path / "b"),
    }
    done = call("restore", str(tmp_path / "b.tar"), "--data", str(tmp_path / "again"), **shared)
    assert done.returncode == 3
    assert [path for path in (tmp_path / "b").rglob("*") if path.is_file()] == []
    assert not (tmp_path / "again").exists()


def test_restore_refuses_half_a_backup_and_leaves_nothing(tmp_path: Path) -> None:
    whole = back_up(tmp_path).read_bytes()
    for size in (0, 100, len(whole) // 2, len(whole) - 11_000):
        (tmp_path / "half.tar").write_bytes(whole[:size])
        done = call("restore", str(tmp_path / "half.tar"), "--data", str(tmp_path / "again"))
        assert done.returncode == 2, (size, done)
        assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar", "data", "half.tar"]


def test_restore_refuses_a_backup_that_reaches_outside(tmp_path: Path) -> None:
    back_up(tmp_path)
    (tmp_path / "evil").write_text("evil")
    with tarfile.open(tmp_path / "b.tar") as old, tarfile.open(tmp_path / "c.tar", "w") as new:
        new.addfile(old.getmember("manifest.json"), old.extractfile("manifest.json"))
        new.add(tmp_path / "evil", "blobs/../../evil2")
    done = call("restore", str(tmp_path / "c.tar"), "--data", str(tmp_path / "again"))
    assert done.returncode == 2
    assert not (tmp_path / "evil2").exists()


def back_up(folder: Path) -> Path:
    """A backup of a server that was never started, with one blob."""
    Blobs.connect(str(folder / "data/blobs")).put("logs/aa/one", [b"first" * 1000])
    assert call("db", "upgrade", "--data", str(folder / "data")).returncode == 0
    assert call("backup", str(folder / "b.tar"), "--data", str(folder / "data")).returncode == 0
    return folder / "b.tar"


def test_a_database_is_upgraded_once(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    assert call("db", "version", "--data", data).stdout == "none\n"
    first, second = (call("db", "upgrade", "--data", data) for _ in range(2))
    assert "schema none is now" in first.stdout
    assert "as before" in second.stdout


def test_the_doctor_finds_nothing_wrong_with_a_sound_server(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", "--executor", "host"):
        done = call("doctor", "--data", str(tmp_path / "data"), "--json", PENSTOCK_EXECUTOR="host")
    findings = [msgspec.json.decode(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert len(findings) == 13
    assert [finding for finding in findings if finding["verdict"] == "fail"] == []


def test_the_doctor_names_what_fails_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    (tmp_path / "data/penstock.db").write_bytes(b"no database at all" * 100)
    (tmp_path / "data/key").write_text("no key")
    variables = {"PENSTOCK_TLS_CERT": "/no/cert", "PENSTOCK_TLS_KEY": "/no/key", "PATH": "/nowhere"}
    done = call("doctor", "--data", str(tmp_path / "data"), **variables)
    assert done.returncode == 3
    failed = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("fail")}
    assert failed == {"keys:", "database:", "secrets:", "tls:", "git:"}
    assert done.stdout.count("\n      ") >= len(failed)
    assert "Traceback" not in done.stderr


def test_the_doctor_says_when_a_certificate_ends_and_whose_port_it_is(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    (tmp_path / "key.pem").chmod(0o600)
    tls = {"PENSTOCK_TLS_CERT": str(tmp_path / "cert.pem"), "PENSTOCK_TLS_KEY": str(tmp_path / "key.pem")}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = call("doctor", "--data", str(tmp_path / "data"), PENSTOCK_PORT=port, **tls)
    assert done.returncode == 3
    assert "warn  tls: the certificate ends on" in done.stdout
    assert f"fail  address: cannot listen on 127.0.0.1 port {port}" in done.stdout
    assert "choose another --port" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_backup_that_is_interrupted_leaves_nothing(tmp_path: Path, number: int) -> None:
    back_up(tmp_path)
    with (tmp_path / "data/blobs/logs/aa/large").open("wb") as large:
        large.truncate(600 << 20)
    running = subprocess.Popen(command("backup", str(tmp_path / "c.tar"), "--data", str(tmp_path / "data")))
    wait_until(lambda: any(tmp_path.glob(".c.tar-*/draft")), what="it writes")
    running.send_signal(number)
    assert running.wait(30) == 130
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar", "data"]
