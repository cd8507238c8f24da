"""Everything that a client may send has a limit, and input over its limit is refused before it is processed."""

import json
from typing import Any

import httpx
import pytest

from tests.support.bounds import unbounded_frames, unbounded_requests
from tests.support.http import API, expect_json, expect_problem
from tests.support.people import Chat
from tests.support.server import Server

MARKS = "a" + "\u0301" * 20_000 + "\u0316" * 20_000
"""A text that takes seconds to normalise, in a frame that is small enough."""
SHORT_MARKS = "a" + "\u0301" * 3_500 + "\u0316" * 3_500
"""The same, in a body of someone who is not signed in, or in a header."""


async def test_the_described_requests_and_frames_have_an_end(server: Server) -> None:
    async with httpx.AsyncClient(base_url=server.origin) as http:
        assert unbounded_requests((await http.get("/schema/openapi.json")).json()) == []
        assert unbounded_frames((await http.get("/schema/asyncapi.json")).json()) == []


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/auth/login", {"login": SHORT_MARKS, "password": "x"}, "login"),
        ("/auth/login", {"login": "nobody", "password": SHORT_MARKS}, "password"),
        ("/auth/login", {"login": "nobody", "password": "x", "device_name": SHORT_MARKS}, "device_name"),
        ("/auth/register", {"username": SHORT_MARKS, "email": "a@b", "password": "x"}, "username"),
        ("/auth/register", {"username": "a", "email": SHORT_MARKS, "password": "x"}, "email"),
        ("/auth/register", {"username": "a", "email": "a@b", "password": SHORT_MARKS}, "password"),
        (
            "/auth/register",
            {"username": "a", "email": "a@b", "password": "x", "display_name": SHORT_MARKS},
            "display_name",
        ),
        ("/auth/refresh", {"refresh_token": SHORT_MARKS}, "refresh_token"),
    ],
)
async def test_long_texts_of_strangers(chat: Chat, path: str, body: dict[str, str], field: str) -> None:
    content = json.dumps(body, ensure_ascii=False).encode()
    response = await chat.http.post(API + path, content=content, headers={"Content-Type": "application/json"})
    problem = expect_problem(response, 422, "validation")
    assert [error["field"] for error in problem["errors"]] == [field]


async def test_long_texts_in_frames(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    message = await ann.say(room, "target")
    socket = await ann.connect()
    frames: list[tuple[str, dict[str, Any]]] = [
        ("message.send", {"conversation_id": room, "client_message_id": "x", "text": MARKS}),
        ("message.send", {"conversation_id": room, "client_message_id": MARKS, "text": "x"}),
        ("message.edit", {"message_id": message["id"], "text": MARKS}),
        ("reaction.add", {"message_id": message["id"], "emoji": MARKS}),
        ("presence.set", {"state": "online", "status_text": MARKS}),
        ("token", {"token": MARKS}),
    ]
    for type_, fields in frames:
        await socket.refused("validation", type_, **fields)
    stranger = await chat.open()
    await stranger.send("connect", token=MARKS, ref="r")
    assert (await stranger.expect("error"))["code"] == "validation"


async def test_long_tokens_in_headers_and_cookies(chat: Chat) -> None:
    ann = await chat.person("ann")
    for token in (SHORT_MARKS.encode(), b"x" * 5_000, b"." * 5_000):
        headers = {b"Authorization": b"Bearer " + token}
        expect_problem(await chat.http.get(f"{API}/users/me", headers=headers), 401, "unauthenticated")
    # The standard library takes seconds to undo this quoting.
    for cookie in (
        f'__Secure-chat_refresh="{"x" * 5_000}"',
        'other="' + "\\" * 7_000 + '"',
        'other="' + "\\" * 14_000 + '"',
    ):
        response = await chat.http.post(f"{API}/auth/refresh", headers={"Cookie": cookie})
        expect_problem(response, 401, "unauthenticated")
    other = 'other="' + "\\" * 5_000 + '"; '
    cookies = {"Cookie": f"{other}__Secure-chat_refresh={ann.refresh_token}; __Secure-chat_refresh_2=x"}
    assert expect_json(await chat.http.post(f"{API}/auth/refresh", headers=cookies))["user"]["id"] == ann.id


async def test_numbers_without_end(chat: Chat) -> None:
    ann = await chat.person("ann")
    room = await ann.group()
    for number in ("9" * 25, "9" * 400, "-" + "9" * 400):
        for path in (f"/conversations/{room}/messages?before={number}", f"/users?q=a&limit={number}"):
            expect_problem(await ann.get(path), 422, "validation")
        content = f'{{"unread_from": {number}}}'.encode()
        options = {"content": content, "headers": {"Content-Type": "application/json"}}
        expect_problem(await ann.request("PATCH", f"/conversations/{room}/me", **options), 422, "validation")
    socket = await ann.connect()
    await socket.send_raw('{"type": "ping", "ref": ' + "9" * 400 + "}")
    assert (await socket.expect("error"))["code"] == "validation"
