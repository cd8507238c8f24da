"""Opening a connection: subprotocols, Origin, ``connect`` and ``ready`` (protocol.md section 2)."""

import asyncio
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.support.people import Chat
from tests.support.shapes import READY, READY_CONVERSATION, check_fields, check_time
from tests.support.socket import JSON, MSGPACK, Socket

FIRST_FRAME_S = 5.0
FRAME_BYTES = 128 * 1024


async def test_ready(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await bob.direct(ann)
    said = await bob.say(room, "hello")
    socket = await ann.connect()
    ready = socket.ready
    check_fields(ready, READY)
    assert ready["user_id"] == ann.id
    assert ready["connection_id"]
    assert ready["epoch"]
    check_time(ready["server_time"])
    assert ready["heartbeat_s"] == 30
    assert ready["recovered"] is False
    assert ready["queued"] == 1
    assert ready["unread_notifications"] == 0
    assert 0 < ready["token_expires_in"] <= 900
    check_fields(ready["limits"], {"frame_bytes", "text_chars", "sends_per_s"})
    assert ready["limits"]["frame_bytes"] == FRAME_BYTES
    assert ready["limits"]["text_chars"] == 10_000
    (entry,) = ready["conversations"]
    check_fields(entry, READY_CONVERSATION)
    check_time(entry["updated_at"])
    expected = {"id": room, "rev": said["rev"], "last_seq": 1, "delivered_seq": 0, "read_seq": 0, "unread": 1}
    assert {name: entry[name] for name in expected} == expected
    assert socket.frames[0] == ready


async def test_someone_new_has_nothing_to_catch_up(chat: Chat) -> None:
    ann = await chat.person("ann")
    socket = await ann.connect()
    assert socket.ready["conversations"] == []
    assert socket.ready["queued"] == 0
    assert [frame["type"] for frame in socket.frames] == ["ready", "drained", "presence.snapshot"]
    assert socket.frames[1]["count"] == 0


async def test_epoch_is_the_servers_and_connection_ids_are_not(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    readies = [(await person.connect()).ready for person in (ann, ann, bob)]
    assert len({ready["epoch"] for ready in readies}) == 1
    assert len({ready["connection_id"] for ready in readies}) == 3


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(None, None), ([JSON], JSON), ([MSGPACK], MSGPACK), (["chat.v9", JSON], JSON), (["other", MSGPACK], MSGPACK)],
    ids=str,
)
async def test_subprotocols(chat: Chat, offered: list[str] | None, chosen: str | None) -> None:
    ann = await chat.person("ann")
    socket = await chat.open(subprotocols=offered)
    assert socket.connection.subprotocol == chosen
    await socket.send("connect", token=ann.access_token)
    assert (await socket.expect("ready"))["user_id"] == ann.id
    assert (await socket.ask("ping"))["type"] == "pong"


