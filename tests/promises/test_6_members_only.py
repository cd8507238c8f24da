"""Promise 6. Members only.

No frame of a conversation reaches anyone who was not a member when it happened, nor anyone whose session was revoked.
"""

import asyncio

import pytest

from tests.support.http import expect_json, expect_nothing, expect_problem
from tests.support.people import Chat, Person
from tests.support.socket import Socket, narrow_socket


def frames_about(socket: Socket, room: str) -> list[str]:
    """Return the types of all frames that mention a conversation."""
    return [frame["type"] for frame in socket.frames if room in str(frame)]


async def everything_happens(ann: Person, bob: Person, room: str) -> None:
    """Let two members do all that causes frames."""
    ann_socket, bob_socket = await ann.connect(), await bob.connect()
    ack = await ann_socket.say(room, "secret")
    await ann_socket.tell("typing", conversation_id=room, state="start")
    await ann_socket.ask("message.edit", message_id=ack["message_id"], text="secret, edited")
    await bob_socket.ask("reaction.add", message_id=ack["message_id"], emoji="🤫")
    await bob_socket.tell("read", conversation_id=room, seq=ack["seq"])
    await ann_socket.expect("receipt")
    await ann.say(room, "secret over HTTP")
    await ann_socket.ask("message.delete", message_id=ack["message_id"])
    expect_json(await ann.patch(f"/conversations/{room}", name="Renamed"))


async def test_a_stranger_gets_nothing(chat: Chat) -> None:
    ann, bob, stranger = await chat.people("ann", "bob", "stranger")
    socket = await stranger.connect()
    room = await ann.group(bob)
    await everything_happens(ann, bob, room)
    await asyncio.sleep(0.3)
    assert frames_about(socket, room) == []
    late = await stranger.connect(known={room: 0})
    assert frames_about(late, room) == []


@pytest.mark.parametrize("way", ["removed", "left"])
async def test_a_former_member_gets_nothing(chat: Chat, way: str) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room = await ann.group(bob, cat)
    rev = (await cat.conversation(room))["rev"]
    sockets = [await cat.connect(), await cat.connect()]
    if way == "removed":
        expect_nothing(await ann.delete(f"/conversations/{room}/members/{cat.id}"))
    else:
        expect_nothing(await cat.post(f"/conversations/{room}/leave"))
    for socket in sockets:
        await socket.expect("conversation.left", conversation_id=room)
    await everything_happens(ann, bob, room)
    await asyncio.sleep(0.3)
    for socket in sockets:
        assert frames_about(socket, room)[-1] == "conversation.left"
    late = await cat.connect(known={room: rev})
    assert frames_about(late, room) == []
    expect_problem(await cat.get(f"/conversations/{room}/messages"), 404, "not_found")
    await late.refused("not_found", "typing", conversation_id=room, state="start")
    await late.refused("not_found", "read", conversation_id=room, seq=1)


