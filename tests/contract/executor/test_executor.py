"""What every executor promises in `penstock.agent.executor.base`."""

import select
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock.agent.executor.base import Executor, Kind, Member, Place, Request, Running
from penstock.agent.executor.docker.executor import DockerExecutor
from penstock.agent.executor.dummy import DummyExecutor
from penstock.agent.executor.host import HostExecutor
from penstock.model.errors import PenstockError, RefusedError
from tests.support.agents import Silent, assign
from tests.support.docker import busybox_job, open_test_engine
from tests.support.processes import wait_until
from tests.support.running import finish


def make_host(work: Path) -> Executor:
    return HostExecutor(work, adopts=False)


def make_docker(work: Path) -> Executor:
    return DockerExecutor(open_test_engine(), work)


def make_dummy(_: Path) -> Executor:
    return DummyExecutor()


REAL = {"host": make_host, "docker": make_docker}
ALL = {**REAL, "dummy": make_dummy}


def open_place(make: Callable[[Path], Executor], work: Path) -> Iterator[Place]:
    executor = make(work)
    place = executor.prepare(assign(job=busybox_job()), Silent())
    yield place
    place.end_processes()
    place.remove()
    executor.close()


@pytest.fixture(params=sorted(ALL))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    yield from open_place(ALL[request.param], tmp_path)


