"""Where links to pipelines and jobs lead: to the commands that show them, as long as there are no pages."""

import re

from penstock.api.common.answer import Answer, answer_text
from penstock.api.common.call import Call
from penstock.api.common.server import Server
from penstock.kit.ids import is_id
from penstock.model.errors import InvalidError, NotFoundError
from penstock.model.slug import BySlug, parse_project

_PLACE = re.compile(
    r"(?P<slug>[^/]+(?:/[^/]+)+?)/(?P<number>[0-9]{1,9})(?:/workflows/(?P<workflow>[^/]+)(?:/jobs/(?P<job>[^/]+))?)?"
)


async def show_directions(server: Server, call: Call) -> Answer:
    """The commands that show the pipeline or job of the address; nothing is told of whether there is one."""
    match = _PLACE.fullmatch(call.params["place"])
    if match is None:
        raise NotFoundError("there is nothing at this address")
    slug = _read_slug(match["slug"])
    job, workflow = match["job"] or "", match["workflow"] or ""
    if not all(text.isdecimal() or is_id(text) for text in (job, workflow) if text):
        raise NotFoundError("there is nothing at this address")
    where = f"--project {slug} --server {server.base_url}"
    number = match["number"]
    lines = [f"Pipeline {number} of {slug}:", "", f"  penstock watch {number} {where}"]
    if job:
        lines += ["", "What the job printed:", "", f"  penstock logs {job} --pipeline {number} {where}"]
    return answer_text("\n".join([*lines, ""]))


def _read_slug(text: str) -> str:
    """The slug as commands take it. Raises NotFoundError for one that a shell could take for more."""
    try:
        named = parse_project(text)
    except InvalidError as error:
        raise NotFoundError("there is nothing at this address") from error
    slug = named.slug if isinstance(named, BySlug) else text
    if not re.fullmatch(r"[\w./:-]+", slug, re.ASCII):
        raise NotFoundError("there is nothing at this address")
    return slug
