"""The variables a job finds in its environment."""

from penstock.language.circleci.environment import Facts, list_builtins

FACTS = Facts(job_name="build", job_number=7, job_id="j", branch="main", sha="abc")


def test_a_branch_build_has_no_tag() -> None:
    variables = list_builtins(FACTS)
    assert variables["CIRCLE_BRANCH"] == "main"
    assert "CIRCLE_TAG" not in variables
    assert (variables["CI"], variables["CIRCLECI"], variables["CIRCLE_BUILD_NUM"]) == ("true", "true", "7")
    assert (variables["CIRCLE_NODE_INDEX"], variables["CIRCLE_NODE_TOTAL"]) == ("0", "1")
    assert variables["CIRCLE_WORKING_DIRECTORY"] == "~/project"


def test_a_tag_build_has_no_branch() -> None:
    variables = list_builtins(Facts(job_name="b", job_number=1, job_id="j", branch="main", tag="v1"))
    assert variables["CIRCLE_TAG"] == "v1"
    assert "CIRCLE_BRANCH" not in variables


def test_facts_nobody_has_make_no_variable() -> None:
    assert "" not in list_builtins(FACTS).values()
    assert "CIRCLE_PULL_REQUEST" not in list_builtins(FACTS)


def test_only_a_fork_names_itself() -> None:
    own = Facts(job_name="b", job_number=1, job_id="j", pull_requests=("u/1", "u/2"))
    assert list_builtins(own)["CIRCLE_PULL_REQUESTS"] == "u/1,u/2"
    assert "CIRCLE_PR_NUMBER" not in list_builtins(own)
    fork = Facts(
        job_name="b",
        job_number=1,
        job_id="j",
        pull_requests=("u/1",),
        fork_number=1,
        fork_owner="o",
        fork_name="n",
    )
    variables = list_builtins(fork)
    assert (variables["CIRCLE_PR_NUMBER"], variables["CIRCLE_PR_USERNAME"]) == ("1", "o")
    assert variables["CIRCLE_PR_REPONAME"] == "n"
