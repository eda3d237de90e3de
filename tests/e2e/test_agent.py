"""Agents in processes of their own: they join a server, run its jobs, outlive its absence, and leave."""

import os
import signal
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from penstock.engine.agent_groups import remove_agent
from penstock.engine.joblog import list_copies, read_output
from penstock.engine.principal import SERVER
from penstock.engine.unit import Parts
from penstock.store.agents import list_agents
from penstock.store.jobs import job_by_uuid
from penstock.store.steps import running_steps
from tests.e2e.test_serve import (
    await_end,
    config_of,
    first_time_stuck,
    summary_of,
)
from tests.support.agent_process import begin_agent, make_join_token, running_agent
from tests.support.bad_wire import bad_wire
from tests.support.certificates import make_certificate
from tests.support.chaos import find_port
from tests.support.processes import mark_of, processes_with, wait_until
from tests.support.server import ServerProcess, joined_parts, running_server, trigger_config

NO_AGENT = ("--slots", "0")


def port_of(server: ServerProcess) -> int | None:
    return urlsplit(server.url).port


def states_of(parts: Parts) -> list[str]:
    with parts.db.read() as tx:
        return [agent.state.value for agent in list_agents(tx)]


def read_job(parts: Parts, uuid: str) -> str:
    """What the job's steps printed."""
    with parts.db.read() as tx:
        job = job_by_uuid(tx, uuid)
        assert job is not None
        [(_, runs)] = list_copies(tx, job)
        pieces = [b"".join(read_output(parts, tx, job, 0, run.index)) for run in runs]
    return b"".join(pieces).decode()


