"""Who may do what in a group: the table "Rights" of protocol.md."""

import pytest

from tests.support.http import expect_json, expect_nothing, expect_problem
from tests.support.people import Chat, Person


async def group_of_four(chat: Chat) -> tuple[Person, Person, Person, Person, str]:
    """Return an owner, an admin, two members, and their group."""
    owner, admin, member, other = await chat.people("owner", "admin", "member", "other")
    room = await owner.group(admin, member, other)
    expect_json(await owner.patch(f"/conversations/{room}/members/{admin.id}", role="admin"))
    return owner, admin, member, other, room


async def test_what_a_member_may_not(chat: Chat) -> None:
    owner, _, member, other, room = await group_of_four(chat)
    newcomer = await chat.person("newcomer")
    said = await owner.say(room, "said by the owner")
    base = f"/conversations/{room}"
    for response in (
        await member.patch(base, name="Mine"),
        await member.patch(base, description="Mine"),
        await member.put(f"{base}/members/{newcomer.id}"),
        await member.delete(f"{base}/members/{other.id}"),
        await member.delete(f"{base}/members/{owner.id}"),
        await member.patch(f"{base}/members/{member.id}", role="owner"),
        await member.patch(f"/messages/{said['id']}", text="changed"),
        await member.delete(f"/messages/{said['id']}"),
    ):
        expect_problem(response, 403, "forbidden")
    assert await owner.message(said["id"]) == said
    assert (await owner.conversation(room))["name"] == "A room"
    assert len(await owner.members(room)) == 4


async def test_what_an_admin_may(chat: Chat) -> None:
    _, admin, member, other, room = await group_of_four(chat)
    newcomer = await chat.person("newcomer")
    said = await member.say(room, "said by a member")
    base = f"/conversations/{room}"
    expect_json(await admin.patch(base, name="Renamed by an admin"))
    expect_json(await admin.put(f"{base}/members/{newcomer.id}"))
    expect_nothing(await admin.delete(f"{base}/members/{other.id}"))
    assert (await admin.erase(said["id"]))["deleted_at"]
    assert other.id not in await admin.members(room)


async def test_what_an_admin_may_not(chat: Chat) -> None:
    owner, admin, member, other, room = await group_of_four(chat)
    base = f"/conversations/{room}"
    said = await member.say(room, "said by a member")
    expect_json(await owner.patch(f"{base}/members/{other.id}", role="admin"))
    for response in (
        await admin.delete(f"{base}/members/{owner.id}"),
        await admin.delete(f"{base}/members/{other.id}"),
        await admin.patch(f"{base}/members/{member.id}", role="admin"),
        await admin.patch(f"{base}/members/{owner.id}", role="member"),
        await admin.put(f"{base}/members/{(await chat.person('x')).id}", role="owner"),
        await admin.patch(f"/messages/{said['id']}", text="words in another's mouth"),
    ):
        expect_problem(response, 403, "forbidden")
    assert len(await owner.members(room)) == 4


async def test_the_owner_changes_roles(chat: Chat) -> None:
    owner, member = await chat.people("owner", "member")
    room = await owner.group(member)
    socket = await member.connect()
    before = (await owner.conversation(room))["last_seq"]
    changed = expect_json(await owner.patch(f"/conversations/{room}/members/{member.id}", role="admin"))
    assert (changed["user"]["id"], changed["role"]) == (member.id, "admin")
    told = await socket.expect("member.updated", conversation_id=room)
    assert (told["member"]["user"]["id"], told["member"]["role"]) == (member.id, "admin")
    await socket.expect("message.new", message={"kind": "system", "conversation_id": room, "seq": before + 1})
    expect_problem(await owner.patch(f"/conversations/{room}/members/{member.id}", role="king"), 422, "validation")


async def test_an_owner_names_another_and_leaves(chat: Chat) -> None:
    owner, heir = await chat.people("owner", "heir")
    room = await owner.group(heir)
    expect_json(await owner.patch(f"/conversations/{room}/members/{heir.id}", role="owner"))
    expect_nothing(await owner.post(f"/conversations/{room}/leave"))
    assert (await heir.conversation(room))["me"]["role"] == "owner"


async def test_the_last_owner_stays_owner(chat: Chat) -> None:
    owner, member = await chat.people("owner", "member")
    room = await owner.group(member)
    path = f"/conversations/{room}/members/{owner.id}"
    expect_problem(await owner.patch(path, role="member"), 409, "conflict")
    expect_problem(await owner.delete(path), 409, "conflict")
    assert (await owner.conversation(room))["me"]["role"] == "owner"


@pytest.mark.parametrize("change", ["rename", "add", "remove"])
async def test_a_direct_conversation_stays_as_it_is(chat: Chat, change: str) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room = await ann.direct(bob)
    await ann.say(room, "hello")
    base = f"/conversations/{room}"
    if change == "rename":
        response = await ann.patch(base, name="Ours")
    elif change == "add":
        response = await ann.put(f"{base}/members/{cat.id}")
    else:
        response = await ann.delete(f"{base}/members/{bob.id}")
    expect_problem(response, 403, "forbidden")
    assert (await ann.conversation(room))["member_count"] == 2


async def test_in_a_direct_conversation_both_change_only_their_own_messages(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    said = await ann.say(room, "from ann")
    expect_problem(await bob.patch(f"/messages/{said['id']}", text="no"), 403, "forbidden")
    expect_problem(await bob.delete(f"/messages/{said['id']}"), 403, "forbidden")
    assert (await ann.edit(said["id"], "yes"))["text"] == "yes"


async def test_only_admins_write_if_post_is_admins(chat: Chat) -> None:
    owner, admin, member, _, room = await group_of_four(chat)
    base = f"/conversations/{room}"
    before = await member.say(room, "before")
    assert expect_json(await admin.patch(base, settings={"post": "admins"}))["settings"] == {"post": "admins"}
    for settings in ({}, {"colour": "red"}):
        assert expect_json(await admin.patch(base, settings=settings))["settings"] == {"post": "admins"}, "not named"
    expect_problem(await admin.patch(base, settings={"post": "nobody"}), 422, "validation")

    expect_problem(await member.post(f"{base}/messages", client_message_id="x", text="y"), 403, "forbidden")
    socket = await member.connect()
    await socket.refused("forbidden", "message.send", conversation_id=room, client_message_id="x", text="y")
    for writer in (owner, admin):
        await writer.say(room, "allowed")
    # What was sent before is answered as before, and what one wrote can still be taken back.
    again = await socket.ask(
        "message.send", conversation_id=room, client_message_id=before["client_message_id"], text="before"
    )
    assert (again["message_id"], again["duplicate"]) == (before["id"], True)
    assert (await member.erase(before["id"]))["deleted_at"]

    expect_json(await admin.patch(base, settings={"post": "members"}))
    await member.say(room, "allowed again")
