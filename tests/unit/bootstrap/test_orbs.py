"""Configs get the orbs they want, and the orbs of those, within bounds."""

from pathlib import Path

import pytest

from penstock.bootstrap import orbs
from penstock.bootstrap.orbs import make_chain, supply_orbs
from penstock.language.circleci import compile as compile_config
from penstock.language.common.context import Context
from penstock.model.errors import InvalidError
from tests.support.registry import Registry, serve_registry

CONFIG = b"version: 2.1\norbs: {a: acme/a@1}\njobs: {build: {machine: true, steps: [a/x]}}\n"
PLAIN = "jobs: {build: {machine: true, steps: [checkout]}}\n"
ORBS = {
    "acme/a": {"1.0.0": "orbs: {b: acme/b@2.1}\ncommands: {x: {steps: [b/y]}}\n"},
    "acme/b": {"2.1.7": "commands: {y: {steps: [run: make]}}\n"},
}


def use_registry(registry: Registry, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_HOME", str(folder / "home"))
    monkeypatch.setenv("PENSTOCK_ORB_REGISTRY", registry.address)


def list_faults(source: bytes, context: Context) -> list[str]:
    return [finding.message for finding in compile_config(source, context).diagnostics]


def test_orbs_inside_orbs_are_fetched_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "orbs.lock"
    with serve_registry(ORBS) as registry:
        use_registry(registry, tmp_path, monkeypatch)
        context = supply_orbs(CONFIG, Context(branch="main"), lock)
    plan = compile_config(CONFIG, context)
    assert plan.workflows, plan.diagnostics
    assert plan.compiled.startswith("# Orb 'acme/a@1' resolved to 'acme/a@1.0.0'\n")
    assert registry.asked == ["acme/a@1", "acme/b@2.1"]
    assert "acme/b@2.1.7" in lock.read_text()
    monkeypatch.setenv("PENSTOCK_ORB_REGISTRY", "off")
    assert supply_orbs(CONFIG, Context(branch="main"), lock) == context


def test_an_orb_nobody_has_is_one_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve_registry({"acme/a": ORBS["acme/a"]}) as registry:
        use_registry(registry, tmp_path, monkeypatch)
        context = supply_orbs(CONFIG, Context(branch="main"), tmp_path / "orbs.lock")
    (fault,) = list_faults(CONFIG, context)
    assert fault.startswith("orb acme/b@2.1 cannot be had: Cannot find acme/b@2.1 in the orb registry.")
    assert not (tmp_path / "orbs.lock").exists()


def test_a_parameter_may_choose_the_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = b"parameters: {v: {type: string, default: '2'}}\n" + CONFIG.replace(
        b"acme/a@1", b"acme/b@<< pipeline.parameters.v >>"
    ).replace(b"a/x", b"a/y")
    with serve_registry(ORBS) as registry:
        use_registry(registry, tmp_path, monkeypatch)
        context = supply_orbs(source, Context(branch="main", parameters={"v": "2.1"}))
    assert compile_config(source, context).workflows, compile_config(source, context).diagnostics
    assert registry.asked == ["acme/b@2.1"]


def test_orbs_without_end_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = {
        f"acme/o{n}": {"1.0.0": f"orbs: {{next: acme/o{n + 1}@1}}\ncommands: {{}}\n"} for n in range(200)
    }
    config = f"version: 2.1\norbs: {{a: acme/o0@1}}\n{PLAIN}".encode()
    with serve_registry(endless) as registry:
        use_registry(registry, tmp_path, monkeypatch)
        context = supply_orbs(config, Context(branch="main"))
    assert len(registry.asked) <= orbs.MOST_ORBS
    assert list_faults(config, context)


def test_too_many_and_too_large_orbs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = ", ".join(f"o{n}: acme/o{n}@1" for n in range(6))
    config = f"version: 2.1\norbs: {{{listed}}}\n{PLAIN}".encode()
    with serve_registry({f"acme/o{n}": {"1.0.0": "# 3456789\n{}"} for n in range(6)}) as registry:
        use_registry(registry, tmp_path, monkeypatch)
        monkeypatch.setattr(orbs, "MOST_ORBS", 5)
        (many,) = supply_orbs(config, Context(branch="main")).faults.values()
        monkeypatch.setattr(orbs, "MOST_BYTES", 30)
        large = supply_orbs(config, Context(branch="main")).faults.values()
    assert "more than 5 orbs" in many
    assert ["larger than" in fault for fault in large] == [True] * 4


def test_a_setting_that_is_no_address_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path))
    monkeypatch.setenv("PENSTOCK_ORB_REGISTRY", "file:///etc/passwd")
    with pytest.raises(InvalidError, match="neither 'off' nor"):
        make_chain()


def test_a_config_without_orbs_asks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path / "home"))
    context = Context(branch="main")
    assert supply_orbs(b"version: 2.1\njobs: {}\n# orbs\n", context) is context
    assert not (tmp_path / "home").exists()
