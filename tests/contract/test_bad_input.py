"""Wrong input of clients: each is a clear error or has no effect, and never affects correct input beside it."""

import asyncio
from typing import Any

import pytest

from tests.conftest import Launch
from tests.support.http import expect_json, expect_problem
from tests.support.people import Chat, Person, reaction_path
from tests.support.socket import JSON, MSGPACK, Socket

NO_SUCH_ID = "0123456789abcdef01234567"
MAX_KNOWN = 3_000
HIGHEST = 2**53


def made_up(count: int) -> dict[str, int]:
    """Return revisions of conversations that never were."""
    return {f"{number:024x}": number % 1000 for number in range(1, count + 1)}


async def marks(person: Person, room: str) -> tuple[int, int]:
    me = (await person.conversation(room))["me"]
    return me["delivered_seq"], me["read_seq"]


# ----------------------------------------------------------------------------------------------------- acknowledgements


@pytest.mark.parametrize("type_", ["delivered", "read"])
async def test_confirming_more_than_there_is(chat: Chat, type_: str) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await ann.say(room, "the only one")
    sender, receiver = await ann.connect(), await bob.connect()
    for seq in (2, 1_000_000, HIGHEST):
        await receiver.tell(type_, conversation_id=room, seq=seq)
    await sender.expect("receipt", delivered_seq=1, read_seq=1 if type_ == "read" else 0)
    await sender.nothing("receipt", within=0.3)
    await sender.say(room, "not confirmed in advance")
    assert await marks(bob, room) == (1, 1 if type_ == "read" else 0)
    await receiver.close()
    assert (await bob.connect()).texts(room) == ["not confirmed in advance"]
    socket = await bob.connect()
    nonsense: list[Any] = [-1, HIGHEST + 1, 2**64, 1.5, "1", None]
    for value in nonsense:
        await socket.refused("validation", type_, conversation_id=room, seq=value)


@pytest.mark.parametrize("type_", ["delivered", "read"])
async def test_confirming_backwards(chat: Chat, type_: str) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    for text in ("one", "two", "three"):
        await ann.say(room, text)
    sender, receiver = await ann.connect(), await bob.connect()
    await receiver.tell("read", conversation_id=room, seq=2)
    await sender.expect("receipt", delivered_seq=2, read_seq=2)
    for seq in (1, 0, 2):
        await receiver.tell(type_, conversation_id=room, seq=seq)
    await sender.nothing("receipt")
    assert await marks(bob, room) == (2, 2)
    await receiver.close()
    assert (await bob.connect()).texts(room) == ["three"], "what was confirmed stays confirmed"


@pytest.mark.parametrize("type_", ["delivered", "read"])
async def test_acknowledging_in_conversations_of_others(chat: Chat, type_: str) -> None:
    ann, bob, former, stranger = await chat.people("ann", "bob", "former", "stranger")
    room = await ann.group(bob, former)
    message = await ann.say(room, "private")
    assert (await former.post(f"/conversations/{room}/leave")).status_code == 204
    watcher = await ann.connect()
    for person in (former, stranger):
        socket = await person.connect()
        for conversation_id in (room, NO_SUCH_ID):
            await socket.refused("not_found", type_, conversation_id=conversation_id, seq=message["seq"])
        await socket.refused("validation", type_, conversation_id="no-id", seq=1)
    await watcher.nothing("receipt")
    assert (await bob.connect()).texts(room) == ["private"], "the queue of others does not change"


# ---------------------------------------------------------------------------------------------------------------- known


