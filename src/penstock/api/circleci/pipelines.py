"""Pipelines: triggered, listed, looked at and continued."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Annotated

import msgspec

from penstock.api.circleci import payloads
from penstock.api.circleci.paging import PAGE, Page, PageToken, cut_page, read_token
from penstock.api.circleci.people import find_people, known_people, list_actors
from penstock.api.circleci.show import show_new_pipeline, show_pipeline, show_workflow
from penstock.api.common.answer import Answer, answer_json
from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.engine.access import Action, require, role_in
from penstock.engine.continuation import answer_wish
from penstock.engine.describe import list_pipeline_values
from penstock.engine.launch import Ref, Wish, compile_rest, launch_pipeline
from penstock.engine.lookup import open_organization, open_project
from penstock.engine.principal import Principal
from penstock.engine.runs import open_numbered, open_pipeline, read_id
from penstock.model.access import User
from penstock.model.errors import InvalidError, NotFoundError
from penstock.model.project import Project, definition_id
from penstock.model.run import Pipeline
from penstock.store import follows, pipelines, workflows
from penstock.store.database import Transaction
from penstock.store.pipelines import PipelineMark
from penstock.wire.messages import Continue

ACCEPTED = payloads.Message(message="Accepted.")
MOST_PROJECTS = pipelines.MOST_PROJECTS
SETUP = "setup"
_MOST_DIGITS = 18


class ListQuery(msgspec.Struct, frozen=True, rename="kebab"):
    """The query of a project's list."""

    branch: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    page_token: PageToken = ""


class EverywhereQuery(msgspec.Struct, frozen=True, rename="kebab"):
    """The query of the list over projects."""

    org_slug: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    page_token: PageToken = ""
    mine: bool = False


def list_everywhere(server: Server, call: Call) -> Answer:
    """The newest pipelines of the projects the caller follows, of one organization or all."""
    by, query = principal_of(call), call.query
    before = read_token(query.page_token, "pipelines", int)
    with server.parts.db.read() as tx:
        followed = _list_followed(tx, by, query.org_slug)
        marks = pipelines.newest_pipelines(
            tx,
            list(followed),
            actor=by.user.login if query.mine else None,
            before=before,
            limit=PAGE + 1,
        )
        return _show_page(server, tx, marks, followed, "pipelines")


def list_of_project(server: Server, call: Call) -> Answer:
    """The project's pipelines, newest first."""
    return _list_of_project(server, call, branch=call.query.branch or None)


def list_mine(server: Server, call: Call) -> Answer:
    """Those of the project's pipelines that the caller triggered, newest first."""
    return _list_of_project(server, call, actor=principal_of(call).user.login)


def get_by_id(server: Server, call: Call) -> payloads.Pipeline:
    """A pipeline by id."""
    with server.parts.db.read() as tx:
        found = open_pipeline(tx, principal_of(call), Action.SEE_PROJECT, call.params["id"])
        return show_pipeline(found.pipeline, found.project, find_people(tx, [found.pipeline.actor]))


def get_by_number(server: Server, call: Call) -> payloads.Pipeline:
    """A pipeline by its number in the project."""
    number = read_number(call.params["number"])
    with server.parts.db.read() as tx:
        project = open_project(tx, principal_of(call), Action.SEE_PROJECT, call.params["slug"])
        found = open_numbered(tx, project, number).pipeline
        return show_pipeline(found, project, find_people(tx, [found.actor]))


def get_config(server: Server, call: Call) -> payloads.PipelineConfig:
    """The config of a pipeline, as written and as processed; with that of the setup when there was one."""
    with server.parts.db.read() as tx:
        found = open_pipeline(tx, principal_of(call), Action.SEE_PROJECT, call.params["id"])
        main = pipelines.load_config(tx, found.pipeline.id)
        setup = pipelines.load_config(tx, found.pipeline.id, name=SETUP)
    if main is None:
        raise NotFoundError("Pipeline config not found")
    return payloads.PipelineConfig(
        source=main.source,
        compiled=main.compiled,
        setup_config=msgspec.UNSET if setup is None else setup.source,
        compiled_setup_config=msgspec.UNSET if setup is None else setup.compiled,
    )


def get_values(server: Server, call: Call) -> dict[str, payloads.Simple]:
    """The pipeline values a config could refer to, by dotted name."""
    with server.parts.db.read() as tx:
        found = open_pipeline(tx, principal_of(call), Action.SEE_PROJECT, call.params["id"])
        values = list_pipeline_values(tx, found.project, found.pipeline)
    return {name: value for name, value in values.items() if value is not None}


def list_workflows(server: Server, call: Call) -> Page[payloads.Workflow]:
    """The pipeline's workflows, newest first."""
    with server.parts.db.read() as tx:
        found = open_pipeline(tx, principal_of(call), Action.SEE_PROJECT, call.params["id"])
        pipeline, project = found.pipeline, found.project
        place = f"workflows/{pipeline.id}"
        before = read_token(call.query.page_token, place, int)
        every = workflows.page_of_pipeline(tx, pipeline.id, before=before, limit=PAGE + 1)
        people = find_people(tx, list_actors(pipeline, every))
    kept, token = cut_page(every, PAGE, place, lambda workflow: workflow.id)
    return Page([show_workflow(workflow, pipeline, project, people) for workflow in kept], token)


def trigger(server: Server, call: Call) -> payloads.NewPipeline:
    """Trigger a pipeline of a branch or a tag, or of the default branch."""
    body: payloads.TriggerBody = call.payload or payloads.TriggerBody()
    ref = _read_ref(body.branch, body.tag)
    return show_new_pipeline(start(server, call, ref, None, body.parameters))


