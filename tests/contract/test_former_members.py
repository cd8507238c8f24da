"""Former members get nothing of a conversation after they left, not even their own messages."""

from typing import Any

import httpx
import pytest

from tests.support.http import expect_json, expect_nothing, expect_problem
from tests.support.people import Chat, Person, reaction_path

WAYS = ["left", "removed", "left and came back", "left a direct conversation", "deleted"]


async def part(ann: Person, bob: Person, room: str, way: str) -> None:
    """Take bob out of the conversation."""
    if way == "removed":
        expect_nothing(await ann.delete(f"/conversations/{room}/members/{bob.id}"))
    elif way == "deleted":
        expect_nothing(await ann.delete(f"/conversations/{room}"))
    else:
        expect_nothing(await bob.post(f"/conversations/{room}/leave"))
    if way == "left and came back":
        expect_json(await ann.put(f"/conversations/{room}/members/{bob.id}"))


@pytest.mark.parametrize("way", WAYS)
async def test_an_own_message_after_leaving(chat: Chat, way: str) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await (ann.direct(bob) if "direct" in way else ann.group(bob))
    await ann.say(room, "hello")
    first = await bob.say(room, "before", client_message_id="sent once")
    socket = await bob.connect()
    await part(ann, bob, room, way)
    if way != "deleted":
        await ann.react(first["id"], "🎉")
        await ann.say(room, "a thread", thread_root=first["id"])
        await ann.pin(first["id"])

    path = f"/messages/{first['id']}"
    for answer in (
        await bob.get(path),
        await bob.get(f"{path}/receipts"),
        await bob.get(f"{path}/edits"),
        await bob.patch(path, text="another text"),
        await bob.delete(path),
        await bob.put(reaction_path(first["id"], "👀")),
        await bob.delete(reaction_path(first["id"], "👀")),
        await bob.put(f"{path}/pin"),
        await bob.delete(f"{path}/pin"),
    ):
        expect_problem(answer, 404, "not_found")
    for type_, fields in (
        ("message.edit", {"text": "another text"}),
        ("message.delete", {}),
        ("reaction.add", {"emoji": "👀"}),
        ("reaction.remove", {"emoji": "👀"}),
    ):
        await socket.refused("not_found", type_, message_id=first["id"], **fields)

    again: dict[str, Any] = {"client_message_id": "sent once", "text": "before"}
    expect_problem(await bob.post(f"/conversations/{room}/messages", **again), 404, "not_found")
    if way != "deleted":
        ack = await socket.ask("message.send", conversation_id=room, **again)
        assert ack["type"] == "message.ack"
        assert (ack["message_id"], ack["seq"], ack["rev"], ack["duplicate"]) == (
            first["id"],
            first["seq"],
            first["rev"],
            True,
        ), "ids and what stood there at first, nothing later"


async def test_a_member_gets_the_first_one_in_its_present_state(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    first = await bob.say(room, "before", client_message_id="sent once")
    await ann.react(first["id"], "🎉")
    again = await bob.post(f"/conversations/{room}/messages", client_message_id="sent once", text="before")
    assert again.status_code == httpx.codes.OK
    assert again.json() == await bob.message(first["id"])
