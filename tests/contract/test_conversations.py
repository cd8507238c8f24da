"""Direct conversations and groups over HTTP, and the frames they cause (protocol.md sections 1 and 2)."""

import asyncio
from typing import Any

import pytest

from tests.support.http import API, expect_json, expect_nothing, expect_problem
from tests.support.people import Chat
from tests.support.shapes import (
    MEMBER,
    check_conversation,
    check_conversation_patch,
    check_fields,
    check_time,
    check_user,
)

NO_SUCH_ID = "0123456789abcdef01234567"


async def test_a_direct_conversation_is_made_once(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    made = expect_json(await ann.post("/conversations", kind="direct", user_id=bob.id), 201)
    check_conversation(made)
    check_user(made["peer"])
    assert made["peer"]["id"] == bob.id
    assert (made["kind"], made["last_seq"], made["member_count"]) == ("direct", 0, 2)
    assert made["last_message"] is None
    found = expect_json(await ann.post("/conversations", kind="direct", user_id=bob.id))
    assert found == made
    found_by_bob = expect_json(await bob.post("/conversations", kind="direct", user_id=ann.id))
    assert found_by_bob["id"] == made["id"]
    assert found_by_bob["peer"]["id"] == ann.id


async def test_both_make_the_direct_conversation_at_once(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    responses = await asyncio.gather(
        *(ann.post("/conversations", kind="direct", user_id=bob.id) for _ in range(3)),
        *(bob.post("/conversations", kind="direct", user_id=ann.id) for _ in range(3)),
    )
    assert len({response.json()["id"] for response in responses}) == 1
    assert sorted(response.status_code for response in responses) == [200] * 5 + [201]


async def test_the_peer_does_not_see_an_empty_direct_conversation(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    ann_socket, bob_socket = await ann.connect(), await bob.connect()
    room = await ann.direct(bob)
    joined = await ann_socket.expect("conversation.joined")
    check_conversation(joined["conversation"])
    assert joined["conversation"]["id"] == room
    await bob_socket.nothing("conversation.joined")
    assert await bob.conversations() == []

    await ann.say(room, "first")
    joined = await bob_socket.expect("conversation.joined")
    assert joined["conversation"]["id"] == room
    assert joined["conversation"]["peer"]["id"] == ann.id
    await bob_socket.expect_text("first")
    types = [frame["type"] for frame in bob_socket.frames]
    assert types.index("conversation.joined") < types.index("message.new")
    assert [conversation["id"] for conversation in await bob.conversations()] == [room]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"kind": "direct"}, 422, "validation"),
        ({"kind": "direct", "user_id": NO_SUCH_ID}, 404, "not_found"),
        ({"kind": "direct", "user_id": 5}, 422, "validation"),
        ({"kind": "party", "name": "x"}, 422, "validation"),
        ({"name": "x"}, 422, "validation"),
        ({"kind": "group"}, 422, "validation"),
        ({"kind": "group", "name": ""}, 422, "validation"),
        ({"kind": "group", "name": "n" * 101}, 422, "validation"),
        ({"kind": "group", "name": 5}, 422, "validation"),
        ({"kind": "group", "name": "x", "description": "d" * 1001}, 422, "validation"),
        ({"kind": "group", "name": "x", "member_ids": "all"}, 422, "validation"),
        ({"kind": "group", "name": "x", "member_ids": [NO_SUCH_ID]}, 404, "not_found"),
    ],
    ids=str,
)
async def test_conversations_that_cannot_be(chat: Chat, body: dict[str, Any], status: int, code: str) -> None:
    ann = await chat.person("ann")
    expect_problem(await ann.post("/conversations", **body), status, code)
    assert await ann.conversations() == []


async def test_a_direct_conversation_with_oneself_is_refused(chat: Chat) -> None:
    ann = await chat.person("ann")
    expect_problem(await ann.post("/conversations", kind="direct", user_id=ann.id), 422, "validation")


