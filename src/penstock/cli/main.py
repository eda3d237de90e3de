"""The `penstock` command: names the commands; each lives in its own file and is loaded when called."""

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from penstock import __version__
from penstock.cli.exit import Exit
from penstock.model.errors import PenstockError, UnavailableError

_HELP = "Run the CI pipelines you already have: on this machine, with nothing else installed."
_EXAMPLES = """\
Examples:

  penstock run                        the whole pipeline of this checkout
  penstock run --job test             one job and what it requires
  penstock run --approve all          with every approval given
  penstock validate                   what is wrong with the config, and where
  penstock compile                    the config as it is after all expansion
  penstock logs test                  what job `test` of the last run printed
"""

_COMMANDS = {
    "run": "Run the pipeline of a checkout on this machine.",
    "validate": "Say what is wrong with a config, and where.",
    "compile": "Print a config as it is after all expansion.",
    "logs": "Print what the jobs of a past run printed.",
    "runs": "List past runs.",
    "completion": "Print a script that completes commands and options.",
}


def make_app() -> App:
    """The command line with all its commands, none of them loaded yet."""
    app = App(
        name="penstock",
        version=__version__,
        help=_HELP,
        help_epilogue=_EXAMPLES,
        help_format="plaintext",
        version_format="plaintext",
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    for name, help_line in _COMMANDS.items():
        app.command(f"penstock.cli.{name}:{name}", name=name, help=help_line)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status (see `Exit`)."""
    sys.exit(call(sys.argv[1:] if arguments is None else arguments))


def call(arguments: Sequence[str]) -> int:
    """The exit status of one command. What the user can mend is one sentence on standard error."""
    try:
        status = make_app()(list(arguments), exit_on_error=False)
    except CycloptsError:
        return Exit.USAGE
    except UnavailableError as error:
        print(f"penstock: {error}", file=sys.stderr)
        return Exit.UNAVAILABLE
    except PenstockError as error:
        print(f"penstock: {error}", file=sys.stderr)
        return Exit.USAGE
    except BrokenPipeError:
        sys.stderr.close()  # keeps Python from complaining about the pipe once more
        return Exit.SUCCESS
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return status if isinstance(status, int) else Exit.SUCCESS
