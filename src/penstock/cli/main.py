"""The `penstock` command: names the commands; each lives in its own file and is loaded when called."""

import gc
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError, Parameter

from penstock import __version__
from penstock.cli.catalog import CATALOG, OVERVIEW, Entry
from penstock.cli.exit import Exit
from penstock.model.errors import PenstockError, UnavailableError

_HELP = "Run the CI pipelines you already have: on this machine, with nothing else installed."


def make_app() -> App:
    """The command line with all its commands, none of them loaded yet."""
    app = App(
        name="penstock",
        version=__version__,
        help=_HELP,
        help_epilogue=Entry("", "", OVERVIEW).epilogue,
        help_format="plaintext",
        version_format="plaintext",
        default_parameter=Parameter(show_default=False),
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    for name, entry in CATALOG.items():
        app.command(f"penstock.cli.{name}:{name}", name=name, help=entry.help, help_epilogue=entry.epilogue)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status (see `Exit`)."""
    # Importing makes many objects that live on; looking through them for garbage takes a tenth of the start.
    gc.set_threshold(50_000, 20, 20)
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
