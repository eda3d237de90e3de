"""`penstock run` through its front door: what it runs, what it tells, how it exits."""

from pathlib import Path
from textwrap import dedent, indent

import pytest

from tests.support.command import Project
from tests.support.repositories import git, write_files


def job(*steps: str, more: str = "") -> str:
    """A config with one job `build` on the host that has the steps, each a YAML list item."""
    listed = indent("\n".join(f"- {step}" for step in steps), " " * 6)
    extra = indent(dedent(more), " " * 4)
    return f"version: 2.1\njobs:\n  build:\n    machine: true\n{extra}\n    steps:\n{listed}\n"


def workflow(jobs: dict[str, str], flow: str) -> str:
    """A config with jobs of one command each, and a workflow `main` with the given job entries."""
    listed = "\n".join(
        f"  {name}:\n    machine: true\n    steps: [{{run: {{command: '{command}'}}}}]"
        for name, command in jobs.items()
    )
    return f"version: 2.1\njobs:\n{listed}\nworkflows:\n  main:\n    jobs:\n{indent(dedent(flow), ' ' * 6)}\n"


def test_a_passing_pipeline_exits_with_success_and_says_so(tmp_path: Path) -> None:
    outcome = Project(tmp_path, job("run: echo hello")).run()
    assert outcome.status == 0, outcome
    assert "build: success" in outcome.out


def test_a_failing_job_exits_with_1_and_shows_the_last_lines_of_its_step(tmp_path: Path) -> None:
    config = workflow(
        {"first": "echo all is lost; exit 3", "second": "true"}, "- first\n- second: {requires: [first]}"
    )
    outcome = Project(tmp_path, config).run()
    assert outcome.status == 1
    assert "first: failed" in outcome.out
    assert "all is lost" in outcome.out
    assert "second: not_run" in outcome.out


def test_a_broken_config_exits_with_2_and_names_the_place(tmp_path: Path) -> None:
    outcome = Project(tmp_path, job("rum: echo hello")).run()
    assert outcome.status == 2
    assert ".circleci/config.yml:7:" in outcome.err
    assert "rum" in outcome.err


def test_a_checkout_without_a_config_is_refused_with_a_way_out(tmp_path: Path) -> None:
    project = Project(tmp_path, "")
    (project.folder / ".circleci/config.yml").unlink()
    outcome = project.run()
    assert outcome.status == 2
    assert ".circleci/config.yml" in outcome.err


def test_an_unknown_option_exits_with_2(tmp_path: Path) -> None:
    assert Project(tmp_path, job("run: 'true'")).run("--wrong").status == 2


def test_the_working_tree_runs_as_it_is_and_is_not_written_to(tmp_path: Path) -> None:
    project = Project(
        tmp_path, job("checkout", "run: cat *.txt; touch new; git status --short"), {"a.txt": "old"}
    )
    write_files(project.folder, {"a.txt": "changed\n", "b.txt": "untracked\n"})
    before = git(project.folder, "status", "--porcelain")
    outcome = project.run()
    assert outcome.status == 0, outcome
    (log,) = (project.output / "logs/build").glob("*cat*.log")
    assert log.read_text().startswith("changed\nuntracked\n")
    assert " M a.txt" in log.read_text()
    assert git(project.folder, "status", "--porcelain") == before
    assert not (project.folder / "new").exists()


def test_a_workspace_passes_from_job_to_job(tmp_path: Path) -> None:
    project = Project(
        tmp_path,
        """
        version: 2.1
        jobs:
          make:
            machine: true
            steps:
              - run: mkdir -p out/deep && echo made > out/deep/file
              - persist_to_workspace: {root: out, paths: [deep]}
          use:
            machine: true
            steps:
              - attach_workspace: {at: in}
              - run: {name: show, command: cat in/deep/file}
        workflows:
          main:
            jobs: [make, use: {requires: [make]}]
        """,
    )
    assert project.run().status == 0
    assert project.log("use", "show") == "made\n"


