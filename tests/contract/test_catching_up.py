"""Catching up after a disconnection, step by step as in "Connecting and catching up" in protocol.md."""

import asyncio
from typing import Any

from tests.support.http import expect_json, expect_nothing
from tests.support.people import Chat, Person
from tests.support.socket import Socket
from tests.support.waiting import eventually

RESET_ABOVE = 500


async def delivered(person: Person, room: str, seq: int) -> None:
    """Return when it has been stored that the person has everything up to ``seq``."""

    async def mark() -> int:
        mark: int = (await person.conversation(room))["me"]["delivered_seq"]
        return mark

    await eventually(mark, lambda mark: mark >= seq)


async def known_now(person: Person) -> dict[str, int]:
    """Return what a client that just fetched everything knows."""
    return {conversation["id"]: conversation["rev"] for conversation in await person.conversations()}


def missed(socket: Socket) -> list[tuple[str, dict[str, Any]]]:
    """Return the messages that came before ``drained``, each with the type of its frame."""
    return [(frame["type"], frame["message"]) for frame in socket.caught_up if "message" in frame]


async def test_nothing_happened(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await ann.say(room, "hello")
    first = await bob.connect()
    await first.tell("delivered", conversation_id=room, seq=1)
    await delivered(bob, room, 1)
    await first.close()
    socket = await bob.connect(known={room: 1}, epoch=first.ready["epoch"])
    assert socket.ready["recovered"] is True
    assert [frame["type"] for frame in socket.frames] == ["ready", "drained", "presence.snapshot"]


async def test_changes_by_rev_then_new_messages_by_seq(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    old = [await ann.say(room, text) for text in ("a", "b", "c", "d")]
    socket = await bob.connect()
    await socket.tell("delivered", conversation_id=room, seq=4)
    await delivered(bob, room, 4)
    known, epoch = await known_now(bob), socket.ready["epoch"]
    await socket.close()

    edited = await ann.edit(old[3]["id"], "d, edited")
    new = await ann.say(room, "e")
    reacted = await bob.react(old[0]["id"], "👍")
    newer = await ann.say(room, "f")
    deleted = await ann.erase(old[1]["id"])
    new = await ann.edit(new["id"], "e, edited")

    socket = await bob.connect(known=known, epoch=epoch)
    assert socket.ready["recovered"] is True
    assert socket.ready["queued"] == 2
    assert missed(socket) == [
        ("message.changed", edited),
        ("message.changed", reacted),
        ("message.changed", deleted),
        ("message.new", new),
        ("message.new", newer),
    ]
    for frame in socket.all("message.new"):
        assert frame["queued"] is False, "catching up already brought it"
    assert socket.all("drained") == [{"type": "drained", "count": 0}]
    assert not socket.all("conversation.joined")


async def test_own_messages_from_another_device_are_missed_too(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await ann.say(room, "one")
    known = await known_now(ann)
    sent = await ann.say(room, "two, from the phone")
    socket = await ann.connect(known=known)
    assert missed(socket) == [("message.new", sent)]


async def test_without_known_only_the_queue_comes(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    old = await ann.say(room, "confirmed")
    socket = await bob.connect()
    assert socket.ready["recovered"] is False
    await socket.tell("delivered", conversation_id=room, seq=1)
    await delivered(bob, room, 1)
    await socket.close()
    await ann.edit(old["id"], "confirmed, edited")
    waiting = await ann.say(room, "waiting")
    socket = await bob.connect()
    assert missed(socket) == [("message.new", waiting)]


async def test_an_unknown_conversation_is_joined_first(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room, other = await ann.direct(bob), await cat.direct(bob)
    await ann.say(room, "known")
    known = await known_now(bob)
    waiting = await cat.say(other, "from somebody new")
    socket = await bob.connect(known=known)
    assert socket.ready["recovered"] is True
    (joined,) = socket.all("conversation.joined")
    assert joined["conversation"]["id"] == other
    types = [frame["type"] for frame in socket.frames]
    news = [frame["message"] for frame in socket.all("message.new")]
    assert waiting in news
    assert types.index("conversation.joined") < types.index("message.new")
    (queued,) = [frame for frame in socket.all("message.new") if frame["message"] == waiting]
    assert queued["queued"] is True


async def test_a_client_that_knows_nothing_yet(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    direct, group = await ann.direct(bob), await ann.group(bob)
    waiting = await ann.say(direct, "hello")
    socket = await bob.connect(known={})
    assert socket.ready["recovered"] is True
    assert {frame["conversation"]["id"] for frame in socket.all("conversation.joined")} == {direct, group}
    assert waiting in socket.messages("message.new")
    assert all(frame["queued"] for frame in socket.all("message.new"))


async def test_with_another_epoch_the_cache_is_worth_nothing(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    message = await ann.say(room, "hello")
    await ann.edit(message["id"], "hello, edited")
    socket = await bob.connect(known={room: 1}, epoch="another one")
    assert socket.ready["recovered"] is False
    assert not socket.all("message.changed")
    assert [frame["queued"] for frame in socket.all("message.new")] == [True]


async def test_a_revision_from_the_future(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room, other = await ann.direct(bob), await ann.group(bob)
    await ann.say(room, "hello")
    known = await known_now(bob)
    await ann.say(other, "news")
    socket = await bob.connect(known=known | {room: known[room] + 1})
    assert socket.ready["recovered"] is False
    assert all(frame["queued"] for frame in socket.all("message.new"))


async def test_a_conversation_that_was_left_is_not_in_ready(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room, stays = await ann.group(bob), await ann.direct(bob)
    await ann.say(stays, "hello")
    known = await known_now(bob)
    expect_nothing(await ann.delete(f"/conversations/{room}/members/{bob.id}"))
    await ann.say(room, "bob is gone")
    socket = await bob.connect(known=known)
    assert socket.ready["recovered"] is True
    assert [entry["id"] for entry in socket.ready["conversations"]] == [stays]
    assert not [frame for frame in socket.caught_up if room in str(frame)]


async def test_nothing_from_before_joining(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group()
    old = await ann.say(room, "before bob")
    expect_json(await ann.put(f"/conversations/{room}/members/{bob.id}"))
    await ann.edit(old["id"], "before bob, edited")
    new = await ann.say(room, "with bob")
    socket = await bob.connect(known={room: 0})
    messages = [message for _, message in missed(socket)]
    assert messages[-1] == new
    joined_seq = (await bob.conversation(room))["me"]["joined_seq"]
    assert all(message["seq"] > joined_seq for message in messages)
    assert old["id"] not in {message["id"] for message in messages}


async def many(person: Person, room: str, count: int) -> None:
    socket = await person.connect()
    await socket.say_many(room, [str(number) for number in range(count)])
    await socket.close()


async def test_up_to_five_hundred_changes_are_streamed(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await ann.say(room, "known, but never confirmed")
    await many(ann, room, RESET_ABOVE)
    socket = await bob.connect(known={room: 1})
    seqs = [(message["seq"], frame["queued"]) for frame in socket.all("message.new") for message in [frame["message"]]]
    assert seqs == [(seq, False) for seq in range(2, RESET_ABOVE + 2)] + [(1, True)]
    assert not socket.all("conversation.reset")


async def test_more_than_five_hundred_changes_reset(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room, other = await ann.direct(bob), await cat.direct(bob)
    await ann.say(room, "known")
    await many(ann, room, RESET_ABOVE + 1)
    await cat.say(other, "not affected")
    last = RESET_ABOVE + 2
    socket = await bob.connect(known={room: 1})
    assert socket.ready["recovered"] is True
    (reset,) = socket.all("conversation.reset")
    assert reset == {"type": "conversation.reset", "conversation_id": room, "rev": last, "last_seq": last}
    assert reset in socket.caught_up
    assert [message["text"] for _, message in missed(socket)] == ["not affected"]
    assert socket.all("drained")[0]["count"] == 1

    await socket.tell("delivered", conversation_id=room, seq=last)
    await socket.tell("delivered", conversation_id=other, seq=1)
    await delivered(bob, other, 1)
    await ann.say(room, "live again")
    await socket.expect_text("live again")
    await socket.close()
    socket = await bob.connect(known={room: last, other: 1})
    assert [message["text"] for _, message in missed(socket)] == ["live again"]


async def test_live_events_come_once_and_after_drained(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await many(ann, room, 300)
    sender = await ann.connect()
    socket = await bob.connect(drained=False)
    await sender.say_many(room, [f"live {number}" for number in range(100)])
    await socket.expect_text("live 99")
    assert [message["seq"] for message in socket.messages("message.new")] == list(range(1, 401))
    types = [frame["type"] for frame in socket.frames]
    assert types.count("drained") == types.count("presence.snapshot") == 1
    live = [index for index, frame in enumerate(socket.frames) if frame.get("queued") is False]
    assert all(index > types.index("drained") for index in live)


async def test_names_settings_and_marks_show_in_ready(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    before = (await bob.connect()).ready["conversations"][0]
    expect_json(await ann.patch(f"/conversations/{room}", name="Renamed"))
    message = await ann.say(room, "hello")
    socket = await ann.connect()
    watcher = await bob.connect()
    await watcher.tell("read", conversation_id=room, seq=message["seq"])
    await socket.expect("receipt", read_seq=message["seq"])
    after = (await bob.connect()).ready["conversations"][0]
    assert after["updated_at"] > before["updated_at"]
    assert after["read_seq"] == message["seq"]
    (seen_by_ann,) = (await ann.connect()).ready["conversations"]
    assert (seen_by_ann["others_delivered_seq"], seen_by_ann["others_read_seq"]) == (message["seq"],) * 2


async def test_members_and_roles_show_in_ready(chat: Chat) -> None:
    ann, bob, cat, late = await chat.people("ann", "bob", "cat", "late")
    room = await ann.group(bob, cat)
    moments = [(await cat.connect()).ready["conversations"][0]["updated_at"]]
    for change in (
        lambda: ann.patch(f"/conversations/{room}/members/{bob.id}", role="admin"),
        lambda: ann.put(f"/conversations/{room}/members/{late.id}"),
        lambda: late.post(f"/conversations/{room}/leave"),
        lambda: ann.delete(f"/conversations/{room}/members/{bob.id}"),
    ):
        await asyncio.sleep(0.002)
        assert (await change()).is_success
        moments.append((await cat.connect()).ready["conversations"][0]["updated_at"])
    assert moments == sorted(set(moments)), "each shows, also to a user whom it does not concern"
