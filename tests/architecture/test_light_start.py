"""`penstock run` imports nothing of the server, and commands that ask a server nothing of a run."""

import subprocess
import sys

import pytest

LOADS = {
    "run": (
        "import penstock.cli.run, penstock.cli.local, penstock.bootstrap.local",
        "penstock.engine.gateway",
        {"uvicorn", "uvloop", "httptools", "prometheus_client", "h11", "http.client", "penstock.api"},
    ),
    "past runs": (
        "import penstock.cli.logs, penstock.cli.runs",
        "penstock.cli.remote.access",
        {"http.client", "sqlalchemy", "penstock.bootstrap"},
    ),
    "remote": (
        "from penstock.cli import agents, artifacts, cancel, login, logs, project, rerun, trigger, watch",
        "http.client",
        {"sqlalchemy", "uvicorn", "obstore", "httpx", "penstock.store", "penstock.bootstrap"},
    ),
}


@pytest.mark.parametrize("kind", LOADS)
def test_a_command_imports_only_what_it_needs(kind: str) -> None:
    load, present, heavy = LOADS[kind]
    code = f"import sys; {load}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert present in loaded
    assert loaded & heavy == set()
