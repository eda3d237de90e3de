"""The first administrator of a server, and the token that is shown once."""

import re
from pathlib import Path

from tests.support.server import running_server

SHOWN = re.compile(r"shown this once: (pst_\w+)")


def test_the_first_start_shows_a_token_and_later_ones_do_not(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as server:
        found = SHOWN.search(server.log())
        assert found is not None, server.log()
        me = server.get("/api/v2/me", **{"Circle-Token": found[1]})
        assert me.json()["login"] == "admin"
        assert server.get("/api/v2/me").status_code == 401
        assert server.log().count(found[1]) == 1
        server.stop()
    with running_server(tmp_path / "data") as server:
        assert SHOWN.search(server.log()) is None
        assert server.get("/api/v2/me", **{"Circle-Token": found[1]}).status_code == 200


def test_the_operator_s_own_token_opens_the_account_and_is_not_shown(tmp_path: Path) -> None:
    token = "chosen-by-the-operator"
    with running_server(tmp_path / "data", environment={"PENSTOCK_ADMIN_TOKEN": token}) as server:
        assert server.get("/api/v2/me", Authorization=f"Bearer {token}").json()["login"] == "admin"
        assert server.get(f"/api/v2/me?circle-token={token}").status_code == 200
        assert token not in server.log()