async def test_making_a_group(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    ann_socket, bob_socket = await ann.connect(), await bob.connect()
    body = {"kind": "group", "name": "Räum 🎉", "description": "d" * 1000, "member_ids": [bob.id, cat.id]}
    group = expect_json(await ann.post("/conversations", **body), 201)
    check_conversation(group)
    assert (group["kind"], group["name"], group["description"]) == ("group", body["name"], body["description"])
    assert (group["visibility"], group["member_count"], group["created_by"]) == ("private", 3, ann.id)
    assert group["me"]["role"] == "owner"

    for socket in (ann_socket, bob_socket):
        joined = await socket.expect("conversation.joined")
        check_conversation(joined["conversation"])
        assert joined["conversation"]["id"] == group["id"]
    seen_by_cat = await cat.conversation(group["id"])
    check_conversation(seen_by_cat)
    assert seen_by_cat["me"]["role"] == "member"
    assert seen_by_cat["me"]["unread"] == 0, "system messages are not unread"

    members = await ann.members(group["id"])
    assert {user_id: member["role"] for user_id, member in members.items()} == {
        ann.id: "owner",
        bob.id: "member",
        cat.id: "member",
    }
    for member in members.values():
        check_fields(member, MEMBER)
        check_user(member["user"])
        check_time(member["joined_at"])


async def test_system_messages_tell_the_story_of_a_group(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group()
    made = await ann.history(room)
    expect_json(await ann.put(f"/conversations/{room}/members/{bob.id}"))
    joined = await ann.history(room)
    expect_json(await ann.patch(f"/conversations/{room}", name="Another name"))
    renamed = await ann.history(room)
    expect_nothing(await ann.delete(f"/conversations/{room}/members/{bob.id}"))
    left = await ann.history(room)

    assert len(made) < len(joined) < len(renamed) < len(left)
    assert {message["kind"] for message in left} == {"system"}
    assert all(message["text"].strip() for message in left)
    assert [message["seq"] for message in left] == list(range(1, len(left) + 1))
    assert (await ann.conversation(room))["last_seq"] == len(left)


async def test_a_direct_conversation_has_no_system_messages(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await ann.say(room, "hello")
    assert [(message["seq"], message["kind"]) for message in await bob.history(room)] == [(1, "text")]


async def test_renaming_a_group(chat: Chat) -> None:
    ann, bob, stranger = await chat.people("ann", "bob", "stranger")
    room = await ann.group(bob, name="Before")
    sockets = [await ann.connect(), await bob.connect()]
    stranger_socket = await stranger.connect()
    before = await ann.conversation(room)
    after = expect_json(await ann.patch(f"/conversations/{room}", name="After", description="New"))
    check_conversation(after)
    assert (after["name"], after["description"]) == ("After", "New")
    assert after["updated_at"] > before["updated_at"]
    for socket in sockets:
        updated = await socket.expect("conversation.updated")
        check_conversation_patch(updated["conversation"])
        assert updated["conversation"]["name"] == "After"
        await socket.expect("message.new", message={"kind": "system", "conversation_id": room})
    assert (await bob.conversation(room))["name"] == "After"
    await stranger_socket.nothing("conversation.updated", "message.new")

    for name in ("", "n" * 101, 5):
        expect_problem(await ann.patch(f"/conversations/{room}", name=name), 422, "validation")
    assert (await ann.conversation(room))["name"] == "After"


async def test_adding_a_member(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room = await ann.group(bob)
    await ann.say(room, "before cat came")
    bob_socket, cat_socket = await bob.connect(), await cat.connect()

    member = expect_json(await ann.put(f"/conversations/{room}/members/{cat.id}"))
    check_fields(member, MEMBER)
    assert member["user"]["id"] == cat.id
    assert member["role"] == "member"
    told = await bob_socket.expect("member.joined", conversation_id=room)
    check_fields(told["member"], MEMBER)
    assert told["member"]["user"]["id"] == cat.id

    joined = await cat_socket.expect("conversation.joined")
    assert joined["conversation"]["id"] == room
    assert joined["conversation"]["me"]["unread"] == 0
    await ann.say(room, "after cat came")
    await cat_socket.expect_text("after cat came")
    types = [frame["type"] for frame in cat_socket.frames]
    assert types.index("conversation.joined") < types.index("message.new")
    assert cat_socket.texts(room) == ["after cat came"]


async def test_adding_a_current_member_changes_nothing(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    before = await ann.conversation(room)
    expect_json(await ann.put(f"/conversations/{room}/members/{bob.id}"))
    after = await ann.conversation(room)
    assert (after["member_count"], after["last_seq"]) == (before["member_count"], before["last_seq"])


async def test_adding_a_current_member_changes_nothing_across_a_block(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room = await ann.group(bob)
    expect_nothing(await bob.put(f"/contacts/{ann.id}/block"))
    member = expect_json(await ann.put(f"/conversations/{room}/members/{bob.id}", role="owner"))
    assert (member["user"]["id"], member["role"]) == (bob.id, "member")
    expect_nothing(await cat.put(f"/contacts/{ann.id}/block"))
    expect_problem(await ann.put(f"/conversations/{room}/members/{cat.id}"), 403, "cannot_message")
    expect_nothing(await bob.post(f"/conversations/{room}/leave"))
    expect_problem(await ann.put(f"/conversations/{room}/members/{bob.id}"), 403, "cannot_message")


async def test_a_limit_below_the_number_of_members_is_refused(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room = await ann.group(bob, cat)
    problem = expect_problem(await ann.patch(f"/conversations/{room}", max_participants=2), 422, "validation")
    assert problem["errors"] == [{"field": "max_participants", "detail": "must be at least 3, the number of members"}]
    assert (await ann.conversation(room))["max_participants"] is None
    expect_problem(await bob.patch(f"/conversations/{room}", max_participants=2), 403, "forbidden")
    for limit in (3, 3, 10, None):
        assert (
            expect_json(await ann.patch(f"/conversations/{room}", max_participants=limit))["max_participants"] == limit
        )


async def test_several_add_the_same_person_at_once(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group()
    before = await ann.conversation(room)
    path = f"/conversations/{room}/members/{bob.id}"
    for response in await asyncio.gather(*(ann.put(path) for _ in range(5))):
        expect_json(response)
    after = await ann.conversation(room)
    assert after["member_count"] == 2
    assert after["last_seq"] == before["last_seq"] + 1


async def test_removing_a_member(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room = await ann.group(bob, cat)
    bob_socket, cat_socket = await bob.connect(), await cat.connect()
    expect_nothing(await ann.delete(f"/conversations/{room}/members/{cat.id}"))
    await cat_socket.expect("conversation.left", conversation_id=room)
    await bob_socket.expect("member.left", conversation_id=room, user_id=cat.id)

    expect_problem(await cat.get(f"/conversations/{room}"), 404, "not_found")
    expect_problem(await cat.get(f"/conversations/{room}/messages"), 404, "not_found")
    expect_problem(await cat.get(f"/conversations/{room}/members"), 404, "not_found")
    await cat_socket.refused(
        "not_found", "message.send", client_message_id="1", conversation_id=room, text="still here?"
    )
    assert await cat.conversations() == []
    assert cat.id not in await ann.members(room)
    assert (await ann.conversation(room))["member_count"] == 2
    expect_problem(await ann.delete(f"/conversations/{room}/members/{cat.id}"), 404, "not_found")


async def test_leaving(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    ann_socket, bob_socket = await ann.connect(), await bob.connect()
    expect_nothing(await bob.post(f"/conversations/{room}/leave"))
    await bob_socket.expect("conversation.left", conversation_id=room)
    await ann_socket.expect("member.left", conversation_id=room, user_id=bob.id)
    expect_problem(await bob.get(f"/conversations/{room}"), 404, "not_found")
    expect_problem(await bob.post(f"/conversations/{room}/leave"), 404, "not_found")


async def test_rejoining_starts_a_new_history(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    await ann.say(room, "while bob was in")
    expect_nothing(await bob.post(f"/conversations/{room}/leave"))
    await ann.say(room, "while bob was out")
    expect_json(await ann.put(f"/conversations/{room}/members/{bob.id}"))
    await ann.say(room, "since bob is back")
    socket = await bob.connect(known={})
    assert socket.texts(room) == ["since bob is back"]
    assert (await bob.conversation(room))["me"]["unread"] == 1


async def test_leaving_a_direct_conversation(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await ann.say(room, "before")
    ann_socket, bob_socket = await ann.connect(), await bob.connect()
    expect_nothing(await bob.post(f"/conversations/{room}/leave"))
    await bob_socket.expect("conversation.left", conversation_id=room)
    expect_problem(await bob.get(f"/conversations/{room}"), 404, "not_found")
    expect_problem(await bob.post(f"/conversations/{room}/leave"), 404, "not_found")
    assert await bob.conversations() == []
    assert [message["text"] for message in await ann.history(room)] == ["before"]
    await ann_socket.nothing("member.left", "message.new")

    await ann.say(room, "after")
    joined = await bob_socket.expect("conversation.joined")
    assert (joined["conversation"]["id"], joined["conversation"]["peer"]["id"]) == (room, ann.id)
    assert (await bob_socket.expect("message.new"))["message"]["text"] == "after"
    assert [message["text"] for message in await bob.history(room)] == ["after"]
    assert (await bob.conversation(room))["me"]["unread"] == 1


@pytest.mark.parametrize("opens", [True, False])
async def test_coming_back_to_a_direct_conversation_that_one_left(chat: Chat, opens: bool) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await ann.say(room, "never seen again")
    expect_nothing(await bob.post(f"/conversations/{room}/leave"))
    if opens:
        found = expect_json(await bob.post("/conversations", kind="direct", user_id=ann.id))
        assert (found["id"], found["peer"]["id"], found["me"]["unread"]) == (room, ann.id, 0)
    socket = await bob.connect()
    await socket.ask("message.send", client_message_id="1", to=ann.id, text="it is me again")
    assert [message["text"] for message in await bob.history(room)] == ["it is me again"]
    socket = await bob.connect(known={})
    assert socket.texts(room) == []
    assert [message["text"] for message in await ann.history(room)] == ["never seen again", "it is me again"]


async def test_nothing_of_a_conversation_follows_the_word_that_it_was_left(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    socket = await bob.connect()
    for number in range(10):
        change, removal = await asyncio.gather(
            ann.patch(f"/conversations/{room}", description=f"description {number}"),
            ann.delete(f"/conversations/{room}/members/{bob.id}"),
        )
        assert (change.status_code, removal.status_code) == (200, 204)
        await socket.ask("ping")
        assert [frame["type"] for frame in socket.frames if frame["type"].startswith("conv")][-1] == "conversation.left"
        expect_json(await ann.put(f"/conversations/{room}/members/{bob.id}"))


async def test_a_conversation_that_is_deleted_while_it_is_read(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    for _ in range(5):
        room = await ann.group(bob)
        paths = ("", "/members", "/messages")
        reads = [bob.get(f"/conversations/{room}{path}") for path in paths]
        reads += [bob.get("/sync", conversation_id=room) for _ in range(6)]
        deleted, *answers = await asyncio.gather(ann.delete(f"/conversations/{room}"), *reads)
        expect_nothing(deleted)
        assert {answer.status_code for answer in answers} <= {200, 404}
        expect_problem(await bob.get("/sync", conversation_id=room), 404, "not_found")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "", "x", "ftp://x.org/a.png", "https://x.org/a b"]
)
async def test_addresses_of_pictures_that_are_refused(chat: Chat, url: str) -> None:
    ann = await chat.person("ann")
    room = await ann.group()
    problem = expect_problem(await ann.patch(f"/conversations/{room}", avatar_url=url), 422, "validation")
    assert [error["field"] for error in problem["errors"]] == ["avatar_url"]


@pytest.mark.parametrize("url", ["https://x.org/a.png", "http://localhost:1/a", "/media/a.png", None])
async def test_addresses_of_pictures_that_are_taken(chat: Chat, url: str | None) -> None:
    ann = await chat.person("ann")
    room = await ann.group()
    assert expect_json(await ann.patch(f"/conversations/{room}", avatar_url=url))["avatar_url"] == url


async def test_the_last_owner_cannot_leave_while_others_stay(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    expect_problem(await ann.post(f"/conversations/{room}/leave"), 409, "conflict")
    expect_nothing(await bob.post(f"/conversations/{room}/leave"))
    expect_nothing(await ann.post(f"/conversations/{room}/leave"))
    assert await ann.conversations() == []


async def test_outsiders_find_nothing(chat: Chat) -> None:
    ann, bob, stranger = await chat.people("ann", "bob", "stranger")
    group, direct = await ann.group(bob), await ann.direct(bob)
    for room in (group, direct, NO_SUCH_ID, "no-id"):
        base = f"/conversations/{room}"
        for response in (
            await stranger.get(base),
            await stranger.get(f"{base}/messages"),
            await stranger.get(f"{base}/members"),
            await stranger.patch(base, name="Mine"),
            await stranger.put(f"{base}/members/{stranger.id}"),
            await stranger.delete(f"{base}/members/{bob.id}"),
            await stranger.post(f"{base}/leave"),
            await stranger.post(f"{base}/messages", client_message_id="1", text="hello"),
        ):
            expect_problem(response, 404, "not_found")
    expect_problem(await chat.http.get(f"{API}/conversations/{group}"), 401, "unauthenticated")


async def test_the_list_is_ordered_by_last_activity(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    first, second, third = await ann.group(bob), await ann.group(bob), await ann.direct(cat)
    await ann.say(third, "one")
    await bob.say(second, "two")
    await bob.say(first, "three")
    conversations = await ann.conversations()
    for conversation in conversations:
        check_conversation(conversation)
    assert [conversation["id"] for conversation in conversations] == [first, second, third]
    assert [conversation["last_message"]["text"] for conversation in conversations] == ["three", "two", "one"]
    assert [conversation["me"]["unread"] for conversation in conversations] == [1, 1, 0]
    ready = (await ann.connect()).ready["conversations"]
    by_id = {conversation["id"]: conversation for conversation in conversations}
    for entry in ready:
        listed = by_id[entry["id"]]
        merged = {**listed, **listed["me"]}
        assert entry == {name: merged[name] for name in entry}


async def test_the_list_comes_in_pages(chat: Chat) -> None:
    ann = await chat.person("ann")
    rooms = [await ann.group(name=f"Room {number}") for number in range(5)]
    seen: list[str] = []
    params: dict[str, Any] = {"limit": 2}
    while True:
        page = expect_json(await ann.get("/conversations", **params))
        seen += [conversation["id"] for conversation in page["items"]]
        if page["next"] is None:
            break
        assert len(page["items"]) == 2
        params["cursor"] = page["next"]
    assert seen == rooms[::-1]
