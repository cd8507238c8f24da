"""Messages over WebSocket: acknowledgements, and who gets what (protocol.md section 2)."""

import asyncio

import pytest

from tests.support.http import expect_json
from tests.support.people import Chat, reaction_path
from tests.support.shapes import ACK, check_conversation, check_fields, check_id, check_message, check_time
from tests.support.texts import AWKWARD, REFUSED

NO_SUCH_ID = "0123456789abcdef01234567"


async def test_the_acknowledgement(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    socket = await ann.connect()
    ack = await socket.say(room, "hello", client_message_id="one")
    check_fields(ack, ACK | {"ref"})
    check_id(ack["message_id"])
    check_time(ack["created_at"])
    expected = {"client_message_id": "one", "conversation_id": room, "seq": 1, "rev": 1, "duplicate": False}
    assert {name: ack[name] for name in expected} == expected

    message = await ann.message(ack["message_id"])
    check_message(message)
    assert {name: message[name] for name in ("seq", "rev", "created_at")} == {
        name: ack[name] for name in ("seq", "rev", "created_at")
    }
    await socket.send("message.send", client_message_id="two", conversation_id=room, text="without ref")
    check_fields(await socket.expect("message.ack", client_message_id="two"), ACK)


async def test_everyone_else_gets_the_message(chat: Chat) -> None:
    ann, bob, cat, stranger = await chat.people("ann", "bob", "cat", "stranger")
    room = await ann.group(bob, cat)
    sender, phone = await ann.connect(), await ann.connect()
    others = [await bob.connect(), await bob.connect(), await cat.connect()]
    stranger_socket = await stranger.connect()
    ack = await sender.say(room, "hello all")
    stored = await ann.message(ack["message_id"])
    for socket in [phone, *others]:
        new = await socket.expect("message.new")
        assert new == {"type": "message.new", "message": stored, "queued": False}
    await sender.nothing("message.new")
    await stranger_socket.nothing("message.new", within=0.05)


async def test_a_message_over_http_reaches_all_connections_of_all(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    sockets = [await ann.connect(), await ann.connect(), await bob.connect()]
    message = await ann.say(room, "over HTTP")
    for socket in sockets:
        assert (await socket.expect("message.new"))["message"] == message


@pytest.mark.parametrize("name", AWKWARD)
async def test_text_arrives_letter_for_letter(chat: Chat, name: str) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    ann_socket, bob_socket = await ann.connect(), await bob.connect()
    await ann_socket.say(room, AWKWARD[name])
    assert (await bob_socket.expect("message.new"))["message"]["text"] == AWKWARD[name]


@pytest.mark.parametrize("name", REFUSED)
async def test_texts_that_are_refused(chat: Chat, name: str) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    ann_socket, bob_socket = await ann.connect(), await bob.connect()
    await ann_socket.send("message.send", client_message_id="1", conversation_id=room, text=REFUSED[name])
    error = await ann_socket.expect("error")
    # A lone surrogate can only be sent as an escape, and not every parser lets it through to where texts are judged.
    assert error["code"] in ({"validation", "bad_frame"} if "surrogate" in name else {"validation"})
    ack = await ann_socket.say(room, "fine", client_message_id="1")
    assert (ack["seq"], ack["duplicate"]) == (1, False)
    await bob_socket.expect_text("fine")
    assert bob_socket.texts(room) == ["fine"]


async def test_the_direct_conversation_is_made_on_the_way(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    sender, phone, receiver = await ann.connect(), await ann.connect(), await bob.connect()
    ack = await sender.ask("message.send", client_message_id="1", to=bob.id, text="hello")
    for socket, peer in ((sender, bob), (phone, bob), (receiver, ann)):
        joined = await socket.expect("conversation.joined")
        check_conversation(joined["conversation"])
        assert joined["conversation"]["id"] == ack["conversation_id"]
        assert joined["conversation"]["peer"]["id"] == peer.id
    for socket in (phone, receiver):
        await socket.expect_text("hello")
        types = [frame["type"] for frame in socket.frames]
        assert types.index("conversation.joined") < types.index("message.new")
    types = [frame["type"] for frame in sender.frames]
    assert types.index("conversation.joined") < types.index("message.ack")

    again = await receiver.ask("message.send", client_message_id="1", to=ann.id, text="found")
    assert again["conversation_id"] == ack["conversation_id"]
    assert again["seq"] == 2
    assert await ann.direct(bob) == ack["conversation_id"]
    for socket in (sender, phone, receiver):
        assert len(socket.all("conversation.joined")) == 1


async def test_both_write_first_at_once(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    ann_socket, bob_socket = await ann.connect(), await bob.connect()
    acks = await asyncio.gather(
        ann_socket.ask("message.send", client_message_id="1", to=bob.id, text="from ann"),
        bob_socket.ask("message.send", client_message_id="1", to=ann.id, text="from bob"),
    )
    assert len({ack["conversation_id"] for ack in acks}) == 1
    assert sorted(ack["seq"] for ack in acks) == [1, 2]
    await ann_socket.expect_text("from bob")
    await bob_socket.expect_text("from ann")


async def test_status_says_whether_a_recipient_was_connected(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    alone, direct, group = await ann.group(), await ann.direct(bob), await ann.group(bob, cat)
    socket = await ann.connect()
    assert (await socket.say(alone, "to myself"))["status"] == "sent"
    assert (await socket.say(direct, "nobody there", client_message_id="first"))["status"] == "queued"
    assert (await socket.say(group, "nobody there"))["status"] == "queued"
    bob_socket = await bob.connect()
    assert (await socket.say(direct, "there"))["status"] == "sent"
    assert (await socket.say(group, "one of two there"))["status"] == "sent"
    again = await socket.say(direct, "nobody there", client_message_id="first")
    assert (again["status"], again["duplicate"]) == ("queued", True)
    await bob_socket.ask("presence.set", state="invisible")
    assert (await socket.say(direct, "hidden"))["status"] == "queued"
    await bob_socket.expect_text("hidden")


async def test_edits_reach_everyone(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    message = await ann.say(room, "frist")
    sender, phone, receiver = await ann.connect(), await ann.connect(), await bob.connect()
    answer = await sender.ask("message.edit", message_id=message["id"], text="first")
    assert answer["type"] == "message.edited"
    check_message(answer["message"])
    assert answer["message"] == await bob.message(message["id"])
    assert (answer["message"]["text"], answer["message"]["rev"]) == ("first", message["rev"] + 1)
    for socket in (phone, receiver):
        told = await socket.expect("message.edited")
        assert told == {"type": "message.edited", "message": answer["message"]}
    assert len(sender.all("message.edited")) == 1

    same = await sender.ask("message.edit", message_id=message["id"], text="first")
    assert same["message"] == answer["message"]
    await receiver.nothing("message.edited")
    await phone.nothing("message.edited", within=0)


async def test_deletions_reach_everyone(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    message = await ann.say(room, "regretted")
    sender, phone, receiver = await ann.connect(), await ann.connect(), await bob.connect()
    answer = await sender.ask("message.delete", message_id=message["id"])
    assert answer["type"] == "message.deleted"
    assert answer["message"] == await bob.message(message["id"])
    assert (answer["message"]["text"], answer["message"]["rev"]) == ("", message["rev"] + 1)
    for socket in (phone, receiver):
        assert (await socket.expect("message.deleted"))["message"] == answer["message"]
    again = await sender.ask("message.delete", message_id=message["id"])
    assert again["message"] == answer["message"]
    await receiver.nothing("message.deleted")

    await sender.refused("conflict", "message.edit", message_id=message["id"], text="back")
    await receiver.refused("conflict", "reaction.add", message_id=message["id"], emoji="👍")


async def test_reactions_reach_everyone(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    message = await ann.say(room, "news")
    sender, receiver, tablet = await ann.connect(), await bob.connect(), await bob.connect()
    answer = await receiver.ask("reaction.add", message_id=message["id"], emoji="👩‍🚀")
    assert answer["type"] == "message.reaction"
    assert answer["message"]["reactions"] == [{"emoji": "👩‍🚀", "count": 1, "user_ids": [bob.id]}]
    for socket in (sender, tablet):
        told = await socket.expect("message.reaction")
        assert told == {"type": "message.reaction", "message": answer["message"]}
    same = await receiver.ask("reaction.add", message_id=message["id"], emoji="👩‍🚀")
    assert same["message"] == answer["message"]
    none = await sender.ask("reaction.remove", message_id=message["id"], emoji="👩‍🚀")
    assert none["message"] == answer["message"], "there is no own reaction to remove"
    await sender.nothing("message.reaction")
    await tablet.nothing("message.reaction", within=0)

    less = await receiver.ask("reaction.remove", message_id=message["id"], emoji="👩‍🚀")
    assert less["message"]["reactions"] == []
    assert (await sender.expect("message.reaction"))["message"] == less["message"]
    for emoji in ("", "👍" * 33, " "):
        await receiver.refused("validation", "reaction.add", message_id=message["id"], emoji=emoji)


async def test_changes_over_http_reach_everyone(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    message = await ann.say(room, "one")
    sockets = [await ann.connect(), await bob.connect()]
    edited = await ann.edit(message["id"], "two")
    reacted = await bob.react(message["id"], "👍")
    unreacted = expect_json(await bob.delete(reaction_path(message["id"], "👍")))
    deleted = await ann.erase(message["id"])
    for socket in sockets:
        await socket.expect("message.deleted")
        changes = [(frame["type"], frame["message"]) for frame in socket.live if "message" in frame]
        assert changes == [
            ("message.edited", edited),
            ("message.reaction", reacted),
            ("message.reaction", unreacted),
            ("message.deleted", deleted),
        ]


async def test_users_edit_only_their_own_messages(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    message = await ann.say(room, "mine")
    socket = await bob.connect()
    await socket.refused("forbidden", "message.edit", message_id=message["id"], text="yours")
    await socket.refused("forbidden", "message.delete", message_id=message["id"])
    assert await ann.message(message["id"]) == message


async def test_frames_of_a_conversation_leave_in_ascending_rev(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    message = await ann.say(room, "zero")
    ann_socket, bob_socket = await ann.connect(), await bob.connect()
    await asyncio.gather(
        *(ann_socket.say(room, f"ann {number}") for number in range(30)),
        *(bob_socket.say(room, f"bob {number}") for number in range(30)),
        *(ann_socket.ask("message.edit", message_id=message["id"], text=f"edit {number}") for number in range(15)),
        *(bob_socket.ask("reaction.add", message_id=message["id"], emoji=chr(0x1F600 + n)) for n in range(15)),
    )
    last_rev = (await ann.conversation(room))["rev"]
    assert last_rev == message["rev"] + 90
    for socket in (ann_socket, bob_socket):
        await socket.ask("ping")
        revs = [frame.get("rev") or frame["message"]["rev"] for frame in socket.live if is_event(frame)]
        assert revs == list(range(message["rev"] + 1, last_rev + 1))


async def test_a_change_of_a_threads_root_counts_the_replies_before_it(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    root = (await ann.say(room, "root"))["id"]
    writer, reader = await ann.connect(), await bob.connect()
    for number in range(1, 16):
        # Right behind each other, so that they may be stored together.
        ack, edited = await asyncio.gather(
            writer.say(room, "a reply", thread_root=root),
            writer.ask("message.edit", message_id=root, text=f"edit {number}"),
        )
        thread = {"count": number, "last_seq": ack["seq"]}
        assert edited["message"]["thread"] == thread
        assert (await reader.expect("message.edited"))["message"] == edited["message"]
        assert (await ann.message(root))["thread"] == thread


def is_event(frame: dict[str, object]) -> bool:
    return frame["type"] == "message.ack" or "message" in frame


@pytest.mark.parametrize("field", ["reply_to", "thread_root"])
async def test_a_first_message_to_a_person_refers_to_nothing(chat: Chat, field: str) -> None:
    """A refusal makes no conversation, and leaves a message of other people as it was."""
    ann, bob, outsider = await chat.people("ann", "bob", "outsider")
    room = await ann.direct(bob)
    root = await ann.say(room, "not for outsiders")
    socket = await outsider.connect()
    for target in (root["id"], NO_SUCH_ID):
        frame = {"client_message_id": f"m-{target}", "to": ann.id, "text": "hello", field: target}
        await socket.send("message.send", ref=target, **frame)
        problem = await socket.expect("error")
        assert (problem["ref"], problem["code"]) == (target, "not_found")
    assert (await outsider.conversations()) == []
    assert (await ann.page(room))[-1] == root
