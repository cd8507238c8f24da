"""Pinning messages for everyone in a conversation (protocol.md: rights, who gets what, limits)."""

import asyncio
from typing import Any

import pytest

from tests.conftest import Launch
from tests.support.http import API, expect_json, expect_problem
from tests.support.people import Chat, Person
from tests.support.shapes import check_message

NO_SUCH_ID = "0123456789abcdef01234567"
MAX_PINNED = 100


async def pinned(person: Person, room: str) -> list[str]:
    """Return the ids of the pinned messages of a conversation, oldest first."""
    found = [message for message in await person.history(room) if message["pinned"]]
    listed = expect_json(await person.get(f"/conversations/{room}/pins"))
    assert listed == {"items": found[::-1], "next": None}
    return [message["id"] for message in found]


async def test_pinning_and_unpinning(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    message = await ann.say(room, "remember this")
    one = await bob.pin(message["id"])
    check_message(one)
    assert one == message | {"pinned": True, "rev": message["rev"] + 1}
    assert await ann.message(message["id"]) == one
    assert await ann.page(room) == [one]
    assert await ann.pin(message["id"]) == one, "pinned already: nothing changes"
    two = await ann.unpin(message["id"])
    assert two == message | {"rev": one["rev"] + 1}
    assert await bob.unpin(message["id"]) == two, "not pinned: nothing changes"
    assert (await bob.conversation(room))["rev"] == two["rev"]
    assert expect_json(await bob.get(f"/messages/{message['id']}/edits"))["items"] == [], "a pin is no edit"


async def test_every_connection_gets_the_change(chat: Chat) -> None:
    ann, bob, stranger = await chat.people("ann", "bob", "stranger")
    room = await ann.group(bob)
    message = await bob.say(room, "news")
    sockets = [await ann.connect(), await ann.connect(), await bob.connect()]
    outside = await stranger.connect()
    states = [await ann.pin(message["id"])]
    await ann.pin(message["id"])
    states.append(await ann.unpin(message["id"]))
    await ann.unpin(message["id"])
    states.append(await ann.pin(message["id"]))
    for socket in sockets:
        for state in states:
            assert await socket.expect("message.pinned") == {"type": "message.pinned", "message": state}
        await socket.nothing("message.pinned", within=0.05)
    await outside.nothing("message.pinned", within=0)


async def test_a_pin_is_kept_by_what_changes_afterwards(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    message = await ann.say(room, "one")
    await bob.pin(message["id"])
    assert (await ann.edit(message["id"], "two"))["pinned"] is True
    assert (await bob.react(message["id"], "🎉"))["pinned"] is True
    known = (await bob.conversation(room))["rev"]
    unpinned = await ann.unpin(message["id"])
    assert (unpinned["text"], unpinned["pinned"], len(unpinned["reactions"])) == ("two", False, 1)
    socket = await bob.connect(known={room: known})
    assert socket.messages("message.changed") == [unpinned]


async def test_what_was_deleted_is_not_pinned(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    message = await ann.say(room, "regretted")
    await bob.pin(message["id"])
    deleted = await ann.erase(message["id"])
    assert deleted["pinned"] is False
    path = f"/messages/{message['id']}/pin"
    expect_problem(await ann.put(path), 409, "conflict")
    expect_problem(await ann.delete(path), 409, "conflict")
    assert await bob.message(message["id"]) == deleted


@pytest.mark.parametrize("kind", ["group", "channel"])
async def test_in_groups_admins_and_owners_pin(chat: Chat, kind: str) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room = expect_json(await ann.post("/conversations", kind=kind, name="all", member_ids=[bob.id, cat.id]), 201)["id"]
    expect_json(await ann.patch(f"/conversations/{room}/members/{bob.id}", role="admin"))
    message = await ann.say(room, "rules")
    path = f"/messages/{message['id']}/pin"
    expect_problem(await cat.put(path), 403, "forbidden")
    assert (await bob.pin(message["id"]))["pinned"] is True
    expect_problem(await cat.delete(path), 403, "forbidden")
    assert (await ann.unpin(message["id"]))["pinned"] is False
    own = await cat.say(room, "mine")
    expect_problem(await cat.put(f"/messages/{own['id']}/pin"), 403, "forbidden")
    assert await pinned(cat, room) == []


async def test_a_block_ends_pinning_and_not_unpinning(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    one, two = await ann.say(room, "one"), await ann.say(room, "two")
    await bob.pin(one["id"])
    await ann.block(bob)
    for person in (ann, bob):
        expect_problem(await person.put(f"/messages/{two['id']}/pin"), 403, "cannot_message")
    await bob.unpin(one["id"])
    assert await pinned(ann, room) == []


async def test_outsiders_find_nothing_to_pin(chat: Chat) -> None:
    ann, bob, stranger = await chat.people("ann", "bob", "stranger")
    room = await ann.group()
    before = await ann.say(room, "before bob")
    expect_json(await ann.put(f"/conversations/{room}/members/{bob.id}", role="admin"))
    for person, message_id in ((stranger, before["id"]), (bob, before["id"]), (ann, NO_SUCH_ID), (ann, "no-id")):
        for method in ("PUT", "DELETE"):
            expect_problem(await person.request(method, f"/messages/{message_id}/pin"), 404, "not_found")
    expect_problem(await chat.http.put(f"{API}/messages/{before['id']}/pin"), 401, "unauthenticated")
    assert await ann.message(before["id"]) == before


async def fill(person: Person, room: str) -> list[dict[str, Any]]:
    """Send more messages than may be pinned and pin as many as may."""
    socket = await person.connect()
    await socket.say_many(room, [str(number) for number in range(MAX_PINNED + 2)])
    messages = [message for message in await person.history(room) if message["kind"] == "text"]
    await asyncio.gather(*(person.pin(message["id"]) for message in messages[:MAX_PINNED]))
    return messages


async def test_at_most_a_hundred(launch: Launch) -> None:
    chat = await launch()
    ann, bob = await chat.people("ann", "bob")
    room, other = await ann.direct(bob), await ann.group(bob)
    messages = await fill(ann, room)
    above, last = messages[MAX_PINNED:]
    expect_problem(await bob.put(f"/messages/{above['id']}/pin"), 409, "conflict")
    assert (await ann.pin(messages[0]["id"]))["pinned"] is True, "pinned already"
    await ann.pin((await ann.say(other, "another conversation"))["id"])

    await chat.server.crash_and_restart()
    expect_problem(await bob.put(f"/messages/{above['id']}/pin"), 409, "conflict")
    await bob.unpin(messages[0]["id"])
    await bob.pin(above["id"])
    expect_problem(await bob.put(f"/messages/{last['id']}/pin"), 409, "conflict")
    await ann.erase(messages[1]["id"])
    await ann.erase(last["id"])
    await ann.pin(messages[0]["id"])
    assert len(await pinned(bob, room)) == MAX_PINNED


async def test_the_hundred_and_first_of_many_at_once_is_refused(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    messages = await fill(ann, room)
    await ann.unpin(messages[0]["id"])
    wanted = [messages[0], *messages[MAX_PINNED:]]
    answers = await asyncio.gather(*(bob.put(f"/messages/{message['id']}/pin") for message in wanted))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert len(await pinned(ann, room)) == MAX_PINNED
