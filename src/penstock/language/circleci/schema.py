"""The shapes of everything a config may hold (CircleCI config reference, and its published schema)."""

from collections.abc import Mapping

from penstock.language.circleci.parameters import ELEMENT_TYPES, PIPELINE_TYPES
from penstock.language.common.shape import Shape, shape
from penstock.model.status import Outcome

ANY = shape("Mapping Sequence String Number Boolean Null")
TEXT = shape("String")
TEXT_OR_NULL = shape("String Null")
SCALAR = shape("String Number Boolean")
FLAG = shape("Boolean")
TEXTS = shape("Sequence", items=SCALAR)
TEXT_OR_TEXTS = shape("String Sequence", items=SCALAR)
SCALAR_OR_LIST = shape("String Number Boolean Sequence Null", items=SCALAR)
WHOLE = shape("Number")
DURATION = shape(
    "String", pattern=r"\d+(\.\d+)?\s*(s|m|h|sec|min|hour|seconds?|minutes?|hours?)",
    hint="write for example 30s, 10m or 1.5h",
)  # fmt: skip
WHEN = shape("String", options=frozenset({"on_success", "on_fail", "always"}))
VALUE = shape("String Number Boolean Null")
ENVIRONMENT = shape("Mapping Sequence Null", others=VALUE, items=shape("Mapping String", others=VALUE))


def _record(keys: Mapping[str, Shape], *required: str, types: str = "Mapping", **details: object) -> Shape:
    return shape(types, keys=keys, required=required, **details)


AUTH = _record({"username": SCALAR, "password": SCALAR}, lenient=True)
CREDENTIALS = shape("Mapping", others=SCALAR)
DOCKER_IMAGE = _record(
    {
        "image": TEXT, "name": SCALAR, "entrypoint": TEXT_OR_TEXTS, "command": TEXT_OR_TEXTS, "user": SCALAR,
        "environment": ENVIRONMENT, "auth": AUTH, "aws_auth": CREDENTIALS, "gcp_auth": CREDENTIALS,
    },
    "image", lenient=True, hint="write '- image: name:tag'",
)  # fmt: skip
DOCKER = shape("Sequence", items=DOCKER_IMAGE, least=1)
MACHINE = _record(
    {
        "image": SCALAR, "enabled": FLAG, "docker_layer_caching": FLAG, "resource_class": SCALAR,
        "shell": SCALAR,
    },
    types="Mapping Boolean String", lenient=True,
)  # fmt: skip
MACOS = _record({"xcode": SCALAR, "code_signing": ANY}, types="Mapping", lenient=True)

PARAMETER_NAME_TYPES = frozenset(ELEMENT_TYPES)
PARAMETER = _record(
    {
        "type": shape("String", options=PARAMETER_NAME_TYPES), "description": VALUE, "default": ANY,
        "enum": shape("Sequence", items=SCALAR, least=1),
    },
    "type", hint=f"types are {', '.join(ELEMENT_TYPES)}",
)  # fmt: skip
PARAMETERS = shape("Mapping Null", others=PARAMETER)
PIPELINE_PARAMETER = _record(
    {**PARAMETER.keys, "type": shape("String", options=frozenset(PIPELINE_TYPES))},
    "type", "default", hint=f"a pipeline parameter has a default and a type: {', '.join(PIPELINE_TYPES)}",
)  # fmt: skip
PIPELINE_PARAMETERS = shape("Mapping Null", others=PIPELINE_PARAMETER)

STEP_COMMON = {"name": VALUE, "when": WHEN}
RUN = _record(
    {
        **STEP_COMMON, "command": SCALAR, "shell": SCALAR, "environment": ENVIRONMENT, "background": FLAG,
        "working_directory": SCALAR, "no_output_timeout": DURATION, "max_auto_reruns": WHOLE,
        "auto_rerun_delay": DURATION,
    },
    "command", types="Mapping String", lenient=True, hint="indent 'command:' below 'run:'",
)  # fmt: skip
BUILTIN_STEPS: dict[str, Shape] = {
    "run": RUN,
    "deploy": RUN,
    "checkout": _record(
        {**STEP_COMMON, "path": SCALAR, "depth": WHOLE,
         "method": shape("String", options=frozenset({"full", "blobless", "shallow"}))},
        types="Mapping Null", lenient=True,
    ),
    "setup_remote_docker": _record(
        {**STEP_COMMON, "version": SCALAR, "docker_layer_caching": FLAG, "prefer_same_region": FLAG},
        types="Mapping Null", lenient=True,
    ),
    "save_cache": _record(
        {**STEP_COMMON, "key": SCALAR, "paths": shape("Sequence", items=SCALAR, least=1)},
        "key", "paths", lenient=True,
    ),
    "restore_cache": _record(
        {**STEP_COMMON, "key": SCALAR, "keys": shape("Sequence", items=SCALAR, least=1)}, lenient=True
    ),
    "persist_to_workspace": _record(
        {**STEP_COMMON, "root": SCALAR, "paths": shape("Sequence", items=SCALAR, least=1)},
        "root", "paths", lenient=True,
    ),
    "attach_workspace": _record({**STEP_COMMON, "at": SCALAR}, "at", lenient=True),
    "store_artifacts": _record({**STEP_COMMON, "path": SCALAR, "destination": SCALAR}, "path", lenient=True),
    "store_test_results": _record({**STEP_COMMON, "path": SCALAR}, "path", lenient=True),
    "add_ssh_keys": _record({**STEP_COMMON, "fingerprints": TEXTS}, types="Mapping Null", lenient=True),
    "install_signing_bundle": _record({}, types="Mapping Null", lenient=True),
}  # fmt: skip
BARE_STEPS = frozenset({"checkout", "setup_remote_docker", "add_ssh_keys", "install_signing_bundle"})
"""Steps that may be written as a word, without arguments."""

