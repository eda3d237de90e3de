"""The `penstock` command: names the commands; each lives in its own file and is loaded when called."""

import errno
import gc
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from penstock.cli.exit import Exit
from penstock.cli.streams import complain, drop_output, open_streams

if TYPE_CHECKING:
    from cyclopts import App

_HELP = "Run the CI pipelines you already have: on this machine, or on a server of your own."
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


def make_app() -> "App":
    """The command line with all its commands, none of them loaded yet."""
    from cyclopts import App, Group, Parameter

    from penstock import __version__
    from penstock.cli.catalog import CATALOG, OVERVIEW
    from penstock.cli.entry import Entry, Place

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
    groups = {place: Group(place.value, sort_key=number) for number, place in enumerate(Place)}
    for name, entry in CATALOG.items():
        file = name.replace("-", "_")
        place = f"penstock.cli.{file}:{file}"
        group = groups[entry.place]
        if entry.several:
            app.command(place, name=name, help=entry.help, group=group)
        else:
            app.command(place, name=name, help=entry.help, help_epilogue=entry.epilogue, group=group)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status (see `Exit`)."""
    # Importing makes many objects that live on; looking through them for garbage takes a tenth of the start.
    gc.set_threshold(50_000, 20, 20)
    _leave_when_interrupted()
    try:
        open_streams()
        status = call(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:  # once more, while the first was being answered
        status = Exit.INTERRUPTED
    # When an interrupt has passed through code made from a text, as `namedtuple` makes it, `python -m` would
    # end by a signal although it was answered. Any other text makes it forget that.
    exec("")  # noqa: S102 - nothing is in it
    sys.exit(status)


def _leave_when_interrupted() -> None:
    """Until a command answers Ctrl-C itself, it ends the process at once: there is nothing to put away.

    KeyboardInterrupt gets lost while modules are imported: what extension modules run at their start and
    callbacks of weak references swallow it.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda *_: os._exit(Exit.INTERRUPTED))


def call(arguments: Sequence[str]) -> int:
    """The exit status of one command. What went wrong is one sentence on standard error."""
    try:
        status = _dispatch(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        drop_output()
        return Exit.NO_READER
    except Exception as error:  # noqa: BLE001 - the outermost loop: a user must never see a traceback
        return _explain(error)
    return status


def _dispatch(arguments: Sequence[str]) -> int:
    """Do what the command line says; what the user can mend becomes a sentence here."""
    from cyclopts import CycloptsError

    from penstock.model.errors import PenstockError, UnavailableError

    try:
        status = make_app()(list(arguments), exit_on_error=False)
    except CycloptsError:
        return Exit.USAGE
    except UnavailableError as error:
        complain(str(error))
        return Exit.UNAVAILABLE
    except PenstockError as error:
        complain(str(error))
        return Exit.USAGE
    return status if isinstance(status, int) else Exit.SUCCESS


def _explain(error: Exception) -> Exit:
    """Say that the output cannot be written, or that Penstock is at fault and where its traceback is."""
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        complain(f"cannot write {error.filename or 'the output'}: {error.strerror}")
        drop_output()
        return Exit.UNAVAILABLE
    from penstock.cli.crash import record_crash

    file = record_crash(error)
    found = f"its traceback is in {file}" if file else "its traceback could not be written anywhere"
    complain(f"internal error ({type(error).__name__}), which is a fault of Penstock; {found}")
    drop_output()
    return Exit.INTERNAL
