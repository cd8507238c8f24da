"""Work for a client that disconnected is cancelled."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from litestar import Request

from chat_mvp.errors import BadRequestError
from chat_mvp.http.leaving import while_connected


class Connection:
    """The server's side of a request whose body has been read; ``leave`` is the client closing it."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.request = cast("Request[Any, Any, Any]", SimpleNamespace(receive=self._events.get))

    def leave(self) -> None:
        self._events.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        self._events.put_nowait({"type": "http.disconnect"})


async def test_the_result_of_work_that_ends_in_time() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    assert await while_connected(Connection().request, work()) == 7


async def test_an_error_of_the_work_is_the_error() -> None:
    async def work() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        await while_connected(Connection().request, work())


async def test_work_ends_when_the_client_goes_away() -> None:
    connection, ended = Connection(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.create_task(while_connected(connection.request, work()))
    await asyncio.sleep(0)
    connection.leave()
    with pytest.raises(BadRequestError):
        await waiting
    assert ended.is_set()


async def test_work_ends_when_the_server_gives_the_request_up() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.create_task(while_connected(Connection().request, work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended.is_set()