CONDITIONAL = _record({"condition": ANY, "steps": shape("Sequence")}, "condition", "steps")
STEPS = shape("Sequence", hint="steps are a list: '- checkout', '- run: …'")

EXECUTOR_KEYS = {
    "docker": DOCKER, "machine": MACHINE, "macos": MACOS, "windows": ANY, "resource_class": SCALAR,
    "shell": SCALAR, "working_directory": SCALAR, "environment": ENVIRONMENT,
}  # fmt: skip
EXECUTOR = _record({**EXECUTOR_KEYS, "parameters": PARAMETERS, "description": VALUE})
COMMAND = _record({"description": VALUE, "parameters": PARAMETERS, "steps": STEPS}, "steps")
RETENTION = shape("String", pattern="([1-9]|[12][0-9]|30)d", hint="from 1d to 30d")
PROVIDERS = frozenset({"datadog", "prometheus", "grafana", "alertmanager", "custom"})
VALIDATION = _record(
    {
        "enabled": FLAG, "evaluation_time": DURATION, "auto_rollback_on_failure": FLAG,
        "webhooks": shape("Sequence", items=_record(
            {"name": SCALAR, "provider": shape("String", options=PROVIDERS), "data_points": ANY,
             "fail_when": ANY, "max_failures": ANY},
            "name", "provider", lenient=True,
        )),
    },
    "enabled", lenient=True,
)  # fmt: skip
"""What a release waits for (CircleCI config reference: release jobs)."""
JOB_TYPES = frozenset({"build", "approval", "no-op", "release", "lock", "unlock"})
FILTER = _record({"only": SCALAR_OR_LIST, "ignore": SCALAR_OR_LIST}, types="Mapping Null")
FILTERS = _record({"branches": FILTER, "tags": FILTER}, types="Mapping String Null")
JOB_BODY_KEYS = {
    **EXECUTOR_KEYS,
    "parallelism": WHOLE,
    "retention": _record({"caches": RETENTION}, lenient=True),
    "circleci_ip_ranges": FLAG,
    "type": shape("String", options=JOB_TYPES),
    "branches": FILTER,
    "plan_name": SCALAR,
    "validation": VALIDATION,
    "key": SCALAR,
    "parallel": ANY,
}
JOB = _record(
    {
        **JOB_BODY_KEYS, "parameters": PARAMETERS, "description": VALUE, "steps": STEPS,
        "executor": _record({"name": SCALAR}, "name", types="String Mapping", others=ANY),
    },
    types="Mapping String",
    misplaced={key: f"'{key}' belongs to the job's entry under 'workflows:'" for key in
               ("filters", "requires", "context", "matrix", "pre-steps", "post-steps", "serial-group")},
)  # fmt: skip
JOB_BODY = _record({**JOB_BODY_KEYS, "steps": STEPS})
"""A job after expansion."""

ELEMENTS: dict[str, Shape] = {"commands": COMMAND, "executors": EXECUTOR, "jobs": JOB}

STATUS = shape("String", options=frozenset({*Outcome, "terminal"}))
STATUSES = shape(
    "String Sequence", items=STATUS, options=STATUS.options, least=1, hint="a status, or a list of statuses"
)
REQUIREMENT = shape("String Mapping", others=STATUSES)
MATRIX = _record(
    {
        "parameters": shape("Mapping", others=shape("Sequence", items=ANY, least=1)),
        "exclude": shape("Sequence Null", items=shape("Mapping", others=ANY)),
        "alias": SCALAR,
    },
    "parameters",
)  # fmt: skip
SERIAL_GROUP = shape(
    "String", pattern=r"[A-Za-z0-9._/-]{1,512}", hint="up to 512 letters, digits and . _ / -"
)
ENTRY_KEYS: dict[str, Shape] = {
    "name": SCALAR,
    "requires": shape("Sequence Null", items=REQUIREMENT),
    "filters": FILTERS,
    "context": shape("String Sequence Null", items=SCALAR),
    "type": shape("String", options=JOB_TYPES),
    "matrix": MATRIX,
    "pre-steps": STEPS,
    "post-steps": STEPS,
    "serial-group": SERIAL_GROUP,
    "override-with": TEXT,
}
"""What a workflow says about a job besides the job's own parameters."""

ENTRY = shape("String Mapping", others=shape("Mapping Null", keys=ENTRY_KEYS, others=ANY))
JOB_GROUP = _record(
    {"jobs": shape("Sequence", least=1, hint="jobs of a group are a list"), "description": VALUE}, "jobs",
    misplaced={key: f"'{key}' belongs where the workflow uses the group" for key in
               ("requires", "filters", "serial-group", "name")},
)  # fmt: skip
TRIGGER = _record(
    {"schedule": _record({"cron": TEXT, "filters": FILTERS}, "cron", "filters")}, types="Mapping", others=ANY
)
WORKFLOW = _record(
    {
        "jobs": shape("Sequence", hint="jobs of a workflow are a list"),
        "when": ANY, "unless": ANY,
        "triggers": shape("Sequence", items=TRIGGER), "max_auto_reruns": WHOLE, "description": VALUE,
    },
    "jobs",
)  # fmt: skip
