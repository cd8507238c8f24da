"""What two users with a block between them still get of each other: messages in common groups, and nothing else."""

import asyncio
from typing import Any

import pytest

from tests.support.events import stored_events
from tests.support.http import expect_json, expect_nothing
from tests.support.people import Chat, Person
from tests.support.socket import Socket

QUIET_S = 0.6
"""Longer than receipts are gathered for."""


async def known_marks(viewer: Person, other: Person, room: str) -> dict[str, Any]:
    """Return everything that one person can read over HTTP and in ``ready`` of how far the other has read."""
    conversation = await viewer.conversation(room)
    (listed,) = [it for it in await viewer.conversations() if it["id"] == room]
    socket = await viewer.connect()
    assert socket.ready is not None
    (standing,) = [it for it in socket.ready["conversations"] if it["id"] == room]
    await socket.close()
    member = (await viewer.members(room))[other.id]
    receipts: dict[str, Any] = {}
    for message in await viewer.history(room):
        items = expect_json(await viewer.get(f"/messages/{message['id']}/receipts"))["items"]
        receipts[message["id"]] = [it for it in items if it["user_id"] == other.id]
    marks = ("others_delivered_seq", "others_read_seq")
    return {
        "conversation": [conversation[name] for name in marks],
        "list": [listed[name] for name in marks],
        "ready": [standing[name] for name in marks],
        "member": (member["delivered_seq"], member["read_seq"]),
        "receipts": receipts,
    }


async def leave_traces(person: Person, socket: Socket, room: str, *, seq: int, direct: bool) -> None:
    """Do everything that shows that a user is online and how far they have read."""
    await socket.tell("delivered", conversation_id=room, seq=seq)
    await socket.tell("read", conversation_id=room, seq=seq)
    if not direct:
        await socket.tell("typing", conversation_id=room, state="start")
        await socket.tell("typing", conversation_id=room, state="stop")
    for state, text in (("away", "out"), ("online", "back")):
        await socket.ask("presence.set", state=state, status_text=text)
    expect_json(await person.patch("/users/me", status_text="another"))


@pytest.mark.parametrize("blocker", ["reader", "viewer"])
async def test_nothing_passes_a_block_in_a_direct_conversation(chat: Chat, blocker: str) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    for text in ("one", "two"):
        await ann.say(room, text)
    watcher, reader = await ann.connect(), await bob.connect()
    tablet = await bob.connect()
    await reader.tell("read", conversation_id=room, seq=1)
    await watcher.expect("receipt")
    await watcher.expect("presence", state="online")
    await (bob.block(ann) if blocker == "reader" else ann.block(bob))
    await watcher.expect("presence", state="offline")
    before = await known_marks(ann, bob, room)
    assert before["conversation"] == [1, 1], "what was known stays known"
    await leave_traces(bob, reader, room, seq=2, direct=True)
    await asyncio.sleep(QUIET_S)
    for type_ in ("receipt", "typing", "presence"):
        await watcher.nothing(type_, within=0)
    assert await known_marks(ann, bob, room) == before
    presence = expect_json(await ann.get(f"/users/{bob.id}/presence"))
    assert (presence["state"], presence["last_seen"], presence["status_text"]) == ("offline", None, "")
    assert tablet.all("receipt", user_id=bob.id)[-1]["read_seq"] == 2, "their own devices are told"
    assert (await bob.conversation(room))["me"]["read_seq"] == 2

    await (bob.unblock(ann) if blocker == "reader" else ann.unblock(bob))
    await watcher.expect("receipt", user_id=bob.id, read_seq=2)
    assert (await known_marks(ann, bob, room))["conversation"] == [2, 2]


