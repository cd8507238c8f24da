"""The HTTP side of the client against a server that answers what a test tells it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chat_mvp.client import Client, RefusedError
from chat_mvp.client.tokens import MemoryStore, Tokens

Answer = tuple[int, dict[str, object]]


def too_fast(after_ms: int) -> Answer:
    return 429, {"code": "rate_limited", "detail": "Too many searches.", "retry_after_ms": after_ms}


@asynccontextmanager
async def scripted(*answers: Answer) -> AsyncIterator[tuple[Client, list[str]]]:
    """Serve these answers one after the other; yield a client and the requests that came."""
    left, requests = list(answers), list[str]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        requests.append(head.split(b"\r\n")[0].decode())
        status, body = left.pop(0)
        content = json.dumps(body).encode()
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(content)))
        writer.write(content)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    store = MemoryStore()
    store.save(Tokens(access_token="access", refresh_token="refresh", expires_in=900))
    async with server, Client(f"http://127.0.0.1:{port}", store=store) as client:
        yield client, requests


async def test_a_request_that_came_too_soon_is_sent_again() -> None:
    async with scripted(too_fast(10), too_fast(10), (200, {"items": []})) as (client, requests):
        assert await client.find_users("ann") == []
        assert len(requests) == 3


async def test_a_long_wait_is_for_the_caller_to_decide() -> None:
    async with scripted(too_fast(30_000)) as (client, requests):
        with pytest.raises(RefusedError) as refused:
            await client.find_users("ann")
    assert (refused.value.code, refused.value.retry_after_ms) == ("rate_limited", 30_000)
    assert len(requests) == 1


async def test_it_gives_up_after_a_few_times() -> None:
    async with scripted(*[too_fast(1)] * 10) as (client, requests):
        with pytest.raises(RefusedError):
            await client.find_users("ann")
    assert len(requests) == 4


async def test_other_refusals_are_not_sent_again() -> None:
    async with scripted((503, {"code": "unavailable", "detail": "Busy.", "retry_after_ms": 1})) as (client, requests):
        with pytest.raises(RefusedError):
            await client.find_users("ann")
    assert len(requests) == 1
