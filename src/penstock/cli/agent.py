"""`penstock agent`: runs jobs for a server on another machine."""

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from penstock.cli.catalog import AGENT_COMMANDS, CATALOG
from penstock.cli.exit import Exit
from penstock.model.errors import InvalidError

TOKEN_VARIABLE = "PENSTOCK_AGENT_TOKEN"  # noqa: S105 - the name of a variable
_DAY = 86_400.0

_ENTRY = CATALOG["agent"]
agent = App(name="agent", help=_ENTRY.help, help_epilogue=_ENTRY.epilogue)
for _name, _help in AGENT_COMMANDS.items():
    agent.command(f"penstock.cli.agents:{_name}_agent", name=_name, help=_help)


@agent.default
def run(  # noqa: PLR0913 - an argument for each option
    *,
    server: Annotated[str, Parameter(env_var="PENSTOCK_SERVER")],
    token: str = "",
    token_file: Path | None = None,
    labels: Annotated[list[str] | None, Parameter(negative="")] = None,
    slots: int = 1,
    name: str = "",
    executor: Literal["auto", "host", "docker"] = "auto",
    work: Path | None = None,
    ca: str = "",
    once: Annotated[bool, Parameter(negative="")] = False,
    usage_interval: float = 15.0,
    log_format: Literal["logfmt", "json"] = "logfmt",
) -> int:
    """Run jobs for a server, on this machine, until SIGTERM or Ctrl-C.

    Parameters
    ----------
    server
        The server's URL.
    token
        The token of the group to join, better given in PENSTOCK_AGENT_TOKEN or a file.
    token_file
        A file with that token.
    labels
        What this machine offers, apart by commas; jobs that ask for other labels go elsewhere.
    slots
        Jobs to run at once.
    name
        How the server shows this agent; without it the host's name.
    executor
        Where jobs with images run; `auto` is Docker when an engine answers, else this host.
    work
        The folder for jobs and for who this agent is.
    ca
        A file with the authorities that the server's certificate must be signed by.
    once
        Run one job and leave.
    usage_interval
        Seconds between two looks at what a job uses of processors and memory, 0 for none.
    log_format
        How lines of the log are written.
    """
    from penstock.bootstrap.agent_folder import default_work
    from penstock.bootstrap.journal import set_up_logging
    from penstock.bootstrap.remote_agent import AgentOptions, RemoteAgent

    if slots < 1:
        raise InvalidError("--slots wants 1 or more")
    if not 0 <= usage_interval <= _DAY:
        raise InvalidError("--usage-interval wants seconds, 0 for no looks")
    options = AgentOptions(
        server=server,
        token=_read_token(token, token_file),
        work=work or default_work(os.environ),
        labels=tuple(word.strip() for text in labels or () for word in text.split(",") if word.strip()),
        slots=slots,
        name=name,
        executor=executor,
        authorities=ca,
        once=once,
        usage_interval=usage_interval,
    )
    set_up_logging("info", log_format)
    RemoteAgent(options, _announce).run()
    return Exit.SUCCESS


def _read_token(token: str, file: Path | None) -> str:
    """The token to join with. Raises InvalidError when there is none."""
    found = token or os.environ.get(TOKEN_VARIABLE, "")
    if file is not None:
        try:
            found = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidError(f"cannot read {file}: {error}") from error
    found = found.strip()
    if not found or not found.isascii() or not found.isprintable():
        raise InvalidError(f"name the token of a group of agents with --token-file or in {TOKEN_VARIABLE}")
    return found


def _announce(news: str) -> None:
    print(f"penstock: {news}", file=sys.stderr, flush=True)
