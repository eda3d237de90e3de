"""Contexts on a real server: who may use one, and the keys that their values are sealed with."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from penstock.store.sealing import make_key
from tests.e2e.test_operate import call
from tests.support.circle_client import CircleClient
from tests.support.clients import TOKEN, served_project
from tests.support.server import begin_server, running_server

SECRET = "swordfish of the tests"
CONFIG = """\
version: 2.1
jobs:
  ship:
    machine: true
    steps: [run: 'printf %s "$PASSWORD" | sha256sum; echo "it is $PASSWORD"']
  plain:
    machine: true
    steps: [run: 'echo plain']
workflows: {main: {jobs: [{ship: {context: prod}}, plain]}}
"""
DIGEST = sha256(SECRET.encode()).hexdigest()
SETTINGS = ("--git-protocols", "file", "--executor", "host")


@contextmanager
def again(folder: Path) -> Iterator[CircleClient]:
    """The same server, started once more."""
    with running_server(folder / "data", *SETTINGS) as server:
        yield CircleClient(server, TOKEN)


def make_context(client: CircleClient) -> str:
    body = {"name": "prod", "owner": {"slug": "gh/acme"}}
    context = str(client.ask("POST", "context", body)["id"])
    client.ask("PUT", f"context/{context}/environment-variable/PASSWORD", {"value": SECRET})
    return context


def test_a_job_gets_the_values_of_a_context_it_may_use(tmp_path: Path) -> None:
    with served_project(tmp_path, CONFIG) as server:
        client = CircleClient(server, TOKEN)
        context = make_context(client)
        rule = {"restriction_type": "expression", "restriction_value": 'pipeline.git.branch == "release"'}
        restriction = client.ask("POST", f"context/{context}/restrictions", rule, 201)["id"]
        workflow = client.run()
        assert client.status(workflow) == "unauthorized"
        refused = client.job(workflow, "ship")
        assert refused["status"] == "unauthorized"
        assert refused["messages"][0]["message"] == (
            "Context prod may not be used: its rule does not hold here."
        )
        assert client.job(workflow, "plain")["status"] == "success"
        client.ask("DELETE", f"context/{context}/restrictions/{restriction}")
        workflow = client.rerun(workflow)
        assert client.status(workflow) == "success"
        said = client.output(client.job(workflow, "ship")["id"])
        assert DIGEST in said
        assert SECRET not in said + server.log()


def test_keys_are_rotated_and_lost(tmp_path: Path) -> None:
    key = tmp_path / "data" / "key"
    with served_project(tmp_path, CONFIG) as server:
        make_context(CircleClient(server, TOKEN))
        server.stop()
    old, new = key.read_text(), make_key() + "\n"

    key.write_text(new)  # the old one was not kept
    with again(tmp_path) as client:
        assert "1 secrets were sealed with keys that are not there" in client.server.log()
        workflow = client.run()
        broken = client.job(workflow, "ship")
        assert broken["status"] == "infrastructure_fail"
        told = broken["messages"][0]["message"]
        assert "context prod: the variable PASSWORD cannot be opened" in told
        assert "add the old key" in told
        assert client.job(workflow, "plain")["status"] == "success"
        told = call("doctor", "--data", str(tmp_path / "data"), PENSTOCK_EXECUTOR="host").stdout
        assert "1 were sealed with keys that are not there" in told
        done = call("db", "reseal", "--data", str(tmp_path / "data"))
        assert done.returncode == 3
        assert "no key that is there opens context_variables/1/PASSWORD" in done.stderr

    key.write_text(new + old)
    with again(tmp_path) as client:
        assert "sealed with keys" not in client.server.log()
        assert client.status(client.rerun(workflow)) == "success"
        done = call("db", "reseal", "--data", str(tmp_path / "data"))
        assert done.returncode == 0
        assert done.stdout.startswith("1 sealed again, ")  # others were made since

    key.write_text(new)
    with again(tmp_path) as client:
        workflow = client.run()
        assert DIGEST in client.output(client.job(workflow, "ship")["id"])
        assert SECRET not in client.server.log()


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as server:
        server.stop()
    key = tmp_path / "data" / "key"
    for mode in (0o640, 0o604):
        key.chmod(mode)
        server = begin_server(tmp_path / "data")
        assert server.end() == 2
        assert f"run `chmod 600 {key}`" in server.log()
        assert "Traceback" not in server.log()
        assert key.read_text().strip() not in server.log()
        done = call("db", "reseal", "--data", str(tmp_path / "data"))
        assert (done.returncode, "chmod 600" in done.stderr) == (2, True)
