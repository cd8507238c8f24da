"""Frames as such: refs, refusals, limits (protocol.md section 2)."""

import contextlib
import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.people import Chat
from tests.support.shapes import check_fields, check_time
from tests.support.socket import MSGPACK

NO_SUCH_ID = "0123456789abcdef01234567"
FRAME_BYTES = 128 * 1024
BAD_FRAMES_A_MINUTE = 10


@pytest.mark.parametrize("ref", ["r" * 64, "👍" * 64, "", 0, 7, -1, 2**53])
async def test_a_ref_comes_back_as_it_was(chat: Chat, ref: str | int) -> None:
    socket = await (await chat.person()).connect()
    await socket.send("ping", ref=ref)
    pong = await socket.expect("pong")
    assert pong["ref"] == ref
    check_time(pong["server_time"])


async def test_without_a_ref_none_comes_back(chat: Chat) -> None:
    socket = await (await chat.person()).connect()
    await socket.send("ping")
    check_fields(await socket.expect("pong"), {"type", "server_time"})


@pytest.mark.parametrize("ref", ["r" * 65, 1.5, ["r"], {"r": 1}, True], ids=str)
async def test_a_ref_that_is_none(chat: Chat, ref: Any) -> None:
    socket = await (await chat.person()).connect()
    await socket.send("ping", ref=ref)
    error = await socket.expect("error")
    assert error["code"] in {"validation", "bad_frame"}
    await socket.ask("ping")


async def test_unknown_fields_are_ignored(chat: Chat) -> None:
    socket = await (await chat.person()).connect()
    await socket.ask("ping", shoe_size=43, deep={"er": [1, 2, {"x": None}]})


@pytest.mark.parametrize(
    "data",
    ["", "no json", "{", "[]", "null", "5", '"ping"', '{"type": 5}', "{} {}", '{"type": "ping"} x', "[" * 100_000],
    ids=lambda data: data[:20] or "empty",
)
async def test_frames_that_do_not_decode(chat: Chat, data: str) -> None:
    socket = await (await chat.person()).connect()
    await socket.send_raw(data)
    error = await socket.expect("error")
    assert error["code"] == "bad_frame"
    assert error["detail"]
    await socket.ask("ping")


@pytest.mark.parametrize("field", ["text", "client_message_id"])
async def test_half_a_surrogate_pair_is_a_wrong_text_and_no_wrong_frame(chat: Chat, field: str) -> None:
    ann = await chat.person("ann")
    fields = {"client_message_id": "1", "conversation_id": await ann.group(), "text": "hi", field: "half \ud83d"}
    socket = await ann.connect()
    for _ in range(BAD_FRAMES_A_MINUTE):
        error = await socket.refused("validation", "message.send", **fields)
        assert field in error["detail"]
    await socket.ask("ping")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ('{"type": ["\\ud800"]}', "bad_frame"),
        ('["\\ud800"]', "bad_frame"),
        ('{"type": "\\ud800"}', "unknown_type"),
        ('{"type": "ping", "x": "\\ud800"', "bad_frame"),
        ('{"x": "\\ud800"}', "bad_frame"),
    ],
)
async def test_half_a_surrogate_pair_in_what_is_no_frame(chat: Chat, data: str, code: str) -> None:
    socket = await (await chat.person()).connect()
    await socket.send_raw(data)
    assert (await socket.expect("error"))["code"] == code
    await socket.ask("ping")


async def test_half_a_surrogate_pair_in_what_is_ignored(chat: Chat) -> None:
    socket = await (await chat.person()).connect()
    await socket.ask("ping", shoe_size="half \ud83d")


async def test_half_a_surrogate_pair_in_a_ref(chat: Chat) -> None:
    socket = await (await chat.person()).connect()
    await socket.send("ping", ref="\ud800")
    error = await socket.expect("error")
    assert (error["code"], error.get("ref")) == ("validation", None)
    await socket.ask("ping")