async def test_json_and_msgpack_say_the_same(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    by_json, by_msgpack = await bob.connect(), await bob.connect(subprotocol=MSGPACK)
    for text in ("hello 👩‍🚀", "x" * 10_000, "שלום"):
        await ann.say(room, text)
        new = await by_json.expect("message.new")
        assert await by_msgpack.expect("message.new") == new
        assert new["message"]["text"] == text
    packed_ack = await by_msgpack.say(room, "from msgpack")
    assert (await by_json.expect_text("from msgpack"))["id"] == packed_ack["message_id"]


async def test_a_token_in_the_header_will_do(chat: Chat) -> None:
    ann = await chat.person("ann")
    socket = await chat.open(headers={"Authorization": f"Bearer {ann.access_token}"})
    await socket.send("connect")
    assert (await socket.expect("ready"))["user_id"] == ann.id


async def closes_unauthenticated(socket: Socket) -> None:
    error = await socket.expect("error")
    assert error["code"] == "unauthenticated"
    assert await socket.closed() == 4401
    assert "ready" not in {frame["type"] for frame in socket.frames}


@pytest.mark.parametrize("fields", [{}, {"token": "nonsense"}, {"token": ""}, {"token": "a.b.c"}], ids=str)
async def test_without_a_valid_token(chat: Chat, fields: dict[str, Any]) -> None:
    socket = await chat.open()
    await socket.send("connect", **fields)
    await closes_unauthenticated(socket)


async def test_a_refresh_token_opens_no_connection(chat: Chat) -> None:
    ann = await chat.person("ann")
    socket = await chat.open()
    await socket.send("connect", token=ann.refresh_token)
    await closes_unauthenticated(socket)


async def test_a_token_in_the_address_opens_no_connection(chat: Chat) -> None:
    ann = await chat.person("ann")
    socket = await Socket.open(f"{chat.server.websocket_url}?token={ann.access_token}&access_token={ann.access_token}")
    await socket.send("connect")
    await closes_unauthenticated(socket)


async def test_a_token_of_a_session_that_ended(chat: Chat) -> None:
    ann = await chat.person("ann")
    await ann.request("POST", "/auth/logout")
    socket = await chat.open()
    await socket.send("connect", token=ann.access_token)
    await closes_unauthenticated(socket)


@pytest.mark.parametrize("type_", ["ping", "message.send", "no.such.type"])
async def test_the_first_frame_is_connect(chat: Chat, type_: str) -> None:
    socket = await chat.open()
    await socket.send(type_)
    assert await socket.closed() == 4401


async def test_the_first_frame_comes_within_five_seconds(chat: Chat) -> None:
    loop = asyncio.get_running_loop()
    socket = await chat.open()
    opened = loop.time()
    assert await socket.closed(within=FIRST_FRAME_S + 3) == 4401
    assert FIRST_FRAME_S - 0.5 < loop.time() - opened < FIRST_FRAME_S + 2


async def test_connect_may_carry_a_ref(chat: Chat) -> None:
    ann = await chat.person("ann")
    socket = await chat.open()
    assert (await socket.ask("connect", token=ann.access_token))["type"] == "ready"


async def test_a_second_connect(chat: Chat) -> None:
    ann = await chat.person("ann")
    socket = await ann.connect()
    await socket.refused("already_connected", "connect", token=ann.access_token)
    await socket.ask("ping")


async def test_frames_behind_connect_need_not_wait_for_ready(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    socket = await chat.open()
    await socket.send("connect", token=ann.access_token)
    ack = await socket.say(room, "in a hurry")
    assert ack["seq"] == 1
    types = [frame["type"] for frame in socket.frames]
    assert types.index("ready") < types.index("message.ack")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example"])
async def test_a_foreign_origin_is_refused(chat: Chat, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        await chat.open(origin=origin)
    assert refusal.value.response.status_code == 403


async def test_compression_is_not_agreed_on(chat: Chat) -> None:
    offered = {"Sec-WebSocket-Extensions": "permessage-deflate; client_no_context_takeover; server_no_context_takeover"}
    ann = await chat.person("ann")
    socket = await ann.connect(headers=offered)
    response = socket.connection.response
    assert response is not None
    assert "Sec-WebSocket-Extensions" not in response.headers
    await socket.ask("ping")


async def test_the_own_origin_and_none_are_fine(chat: Chat) -> None:
    ann = await chat.person("ann")
    for origin in (chat.server.origin, None):
        socket = await ann.connect(origin=origin)
        await socket.ask("ping")


@pytest.mark.parametrize(
    "fields",
    [{"known": []}, {"known": {"a": "b"}}, {"known": {"0" * 24: -1}}, {"epoch": 5}, {"device_id": {}}],
    ids=str,
)
async def test_connect_with_wrong_fields(chat: Chat, fields: dict[str, Any]) -> None:
    ann = await chat.person("ann")
    socket = await chat.open()
    await socket.send("connect", token=ann.access_token, **fields)
    assert (await socket.expect("error"))["code"] == "validation"
    assert await socket.closed() == 4401


@pytest.mark.parametrize("frame", [{"type": "ping", "ref": "r1"}, {"type": "connect", "ref": "r1", "known": []}])
async def test_a_refused_first_frame_is_answered_with_its_ref(chat: Chat, frame: dict[str, Any]) -> None:
    ann = await chat.person("ann")
    socket = await chat.open()
    await socket.send(frame["type"], **{"token": ann.access_token} | {k: v for k, v in frame.items() if k != "type"})
    error = await socket.expect("error")
    assert error["ref"] == "r1"
    assert await socket.closed() == 4401
