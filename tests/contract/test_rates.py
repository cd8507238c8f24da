"""Requests that come too often are refused with the time to wait, over HTTP and WebSocket, and affect no one else."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from chat_mvp.limits import MAX_BIO_CHARS, MAX_DISPLAY_NAME_CHARS, MAX_TEXT_CHARS, MIN_TEXT_BURST_BYTES
from tests.conftest import Launch
from tests.support.http import expect_json, expect_problem
from tests.support.people import Person, reaction_path
from tests.support.socket import Socket

# --------------------------------------------------------------------------------------------------- number of actions


async def test_requests(launch: Launch) -> None:
    chat = await launch(RATE_LIMITS="on")
    ann, bob = await chat.people("ann", "bob")
    answers = await asyncio.gather(*(ann.get("/users", q="b") for _ in range(60)))
    refused = [answer for answer in answers if answer.status_code != 200]
    assert 0 < len(refused) <= 10, "50 at once, and 5 for each second that this took"
    for answer in refused:
        assert 0 < expect_problem(answer, 429, "rate_limited")["retry_after_ms"] <= 2_000
    assert (await bob.get("/users", q="b")).status_code == 200
    assert (await ann.get("/users/me")).status_code == 200


async def test_frames(launch: Launch) -> None:
    chat = await launch(RATE_LIMITS="on")
    ann = await chat.person("ann")
    socket = await ann.connect()
    for number in range(70):
        await socket.send("presence.subscribe", user_ids=[], ref=number)
    await socket.ask("ping")
    refused = socket.all("error")
    assert 0 < len(refused) <= 10
    assert all(answer["code"] == "rate_limited" and 0 < answer["retry_after_ms"] <= 1_000 for answer in refused)
    assert len(refused) + len(socket.all("presence.snapshot")) >= 70, "each has its answer"


async def test_connects_of_one_account(launch: Launch) -> None:
    chat = await launch(RATE_LIMITS="on")
    ann, bob = await chat.people("ann", "bob")
    for _ in range(60):
        socket = await ann.connect()
        await socket.close()
    refused = None
    while refused is None:
        socket = await chat.open()
        await socket.send("connect", token=ann.access_token)
        frame = await socket.find(lambda it: it["type"] in {"ready", "error"}, "ready or error")
        refused = frame if frame["type"] == "error" else None
        if refused is None:
            await socket.close()
    assert refused["code"] == "rate_limited"
    assert 0 < refused["retry_after_ms"] <= 1_000
    assert await socket.closed() == 4429
    await bob.connect()


# -------------------------------------------------------------------------------------------------------- bytes of text

FEW_BYTES = {"RATE_LIMITS": "on", "RATE_LIMIT_SENDS_PER_S": "1", "RATE_LIMIT_SEND_BURST": "200"}
"""Settings with a ``text`` budget of 400,000 bytes and 1,000 a second."""
LONGEST = "😀" * MAX_TEXT_CHARS
TEXT_BYTES = 4 * MAX_TEXT_CHARS
MANY = 40
"""More than any verb below can do with the bytes of one text."""


@dataclass
class Scene:
    """Ann in a room with Bob, who wrote a long message there. ``own_id`` is a message of Ann's."""

    ann: Person
    bob: Person
    socket: Socket
    room_id: str
    long_id: str
    own_id: str

    async def frame(self, type_: str, **fields: Any) -> dict[str, Any] | None:
        """Send a frame, and return the refusal, if any."""
        ref = secrets.token_hex(8)
        await self.socket.send(type_, ref=ref, **fields)
        answer = await self.socket.find(lambda it: it.get("ref") == ref, type_)
        return answer if answer["type"] == "error" else None

    async def request(self, method: str, path: str, **body: Any) -> dict[str, Any] | None:
        """Send a request, and return the refusal, if any."""
        answer = await self.ann.request(method, path, json=body) if body else await self.ann.request(method, path)
        if answer.is_success:
            return None
        problem = expect_problem(answer, 429, "rate_limited")
        assert int(answer.headers["Retry-After"]) * 1000 >= problem["retry_after_ms"]
        return problem


Verb = Callable[[Scene, int], Awaitable[dict[str, Any] | None]]


