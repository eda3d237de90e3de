"""Every address of CircleCI's API that is not about one run: who may call it, what goes in and comes out."""

from penstock.api.circleci.payloads import Message, Organization, Project
from penstock.api.circleci.platform import (
    checkout_keys,
    claims,
    contexts,
    groups,
    policies,
    projects,
    schedules,
    settings,
    usage,
    variables,
    webhooks,
)
from penstock.api.circleci.platform import claims_payloads as o
from penstock.api.circleci.platform import contexts_payloads as c
from penstock.api.circleci.platform import policy_payloads as p
from penstock.api.circleci.platform import projects_payloads as j
from penstock.api.circleci.platform import schedule_payloads as s
from penstock.api.circleci.platform import usage_payloads as u
from penstock.api.circleci.platform import webhooks_payloads as w
from penstock.api.circleci.rows import delete, get, get_list, patch, post, put, row
from penstock.api.common.route import PUBLIC, Route
from penstock.engine.access import Action

SLUG = "project/{slug:3}"
SEE, CHANGE = Action.SEE_VARIABLES, Action.CHANGE_VARIABLES
CREATED, ACCEPTED = 201, 202

# fmt: off
_CONTEXT = "v2/context/{context}"
_CONTEXTS: tuple[Route, ...] = (
    post("v2/context", contexts.create_context, Action.CHANGE_CONTEXTS, c.Context, c.NewContext,
         optional=False),
    get_list("v2/context", contexts.list_contexts, Action.SEE_CONTEXTS, c.Context, c.ContextsQuery),
    get(_CONTEXT, contexts.get_context, Action.SEE_CONTEXTS, c.Context),
    delete(_CONTEXT, contexts.delete_context, Action.CHANGE_CONTEXTS, Message),
    get_list(f"{_CONTEXT}/environment-variable", contexts.list_variables, Action.SEE_CONTEXTS,
             c.ContextVariable),
    put(f"{_CONTEXT}/environment-variable/{{variable}}", contexts.put_variable, Action.CHANGE_CONTEXTS,
        c.ContextVariable, c.NewValue, optional=False),
    delete(f"{_CONTEXT}/environment-variable/{{variable}}", contexts.delete_variable,
           Action.CHANGE_CONTEXTS, Message),
    get_list(f"{_CONTEXT}/restrictions", contexts.list_restrictions, Action.SEE_CONTEXTS, c.Restriction),
    post(f"{_CONTEXT}/restrictions", contexts.create_restriction, Action.RESTRICT_CONTEXTS,
         c.Restriction, c.NewRestriction, status=CREATED, optional=False),
    delete(f"{_CONTEXT}/restrictions/{{restriction}}", contexts.delete_restriction,
           Action.RESTRICT_CONTEXTS, Message),
)

_GROUP = "v2/organizations/{org_id}/groups"
_GROUPS: tuple[Route, ...] = (
    get(_GROUP, groups.list_groups, Action.SEE_MEMBERS, c.Groups, c.GroupsQuery),
    post(_GROUP, groups.create_group, Action.CHANGE_MEMBERS, c.Group, c.NewGroup, status=CREATED,
         optional=False),
    get(f"{_GROUP}/{{group}}", groups.get_group, Action.SEE_MEMBERS, c.Group),
    delete(f"{_GROUP}/{{group}}", groups.delete_group, Action.CHANGE_MEMBERS, Message),
)