def size_of(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def still_size(file: Path) -> int:
    """The size of the file once it has stopped to grow."""
    seen = [-1] * 20

    def is_still() -> bool:
        seen.append(size_of(file))
        return len(set(seen[-20:])) == 1

    wait_until(is_still, what="it grows no more")
    return seen[-1]


def test_an_agent_runs_what_is_triggered(tmp_path: Path) -> None:
    with (
        running_server(tmp_path / "data", *NO_AGENT) as server,
        joined_parts(server.folder.root) as parts,
        running_agent(tmp_path / "work", server.url, make_join_token(parts)) as agent,
    ):
        pipeline = trigger_config(parts, config_of("echo hello"))
        assert await_end(parts, pipeline.uuid).status == "success"
        assert agent.stop() == 0
        assert states_of(parts) == ["gone"]
        assert "Traceback" not in agent.log() + server.log()


def test_an_agent_speaks_tls_and_checks_who_answers(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    tls = ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    with (
        running_server(tmp_path / "data", *NO_AGENT, *tls) as server,
        joined_parts(server.folder.root) as parts,
    ):
        url, token = f"https://localhost:{port_of(server)}", make_join_token(parts)
        ca = ("--ca", str(tmp_path / "cert.pem"))
        with running_agent(tmp_path / "work", url, token, *ca):
            pipeline = trigger_config(parts, config_of("echo hello"))
            assert await_end(parts, pipeline.uuid).status == "success"
        doubter = begin_agent(tmp_path / "other", url, token)
        wait_until(lambda: "its certificate is not trusted" in doubter.log(), seconds=20, what="it doubts")
        assert doubter.stop() == 0


def test_a_server_that_begins_anew_in_mid_job_loses_nothing(tmp_path: Path) -> None:
    go = tmp_path / "go"
    script = f"seq 1 1000; touch {tmp_path}/on; until test -e {go}; do sleep 0.05; done; seq 1001 2000"
    with bad_wire(None) as wire:
        with running_server(tmp_path / "data", *NO_AGENT) as server:
            wire.target = port_of(server)
            with joined_parts(server.folder.root) as parts:
                token = make_join_token(parts)
                agent = begin_agent(tmp_path / "work", wire.url, token)
                agent.await_start()
                pipeline = trigger_config(parts, config_of(script))
            wait_until((tmp_path / "on").exists, what="the job runs")
            wire.target = None
            server.kill()
        wire.cut_all()
        go.touch()
        wait_until(lambda: "trying again" in agent.log(), what="the agent misses its server")
        with running_server(tmp_path / "data", *NO_AGENT) as server:
            wire.target = port_of(server)
            with joined_parts(server.folder.root) as parts:
                assert await_end(parts, pipeline.uuid).status == "success"
                (job,) = summary_of(parts, pipeline.uuid).jobs
                assert job.attempt == 1
                text = read_job(parts, job.uuid)
        assert text == "".join(f"{number}\n" for number in range(1, 2001))
        assert agent.stop() == 0


def test_a_job_that_prints_while_the_server_is_away_waits_and_loses_nothing(tmp_path: Path) -> None:
    size = 40_000_000  # of what cannot be compressed: more than an agent keeps
    script = f"touch {tmp_path}/on; until test -e {tmp_path}/go; do sleep 0.05; done; "
    script += f"head -c {size} /dev/urandom | tee {tmp_path}/printed; touch {tmp_path}/done"
    with (
        running_server(tmp_path / "data", *NO_AGENT) as server,
        joined_parts(server.folder.root) as parts,
        bad_wire(port_of(server)) as wire,
        running_agent(tmp_path / "work", wire.url, make_join_token(parts)),
    ):
        pipeline = trigger_config(parts, config_of(script))
        wait_until((tmp_path / "on").exists, what="the job runs")
        wire.target = None
        wire.cut_all()
        (tmp_path / "go").touch()
        wait_until(lambda: size_of(tmp_path / "printed") > 8_000_000, what="it prints")
        held = still_size(tmp_path / "printed")
        assert held < size
        assert not (tmp_path / "done").exists()
        wire.target = port_of(server)
        assert await_end(parts, pipeline.uuid, seconds=60).status == "success"
        (job,) = summary_of(parts, pipeline.uuid).jobs
        assert (job.attempt, size_of(tmp_path / "printed")) == (1, size)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_draining_agent_lets_what_runs_end_and_takes_nothing_new(tmp_path: Path, number: int) -> None:
    script = f"touch {tmp_path}/on; until test -e {tmp_path}/go; do sleep 0.05; done"
    with (
        running_server(tmp_path / "data", *NO_AGENT) as server,
        joined_parts(server.folder.root) as parts,
        running_agent(tmp_path / "work", server.url, make_join_token(parts), "--slots", "1") as agent,
    ):
        first = trigger_config(parts, config_of(script))
        wait_until((tmp_path / "on").exists, what="the job runs")
        os.killpg(agent.process.pid, number)  # as a terminal does: to all that were started here
        wait_until(lambda: "draining" in agent.log(), what="it drains")
        second = trigger_config(parts, config_of("true"))
        (tmp_path / "go").touch()
        assert agent.end() == 0
        assert summary_of(parts, first.uuid).status == "success"
        (job,) = summary_of(parts, second.uuid).jobs
        assert job.status == "queued"


def is_stepping(parts: Parts, pipeline_id: int) -> bool:
    """True when the server has heard of a step that runs."""
    with parts.db.read() as tx:
        return bool(running_steps(tx, pipeline_id))


def test_a_second_signal_hands_back_what_runs(tmp_path: Path) -> None:
    with (
        running_server(tmp_path / "data", *NO_AGENT) as server,
        joined_parts(server.folder.root) as parts,
    ):
        token = make_join_token(parts)
        with running_agent(tmp_path / "work", server.url, token) as agent:
            pipeline = trigger_config(parts, first_time_stuck(tmp_path))
            wait_until(lambda: processes_with(mark_of(tmp_path)) != [], what="the job runs")
            wait_until(lambda: is_stepping(parts, pipeline.id), what="the server knows that it does")
            agent.signal(signal.SIGTERM)
            wait_until(lambda: "draining" in agent.log(), what="it drains")
            agent.signal(signal.SIGTERM)
            assert agent.end() == 0
        assert processes_with(mark_of(tmp_path)) == []
        (job,) = summary_of(parts, pipeline.uuid).jobs
        assert (job.status, job.attempt) == ("queued", 2)
        with running_agent(tmp_path / "work", server.url, token):
            assert await_end(parts, pipeline.uuid).status == "success"


def test_a_killed_agent_s_job_is_taken_back_when_it_begins_anew(tmp_path: Path) -> None:
    with (
        running_server(tmp_path / "data", *NO_AGENT) as server,
        joined_parts(server.folder.root) as parts,
    ):
        token = make_join_token(parts)
        with running_agent(tmp_path / "work", server.url, token) as agent:
            pipeline = trigger_config(parts, first_time_stuck(tmp_path))
            wait_until(lambda: processes_with(mark_of(tmp_path)) != [], what="the job runs")
            agent.kill()
        left = list((tmp_path / "work/jobs").iterdir())
        assert left
        with running_agent(tmp_path / "work", server.url, token):
            assert await_end(parts, pipeline.uuid, seconds=20).status == "success"
            wait_until(lambda: not any(path.exists() for path in left), what="nothing is left")
        assert len(states_of(parts)) == 1, "it is the same agent"
        wait_until(lambda: processes_with(mark_of(tmp_path)) == [], what="the job's processes end")


def test_an_agent_for_one_job_leaves_after_it_and_is_forgotten(tmp_path: Path) -> None:
    with (
        running_server(tmp_path / "data", *NO_AGENT) as server,
        joined_parts(server.folder.root) as parts,
    ):
        first, second = (trigger_config(parts, config_of("true")) for _ in range(2))
        agent = begin_agent(tmp_path / "work", server.url, make_join_token(parts), "--once", "--slots", "3")
        assert agent.end() == 0
        ended = [summary_of(parts, each.uuid).status for each in (first, second)]
        assert sorted(ended) == ["running", "success"]
        assert states_of(parts) == []


def test_an_agent_says_why_it_is_refused(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", *NO_AGENT) as server, joined_parts(server.folder.root) as parts:
        token = make_join_token(parts)
        for wrong, why in (
            ("psj_wrong", "this token leads to no group of agents"),
            ("rubbish", "this token leads to no group of agents"),
        ):
            agent = begin_agent(tmp_path / "work", server.url, wrong)
            assert agent.end() == 2
            assert why in agent.log()
        agent = begin_agent(tmp_path / "work", server.url, token, "--labels", "organization=1")
        assert agent.end() == 2
        assert "cannot carry the label" in agent.log()
        with running_agent(tmp_path / "work", server.url, token):
            rival = begin_agent(tmp_path / "work", server.url, token)
            assert rival.end() == 2
            assert "another agent uses the folder" in rival.log()


def test_an_agent_that_was_removed_stops_what_it_runs_and_ends(tmp_path: Path) -> None:
    with (
        running_server(tmp_path / "data", *NO_AGENT) as server,
        joined_parts(server.folder.root) as parts,
        running_agent(tmp_path / "work", server.url, make_join_token(parts)) as agent,
    ):
        pipeline = trigger_config(parts, first_time_stuck(tmp_path))
        wait_until(lambda: processes_with(mark_of(tmp_path)) != [], what="the job runs")
        with parts.db.read() as tx:
            [known] = list_agents(tx)
        remove_agent(parts, SERVER, known.uuid)
        assert agent.end() == 2
        assert "this agent was removed from the server" in agent.log()
        assert processes_with(mark_of(tmp_path)) == []
        assert summary_of(parts, pipeline.uuid).status == "running"


def test_a_job_for_which_there_is_no_agent_says_what_is_missing(tmp_path: Path) -> None:
    with (
        running_server(tmp_path / "data", *NO_AGENT, "--agent-grace", "0.5") as server,
        joined_parts(server.folder.root) as parts,
        running_agent(tmp_path / "work", server.url, make_join_token(parts)),
    ):
        config = config_of("true").replace("machine: true", "machine: true\n    resource_class: acme/huge")
        pipeline = trigger_config(parts, config)
        workflow = await_end(parts, pipeline.uuid)
        (job,) = workflow.jobs
        assert (workflow.status, job.status, job.reason) == ("failed", "infrastructure_fail", "no_agent")
        assert job.message.startswith("No agent carries acme/huge:")


@pytest.mark.parametrize("arguments", [(), ("--slots", "0"), ("--server", "ftp://x"), ("--ca", "/none")])
def test_a_call_that_makes_no_sense_is_refused(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    token = "" if not arguments else "psj_x"
    agent = begin_agent(tmp_path / "work", "https://127.0.0.1:1", token, *arguments)
    assert agent.end() == 2
    assert "Traceback" not in agent.log()


def test_a_job_that_ended_while_the_server_was_away_is_not_run_again_when_its_agent_dies_too(
    tmp_path: Path,
) -> None:
    settings = ("--slots", "0", "--port", str(find_port()))
    script = f"echo ran >> {tmp_path}/ledger; until test -e {tmp_path}/go; do sleep 0.02; done"
    with running_server(tmp_path / "data", *settings) as server, joined_parts(server.folder.root) as parts:
        token = make_join_token(parts)
        with running_agent(tmp_path / "work", server.url, token) as agent:
            pipeline = trigger_config(parts, config_of(script))
            wait_until((tmp_path / "ledger").exists, what="the job runs")
            server.kill()
            (tmp_path / "go").touch()
            wait_until(lambda: "task ends" in agent.log(), what="it has ended")
            agent.kill()
        with (
            running_server(tmp_path / "data", *settings),
            running_agent(tmp_path / "work", server.url, token) as agent,
        ):
            assert await_end(parts, pipeline.uuid).status == "success"
            assert (tmp_path / "ledger").read_text() == "ran\n"
            assert list((tmp_path / "work/ends").iterdir()) == []
            assert agent.stop() == 0
