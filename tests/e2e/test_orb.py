"""Orbs from the command line: published, imported, listed, used and pinned, without a network."""

from pathlib import Path

from tests.support.command import Project
from tests.support.registry import serve_registry

CONFIG = """\
version: 2.1
orbs: {build: acme/build@1}
jobs: {build: {machine: true, steps: [build/say: {what: hello}]}}
"""
ORB = """\
commands:
  say:
    parameters: {what: {type: string}}
    steps: [run: {name: say, command: echo << parameters.what >>}]
"""


def test_a_published_orb_is_listed_and_runs(tmp_path: Path) -> None:
    project = Project(tmp_path, CONFIG, {"orb.yml": ORB})
    before = project.call("validate")
    assert before.status == 2
    assert "orb acme/build@1 cannot be had" in before.err
    assert "penstock orb publish" in before.err
    assert project.call("orb", "publish", "acme/build@1.4.0", "orb.yml").status == 0
    assert project.call("orb", "list").out == "acme/build@1.4.0\n"
    assert project.call("validate").status == 0
    assert project.call("compile").out.startswith("# Orb 'acme/build@1' resolved to 'acme/build@1.4.0'\n")
    assert project.run().status == 0
    assert project.log("build", "say") == "hello\n"


def test_an_orb_is_fetched_and_pinned(tmp_path: Path) -> None:
    project = Project(tmp_path, CONFIG)
    with serve_registry({"acme/build": {"1.0.0": ORB}}) as registry:
        arguments = ("compile", "--orb-lock", str(tmp_path / "orbs.lock"))
        first = project.call(*arguments, PENSTOCK_ORB_REGISTRY=registry.address)
    assert first.status == 0, first.err
    assert project.call(*arguments).out == first.out
    assert (tmp_path / "orbs.lock").exists()


def test_a_refused_import_says_why_and_fails(tmp_path: Path) -> None:
    project = Project(tmp_path, CONFIG, {"orbs/acme__good.yml": ORB, "orbs/acme__bad.yml": "a: ["})
    done = project.call("orb", "import", "orbs", "--version", "1.2.3")
    assert (done.status, done.out) == (2, "acme/good@1.2.3\n")
    assert "acme/bad@1.2.3: acme__bad.yml:2" in done.err
    assert project.call("orb", "publish", "acme/good").status == 2


def test_a_config_in_parts_is_packed(tmp_path: Path) -> None:
    parts = {"parts/a.yml": "version: 2.1\n", "parts/jobs/build.yml": "machine: true\nsteps: [run: ls]\n"}
    project = Project(tmp_path, CONFIG, parts)
    done = project.call("pack", "parts")
    assert (done.status, done.out) == (
        0, "jobs:\n  build:\n    machine: true\n    steps:\n    - run: ls\nversion: 2.1\n",
    )  # fmt: skip
    assert project.call("pack", "nowhere").status == 2
