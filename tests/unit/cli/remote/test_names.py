import pytest

from penstock.cli.remote.names import choose_job
from penstock.model.errors import InvalidError, NotFoundError
from tests.support.pictures import flow, job, picture


def test_a_job_is_found_by_its_name() -> None:
    found = choose_job(picture(flow("main", "running", job("build"), job("test", number=2))), "test")
    assert (found.id, found.number, found.project) == ("id-of-test-2", 2, "id-of-app")


def test_without_a_name_the_only_job_is_meant() -> None:
    assert choose_job(picture(flow("main", "running", job("build"))), "").name == "build"
    with pytest.raises(InvalidError, match=r"main/build \(job 1\), main/test \(job 2\)"):
        choose_job(picture(flow("main", "running", job("build"), job("test", number=2))), "")


def test_of_a_workflow_that_was_rerun_the_latest_counts() -> None:
    old = flow("main", "failed", job("build", "failed"), repeated=True)
    new = flow("main", "running", job("build", number=5))
    assert choose_job(picture(old, new), "build").number == 5


def test_a_name_that_several_jobs_have_is_not_enough() -> None:
    with pytest.raises(InvalidError, match="several jobs are called 'build'"):
        choose_job(
            picture(flow("a", "running", job("build")), flow("b", "running", job("build", number=2))), "build"
        )


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(NotFoundError, match="pipeline 7 has no job 'x'; there are build"):
        choose_job(picture(flow("main", "running", job("build"))), "x")
    with pytest.raises(NotFoundError, match="there are none"):
        choose_job(picture(), "x")
