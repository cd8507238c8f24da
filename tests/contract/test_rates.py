"""Requests that come too often are refused with the time to wait, over HTTP and WebSocket, and affect no one else."""

import asyncio

from tests.conftest import Launch
from tests.support.http import expect_problem


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
