"""Git's words and what they mean."""

import pytest

from penstock.forge.failures import Fault, explain_fault, find_fault
from penstock.model.errors import PenstockError


@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_has_a_sentence_that_names_the_repository(fault: Fault) -> None:
    error = explain_fault(fault, "https://host/{x}", "git fetch: {y}")
    assert isinstance(error, PenstockError)
    assert "https://host/{x}" in str(error)


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ("ERROR: Repository not found.\nfatal: Could not read from remote repository.", Fault.NO_REPOSITORY),
        ("fatal: '/x' does not appear to be a git repository", Fault.NO_REPOSITORY),
        ("fatal: repository 'https://host/x/' not found", Fault.NO_REPOSITORY),
        ("remote: Not Found\nfatal: Authentication failed for 'https://host/x'", Fault.NO_ACCESS),
        ("fatal: could not read Username for 'https://host': terminal prompts disabled", Fault.NO_ACCESS),
        ("fatal: couldn't find remote ref refs/heads/x", Fault.NO_REF),
        ("fatal: remote error: upload-pack: not our ref 1212", Fault.NO_REF),
        ("fatal: unable to access 'https://x/': Could not resolve host: x", Fault.UNREACHABLE),
        ("fatal: write error: No space left on device\nfatal: index-pack failed", Fault.DISK_FULL),
        ("fatal: transport 'git' not allowed", Fault.NOT_ALLOWED),
        ("fatal: not a git repository (or any of the parent directories): .git", Fault.CORRUPT),
        ("error: object file ./objects/12/34 is empty", Fault.CORRUPT),
        ("something new", Fault.UNKNOWN),
    ],
)
def test_git_is_understood(told: str, fault: Fault) -> None:
    assert find_fault(told) is fault