_VARIABLES = f"{SLUG}/envvar"
_VARIABLE = f"{_VARIABLES}/{{name}}"
_OWNER, _OWNERS = "organization/{slug}", "organization/{slug:2}"
_PROJECTS: tuple[Route, ...] = (
    post(f"v2/{SLUG}", projects.create_by_slug, Action.CREATE_PROJECT, j.Settings, status=CREATED),
    delete(f"v2/{SLUG}", projects.delete_project, Action.DELETE_PROJECT, Message),
    post(f"v2/{_OWNER}/project", projects.create_project, Action.CREATE_PROJECT, Project, j.ProjectBody,
         optional=False),
    post(f"v2/{_OWNERS}/project", projects.create_project, Action.CREATE_PROJECT, Project, j.ProjectBody,
         optional=False),
    post("v2/organization", projects.create_organization, Action.CREATE_ORGANIZATION, Organization,
         j.OrganizationBody, status=CREATED, optional=False),
    delete(f"v2/{_OWNER}", projects.delete_organization, Action.DELETE_ORGANIZATION, Message,
           status=ACCEPTED),
    delete(f"v2/{_OWNERS}", projects.delete_organization, Action.DELETE_ORGANIZATION, Message,
           status=ACCEPTED),
    get_list(f"v2/{_VARIABLES}", variables.list_variables, SEE, j.EnvVar),
    post(f"v2/{_VARIABLES}", variables.set_variable, CHANGE, j.EnvVar, j.EnvVarBody, status=CREATED,
         optional=False),
    get(f"v2/{_VARIABLE}", variables.get_variable, SEE, j.EnvVar),
    delete(f"v2/{_VARIABLE}", variables.delete_variable, CHANGE, Message),
    get(f"v1.1/{_VARIABLES}", variables.list_old, SEE, list[j.OldEnvVar]),
    post(f"v1.1/{_VARIABLES}", variables.set_old, CHANGE, j.OldEnvVar, j.EnvVarBody, status=CREATED,
         optional=False),
    get(f"v1.1/{_VARIABLE}", variables.get_old, SEE, j.OldEnvVar),
    delete(f"v1.1/{_VARIABLE}", variables.delete_variable, CHANGE, Message),
    get(f"v2/{SLUG}/settings", settings.get_settings, Action.SEE_PROJECT, j.Settings),
    patch(f"v2/{SLUG}/settings", settings.change_settings, Action.CHANGE_PROJECT, j.Settings, j.SettingsBody),
    put(f"v2/{SLUG}/settings", settings.change_settings, Action.CHANGE_PROJECT, j.Settings, j.SettingsBody),
    get(f"v1.1/{SLUG}/settings", settings.get_old, Action.SEE_PROJECT, j.OldSettings),
    put(f"v1.1/{SLUG}/settings", settings.change_old, Action.CHANGE_PROJECT, j.OldSettings,
        j.OldSettingsBody),
)

_CHECKOUT_KEYS = f"{SLUG}/checkout-key"
_CHECKOUT_KEY = f"{_CHECKOUT_KEYS}/{{fingerprint}}"
_KEYS: tuple[Route, ...] = (
    get_list(f"v2/{_CHECKOUT_KEYS}", checkout_keys.list_keys, SEE, j.CheckoutKey, j.KeysQuery),
    post(f"v2/{_CHECKOUT_KEYS}", checkout_keys.create_key, Action.ADMINISTER_PROJECT, j.CheckoutKey,
         j.KeyBody, status=CREATED, optional=False),
    get(f"v2/{_CHECKOUT_KEY}", checkout_keys.get_key, SEE, j.CheckoutKey),
    delete(f"v2/{_CHECKOUT_KEY}", checkout_keys.delete_key, CHANGE, Message),
    get(f"v1.1/{_CHECKOUT_KEYS}", checkout_keys.list_old, SEE, list[j.OldCheckoutKey], j.OldKeysQuery),
    post(f"v1.1/{_CHECKOUT_KEYS}", checkout_keys.create_old, Action.ADMINISTER_PROJECT, j.OldCheckoutKey,
         j.KeyBody, status=CREATED, optional=False),
    get(f"v1.1/{_CHECKOUT_KEY}", checkout_keys.get_old, SEE, j.OldCheckoutKey),
    delete(f"v1.1/{_CHECKOUT_KEY}", checkout_keys.delete_key, CHANGE, Message),
)

_SCHEDULES: tuple[Route, ...] = (
    get_list(f"v2/{SLUG}/schedule", schedules.list_of_project, Action.SEE_PROJECT, s.Schedule),
    post(f"v2/{SLUG}/schedule", schedules.create, Action.CHANGE_VARIABLES, s.Schedule, s.CreateBody,
         status=CREATED, optional=False),
    get("v2/schedule/{id}", schedules.get, Action.SEE_PROJECT, s.Schedule),
    patch("v2/schedule/{id}", schedules.update, Action.CHANGE_VARIABLES, s.Schedule, s.UpdateBody),
    delete("v2/schedule/{id}", schedules.delete, Action.CHANGE_VARIABLES, Message),
)