async def test_a_frame_of_the_wrong_kind(chat: Chat) -> None:
    ann = await chat.person("ann")
    for socket, data in (
        (await ann.connect(), b'{"type": "ping"}'),
        (await ann.connect(subprotocol=MSGPACK), '{"type": "ping"}'),
    ):
        await socket.send_raw(data)
        assert (await socket.expect("error"))["code"] == "bad_frame"
        await socket.ask("ping")


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x93", b"\x01", b"\x81\xa4type\xa4pin", b"\x91" * 100_000], ids=repr)
async def test_msgpack_that_does_not_decode(chat: Chat, data: bytes) -> None:
    socket = await (await chat.person()).connect(subprotocol=MSGPACK)
    await socket.send_raw(data)
    assert (await socket.expect("error"))["code"] == "bad_frame"
    await socket.ask("ping")


@pytest.mark.parametrize("type_", ["no.such.type", "", "message", "message.new", "ready", "PING", "__class__"])
async def test_unknown_types(chat: Chat, type_: str) -> None:
    socket = await (await chat.person()).connect()
    await socket.refused("unknown_type", type_)
    await socket.ask("ping")


async def test_the_tenth_bad_frame_in_a_minute_closes(chat: Chat) -> None:
    socket = await (await chat.person()).connect()
    for number in range(BAD_FRAMES_A_MINUTE - 1):
        if number % 2:
            await socket.send_raw("no json")
            assert (await socket.expect("error"))["code"] == "bad_frame"
        else:
            await socket.refused("unknown_type", "no.such.type")
    await socket.ask("ping")
    await socket.send_raw("no json")
    bye = await socket.expect("bye")
    assert bye["code"] == 4400
    assert bye["reason"]
    assert await socket.closed() == 4400


async def test_what_is_only_invalid_does_not_close(chat: Chat) -> None:
    ann = await chat.person("ann")
    room = await ann.group()
    socket = await ann.connect()
    for _ in range(2 * BAD_FRAMES_A_MINUTE):
        await socket.refused("validation", "message.send", client_message_id="1", conversation_id=room, text="")
    await socket.say(room, "still here")


def ping_of(size: int) -> str:
    frame = json.dumps({"type": "ping", "padding": ""})
    return json.dumps({"type": "ping", "padding": "x" * (size - len(frame))})


async def test_the_largest_frame(chat: Chat) -> None:
    socket = await (await chat.person()).connect()
    await socket.send_raw(ping_of(FRAME_BYTES))
    await socket.expect("pong")


async def test_a_frame_that_is_too_large(chat: Chat) -> None:
    socket = await (await chat.person()).connect()
    await socket.send_raw(ping_of(FRAME_BYTES + 1))
    assert await socket.closed() == 1009
    assert not socket.all("bye")


async def test_a_frame_in_parts_that_is_too_large(chat: Chat) -> None:
    socket = await (await chat.person()).connect()
    data = ping_of(FRAME_BYTES + 1)
    with contextlib.suppress(ConnectionClosed):
        await socket.connection.send(data[start : start + 10_000] for start in range(0, len(data), 10_000))
    assert await socket.closed() == 1009


