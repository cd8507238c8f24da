"""Silent connections (protocol.md section 2, "Heartbeat"), with a heartbeat of one second."""

import asyncio

from tests.conftest import Launch
from tests.support.waiting import eventually

HEARTBEAT_S = 1


async def test_a_silent_connection_is_dropped_and_a_quiet_one_is_not(launch: Launch) -> None:
    chat = await launch(HEARTBEAT_SECONDS=str(HEARTBEAT_S))
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender, silent = await ann.connect(), await bob.connect()
    assert silent.ready["heartbeat_s"] == HEARTBEAT_S
    # A paused transport answers no pings, like a phone that lost its network without a word.
    silent.connection.transport.pause_reading()
    assert (await sender.say(room, "still counts as there"))["status"] == "sent"

    async def status() -> str:
        status: str = (await sender.say(room, "there?"))["status"]
        return status

    await asyncio.sleep(HEARTBEAT_S)
    await eventually(status, lambda status: status == "queued", within=4 * HEARTBEAT_S)
    silent.connection.transport.resume_reading()
    await silent.closed()
    texts = (await bob.connect()).texts(room)
    assert texts[0] == "still counts as there"
    assert (await sender.ask("ping"))["type"] == "pong", "one that answers pings may say nothing for ever"


async def test_an_idle_connection_stays(launch: Launch) -> None:
    chat = await launch(HEARTBEAT_SECONDS=str(HEARTBEAT_S))
    ann = await chat.person("ann")
    socket = await ann.connect()
    await asyncio.sleep(4 * HEARTBEAT_S)
    assert socket.is_open
    await socket.ask("ping")
