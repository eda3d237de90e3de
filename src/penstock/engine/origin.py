"""Where a pipeline's config came from, kept with it: rules of contexts may ask."""

from collections.abc import Mapping

from penstock.model.run import Revision

GIVEN = "config.given"
"""Label of a pipeline whose config came with the request instead of from the repository."""

REF = "config.ref"
"""Label of a pipeline whose config is of another branch or tag than its code: that one's full name."""


def label_origin(*, given: bool, branch: str = "", tag: str = "") -> dict[str, str]:
    """The labels of a pipeline whose config was given, or is of that branch or tag instead of the code's."""
    if given:
        return {GIVEN: "yes"}
    other = name_ref(branch, tag)
    return {REF: other} if other else {}


def list_origin_values(labels: Mapping[str, str], revision: Revision) -> dict[str, str | None]:
    """What rules may ask about the config: `api` begins the source of one that no repository holds."""
    if GIVEN in labels:
        return {"pipeline.config_source": "api", "pipeline.config.ref": None}
    ref = labels.get(REF) or name_ref(revision.branch, revision.tag)
    return {"pipeline.config_source": "repository", "pipeline.config.ref": ref or None}


def name_ref(branch: str, tag: str) -> str:
    """The full name of a branch or tag, "" for neither."""
    if tag:
        return f"refs/tags/{tag}"
    return f"refs/heads/{branch}" if branch else ""