@pytest.mark.parametrize(
    ("type_", "fields"),
    [
        ("message.send", {"conversation_id": "ROOM", "text": "no client_message_id"}),
        ("message.send", {"client_message_id": "1", "text": "to nobody"}),
        ("message.send", {"client_message_id": "1", "conversation_id": "ROOM"}),
        ("message.send", {"client_message_id": "1", "conversation_id": "ROOM", "text": 5}),
        ("message.send", {"client_message_id": "1", "conversation_id": "ROOM", "text": ["x"]}),
        ("message.send", {"client_message_id": 1, "conversation_id": "ROOM", "text": "x"}),
        ("message.send", {"client_message_id": "", "conversation_id": "ROOM", "text": "x"}),
        ("message.send", {"client_message_id": "c" * 65, "conversation_id": "ROOM", "text": "x"}),
        ("message.send", {"client_message_id": "1", "conversation_id": {"$ne": ""}, "text": "x"}),
        ("message.send", {"client_message_id": "1", "conversation_id": "ROOM", "text": "x", "priority": "urgent"}),
        ("message.send", {"client_message_id": "1", "to": "SELF", "text": "x"}),
        ("message.send", {"client_message_id": "1", "conversation_id": "no id", "text": "x"}),
        ("message.send", {"client_message_id": "1", "to": "no id", "text": "x"}),
        ("message.edit", {"message_id": "no id", "text": "x"}),
        ("message.delete", {"message_id": "no id"}),
        ("reaction.add", {"message_id": "no id", "emoji": "👍"}),
        ("delivered", {"conversation_id": "no id", "seq": 1}),
        ("typing", {"conversation_id": "no id", "state": "start"}),
        ("presence.subscribe", {"user_ids": ["no id"]}),
        ("message.edit", {"message_id": NO_SUCH_ID}),
        ("message.edit", {"text": "x"}),
        ("message.delete", {}),
        ("reaction.add", {"message_id": NO_SUCH_ID}),
        ("delivered", {"conversation_id": "ROOM"}),
        ("delivered", {"conversation_id": "ROOM", "seq": -1}),
        ("delivered", {"conversation_id": "ROOM", "seq": 1.5}),
        ("delivered", {"conversation_id": "ROOM", "seq": "1"}),
        ("delivered", {"conversation_id": "ROOM", "seq": None}),
        ("read", {"seq": 1}),
        ("read", {"conversation_id": "ROOM", "seq": True}),
        ("typing", {"conversation_id": "ROOM"}),
        ("typing", {"conversation_id": "ROOM", "state": "maybe"}),
        ("presence.set", {"state": "asleep"}),
        ("presence.set", {}),
        ("presence.subscribe", {"user_ids": "all"}),
        ("presence.subscribe", {"user_ids": [NO_SUCH_ID] * 201}),
        ("token", {}),
    ],
    ids=str,
)
async def test_fields_that_are_refused(chat: Chat, type_: str, fields: dict[str, Any]) -> None:
    ann = await chat.person("ann")
    room = await ann.group()
    places = {"ROOM": room, "SELF": ann.id}
    filled = {name: places.get(value, value) if isinstance(value, str) else value for name, value in fields.items()}
    socket = await ann.connect()
    before = await ann.conversation(room)
    await socket.refused("validation", type_, **filled)
    await socket.ask("ping")
    assert await ann.conversation(room) == before


@pytest.mark.parametrize("foreign", ["no such", "another's"])
async def test_what_one_may_not_know_is_not_found(chat: Chat, foreign: str) -> None:
    ann, stranger = await chat.people("ann", "stranger")
    room = await stranger.group()
    message = await stranger.say(room, "private")
    room_id, message_id = (NO_SUCH_ID, NO_SUCH_ID) if foreign == "no such" else (room, message["id"])
    socket = await ann.connect()
    for type_, fields in (
        ("message.send", {"client_message_id": "1", "conversation_id": room_id, "text": "x"}),
        ("message.edit", {"message_id": message_id, "text": "x"}),
        ("message.delete", {"message_id": message_id}),
        ("reaction.add", {"message_id": message_id, "emoji": "👍"}),
        ("reaction.remove", {"message_id": message_id, "emoji": "👍"}),
        ("delivered", {"conversation_id": room_id, "seq": 1}),
        ("read", {"conversation_id": room_id, "seq": 1}),
        ("typing", {"conversation_id": room_id, "state": "start"}),
    ):
        await socket.refused("not_found", type_, **fields)
    assert await stranger.message(message["id"]) == message


async def test_messages_to_unknown_users(chat: Chat) -> None:
    socket = await (await chat.person()).connect()
    await socket.refused("not_found", "message.send", client_message_id="1", to=NO_SUCH_ID, text="hello?")


async def test_many_frames_at_once_are_answered_in_order(chat: Chat) -> None:
    socket = await (await chat.person()).connect()
    # Every hundredth is large, and all of them are sent before any answer is read.
    for number in range(1_000):
        await socket.send("ping", ref=number, padding="x" * (50_000 if number % 100 == 99 else 0))
    assert [(await socket.expect("pong"))["ref"] for _ in range(1_000)] == list(range(1_000))
