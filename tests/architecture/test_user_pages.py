"""The pages for users name every command, option, event, variable and exit status there is, and no other."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cyclopts import App

from penstock.agent.executor.variables import PASSED, PASSED_PREFIXES, POINTERS
from penstock.api.common.meter import Meter
from penstock.bootstrap.folder import DataFolder
from penstock.bootstrap.gauges import read_gauges
from penstock.bootstrap.home import Home
from penstock.bootstrap.settings import Setting, list_settings
from penstock.cli.exit import Exit
from penstock.cli.main import make_app
from penstock.engine import feed
from tests.support.lab import Lab
from tests.support.pages import ROOT, list_codes, list_keys, read_tables

COMMANDS = ROOT / "docs/use/commands.md"
RUN = read_tables(ROOT / "docs/use/run.md")
SERVER = read_tables(ROOT / "docs/run/server.md")
OPTION = re.compile(r"--?[a-z][a-z-]*")


def list_commands() -> list[str]:
    return [name for name in make_app() if not name.startswith("-")]


def list_options(command: str) -> set[str]:
    """The options of a command and its own commands in all their spellings, without plain arguments."""
    return {name for app in walk_apps(make_app()[command]) for name in list_names(app)}


def list_names(app: App) -> Iterator[str]:
    for argument in app.assemble_argument_collection() if app.default_command else ():
        yield from (name for name in argument.names if name.startswith("-"))


def walk_apps(app: App) -> Iterator[App]:
    yield app
    for name in app:
        if not name.startswith("-"):
            yield from walk_apps(app[name])


def read_section(command: str) -> str:
    """The part of the page about one command."""
    _, found, rest = COMMANDS.read_text().partition(f"\n## penstock {command}\n")
    assert found, f"docs/use/commands.md has no section about penstock {command}"
    return rest.partition("\n## ")[0]


def test_the_overview_names_every_command_in_order() -> None:
    named = re.findall(r"^\| \[`([\w-]+)`\]", COMMANDS.read_text(), re.MULTILINE)
    assert named == list_commands()


@pytest.mark.parametrize("command", list_commands())
def test_a_section_names_the_options_of_its_command(command: str) -> None:
    section = re.sub(r"```.*?```", "", read_section(command), flags=re.DOTALL)
    named = {
        option for code in list_codes(section) for option in OPTION.findall(code) if code.startswith("-")
    }
    named |= {setting.flag for setting in list_settings()} if command == "serve" else set()
    assert named == list_options(command)


@pytest.mark.parametrize("command", list_commands())
def test_examples_of_a_command_use_options_it_has(command: str) -> None:
    section = read_section(command)
    lines = re.findall(rf"penstock {command}( .*)?$", section, re.MULTILINE)
    used = {option for line in lines for option in re.findall(r" (--[a-z-]+)", line.partition(" | ")[0])}
    assert used <= list_options(command)


def test_the_page_names_the_fields_of_every_event() -> None:
    known = {
        change.__struct_config__.tag: change
        for change in (
            feed.PipelineChanged, feed.WorkflowChanged, feed.JobChanged, feed.StepChanged, feed.OutputAdded,
        )
    }  # fmt: skip
    assert list_keys(RUN["events"]) == list(known)
    for kind, always, sometimes in RUN["events"]:
        fields = {field.name: field.required for field in msgspec.structs.fields(known[list_codes(kind)[0]])}
        if "data" in fields:
            fields["text"] = fields.pop("data")
        assert set(list_codes(always)) == {name for name in fields if fields[name]} - {"at"}
        assert set(list_codes(sometimes)) == {name for name in fields if not fields[name]}


def test_the_page_names_every_variable_that_passes() -> None:
    named = {code for row in RUN["passed"] for code in list_codes(row[1])}
    assert named == PASSED.keys() | {f"{prefix}*" for prefix in PASSED_PREFIXES}


def test_the_page_names_every_pointer_and_where_it_leads() -> None:
    named = {list_codes(name)[0]: list_codes(place) for name, place in RUN["pointers"]}
    assert named == {name: [f"~/{path}" for path in paths] for name, paths in POINTERS.items()}


def test_the_page_names_every_exit_status() -> None:
    assert [int(row[0]) for row in RUN["statuses"]] == [int(status) for status in Exit]


def test_the_page_names_what_lies_in_the_data_folder_of_a_server() -> None:
    folder = DataFolder(ROOT)
    places = (
        folder.database, folder.blobs, folder.key, folder.jobs, folder.ends, folder.mirrors, folder.keys,
            folder.lock, folder.agent,
    )  # fmt: skip
    assert list_keys(SERVER["folder"]) == [place.name for place in places]


def test_the_page_names_every_figure(tmp_path: Path) -> None:
    meter, lab = Meter(), Lab(f"sqlite:///{tmp_path}/penstock.db", tmp_path)
    meter.watch(lambda: read_gauges(lab.parts))
    shown = re.findall(r"^# TYPE (\w+)", meter.show().decode(), re.MULTILINE)
    lab.close()
    assert sorted(list_keys(SERVER["figures"])) == sorted(shown)


def test_the_page_names_every_setting_and_its_default() -> None:
    rows = read_tables(ROOT / "docs/run/settings.md")["settings"]
    assert rows == [[f"`{each.name}`", show_default(each), each.help] for each in list_settings()]


def show_default(setting: Setting) -> str:
    match setting.default:
        case None | "" | ():
            return "–"  # noqa: RUF001 - what the page shows
        case tuple() as several:
            return f"`{', '.join(map(str, several))}`"
        case float() as number:
            return f"`{number:g}`"
        case other:
            return f"`{other}`"


def test_the_page_names_what_lies_in_the_data_folder() -> None:
    home = Home(root=ROOT)
    places = [home.database.removeprefix("sqlite:///"), home.blobs, str(home.runs), str(home.kept)]
    places += [str(home.orbs), str(home.fetched)]
    named = list_keys(read_tables(ROOT / "docs/run/local.md")["home"])
    assert named == [place.removeprefix(f"{ROOT}/") for place in places]
