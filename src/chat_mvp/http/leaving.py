"""Cancels work when the client closes the connection, because no one would read the answer."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from litestar import Request

from chat_mvp.errors import BadRequestError

_Result = TypeVar("_Result")


async def while_connected(request: Request[Any, Any, Any], work: Coroutine[Any, Any, _Result]) -> _Result:
    """Return the result of ``work``, and cancel it when the client closes the connection.

    Only for requests whose body has been read.
    """
    task = asyncio.ensure_future(work)
    disconnect = asyncio.ensure_future(_wait_for_disconnect(request))
    try:
        await asyncio.wait({task, disconnect}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise BadRequestError("The client closed the connection.")
        return task.result()
    finally:
        task.cancel()
        disconnect.cancel()
        await asyncio.gather(task, disconnect, return_exceptions=True)


async def _wait_for_disconnect(request: Request[Any, Any, Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
