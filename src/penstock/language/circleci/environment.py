"""The variables every CircleCI job finds in its environment (CircleCI docs: built-in variables)."""

import msgspec


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about one task of one job when it starts.

    `url` is where people see the job; `upstream_jobs` are the ids of the jobs it needs. `fork_*` are
    set only for a pull request from another repository. Empty texts are facts nobody has.
    """

    job_name: str
    job_number: int
    job_id: str
    url: str = ""
    node_index: int = 0
    node_total: int = 1
    pipeline_id: str = ""
    workflow_id: str = ""
    workspace_id: str = ""
    upstream_jobs: tuple[str, ...] = ()
    organization_id: str = ""
    project_id: str = ""
    project_owner: str = ""
    project_name: str = ""
    repository_url: str = ""
    branch: str = ""
    tag: str = ""
    sha: str = ""
    username: str = ""
    working_directory: str = "~/project"
    pull_requests: tuple[str, ...] = ()
    fork_number: int | None = None
    fork_owner: str = ""
    fork_name: str = ""
    previous_number: int | None = None


def list_builtins(facts: Facts) -> dict[str, str]:
    """The variables by name. A fact nobody has makes no variable; a tag build has no CIRCLE_BRANCH."""
    variables = {
        "CI": "true",
        "CIRCLECI": "true",
        "CIRCLE_BRANCH": "" if facts.tag else facts.branch,
        "CIRCLE_BUILD_NUM": str(facts.job_number),
        "CIRCLE_BUILD_URL": facts.url,
        "CIRCLE_JOB": facts.job_name,
        "CIRCLE_NODE_INDEX": str(facts.node_index),
        "CIRCLE_NODE_TOTAL": str(facts.node_total),
        "CIRCLE_ORGANIZATION_ID": facts.organization_id,
        "CIRCLE_PIPELINE_ID": facts.pipeline_id,
        "CIRCLE_PREVIOUS_BUILD_NUM": "" if facts.previous_number is None else str(facts.previous_number),
        "CIRCLE_PROJECT_ID": facts.project_id,
        "CIRCLE_PROJECT_REPONAME": facts.project_name,
        "CIRCLE_PROJECT_USERNAME": facts.project_owner,
        "CIRCLE_REPOSITORY_URL": facts.repository_url,
        "CIRCLE_SHA1": facts.sha,
        "CIRCLE_STAGE": facts.job_name,
        "CIRCLE_TAG": facts.tag,
        "CIRCLE_USERNAME": facts.username,
        "CIRCLE_WORKFLOW_ID": facts.workflow_id,
        "CIRCLE_WORKFLOW_JOB_ID": facts.job_id,
        "CIRCLE_WORKFLOW_UPSTREAM_JOB_IDS": ",".join(facts.upstream_jobs),
        "CIRCLE_WORKFLOW_WORKSPACE_ID": facts.workspace_id,
        "CIRCLE_WORKING_DIRECTORY": facts.working_directory,
    }
    variables |= _list_pull_request(facts)
    return {name: value for name, value in variables.items() if value}


def _list_pull_request(facts: Facts) -> dict[str, str]:
    """The variables of a pull request; number, owner and name only when it comes from a fork."""
    if not facts.pull_requests:
        return {}
    variables = {
        "CIRCLE_PULL_REQUEST": facts.pull_requests[0],
        "CIRCLE_PULL_REQUESTS": ",".join(facts.pull_requests),
        "CI_PULL_REQUEST": facts.pull_requests[0],
        "CI_PULL_REQUESTS": ",".join(facts.pull_requests),
    }
    if facts.fork_number is not None:
        variables |= {
            "CIRCLE_PR_NUMBER": str(facts.fork_number),
            "CIRCLE_PR_REPONAME": facts.fork_name,
            "CIRCLE_PR_USERNAME": facts.fork_owner,
        }
    return variables
