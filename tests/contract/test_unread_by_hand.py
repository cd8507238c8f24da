"""Marking messages as unread again: only the user's own devices get it, until the user reads on."""

import pytest

from tests.support.http import expect_json, expect_problem
from tests.support.people import Chat, Person
from tests.support.shapes import CONVERSATION_ME, check_conversation, check_conversation_patch


async def marked(person: Person, room: str) -> int | None:
    conversation = await person.conversation(room)
    check_conversation(conversation)
    mark: int | None = conversation["me"].get("unread_from")
    return mark


async def read_room(chat: Chat) -> tuple[Person, Person, str]:
    """Ann has read the three messages that Bob wrote to her."""
    ann, bob = await chat.people("ann", "bob")
    room = await bob.direct(ann)
    for text in ("one", "two", "three"):
        await bob.say(room, text)
    socket, peer = await ann.connect(), await bob.connect()
    await socket.tell("read", conversation_id=room, seq=3)
    await peer.expect("receipt", read_seq=3)
    return ann, bob, room


async def test_only_the_users_own_devices_get_it(chat: Chat) -> None:
    ann, bob, room = await read_room(chat)
    assert (await ann.conversation(room))["me"].keys() == CONVERSATION_ME
    phone, peer = await ann.connect(), await bob.connect()
    answer = expect_json(await ann.patch(f"/conversations/{room}/me", unread_from=2))
    assert answer["me"]["unread_from"] == 2
    assert (answer["me"]["read_seq"], answer["me"]["unread"]) == (3, 0)
    told = await phone.expect("conversation.updated")
    check_conversation_patch(told["conversation"])
    assert told["conversation"]["me"]["unread_from"] == 2
    await peer.nothing("conversation.updated", "receipt")
    assert await marked(ann, room) == 2
    assert await marked(bob, room) is None

    answer = expect_json(await ann.patch(f"/conversations/{room}/me", unread_from=None))
    assert answer["me"].keys() == CONVERSATION_ME


async def test_reading_on_ends_it_and_other_settings_do_not(chat: Chat) -> None:
    ann, bob, room = await read_room(chat)
    await ann.patch(f"/conversations/{room}/me", unread_from=1)
    await ann.patch(f"/conversations/{room}/me", pinned=True, draft="later")
    await bob.say(room, "four")
    assert await marked(ann, room) == 1
    socket, other_device = await ann.connect(), await ann.connect()
    await socket.tell("read", conversation_id=room, seq=3)
    assert await marked(ann, room) == 1
    await socket.tell("read", conversation_id=room, seq=4)
    await other_device.expect("receipt", read_seq=4)
    assert await marked(ann, room) is None
    await bob.say(room, "five")
    assert await marked(ann, room) is None


@pytest.mark.parametrize("seq", [0, -1, 2**53, "2", True, 1.5])
async def test_it_is_a_sequence_number(chat: Chat, seq: object) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    expect_problem(await ann.patch(f"/conversations/{room}/me", unread_from=seq), 422, "validation")
    assert await marked(ann, room) is None


async def test_only_members_mark_as_unread(chat: Chat) -> None:
    ann, bob, cleo = await chat.people("ann", "bob", "cleo")
    room = await ann.direct(bob)
    expect_problem(await cleo.patch(f"/conversations/{room}/me", unread_from=1), 404, "not_found")
