"""Promise 1. Acked is durable.

The message, the conversation's counters and the queue entries of its recipients commit in one transaction before
``message.ack`` leaves. A crash at any point leaves all of it or nothing.
"""

import asyncio
import contextlib
import random
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from chat_mvp.limits import MAX_COUNTED_UNREAD
from tests.conftest import Launch
from tests.support.people import Chat, Person
from tests.support.replset import ThreeNodes
from tests.support.socket import Socket
from tests.support.waiting import eventually


async def check_all_or_nothing(sender: Person, recipients: list[Person], room: str) -> list[dict[str, Any]]:
    """Fail unless history, counters and every recipient's queue tell of the same messages; return them."""
    history = await sender.history(room)
    assert [message["seq"] for message in history] == list(range(1, len(history) + 1))
    conversation = await sender.conversation(room)
    assert conversation["last_seq"] == conversation["rev"] == len(history)
    assert conversation["last_message"] == history[-1]
    texts = [message for message in history if message["kind"] == "text"]
    for recipient in recipients:
        socket = await recipient.connect()
        queued = [frame["message"] for frame in socket.all("message.new", queued=True)]
        assert [message for message in queued if message["kind"] == "text"] == texts
        assert (await recipient.conversation(room))["me"]["unread"] == min(len(texts), MAX_COUNTED_UNREAD)
        await socket.close()
    return history


async def test_kill_right_after_the_ack(launch: Launch) -> None:
    chat = await launch()
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    socket = await ann.connect()
    for number in range(3):
        ack = await socket.say(room, f"message {number}")
        chat.server.kill()
        await chat.server.start()
        stored = await ann.message(ack["message_id"])
        assert {name: stored[name] for name in ("seq", "rev", "created_at")} == {
            name: ack[name] for name in ("seq", "rev", "created_at")
        }
        assert stored["text"] == f"message {number}"
        await check_all_or_nothing(ann, [bob], room)
        socket = await ann.connect()


async def test_kill_right_after_the_answer_over_http(launch: Launch) -> None:
    chat = await launch()
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    message = await ann.say(room, "over HTTP")
    chat.server.kill()
    await chat.server.start()
    assert await check_all_or_nothing(ann, [bob], room) == [message]


async def burst(socket: Socket, room: str, round_: int, count: int) -> None:
    """Send without waiting for answers until the connection breaks."""
    with contextlib.suppress(ConnectionClosed):
        for number in range(count):
            name = f"{round_}-{number}"
            await socket.send("message.send", client_message_id=name, conversation_id=room, text=name)
            await asyncio.sleep(0)


@pytest.mark.parametrize("seed", [1, 2])
async def test_kill_in_the_middle_of_a_burst(launch: Launch, seed: int) -> None:
    dice = random.Random(seed)
    chat = await launch()
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room = await ann.group(bob, cat)
    baseline = len(await ann.history(room))
    acks: list[dict[str, Any]] = []
    for round_ in range(3):
        senders = [await ann.connect(), await ann.connect()]
        bursts = [
            asyncio.create_task(burst(socket, room, 2 * round_ + index, 2000)) for index, socket in enumerate(senders)
        ]
        await senders[0].expect("message.ack")
        await asyncio.sleep(dice.uniform(0.01, 0.25))
        chat.server.kill()
        await asyncio.gather(*bursts, *(socket.closed() for socket in senders))
        await chat.server.start()
        acks += [frame for socket in senders for frame in socket.all("message.ack")]
        await check_everything_acked(ann, room, acks)
    history = await check_all_or_nothing(ann, [bob, cat], room)
    names = [message["client_message_id"] for message in history[baseline:]]
    assert len(set(names)) == len(names)


async def check_everything_acked(person: Person, room: str, acks: list[dict[str, Any]]) -> None:
    stored = {message["id"]: message for message in await person.history(room)}
    for ack in acks:
        message = stored[ack["message_id"]]
        for name in ("client_message_id", "seq", "rev", "created_at"):
            assert message[name] == ack[name]


async def send_until_acked(socket: Socket, room: str, name: str) -> None:
    """Send one message as a client does: again, with the same name, for as long as trying again is right."""
    async with asyncio.timeout(30):
        while True:
            await socket.send("message.send", client_message_id=name, conversation_id=room, text=name, ref=name)
            answer = await socket.find(lambda frame: frame.get("ref") == name, f"an answer to {name}", within=20)
            if answer["type"] == "message.ack":
                return
            assert answer["code"] in {"unavailable", "internal"}, answer
            await asyncio.sleep(answer.get("retry_after_ms", 200) / 1000)


async def test_kill_the_primary_of_three_in_the_middle_of_a_burst(launch: Launch, tmp_path: Path) -> None:
    async with ThreeNodes(tmp_path) as nodes:
        chat = await launch(nodes.uri)
        ann, bob = await chat.people("ann", "bob")
        room = await ann.direct(bob)
        socket = await ann.connect()
        names = [f"message {number}" for number in range(120)]

        async def write(share: list[str]) -> None:
            for name in share:
                await send_until_acked(socket, room, name)

        async def acked(count: int) -> bool:
            return len(socket.all("message.ack")) >= count

        async def kill_primary() -> None:
            await eventually(lambda: acked(40), within=20)
            await nodes.kill_primary()

        await asyncio.gather(kill_primary(), *(write(names[start::4]) for start in range(4)))
        history = await check_all_or_nothing(ann, [bob], room)
        assert sorted(message["text"] for message in history) == sorted(names)
        await check_everything_acked(ann, room, socket.all("message.ack"))


async def test_what_was_edited_and_reacted_to_survives(launch: Launch) -> None:
    chat: Chat = await launch()
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    first, second, third = [await ann.say(room, text) for text in ("one", "two", "three")]
    socket = await ann.connect()
    changed = [
        (await socket.ask("message.edit", message_id=first["id"], text="one, edited"))["message"],
        (await socket.ask("message.delete", message_id=second["id"]))["message"],
        (await socket.ask("reaction.add", message_id=third["id"], emoji="🎉"))["message"],
    ]
    await chat.server.crash_and_restart()
    assert await ann.history(room) == changed
    assert (await ann.conversation(room))["rev"] == 6
