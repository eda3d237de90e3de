"""Builds of v1.1: jobs with a number, one by one and from the newest backwards."""

import re
from collections.abc import Callable, Mapping, Sequence

from penstock.api.circleci import jobs as new
from penstock.api.circleci.people import find_people, list_actors
from penstock.api.circleci.pipelines import start
from penstock.api.circleci.v1 import payloads
from penstock.api.circleci.v1.show import show_build, show_details, show_steps
from penstock.api.circleci.words import RESULTS
from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.engine import control
from penstock.engine.access import Action
from penstock.engine.joblog import list_copies, newest_of_branch, running_jobs, surround_jobs
from penstock.engine.launch import Ref, check_open
from penstock.engine.lookup import open_project
from penstock.engine.projects import followed_projects
from penstock.engine.runs import OpenJob
from penstock.model.errors import InvalidError, NotFoundError, RefusedError
from penstock.model.project import Project
from penstock.model.run import Job, Pipeline
from penstock.model.status import JobStatus
from penstock.store import artifacts, jobs, test_results, workflows
from penstock.store.database import Transaction

MOST = 100
"""Builds a list has."""

MOST_ARTIFACTS = 10_000
MOST_TESTS = 10_000
_REACH = 1000
_FILTERS: Mapping[str, Callable[[Job], bool]] = {
    "completed": lambda job: job.status.is_terminal,
    "successful": lambda job: job.status is JobStatus.SUCCESS,
    "failed": lambda job: job.status in {JobStatus.FAILED, JobStatus.TIMEDOUT},
}


def get_build(server: Server, call: Call) -> payloads.BuildDetails:
    """A build with its steps."""
    with server.parts.db.read() as tx:
        found = new.open_by_number(tx, call, Action.SEE_PROJECT)
        steps = show_steps(found, list_copies(tx, found.job), server.base_url)
        kept = bool(artifacts.artifacts_of(tx, found.job.id, limit=1))
        people = find_people(tx, list_actors(found.pipeline, [found.workflow]))
    return show_details(found, people, server.base_url, steps, has_artifacts=kept)


def list_recent(server: Server, call: Call) -> list[payloads.Build]:
    """The newest builds of all projects the caller follows."""
    query: payloads.BuildsQuery = call.query
    with server.parts.db.read() as tx:
        followed = {each.id: each for each in followed_projects(tx, principal_of(call), limit=250)}
        limit = min(query.limit, MOST)
        found = jobs.newest_everywhere(tx, list(followed), offset=query.offset, limit=limit)
        return _show_list(server, tx, surround_jobs(tx, found, followed))


def list_of_project(server: Server, call: Call) -> list[payloads.Build]:
    """The newest builds of a project, or of one of its branches."""
    query: payloads.BuildsQuery = call.query
    limit = min(query.limit, MOST)
    branch = call.params.get("branch")
    with server.parts.db.read() as tx:
        project = open_project(tx, principal_of(call), Action.SEE_PROJECT, call.params["slug"])
        found = _find_builds(tx, project, branch, query)
        return _show_list(server, tx, found[query.offset : query.offset + limit])


def build_branch(server: Server, call: Call) -> payloads.Build | payloads.BuildCreated:
    """Trigger a pipeline of the branch and show its first build."""
    return _build(server, call, call.params["branch"])


def build_default(server: Server, call: Call) -> payloads.Build | payloads.BuildCreated:
    """Trigger a pipeline of the default branch or of a tag and show its first build."""
    return _build(server, call, "")


def build_project(server: Server, call: Call) -> payloads.BuildCreated:
    """Trigger a pipeline of a branch or a tag, or of the default branch."""
    body: payloads.BuildBody = call.payload or payloads.BuildBody()
    if body.branch and body.tag:
        raise InvalidError("Only one of branch and tag may be given.")
    start(server, call, _choose_ref(body.branch or "", body.tag, body.revision), None, body.parameters)
    return payloads.BuildCreated(status=200, body="Build created")


def retry(server: Server, call: Call) -> payloads.Build:
    """Run the job again, in a workflow of its own."""
    with server.parts.db.read() as tx:
        found = new.open_by_number(tx, call, Action.RUN_PIPELINE)
        check_open(tx, found.project)
    again = control.rerun_workflow(
        server.parts,
        found.workflow.uuid,
        by=principal_of(call).user.login,
        chosen=[found.job.uuid],
        sparse=True,
    )
    with server.parts.db.read() as tx:
        job = jobs.job_by_key(tx, again.id, found.job.key) or found.job
        shown = OpenJob(job, again, found.pipeline, found.project)
        return show_build(shown, find_people(tx, [again.started_by]), server.base_url)


