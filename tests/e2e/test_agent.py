"""Agents in processes of their own: they join a server, run its jobs, and leave."""

from pathlib import Path

from tests.e2e.test_serve import await_end, config_of, summary_of
from tests.support.agent_process import make_join_token, running_agent
from tests.support.server import joined_parts, running_server, trigger_config


def test_an_agent_on_another_machine_runs_what_is_triggered(tmp_path: Path) -> None:
    with (
        running_server(tmp_path / "data", "--slots", "0") as server,
        joined_parts(server.folder.root) as parts,
        running_agent(tmp_path / "work", server.url, make_join_token(parts)) as agent,
    ):
        pipeline = trigger_config(parts, config_of("echo hello"))
        assert await_end(parts, pipeline.uuid).status == "success"
        assert agent.stop() == 0
        assert "Traceback" not in agent.log() + server.log()
        assert summary_of(parts, pipeline.uuid).status == "success"
