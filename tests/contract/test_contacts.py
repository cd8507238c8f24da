"""The contact list and the block list, and what a blocked person can find out: nothing (protocol.md)."""

from typing import Any

from tests.support.http import expect_json, expect_nothing, expect_problem
from tests.support.people import Chat, Person
from tests.support.shapes import CONTACT, check_fields, check_time, check_user

NO_SUCH_ID = "0123456789abcdef01234567"


async def contacts(person: Person, path: str = "/contacts") -> dict[str, dict[str, Any]]:
    page = expect_json(await person.get(path))
    assert page["next"] is None
    for contact in page["items"]:
        check_fields(contact, CONTACT)
        check_user(contact["user"])
        check_time(contact["created_at"])
    return {contact["user"]["id"]: contact for contact in page["items"]}


async def test_adding_naming_and_removing(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    contact = expect_json(await ann.put(f"/contacts/{bob.id}", nickname="Bobby"))
    check_fields(contact, CONTACT)
    assert contact["user"]["id"] == bob.id
    assert contact["nickname"] == "Bobby"
    await ann.add_contact(cat)
    assert (await contacts(ann)).keys() == {bob.id, cat.id}

    renamed = expect_json(await ann.put(f"/contacts/{bob.id}", nickname="Robert"))
    assert renamed["nickname"] == "Robert"
    assert (await contacts(ann))[bob.id]["nickname"] == "Robert"
    assert await contacts(bob) == {}, "a contact list belongs to one user"

    expect_nothing(await ann.delete(f"/contacts/{bob.id}"))
    assert (await contacts(ann)).keys() == {cat.id}


async def test_blocks_reach_the_other_devices_of_the_user_and_no_one_else(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    await ann.direct(bob)
    devices, other = [await ann.connect(), await ann.connect()], await bob.connect()
    await ann.block(bob)
    for device in devices:
        frame = await device.expect("block.updated")
        assert frame == {"type": "block.updated", "user": bob.user, "blocked": True}
    await ann.unblock(bob)
    for device in devices:
        assert await device.expect("block.updated") == {"type": "block.updated", "user": bob.user, "blocked": False}
    await other.nothing("block.updated")


async def test_contacts_that_cannot_be(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    expect_problem(await ann.put(f"/contacts/{NO_SUCH_ID}"), 404, "not_found")
    expect_problem(await ann.put("/contacts/no-id"), 404, "not_found")
    expect_problem(await ann.put(f"/contacts/{ann.id}"), 422, "validation")
    expect_problem(await ann.put(f"/contacts/{bob.id}", nickname=5), 422, "validation")
    expect_problem(await ann.put(f"/contacts/{NO_SUCH_ID}/block"), 404, "not_found")
    expect_problem(await ann.put(f"/contacts/{ann.id}/block"), 422, "validation")
    assert await contacts(ann) == {}


async def test_the_block_list(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    await ann.block(bob)
    await ann.block(bob)
    assert (await contacts(ann, "/contacts/blocked")).keys() == {bob.id}
    assert await contacts(bob, "/contacts/blocked") == {}
    assert bob.id not in await contacts(ann)
    await ann.unblock(bob)
    assert await contacts(ann, "/contacts/blocked") == {}


async def test_a_block_stops_both_and_does_not_show_who_set_it(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    ann_socket, bob_socket = await ann.connect(), await bob.connect()
    room = (await ann_socket.ask("message.send", client_message_id="1", to=bob.id, text="hi"))["conversation_id"]
    await bob_socket.expect_text("hi")
    await ann.block(bob)

    details: set[str] = set()
    for person, other, socket in ((ann, bob, ann_socket), (bob, ann, bob_socket)):
        by_room = await socket.refused(
            "cannot_message", "message.send", client_message_id="2", conversation_id=room, text="no"
        )
        by_name = await socket.refused("cannot_message", "message.send", client_message_id="3", to=other.id, text="no")
        response = await person.post(f"/conversations/{room}/messages", client_message_id="4", text="no")
        problem = expect_problem(response, 403, "cannot_message")
        details |= {by_room["detail"], by_name["detail"], problem["detail"]}
    assert len(details) == 1
    assert [message["text"] for message in await ann.history(room)] == ["hi"]

    await ann.unblock(bob)
    await bob_socket.say(room, "again")
    await ann_socket.expect_text("again")


async def test_a_blocked_person_cannot_begin_a_direct_conversation(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    ann_socket, bob_socket = await ann.connect(), await bob.connect()
    await ann.block(bob)
    await bob_socket.refused("cannot_message", "message.send", client_message_id="1", to=ann.id, text="hi")
    await ann_socket.nothing("conversation.joined", "message.new")
    assert await ann.conversations() == []


async def test_a_blocked_person_sees_what_a_stranger_sees(chat: Chat) -> None:
    ann, bob, stranger = await chat.people("ann", "bob", "stranger")
    await ann.block(bob)
    await ann.connect()
    for path in (f"/users/{ann.id}", f"/users/by-username/{ann.username}", f"/users?q={ann.username}"):
        seen, seen_by_stranger = await bob.get(path), await stranger.get(path)
        assert expect_json(seen) == expect_json(seen_by_stranger)
    bob_adds = expect_json(await bob.put(f"/contacts/{ann.id}"))
    stranger_adds = expect_json(await stranger.put(f"/contacts/{ann.id}"))
    assert bob_adds | {"created_at": None} == stranger_adds | {"created_at": None}


async def test_presence_is_offline_across_a_block(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    await ann.add_contact(bob)
    await bob.add_contact(ann)
    await ann.block(bob)
    ann_socket = await ann.connect()
    bob_socket = await bob.connect()
    for person, other in ((ann, bob), (bob, ann)):
        assert expect_json(await person.get(f"/users/{other.id}/presence"))["state"] == "offline"
    snapshot = await bob_socket.ask("presence.subscribe", user_ids=[ann.id])
    assert [item["state"] for item in snapshot["items"] if item["user_id"] == ann.id] in ([], ["offline"])
    await ann_socket.ask("presence.set", state="dnd")
    await bob_socket.nothing("presence")


async def test_a_blocked_person_is_not_added_to_groups(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    await ann.block(bob)
    for owner, other in ((ann, bob), (bob, ann)):
        room = await owner.group(cat)
        expect_problem(await owner.put(f"/conversations/{room}/members/{other.id}"), 403, "cannot_message")
        body = {"kind": "group", "name": "Together", "member_ids": [cat.id, other.id]}
        expect_problem(await owner.post("/conversations", **body), 403, "cannot_message")
        assert other.id not in await owner.members(room)


async def test_common_groups_go_on(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    await ann.block(bob)
    ann_socket, bob_socket = await ann.connect(), await bob.connect()
    await bob_socket.say(room, "from bob")
    await ann_socket.expect_text("from bob")
    await ann_socket.say(room, "from ann")
    await bob_socket.expect_text("from ann")
