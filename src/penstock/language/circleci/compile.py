"""The compiler: source text and context to a plan, as a list of passes."""

from penstock.language.circleci.bind import bind_pipeline, list_specs
from penstock.language.circleci.check import check_jobs, check_selection, check_setup, check_skipped
from penstock.language.circleci.emit import TooLargeError
from penstock.language.circleci.expand.frame import Compilation, open_frame
from penstock.language.circleci.expand.planned import Workflow
from penstock.language.circleci.expand.workflow import expand_workflow
from penstock.language.circleci.link import check_graph, link_requires
from penstock.language.circleci.lower.workflow import Lowering
from penstock.language.circleci.parse import Config, parse_config
from penstock.language.circleci.process import print_config
from penstock.language.circleci.select import filter_jobs, is_selected, list_schedules
from penstock.language.circleci.unused import report_unused
from penstock.language.circleci.values import PipelineValues
from penstock.language.common.context import Context
from penstock.language.common.diagnostic import Reporter
from penstock.language.common.tree import Map, Place
from penstock.model.diagnostic import Diagnostic
from penstock.plan.plan import Plan
from penstock.plan.workflow import WorkflowPlan

LANGUAGE = "circleci"


def compile(source: str | bytes, context: Context) -> Plan:  # noqa: A001 - every compiler's name
    """The plan of a config for one trigger; one with errors has no workflows. Never raises.

    `compiled` is the text `circleci config process` prints for it.
    """
    report = Reporter()
    config = parse_config(source, context, report)
    if config is None:
        return Plan(language=LANGUAGE, diagnostics=report.list_findings())
    values = PipelineValues(context, setup=config.setup)
    work = Compilation(report, values, templates=config.templates)
    values.parameters = bind_pipeline(config.tree, context, report)
    if "orbs" in config.tree:
        from penstock.language.circleci.imports import import_orbs  # many configs have none

        import_orbs(config, context, work)
    if "build_agent" in config.tree:  # pins the vendor's agent; only what it refers to matters here
        frame = open_frame(work, config.scope)
        frame.filler.fill(config.tree["build_agent"], Place(config.tree, "build_agent"))
    workflows = _select_workflows(config, work)
    check_setup(config, workflows, report)
    for workflow in workflows:
        check_jobs(workflow, work)
        link_requires(workflow, report)
        check_graph(workflow, report)
    plans = _lower_workflows(workflows, context, work)
    check_selection(config, plans, report)
    report_unused(config.tree, report)
    compiled = _print_processed(config, workflows, report)
    return Plan(
        language=LANGUAGE,
        workflows={} if report.failed else plans,
        parameters=() if report.failed else list_specs(config.tree),
        setup=config.setup,
        diagnostics=_list_findings(config, report),
        compiled=compiled,
    )


def _list_findings(config: Config, report: Reporter) -> tuple[Diagnostic, ...]:
    """The findings, without those that comments of the config silence."""
    findings, source = report.list_findings(), config.tree.source
    if source is None or "cci-ignore" not in source.text:
        return findings
    from penstock.language.circleci.ignore import drop_ignored  # hardly any config needs it

    return drop_ignored(findings, source)


def _select_workflows(config: Config, work: Compilation) -> list[Workflow]:
    """The workflows whose conditions hold, expanded; of the others only names are looked at."""
    selected = []
    frame = open_frame(work, config.scope)
    for name, body in config.workflows.items():
        if not isinstance(body, Map) or work.report.is_spoiled(body):
            continue
        with work.report.calling("workflow", name):
            chosen = is_selected(body, frame)
        if chosen:
            place = Place(config.workflows, name, on_key=True)
            selected.append(expand_workflow(name, body, place, config.scope, work))
        else:
            check_skipped(body, config.scope, work)
    return selected


def _lower_workflows(
    workflows: list[Workflow], context: Context, work: Compilation
) -> dict[str, WorkflowPlan]:
    """The plans by name; none when anything was found wrong."""
    lowering, plans = Lowering(), {}
    for workflow in workflows:
        frame = open_frame(work, workflow.jobs[0].frame.scope) if workflow.jobs else None
        schedules = list_schedules(workflow.body, context, frame) if frame else None
        with work.report.calling("workflow", workflow.name):
            jobs = filter_jobs(workflow, context)
        if not work.report.failed and jobs and schedules != ():
            plans[workflow.name] = lowering.lower_workflow(workflow, jobs, schedules)
    return {} if work.report.failed else plans


def _print_processed(config: Config, workflows: list[Workflow], report: Reporter) -> str:
    """The processed text; empty after a finding, which a text beyond all bounds is too."""
    if report.failed:
        return ""
    try:
        return print_config(config, workflows)
    except TooLargeError:
        hint = "split it into several configs, or move long commands into scripts"
        message = "The config expands to too much text."
        report.error("config-too-large", message, Place(config.tree), hint=hint)
        return ""
