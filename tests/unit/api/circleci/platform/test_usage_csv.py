"""How a usage export is written, without a server."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.api.circleci.platform.usage_csv import COLUMNS, NOTHING, UsageTable, quote, show_instant
from penstock.engine.usage_desk import About
from penstock.kit.clock import to_datetime
from penstock.store.usage import UsageRow
from tests.support.people import ACME

ROW = UsageRow(
    id=1,
    workflow_id=7,
    job="j",
    number=None,
    name="build",
    status="canceling",
    resource_class="",
    executor="docker",
    parallelism=3,
    queued_at=None,
    started_at=1_750_000_000_000,
    stopped_at=1_750_000_001_500,
    worked=90_000,
    cpu_median=None,
    cpu_max=None,
    ram_median=None,
    ram_max=None,
    workflow="w",
    workflow_name="main",
    project="p",
    project_name="app",
    project_slug="~/gone",
    url="https://user:secret@example.com/app.git",
    project_created_at=0,
    branch="",
    pipeline="l",
    pipeline_number=1,
    pipeline_created_at=0,
    trigger="schedule",
    actor="ada",
    workflow_queued_at=None,
    workflow_started_at=None,
    workflow_stopped_at=None,
    workflow_status="",
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


def show(row: UsageRow, prices: dict[str, float] | None = None) -> dict[str, str]:
    table = UsageTable(prices)
    about = About(organization=ACME, created_at=0, last_ends={}, people={"ada": ""})
    text = (table.head + table.show([row], about)).decode()
    [shown] = csv.DictReader(io.StringIO(text, newline=""))
    assert None not in shown
    return shown


def change(**changes: object) -> UsageRow:
    values = {name: getattr(ROW, name) for name in ROW.__struct_fields__} | changes
    return UsageRow(**values)


@given(TEXTS)
def test_any_text_is_read_as_it_was(text: str) -> None:
    [cells] = csv.reader(io.StringIO(f"a,{quote(text)},b\n", newline=""))
    assert cells == ["a", text, "b"]


@given(st.integers(0, 4_000_000_000_000))
def test_instants_are_those_of_the_calendar(instant: int) -> None:
    wanted = to_datetime(instant).strftime("%Y-%m-%d %H:%M:%S") + f".{instant % 1000:03}"
    assert show_instant(instant) == wanted


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_names_of_all_kinds_fit(name: str, workflow: str, project: str, branch: str) -> None:
    row = change(name=name, workflow_name=workflow, project_name=project, branch=branch or "x")
    shown = show(row)
    assert tuple(shown) == COLUMNS
    assert (shown["JOB_NAME"], shown["WORKFLOW_NAME"], shown["PROJECT_NAME"]) == (name, workflow, project)
    assert shown["VCS_BRANCH"] == (branch or "x")


def test_what_is_missing_is_said_so() -> None:
    shown = show(ROW)
    missing = {name for name, value in shown.items() if value == NOTHING}
    assert missing == {
        "JOB_RUN_NUMBER",
        "JOB_RUN_QUEUED_AT",
        "LAST_BUILD_FINISHED_AT",
        "VCS_BRANCH",
        "PIPELINE_TRIGGER_USER_ID",
        "WORKFLOW_FIRST_JOB_QUEUED_AT",
        "WORKFLOW_FIRST_JOB_STARTED_AT",
        "WORKFLOW_STOPPED_AT",
        "IS_WORKFLOW_SUCCESSFUL",
        "MEDIAN_CPU_UTILIZATION_PCT",
        "MAX_CPU_UTILIZATION_PCT",
        "MEDIAN_RAM_UTILIZATION_PCT",
        "MAX_RAM_UTILIZATION_PCT",
    }
    assert shown["IS_UNREGISTERED_USER"] == "true"


def test_nothing_secret_is_in_the_address_of_a_repository() -> None:
    assert show(ROW)["VCS_URL"] == "https://example.com/app"


@pytest.mark.parametrize(
    ("resource_class", "executor", "prices", "credits_taken"),
    [
        ("", "docker", {}, "15.00"),
        ("large", "docker", {}, "30.00"),
        ("large", "docker", {"large": 0.5}, "0.75"),
        ("", "docker", {"medium": 2.0}, "3.00"),
        ("acme/own", "machine", {}, "0.00"),
        ("acme/own", "machine", {"acme/own": 1.0}, "1.50"),
        ("gpu.nvidia.small", "machine", {}, NOTHING),
        ("", "host", {}, "0.00"),
    ],
)
def test_credits_are_those_of_the_class(
    resource_class: str, executor: str, prices: dict[str, float], credits_taken: str
) -> None:
    shown = show(change(resource_class=resource_class, executor=executor), prices)
    assert shown["COMPUTE_CREDITS"] == shown["TOTAL_CREDITS"] == credits_taken


def test_seconds_are_whole_and_shares_are_percent() -> None:
    shown = show(change(cpu_median=1, cpu_max=10_000, ram_median=2550, ram_max=123_456))
    assert shown["JOB_RUN_SECONDS"] == "2"
    assert shown["MEDIAN_CPU_UTILIZATION_PCT"] == "0.01"
    assert shown["MAX_CPU_UTILIZATION_PCT"] == "100.00"
    assert shown["MEDIAN_RAM_UTILIZATION_PCT"] == "25.50"
    assert shown["MAX_RAM_UTILIZATION_PCT"] == "1234.56"
