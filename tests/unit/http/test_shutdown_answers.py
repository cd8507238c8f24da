"""A request that the server cancels because it stops still gets an answer."""

import asyncio
from typing import Any

import msgspec
import pytest

from chat_mvp.http.shutdown_answers import answering_at_shutdown

HTTP = {"type": "http", "method": "GET", "path": "/"}


async def cut_off(app: Any) -> tuple[asyncio.Task[None], list[dict[str, Any]]]:
    """Serve a request with this application, cancel it on the way, and return how it ended and what it sent."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def begun() -> None:
        await answering_at_shutdown(app)(HTTP, None, send)  # type: ignore[arg-type]

    task = asyncio.create_task(begun())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    return task, sent


async def test_the_answer_says_when_to_retry() -> None:
    async def hanging(_scope: Any, _receive: Any, _send: Any) -> None:
        await asyncio.Event().wait()

    task, (start, body) = await cut_off(hanging)
    assert not task.cancelled()
    headers = dict(start["headers"])
    assert start["status"] == 503
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"retry-after"] == b"1"
    assert headers[b"content-length"] == str(len(body["body"])).encode()
    assert msgspec.json.decode(body["body"])["code"] == "unavailable"


async def test_an_answer_that_has_begun_is_not_followed_by_another() -> None:
    async def half_way(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.Event().wait()

    task, sent = await cut_off(half_way)
    assert task.cancelled()
    assert [message["type"] for message in sent] == ["http.response.start"]


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
async def test_what_is_no_request_is_handed_on_as_it_is(kind: str) -> None:
    seen: list[Any] = []

    async def app(*arguments: Any) -> None:
        seen.append(arguments)

    scope, receive, send = {"type": kind}, object(), object()
    await answering_at_shutdown(app)(scope, receive, send)  # type: ignore[arg-type]
    assert seen == [(scope, receive, send)]
