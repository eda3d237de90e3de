"""Where people look at what runs: addresses of the server's pages."""

from penstock.model.slug import lengthen_slug


def link_pipeline(base_url: str, slug: str, number: int) -> str:
    """Where a person looks at the pipeline of that number of the project."""
    return f"{base_url}/pipelines/{lengthen_slug(slug)}/{number}"


def link_workflow(pipeline: str, workflow: str) -> str:
    """Where a person looks at a workflow; `pipeline` is the pipeline's own address."""
    return f"{pipeline}/workflows/{workflow}"


def link_job(pipeline: str, workflow: str, job: str | int) -> str:
    """Where a person looks at a job, by its number or UUID; `pipeline` is the pipeline's own address."""
    return f"{link_workflow(pipeline, workflow)}/jobs/{job}"
