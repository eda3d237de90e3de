"""`penstock run` imports nothing of the server."""

import subprocess
import sys

HEAVY = {"uvicorn", "uvloop", "httptools", "prometheus_client", "h11", "penstock.api"}
LOAD = "import sys, penstock.cli.run, penstock.cli.local, penstock.bootstrap.local; print(*sys.modules)"


def test_a_local_run_imports_no_server() -> None:
    done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "penstock.engine.gateway" in loaded
    assert loaded & HEAVY == set()
