"""What every answer has in common, whatever the application says."""

from typing import Any

import httpx
import pytest

from chat_mvp.http.edge import at_the_edge
from chat_mvp.transport.headers import SECURITY_HEADERS, security_headers


async def app(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-length", b"2"), (b"Cache-Control", b"max-age=60")]
    status = 200 if scope["method"] == "GET" else 404
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


def client() -> httpx.AsyncClient:
    edge: Any = at_the_edge(app, SECURITY_HEADERS)
    return httpx.AsyncClient(transport=httpx.ASGITransport(edge), base_url="http://chat")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_headers_are_added_and_none_is_replaced(method: str) -> None:
    async with client() as http:
        answer = await http.request(method, "/")
    assert answer.headers.get_list("cache-control") == ["max-age=60"]
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers.get_list(name) == [value if name != "Cache-Control" else "max-age=60"]


async def test_head_is_answered_as_get_without_the_body() -> None:
    async with client() as http:
        answer = await http.head("/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == "2"


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
async def test_what_is_no_request_is_handed_on_as_it_is(kind: str) -> None:
    seen: list[Any] = []

    async def note(*arguments: Any) -> None:
        seen.append(arguments)

    scope, receive, send = {"type": kind}, object(), object()
    edge: Any = at_the_edge(note, SECURITY_HEADERS)
    await edge(scope, receive, send)
    assert seen == [(scope, receive, send)]
    assert seen[0][0] is scope


@pytest.mark.parametrize(
    ("public_url", "expected"),
    [(None, False), ("http://chat.example", False), ("https://chat.example", True), ("HTTPS://chat.example", True)],
)
def test_hsts_is_sent_only_with_an_https_public_url(public_url: str | None, expected: bool) -> None:
    assert ("Strict-Transport-Security" in security_headers(public_url)) is expected
