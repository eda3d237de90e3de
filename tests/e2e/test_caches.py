"""Caches through the front door: keys, prefixes, who was first, and what is said."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from textwrap import indent

import pytest

from tests.support.command import Project


def job(name: str, *steps: str, more: str = "") -> str:
    listed = indent("\n".join(f"- {step}" for step in steps), " " * 6)
    return f"  {name}:\n    machine: true\n{more}    steps:\n{listed}\n"


def config(*jobs: str) -> str:
    names = [name for each in jobs for name in re.findall(r"^  (\w+):$", each, re.MULTILINE)]
    return f"version: 2.1\njobs:\n{''.join(jobs)}workflows:\n  main:\n    jobs: [{', '.join(names)}]\n"


def save(key: str, *paths: str) -> str:
    return f"save_cache: {{name: save, key: '{key}', paths: [{', '.join(paths or ('kept',))}]}}"


def restore(*keys: str, name: str = "restore") -> str:
    return f"restore_cache: {{name: {name}, keys: [{', '.join(map(repr, keys))}]}}"


MAKE = "run: mkdir -p kept && echo first > kept/file"


def test_a_key_is_taken_once_and_found_again_in_the_same_job(tmp_path: Path) -> None:
    steps = [
        MAKE,
        save("v1"),
        "run: echo second > kept/file",
        "save_cache: {name: again, key: v1, paths: [kept]}",
        "run: rm -r kept",
        restore("v1"),
        "run: {name: show, command: cat kept/file}",
    ]
    project = Project(tmp_path, config(job("build", *steps)))
    outcome = project.run()
    assert outcome.status == 0, outcome
    assert project.log("build", "again") == "Skipping cache generation, cache already exists for key: v1\n"
    assert project.log("build", "show") == "first\n"


def test_the_first_key_that_matches_decides_and_of_its_matches_the_newest(tmp_path: Path) -> None:
    made = [
        part
        for key in ("a-1", "b-1", "a-2")
        for part in (f"run: mkdir -p kept && echo {key} > kept/file", save(key))
    ]
    look = "run: {name: show, command: cat kept/file}"
    project = Project(tmp_path, config(job("build", *made, restore("none-", "a-", "b-"), look)))
    assert project.run().status == 0
    log = project.log("build", "restore")
    assert log.startswith("Found a cache at a-2 ")
    assert project.log("build", "show") == "a-2\n"


def test_nothing_to_restore_and_nothing_to_keep_are_no_failures(tmp_path: Path) -> None:
    steps = [restore("one", "two"), save("v1", "missing", "/none/at/all")]
    project = Project(tmp_path, config(job("build", *steps)))
    assert project.run().status == 0
    expected = "No cache is found for key: one\nNo cache is found for key: two\n"
    assert project.log("build", "restore") == expected
    log = project.log("build", "save")
    assert "Warning: could not archive /none/at/all - Not found\n" in log
    assert log.endswith("Skipping cache generation, there is nothing to keep\n")


def test_a_key_may_hold_every_template(tmp_path: Path) -> None:
    key = (
        'v1-{{ checksum "lock" }}-{{ .Branch }}-{{ .Revision }}-{{ .BuildNum }}-'
        "{{ .Environment.WORD }}-{{ .Environment.CIRCLE_JOB }}-{{ .Environment.NONE }}-{{ arch }}-{{ epoch }}"
    )
    steps = ["checkout", "run: echo export WORD=bash >> $BASH_ENV", MAKE, save(key)]
    more = "    environment: {WORD: job}\n"
    project = Project(tmp_path, config(job("build", *steps, more=more)), {"lock": "locked\n"})
    assert project.run().status == 0
    (made,) = re.findall(r"under the key: (.*)", project.log("build", "save"))
    pattern = r"v1-(.+)-main-[0-9a-f]{40}-1-job-build-<no value>-linux-\w+-\d+_\d+-\d{10}"
    match = re.fullmatch(pattern, made)
    assert match, made
    assert match[1] == b64encode(sha256(b"locked\n").digest()).decode()


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ('{{ checksum "none" }}', "error computing cache key: template: cacheKey:1: error calling checksum"),
        ("{{ .Unknown }}", "error computing cache key: template: cacheKey:1: "),
        ("{{ sum 1 }}", "error computing cache key: template: cacheKey:1: "),
        ("k" * 901, "the cache key has 901 characters, 900 are allowed"),
    ],
)
def test_a_key_that_cannot_be_made_fails_the_step(tmp_path: Path, key: str, sentence: str) -> None:
    outcome = Project(tmp_path, config(job("build", MAKE, save(key)))).run()
    assert outcome.status == 1
    assert sentence in outcome.out


def test_jobs_that_save_at_once_leave_one_whole_cache(tmp_path: Path) -> None:
    words = {"one": "1", "two": "2"}
    writers = [
        job(name, f"run: mkdir -p kept && for i in 1 2 3; do echo {word} > kept/$i; done", save("shared"))
        for name, word in words.items()
    ]
    look = [restore("shared"), "run: {name: show, command: 'cat kept/* 2>/dev/null || echo none'}"]
    project = Project(tmp_path, config(*writers, job("last", *look)).replace(
        "[one, two, last]", "[one, two, last: {requires: [one, two]}]"
    ))  # fmt: skip
    assert project.run("--max-parallel", "2").status == 0
    assert project.log("last", "show") in {"1\n1\n1\n", "2\n2\n2\n"}


def test_what_lay_in_the_home_comes_back_in_the_next_home_and_links_stay_links(tmp_path: Path) -> None:
    make = "run: mkdir -p ~/.tool/bin; cd ~/.tool/bin; echo x > x; ln -s x y; chmod 750 x"
    look = "run: {name: show, command: 'readlink ~/.tool/bin/y; stat -c %a ~/.tool/bin/x'}"
    project = Project(
        tmp_path, config(job("build", restore("v1"), "run: '! ls ~/.tool'", make, save("v1", "~/.tool")))
    )
    assert project.run().status == 0
    path = project.folder / ".circleci/config.yml"
    path.write_text(config(job("build", restore("v1"), look)))
    assert project.run().status == 0
    assert project.log("build", "show") == "x\n750\n"
