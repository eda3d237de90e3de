"""Every address of CircleCI's API that is not about one run: who may call it, what goes in and comes out."""

from penstock.api.circleci.payloads import Message, Organization, Project
from penstock.api.circleci.platform import checkout_keys, projects, settings, variables
from penstock.api.circleci.platform import projects_payloads as j
from penstock.api.circleci.rows import delete, get, get_list, patch, post, put
from penstock.api.common.route import Route
from penstock.engine.access import Action

SLUG = "project/{slug:3}"
SEE, CHANGE = Action.SEE_VARIABLES, Action.CHANGE_VARIABLES
CREATED, ACCEPTED = 201, 202

# fmt: off
_CONTEXTS: tuple[Route, ...] = (
)

_GROUPS: tuple[Route, ...] = (
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
    get_list(f"v2/{_VARIABLES}", variables.list_variables, SEE, j.Variable),
    post(f"v2/{_VARIABLES}", variables.set_variable, CHANGE, j.Variable, j.VariableBody, status=CREATED,
         optional=False),
    get(f"v2/{_VARIABLE}", variables.get_variable, SEE, j.Variable),
    delete(f"v2/{_VARIABLE}", variables.delete_variable, CHANGE, Message),
    get(f"v1.1/{_VARIABLES}", variables.list_old, SEE, list[j.OldVariable]),
    post(f"v1.1/{_VARIABLES}", variables.set_old, CHANGE, j.OldVariable, j.VariableBody, status=CREATED,
         optional=False),
    get(f"v1.1/{_VARIABLE}", variables.get_old, SEE, j.OldVariable),
    delete(f"v1.1/{_VARIABLE}", variables.delete_variable, CHANGE, Message),
    get(f"v2/{SLUG}/settings", settings.get_settings, Action.SEE_PROJECT, j.Settings),
    patch(f"v2/{SLUG}/settings", settings.change_settings, Action.CHANGE_PROJECT, j.Settings, j.SettingsBody),
    put(f"v2/{SLUG}/settings", settings.change_settings, Action.CHANGE_PROJECT, j.Settings, j.SettingsBody),
)

_CHECKOUT_KEYS = f"{SLUG}/checkout-key"
_CHECKOUT_KEY = f"{_CHECKOUT_KEYS}/{{fingerprint}}"
_KEYS: tuple[Route, ...] = (
    get_list(f"v2/{_CHECKOUT_KEYS}", checkout_keys.list_keys, SEE, j.CheckoutKey, j.KeysQuery),
    post(f"v2/{_CHECKOUT_KEYS}", checkout_keys.create_key, Action.ADMINISTER_PROJECT, j.CheckoutKey,
         j.KeyBody, status=CREATED, optional=False),
    get(f"v2/{_CHECKOUT_KEY}", checkout_keys.get_key, SEE, j.CheckoutKey),
    delete(f"v2/{_CHECKOUT_KEY}", checkout_keys.delete_key, CHANGE, Message),
    get(f"v1.1/{_CHECKOUT_KEYS}", checkout_keys.list_old, SEE, list[j.OldCheckoutKey], j.KeysQuery),
    post(f"v1.1/{_CHECKOUT_KEYS}", checkout_keys.create_old, Action.ADMINISTER_PROJECT, j.OldCheckoutKey,
         j.KeyBody, status=CREATED, optional=False),
    get(f"v1.1/{_CHECKOUT_KEY}", checkout_keys.get_old, SEE, j.OldCheckoutKey),
    delete(f"v1.1/{_CHECKOUT_KEY}", checkout_keys.delete_key, CHANGE, Message),
)

_SCHEDULES: tuple[Route, ...] = (
)

_WEBHOOKS: tuple[Route, ...] = (
)

_POLICIES: tuple[Route, ...] = (
)

_CLAIMS: tuple[Route, ...] = (
)

_USAGE: tuple[Route, ...] = (
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