@pytest.fixture(params=sorted(REAL))
def real(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    yield from open_place(REAL[request.param], tmp_path)


def start(place: Place, command: str = "true", **environment: str) -> Running:
    return place.start(
        Request(argv=("/bin/sh", "-c", command), environment=environment, directory=place.home)
    )


def test_a_process_has_an_exit_code(place: Place) -> None:
    assert finish(start(place, "exit 3", DUMMY_EXIT="3"))[0] == 3


def test_output_and_errors_share_one_descriptor_in_order(place: Place) -> None:
    command = "echo one; echo two >&2; echo three"
    assert finish(start(place, command, DUMMY_OUTPUT="one\ntwo\nthree\n"))[1] == b"one\ntwo\nthree\n"


def test_a_signal_ends_a_process_and_its_code_says_so(place: Place) -> None:
    running = start(place, "exec sleep 60", DUMMY_SECONDS="60")
    assert running.poll() is None
    assert running.signal(signal.SIGKILL)
    assert finish(running)[0] == 137


def test_the_end_of_a_process_wakes_who_waits_for_it(place: Place) -> None:
    running = start(place)
    if running.ended is not None:
        assert select.select([running.ended], [], [], 20)[0]
    assert finish(running)[0] == 0


def test_a_busy_process_is_seen_at_work(real: Place) -> None:
    assert real.grant.processors > 0
    before = real.read_load()
    assert before is not None
    running = start(real, "exec sh -c 'while :; do :; done'")

    def is_busy() -> bool:
        load = real.read_load()
        return load is not None and load.cpu > before.cpu + 0.2 and load.memory > 0

    wait_until(is_busy, what="the load is seen")
    running.signal(signal.SIGKILL)
    finish(running)
    real.end_processes()
    real.remove()
    try:
        real.read_load()
    except PenstockError as error:
        assert str(error)  # noqa: PT017 - either is right: nobody asks any more


def test_a_program_that_does_not_exist_is_refused(place: Place) -> None:
    request = Request(argv=("/no/such/program",), environment={"DUMMY_CRASH": "start"}, directory=place.home)
    with pytest.raises(RefusedError, match="cannot run /no/such/program"):
        place.start(request)


def test_paths_resolve_against_home_and_base(place: Place) -> None:
    assert place.resolve("~", "/base") == place.home
    assert place.resolve("~/a/../b", "/base") == f"{place.home}/b"
    assert place.resolve("a/./b", "/base") == "/base/a/b"
    assert place.resolve("/abs", "/base") == "/abs"
    assert place.resolve("$HOME/x", "/base") == "/base/$HOME/x"


def test_what_is_written_can_be_read(place: Place) -> None:
    path = f"{place.control}/note"
    assert place.find_kind(path) is None
    place.write(path, b"content")
    assert place.find_kind(path) is Kind.FILE
    assert b"".join(place.read(path)) == b"content"
    assert place.measure(path) == 7


def test_ending_and_removing_twice_is_harmless(place: Place) -> None:
    for _ in range(2):
        place.end_processes()
    for _ in range(2):
        place.remove()


def test_a_process_sees_its_own_variables_above_those_of_the_place(real: Place) -> None:
    code, output = finish(start(real, 'echo "$X $HOME $PWD"', X="1", HOME="/elsewhere"))
    assert (code, output.decode()) == (0, f"1 /elsewhere {real.home}\n")


def test_in_job_commands_are_found_even_when_the_job_sets_its_own_path(real: Place) -> None:
    code, output = finish(
        start(real, "circleci tests glob nothing; command -v circleci", PATH="/usr/bin:/bin")
    )
    assert code == 0
    assert output.endswith(b"/circleci\n")


def test_no_process_outlives_the_end_of_its_task(real: Place) -> None:
    running = start(real, "(setsid sleep 300 &) ; exec sleep 300")
    real.end_processes()
    assert finish(running)[0] == 137


def test_a_missing_folder_is_refused_with_its_name(real: Place) -> None:
    with pytest.raises(RefusedError, match="the working directory /no/such/folder does not exist"):
        real.start(Request(argv=("/bin/true",), environment={}, directory="/no/such/folder"))


def test_files_keep_permissions_times_and_links_on_their_way(real: Place) -> None:
    finish(
        start(
            real,
            "mkdir -p a/sub out; echo x > a/sub/file; chmod 750 a/sub/file; ln -s sub/file a/link;"
            " ln a/sub/file a/hard; mkdir a/empty; touch -d @1000000000 a/sub/file; chmod 555 a/empty",
        )
    )
    stream = list(real.pack([Member(name="root/a", path=f"{real.home}/a")]))
    count = real.unpack(iter(stream), {"root": f"{real.home}/out"})
    assert count == 6
    code, output = finish(
        start(real, "cd out/a; stat -c '%a %Y %h' sub/file; readlink link; stat -c %a empty; cat hard")
    )
    assert (code, output) == (0, b"750 1000000000 2\nsub/file\n555\nx\n")


def test_unpacking_replaces_files_and_never_writes_through_links(real: Place) -> None:
    finish(start(real, "echo precious > keep; mkdir one out; echo new > one/f; ln -s ../keep out/f"))
    stream = list(real.pack([Member(name="f", path=f"{real.home}/one/f")]))
    real.unpack(iter(stream), {"": f"{real.home}/out"})
    assert finish(start(real, "cat keep out/f"))[1] == b"precious\nnew\n"


def test_a_stream_may_be_refused_entry_by_entry(real: Place) -> None:
    finish(start(real, "mkdir d; touch d/a d/b"))

    def accept(name: str) -> None:
        if name.endswith("b"):
            raise RefusedError(f"not {name}")

    stream = list(real.pack([Member(name="d", path=f"{real.home}/d")]))
    with pytest.raises(RefusedError, match="not d/b"):
        real.unpack(iter(stream), {"": f"{real.home}/out"}, accept)


def test_walking_follows_links_but_enters_no_folder_twice(real: Place) -> None:
    finish(
        start(real, "mkdir -p w/sub; echo 1 > w/sub/f; ln -s .. w/sub/up; ln -s sub w/other; mkfifo w/pipe")
    )
    names = [entry.name for entry in real.walk(f"{real.home}/w")]
    assert names == ["other/f", "sub/f"]


def test_globs_match_like_gos(real: Place) -> None:
    finish(start(real, "mkdir -p g/x/y; touch g/a.txt g/b.md g/.hidden g/x/c.txt g/x/y/d.txt"))
    base = f"{real.home}/g"
    assert real.match(base, "*.txt") == ["a.txt"]
    assert real.match(base, "*") == [".hidden", "a.txt", "b.md", "x"]
    assert real.match(base, "[ab].*") == ["a.txt", "b.md"]
    assert real.match(base, "*/*.txt") == ["x/c.txt"]
    assert real.match(base, "x/y") == ["x/y"]
    assert real.match(base, "**/*.txt") == ["a.txt", "x/c.txt", "x/y/d.txt"]
    assert real.match(base, "nothing") == []
    assert real.match(base, "[z-a") == []
