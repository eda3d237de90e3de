"""How a command waits for an export of usage."""

from typing import Any, TypeVar

import msgspec
import pytest

from penstock.cli.remote import export
from penstock.cli.remote.client import Client
from penstock.cli.remote.connection import AwayError, Connection
from penstock.model.errors import RefusedError

T = TypeVar("T")


class Server(Client):
    """Answers the calls of one export, one after the other; what is no answer is raised."""

    def __init__(self, *answers: dict[str, Any] | Exception) -> None:
        super().__init__(Connection("http://127.0.0.1:1", ""))
        self.answers = list(answers)

    def circle(self, method: str, path: str, kind: type[T], body: object = None, **query: Any) -> T:  # noqa: ANN401 - of any type
        del method, path, body, query
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return msgspec.convert({"usage_export_job_id": "e1", "download_urls": [], **answer}, kind)


@pytest.fixture(autouse=True)
def hasten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_FIRST_PAUSE", 0.001)


def test_an_export_is_awaited_until_it_is_made() -> None:
    server = Server({"state": "created"}, {"state": "processing"}, {"state": "completed"})
    assert export.await_export(server, "o", (0, 1000), 60).state == "completed"


def test_whoever_waits_keeps_the_id_when_no_more_calls_are_answered() -> None:
    server = Server({"state": "created"}, {"state": "processing"}, AwayError("429: Rate limit exceeded."))
    found = export.await_export(server, "o", (0, 1000), 60)
    assert (found.usage_export_job_id, found.state, server.answers) == ("e1", "processing", [])


def test_an_export_that_failed_is_refused_with_the_reason() -> None:
    server = Server({"state": "created"}, {"state": "failed", "error_reason": "the disk is full"})
    with pytest.raises(RefusedError, match="the disk is full"):
        export.await_export(server, "o", "e1", 60)
