"""Typing (protocol.md section 2)."""

import asyncio
import time

from tests.support.people import Chat
from tests.support.shapes import check_fields

TYPING_S = 6.0


async def test_typing_reaches_the_others(chat: Chat) -> None:
    ann, bob, cat, stranger = await chat.people("ann", "bob", "cat", "stranger")
    room = await ann.group(bob, cat)
    typist, bob_socket, cat_socket = await ann.connect(), await bob.connect(), await cat.connect()
    stranger_socket = await stranger.connect()
    await typist.tell("typing", conversation_id=room, state="start")
    for socket in (bob_socket, cat_socket):
        told = await socket.expect("typing")
        check_fields(told, {"type", "conversation_id", "user_id", "state"})
        assert told == {"type": "typing", "conversation_id": room, "user_id": ann.id, "state": "start"}
    await typist.tell("typing", conversation_id=room, state="stop")
    for socket in (bob_socket, cat_socket):
        await socket.expect("typing", user_id=ann.id, state="stop")
    await typist.nothing("typing")
    await stranger_socket.nothing("typing", within=0)


async def test_typing_ends_by_itself_six_seconds_after_the_last_start(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    typist, watcher = await ann.connect(), await bob.connect()
    await typist.tell("typing", conversation_id=room, state="start")
    await watcher.expect("typing", state="start")
    await asyncio.sleep(1.5)
    await typist.tell("typing", conversation_id=room, state="start")
    last_start = time.monotonic()
    await watcher.expect("typing", state="stop", within=3 * TYPING_S)
    assert time.monotonic() - last_start > TYPING_S - 0.5


async def test_typing_ends_with_the_message(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    typist, watcher = await ann.connect(), await bob.connect()
    await typist.tell("typing", conversation_id=room, state="start")
    await watcher.expect("typing", state="start")
    await typist.say(room, "done")
    await watcher.expect("typing", user_id=ann.id, state="stop", within=TYPING_S / 2)


async def test_typing_ends_with_the_connection(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    typist, watcher, other = await ann.connect(), await bob.connect(), await ann.connect()
    await other.close()
    await typist.tell("typing", conversation_id=room, state="start")
    await watcher.expect("typing", state="start")
    await ann.connect()
    await watcher.nothing("typing")
    await typist.close()
    await watcher.expect("typing", user_id=ann.id, state="stop", within=TYPING_S / 2)


async def test_typing_is_not_kept(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    typist = await ann.connect()
    await typist.tell("typing", conversation_id=room, state="start")
    watcher = await bob.connect()
    assert "typing" not in {frame["type"] for frame in watcher.caught_up}
