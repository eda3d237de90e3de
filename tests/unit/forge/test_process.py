"""A program is run within its bounds, and nothing of it is left."""

import os
import sys
from pathlib import Path

import pytest

from penstock.forge.process import Bounds, Done, OverdueError, run_process
from penstock.model.errors import LimitExceededError


def run(
    script: str, folder: Path, *, stdin: bytes = b"", seconds: float = 30, largest: int = 1 << 30
) -> Done:
    return run_process(
        [sys.executable, "-c", script],
        cwd=folder,
        environment=os.environ,
        stdin=stdin,
        bounds=Bounds(seconds=seconds, largest=largest),
    )


def test_input_and_both_outputs_flow_at_once(tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    script = (
        "import sys; data = sys.stdin.buffer.read(1_000_000); sys.stderr.write('x' * 200_000 + 'end')\n"
        "sys.stdout.buffer.write(data + sys.stdin.buffer.read())"
    )
    done = run(script, tmp_path, stdin=data)
    assert (done.status, done.out) == (0, data)
    assert done.err.endswith(b"xend")
    assert len(done.err) <= 64 << 10


def test_input_that_is_not_read_is_no_failure(tmp_path: Path) -> None:
    assert run("raise SystemExit(3)", tmp_path, stdin=b"x" * 1_000_000).status == 3


def test_too_much_output_ends_it(tmp_path: Path) -> None:
    with pytest.raises(LimitExceededError, match="larger than 1 KiB"):
        run("while True: print('x' * 1000)", tmp_path, largest=1024)


def test_a_program_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    script = (
        "import os, subprocess, sys; os.write(int(sys.argv[1]), b'begun'); "
        "subprocess.run(['sleep', '100'], close_fds=False)"
    )
    with pytest.raises(OverdueError):
        run_process(
            [sys.executable, "-c", script, str(writer)],
            cwd=tmp_path,
            environment=os.environ,
            bounds=Bounds(seconds=2),
            inherit=[writer],
        )
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        assert pipe.read() == b"begun"  # which ends only when nobody holds the other end


def test_a_program_that_closes_its_output_and_stays_is_killed(tmp_path: Path) -> None:
    with pytest.raises(OverdueError, match="closed its output"):
        run("import os, time; os.close(1); os.close(2); time.sleep(100)", tmp_path, seconds=0.5)
