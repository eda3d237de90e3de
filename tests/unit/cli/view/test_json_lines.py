"""A run as JSON lines."""

import io

import msgspec

from penstock.cli.view.json_lines import JsonView
from penstock.engine.feed import Change
from penstock.model.status import JobStatus
from tests.support.changes import job, output


def show(*changes: Change, verbose: bool = False) -> list[dict[str, object]]:
    """The objects written for the changes."""
    stream = io.StringIO()
    view = JsonView(stream, verbose=verbose)
    for change in changes:
        view.on_change(change)
    view.close()
    return [msgspec.json.decode(line) for line in stream.getvalue().splitlines()]


def test_each_change_is_an_object_whose_type_names_it() -> None:
    (found,) = show(job("a", JobStatus.RUNNING))
    assert found["type"] == "job"
    assert found["name"] == "a"
    assert found["status"] == "running"


def test_output_comes_as_text_when_wanted() -> None:
    change = output("a", b"one\n\xff", number=3, index=1)
    assert show(change) == []
    (found,) = show(change, verbose=True)
    assert found == {
        "type": "output",
        "at": 0,
        "pipeline": "p",
        "job": "a",
        "index": 1,
        "step": 3,
        "text": "one\n\ufffd",
    }
