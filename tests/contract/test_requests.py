"""Requests that break a limit before any route sees them, byte by byte against the real program."""

import asyncio

import pytest

from tests.support.http import API
from tests.support.people import Chat

JSON = b"Host: chat\r\nContent-Type: application/json\r\n"
LOGIN = f"POST {API}/auth/login HTTP/1.1\r\n".encode() + JSON
BODY = b'{"login": "nobody", "password": "no password"}'


async def ask(chat: Chat, *parts: bytes, within_s: float = 15.0) -> bytes:
    """Send these bytes on one connection and return everything that comes back before the server closes it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", chat.server.port)
    try:
        for part in parts:
            writer.write(part)
        async with asyncio.timeout(within_s):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.transport.abort()


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: chat\r\n\r\n", 414, "url_too_long"),
        (b"GET / HTTP/1.1\r\nX: " + b"v" * 20_000, 431, "headers_too_large"),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200, 431, "headers_too_large"),
        (b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nX: " + b"v" * 20_000, 431, "headers_too_large"),
        (LOGIN + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "bad_request"),
        (LOGIN + b"Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n", 413, "too_large"),
        (LOGIN + b"Content-Length: 20000\r\n\r\n" + b" " * 20_000, 413, "too_large"),
        (
            LOGIN + b"Transfer-Encoding: chunked\r\n\r\n" + b"5000\r\n" + b" " * 0x5000 + b"\r\n0\r\n\r\n",
            413,
            "too_large",
        ),
        (b"garbage\r\n\r\n", 400, "bad_request"),
    ],
)
async def test_what_is_refused(chat: Chat, request_: bytes, status: int, code: str) -> None:
    check_refused(await ask(chat, request_), status, code)


async def test_what_is_too_slow(chat: Chat) -> None:
    requests = (LOGIN + b"Content-Length: 20\r\n\r\n{", LOGIN + b"Content-Le")
    for answer in await asyncio.gather(*(ask(chat, request) for request in requests)):
        check_refused(answer, 408, "request_timeout")


def check_refused(answer: bytes, status: int, code: str) -> None:
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer[:300]
    assert f'"code":"{code}"'.encode() in answer
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "parts",
    [
        [b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY],
        [
            b"Transfer-Encoding: chunked\r\n\r\n",
            b"".join(b"1;a=b\r\n%c\r\n" % byte for byte in BODY),
            b"0\r\nT: x\r\n\r\n",
        ],
        [b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY), BODY],
    ],
)
async def test_however_a_body_comes(chat: Chat, parts: list[bytes]) -> None:
    assert b"HTTP/1.1 401 " in await ask(chat, LOGIN + b"Connection: close\r\n" + parts[0], *parts[1:])
