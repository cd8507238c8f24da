"""What was delivered and what was read: marks, receipts and unread counts (protocol.md section 2)."""

import asyncio
from typing import Any

from tests.conftest import Launch
from tests.support.http import expect_json, expect_nothing, expect_problem
from tests.support.people import Chat, Person
from tests.support.shapes import check_fields, check_time
from tests.support.waiting import eventually

RECEIPT = {"type", "conversation_id", "user_id", "delivered_seq", "read_seq"}


async def marks(person: Person, room: str) -> tuple[int, int, int]:
    me = (await person.conversation(room))["me"]
    return me["delivered_seq"], me["read_seq"], me["unread"]


def receipt(person: Person, room: str, delivered_seq: int, read_seq: int) -> dict[str, Any]:
    return {
        "conversation_id": room,
        "user_id": person.id,
        "delivered_seq": delivered_seq,
        "read_seq": read_seq,
    }


async def test_delivered_then_read(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender, receiver = await ann.connect(), await bob.connect()
    for text in ("one", "two", "three"):
        await sender.say(room, text)
    assert await marks(bob, room) == (0, 0, 3)
    assert await marks(ann, room) == (0, 0, 0), "sending moves no mark"

    await receiver.tell("delivered", conversation_id=room, seq=2)
    told = await sender.expect("receipt")
    check_fields(told, RECEIPT)
    assert told == {"type": "receipt", **receipt(bob, room, 2, 0)}
    assert await marks(bob, room) == (2, 0, 3)

    await receiver.tell("read", conversation_id=room, seq=3)
    await sender.expect("receipt", **receipt(bob, room, 3, 3))
    assert await marks(bob, room) == (3, 3, 0)
    conversation = await ann.conversation(room)
    assert (conversation["others_delivered_seq"], conversation["others_read_seq"]) == (3, 3)
    member = (await ann.members(room))[bob.id]
    assert (member["delivered_seq"], member["read_seq"]) == (3, 3)
    await receiver.nothing("receipt")


async def test_marks_only_grow_and_end_at_the_last_message(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender, receiver = await ann.connect(), await bob.connect()
    for text in ("one", "two"):
        await sender.say(room, text)
    await receiver.tell("read", conversation_id=room, seq=1_000_000)
    await sender.expect("receipt", **receipt(bob, room, 2, 2))
    for type_, seq in (("read", 1), ("delivered", 0), ("delivered", 2)):
        await receiver.tell(type_, conversation_id=room, seq=seq)
    await sender.say(room, "three")
    assert await marks(bob, room) == (2, 2, 1)
    await sender.nothing("receipt")


async def test_a_receipt_goes_to_the_own_other_connections(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await ann.say(room, "hello")
    phone, tablet = await bob.connect(), await bob.connect()
    await phone.tell("read", conversation_id=room, seq=1)
    await tablet.expect("receipt", **receipt(bob, room, 1, 1))
    await phone.nothing("receipt")


async def test_two_devices_hear_of_what_each_of_them_confirms(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    for number in range(6):
        await ann.say(room, f"message {number}")
    sender, phone, tablet = await ann.connect(), await bob.connect(), await bob.connect()
    # Within the time in which receipts are merged to one.
    await phone.send("delivered", conversation_id=room, seq=1)
    await phone.tell("read", conversation_id=room, seq=4)
    await tablet.tell("delivered", conversation_id=room, seq=6)
    for socket in (sender, tablet):
        await socket.expect("receipt", user_id=bob.id, read_seq=4)
    await phone.expect("receipt", user_id=bob.id, delivered_seq=6)


async def test_leaving_a_direct_conversation_is_not_reading(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    read, unread = await ann.say(room, "read"), await ann.say(room, "never seen")
    sender, phone = await ann.connect(), await bob.connect()
    await phone.tell("read", conversation_id=room, seq=read["seq"])
    await sender.expect("receipt", read_seq=read["seq"])
    expect_nothing(await bob.post(f"/conversations/{room}/leave"))
    assert (await bob.connect()).ready["queued"] == 0
    await sender.nothing("receipt")

    async def seen_by_ann() -> tuple[Any, ...]:
        conversation = await ann.conversation(room)
        states = [(await receipts_of(ann, message["id"]))[bob.id][0] for message in (read, unread)]
        return (conversation["others_delivered_seq"], conversation["others_read_seq"], *states)

    assert await seen_by_ann() == (1, 1, "read", "queued")
    again = await ann.say(room, "come back")
    socket = await bob.connect(known={})
    assert socket.texts(room) == ["come back"]
    assert (socket.ready["queued"], socket.ready["conversations"][0]["unread"]) == (1, 1)
    assert await seen_by_ann() == (1, 1, "read", "queued")
    await socket.tell("delivered", conversation_id=room, seq=again["seq"])
    await eventually(lambda: bob.conversation(room), lambda found: found["me"]["delivered_seq"] == again["seq"])
    assert (await bob.connect()).ready["queued"] == 0


async def test_receipts_in_a_group_go_to_all_others(chat: Chat) -> None:
    ann, bob, cat, stranger = await chat.people("ann", "bob", "cat", "stranger")
    room = await ann.group(bob, cat)
    seq = (await ann.say(room, "hello"))["seq"]
    sockets = {person: await person.connect() for person in (ann, bob, cat, stranger)}
    await sockets[bob].tell("read", conversation_id=room, seq=seq)
    for person in (ann, cat):
        await sockets[person].expect("receipt", **receipt(bob, room, seq, seq))
    conversation = await ann.conversation(room)
    assert conversation["others_read_seq"] < seq, "cat has not read it: the lowest mark counts"
    await sockets[cat].tell("delivered", conversation_id=room, seq=seq)
    await sockets[ann].expect("receipt", user_id=cat.id, delivered_seq=seq)
    conversation = await ann.conversation(room)
    assert conversation["others_delivered_seq"] == seq
    assert conversation["others_read_seq"] < seq
    await sockets[stranger].nothing("receipt")


async def test_unread_counts_what_a_person_would_count(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)

    async def unread() -> int:
        counts = {(await bob.conversation(room))["me"]["unread"], (await bob.conversations())[0]["me"]["unread"]}
        socket = await bob.connect(known={room: (await bob.conversation(room))["rev"]})
        counts |= {entry["unread"] for entry in socket.ready["conversations"]}
        await socket.close()
        (count,) = counts
        return int(count)

    assert await unread() == 0, "system messages are not unread"
    first = await ann.say(room, "one")
    second = await ann.say(room, "two")
    await bob.say(room, "my own")
    assert await unread() == 2
    await ann.erase(first["id"])
    assert await unread() == 1
    await ann.edit(second["id"], "two, edited")
    assert await unread() == 1
    expect_json(await ann.patch(f"/conversations/{room}", name="Renamed"))
    assert await unread() == 1

    socket = await bob.connect()
    await socket.tell("read", conversation_id=room, seq=second["seq"])

    async def after_reading() -> bool:
        return (await bob.conversation(room))["me"]["unread"] == 0

    await eventually(after_reading)
    assert await unread() == 0


async def test_a_new_members_marks_begin_at_the_end(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group()
    for text in ("one", "two"):
        await ann.say(room, text)
    before = (await ann.conversation(room))["last_seq"]
    expect_json(await ann.put(f"/conversations/{room}/members/{bob.id}"))
    me = (await bob.conversation(room))["me"]
    after = (await ann.conversation(room))["last_seq"]
    # The system message that tells of the joining may stand on either side of the marks.
    assert me["joined_seq"] in {before, after}
    assert (me["delivered_seq"], me["read_seq"], me["unread"]) == (me["joined_seq"], me["joined_seq"], 0)


async def receipts_of(person: Person, message_id: str) -> dict[str, tuple[str, str | None]]:
    """Return how far a message has come with each of the others, and since when."""
    answer = expect_json(await person.get(f"/messages/{message_id}/receipts"))
    for item in answer["items"]:
        check_fields(item, {"user_id", "state", "at"})
        assert (item["at"] is None) == (item["state"] == "queued")
        if item["at"] is not None:
            check_time(item["at"])
    return {item["user_id"]: (item["state"], item["at"]) for item in answer["items"]}


async def test_the_receipts_of_a_message(launch: Launch) -> None:
    chat = await launch()
    ann, bob, cat, late = await chat.people("ann", "bob", "cat", "late")
    room = await ann.group(bob, cat)
    first, second = [await ann.say(room, text) for text in ("one", "two")]
    assert await receipts_of(ann, first["id"]) == {bob.id: ("queued", None), cat.id: ("queued", None)}

    socket = await bob.connect()
    await socket.tell("delivered", conversation_id=room, seq=first["seq"])
    await eventually(lambda: receipts_of(ann, first["id"]), lambda found: found[bob.id][0] == "delivered")
    state, at = (await receipts_of(cat, first["id"]))[bob.id]
    assert state == "delivered"
    assert str(at) >= second["created_at"]
    assert (await receipts_of(ann, second["id"]))[bob.id] == ("queued", None)

    await asyncio.sleep(0.01)
    await socket.tell("read", conversation_id=room, seq=first["seq"])
    await eventually(lambda: receipts_of(ann, first["id"]), lambda found: found[bob.id][0] == "read")
    read_at = str((await receipts_of(ann, first["id"]))[bob.id][1])
    assert read_at > str(at), "when it was read, not when it was delivered"

    await asyncio.sleep(0.01)
    await socket.tell("read", conversation_id=room, seq=second["seq"])
    await eventually(lambda: receipts_of(ann, second["id"]), lambda found: found[bob.id][0] == "read")
    after = await receipts_of(ann, second["id"])
    assert str(after[bob.id][1]) > read_at
    assert await receipts_of(ann, first["id"]) == after, "of an older message, the latest that it can have been"

    expect_json(await ann.put(f"/conversations/{room}/members/{late.id}"))
    assert late.id not in await receipts_of(ann, second["id"]), "who came later is not waited for"
    await chat.server.crash_and_restart()
    assert await receipts_of(ann, second["id"]) == after


async def test_receipts_are_for_members(chat: Chat) -> None:
    ann, bob, stranger = await chat.people("ann", "bob", "stranger")
    message = await ann.say(await ann.direct(bob), "hello")
    for message_id in (message["id"], "0123456789abcdef01234567", "no-id"):
        expect_problem(await stranger.get(f"/messages/{message_id}/receipts"), 404, "not_found")