def cancel(server: Server, call: Call) -> payloads.Build:
    """Ask the job to stop."""
    with server.parts.db.read() as tx:
        found = new.open_by_number(tx, call, Action.RUN_PIPELINE)
    control.cancel_job(server.parts, found.job.uuid, by=principal_of(call).user.login)
    with server.parts.db.read() as tx:
        after = new.open_by_number(tx, call, Action.RUN_PIPELINE)
        return _show_list(server, tx, [after])[0]


def list_artifacts(server: Server, call: Call) -> list[payloads.Artifact]:
    """The files a build kept."""
    with server.parts.db.read() as tx:
        found = new.open_by_number(tx, call, Action.SEE_PROJECT)
        return _list_artifacts(server, tx, found)


def list_latest_artifacts(server: Server, call: Call) -> list[payloads.Artifact]:
    """The files that the newest build with any kept, of a branch or of the default one."""
    query: payloads.LatestQuery = call.query
    with server.parts.db.read() as tx:
        project = open_project(tx, principal_of(call), Action.SEE_PROJECT, call.params["slug"])
        every = newest_of_branch(tx, project, query.branch or project.default_branch, MOST)
        wanted = _FILTERS.get(query.filter) or _FILTERS["completed"]
        for found in every:
            if wanted(found.job) and artifacts.artifacts_of(tx, found.job.id, limit=1):
                return _list_artifacts(server, tx, found)
    raise NotFoundError("No artifacts found")


def list_tests(server: Server, call: Call) -> payloads.Tests:
    """The tests a build ran."""
    with server.parts.db.read() as tx:
        job = new.open_by_number(tx, call, Action.SEE_PROJECT).job
        cases = test_results.cases_of(tx, job.id, attempt=job.attempt, limit=MOST_TESTS)
    return payloads.Tests(
        tests=tuple(
            payloads.Test(
                message=case.message,
                source=case.source,
                run_time=case.seconds,
                file=case.file,
                result=RESULTS[case.result],
                name=case.name,
                classname=case.classname,
            )
            for _, case in cases
        )
    )


def _build(server: Server, call: Call, branch: str) -> payloads.Build | payloads.BuildCreated:
    body: payloads.TreeBody = call.payload or payloads.TreeBody()
    ref = _choose_ref(branch, body.tag, body.revision)
    return _show_first(server, call, start(server, call, ref, None, body.parameters or body.build_parameters))


def _choose_ref(branch: str, tag: str | None, revision: str | None) -> Ref:
    """The tag when one is named, else the branch. Raises RefusedError for a commit: it may be anybody's."""
    if revision:
        raise RefusedError("A revision cannot be built by itself: name a branch or a tag.")
    return Ref(tag=tag) if tag else Ref(branch=branch)


def _find_builds(
    tx: Transaction, project: Project, branch: str | None, query: payloads.BuildsQuery
) -> Sequence[OpenJob]:
    """The builds from the newest backwards as far as the query reaches."""
    reach = query.offset + min(query.limit, MOST)
    if query.filter == "running":
        return running_jobs(tx, project, branch)
    if query.filter and query.filter not in _FILTERS:
        raise InvalidError("filter is one of completed, successful, failed and running.")
    wanted = _FILTERS.get(query.filter)
    look_at = reach if wanted is None else _REACH
    if branch is not None:
        every: Sequence[OpenJob] = newest_of_branch(tx, project, branch, look_at)
    else:
        every = surround_jobs(tx, jobs.newest_jobs(tx, project.id, limit=look_at), {project.id: project})
    return every if wanted is None else [found for found in every if wanted(found.job)]


def _show_list(server: Server, tx: Transaction, found: Sequence[OpenJob]) -> list[payloads.Build]:
    people = find_people(tx, {who for each in found for who in list_actors(each.pipeline, [each.workflow])})
    return [show_build(each, people, server.base_url) for each in found]


def _show_first(server: Server, call: Call, pipeline: Pipeline) -> payloads.Build | payloads.BuildCreated:
    with server.parts.db.read() as tx:
        project = open_project(tx, principal_of(call), Action.SEE_PROJECT, call.params["slug"])
        for workflow in workflows.workflows_of(tx, pipeline.id):
            for job in jobs.jobs_of(tx, workflow.id):
                if job.number is not None:
                    found = OpenJob(job, workflow, pipeline, project)
                    return show_build(found, find_people(tx, [pipeline.actor]), server.base_url)
    return payloads.BuildCreated(status=200, body="Build created")


def _list_artifacts(server: Server, tx: Transaction, found: OpenJob) -> list[payloads.Artifact]:
    every = artifacts.artifacts_of(tx, found.job.id, limit=MOST_ARTIFACTS)
    return [
        payloads.Artifact(
            path=artifact.path,
            pretty_path=re.sub(r"^/+", "", artifact.path),
            node_index=artifact.task_index,
            url=new.locate_artifact(server, found, artifact),
        )
        for artifact in every
    ]