async def test_knowing_as_many_conversations_as_one_may_none_of_which_ever_was(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    message = await ann.say(room, "hello")
    socket = await bob.connect(known=made_up(MAX_KNOWN - 1) | {room: 0})
    assert socket.ready["recovered"] is True
    assert [entry["id"] for entry in socket.ready["conversations"]] == [room]
    assert [frame["message"] for frame in socket.caught_up if "message" in frame] == [message]
    assert {frame["type"] for frame in socket.caught_up} == {"message.new", "drained"}


@pytest.mark.parametrize("subprotocol", [JSON, MSGPACK])
@pytest.mark.parametrize(("count", "code"), [(MAX_KNOWN + 1, 4401), (10_000, 1009)])
async def test_knowing_too_many(chat: Chat, count: int, code: int, subprotocol: str) -> None:
    """Ten thousand do not fit into a frame at all; a few too many are refused as a first frame is that is none."""
    ann = await chat.person("ann")
    socket = await chat.open(subprotocols=[subprotocol])
    await socket.send("connect", token=ann.access_token, known=made_up(count), ref="r")
    if code == 4401:
        assert (await socket.expect("error"))["code"] == "validation"
    assert await socket.closed() == code
    assert not socket.all("ready")
    assert (await ann.connect(known=made_up(10))).ready["recovered"] is True


async def test_revisions_from_the_future(chat: Chat) -> None:
    ann, bob, stranger = await chat.people("ann", "bob", "stranger")
    room, foreign = await ann.direct(bob), await ann.direct(stranger)
    message = await ann.say(room, "hello")
    await ann.edit(message["id"], "hello, edited")
    for rev in (3, 1_000_000, HIGHEST):
        socket = await bob.connect(known={room: rev})
        assert socket.ready["recovered"] is False, "what the client has is worth nothing"
        assert [frame["type"] for frame in socket.caught_up] == ["message.new", "drained"], "only what waits"
    socket = await bob.connect(known={room: 2, foreign: HIGHEST, NO_SUCH_ID: HIGHEST})
    assert socket.ready["recovered"] is True, "conversations of others do not matter"
    assert foreign not in str(socket.frames)
    refused = await chat.open()
    await refused.send("connect", token=bob.access_token, known={room: HIGHEST + 1})
    assert (await refused.expect("error"))["code"] == "validation"


# ------------------------------------------------------------------------------------- the same name for other messages


async def test_one_name_for_everything(launch: Launch) -> None:
    """Another text, another conversation, by name, over HTTP, in one burst, after a crash: it is the first message."""
    chat = await launch()
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room, elsewhere = await ann.direct(bob), await ann.group(cat)
    before = (await ann.conversation(elsewhere))["rev"]
    sender = await ann.connect()

    async def every_way(socket: Socket) -> tuple[list[dict[str, Any]], list[Any]]:
        answers: list[Any] = await asyncio.gather(
            socket.say(room, "one", client_message_id="same"),
            socket.say(room, "another text", client_message_id="same"),
            socket.say(elsewhere, "another conversation", client_message_id="same"),
            socket.ask("message.send", client_message_id="same", to=cat.id, text="somebody else"),
            *(
                ann.post(f"/conversations/{place}/messages", client_message_id="same", text="over HTTP")
                for place in (room, elsewhere)
            ),
        )
        return answers[:4], answers[4:]

    first = await sender.say(room, "first", client_message_id="same")
    for crashed in (False, True):
        if crashed:
            await chat.server.crash_and_restart()
            sender = await ann.connect()
        acks, responses = await every_way(sender)
        assert {ack["message_id"] for ack in acks} == {first["message_id"]}
        assert {ack["conversation_id"] for ack in acks} == {room}
        assert all(ack["duplicate"] for ack in acks)
        assert [expect_json(response, 200)["id"] for response in responses] == [first["message_id"]] * 2
    assert [message["text"] for message in await bob.history(room)] == ["first"]
    assert (await ann.conversation(elsewhere))["rev"] == before
    assert len(await cat.conversations()) == 1, "no one got a message"


async def test_one_name_in_one_burst_to_several_conversations(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    rooms = [await ann.direct(bob), await ann.direct(cat)]
    sender = await ann.connect()
    for number in range(60):
        name = f"n{number // 3}"
        await sender.send(
            "message.send", client_message_id=name, conversation_id=rooms[number % 2], text=str(number), ref=number
        )
    await sender.expect("message.ack", ref=59)
    acks = sorted(sender.all("message.ack"), key=lambda frame: int(frame["ref"]))
    for first, *again in (acks[start : start + 3] for start in range(0, 60, 3)):
        assert first["duplicate"] is False
        for ack in again:
            assert (ack["message_id"], ack["conversation_id"], ack["duplicate"]) == (
                first["message_id"],
                first["conversation_id"],
                True,
            )
    stored = [message["text"] for room in rooms for message in await ann.history(room)]
    assert sorted(map(int, stored)) == list(range(0, 60, 3))


# -------------------------------------------------------------------------------------------------- edits and reactions


async def test_changing_what_was_deleted(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    message = await ann.say(room, "regretted")
    await bob.react(message["id"], "👍")
    deleted = await ann.erase(message["id"])
    socket, watcher = await ann.connect(), await bob.connect(known={room: deleted["rev"]})
    await socket.refused("conflict", "message.edit", message_id=message["id"], text="back")
    for type_ in ("reaction.add", "reaction.remove"):
        await socket.refused("conflict", type_, message_id=message["id"], emoji="👍")
    for method in ("PUT", "DELETE"):
        for path in (reaction_path(message["id"], "👍"), f"/messages/{message['id']}/pin"):
            expect_problem(await ann.request(method, path), 409, "conflict")
    expect_problem(await ann.patch(f"/messages/{message['id']}", text="back"), 409, "conflict")
    assert (await socket.ask("message.delete", message_id=message["id"]))["message"] == deleted
    assert expect_json(await bob.get(f"/messages/{message['id']}/edits"))["items"] == []
    await watcher.nothing("message.edited", "message.reaction", "message.pinned", "message.deleted")
    assert await bob.message(message["id"]) == deleted


@pytest.mark.parametrize("emoji", ["a", "1", "👍👍", "👍 ", "\u200d", "\ufe0f", "<b>", ":+1:", "é", "\x00", "👍" * 33])
async def test_reactions_that_are_no_emoji(chat: Chat, emoji: str) -> None:
    ann, bob = await chat.people("ann", "bob")
    message = await ann.say(await ann.direct(bob), "news")
    socket = await bob.connect()
    for type_ in ("reaction.add", "reaction.remove"):
        await socket.refused("validation", type_, message_id=message["id"], emoji=emoji)
    for method in ("PUT", "DELETE"):
        expect_problem(await bob.request(method, reaction_path(message["id"], emoji)), 422, "validation")
    assert await ann.message(message["id"]) == message


async def test_what_is_wrong_disturbs_nothing_beside_it(chat: Chat) -> None:
    """Good and bad in one burst share batches: every bad one is refused, every good one is stored, in order."""
    ann, bob, stranger = await chat.people("ann", "bob", "stranger")
    room = await ann.direct(bob)
    private = await stranger.group()
    target, gone = [await ann.say(room, text) for text in ("target", "gone")]
    await ann.erase(gone["id"])
    await bob.pin(target["id"])
    last_seq = (await ann.conversation(room))["last_seq"]
    bad: list[tuple[str, dict[str, Any], str]] = [
        ("message.edit", {"message_id": gone["id"], "text": "back"}, "conflict"),
        ("message.edit", {"message_id": NO_SUCH_ID, "text": "nothing"}, "not_found"),
        ("message.delete", {"message_id": NO_SUCH_ID}, "not_found"),
        ("reaction.add", {"message_id": gone["id"], "emoji": "👍"}, "conflict"),
        ("reaction.add", {"message_id": target["id"], "emoji": "no"}, "validation"),
        ("delivered", {"conversation_id": private, "seq": 1}, "not_found"),
        ("read", {"conversation_id": NO_SUCH_ID, "seq": 1}, "not_found"),
        ("message.send", {"conversation_id": private, "text": "x", "client_message_id": "p"}, "not_found"),
        ("message.send", {"conversation_id": room, "text": "", "client_message_id": "e"}, "validation"),
        (
            "message.send",
            {"conversation_id": room, "text": "x", "client_message_id": "r", "reply_to": NO_SUCH_ID},
            "not_found",
        ),
    ]
    sender, receiver = await ann.connect(), await bob.connect()
    for turn in range(8):
        for number, (type_, fields, _) in enumerate(bad):
            await sender.send(type_, **fields, ref=f"bad {turn} {number}")
            text = f"good {turn} {number}"
            await sender.send("message.send", conversation_id=room, text=text, client_message_id=text, ref=text)
    goods = [f"good {turn} {number}" for turn in range(8) for number in range(len(bad))]
    await sender.expect("message.ack", ref=goods[-1])
    for turn in range(8):
        for number, (_, _, code) in enumerate(bad):
            await sender.expect("error", ref=f"bad {turn} {number}", code=code)
    acks = {ack["ref"]: ack["seq"] for ack in sender.all("message.ack")}
    assert acks == {text: last_seq + place for place, text in enumerate(goods, 1)}
    await receiver.expect_text(goods[-1])
    assert receiver.texts(room)[-len(goods) :] == goods
    assert not receiver.all("error")
