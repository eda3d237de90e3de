"""The exchange of messages with an agent, held back until there is a command, without a thread."""

import asyncio

import msgspec

from penstock.api.agent.auth import agent_of
from penstock.api.agent.membership import check_protocol
from penstock.api.agent.packed import pack
from penstock.api.common.answer import Answer
from penstock.api.common.call import Call
from penstock.api.common.poll import await_signal
from penstock.api.common.server import Server
from penstock.engine.gateway import Exchange
from penstock.engine.task_access import hand_out_tokens
from penstock.model.errors import ForbiddenError
from penstock.wire.messages import Commands, Sync
from penstock.wire.protocol import LONGEST_WAIT


async def sync(server: Server, call: Call) -> Answer:
    """Take in what the agent says and answer with commands, as soon as there are any."""
    check_protocol(call)
    message: Sync = call.payload
    if message.agent != agent_of(call).uuid:
        raise ForbiddenError("an agent can speak for itself alone")
    bounded = msgspec.structs.replace(message, wait=min(message.wait, LONGEST_WAIT))
    exchange = server.gateway.open_exchange(bounded)
    try:
        commands = await _await_commands(server, call, exchange)
    except asyncio.CancelledError:
        asyncio.get_running_loop().run_in_executor(None, exchange.abandon)
        raise
    finally:
        exchange.close()
    return pack(hand_out_tokens(commands, server.sealer, now=server.parts.clock.now()))


async def _await_commands(server: Server, call: Call, exchange: Exchange) -> Commands:
    assert call.run is not None  # noqa: S101 - the frame gives it to coroutines
    commands: Commands | None = await call.run(exchange.begin)
    while commands is None:
        await await_signal(server.parts.signal, exchange.seen, exchange.rest)
        commands = await call.run(exchange.look)
    return commands
