"""The dialects a server speaks, in one list."""

from penstock.api.agent.routes import AGENT
from penstock.api.circleci.routes import CIRCLECI
from penstock.api.common.dialect import Dialect
from penstock.api.hooks.routes import HOOKS
from penstock.api.oidc.routes import OIDC
from penstock.api.penstock.routes import PENSTOCK
from penstock.api.system.routes import SYSTEM

DIALECTS: tuple[Dialect, ...] = (CIRCLECI, PENSTOCK, HOOKS, OIDC, AGENT, SYSTEM)