_WEBHOOKS: tuple[Route, ...] = (
    post("v2/webhook", webhooks.create_webhook, CHANGE, w.Webhook, w.NewWebhook,
         status=201, optional=False),
    get_list("v2/webhook", webhooks.list_webhooks, SEE, w.Webhook, w.WebhooksQuery),
    get("v2/webhook/{id}", webhooks.get_webhook, SEE, w.Webhook),
    put("v2/webhook/{id}", webhooks.update_webhook, CHANGE, w.Webhook, w.WebhookUpdate),
    delete("v2/webhook/{id}", webhooks.delete_webhook, CHANGE, Message),
)

_OWNER = "v2/owner/{owner}/context/{policy_context}"
_LARGEST_BUNDLE = 6 << 20  # bytes of JSON, in which policies are longer than they are
_POLICIES: tuple[Route, ...] = (
    get(f"{_OWNER}/decision", policies.list_decisions, Action.SEE_POLICIES, list[p.DecisionLog],
        p.DecisionsQuery),
    post(f"{_OWNER}/decision", policies.make_decision, Action.ASK_POLICIES, p.Decision, p.DecisionBody,
         optional=False, limit=_LARGEST_BUNDLE),
    get(f"{_OWNER}/decision/settings", policies.get_settings, Action.SEE_POLICIES, p.DecisionSettings),
    patch(f"{_OWNER}/decision/settings", policies.set_settings, Action.CHANGE_POLICIES, p.DecisionSettings,
          p.DecisionSettingsBody),
    get(f"{_OWNER}/decision/{{decision}}", policies.get_decision, Action.SEE_POLICIES, p.DecisionLog),
    get(f"{_OWNER}/decision/{{decision}}/policy-bundle", policies.get_decision_bundle, Action.SEE_POLICIES,
        p.PolicyBundle),
    get(f"{_OWNER}/policy-bundle", policies.get_bundle, Action.SEE_POLICIES, p.PolicyBundle),
    post(f"{_OWNER}/policy-bundle", policies.push_bundle, Action.CHANGE_POLICIES, p.BundleDiff, p.BundleBody,
         query=p.PushQuery, status=CREATED, limit=_LARGEST_BUNDLE),
    get(f"{_OWNER}/policy-bundle/{{policy}}", policies.get_policy, Action.SEE_POLICIES, p.PolicyDocument),
)

_OF_ORGANIZATION = "v2/org/{org_id}/oidc-custom-claims"
_OF_PROJECT = "v2/org/{org_id}/project/{project_id}/oidc-custom-claims"
_CLAIMS: tuple[Route, ...] = (
    delete(_OF_ORGANIZATION, claims.delete_claims, Action.CHANGE_ORGANIZATION, o.ClaimsAnswer,
           query=o.ClaimsQuery),
    get(_OF_ORGANIZATION, claims.get_claims, Action.SEE_ORGANIZATION, o.ClaimsAnswer),
    patch(_OF_ORGANIZATION, claims.patch_claims, Action.CHANGE_ORGANIZATION, o.ClaimsAnswer, o.ClaimsBody,
          optional=False),
    delete(_OF_PROJECT, claims.delete_claims, Action.ADMINISTER_PROJECT, o.ClaimsAnswer, query=o.ClaimsQuery),
    get(_OF_PROJECT, claims.get_claims, Action.SEE_PROJECT, o.ClaimsAnswer),
    patch(_OF_PROJECT, claims.patch_claims, Action.ADMINISTER_PROJECT, o.ClaimsAnswer, o.ClaimsBody,
          optional=False),
)

_EXPORTS = "v2/organizations/{org_id}/usage_export_job"
_USAGE: tuple[Route, ...] = (
    post(_EXPORTS, usage.create, Action.EXPORT_USAGE, u.UsageExport, u.UsageExportBody, status=201,
         optional=False),
    get(f"{_EXPORTS}/{{usage_export_job_id}}", usage.get_export, Action.SEE_USAGE, u.UsageExportStatus),
    row("GET", usage.DOWNLOAD, usage.download, PUBLIC, None, query=u.DownloadQuery),
)
# fmt: on

PLATFORM: tuple[Route, ...] = (
    *_CONTEXTS,
    *_GROUPS,
    *_PROJECTS,
    *_KEYS,
    *_SCHEDULES,
    *_WEBHOOKS,
    *_POLICIES,
    *_CLAIMS,
    *_USAGE,
)
