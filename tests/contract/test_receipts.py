"""What was delivered and what was read: marks, receipts and unread counts (protocol.md section 2)."""

from typing import Any

from tests.support.http import expect_json
from tests.support.people import Chat, Person
from tests.support.shapes import check_fields
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
