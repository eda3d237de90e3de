"""What a task asks while it runs: caches, its other copies, another config for its pipeline."""

from penstock.api.agent.auth import task_of
from penstock.api.agent.packed import pack
from penstock.api.common.answer import Answer
from penstock.api.common.call import Call
from penstock.api.common.server import Server
from penstock.model.errors import InvalidError
from penstock.wire.messages import Continue, TokenWish
from penstock.wire.protocol import Keys

MOST_KEYS = 100
"""Keys of one search; CircleCI's own steps have a few."""


def find_cache(server: Server, call: Call) -> Answer:
    """The newest cache for the first key that has any."""
    return pack(server.gateway.find_cache(task_of(call), _read_keys(call)))


def has_cache(server: Server, call: Call) -> Answer:
    """Whether each of the keys, exactly, is taken."""
    task = task_of(call)
    return pack([server.gateway.has_cache(task, key) for key in _read_keys(call)])


def find_others(server: Server, call: Call) -> Answer:
    """How the other parallel copies of the task stand."""
    return pack(server.gateway.find_others(task_of(call)))


def continue_pipeline(server: Server, call: Call) -> Answer:
    """Continue the task's pipeline with another config."""
    wish: Continue = call.payload
    return pack(server.gateway.continue_pipeline(task_of(call), wish))


def mint_token(server: Server, call: Call) -> Answer:
    """An identity token for the task."""
    wish: TokenWish = call.payload
    return pack(server.gateway.mint_token(task_of(call), wish))


def _read_keys(call: Call) -> tuple[str, ...]:
    asked: Keys = call.payload
    if len(asked.keys) > MOST_KEYS:
        raise InvalidError(f"at most {MOST_KEYS} keys can be looked for at once")
    return asked.keys
