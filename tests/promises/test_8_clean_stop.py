"""Promise 8. Clean stop.

On SIGTERM the server takes no new sends, commits and acknowledges those it accepted, says ``bye`` with 1012 and a
spread ``reconnect_after_ms``, and exits within 10 s.
"""

import asyncio
import contextlib
import time

from websockets.exceptions import ConnectionClosed

from tests.conftest import Launch
from tests.support.socket import Socket

STOP_WITHIN_S = 10.0
IDLE_STOP_WITHIN_S = 3.0


async def check_goodbye(socket: Socket) -> int:
    """Fail unless this connection got ``bye`` with 1012; return its ``reconnect_after_ms``."""
    assert await socket.closed(within=STOP_WITHIN_S) == 1012
    bye = socket.frames[-1]
    assert bye["type"] == "bye"
    assert bye["code"] == 1012
    assert isinstance(bye["reason"], str)
    assert isinstance(bye["reconnect_after_ms"], int)
    assert bye["reconnect_after_ms"] >= 0
    return bye["reconnect_after_ms"]


async def test_every_connection_gets_bye_and_a_spread_delay(launch: Launch) -> None:
    chat = await launch()
    people = await chat.people(*["someone"] * 4)
    sockets = [await person.connect() for person in people for _ in range(5)]
    started = time.monotonic()
    chat.server.terminate()
    assert await chat.server.exited(within=STOP_WITHIN_S) == 0
    assert time.monotonic() - started < STOP_WITHIN_S
    delays = [await check_goodbye(socket) for socket in sockets]
    assert len(set(delays)) > len(delays) / 2, "all coming back at once would be the next outage"


async def test_what_was_accepted_is_acknowledged(launch: Launch) -> None:
    chat = await launch()
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room = await ann.group(bob, cat)
    senders = [await ann.connect(), await bob.connect()]

    async def write(socket: Socket, name: str) -> None:
        with contextlib.suppress(ConnectionClosed):
            for number in range(20_000):
                text = f"{name} {number}"
                await socket.send("message.send", client_message_id=text, conversation_id=room, text=text)
                await asyncio.sleep(0.0005)

    writers = [asyncio.create_task(write(socket, f"writer {index}")) for index, socket in enumerate(senders)]
    await senders[0].expect("message.ack")
    await asyncio.sleep(0.3)
    chat.server.terminate()
    assert await chat.server.exited(within=STOP_WITHIN_S) == 0
    await asyncio.gather(*writers)
    acked: set[str] = set()
    for socket in senders:
        await check_goodbye(socket)
        acked |= {frame["client_message_id"] for frame in socket.all("message.ack")}

    await chat.server.start()
    history = await ann.history(room)
    stored = {message["client_message_id"] for message in history if message["kind"] == "text"}
    assert acked == stored
    socket = await cat.connect()
    queued = {frame["message"]["client_message_id"] for frame in socket.all("message.new", message={"kind": "text"})}
    assert queued == stored


async def test_stopping_does_not_wait_for_hanging_clients(launch: Launch) -> None:
    chat = await launch()
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender = await ann.connect()
    await sender.say_many(room, ["x" * 10_000] * 300)
    draining = await bob.connect(drained=False, max_queue=1)
    draining.stop_reading()
    silent = await chat.open()
    assert await chat.server.stop() == 0
    await check_goodbye(sender)
    await silent.closed()
    await chat.server.start()
    assert len((await bob.connect()).texts(room)) == 300


async def test_an_idle_server_stops_quickly(launch: Launch) -> None:
    chat = await launch()
    started = time.monotonic()
    assert await chat.server.stop() == 0
    assert time.monotonic() - started < IDLE_STOP_WITHIN_S


async def test_after_the_restart_clients_go_on_where_they_were(launch: Launch) -> None:
    chat = await launch()
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    before = await ann.connect()
    await before.say(room, "before")
    await chat.server.restart()
    await check_goodbye(before)
    after = await ann.connect(known={room: 1}, epoch=before.ready["epoch"])
    assert after.ready["recovered"] is True
    assert after.ready["epoch"] == before.ready["epoch"]
    assert (await after.say(room, "after"))["seq"] == 2
    assert (await bob.connect()).texts(room) == ["before", "after"]
