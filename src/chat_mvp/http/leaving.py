"""Work that is cancelled when the client closes the connection, because no one would read the answer."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from litestar import Request

from chat_mvp.errors import BadRequestError

_Result = TypeVar("_Result")


async def while_connected(request: Request[Any, Any, Any], work: Coroutine[Any, Any, _Result]) -> _Result:
    """Return what ``work`` returns, and cancel it when the client closes the connection.

    Only for requests whose body has been read.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_until_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise BadRequestError("The client went away.")
        return task.result()
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _until_gone(request: Request[Any, Any, Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
