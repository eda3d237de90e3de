import subprocess
import sys

import msgspec
import pytest

from penstock.kit.shapes import learn, read_json


class Inner(msgspec.Struct):
    number: int


class Outer(msgspec.Struct):
    inner: Inner


def test_a_text_becomes_the_shape() -> None:
    assert read_json(b'{"inner": {"number": 1}}', Outer) == Outer(Inner(1))
    assert read_json("[1]", list[int]) == [1]
    assert learn(Outer) is Outer


def test_a_text_of_another_shape_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        read_json(b'{"inner": 1}', Outer)


RACE = """
import sys, threading
import msgspec
from penstock.kit.shapes import read_json
sys.setswitchinterval(1e-6)
def make():
    class Inner(msgspec.Struct):
        a: int
        b: "list[str] | None" = None
    class Outer(msgspec.Struct):
        x: "Inner"
        y: "list[Inner]"
        z: "dict[str, Inner] | None" = None
    globals()["Inner"] = Inner
    return Outer
def read(shape, barrier):
    barrier.wait()
    read_json(b'{"x": {"a": 1}, "y": [{"a": 2}]}', shape)
for number in range(300):
    shape, barrier = make(), threading.Barrier(4)
    threads = [threading.Thread(target=read, args=(shape, barrier)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_threads_may_meet_a_new_shape_at_the_same_time() -> None:
    done = subprocess.run([sys.executable, "-c", RACE], stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
