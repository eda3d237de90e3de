"""The shape check of a whole config, or of an orb: every element against its shape, used or not."""

from penstock.language.circleci.condition import OPERATORS
from penstock.language.circleci.parameters import check_type, fits_type
from penstock.language.circleci.resource import check_resource
from penstock.language.circleci.schema import (
    BUILTIN_STEPS,
    CONDITIONAL,
    ELEMENTS,
    ENTRY,
    ENTRY_KEYS,
    JOB,
    JOB_GROUP,
    PARAMETERS,
    STEPS,
    WORKFLOW,
)
from penstock.language.circleci.scope import leads_nowhere
from penstock.language.common.diagnostic import Reporter, suggest_name
from penstock.language.common.shape import Shape, ShapeChecker, name_type
from penstock.language.common.tree import Items, Map, Place

TOP_KEYS = (
    "version", "setup", "orbs", "commands", "parameters", "executors", "jobs", "job-groups", "workflows",
    "experimental", "notify", "description", "display", "examples", "build_agent",
)  # fmt: skip
_CLOSE = 0.8


class Inspector:
    """Checks the texts of one compilation; elements that are wrong are spoiled for later passes."""

    def __init__(self, report: Reporter, tree: Map, *, templates: bool) -> None:
        self._report = report
        self._checker = ShapeChecker(report, templates=templates)
        commands = tree.get("commands")
        self._commands = commands if isinstance(commands, Map) else Map(())

    def check_elements(self, tree: Map) -> None:
        """Commands, executors and jobs of a config or an orb."""
        for kind, expected in ELEMENTS.items():
            section = tree.get(kind)
            if isinstance(section, Map):
                for name, element in section.items():
                    self._check_element(element, expected, Place(section, name))
                    if isinstance(element, str):
                        self._check_reference(kind, section, name, element)
            elif section is not None:
                self._refuse_section(tree, kind)

    def _check_reference(self, kind: str, jobs: Map, name: str, other: str) -> None:
        """A job that is only the name of another, which must be a job in the end; no template is one."""
        if kind != "jobs":
            message = f"[{Place(jobs, name).find_pointer()}] expected type: Mapping, found: String"
            self._report.error("wrong-type", message, Place(jobs, name), hint="write a map ('key: value')")
        elif other not in jobs and ("/" not in other or "<<" in other):
            message = f"Cannot find a definition for job named {other}"
            hint = suggest_name(other, [known for known in jobs if known != name]) or "give the job its steps"
            self._report.error("unknown-job", message, Place(jobs, name), hint=hint)
        elif leads_nowhere(jobs, name):
            message = f"Job '{name}' is a reference that leads to no job."
            hint = "give one of the jobs that refer to each other its steps"
            self._report.error("recursive-job", message, Place(jobs, name), hint=hint)

    def check_orb(self, tree: Map) -> None:
        """What only orbs have (`examples`), and what they cannot have (CircleCI docs: orb authoring)."""
        if "parameters" in tree:
            place = Place(tree, "parameters", on_key=True)
            message = f"[{Place(tree).find_pointer()}] extraneous key [parameters] is not permitted"
            hint = "give parameters to the orb's commands, jobs and executors"
            self._report.error("orb-parameters", message, place, hint=hint)
        examples = tree.get("examples")
        for name, example in examples.items() if isinstance(examples, Map) else ():
            if not isinstance(example, Map) or not isinstance(example.get("usage"), Map):
                message = f"Example '{name}' of the orb has no config under 'usage:'."
                self._report.suggest("orb-example", message, Place(tree, "examples", on_key=True))

    def check_groups(self, tree: Map) -> None:
        """Job groups: lists of jobs as a workflow has them, under names no job has."""
        section, jobs = tree.get("job-groups"), tree.get("jobs")
        if not isinstance(section, Map):
            if section is not None:
                self._refuse_section(tree, "job-groups")
            return
        for name, group in section.items():
            place = Place(section, name)
            if isinstance(jobs, Map) and name in jobs:
                message = f"'{name}' is the name of a job and of a job group."
                self._report.error(
                    "group-name",
                    message,
                    Place(section, name, on_key=True),
                    hint="give the group another name",
                )
            if self.check(group, JOB_GROUP, place) and isinstance(group, Map):
                self._check_entries(group)

    def check_workflows(self, workflows: Map) -> None:
        """Workflows; `version` among them is no workflow."""
        for name, workflow in workflows.items():
            if name == "version":
                continue
            if name in {"when", "unless", "jobs", "triggers"}:
                message = f"[{Place(workflows, name).find_pointer()}] '{name}' is a key of a workflow"
                hint = "put it below the workflow's name"
                self._report.error("wrong-type", message, Place(workflows, name, on_key=True), hint=hint)
                self._report.spoil(workflow)
            elif not self.check(workflow, WORKFLOW, Place(workflows, name)) and not _has_jobs(workflow):
                self._report.spoil(workflow)
            elif isinstance(workflow, Map):
                self._check_workflow(workflow)

    def check(self, value: object, expected: Shape, place: Place) -> bool:
        """True when the value has the shape; else what is wrong is reported."""
        return self._checker.check(value, expected, place)

    def check_steps(self, steps: object, place: Place) -> bool:
        """A list of steps, with the lists inside conditions."""
        if not self._checker.check(steps, STEPS, place) or not isinstance(steps, Items):
            return isinstance(steps, str)
        right = True
        for index, step in enumerate(steps):
            right &= self._check_step(step, Place(steps, index))
        return right

    def _check_element(self, element: object, expected: Shape, place: Place) -> None:
        self._checker.check(element, expected, place)
        if not isinstance(element, Map):
            return
        check_resource(element, self._report)
        if isinstance(element.get("steps"), Items):
            self.check_steps(element["steps"], Place(element, "steps"))
        parameters = element.get("parameters")
        right = self._checker.check(parameters, PARAMETERS, Place(element, "parameters"))
        if not (self._check_defaults(parameters) and right):
            self._report.spoil(element)
        if expected is JOB and isinstance(parameters, Map):
            self._check_reserved(parameters)

    def _check_reserved(self, parameters: Map) -> None:
        """What a workflow says about every job cannot be an argument (CircleCI config reference: jobs)."""
        for name in parameters:
            if name in ENTRY_KEYS:
                message = f"The parameter name '{name}' is reserved: a workflow cannot give this argument."
                place = Place(parameters, name, on_key=True)
                self._report.warn("reserved-parameter", message, place, hint="choose another name")

    def _check_defaults(self, parameters: object) -> bool:
        """Defaults must be of the declared type; those of steps are lists of steps."""
        right = True
        for name, spec in parameters.items() if isinstance(parameters, Map) else ():
            if not isinstance(spec, Map) or "default" not in spec:
                continue
            default, place = spec["default"], Place(spec, "default")
            if isinstance(default, str) and "<<" in default:
                continue
            if not fits_type(default, spec):
                right = check_type(name, default, spec, self._report, place) and right
            elif spec.get("type") == "steps":
                right &= self.check_steps(default, place)
        return right

    def _check_step(self, step: object, place: Place) -> bool:
        if isinstance(step, Map) and len(step) == 1:
            return self._check_call(step)
        if isinstance(step, str):
            return True
        if not isinstance(step, Map):
            message = f"[{place.find_pointer()}] expected type: String|Mapping, found: {name_type(step)}"
            self._report.error("wrong-type", message, place, hint="a step is a word or a map with one key")
            return False
        message = f"[{place.find_pointer()}] maximum size: [1], found: [{len(step)}]"
        name = next(iter(step), "run")
        hint = f"indent the keys after '{name}:' one level deeper, or start each step with '-'"
        self._report.error("step-size", message, place, hint=hint)
        return False

    def _check_call(self, step: Map) -> bool:
        for name, body in step.items():
            if name in {"when", "unless"}:
                return self._check_conditional(body, Place(step, name))
            if name == "steps" and isinstance(body, Items):
                return self.check_steps(body, Place(step, name))
            expected = BUILTIN_STEPS.get(name)
            if expected is not None and name not in self._commands:
                return self._checker.check(body, expected, Place(step, name))
        return True

    def _check_conditional(self, body: object, place: Place) -> bool:
        if isinstance(body, str) and "<<" in body:
            return True
        if not self._checker.check(body, CONDITIONAL, place) or not isinstance(body, Map):
            return False
        condition = body.get("condition")
        if isinstance(condition, Map) and len(condition) == 1:
            self._hint_operator(condition)
        return isinstance(body["steps"], str) or self.check_steps(body["steps"], Place(body, "steps"))

    def _hint_operator(self, condition: Map) -> None:
        """A map that is no statement counts as true; that is seldom what was meant."""
        for key in condition:
            if key not in OPERATORS:
                message = f"'{key}' is not a logic statement; a map like this always holds."
                hint = suggest_name(key, OPERATORS)
                self._report.warn("unknown-operator", message, Place(condition, key, on_key=True), hint=hint)

    def _check_workflow(self, workflow: Map) -> None:
        if "when" in workflow and "unless" in workflow:
            message = (
                f"[{Place(workflow).find_pointer()}] subject must not be valid against schema "
                "{\"description\":\"cannot use both 'when' and 'unless'\"}"
            )
            hint = "keep one of them: 'unless: x' is 'when: {not: x}'"
            self._report.error("when-and-unless", message, Place(workflow, "unless", on_key=True), hint=hint)
        self._check_entries(workflow)

    def _check_entries(self, workflow: Map) -> None:
        jobs = workflow.get("jobs")
        if isinstance(jobs, Items):
            for index, entry in enumerate(jobs):
                self._check_entry(entry, Place(jobs, index))

    def _check_entry(self, entry: object, place: Place) -> None:
        if not isinstance(entry, Map):
            self.check(entry, ENTRY, place)
            return
        if len(entry) != 1:
            name = next(iter(entry), "job")
            message = f"[{Place(entry).find_pointer()}] maximum size: [1], found: [{len(entry)}]"
            hint = f"indent the keys after '{name}:' one level deeper"
            self._report.error("entry-size", message, Place(entry), hint=hint)
            self._report.spoil(entry)
            return
        self.check(entry, ENTRY, place)
        for body in entry.values():
            for key in ("pre-steps", "post-steps"):
                if isinstance(body, Map) and isinstance(body.get(key), Items):
                    self.check_steps(body[key], Place(body, key))

    def _refuse_section(self, tree: Map, kind: str) -> None:
        message = f"[#/{kind}] expected type: Mapping, found: {name_type(tree[kind])}"
        self._report.error(
            "wrong-type", message, Place(tree, kind), hint=f"'{kind}:' is a map from name to definition"
        )


def _has_jobs(workflow: object) -> bool:
    return isinstance(workflow, Map) and isinstance(workflow.get("jobs"), Items)


def check_top(tree: Map, report: Reporter) -> None:
    """Warns of keys at the top that look like misspelt ones; others are the user's own (anchors)."""
    from difflib import SequenceMatcher

    for key in tree:
        if key in TOP_KEYS or key.startswith(("x-", "_", ".")):
            continue
        alike = [known for known in TOP_KEYS if SequenceMatcher(None, key, known).ratio() >= _CLOSE]
        if alike and alike[0] not in tree:
            message = f"Key '{key}' is ignored."
            report.warn(
                "unknown-key", message, Place(tree, key, on_key=True), hint=f"did you mean '{alike[0]}'?"
            )
