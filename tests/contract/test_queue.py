"""The queue of a user who is offline, and the order in which it is sent (protocol.md sections 2 and 3)."""

from typing import Any

import pytest

from tests.support.http import expect_json, expect_nothing
from tests.support.people import Chat, Person
from tests.support.socket import Socket
from tests.support.waiting import eventually


async def wait_for_marks(person: Person, room: str, delivered_seq: int) -> None:
    """Return when what a device confirmed has been stored."""

    async def delivered() -> bool:
        return (await person.conversation(room))["me"]["delivered_seq"] >= delivered_seq

    await eventually(delivered)


def drained(socket: Socket) -> list[dict[str, Any]]:
    """Return the messages that came from the queue, and check the count that ``drained`` gave."""
    messages = [frame["message"] for frame in socket.all("message.new", queued=True)]
    (end,) = socket.all("drained")
    assert end["count"] == len(messages)
    return messages


async def test_what_was_missed_waits(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sent = [await ann.say(room, text) for text in ("one", "two", "three")]
    socket = await bob.connect()
    assert socket.ready["queued"] == 3
    assert drained(socket) == sent
    types = [frame["type"] for frame in socket.frames if frame["type"] != "conversation.joined"]
    assert types == ["ready", *["message.new"] * 3, "drained", "presence.snapshot"]
    await ann.say(room, "live")
    live = await socket.expect("message.new", message={"text": "live"})
    assert live["queued"] is False


async def test_nothing_waits_for_the_sender(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await ann.say(room, "over HTTP")
    socket = await ann.connect()
    assert socket.ready["queued"] == 0
    assert socket.texts(room) == []


async def test_oldest_first_within_a_conversation(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    for number in range(30):
        await ann.say(room, str(number), priority="high" if number % 3 == 0 else "normal")
    socket = await bob.connect()
    assert [message["text"] for message in drained(socket)] == [str(number) for number in range(30)]


async def test_high_priority_first_between_conversations(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    calm, urgent = await ann.direct(bob), await cat.direct(bob)
    for number in range(3):
        await ann.say(calm, f"calm {number}")
    for number in range(3):
        message = await cat.say(urgent, f"urgent {number}", priority="high")
        assert message["priority"] == "high"
    texts = [message["text"] for message in drained(await bob.connect())]
    assert texts == ["urgent 0", "urgent 1", "urgent 2", "calm 0", "calm 1", "calm 2"]


async def test_messages_wait_until_they_are_acknowledged(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sent = [await ann.say(room, text) for text in ("one", "two", "three")]
    for _ in range(2):
        socket = await bob.connect()
        assert drained(socket) == sent
        await socket.close()
    socket = await bob.connect()
    await socket.tell("delivered", conversation_id=room, seq=2)
    await wait_for_marks(bob, room, 2)
    await socket.close()
    again = await bob.connect()
    assert again.ready["queued"] == 1
    assert drained(again) == sent[2:]


@pytest.mark.parametrize("confirmation", ["delivered", "read"])
async def test_confirming_empties_the_queue_of_that_conversation(chat: Chat, confirmation: str) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    first, second = await ann.direct(bob), await cat.direct(bob)
    await ann.say(first, "confirmed")
    await cat.say(second, "not yet")
    socket = await bob.connect()
    await socket.tell(confirmation, conversation_id=first, seq=1)
    await wait_for_marks(bob, first, 1)
    await socket.close()
    assert [message["text"] for message in drained(await bob.connect())] == ["not yet"]


async def test_live_messages_wait_too_until_confirmed(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    socket = await bob.connect()
    await ann.say(room, "seen live, never confirmed")
    await socket.expect("message.new")
    await socket.close()
    assert [message["text"] for message in drained(await bob.connect())] == ["seen live, never confirmed"]


async def test_one_device_confirms_for_all(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    message = await ann.say(room, "hello")
    phone, tablet = await bob.connect(), await bob.connect()
    assert drained(phone) == drained(tablet) == [message]
    await phone.tell("delivered", conversation_id=room, seq=1)
    await tablet.expect("receipt", delivered_seq=1)
    late = await bob.connect()
    assert late.ready["queued"] == 0
    assert drained(late) == []


async def test_each_recipient_has_a_queue(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room = await ann.group(bob, cat)
    message = await ann.say(room, "hello both")
    bob_socket = await bob.connect()
    await bob_socket.tell("delivered", conversation_id=room, seq=message["seq"])
    await wait_for_marks(bob, room, message["seq"])
    assert message in drained(await cat.connect())
    assert drained(await bob.connect()) == []


async def test_it_comes_in_its_present_state(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    edited, deleted, liked = [await ann.say(room, text) for text in ("frist", "regretted", "news")]
    expected = [
        await ann.edit(edited["id"], "first"),
        await ann.erase(deleted["id"]),
        await ann.react(liked["id"], "🎉"),
    ]
    assert drained(await bob.connect()) == expected


async def test_the_queue_is_removed_when_its_owner_leaves(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    await ann.say(room, "never delivered")
    expect_nothing(await ann.delete(f"/conversations/{room}/members/{bob.id}"))
    socket = await bob.connect()
    assert socket.ready["queued"] == 0
    assert drained(socket) == []
    expect_json(await ann.put(f"/conversations/{room}/members/{bob.id}"))
    assert "never delivered" not in (await bob.connect()).texts(room)


async def test_a_long_queue(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender = await ann.connect()
    await sender.say_many(room, [str(number) for number in range(1200)])
    socket = await bob.connect()
    assert socket.ready["queued"] == 1200
    assert [message["text"] for message in drained(socket)] == [str(number) for number in range(1200)]


async def test_requests_are_answered_while_a_long_queue_drains(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender = await ann.connect()
    await sender.say_many(room, ["x" * 1000] * 800)
    socket = await bob.connect(drained=False)
    ack = await socket.say(room, "while draining")
    assert ack["seq"] == 801
    await socket.expect("drained", within=20)
    assert [message["seq"] for message in drained(socket)] == list(range(1, 801))
