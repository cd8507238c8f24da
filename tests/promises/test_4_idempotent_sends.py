"""Promise 4. Idempotent sends.

The pair of sender and ``client_message_id`` identifies one message permanently: sending it again, even with another
text or to another conversation, answers with the first one's ids and ``duplicate: true``, after a restart too.
"""

import asyncio
from typing import Any

import pytest

from tests.conftest import Launch
from tests.support.http import expect_json
from tests.support.people import Chat
from tests.support.socket import Frame

SAME_AS_FIRST = ("client_message_id", "message_id", "conversation_id", "seq", "rev", "created_at", "status")


def check_duplicate(again: Frame, first: Frame) -> None:
    """Fail unless ``again`` acknowledges the message that ``first`` acknowledged."""
    assert {name: again[name] for name in SAME_AS_FIRST} == {name: first[name] for name in SAME_AS_FIRST}
    assert first["duplicate"] is False
    assert again["duplicate"] is True


async def test_the_same_again(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender, receiver = await ann.connect(), await bob.connect()
    first = await sender.say(room, "once", client_message_id="same")
    for _ in range(3):
        check_duplicate(await sender.say(room, "once", client_message_id="same"), first)
    await receiver.expect_text("once")
    await receiver.nothing("message.new")
    assert [message["text"] for message in await bob.history(room)] == ["once"]
    assert (await bob.conversation(room))["rev"] == 1


async def test_with_another_text_or_to_another_conversation(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room, elsewhere = await ann.direct(bob), await ann.direct(cat)
    sender = await ann.connect()
    first = await sender.say(room, "once", client_message_id="same")
    check_duplicate(await sender.say(room, "another text", client_message_id="same"), first)
    check_duplicate(await sender.say(elsewhere, "once", client_message_id="same"), first)
    by_name = await sender.ask("message.send", client_message_id="same", to=cat.id, text="once")
    check_duplicate(by_name, first)
    assert await ann.history(elsewhere) == []
    assert [message["text"] for message in await ann.history(room)] == ["once"]


async def test_over_http_and_websocket(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender = await ann.connect()
    ack = await sender.say(room, "first over WebSocket", client_message_id="ws")
    response = await ann.post(f"/conversations/{room}/messages", client_message_id="ws", text="again")
    assert expect_json(response, 200) == await ann.message(ack["message_id"])

    message = await ann.say(room, "first over HTTP", client_message_id="http")
    again = await sender.say(room, "again", client_message_id="http")
    assert again["duplicate"] is True
    assert (again["message_id"], again["seq"]) == (message["id"], message["seq"])
    assert len(await bob.history(room)) == 2


async def test_after_a_restart_and_after_a_crash(launch: Launch) -> None:
    chat = await launch()
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    first = await (await ann.connect()).say(room, "once", client_message_id="same")
    assert await chat.server.stop() == 0
    await chat.server.start()
    check_duplicate(await (await ann.connect()).say(room, "once", client_message_id="same"), first)
    await chat.server.crash_and_restart()
    check_duplicate(await (await ann.connect()).say(room, "once", client_message_id="same"), first)
    assert len(await bob.history(room)) == 1


async def test_twice_in_one_burst(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender, receiver = await ann.connect(), await bob.connect()
    names = [f"n{number // 3}" for number in range(150)]
    for index, name in enumerate(names):
        await sender.send("message.send", client_message_id=name, conversation_id=room, text=name, ref=index)
    await sender.expect("message.ack", ref=len(names) - 1)
    acks = sorted(sender.all("message.ack"), key=lambda frame: int(frame["ref"]))
    assert [ack["client_message_id"] for ack in acks] == names
    for first, *again in (acks[start : start + 3] for start in range(0, len(acks), 3)):
        for ack in again:
            check_duplicate(ack, first)
    await receiver.expect_text("n49")
    assert receiver.texts(room) == list(dict.fromkeys(names))
    assert [message["seq"] for message in await ann.history(room)] == list(range(1, 51))


async def test_from_several_connections_at_once(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sockets = [await ann.connect() for _ in range(3)]
    answers = await asyncio.gather(
        *(socket.say(room, f"from {index}", client_message_id="same") for index, socket in enumerate(sockets)),
        *(ann.post(f"/conversations/{room}/messages", client_message_id="same", text="HTTP") for _ in range(3)),
    )
    acks: list[Any] = list(answers[:3])
    responses: list[Any] = list(answers[3:])
    (message,) = await bob.history(room)
    assert {ack["message_id"] for ack in acks} == {message["id"]}
    assert [response.json()["id"] for response in responses] == [message["id"]] * 3
    made = [ack for ack in acks if not ack["duplicate"]] + [r for r in responses if r.status_code == 201]
    assert len(made) == 1, "exactly one of them made the message"


async def test_what_a_lost_connection_leaves_open_can_be_sent_again(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    names = [f"n{number}" for number in range(100)]
    for cut_after in (10, 60):
        socket = await ann.connect()
        for name in names[:cut_after]:
            await socket.send("message.send", client_message_id=name, conversation_id=room, text=name)
        socket.cut()
    socket = await ann.connect()
    for name in names:
        await socket.send("message.send", client_message_id=name, conversation_id=room, text=name)
    await socket.expect("message.ack", client_message_id=names[-1])
    assert sorted(message["text"] for message in await bob.history(room)) == sorted(names)


async def test_the_name_belongs_to_its_sender(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    ann_socket, bob_socket = await ann.connect(), await bob.connect()
    one = await ann_socket.say(room, "from ann", client_message_id="same")
    two = await bob_socket.say(room, "from bob", client_message_id="same")
    assert (one["duplicate"], two["duplicate"]) == (False, False)
    assert one["message_id"] != two["message_id"]


async def test_a_duplicate_does_not_disturb_its_neighbours(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender = await ann.connect()
    first = await sender.say(room, "old", client_message_id="old")
    acks = await asyncio.gather(
        *(sender.say(room, "x", client_message_id="old" if n % 5 == 0 else f"new {n}") for n in range(50))
    )
    for number, ack in enumerate(acks):
        if number % 5 == 0:
            check_duplicate(ack, first)
        else:
            assert ack["duplicate"] is False
    assert [message["seq"] for message in await bob.history(room)] == list(range(1, 42))


@pytest.mark.parametrize("change", ["edited", "deleted"])
async def test_even_when_the_message_has_changed_since(chat: Chat, change: str) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender = await ann.connect()
    first = await sender.say(room, "once", client_message_id="same")
    if change == "edited":
        await ann.edit(first["message_id"], "twice")
    else:
        await ann.erase(first["message_id"])
    again = await sender.say(room, "once", client_message_id="same")
    assert again["duplicate"] is True
    assert (again["message_id"], again["seq"]) == (first["message_id"], first["seq"])
    assert (await ann.message(first["message_id"]))["text"] == ("twice" if change == "edited" else "")