def run(server: Server, call: Call) -> payloads.NewPipeline:
    """Trigger a pipeline of a definition; config and source may be of different refs."""
    body: payloads.RunBody = call.payload or payloads.RunBody()
    with server.parts.db.read() as tx:
        project = open_project(tx, principal_of(call), Action.RUN_PIPELINE, call.params["slug"])
        if body.config is not None and body.config.content:
            require(principal_of(call), Action.CHANGE_VARIABLES, project)  # it could print them
    if body.definition_id is not None and read_id(body.definition_id) != definition_id(project):
        raise NotFoundError("Pipeline definition not found.")
    config, checkout = body.config, body.checkout
    both = (checkout or config, config or checkout)
    ref, origin = (_read_ref(each.branch, each.tag) if each else Ref() for each in both)
    content = config.content if config and config.content else ""
    return show_new_pipeline(start(server, call, ref, origin, body.parameters, content))


def continue_pipeline(server: Server, call: Call) -> Answer:
    """Continue a pipeline whose setup workflow has the key; the key is all that is asked for."""
    body: payloads.ContinueBody = call.payload
    wish = Continue(
        request="",
        key=body.continuation_key,
        configuration=body.configuration,
        parameters=body.parameters or {},
    )
    done = answer_wish(server.parts, compile_rest(server.parts, server.workshop), wish)
    return answer_json(payloads.Message(message=done.message), done.status)


def read_number(text: str) -> int:
    """The number of a pipeline or job. Raises NotFoundError for a text that is none."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise NotFoundError("Not found")
    return int(text)


def _list_of_project(
    server: Server, call: Call, *, branch: str | None = None, actor: str | None = None
) -> Answer:
    with server.parts.db.read() as tx:
        project = open_project(tx, principal_of(call), Action.SEE_PROJECT, call.params["slug"])
        place = f"pipelines/{project.id}"
        before = read_token(call.query.page_token, place, int)
        marks = pipelines.list_marks(
            tx, project.id, branch=branch, actor=actor, before=before, limit=PAGE + 1
        )
        return _show_page(server, tx, marks, {project.id: project}, place)


def _show_page(
    server: Server,
    tx: Transaction,
    marks: Sequence[PipelineMark],
    projects: Mapping[int, Project],
    place: str,
) -> Answer:
    """The pipelines of the marks; a page that is as it was when last shown is not made again."""
    kept, token = cut_page(marks, PAGE, place, lambda mark: mark.id)
    people = known_people(server, tx, {mark.actor for mark in kept})
    shown_of = {row_id: (projects[row_id].slug, projects[row_id].url) for _, row_id, *_ in kept}
    avatars = {login: user.avatar_url for login, user in people.items()}
    key = (tuple(kept), token, tuple(shown_of.items()), tuple(sorted(avatars.items())))
    body = server.pages.get(key)
    if body is None:
        surroundings = {mark.id: (mark, shown_of[mark.project_id], avatars.get(mark.actor)) for mark in kept}
        body = msgspec.json.encode(Page(_show_each(server, tx, surroundings, projects, people), token))
        server.pages.put(key, body)
    return Answer(body=body)


def _show_each(
    server: Server,
    tx: Transaction,
    keys: Mapping[int, tuple[PipelineMark, Hashable, Hashable]],
    projects: Mapping[int, Project],
    people: Mapping[str, User],
) -> list[msgspec.Raw]:
    """Each pipeline as it is shown, by row id with all that this follows from."""
    shown = {row_id: server.shown.get(key) for row_id, key in keys.items()}
    for pipeline in pipelines.load_pipelines(tx, [row_id for row_id, raw in shown.items() if raw is None]):
        payload = show_pipeline(pipeline, projects[pipeline.project_id], people)
        raw = msgspec.Raw(msgspec.json.encode(payload))
        shown[pipeline.id] = raw
        mark = keys[pipeline.id][0]
        if (pipeline.status.value, pipeline.updated_at) == (mark.status, mark.updated_at):
            server.shown.put(keys[pipeline.id], raw)
    return [raw for raw in shown.values() if raw is not None]


def _list_followed(tx: Transaction, by: Principal, org_slug: str) -> dict[int, Project]:
    """The projects the caller follows and sees, by row id."""
    only = open_organization(tx, by, Action.SEE_ORGANIZATION, org_slug).id if org_slug else None
    every = follows.followed_projects(tx, by.user.id, limit=MOST_PROJECTS)
    seen = (project for project in every if role_in(by, project) is not None)
    return {project.id: project for project in seen if only in {None, project.organization_id}}


def start(
    server: Server,
    call: Call,
    ref: Ref,
    config: Ref | None,
    parameters: Mapping[str, payloads.Simple] | None,
    source: str = "",
) -> Pipeline:
    """The pipeline of the path's project, launched for the caller."""
    by = principal_of(call)
    with server.parts.db.read() as tx:
        project = open_project(tx, by, Action.RUN_PIPELINE, call.params["slug"])
    wish = Wish(ref=ref, config=config, source=source, actor=by.user.login, parameters=parameters or {})
    return launch_pipeline(server.parts, server.workshop, project, wish)


def _read_ref(branch: str | None, tag: str | None) -> Ref:
    if branch and tag:
        raise InvalidError("Only one of branch and tag may be given.")
    return Ref(branch=branch or "", tag=tag or "")