async def test_removed_while_others_write(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room = await ann.group(bob, cat)
    writer, removed = await bob.connect(), await cat.connect()

    async def write() -> None:
        for number in range(150):
            await writer.send("message.send", client_message_id=str(number), conversation_id=room, text=str(number))
            await asyncio.sleep(0.002)

    async def remove() -> None:
        await asyncio.sleep(0.1)
        expect_nothing(await ann.delete(f"/conversations/{room}/members/{cat.id}"))

    await asyncio.gather(write(), remove())
    await writer.expect("message.ack", client_message_id="149")
    await asyncio.sleep(0.3)
    left = [message for message in await ann.history(room) if message["kind"] == "system"][-1]
    seen = [message["seq"] for message in removed.messages() if message["conversation_id"] == room]
    live = [seq for seq in seen if seq >= left["seq"]]
    assert live in ([], [left["seq"]]), "at most the message that tells of the removal"
    assert frames_about(removed, room)[-1] == "conversation.left"


async def test_a_member_who_rejoins_does_not_see_messages_sent_meanwhile(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room = await ann.group(bob, cat)
    rev = (await cat.conversation(room))["rev"]
    expect_nothing(await ann.delete(f"/conversations/{room}/members/{cat.id}"))
    between = await ann.say(room, "between")
    await ann.edit(between["id"], "between, edited")
    expect_json(await ann.put(f"/conversations/{room}/members/{cat.id}"))
    await ann.react(between["id"], "🤫")
    await ann.say(room, "together again")
    for known in (None, {room: rev}, {room: 0}):
        socket = await cat.connect(known=known)
        assert "between" not in str(socket.frames)
        assert socket.texts(room) == ["together again"]


async def test_a_new_member_gets_no_changes_of_earlier_messages(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room = await ann.group(bob)
    before = await ann.say(room, "before cat")
    socket = await cat.connect()
    expect_json(await ann.put(f"/conversations/{room}/members/{cat.id}"))
    await ann.edit(before["id"], "before cat, edited")
    await bob.react(before["id"], "🤫")
    await ann.erase(before["id"])
    last = await ann.say(room, "with cat")
    await socket.expect_text("with cat")
    assert "before cat" not in str(socket.frames)
    assert [message["seq"] for message in socket.messages()] == [last["seq"] - 1, last["seq"]]

    hall = await ann.group(bob, visibility="public")
    spoken = await ann.say(hall, "in public")
    expect_json(await ann.put(f"/conversations/{hall}/members/{cat.id}"))
    await ann.edit(spoken["id"], "in public, edited")
    await socket.expect("message.edited", message={"text": "in public, edited"})


async def test_a_revoked_session_gets_nothing(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    phone = await bob.sign_in_again()
    revoked, stays = await phone.connect(), await bob.connect()
    expect_nothing(await phone.request("POST", "/auth/logout"))
    await ann.say(room, "after the logout")
    assert await revoked.closed() == 4401
    assert revoked.frames[-1]["type"] == "bye"
    assert "after the logout" not in str(revoked.frames)
    await stays.expect_text("after the logout")

    socket = await chat.open()
    await socket.send("connect", token=phone.access_token)
    assert await socket.closed() == 4401
    assert frames_about(socket, room) == []
    expect_problem(await phone.get(f"/conversations/{room}/messages"), 401, "unauthenticated")


async def test_revoked_while_catching_up(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender = await ann.connect()
    await sender.say_many(room, ["x" * 2000] * 500)
    socket = await bob.connect(drained=False, max_queue=1)
    socket.stop_reading()
    expect_nothing(await bob.request("POST", "/auth/logout"))
    await ann.say(room, "after the logout")
    socket.read_on()
    assert await socket.closed() == 4401
    assert "after the logout" not in str(socket.frames)


@pytest.mark.parametrize("knows", [True, False])
async def test_removed_while_catching_up(chat: Chat, knows: bool) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    talk, room = await ann.direct(cat), await ann.group(bob, cat)
    sender = await ann.connect()
    known = {one: (await ann.conversation(one))["rev"] for one in (talk, room)}
    # Enough to fill every buffer on the way, so that the rest is read only when the client reads on.
    await sender.say_many(talk, [f"{number} {'😀' * 9_900}" for number in range(130)])
    agreed = await ann.say(room, "what cat may know")
    socket = await cat.connect(
        known=known if knows else None, drained=False, sock=narrow_socket(chat.server.port), max_queue=1
    )
    socket.stop_reading()
    expect_nothing(await ann.delete(f"/conversations/{room}/members/{cat.id}"))
    await ann.edit(agreed["id"], "what cat may not know")
    socket.read_on()
    await socket.expect("conversation.left", conversation_id=room, within=20.0)
    assert "what cat may not know" not in str(socket.frames)
    assert len(socket.texts(talk)) == 130


async def test_a_thief_of_a_spent_refresh_token_ends_the_session(chat: Chat) -> None:
    bob = await chat.person("bob")
    socket = await bob.connect()
    path = "/auth/refresh"
    second = expect_json(await bob.post(path, refresh_token=bob.refresh_token))
    expect_json(await bob.post(path, refresh_token=second["refresh_token"]))
    expect_problem(await bob.post(path, refresh_token=bob.refresh_token), 401, "unauthenticated")
    assert await socket.closed() == 4401
