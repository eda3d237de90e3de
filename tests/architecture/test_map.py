"""The map in the documentation is true: what it names exists, and nothing is missing from it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAP = ROOT / "docs/develop/map.md"
GUIDES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
IN_CODE = re.compile(r"`((?:src|tests|docs|bench|examples|requirements|changes|\.ci)/[\w./-]*)`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def test_every_path_a_page_names_exists() -> None:
    named = {(page.name, path) for page in GUIDES for path in IN_CODE.findall(page.read_text())}
    assert {(page, path) for page, path in named if not (ROOT / path).exists()} == set()


def test_every_link_between_pages_leads_somewhere() -> None:
    links = {(page, target) for page in GUIDES for target in LINK.findall(page.read_text())}
    dead = {(page.name, target) for page, target in links if not (page.parent / target).exists()}
    assert dead == set()


def test_every_package_is_on_the_map() -> None:
    packages = {path.parent.name for path in (ROOT / "src/penstock").glob("*/__init__.py")}
    shown = set(re.findall(r"`src/penstock/(\w+)`", MAP.read_text()))
    assert packages == shown


def test_every_folder_of_tests_is_on_the_map() -> None:
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()} - {"support", "__pycache__"}
    shown = set(re.findall(r"`tests/(\w+)`", MAP.read_text()))
    assert folders <= shown