@pytest.mark.parametrize("blocker", ["reader", "viewer"])
async def test_messages_and_nothing_else_pass_a_block_in_a_group(chat: Chat, blocker: str) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room = await cat.group(ann, bob)
    seq = (await ann.say(room, "one"))["seq"]
    watcher, reader, bystander = await ann.connect(), await bob.connect(), await cat.connect()
    await (bob.block(ann) if blocker == "reader" else ann.block(bob))
    before = await known_marks(ann, bob, room)
    await leave_traces(bob, reader, room, seq=seq, direct=False)
    await bystander.expect("receipt", user_id=bob.id, read_seq=seq)
    await bystander.expect("typing", user_id=bob.id, state="stop")
    await asyncio.sleep(QUIET_S)
    for type_ in ("receipt", "typing", "presence"):
        await watcher.nothing(type_, within=0)
    assert await known_marks(ann, bob, room) == before
    assert (await known_marks(cat, bob, room))["member"] == (seq, seq)

    expect_json(await cat.patch(f"/conversations/{room}/members/{bob.id}", role="admin"))
    told = await watcher.expect("member.updated")
    assert (told["member"]["user"]["id"], told["member"]["read_seq"]) == (bob.id, before["member"][1])
    told = await bystander.expect("member.updated")
    assert told["member"]["read_seq"] == seq
    await bob.say(room, "still here")
    await watcher.expect_text("still here")

    await bystander.tell("read", conversation_id=room, seq=seq)
    await watcher.expect("receipt", user_id=cat.id)
    assert (await known_marks(ann, bob, room))["conversation"] == [seq, seq], "only those who are known count"
    await (bob.unblock(ann) if blocker == "reader" else ann.unblock(bob))
    assert (await known_marks(ann, bob, room))["member"] == (seq, seq)


async def test_a_status_does_not_tell_of_someone_behind_a_block(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    sender, _ = await ann.connect(), await bob.connect()
    assert (await sender.say(room, "hello"))["status"] == "sent"
    await bob.block(ann)
    assert (await sender.say(room, "is anyone there?"))["status"] == "queued"
    await bob.unblock(ann)
    assert (await sender.say(room, "hello again"))["status"] == "sent"


async def test_a_newcomer_learns_nothing_across_a_block(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room = await bob.group(cat)
    seq = (await bob.say(room, "one"))["seq"]
    expect_json(await bob.patch(f"/conversations/{room}/members/{cat.id}", role="admin"))
    waiting, reader, inviter = await ann.connect(), await cat.connect(), await bob.connect()
    await inviter.tell("read", conversation_id=room, seq=1)
    await reader.tell("read", conversation_id=room, seq=seq)
    await inviter.expect("receipt", user_id=cat.id)
    await bob.block(ann)
    expect_json(await cat.put(f"/conversations/{room}/members/{ann.id}"))
    joined = await waiting.expect("conversation.joined")
    assert joined["conversation"]["others_read_seq"] == seq, "of cat alone, not the lower one of bob"


async def test_a_block_while_receipts_are_gathered(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    for number in range(1, 8):
        await ann.say(room, f"message {number}")
    watcher, reader = await ann.connect(), await bob.connect()
    for seq in (2, 4, 6):
        await reader.tell("read", conversation_id=room, seq=seq)
        await watcher.expect("receipt", user_id=bob.id)
        # Gathered behind the one that went at once, and not on its way yet.
        await reader.tell("read", conversation_id=room, seq=seq + 1)
        await reader.ask("ping")
        await bob.block(ann)
        await watcher.nothing("receipt", within=QUIET_S)
        await bob.unblock(ann)


async def test_no_receipt_follows_the_removal(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    for _ in range(8):
        room = await ann.group(bob, cat)
        for number in range(1, 6):
            await ann.say(room, f"message {number}")
        removed, reader = await cat.connect(), await bob.connect()
        for seq in range(1, 6):
            await reader.tell("read", conversation_id=room, seq=seq)
        await removed.expect("receipt")
        expect_nothing(await ann.delete(f"/conversations/{room}/members/{cat.id}"))
        await removed.expect("conversation.left")
        await asyncio.sleep(QUIET_S / 2)
        about = [frame["type"] for frame in removed.frames if room in str(frame)]
        assert about[-1] == "conversation.left"
        await removed.close()
        await reader.close()


async def test_typing_ends_for_a_user_who_is_blocked(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    watcher, typist = await ann.connect(), await bob.connect()
    await typist.tell("typing", conversation_id=room, state="start")
    await watcher.expect("typing", state="start")
    await bob.block(ann)
    await watcher.expect("typing", state="stop")
    await typist.tell("typing", conversation_id=room, state="start")
    await typist.ask("ping")
    await watcher.nothing("typing", within=0.3)


async def test_each_change_of_a_block_is_one_event(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    for _ in range(2):
        await ann.block(bob)
    await bob.block(ann)
    for _ in range(2):
        await ann.unblock(bob)
    pairs = [(ann, bob, True), (bob, ann, True), (ann, bob, False)]
    stored = [it for it in await stored_events(chat.server, "block.changed") if ann.id in it[0].values()]
    assert stored == [
        [{"type": "block.changed", "owner_id": owner.id, "other_id": other.id, "blocked": blocked}]
        for owner, other, blocked in pairs
    ]
