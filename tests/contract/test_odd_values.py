"""Odd values in every field: each is refused or accepted, never an error of the server (protocol.md section 1)."""

import copy
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.http import expect_json, expect_problem
from tests.support.people import Chat, reaction_path

ODD: list[Any] = [
    None,
    True,
    -1,
    0,
    1.5,
    2**63,
    10**40,
    1e308,
    "",
    "x",
    "\x00",
    "\ud800",
    "0" * 24,
    "0123456789abcdef0123456g",
    "\uff11" * 24,
    "$where",
    "x" * 20_000,
    [],
    [None],
    [[[]]],
    {},
    {"$ne": None},
    {"$gt": ""},
    {"": 1},
    {"a": {"b": "c"}},
]


def variations(valid: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """Return copies of a valid object in which one field is missing or odd."""
    without = copy.deepcopy(valid)
    del without[name]
    yield without
    for odd in ODD:
        yield copy.deepcopy(valid) | {name: odd}


FRAMES: dict[str, dict[str, Any]] = {
    "message.send": {
        "client_message_id": "odd",
        "conversation_id": "ROOM",
        "text": "hi",
        "attachments": [],
        "reply_to": "MESSAGE",
        "priority": "high",
    },
    "message.edit": {"message_id": "MESSAGE", "text": "edited"},
    "message.delete": {"message_id": "NOBODY"},
    "reaction.add": {"message_id": "MESSAGE", "emoji": "👍"},
    "reaction.remove": {"message_id": "MESSAGE", "emoji": "👍"},
    "delivered": {"conversation_id": "ROOM", "seq": 1},
    "read": {"conversation_id": "ROOM", "seq": 1},
    "typing": {"conversation_id": "ROOM", "state": "stop"},
    "presence.set": {"state": "online", "status_text": "here"},
    "presence.subscribe": {"user_ids": ["PEER"]},
    "token": {"token": "TOKEN"},
    "ping": {},
}


@pytest.mark.parametrize("type_", FRAMES)
async def test_in_frames(chat: Chat, type_: str) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    message = await ann.say(room, "target")
    places = {"ROOM": room, "PEER": bob.id, "MESSAGE": message["id"], "NOBODY": "0" * 24, "TOKEN": ann.access_token}
    valid = {"ref": "r", **FRAMES[type_]}
    for name in valid:
        socket = await ann.connect()
        for fields in variations(valid, name):
            filled = {
                key: places.get(value, value) if isinstance(value, str) else value for key, value in fields.items()
            }
            await socket.send_raw(json.dumps({"type": type_, **filled}))
        await socket.ask("ping", ref="still alive")
        codes = {answer["code"] for answer in socket.all("error")}
        assert codes <= {"validation", "not_found", "bad_frame", "unauthenticated"}, f"{name}: {codes}"
        await socket.close()
    assert (await ann.message(message["id"]))["id"] == message["id"]


@pytest.mark.parametrize(
    ("method", "path", "valid"),
    [
        ("POST", "/auth/register", {"username": "odd", "email": "o@x.org", "password": "short", "display_name": "O"}),
        ("POST", "/auth/login", {"login": "nobody at all", "password": "wrong wrong", "device_name": "x"}),
        ("POST", "/auth/refresh", {"refresh_token": "nonsense"}),
        ("PATCH", "/users/me", {"display_name": "O", "bio": "b", "status_text": "s", "profile": {}, "settings": {}}),
        ("PUT", "/contacts/PEER", {"nickname": "Bobby"}),
        (
            "POST",
            "/conversations",
            {"kind": "group", "user_id": "PEER", "name": "n", "description": "d", "member_ids": ["PEER"]},
        ),
        ("PATCH", "/conversations/ROOM", {"name": "n", "description": "d"}),
        ("PUT", "/conversations/ROOM/members/PEER", {"role": "member"}),
        (
            "POST",
            "/conversations/ROOM/messages",
            {"client_message_id": "odd", "text": "hi", "attachments": [], "reply_to": "MESSAGE", "priority": "high"},
        ),
        ("PATCH", "/messages/MESSAGE", {"text": "edited"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_in_bodies(chat: Chat, method: str, path: str, valid: dict[str, Any]) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    message = await ann.say(room, "target")
    places = {"ROOM": room, "PEER": bob.id, "MESSAGE": message["id"]}
    for name, value in places.items():
        path = path.replace(name, value)
    headers = {"Content-Type": "application/json"}
    for body in itertools.chain.from_iterable(variations(valid, name) for name in valid):
        filled = {key: places.get(value, value) if isinstance(value, str) else value for key, value in body.items()}
        response = await ann.request(method, path, content=json.dumps(filled), headers=headers)
        check_answered(response, filled)


@pytest.mark.parametrize(
    "path",
    [
        "/users/ODD",
        "/users/by-username/ODD",
        "/users/ODD/presence",
        "/users?q=ODD",
        "/contacts?cursor=ODD",
        "/conversations?cursor=ODD",
        "/conversations?limit=ODD",
        "/conversations/ODD",
        "/conversations/ODD/messages",
        "/conversations/ODD/pins",
        "/conversations/ROOM/messages?before=ODD",
        "/conversations/ROOM/messages?limit=ODD",
        "/conversations/ROOM/members?cursor=ODD",
        "/messages/ODD",
        "/messages/ODD/receipts",
        "/messages/ODD/edits",
        "/messages/sync?after=ODD",
        "/messages/sync?after=2026-11-21T10:00:00Z&cursor=ODD",
        "/sync?conversation_id=ODD",
        "/sync?conversation_id=ROOM&after_rev=ODD",
        "/sync?conversation_id=ROOM&cursor=ODD",
    ],
)
async def test_in_addresses(chat: Chat, path: str) -> None:
    ann = await chat.person("ann")
    room = await ann.group()
    odd = ["x", "%00", "%ff", "..%2f..", "%24where", "-1", "1e3", "9" * 40, "%F0%9F%98%80", "0" * 24, "a" * 3000, "%20"]
    for value in odd:
        response = await ann.request("GET", path.replace("ROOM", room).replace("ODD", value))
        check_answered(response, value)


@pytest.mark.parametrize("path", ["/sync?conversation_id=ROOM&after_rev=", "/conversations/ROOM/messages?before="])
async def test_integers_of_a_query(chat: Chat, path: str) -> None:
    ann = await chat.person("ann")
    room = await ann.group()
    expect_json(await ann.request("GET", path.replace("ROOM", room) + "10"))
    for text in ("1e1", "1E1", "10.0", "%2B10", "1_0", "null", ""):
        problem = expect_problem(await ann.request("GET", path.replace("ROOM", room) + text), 422, "validation")
        assert problem["detail"].endswith("must be a whole number.")


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_moments_outside_of_the_calendar(chat: Chat, moment: str) -> None:
    ann = await chat.person("ann")
    room = await ann.group()
    expect_problem(await ann.patch(f"/conversations/{room}/me", muted_until=moment), 422, "validation")
    expect_problem(await ann.get("/messages/sync", after=moment), 422, "validation")


async def test_in_emojis(chat: Chat) -> None:
    ann = await chat.person("ann")
    message = await ann.say(await ann.group(), "target")
    for emoji in ("\x00", " ", "a/b", "%", "👍" * 33, "\u200b", "x" * 5000, "$inc", "a.b"):
        for method in ("PUT", "DELETE"):
            check_answered(await ann.request(method, reaction_path(message["id"], emoji)), emoji)
    assert expect_json(await ann.get(f"/messages/{message['id']}"))["text"] == "target"


def check_answered(response: Any, asked: Any) -> None:
    """Fail unless the answer is a success or a clear refusal."""
    assert response.status_code < 500, f"{asked!r} was answered with {response.status_code}: {response.text[:300]}"
    if response.status_code >= 400:
        assert response.headers["content-type"].startswith("application/problem+json"), f"{asked!r}: {response.text}"
        assert response.json()["detail"].strip()
