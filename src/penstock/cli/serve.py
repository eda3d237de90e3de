"""`penstock serve`: the server."""

import sys
from inspect import Parameter as Argument
from inspect import Signature
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from penstock.bootstrap.settings import list_settings
from penstock.bootstrap.sources import find_settings
from penstock.cli.exit import Exit


def serve(*, settings: Path | None = None, **flags: Any) -> int:  # noqa: ANN401 - each has its setting's type
    """Run a server: HTTP, the scheduler and an agent, in this process until SIGTERM or Ctrl-C.

    Parameters
    ----------
    settings
        A TOML file with settings.
    """
    found = find_settings(flags, settings)
    from penstock.bootstrap.server import Process

    Process(found, _announce).run()
    return Exit.SUCCESS


def _announce(news: str) -> None:
    print(f"penstock: {news}", file=sys.stderr, flush=True)


def _list_options() -> list[Argument]:
    """The file, then an option for each setting."""
    keyword = Argument.KEYWORD_ONLY
    options = [Argument("settings", keyword, default=None, annotation=Path | None)]
    for setting in list_settings():
        kind = list[str] | None if setting.is_list else str | None
        annotation = Annotated[kind, Parameter(help=setting.help, negative="")]  # type: ignore[valid-type]  # made at run time
        options.append(Argument(setting.name, keyword, default=None, annotation=annotation))
    return options


serve.__signature__ = Signature(_list_options(), return_annotation=int)  # type: ignore[attr-defined]  # functions have room for it
serve.__annotations__ = {each.name: each.annotation for each in _list_options()} | {"return": int}
