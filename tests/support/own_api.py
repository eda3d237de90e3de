"""Penstock's own API, asked as its clients ask it."""

from pathlib import Path
from typing import Any

from zstandard import ZstdCompressor

from penstock.api.penstock.routes import PREFIX
from penstock.wire.messages import LogOutput
from tests.support.circle import ADMIN, CircleSite
from tests.support.http import Reply


class OwnSite(CircleSite):
    """The same site, asked in our own words."""

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(url, folder)
        self._printed: dict[str, tuple[int, int]] = {}
        self.member = ""  # the token of a member, where a test has made one

    def ask_own(self, method: str, path: str, body: object = None, *, token: str = ADMIN) -> Reply:
        """The reply to a request with the token; "" sends none."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return self.call(method, f"{PREFIX}/{path}", body, token="", headers=headers)

    def own(
        self, method: str, path: str, body: object = None, *, status: int = 200, token: str = ADMIN
    ) -> Any:  # noqa: ANN401 - whatever was answered
        """The body of the answer, which has this status; None for no body."""
        reply = self.ask_own(method, path, body, token=token)
        assert reply.status == status, (method, path, reply.status, reply.body)
        return reply.json() if reply.body else None

    def print(self, task: str, data: bytes | str) -> None:
        """The task's first step prints this."""
        plain = data.encode() if isinstance(data, str) else data
        offset, line = self._printed.get(task, (0, 0))
        lines = plain.count(b"\n")
        self._printed[task] = (offset + len(plain), line + lines)
        event = LogOutput(
            task=task,
            sequence=self.worker.next(task),
            at=self.lab.clock.now(),
            step=0,
            offset=offset,
            first_line=line,
            lines=lines,
            size=len(plain),
            data=ZstdCompressor().compress(plain),
        )
        self.worker.sync(event)