def test_a_cache_of_one_run_is_found_by_the_next(tmp_path: Path) -> None:
    project = Project(
        tmp_path,
        job(
            "restore_cache: {keys: ['v1-']}",
            "run: {name: look, command: 'cat kept/file || echo nothing'}",
            "run: mkdir -p kept && echo kept > kept/file",
            "save_cache: {key: 'v1-{{ epoch }}', paths: [kept]}",
        ),
    )
    assert project.run().status == 0
    assert "nothing" in project.log("build", "look")
    assert project.run().status == 0
    assert project.log("build", "look") == "kept\n"


def test_artifacts_and_test_results_are_kept_and_failed_tests_named(tmp_path: Path) -> None:
    report = '<testsuite><testcase name="works"/><testcase name="breaks"><failure/></testcase></testsuite>'
    project = Project(
        tmp_path,
        job(
            f"run: mkdir -p r && echo '{report}' > r/j.xml && echo data > file.bin",
            "store_test_results: {path: r}",
            "store_artifacts: {path: file.bin, destination: kept/file.bin}",
        ),
    )
    outcome = project.run()
    assert outcome.status == 0, outcome
    assert (project.output / "artifacts/build/kept/file.bin").read_text() == "data\n"
    assert "breaks" in outcome.out
    assert "1 passed, 1 failed" in outcome.out
    assert "kept/file.bin" in outcome.out


@pytest.mark.parametrize(("approve", "status"), [("hold", "success"), ("all", "success")])
def test_an_approval_is_given_by_an_option(tmp_path: Path, approve: str, status: str) -> None:
    config = workflow({"last": "true"}, "- hold: {type: approval}\n- last: {requires: [hold]}")
    outcome = Project(tmp_path, config).run("--approve", approve)
    assert outcome.status == 0
    assert f"last: {status}" in outcome.out


def test_an_approval_nobody_gave_leaves_what_is_behind_it_undone_and_says_how(tmp_path: Path) -> None:
    config = workflow(
        {"a": "true", "last": "true"}, "- a\n- hold: {type: approval}\n- last: {requires: [hold]}"
    )
    project = Project(tmp_path, config)
    outcome = project.run()
    assert outcome.status == 0, outcome
    assert "a: success" in outcome.out
    assert "last: success" not in outcome.out
    assert "--approve hold" in outcome.out
    assert "hold: on_hold" in outcome.out.replace("  ", " ").replace("  ", " ")
    assert project.run("--approve", "held").status == 2


def test_a_failure_beside_an_open_approval_is_a_failure(tmp_path: Path) -> None:
    config = workflow(
        {"bad": "exit 1", "last": "true"}, "- bad\n- hold: {type: approval}\n- last: {requires: [hold]}"
    )
    assert Project(tmp_path, config).run().status == 1


def test_kept_folders_hold_the_homes_of_the_jobs(tmp_path: Path) -> None:
    project = Project(tmp_path, job("run: touch ~/left-behind"))
    outcome = project.run("--keep")
    assert "Kept: " in outcome.out
    assert [path.name for path in project.home.glob("kept/**/left-behind")] == ["left-behind"]
    assert project.run().status == 0
    assert list(project.home.glob("kept/**/left-behind"))


def test_steps_run_after_a_failure_as_their_when_says(tmp_path: Path) -> None:
    project = Project(
        tmp_path,
        job(
            "run: {name: fail, command: exit 1}",
            "run: {name: skipped, command: 'true'}",
            "run: {name: on-fail, command: echo failed, when: on_fail}",
            "run: {name: always, command: echo always, when: always}",
        ),
    )
    assert project.run().status == 1
    assert project.log("build", "on-fail") == "failed\n"
    assert project.log("build", "always") == "always\n"
    assert not list((project.output / "logs/build").glob("*skipped*"))


def test_variables_pass_between_steps_through_bash_env(tmp_path: Path) -> None:
    project = Project(
        tmp_path,
        job("run: echo 'export WORD=passed' >> $BASH_ENV", "run: {name: show, command: echo $WORD}"),
    )
    assert project.run().status == 0
    assert project.log("build", "show") == "passed\n"


