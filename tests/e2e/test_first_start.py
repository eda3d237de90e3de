"""The first administrator of a server, and the token that is shown once."""

import re
from pathlib import Path

import httpx

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


def test_the_operator_s_password_opens_the_account_and_guesses_are_slowed_down(tmp_path: Path) -> None:
    secret = {"PENSTOCK_ADMIN_PASSWORD": "chosen-by-the-operator"}
    with running_server(tmp_path / "data", environment=secret) as server:
        right = httpx.BasicAuth("admin", "chosen-by-the-operator")
        me = f"{server.url}/api/v2/me"
        assert server.client.get(me, auth=right).json()["login"] == "admin"
        wrong = [server.client.get(me, auth=httpx.BasicAuth("admin", f"guess {n}")) for n in range(6)]
        assert [answer.status_code for answer in wrong] == [401] * 5 + [429]
        assert 0 < int(wrong[-1].headers["retry-after"]) <= 30
        assert wrong[-1].json() == {"message": "too many wrong passwords: try again later"}
        assert "chosen-by-the-operator" not in server.log()
        assert "guess" not in server.log()
