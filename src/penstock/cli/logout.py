"""`penstock logout`: forgets a server."""

import os
from typing import Annotated

from cyclopts import Parameter

from penstock.cli.exit import Exit
from penstock.cli.remote.connection import check_url
from penstock.cli.remote.console import write_json, write_line
from penstock.cli.remote.saved import drop_login, find_file, load_saved, save
from penstock.model.errors import InvalidError


def logout(url: str = "", /, *, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Forget a server and its token. The token stays good: `penstock token revoke` ends it.

    Parameters
    ----------
    url
        The server's address; without it where you logged in last.
    json
        Print JSON.
    """
    file = find_file(os.environ)
    saved = load_saved(file)
    address = check_url(url) if url else saved.server
    if address not in saved.tokens:
        raise InvalidError(f"you are not logged in{f' to {address}' if address else ''}")
    save(file, drop_login(saved, address))
    if json:
        write_json({"server": address})
    else:
        write_line(f"Logged out of {address}.")
    return Exit.SUCCESS