def test_a_halted_job_succeeds_and_the_rest_is_not_run(tmp_path: Path) -> None:
    config = job("run: circleci-agent step halt", "run: exit 1")
    assert Project(tmp_path, config).run().status == 0


def test_a_silent_step_ends_by_its_no_output_timeout(tmp_path: Path) -> None:
    outcome = Project(tmp_path, job("run: {command: sleep 60, no_output_timeout: 1s}")).run()
    assert outcome.status == 1
    assert "Too long with no output" in outcome.out


def test_a_background_step_goes_on_beside_the_next_and_ends_with_the_job(tmp_path: Path) -> None:
    project = Project(
        tmp_path,
        job(
            "run: {command: 'echo ready > flag; exec sleep 600', background: true}",
            "run: {name: wait, command: 'until [ -e flag ]; do sleep 0.05; done; cat flag'}",
        ),
    )
    assert project.run().status == 0
    assert project.log("build", "wait") == "ready\n"


def test_parallel_copies_share_the_tests_between_them(tmp_path: Path) -> None:
    files = {f"tests/test_{name}.py": "" for name in "abcd"}
    steps = (
        "checkout",
        "run: {name: split, command: 'circleci tests glob \"tests/*.py\" | circleci tests split'}",
    )
    project = Project(tmp_path, job(*steps, more="parallelism: 2"), files)
    assert project.run().status == 0
    shares = [
        path.read_text().split() for path in sorted((project.output / "logs").glob("build*/*split.log"))
    ]
    assert len(shares) == 2
    assert sorted(shares[0] + shares[1]) == sorted(files)
    assert all(shares)


def test_one_job_runs_with_what_it_requires(tmp_path: Path) -> None:
    config = workflow(
        {"a": "true", "b": "true", "c": "exit 1"}, "- a\n- b: {requires: [a]}\n- c: {requires: [a]}"
    )
    outcome = Project(tmp_path, config).run("--job", "b")
    assert outcome.status == 0
    assert "a: success" in outcome.out
    assert "b: success" in outcome.out


def test_an_unknown_job_is_refused_with_the_names_there_are(tmp_path: Path) -> None:
    outcome = Project(tmp_path, job("run: 'true'")).run("--job", "bild")
    assert outcome.status == 2
    assert "build" in outcome.err


def test_parameters_are_read_as_their_declared_types(tmp_path: Path) -> None:
    project = Project(
        tmp_path,
        """
        version: 2.1
        parameters:
          text: {type: string, default: none}
          number: {type: integer, default: 0}
          loud: {type: boolean, default: false}
        jobs:
          build:
            machine: true
            steps:
              - run:
                  name: show
                  command: echo << pipeline.parameters.text >> << pipeline.parameters.number >>
              - when:
                  condition: << pipeline.parameters.loud >>
                  steps: [run: {name: loud, command: echo LOUD}]
        """,
    )
    assert project.run("--param", "text=1", "--param", "number=7", "--param", "loud=true").status == 0
    assert project.log("build", "show") == "1 7\n"
    assert project.log("build", "loud") == "LOUD\n"
    assert project.run("--param", "number=seven").status == 2
    assert project.run("--param", "unknown=1").status == 2


def test_branch_and_tag_select_what_runs(tmp_path: Path) -> None:
    config = workflow(
        {"on-main": "true", "on-tag": "true"},
        """
        - on-main: {filters: {branches: {only: main}}}
        - on-tag: {filters: {branches: {ignore: /.*/}, tags: {only: /v.*/}}}
        """,
    )
    project = Project(tmp_path, config)
    assert "on-main: success" in project.run().out
    assert "on-main" not in project.run("--branch", "topic").out
    tagged = project.run("--tag", "v1.0").out
    assert "on-tag: success" in tagged
    assert "on-main" not in tagged
    other = project.run("--tag", "other")
    assert other.status == 0
    assert "nothing to run" in other.err


