"""Every table of the store, for both databases: the one place where a column is named.

Times are milliseconds since the epoch. A row that is reached from outside has a UUID beside its integer
key. What is large and seldom read (configs, plans, log bytes) has a table of its own, so that lists stay
light. Rows of a run go away with the row above them.
"""

from penstock.store.schema.agents import agent_groups, agent_tokens, agents
from penstock.store.schema.groups import people_group_members, people_groups
from penstock.store.schema.identity import custom_claims, signing_keys
from penstock.store.schema.metadata import metadata
from penstock.store.schema.outputs import artifacts, caches, test_cases, test_summaries, workspace_layers
from penstock.store.schema.owners import (
    context_restrictions,
    context_variables,
    contexts,
    counters,
    organizations,
    project_variables,
    projects,
    secrets,
)
from penstock.store.schema.people import api_tokens, audit_log, follows, hook_deliveries, memberships, users
from penstock.store.schema.policies import (
    policy_bundles,
    policy_decisions,
    policy_documents,
    policy_members,
    policy_settings,
)
from penstock.store.schema.promises import followups, locks, outbox, timers
from penstock.store.schema.runs import (
    continuations,
    job_plans,
    jobs,
    log_chunks,
    pipeline_configs,
    pipelines,
    steps,
    tasks,
    workflow_plans,
    workflows,
)
from penstock.store.schema.schedules import schedules
from penstock.store.schema.usage import usage_calls, usage_exports, usage_runs, usage_workflows
from penstock.store.schema.webhooks import webhook_deliveries, webhooks

__all__ = [
    "agent_groups",
    "agent_tokens",
    "agents",
    "api_tokens",
    "artifacts",
    "audit_log",
    "caches",
    "context_restrictions",
    "context_variables",
    "contexts",
    "continuations",
    "counters",
    "custom_claims",
    "follows",
    "followups",
    "hook_deliveries",
    "job_plans",
    "jobs",
    "locks",
    "log_chunks",
    "memberships",
    "metadata",
    "organizations",
    "outbox",
    "people_group_members",
    "people_groups",
    "pipeline_configs",
    "pipelines",
    "policy_bundles",
    "policy_decisions",
    "policy_documents",
    "policy_members",
    "policy_settings",
    "project_variables",
    "projects",
    "schedules",
    "secrets",
    "signing_keys",
    "steps",
    "tasks",
    "test_cases",
    "test_summaries",
    "timers",
    "usage_calls",
    "usage_exports",
    "usage_runs",
    "usage_workflows",
    "users",
    "webhook_deliveries",
    "webhooks",
    "workflow_plans",
    "workflows",
    "workspace_layers",
]
