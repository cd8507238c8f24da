"""Who gets queue entries, and when: recipients who are away at once, the others if they do not confirm."""

import asyncio
from typing import Any

import pytest
from bson import ObjectId

from chat_mvp.delivery.sweep import PERIOD_S
from tests.contract.test_queue_entries import Database, database_of, entries
from tests.support.crowds import add_groups
from tests.support.http import expect_json
from tests.support.people import Chat, Person
from tests.support.waiting import eventually

SWEPT_WITHIN_S = 2 * PERIOD_S + 1.0


async def seqs(database: Database, person: Person, room: str) -> list[int]:
    waiting = await entries(database, person)
    return [entry["_id"]["seq"] for entry in waiting if str(entry["_id"]["conversation_id"]) == room]


async def test_no_entry_for_a_connected_recipient_who_confirms(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    socket = await bob.connect()
    with database_of(chat) as database:
        for number in range(3):
            message = await ann.say(room, f"live {number}")
            await socket.expect("message.new", message={"id": message["id"]})
            assert await seqs(database, bob, room) == []
            await socket.tell("delivered", conversation_id=room, seq=message["seq"])
        await asyncio.sleep(SWEPT_WITHIN_S)
        assert await seqs(database, bob, room) == []


async def test_entries_for_a_connected_recipient_who_does_not_confirm(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    socket = await bob.connect()
    with database_of(chat) as database:
        sent = [await ann.say(room, f"live {number}") for number in range(3)]
        assert await seqs(database, bob, room) == []
        await eventually(lambda: seqs(database, bob, room), lambda found: found == [1, 2, 3])
        waiting = await entries(database, bob)
        assert [str(entry["message_id"]) for entry in waiting] == [message["id"] for message in sent]
        assert {(entry["priority"], entry["attempts"]) for entry in waiting} == {(1, 0)}
        await socket.tell("delivered", conversation_id=room, seq=2)
        await eventually(lambda: seqs(database, bob, room), lambda found: found == [3])
        await ann.say(room, "one more")
        await eventually(lambda: seqs(database, bob, room), lambda found: found == [3, 4])
        await socket.tell("read", conversation_id=room, seq=4)
        await eventually(lambda: seqs(database, bob, room), lambda found: found == [])
    again = await bob.connect()
    assert (again.ready["queued"], again.texts(room)) == (0, [])


async def test_entries_for_one_whose_connection_ends(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    socket = await bob.connect()
    await ann.say(room, "live")
    await socket.expect("message.new")
    await socket.close()
    await ann.say(room, "away")
    with database_of(chat) as database:
        await eventually(lambda: seqs(database, bob, room), lambda found: found == [1, 2])
    again = await bob.connect()
    assert (again.ready["queued"], again.texts(room)) == (2, ["live", "away"])


async def test_a_connection_that_comes_and_goes_every_moment(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    for number in range(8):
        socket = await bob.connect()
        assert socket.texts(room) == [f"{earlier}" for earlier in range(number)]
        await ann.say(room, f"{number}")
        await socket.close()
    with database_of(chat) as database:
        await eventually(lambda: seqs(database, bob, room), lambda found: found == list(range(1, 9)))
    assert (await bob.connect()).ready["queued"] == 8


async def test_high_priority_has_its_entry_at_once(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    calm, urgent = await ann.direct(bob), await cat.direct(bob)
    socket = await bob.connect()
    await cat.say(urgent, "urgent", priority="high")
    with database_of(chat) as database:
        assert await seqs(database, bob, urgent) == [1]
    await socket.close()
    await ann.say(calm, "calm")
    assert [frame["message"]["text"] for frame in (await bob.connect()).all("message.new")] == ["urgent", "calm"]


@pytest.mark.parametrize("away", [True, False])
async def test_between_64_and_65_members(chat: Chat, away: bool) -> None:
    ann, bob, *others = await chat.people("ann", "bob", *[f"p{number}" for number in range(63)])
    room = await ann.group(bob, *others[:62])
    socket = None if away else await bob.connect()
    small = await ann.say(room, "sent to 64")
    expect_json(await ann.put(f"/conversations/{room}/members/{others[62].id}"))
    await ann.say(room, "sent to 65")
    if socket is not None:
        await socket.close()
    again = await bob.connect()
    queued = [frame["message"] for frame in again.all("message.new", queued=True)]
    assert small["id"] in [message["id"] for message in queued]
    assert "sent to 65" not in [message["text"] for message in queued]
    assert again.ready["queued"] == len(queued)


@pytest.mark.parametrize("seq", [10**6, 2**53 - 1])
async def test_confirming_far_above_the_end(chat: Chat, seq: int) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await ann.say(room, "first")
    socket = await bob.connect()
    await socket.tell("delivered", conversation_id=room, seq=seq)
    await eventually(lambda: bob.conversation(room), lambda it: it["me"]["delivered_seq"] == 1)
    await socket.close()
    await ann.say(room, "second")
    assert (await bob.connect()).texts(room) == ["second"]


async def test_confirming_in_reverse(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    for number in range(10):
        await ann.say(room, f"{number}")
    socket = await bob.connect()
    for seq in range(10, 0, -1):
        await socket.tell("delivered", conversation_id=room, seq=seq)
    await eventually(lambda: bob.conversation(room), lambda it: it["me"]["delivered_seq"] == 10)
    with database_of(chat) as database:
        assert await seqs(database, bob, room) == []


async def test_confirming_what_one_has_left(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    await ann.say(room, "before")
    socket = await bob.connect()
    # The first is passed on at once, the second one 100 ms later.
    await socket.tell("delivered", conversation_id=room, seq=1)
    await bob.post(f"/conversations/{room}/leave")
    await socket.send("delivered", ref="late", conversation_id=room, seq=2)
    error = await socket.expect("error", ref="late")
    assert error["code"] == "not_found"


async def test_many_confirmations_are_one(chat: Chat) -> None:
    """Ninety marks of one device within a moment: the others hear of the last, and no error comes back."""
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender = await ann.connect()
    await sender.say_many(room, [f"{number}" for number in range(90)])
    socket = await bob.connect()
    for seq in range(1, 91):
        await socket.tell("delivered", conversation_id=room, seq=seq)
    await sender.expect("receipt", delivered_seq=90)
    assert len(sender.all("receipt", user_id=bob.id)) < 10
    assert socket.all("error") == []


async def test_five_thousand_conversations_that_owe_one_message_each(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    rooms = await add_groups(chat.server, ann.id, bob.id, 5_000, unread=1, small=True)
    socket = await bob.connect()
    assert socket.ready["queued"] == 5_000
    received: list[dict[str, Any]] = [frame["message"] for frame in socket.all("message.new", queued=True)]
    assert [message["conversation_id"] for message in received] == rooms[::-1], "the longest inactivity first"
    with database_of(chat) as database:
        assert await database["message_queue"].count_documents({"_id.recipient_id": ObjectId(bob.id)}) == 0