def test_secrets_from_files_reach_the_job_and_are_masked(tmp_path: Path) -> None:
    config = workflow({"build": "echo $FROM_FILE $FROM_CONTEXT"}, "- build: {context: [deploy]}")
    project = Project(tmp_path, config)
    write_files(
        tmp_path, {"project.env": "FROM_FILE=hunter22\n", "deploy.env": "FROM_CONTEXT='s3cret word'\n"}
    )
    outcome = project.run(
        "--verbose", "--env-file", str(tmp_path / "project.env"), "--context", f"deploy={tmp_path}/deploy.env"
    )
    assert outcome.status == 0
    assert "**** ****" in outcome.out
    stored = b"".join(path.read_bytes() for path in project.home.rglob("*") if path.is_file())
    assert b"hunter22" not in stored
    assert b"s3cret word" not in stored


def test_events_come_as_json_lines_and_end_with_a_summary(tmp_path: Path) -> None:
    outcome = Project(tmp_path, job("run: 'true'")).run("--json")
    events = outcome.events()
    assert outcome.status == 0
    assert events[-1]["type"] == "summary"
    jobs = [event["status"] for event in events if event["type"] == "job"]
    assert jobs[-1] == "success"


def test_past_runs_and_their_logs_can_be_read(tmp_path: Path) -> None:
    project = Project(tmp_path, job("run: {name: greet, command: echo hello there}"))
    project.run()
    assert "success" in project.call("runs").out
    assert project.call("logs", "build").out.endswith("hello there\n")
    assert project.call("logs", "nobody").status == 2


def test_a_data_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    project = Project(tmp_path, job("run: 'true'"))
    project.home.write_text("a file where the folder should be")
    outcome = project.run()
    assert outcome.status == 3
    assert "cannot write to" in outcome.err
    assert "Traceback" not in outcome.err


def test_programs_installed_into_the_home_of_a_job_are_found(tmp_path: Path) -> None:
    install = "mkdir -p ~/.local/bin && echo echo found > ~/.local/bin/tool && chmod +x ~/.local/bin/tool"
    project = Project(tmp_path, job(f'run: "{install}"', "run: {name: use, command: tool}"))
    assert project.run().status == 0
    assert project.log("build", "use") == "found\n"


def test_jobs_for_other_machines_are_refused_and_the_others_run(tmp_path: Path) -> None:
    config = """\
version: 2.1
jobs:
  here: {machine: true, steps: [run: echo ran]}
  mac: {macos: {xcode: 16.0.0}, resource_class: m4pro.medium, steps: [run: echo mac]}
  windows: {machine: {image: windows-server-2022-gui}, resource_class: windows.medium, steps: [run: echo win]}
  own: {machine: true, resource_class: acme/big, steps: [run: echo own]}
workflows:
  main: {jobs: [here, mac, windows, own]}
"""
    project = Project(tmp_path, config)
    outcome = project.run()
    assert outcome.status == 1
    assert "here: success" in outcome.out
    assert (
        "no agent here is labelled macos (resource class m4pro.medium); --executor host runs" in outcome.out
    )
    assert "no agent here is labelled windows (resource class windows.medium)" in outcome.out
    assert "no agent here is labelled acme/big (resource class acme/big)" in outcome.out
    anyway = project.run("--executor", "host", "--job", "own")
    assert anyway.status == 0, anyway
    assert "on this host instead of another kind of machine: own" in anyway.err


def test_the_summary_says_what_the_cloud_takes_for_a_job(tmp_path: Path) -> None:
    config = dedent("""
        version: 2.1
        jobs:
          build:
            docker: [{image: "example/none:1"}]
            resource_class: small
            parallelism: 2
            steps: [run: "true"]
          ours: {machine: true, resource_class: acme/runner, steps: [run: "true"]}
        workflows: {main: {jobs: [build, ours]}}
        """)
    summary = Project(tmp_path, config).run("--json", "--executor", "host").events()[-1]
    ((build, ours),) = (each["jobs"] for each in summary["workflows"])  # type: ignore[attr-defined]  # plain data
    assert build["credits"] == pytest.approx(2 * 5 * build["seconds"] / 60)
    assert ours["credits"] == 0