def numbered(number: int) -> str:
    """Return a text of almost the maximum length that differs from the others."""
    return f"{number:04}{LONGEST[4:]}"


async def send_frame(scene: Scene, number: int) -> dict[str, Any] | None:
    new = {"client_message_id": f"frame-{number}", "conversation_id": scene.room_id}
    return await scene.frame("message.send", text=LONGEST, **new)


async def edit_frame(scene: Scene, number: int) -> dict[str, Any] | None:
    return await scene.frame("message.edit", message_id=scene.own_id, text=numbered(number))


async def reaction_frame(scene: Scene, number: int) -> dict[str, Any] | None:
    verb = "reaction.remove" if number % 2 else "reaction.add"
    return await scene.frame(verb, message_id=scene.long_id, emoji="👍")


async def send_request(scene: Scene, number: int) -> dict[str, Any] | None:
    path = f"/conversations/{scene.room_id}/messages"
    return await scene.request("POST", path, client_message_id=f"request-{number}", text=LONGEST)


async def edit_request(scene: Scene, number: int) -> dict[str, Any] | None:
    return await scene.request("PATCH", f"/messages/{scene.own_id}", text=numbered(number))


async def reaction_request(scene: Scene, number: int) -> dict[str, Any] | None:
    return await scene.request("DELETE" if number % 2 else "PUT", reaction_path(scene.long_id, "👍"))


async def pin_request(scene: Scene, number: int) -> dict[str, Any] | None:
    return await scene.request("DELETE" if number % 2 else "PUT", f"/messages/{scene.long_id}/pin")


async def draft_request(scene: Scene, number: int) -> dict[str, Any] | None:
    return await scene.request("PATCH", f"/conversations/{scene.room_id}/me", draft=numbered(number))


async def role_request(scene: Scene, number: int) -> dict[str, Any] | None:
    path = f"/conversations/{scene.room_id}/members/{scene.bob.id}"
    return await scene.request("PATCH", path, role="member" if number % 2 else "admin")


async def member_request(scene: Scene, _: int) -> dict[str, Any] | None:
    path = f"/conversations/{scene.room_id}/members/{scene.bob.id}"
    await scene.request("DELETE", path)
    return await scene.request("PUT", path, role="member")


@pytest.mark.parametrize(
    "verb",
    [
        *(send_frame, edit_frame, reaction_frame),
        *(send_request, edit_request, reaction_request, pin_request, draft_request, role_request, member_request),
    ],
)
async def test_bytes_of_text(launch: Launch, verb: Verb) -> None:
    chat = await launch(**FEW_BYTES)
    ann, bob = await chat.people("ann", "bob")
    profile = {"display_name": "😀" * MAX_DISPLAY_NAME_CHARS, "bio": "😀" * MAX_BIO_CHARS}
    expect_json(await bob.patch("/users/me", **profile))
    room_id = await ann.group(bob)
    long_id = (await bob.say(room_id, LONGEST))["id"]
    own_id = (await ann.say(room_id, "short"))["id"]
    scene = Scene(ann, bob, await ann.connect(), room_id, long_id, own_id)
    for number in range(MIN_TEXT_BURST_BYTES // TEXT_BYTES - 1):
        assert await send_request(scene, -1 - number) is None, "ten long texts at once are allowed"
    refusals = 0
    for number in range(MANY):
        before = await ann.history(room_id)
        refused = await verb(scene, number)
        if refused is not None:
            assert refused["code"] == "rate_limited"
            assert 0 < refused["retry_after_ms"] <= TEXT_BYTES + 1_000
            if verb is not member_request:
                assert await ann.history(room_id) == before, "nothing is half done"
            refusals += 1
            break
    assert refusals == 1
    if verb is not member_request:
        await bob.say(room_id, LONGEST)
    assert (await ann.get("/users/me")).status_code == 200


async def test_long_texts_pasted_at_once(launch: Launch) -> None:
    """Ten texts of the maximum length pass, and all short ones, however long a client was offline."""
    chat = await launch(RATE_LIMITS="on")
    ann, bob = await chat.people("ann", "bob")
    room_id = await ann.group(bob)
    socket = await ann.connect()
    await socket.say_many(room_id, [LONGEST] * 10)
    await socket.say_many(room_id, ["x" * 1_000] * 450)
    assert socket.all("error") == []
